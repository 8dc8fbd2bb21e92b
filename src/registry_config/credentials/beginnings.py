"""Finds words of an output with which a form begins, all at once, where it is full of them.

Each seed that is found costs as much as the scan of a hundred bytes. So in a list of secrets, or of what is left of
them, whole words are looked up first, and the rest alone is scanned for seeds.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate
from operator import add

from registry_config.credentials.seeds import RUN
from registry_config.credentials.views import DROPPED
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

# To look each word up costs more than to scan a log: so the beginning tells first whether much of it is hidden.
_LEAST: Final = 8 * 1024
_SAMPLE: Final = 1024
_MANY: Final = _SAMPLE // 4
# Characters that stand around a secret in JSON, an assignment, a URL or a command; they are in the text of a view.
_MARKS: Final = b"\"'`=:;,@&|()[]{}<>"
# Words end where this makes a space of a character.
_SPACED: Final = bytes(ord(" ") if byte in DROPPED else byte for byte in range(256))
_MARKED: Final = bytes(ord(" ") if byte in DROPPED + _MARKS else byte for byte in range(256))
_IS_MARK: Final = bytes(byte in _MARKS for byte in range(256))
_IN_WORDS: Final = bytes(set(range(256)) - set(DROPPED + _MARKS))
# No text of a view has it.
_BETWEEN: Final = b"\0"


class Words(NamedTuple):
    """Some words of an output.

    Attributes:
        starts: where each begins in the text of the view, in order.
        stops: where each ends there.
        spans: where they stand in the data.
    """

    starts: list[int]
    stops: list[int]
    spans: list[tuple[int, int]]


NO_WORDS: Final = Words([], [], [])


class Beginnings:
    """Knows how forms begin, of sixteen characters or more; `texts` as views hold them."""

    def __init__(self, texts: Iterable[bytes]) -> None:
        # After the last one comes what no word is greater than.
        self._texts = [*sorted(texts), b"\xff"]
        # The text that begins so, or nothing where several do.
        self._by_head: dict[bytes, bytes] = {}
        for text in self._texts:
            self._by_head[text[:RUN]] = b"" if text[:RUN] in self._by_head else text

    def words(self, data: bytes) -> Words:
        """The words with which a form begins, if much of the data is made of such; never the last word."""
        sample = data[:_SAMPLE]
        if len(data) < _LEAST or (many := self._hidden(sample, _MARKED)) < _MANY:
            return NO_WORDS
        # Many forms hold marks themselves; and words are found faster where only white space ends them.
        return self._words(data, _MARKED if many > self._hidden(sample, _SPACED) else _SPACED)

    def _hidden(self, data: bytes, table: bytes) -> int:
        words = self._words(data, table)
        return sum(words.stops) - sum(words.starts)

    def _words(self, data: bytes, table: bytes) -> Words:
        words = data.translate(table).split(b" ")
        ends = list(accumulate(map(len, words), initial=0))
        texts, by_head = self._texts, self._by_head
        found = [
            n
            for n, word in enumerate(words)
            if len(word) >= RUN
            and (text := by_head.get(word[:RUN])) is not None
            and (text or texts[bisect_left(texts, word)]).startswith(word)
        ]
        if found and ends[found[-1] + 1] == ends[-1]:
            found.pop()  # what follows may belong to it
        starts, stops = [*map(ends.__getitem__, found)], [*map(ends[1:].__getitem__, found)]
        # One character stands between two words. In the text it is left out, unless it is a mark.
        spans = [*zip(map(add, starts, found), map(add, stops, found), strict=True)]
        if table is _MARKED:
            marks = list(accumulate(data.translate(_IS_MARK, _IN_WORDS), initial=0))
            before = [*map(marks.__getitem__, found)]
            starts, stops = [*map(add, starts, before)], [*map(add, stops, before)]
        return Words(starts, stops, spans)


class Rest:
    """A text without words that are hidden anyway, but for what a run that begins or ends outside of them may hold.

    Attributes:
        text: what is left, in pieces.
    """

    def __init__(self, text: bytes, words: Words) -> None:
        gaps = zip([0, *words.stops], [*words.starts, len(text)], strict=True)
        # Where each piece begins and ends in the whole text.
        ends = [(max(start - RUN + 1, 0), end + RUN - 1) for start, end in gaps if start < end]
        self._origins = [start for start, _ in ends]
        pieces = [text[start:end] for start, end in ends]
        self._starts = [0, *accumulate(len(piece) + len(_BETWEEN) for piece in pieces)]
        self.text = _BETWEEN.join(pieces)

    def original(self, at: int) -> int:
        """Where a character of the rest stands in the whole text."""
        piece = bisect_right(self._starts, at) - 1
        return self._origins[piece] + at - self._starts[piece]
