"""Replaces every form of every secret in a text or a stream of bytes by `***`.

One automaton looks for the first bytes of each form; what it finds is compared with the whole form. So a 48 KiB key
costs no more than a short token, and a secret split over any two writes is found without holding other text back.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from ahocorasick_rs import BytesAhoCorasick

if TYPE_CHECKING:
    from collections.abc import Iterable

MASK: Final = b"***"
# Long enough to be rare in innocent text, no longer than the shortest form.
_HEAD: Final = 6


class Redactor:
    """Knows what must not be seen. Safe to share between threads."""

    def __init__(self, forms: Iterable[bytes]) -> None:
        self._by_head: defaultdict[bytes, list[bytes]] = defaultdict(list)
        for form in sorted(forms, key=len):
            self._by_head[form[:_HEAD]].append(form)
        self._heads = list(self._by_head)
        self._automaton = BytesAhoCorasick(self._heads)
        self._beginnings = frozenset(head[:n] for head in self._heads for n in range(1, len(head)))

    def data(self, data: bytes) -> bytes:
        """`data` with every form replaced."""
        stream = self.stream()
        return stream.feed(data) + stream.finish(cut=False)

    def holds(self, data: bytes) -> bool:
        """Whether any form stands in `data`."""
        return bool(self.find(data)[0])

    def text(self, text: str) -> str:
        """`text` with every form replaced, to be shown: bytes that are not UTF-8 become U+FFFD."""
        return self.data(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")

    def stream(self) -> RedactingStream:
        """A new stream; one is needed for each flow of bytes."""
        return RedactingStream(self)

    def find(self, data: bytes) -> tuple[list[tuple[int, int]], int]:
        """Where forms stand in `data`, and from where on more bytes are needed to tell.

        Returns:
            Start and end of each form found, in the order of their starts, and the offset of the first byte that may
            begin a form which is not complete yet (`len(data)` where there is none).
        """
        found: list[tuple[int, int]] = []
        open_from = self._partial_head(data)
        for index, start, _ in self._automaton.find_matches_as_indexes(data, overlapping=True):
            length, partial = self._compare(data, start, self._by_head[self._heads[index]])
            if length:
                found.append((start, start + length))
            if partial:
                open_from = min(open_from, start)
        found.sort()
        return found, open_from

    def _partial_head(self, data: bytes) -> int:
        size = len(data)
        for length in range(min(_HEAD - 1, size), 0, -1):
            if data[size - length :] in self._beginnings:
                return size - length
        return size

    @staticmethod
    def _compare(data: bytes, start: int, forms: list[bytes]) -> tuple[int, bool]:
        """Length of the longest of `forms` at `start` (0: none), and whether a longer one may still follow."""
        rest = len(data) - start
        longest = 0
        for form in forms:  # shortest first
            if len(form) > rest:
                tail = data[start:]
                return longest, any(other.startswith(tail) for other in forms if len(other) > rest)
            if data.startswith(form, start):
                longest = len(form)
        return longest, False


class RedactingStream:
    """Redacts one flow of bytes that arrives in pieces; holds back only what may be the beginning of a form.

    Attributes:
        found: whether a form has been seen so far.
    """

    def __init__(self, redactor: Redactor) -> None:
        self.found = False
        self._redactor = redactor
        self._held = b""
        # So many of the held bytes belong to a form whose mask went out already.
        self._hidden = 0

    def feed(self, data: bytes) -> bytes:
        """Take `data`, and give what can be shown by now."""
        self._held += data
        found, open_from = self._redactor.find(self._held)
        return self._release(found, open_from)

    def finish(self, *, cut: bool = True) -> bytes:
        """Give the rest. With `cut` a secret that the end cut short is hidden as well, from six bytes on."""
        found, open_from = self._redactor.find(self._held)
        if cut and len(self._held) - open_from >= _HEAD:
            found.append((open_from, len(self._held)))
        return self._release(sorted(found), len(self._held))

    def _release(self, found: list[tuple[int, int]], until: int) -> bytes:
        """Everything before `until`, forms replaced; overlapping forms share one mask."""
        self.found = self.found or bool(found)
        out = bytearray()
        done = self._hidden
        for start, end in found:
            if start >= until:
                break
            if start >= done:
                out += self._held[done:start] + MASK
            done = max(done, end)
        if done < until:
            out += self._held[done:until]
            done = until
        self._held = self._held[until:]
        self._hidden = done - until
        return bytes(out)
