"""Finds every run of characters of a secret, by an automaton that knows six bytes of each eleven or fewer.

Any run of sixteen characters holds one of these seeds as a whole, and no more of it lies to its sides than is known of
each seed; so the automaton stays small, a key of 48 KiB costs no more than a short token, and a longer run is what
several seeds find.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from ahocorasick_rs import BytesAhoCorasick, Implementation

from registry_config.credentials.beginnings import Beginnings, Rest
from registry_config.credentials.seeds import REACH, RUN, SEED, SLOT, Seeds, slot, windows
from registry_config.credentials.unfinished import Unfinished
from registry_config.credentials.views import views, without_sequences
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from registry_config.credentials.beginnings import Words

# From more ways to surround one seed on, the runs that hold it are looked up instead.
_CROWD: Final = 3
# A run has ten bytes besides its seed: at least five before it, or at least six behind it.
_COMMON: Final = ((5, 0), (0, 6))
# How many seeds are compared at once.
_BATCH: Final = 4096
_SAME: Final = re.compile(bytes(RUN) + rb"\0*")
# Twice as fast, but it takes longer to build: worth it for long outputs, and for few seeds.
_DENSE_FROM: Final = 1024 * 1024
_DENSE_SEEDS: Final = 5000

# The number of a seed, and where it begins and ends.
_Hit: TypeAlias = "tuple[int, int, int]"


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
    """The seeds of all forms.

    Attributes:
        beginnings: of the same forms.
        unfinished: of them as well.
    """

    def __init__(self, forms: Iterable[bytes]) -> None:
        self.unfinished = Unfinished()
        seeds, texts = Seeds(), set[bytes]()
        # The short forms that begin with a seed, and what must stand there as a whole.
        shorts: dict[bytes, list[tuple[bytes, bytes]]] = {}
        ordered = sorted(set(forms))
        for form, following in zip(ordered, [*ordered[1:], b""], strict=False):
            if len(form) >= 2 * RUN and following.startswith(form):
                continue  # its runs are runs of that one
            of_form = {view.text for view in views(form)} - {b""}
            self.unfinished.add(form, of_form)
            for text in of_form:
                if len(text) < RUN:
                    shorts.setdefault(text[:SEED], []).append((text, without_sequences(form)))
                else:
                    seeds.add(text)
                    texts.add(text)
        self._seeds = list({**dict.fromkeys(seeds), **shorts})
        # By the number of a seed: what may stand around it, or the runs that hold it where that is much.
        self._slots: list[tuple[bytes, ...]] = []
        self._crowds: dict[int, frozenset[bytes]] = {}
        self._common: set[bytes] = set()
        for index, seed in enumerate(self._seeds):
            around = seeds.around(seed)
            self._slots.append(() if len(around) > _CROWD else tuple(slot(*sides) for sides in around))
            if len(around) > _CROWD:
                self._crowds[index] = frozenset(run for sides in around for run in windows(*sides))
                self._common.update(part for sides in around for part in _common_parts(*sides))
        self._shorts = {index: shorts[seed] for index, seed in enumerate(self._seeds) if seed in shorts}
        self.beginnings = Beginnings(texts)
        self._automaton = BytesAhoCorasick(self._seeds)
        self._scanned = 0

    def find(self, text: bytes, known: Words) -> Hits:
        """What is to be hidden in the text of a view, besides the words that are known."""
        if not known.starts:
            return self._find(text)
        rest = Rest(text, known)
        hits = self._find(rest.text)
        return Hits(
            [(rest.original(start), rest.original(end - 1) + 1) for start, end in hits.runs],
            [(rest.original(start), rest.original(end - 1) + 1, form) for start, end, form in hits.shorts],
            rest.original(hits.incomplete) if hits.incomplete < len(rest.text) else len(text),
        )

    def _find(self, text: bytes) -> Hits:
        hits, size = self._scan(text), len(text)
        runs = []
        for first in range(0, len(hits), _BATCH):
            some, others = _spread(hits[first : first + _BATCH])
            found = self._runs(text, some)
            runs += found + self._runs(text, _uncovered(others, _merged(found)))
        runs = _merged(runs)
        shorts = [
            (at, at + len(form), exact)
            for index, at, _ in hits
            if index in self._shorts
            for form, exact in self._shorts[index]
            if text.startswith(form, at)
        ]
        return Hits(runs, shorts, size if runs and runs[-1][1] == size else self._incomplete(text, hits))

    def _runs(self, text: bytes, hits: list[_Hit]) -> list[tuple[int, int]]:
        """Runs around some seeds, all compared at once: a step of Python's for each would cost more than the scan."""
        all_slots, crowds, common = self._slots, self._crowds, self._common
        slots = [(at, sides) for index, at, _ in hits for sides in all_slots[index]]
        # A slice that would begin before the text is too short to be one of these.
        crowded = [
            (index, at)
            for index, at, _ in hits
            if index in crowds and (text[at - 5 : at + 6] in common or text[at : at + 12] in common)
        ]
        found = [run for index, at in crowded for run in _in_crowd(crowds[index], text, at)]
        if slots:
            # The bytes of both are the same where the exclusive or of them is zero.
            padded = bytes(REACH) + text + bytes(RUN + 1)
            seen = b"".join([padded[at : at + SLOT] for at, _ in slots])
            expected = b"".join([sides for _, sides in slots])
            differing = int.from_bytes(seen, "big") ^ int.from_bytes(expected, "big")
            for match in re.finditer(_SAME, differing.to_bytes(len(seen), "big")):
                n, place = divmod(match.start(), SLOT)
                start = slots[n][0] - REACH + place
                found.append((start, start + match.end() - match.start()))
        return found

    def _incomplete(self, text: bytes, hits: list[_Hit]) -> int:
        """From where on the end of a text is a run that is too short so far."""
        incomplete = size = len(text)
        for index, at, end in reversed(hits):
            if end <= size - RUN:
                break
            if at + RUN <= size:
                continue
            if index in self._crowds:
                incomplete = min(incomplete, max(at - REACH, 0))
            for sides in self._slots[index]:
                if sides.startswith(text[at:], REACH):
                    start = at
                    while start > max(at - REACH, 0) and text[start - 1] == sides[REACH - 1 - at + start]:
                        start -= 1
                    incomplete = min(incomplete, start)
        return incomplete

    def _scan(self, text: bytes) -> list[_Hit]:
        self._scanned += len(text)
        if self._scanned > _DENSE_FROM and 0 < len(self._seeds) <= _DENSE_SEEDS:
            self._automaton = BytesAhoCorasick(self._seeds, implementation=Implementation.DFA)
            self._scanned = -(1 << 62)
        return self._automaton.find_matches_as_indexes(text, overlapping=True)


