"""Work in a thread that may be left behind: a process that ends does not wait for a server."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TypeVar

from registry_config.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_Result = TypeVar("_Result")


def in_background(work: Callable[[], _Result]) -> Future[_Result]:
    """Start something in a daemon thread; its result or its exception comes by the future."""
    future: Future[_Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  (raised again by whoever waits)
            _fail_future(future, error)

    threading.Thread(target=run, daemon=True).start()
    return future


def _fail_future(future: Future[_Result], error: BaseException) -> None:
    future.set_exception(error)
