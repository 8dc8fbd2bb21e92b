"""What is left of bytes when all is taken out that a reader, a terminal or a decoder of base64 passes over.

A secret that is wrapped, indented or coloured is in one piece there; each character knows where it stood.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate

from registry_config.light_typing import Final

# ECMA-48: control sequences, operating system commands (in one line, and not without an end), other control strings
# (in one line; without an end these are a two-byte escape and text), other two-byte escapes.
ESCAPE: Final = (
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]?|\][^\x07\x1b\r\n]{0,4096}(?:\x07|\x1b\\)?"
    rb"|[PX^_][^\x07\x1b\r\n]{0,4096}(?:\x07|\x1b\\|\x1b?\Z)|[ -/]*[0-~]?)"
)
# The C1 control characters as UTF-8 encodes them.
_C1: Final = rb"\xc2[\x80-\x9f]"
# How `curl --trace-ascii` begins the second and each further line of what it sends.
_DUMP: Final = re.compile(rb"\n[0-9a-f]{4}: ")
# How `set -x` of bash shows what a string is compared with. Fewer in a row are what a string of JSON may hold.
_ESCAPED: Final = re.compile(rb"(?:\\[^\x1b\r\n]){3}")
# Compiled where there are any; of the last one, the character after the backslash stays.
_PASSED_OVER: Final = rb"|".join((ESCAPE, _C1, _DUMP.pattern))
_BACKSLASHES_TOO: Final = _PASSED_OVER + rb"|\\([^\x1b\r\n]|\Z)"
# C0, DEL, and two bytes that UTF-8 never has.
_CONTROL: Final = bytes(set(range(0x20)) - set(b"\t\n\r")) + b"\x7f\xfe\xff"
DROPPED: Final = _CONTROL + b" \t\n\r"
_DROPPED_BYTES: Final = frozenset(DROPPED)
_LINE: Final = rb"[^\r\n]+"


class View:
    """Bytes without control characters and white space, and without the sequences that a pattern finds.

    Attributes:
        text: what is left.
        plain: the same with control characters and white space.
        is_whole: whether nothing but single characters is missing.
    """

    def __init__(self, data: bytes, sequences: bytes = b"") -> None:
        self._data = data
        self._starts: list[int] = []
        if sequences:
            data = self._without(sequences)
        self.is_whole = not self._starts
        self.plain = data
        self.text = data.translate(None, DROPPED)
        # Where the last question was answered.
        self._at = self._index = 0

    def offset(self, index: int) -> int:
        """Where the character at `index` of the text stands in the data. Cheap for indexes that ascend."""
        if len(self.text) - index < index - self._index:
            at = self._from_end(len(self.text) - index)
        else:
            at = self._from_start(index)
        if not self._starts:
            return at
        piece = bisect_right(self._lengths, at)
        return self._starts[piece] + at - (self._lengths[piece - 1] if piece else 0)

    def _from_start(self, index: int) -> int:
        if index < self._index:
            self._at = self._index = 0
        at, missing, plain = self._at, index - self._index, self.plain
        while missing:
            end = at + missing
            missing -= len(plain[at:end].translate(None, DROPPED))
            at = end
        while plain[at] in _DROPPED_BYTES:
            at += 1
        self._at, self._index = at, index
        return at

    def _from_end(self, count: int) -> int:
        at, missing = len(self.plain), count
        while missing:
            start = at - missing
            missing -= len(self.plain[start:at].translate(None, DROPPED))
            at = start
        return at

    def ranges(self, runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Where runs of characters begin and end in the data."""
        found: list[tuple[int, int]] = []
        text, plain = self.text, self.plain
        for first, last in runs:
            start = self.offset(first)
            if self.is_whole and plain.startswith(text[first:last], start):
                self._at, self._index = start + last - first - 1, last - 1
                found.append((start, start + last - first))
            else:
                found.append((start, self.offset(last - 1) + 1))
        return found

    def _without(self, sequences: bytes) -> bytes:
        pieces, at = [], 0
        for match in re.finditer(sequences, self._data):
            pieces.append(self._data[at : match.start()])
            self._starts.append(at)
            at = match.start(match.lastindex) if match.lastindex else match.end()
        pieces.append(self._data[at:])
        self._starts.append(at)
        self._lengths = list(accumulate(map(len, pieces)))
        return b"".join(pieces)


def views(data: bytes) -> tuple[View, ...]:
    """All views in which a secret may stand: what a sequence holds may be one too, such as the title of a window."""
    found = [View(data)]
    if b"\x1b" in data or (b"\xc2" in data and re.search(_C1, data)) or (b": " in data and _DUMP.search(data)):
        found.append(View(data, _PASSED_OVER))
    if b"\\" in data and _ESCAPED.search(found[-1].plain):
        found.append(View(data, _BACKSLASHES_TOO))
    return tuple(found)


def without_sequences(data: bytes) -> bytes:
    """The data without escape sequences and control characters, but with its white space."""
    return re.sub(_PASSED_OVER, b"", data).translate(None, _CONTROL)


def lines(data: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """The parts of `data[start:end]` in each of its lines, without what stands around them."""
    part = data[start:end]
    if len(part.translate(None, DROPPED)) == len(part):
        return [(start, end)]
    found = []
    for match in re.finditer(_LINE, part):
        view = View(match[0])
        if view.text:
            first, last = view.offset(0), view.offset(len(view.text) - 1)
            found.append((start + match.start() + first, start + match.start() + last + 1))
    return found


def ends_line(data: bytes) -> bool:
    """Whether an end of line is in it."""
    return b"\n" in data or b"\r" in data
