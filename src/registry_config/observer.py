"""Who is told how a run is getting on."""

from __future__ import annotations

import threading

from registry_config.light_typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from registry_config.buffered_output import BufferedOutput


class Observer(NamedTuple):
    """Who is told.

    Attributes:
        on_state: takes a target and its new state.
        on_output: takes a target and its whole output when the target is finished.
        on_retry: takes a target and a line about the attempt that failed.
        on_secret: takes user and secret of a credential that a provider gave, before anything else is done with it.
        on_note: takes a line for the log.
        on_warning: takes a warning.
    """

    on_state: Callable[[str, str], None]
    on_output: Callable[[str, BufferedOutput], None]
    on_retry: Callable[[str, str], None]
    on_secret: Callable[[str, str], None] = lambda *_: None
    on_note: Callable[[str], None] = lambda _: None
    on_warning: Callable[[str], None] = lambda _: None


def retries_only(say: Callable[[str], None]) -> Observer:
    """For a run without targets, whose output is passed on as it comes: of its states only a retry is told."""
    return Observer(lambda *_: None, lambda *_: None, on_retry=lambda _, text: say(text))


def lines(say: Callable[[str], None], show: Callable[[str, BufferedOutput], None]) -> Observer:
    """One line for each change of state, and the output of one target after the other."""
    lock = threading.Lock()

    def on_state(target: str, text: str) -> None:
        with lock:
            say(f"{target}: {text}" if target else text)

    def on_output(target: str, output: BufferedOutput) -> None:
        with lock:
            show(target, output)

    return Observer(on_state, on_output, on_retry=on_state)
