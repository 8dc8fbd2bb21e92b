"""What a terminal shows of a run that takes a while: a table of its targets, or what is waited for."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from registry_config.observer import Observer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from registry_config.buffered_output import BufferedOutput


@contextmanager
def table(targets: tuple[str, ...], show: Callable[[str, BufferedOutput], None]) -> Iterator[Observer]:
    """A live table on the terminal; the output of finished targets scrolls by above it."""
    from rich.console import Console  # noqa: PLC0415  (a terminal only)
    from rich.live import Live  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    lock = threading.Lock()
    states = dict.fromkeys(targets, "waiting")

    def draw() -> Table:
        view = Table("target", "state", box=None)
        for target, text in states.items():
            view.add_row(Text(target), Text(text))
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

        yield Observer(on_state, on_output, on_retry=on_state)


@contextmanager
def waiting(text: str) -> Iterator[Callable[[], None]]:
    """A line on standard error that tells what is waited for; gives what takes it away."""
    from rich.console import Console  # noqa: PLC0415  (a terminal only)

    status = Console(stderr=True).status(text)
    status.start()
    try:
        yield status.stop
    finally:
        status.stop()
