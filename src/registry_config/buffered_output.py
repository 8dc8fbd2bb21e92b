"""The output of one target, kept until its turn has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from registry_config.plan import Output


class BufferedOutput:
    """An `Output` that keeps what a tool writes, in its order, until its turn has come."""

    def __init__(self, engine_log: Callable[[bytes], None]) -> None:
        self._pieces: list[tuple[str, bytes]] = []
        self.engine_log = engine_log

    @property
    def stdout(self) -> Callable[[bytes], None]:
        """Takes bytes of the standard output."""
        return lambda data: self._pieces.append(("stdout", data))

    @property
    def stderr(self) -> Callable[[bytes], None]:
        """Takes bytes of the standard error."""
        return lambda data: self._pieces.append(("stderr", data))

    def replay(self, output: Output) -> None:
        """Write everything to another output."""
        for stream, data in self._pieces:
            (output.stdout if stream == "stdout" else output.stderr)(data)
