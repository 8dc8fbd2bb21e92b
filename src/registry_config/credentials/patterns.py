"""Finds every run of characters of a secret, by an automaton that knows six bytes of each eleven or fewer.

Any run of sixteen characters holds one of these seeds as a whole. What stands around a seed is compared with the form
that it is from; so the automaton stays small, and a key of 48 KiB costs no more than a short token.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from ahocorasick_rs import BytesAhoCorasick, Implementation

from registry_config.credentials.seeds import REACH, RUN, SEED, Places, windows
from registry_config.credentials.views import View, views, without_sequences

if TYPE_CHECKING:
    from collections.abc import Iterable

_HALF: Final = REACH // 2
# Compared at once; longer runs are found by their further seeds.
_BLOCK: Final = 256
# From this number of forms around one seed on, their windows are looked up instead.
_CROWD: Final = 3
# Twice as fast, but it takes longer to build: worth it for long outputs, and for few seeds.
_DENSE_FROM: Final = 1024 * 1024
_DENSE_SEEDS: Final = 5000
# Four bytes, as a number: a piece of output is held back if it ends in some that stand in the middle of a form.
_WORD: Final = 4
# For more of them (a key of 48 KiB) that is not looked at: it would take too much memory.
_MOST_WORDS: Final = 128 * 1024
_SPACE: Final = re.compile(rb"\s")


class Hits(NamedTuple):
    """What is to be hidden in the text of a view.

    Attributes:
        runs: start and end of each, in order and apart.
        shorts: start and end of what may be a short form, and what the data must hold there.
        incomplete: from where on a run is too short so far.
    """

    runs: list[tuple[int, int]]
    shorts: list[tuple[int, int, bytes]]
    incomplete: int


class Patterns:
    """The seeds of all forms."""

    def __init__(self, forms: Iterable[bytes]) -> None:
        self._beginnings: set[bytes] = set()
        self._spaced: set[bytes] = set()
        self._words: set[int] = set()
        places = Places()
        # The short forms that begin with a seed, and what must stand there as a whole.
        shorts: dict[bytes, list[tuple[bytes, bytes]]] = {}
        ordered = sorted(set(forms))
        for form, following in zip(ordered, [*ordered[1:], b""], strict=False):
            if len(form) >= 2 * RUN and following.startswith(form):
                continue  # its runs are runs of that one
            if _SPACE.search(form):
                self._add_spaced(form)
            for text in {view.text for view in views(form)} - {b""}:
                self._beginnings.update([text[:n] for n in range(1, min(len(text), RUN))])
                if len(text) < RUN:
                    shorts.setdefault(text[:SEED], []).append((text, without_sequences(form)))
                else:
                    places.add(text)
                    if len(self._words) < _MOST_WORDS:
                        for shift in range(_WORD):
                            self._words.update(_words(text[shift:]))
        self._seeds = list({**places.by_seed, **shorts})
        grouped = [places.grouped(seed) for seed in self._seeds]
        self._places = [groups if len(groups) <= _CROWD else () for groups in grouped]
        self._windows = {
            index: frozenset(windows(groups)) for index, groups in enumerate(grouped) if len(groups) > _CROWD
        }
        self._shorts = {index: shorts[seed] for index, seed in enumerate(self._seeds) if seed in shorts}
        self._automaton = BytesAhoCorasick(self._seeds)
        self._scanned = 0

    def _add_spaced(self, form: bytes) -> None:
        """Beginnings that end in white space, which the text of a view does not have."""
        clean = without_sequences(form[: 8 * RUN])
        self._spaced.update(clean[: match.end()] for match in _SPACE.finditer(clean) if match.end() < 4 * RUN)

    def find(self, text: bytes) -> Hits:
        """What is to be hidden in the text of a view."""
        runs: list[tuple[int, int]] = []
        shorts: list[tuple[int, int, bytes]] = []
        incomplete = size = len(text)
        all_places = self._places
        # The run that was found last ends there; what surrounds a seed between the other two lies within it.
        last, covered_from, covered_to = 0, size, 0
        for index, at, _ in self._scan(text):
            if covered_from <= at < covered_to:
                continue
            for form, offset, before in all_places[index]:
                if covered_from <= at < last and not form.startswith(
                    text[last : last + 1] or b"\0", offset + last - at
                ):
                    continue  # it does not go on beyond that run
                start, end = _extent(form, offset, before, text, at)
                if end - start >= RUN:
                    runs.append((start, end))
                    last, covered_from, covered_to = end, start + REACH, end - RUN + 1
                elif end == size and start < incomplete:
                    incomplete = start
            if index in self._windows:
                incomplete = min(incomplete, self._find_in_crowd(index, text, at, runs))
            for form, exact in self._shorts.get(index, ()):
                if text.startswith(form, at):
                    shorts.append((at, at + len(form), exact))
        return Hits(_merged(runs), shorts, incomplete)

    def _find_in_crowd(self, index: int, text: bytes, at: int, runs: list[tuple[int, int]]) -> int:
        windows = self._windows[index]
        starts = [start for start in range(max(at - REACH, 0), at + 1) if text[start : start + RUN] in windows]
        if starts:
            runs.append((starts[0], starts[-1] + RUN))
        return len(text) if at + RUN <= len(text) else max(at - REACH, 0)

    def unfinished(self, text: bytes, data: bytes, after: int) -> int:
        """From where on the end of a text may be the beginning of a form, or the middle if it is not hidden yet.

        After white space only six characters or more count, so that a prompt or a line that ends comes out at once.
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

    def _scan(self, text: bytes) -> list[tuple[int, int, int]]:
        self._scanned += len(text)
        if self._scanned > _DENSE_FROM and 0 < len(self._seeds) <= _DENSE_SEEDS:
            self._automaton = BytesAhoCorasick(self._seeds, implementation=Implementation.DFA)
            self._scanned = -(1 << 62)
        return self._automaton.find_matches_as_indexes(text, overlapping=True)


