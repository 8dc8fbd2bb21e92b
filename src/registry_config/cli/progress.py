"""What a terminal shows of a run that takes a while: a table of its targets, or what is waited for."""

from __future__ import annotations

import threading
from contextlib import contextmanager

from registry_config.light_typing import TYPE_CHECKING
from registry_config.observer import Observer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.status import Status

    from registry_config.buffered_output import BufferedOutput


@contextmanager
def table(
    targets: tuple[str, ...],
    show: Callable[[str, BufferedOutput], None],
    tell: Callable[[str], None],
    hide: Callable[[str], str],
) -> Iterator[Observer]:
    """A live table on the terminal; lines, and the output of finished targets, scroll by above it.

    Args:
        targets: each has a row.
        show: writes the output of one.
        tell: writes a line.
        hide: what every text passes on its way into the table.
    """
    from rich.console import Console  # noqa: PLC0415  (a terminal only)
    from rich.live import Live  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    lock = threading.Lock()
    states = dict.fromkeys(targets, "waiting")

    def draw() -> Table:
        view = Table("target", "state", box=None)
        for target, text in states.items():
            view.add_row(Text(hide(target)), Text(hide(text)))
        return view

    with Live(draw(), console=Console(stderr=True), redirect_stdout=False, redirect_stderr=False) as live:

        def on_state(target: str, text: str) -> None:
            with lock:
                states[target] = text
                live.update(draw(), refresh=True)

        def on_output(target: str, output: BufferedOutput) -> None:
            with lock:
                live.stop()
                show(target, output)
                live.start(refresh=True)

        def on_line(text: str) -> None:
            with lock:
                live.stop()
                tell(text)
                live.start(refresh=True)

        yield Observer(on_state, on_output, on_retry=on_state, on_note=on_line, on_warning=on_line)


class Line:
    """A line that tells what is waited for, until it is taken away."""

    def __init__(self, status: Status) -> None:
        self._status: Status | None = status
        status.start()

    def stop(self) -> None:
        """Take it away for good."""
        if self._status:
            self._status.stop()
            self._status = None

    def above(self, tell: Callable[[str], None], text: str) -> None:
        """Tell something above it."""
        if self._status:
            self._status.stop()
        tell(text)
        if self._status:
            self._status.start()


@contextmanager
def waiting(text: str) -> Iterator[Line]:
    """A line on standard error that tells what is waited for."""
    from rich.console import Console  # noqa: PLC0415  (a terminal only)

    line = Line(Console(stderr=True).status(text))
    try:
        yield line
    finally:
        line.stop()