def _spread(hits: list[_Hit]) -> tuple[list[_Hit], list[_Hit]]:
    """Some that are not near to each other, and the others: where a run is long, few tell of all of it."""
    if not hits or len(hits) * RUN <= hits[-1][1] - hits[0][1]:
        return hits, []
    some, others, after = [], [], 0
    for hit in hits:
        if hit[1] >= after:
            some.append(hit)
            after = hit[1] + RUN
        else:
            others.append(hit)
    return some, others


def _uncovered(hits: list[_Hit], runs: list[tuple[int, int]]) -> list[_Hit]:
    """Those around which not all is within a run."""
    starts, stops = [start for start, _ in runs], [0, *(end - RUN + 1 for _, end in runs)]
    return [hit for hit in hits if hit[1] >= stops[bisect_right(starts, hit[1] - REACH)]]


def _in_crowd(runs: frozenset[bytes], text: bytes, at: int) -> list[tuple[int, int]]:
    """The run around a seed at `at`, if there is one."""
    first = max(at - REACH, 0)
    around = [text[start : start + RUN] for start in range(first, at + 1)]
    if runs.isdisjoint(around):
        return []
    hidden = [first + n for n, run in enumerate(around) if run in runs]
    return [(hidden[0], hidden[-1] + RUN)]


def _common_parts(before: bytes, following: bytes) -> Iterator[bytes]:
    """What a run around a seed holds of its two sides, at least one of these."""
    for ahead, behind in _COMMON:
        if ahead <= len(before):
            yield before[len(before) - ahead :] + following[: SEED + behind]


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
