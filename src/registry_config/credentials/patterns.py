"""Finds every run of characters of a secret, by an automaton that knows six bytes of every seven or fewer.

Any run of twelve characters holds one of these seeds as a whole. What stands around a seed is compared with the form
that it is from; so the automaton stays small, and a key of 48 KiB costs no more than a short token.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from ahocorasick_rs import BytesAhoCorasick, Implementation

from registry_config.credentials.views import View, views, without_sequences

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Fewer characters of a long form are not hidden; a form that is shorter is hidden as a whole.
RUN: Final = 12
SEED: Final = 6
_STEP: Final = RUN - SEED + 1
# Compared at once; longer runs are found by their further seeds.
_BLOCK: Final = 64
# From so many forms around one seed on, their windows are looked up instead.
_CROWD: Final = 8
# Twice as fast, but it takes longer to build: worth it for long outputs, and for few seeds.
_DENSE_FROM: Final = 1024 * 1024
_DENSE_SEEDS: Final = 5000
# Seeds begin anew after each character that some encoding writes in another way, so that encodings share the others.
_ANCHOR: Final = re.compile(rb"(?:%(?:25)?[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|[^A-Za-z0-9])+")
_SPACE: Final = re.compile(rb"[ \t\r\n]")


class _Context(NamedTuple):
    """Where a seed stands: in `form` at `offset`; of a short form, `exact` is what must stand there as a whole."""

    form: bytes
    offset: int
    exact: bytes = b""


class Hit(NamedTuple):
    """Characters of a view; of a short form, `exact` is what the data must hold there."""

    start: int
    end: int
    exact: bytes = b""


class Patterns:
    """The seeds of all forms."""

    def __init__(self, forms: Iterable[bytes]) -> None:
        self._contexts: dict[bytes, list[_Context]] = {}
        self._windows: dict[int, frozenset[bytes]] = {}
        self._beginnings: set[bytes] = set()
        self._spaced: set[bytes] = set()
        for form in sorted(set(forms)):
            for text in {view.text for view in views(form)} - {b""}:
                self._add(form, text)
        self._seeds = list(self._contexts)
        self._by_index = list(map(tuple, self._contexts.values()))
        self._contexts.clear()
        for index, contexts in enumerate(self._by_index):
            if len(contexts) > _CROWD:
                self._windows[index] = frozenset(window for context in contexts for window in _windows(context))
                self._by_index[index] = tuple(context for context in contexts if context.exact)
        self._automaton = BytesAhoCorasick(self._seeds)
        self._scanned = 0

    def _add(self, form: bytes, text: bytes) -> None:
        exact = without_sequences(form) if len(text) < RUN else b""
        self._beginnings.update(text[:n] for n in range(1, min(len(text), RUN)))
        if _SPACE.search(form):
            clean = without_sequences(form)
            self._spaced.update(clean[: match.end()] for match in _SPACE.finditer(clean) if match.end() < 4 * RUN)
        for offset in (0,) if exact else _offsets(text):
            context = _Context(text, offset, exact)
            known = self._contexts.setdefault(text[offset : offset + SEED], [])
            if all(_around(context) != _around(other) for other in known[-_CROWD:]):
                known.append(context)

    def find(self, text: bytes) -> tuple[list[Hit], int]:
        """What is to be hidden in the text of a view, in no order, and from where on a run is too short so far."""
        hits: list[Hit] = []
        size, incomplete = len(text), len(text)
        start, end = 0, -1
        for index, at, _ in self._scan(text):
            if at + RUN <= end and at - SEED >= start:
                continue  # its form adds nothing to what is hidden here already
            if index in self._windows:
                places = [n for n in range(at - SEED, at + 1) if text[n : n + RUN] in self._windows[index]]
                if places:
                    hits.append(Hit(places[0], places[-1] + RUN))
                if at + RUN > size:
                    incomplete = min(incomplete, max(at - SEED, 0))
            for context in self._by_index[index]:
                first, last = _extent(context, text, at)
                if context.exact:
                    if last - first == len(context.form):
                        hits.append(Hit(first, last, context.exact))
                elif last - first >= RUN:
                    hits.append(Hit(first, last))
                    start, end = first, last
                elif last == size:
                    incomplete = min(incomplete, first)
        return hits, incomplete

    def beginning(self, text: bytes, data: bytes) -> int:
        """From where on the end of a text may be the beginning of a form.

        After white space only six characters or more count, so that a prompt or a line that ends comes out at once.
        """
        size = len(text)
        ends = data[-1:].isspace()
        for length in range(min(RUN - 1, size), SEED - 1 if ends else 0, -1):
            if text[size - length :] in self._beginnings:
                return size - length
        if ends and self._spaced:
            clean = without_sequences(data[-8 * RUN :])
            longest = max((form for form in self._spaced if clean.endswith(form)), key=len, default=b"")
            return size - len(View(longest).text)
        return size

    def _scan(self, text: bytes) -> list[tuple[int, int, int]]:
        self._scanned += len(text)
        if self._scanned > _DENSE_FROM and 0 < len(self._seeds) <= _DENSE_SEEDS:
            self._automaton = BytesAhoCorasick(self._seeds, implementation=Implementation.DFA)
            self._scanned = -(1 << 62)
        return self._automaton.find_matches_as_indexes(text, overlapping=True)


def _offsets(text: bytes) -> Iterator[int]:
    """Where seeds begin, never more than seven bytes apart."""
    last = len(text) - SEED
    # Not at the very beginning, which tokens of one kind have in common.
    at = min(_STEP - 1, last)
    for anchor in _ANCHOR.finditer(text, at):
        place = min(anchor.end(), last)
        while at < place:
            yield at
            at = min(at + _STEP, place)
    while at <= last:
        yield at
        at += _STEP


def _around(context: _Context) -> tuple[bytes, int, bytes]:
    """What tells two places of one seed apart: no run needs more of its form than this."""
    form, offset, exact = context
    if exact:
        return form, 0, exact
    start = max(offset - SEED, 0)
    return form[start : offset + RUN], offset - start, b""


def _windows(context: _Context) -> Iterator[bytes]:
    form, offset, exact = context
    if not exact:
        for start in range(max(offset - SEED, 0), min(offset, len(form) - RUN) + 1):
            yield form[start : start + RUN]


def _extent(context: _Context, text: bytes, at: int) -> tuple[int, int]:
    """How far the form goes on to both sides of its seed, which stands at `at`."""
    form, offset, _ = context
    ahead = form[offset : offset + _BLOCK]
    end = at + (len(ahead) if text.startswith(ahead, at) else _common(ahead, text[at : at + _BLOCK], "big"))
    if not offset:
        return at, end
    behind = form[max(offset - SEED, 0) : offset]
    return at - _common(behind[-at:] if at < SEED else behind, text[max(at - SEED, 0) : at], "little"), end


def _common(one: bytes, other: bytes, order: str) -> int:
    """How many bytes are equal from the start (`big`) or from the end (`little`)."""
    if one == other:
        return len(one)
    size = min(len(one), len(other))
    if order == "big":
        one, other = one[:size], other[:size]
    else:
        one, other = one[len(one) - size :], other[len(other) - size :]
    differing = int.from_bytes(one, order) ^ int.from_bytes(other, order)  # type: ignore[arg-type]
    return size - (differing.bit_length() + 7) // 8
