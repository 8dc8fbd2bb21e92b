"""Chooses the seeds of a form: six bytes of each eleven or fewer, so that any run of sixteen holds one as a whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Fewer characters of a long form are not hidden; a form that is shorter is hidden as a whole.
RUN: Final = 16
SEED: Final = 6
_STEP: Final = RUN - SEED + 1
# No further from a seed to the left, or another one is found first.
REACH: Final = _STEP - 1
# Seeds begin anew after each character that some encoding writes in another way, so that encodings share the others.
_ANCHOR: Final = re.compile(rb"(?:%(?:25)?[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|[^A-Za-z0-9])+")

# Where a seed stands: in a form, at an offset; and what comes before it there and in forms that go on in the same way.
Place: TypeAlias = "tuple[bytes, int, bytes | frozenset[bytes]]"


class Places:
    """Collects where seeds stand.

    Of forms that go on in the same way after a seed, one stands for all; what comes before is kept of each.
    """

    def __init__(self) -> None:
        # What follows a seed, itself included: where, and what comes before it there.
        self._following: dict[bytes, tuple[bytes, int, list[bytes]]] = {}
        self.by_seed: dict[bytes, list[bytes]] = {}

    def add(self, text: bytes) -> None:
        """Take the seeds of a form, as the text of a view holds it."""
        following_of, by_seed = self._following, self.by_seed
        for offset in _offsets(text):
            following = text[offset : offset + RUN]
            before = text[offset - REACH : offset] if offset > REACH else text[:offset]
            known = following_of.get(following)
            if known is None:
                following_of[following] = (text, offset, [before])
                by_seed.setdefault(following[:SEED], []).append(following)
            elif before not in known[2]:
                known[2].append(before)

    def grouped(self, seed: bytes) -> tuple[Place, ...]:
        """Where a seed stands."""
        found: list[Place] = []
        for following in self.by_seed.get(seed, ()):
            form, offset, before = self._following[following]
            if len(before) > 1:
                suffixes = frozenset(text[n:] for text in before for n in range(len(text)))
                found.append((form, offset, suffixes))
            else:
                found.append((form, offset, before[0]))
        return tuple(found)


def _offsets(text: bytes) -> Iterator[int]:
    """Where seeds begin, never more than eleven bytes apart."""
    last = len(text) - SEED
    # As late as may be: tokens of one kind have their beginning in common.
    at = max((anchor.end() for anchor in _ANCHOR.finditer(text, 0, REACH)), default=REACH)
    for anchor in _ANCHOR.finditer(text, at):
        place = min(anchor.end(), last)
        if place > at:
            yield from range(at, place, _STEP)
            at = place
    yield from range(at, last + 1, _STEP)


def windows(places: Iterable[Place]) -> Iterator[bytes]:
    """Each run of its least length around a seed."""
    for form, offset, before in places:
        following = form[offset : offset + RUN]
        for ahead in {b"", before} if isinstance(before, bytes) else {b"", *before}:
            joined = ahead + following
            yield from (joined[n : n + RUN] for n in range(min(len(ahead), len(joined) - RUN) + 1))