def _extent(form: bytes, offset: int, before: bytes | frozenset[bytes], text: bytes, at: int) -> tuple[int, int]:
    """How far a form goes on to both sides of its seed, which stands at `at`; the seed alone if that is no run."""
    if at + RUN <= len(text) and not text.startswith(form[offset + SEED : offset + RUN - _HALF], at + SEED):
        # Of the ten bytes that a run needs besides, five stand on one side.
        behind = text[at - _HALF : at] if at > _HALF else text[:at]
        if not (before.endswith(behind) if isinstance(before, bytes) else behind in before):
            return at, at + SEED
    ahead = form[offset : offset + _BLOCK]
    if text.startswith(ahead, at):
        end = at + len(ahead)
    else:
        seen = text[at : at + len(ahead)]
        differing = int.from_bytes(ahead[: len(seen)], "big") ^ int.from_bytes(seen, "big")
        end = at + len(seen) - (differing.bit_length() + 7) // 8
    if isinstance(before, bytes):
        reach = len(before)
        if at >= reach and text.startswith(before, at - reach):
            return at - reach, end
        seen = text[max(at - reach, 0) : at]
        # The last byte of a little-endian number weighs most.
        differing = int.from_bytes(before[reach - len(seen) :], "little") ^ int.from_bytes(seen, "little")
        return at - len(seen) + (differing.bit_length() + 7) // 8, end
    start = at
    while start and text[start - 1 : at] in before:
        start -= 1
    return start, end


def _merged(runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Overlapping runs as one, in order."""
    merged: list[tuple[int, int]] = []
    until = -1
    for run in sorted(runs):
        if run[0] >= until:
            merged.append(run)
            until = run[1]
        elif run[1] > until:
            until = run[1]
            merged[-1] = (merged[-1][0], until)
    return merged


def _words(text: bytes) -> memoryview:
    return memoryview(text)[: len(text) // _WORD * _WORD].cast("I")
