"""Tells whether the end of some output may belong to a form whose rest is still to come."""

from __future__ import annotations

import re

from registry_config.credentials.seeds import RUN, SEED
from registry_config.credentials.views import View, without_sequences
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

# Four bytes, as a number: a piece of output is held back if it ends in some that stand in the middle of a form.
_WORD: Final = 4
# For more of them (a key of 48 KiB) that is not looked at: it would take too much memory.
_MOST_WORDS: Final = 128 * 1024
_SPACE: Final = re.compile(rb"\s")


class Unfinished:
    """Knows the beginnings of forms, and four bytes each of their middles."""

    def __init__(self) -> None:
        self._beginnings: set[bytes] = set()
        # Those that end in white space, which the text of a view does not have.
        self._spaced: set[bytes] = set()
        self._words: set[int] = set()

    def add(self, form: bytes, texts: Iterable[bytes]) -> None:
        """Take a form, and what the views of it hold."""
        if _SPACE.search(form):
            clean = without_sequences(form[: 8 * RUN])
            self._spaced.update(clean[: match.end()] for match in _SPACE.finditer(clean) if match.end() < 4 * RUN)
        for text in texts:
            self._beginnings.update([text[:n] for n in range(1, min(len(text), RUN))])
            if len(text) >= RUN and len(self._words) < _MOST_WORDS:
                for shift in range(_WORD):
                    self._words.update(_words(text[shift:]))

    def start(self, text: bytes, data: bytes, after: int) -> int:
        """From where on the end of a text may be the beginning of a form, or the middle if it is not hidden yet.

        After white space only six characters or more count, so that a prompt or a line that ends comes out at once.

        Args:
            text: what a view of the data holds.
            data: with the white space and the sequences that the view has not.
            after: where the last hidden part of the text ends.
        """
        ends = data[-1:].isspace()
        start = min(self._beginning(text, SEED if ends else 1), self._middle(text, SEED if ends else _WORD, after))
        if ends and self._spaced:
            clean = without_sequences(data[-8 * RUN :])
            longest = max((form for form in self._spaced if clean.endswith(form)), key=len, default=b"")
            start = min(start, len(text) - len(View(longest).text))
        return start

    def _beginning(self, text: bytes, least: int) -> int:
        size = len(text)
        for length in range(min(RUN - 1, size), least - 1, -1):
            if text[size - length :] in self._beginnings:
                return size - length
        return size

    def _middle(self, text: bytes, least: int, after: int) -> int:
        """From where on the end of a text may be the middle of a form: all its words stand in one."""
        start = size = len(text)
        while (
            size - start < RUN
            and start - _WORD >= after
            and not self._words.isdisjoint(_words(text[start - _WORD : start]))
        ):
            start -= 1
        start = size if start == size else start - _WORD + 1
        return start if size - start >= least else size


def _words(text: bytes) -> memoryview:
    return memoryview(text)[: len(text) // _WORD * _WORD].cast("I")
