"""The loop of events that the SDK's connection is bound to, in a thread of its own, so that threads can wait for it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import CancelledError
from typing import TypeVar

from registry_config.errors import SignalError
from registry_config.light_typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from concurrent.futures import Future

_T = TypeVar("_T")


class EngineLoop:
    """Runs coroutines and waits for them, from any thread.

    Attributes:
        interrupted: the last signal that ended what was running; 0 for none.
        loop: for futures and tasks that live as long as the connection.
    """

    def __init__(self) -> None:
        self.interrupted = 0
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._running: set[Future[Any]] = set()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, last: Coroutine[Any, Any, None]) -> None:
        """Run a last coroutine, signals or not, and end the thread."""
        asyncio.run_coroutine_threadsafe(last, self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def interrupt(self, signal_number: int) -> None:
        """End what runs: cancelling a request ends its exec in the engine."""
        self.interrupted = signal_number
        for running in tuple(self._running):
            running.cancel()

    def wait_for(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine and give its result.

        Raises:
            SignalError: a signal ended it.
        """
        running = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        self._running.add(running)
        try:
            if self.interrupted:  # it came before there was anything to cancel
                running.cancel()
            return running.result()
        except CancelledError:
            raise SignalError(self.interrupted) from None
        finally:
            self._running.discard(running)
