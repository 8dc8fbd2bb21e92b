"""The output of one target, kept until its turn has come: in a memory file without a name, and not without a limit."""

from __future__ import annotations

import os

from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from registry_config.plan import Output

# Of a longer output the beginning and the end are kept: with ten targets at once 60 MiB at most.
HEAD_BYTES: Final = 1024 * 1024
TAIL_BYTES: Final = 5 * 1024 * 1024
_CHUNK: Final = 64 * 1024
_STREAMS: Final = ("stdout", "stderr", "title", "detail")
# Before each piece: its stream, and how long it is.
_HEADER: Final = 1 + 4


class BufferedOutput:
    """An `Output` that keeps what a tool writes, in its order, until its turn has come.

    Args:
        engine_log: takes the engine's own log, which is not kept.
        head: how many bytes are kept from the beginning.
        tail: how many bytes are kept from the end, at least half of them.
    """

    def __init__(self, engine_log: Callable[[bytes], None], head: int = HEAD_BYTES, tail: int = TAIL_BYTES) -> None:
        self.engine_log = engine_log
        self._head = _Region(0, head)
        # The older half is given up where the newer one is full.
        self._older, self._newer = _Region(head, tail // 2), _Region(head + tail // 2, tail // 2)
        self._left_out = 0
        self._file = -1

    @property
    def stdout(self) -> Callable[[bytes], None]:
        """Takes bytes of the standard output."""
        return lambda data: self._keep(0, data)

    @property
    def stderr(self) -> Callable[[bytes], None]:
        """Takes bytes of the standard error."""
        return lambda data: self._keep(1, data)

    @property
    def title(self) -> Callable[[str], None]:
        """Takes the command whose output follows."""
        return lambda text: self._keep(2, text.encode())

    @property
    def detail(self) -> Callable[[str], None]:
        """Takes a line for those who asked for all there is to know."""
        return lambda text: self._keep(3, text.encode())

    @property
    def is_empty(self) -> bool:
        """Whether nothing was kept, or all of it was given away."""
        return self._file < 0

    def replay(self, output: Output) -> None:
        """Write everything to another output, once."""
        if self.is_empty:
            return
        try:
            for region in (self._head, self._older, self._newer):
                if region is self._older and self._left_out:
                    output.stderr(f"\n[registry-config: {self._left_out} bytes of output left out here]\n".encode())
                for stream, data in region.pieces(self._file):
                    _write(output, stream, data)
        finally:
            os.close(self._file)
            self._file = -1

    def _keep(self, stream: int, data: bytes) -> None:
        if self._file < 0:
            self._file = os.memfd_create("registry-config-output", os.MFD_CLOEXEC)
        for at in range(0, len(data), _CHUNK):
            piece = data[at : at + _CHUNK]
            if self._head.takes(piece) and not self._newer.kept:
                self._head.add(self._file, stream, piece)
                continue
            if not self._newer.takes(piece):
                self._left_out += self._older.kept
                self._older.clear()
                self._older, self._newer = self._newer, self._older
            self._newer.add(self._file, stream, piece)


def _write(output: Output, stream: str, data: bytes) -> None:
    match stream:
        case "stdout":
            output.stdout(data)
        case "stderr":
            output.stderr(data)
        case "title":
            output.title(data.decode())
        case _:
            output.detail(data.decode())


class _Region:
    """A part of the file, filled from its start."""

    def __init__(self, start: int, size: int) -> None:
        self.kept = 0
        self._start = start
        self._size = size
        self._used = 0

    def takes(self, data: bytes) -> bool:
        return self._used + _HEADER + len(data) <= self._size

    def add(self, file: int, stream: int, data: bytes) -> None:
        record = bytes([stream]) + len(data).to_bytes(_HEADER - 1, "big") + data
        written = os.pwrite(file, record, self._start + self._used)
        assert written == len(record)  # noqa: S101  (memory is there or the call fails)
        self._used += len(record)
        self.kept += len(data)

    def clear(self) -> None:
        self.kept = self._used = 0

    def pieces(self, file: int) -> list[tuple[str, bytes]]:
        """Streams and what came from them."""
        content, at = os.pread(file, self._used, self._start), 0
        found: list[tuple[str, bytes]] = []
        while at < len(content):
            size = int.from_bytes(content[at + 1 : at + _HEADER], "big")
            found.append((_STREAMS[content[at]], content[at + _HEADER : at + _HEADER + size]))
            at += _HEADER + size
        return found
