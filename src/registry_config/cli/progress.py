"""Tells how the targets of a run are getting on: a line for each change, or a live table on a terminal."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from registry_config.targets import Observer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from registry_config.targets import Kept


def silent() -> Observer:
    """For a run without targets, whose output is passed on as it comes."""
    return Observer(lambda *_: None, lambda *_: None)


def lines(say: Callable[[str], None], show: Callable[[str, Kept], None]) -> Observer:
    """One line for each change of state, and the output of one target after the other."""
    lock = threading.Lock()

    def state(target: str, text: str) -> None:
        with lock:
            say(f"{target}: {text}" if target else text)

    def show_alone(target: str, output: Kept) -> None:
        with lock:
            show(target, output)

    return Observer(state, show_alone)


@contextmanager
def table(targets: tuple[str, ...], show: Callable[[str, Kept], None]) -> Iterator[Observer]:
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

        def state(target: str, text: str) -> None:
            with lock:
                states[target] = text
                live.update(draw(), refresh=True)

        def show_above(target: str, output: Kept) -> None:
            with lock:
                live.stop()
                show(target, output)
                live.start(refresh=True)

        yield Observer(state, show_above)
