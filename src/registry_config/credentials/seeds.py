"""Chooses the seeds of a form: six bytes of each eleven or fewer, so that any run of sixteen holds one as a whole."""

from __future__ import annotations

import re

from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# Fewer characters of a long form are not hidden; a form that is shorter is hidden as a whole.
RUN: Final = 16
SEED: Final = 6
_STEP: Final = RUN - SEED + 1
# No further from a seed to the left, or another one is found first.
REACH: Final = _STEP - 1
# Seeds begin anew after each character that some encoding writes in another way, so that encodings share the others.
_ANCHOR: Final = re.compile(rb"(?:%(?:25)?[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|[^A-Za-z0-9])+")

SLOT: Final = REACH + RUN + 1
# What stands around a seed has the same length for each: these bytes fill it up, and end it. No text of a view has one.
_NOTHING: Final = b"\xff"


class Seeds:
    """Collects seeds, and what stands around them: all that a run of the least length may hold besides."""

    def __init__(self) -> None:
        # What comes before sixteen characters that begin with a seed, in each form.
        self._before: dict[bytes, list[bytes]] = {}
        self._following: dict[bytes, list[bytes]] = {}

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._following)

    def add(self, text: bytes) -> None:
        """Take the seeds of a form, as the text of a view holds it."""
        before_of, following_of = self._before, self._following
        for offset in _offsets(text):
            following = text[offset : offset + RUN]
            before = text[offset - REACH : offset] if offset > REACH else text[:offset]
            known = before_of.get(following)
            if known is None:
                before_of[following] = [before]
                following_of.setdefault(following[:SEED], []).append(following)
            elif before not in known:
                known.append(before)

    def around(self, seed: bytes) -> list[tuple[bytes, bytes]]:
        """What comes before a seed, and the seed with what follows, wherever it stands."""
        return [
            (before, following)
            for following in self._following.get(seed, ())
            for before in _longest(self._before[following])
        ]


def _longest(ends: list[bytes]) -> list[bytes]:
    """Without those that are the end of another."""
    if len(ends) == 1:
        return ends
    shorter = {end[n:] for end in ends for n in range(1, len(end) + 1)}
    return [end for end in ends if end not in shorter]


def slot(before: bytes, following: bytes) -> bytes:
    """Both in their places, to be compared with the bytes around a seed that was found."""
    return before.rjust(REACH, _NOTHING) + following.ljust(RUN + 1, _NOTHING)


def windows(before: bytes, following: bytes) -> Iterator[bytes]:
    """Each run of the least length that holds the seed at which the two meet."""
    joined = before + following
    return (joined[n : n + RUN] for n in range(min(len(before), len(joined) - RUN) + 1))


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
