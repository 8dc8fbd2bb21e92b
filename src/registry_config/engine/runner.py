"""Runs commands in a tool image on a Dagger engine, the config mounted as a secret."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from registry_config.engine.connection import connection
from registry_config.engine.container import ImageWorkplace
from registry_config.engine.errors import reason_of
from registry_config.engine.image import Image, pull
from registry_config.engine.workspace import upload
from registry_config.errors import InputError, SignalError, UnavailableError
from registry_config.results import RunNotes

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping
    from concurrent.futures import Future

    import dagger
    from typing_extensions import Self

    from registry_config.credentials.redaction import Redactor
    from registry_config.plan import ImageSettings, Output, Plan

_T = TypeVar("_T")


class EngineRunner:
    """Implements `plan.Runner` on a Dagger engine.

    The SDK is asynchronous and bound to one loop, so that has a thread of its own; what runs there is waited for here.

    Args:
        settings: which image, and how.
        environ: what Dagger's session inherits; no credential in it.
        redactor: knows what must not be seen.
        engine_log: takes Dagger's log, redacted.

    Attributes:
        interrupted: see `plan.Runner`.
        settings: which image, and how.
        redactor: knows what must not be seen.
    """

    def __init__(
        self,
        settings: ImageSettings,
        environ: Mapping[str, str],
        redactor: Redactor,
        engine_log: Callable[[bytes], None],
    ) -> None:
        self.interrupted = 0
        self.settings = settings
        self.redactor = redactor
        self._environ = environ
        self._engine_log = engine_log
        self._warnings: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._connected: asyncio.Future[None] = self._loop.create_future()
        self._image: asyncio.Future[Image] = self._loop.create_future()
        self._done = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None
        self._running: set[Future[Any]] = set()

    def __enter__(self) -> Self:
        """Begin to connect and to pull the image; a workplace waits for both."""
        self._thread.start()
        self._loop.call_soon_threadsafe(self._begin)
        return self

    def __exit__(self, *exception: object) -> None:
        """End the session; for the image nobody waits any more."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def notes(self) -> RunNotes:
        """See `plan.Runner.notes`."""
        is_there = self._image.done() and not self._image.exception()
        return RunNotes(image=self._image.result().resolved if is_there else "", warnings=tuple(self._warnings))

    @contextmanager
    def workplace(self, plan: Plan, output: Output) -> Iterator[ImageWorkplace]:
        """See `plan.Runner.workplace`."""
        if not os.path.isdir(plan.working_directory):
            raise InputError("working-directory", "is not a folder that exists")
        plan = plan._replace(working_directory=os.path.abspath(plan.working_directory))
        image, source = self.wait_for(self._prepare(plan.working_directory))
        workplace = ImageWorkplace(self, plan, output, image, source)
        yield workplace
        if not self.interrupted:
            workplace.bring_back()

    def interrupt(self, signal_number: int) -> None:
        """End what runs in the engine: cancelling the requests does it."""
        self.interrupted = signal_number
        for running in tuple(self._running):
            running.cancel()

    def warn(self, text: str) -> None:
        """Tell the user something at the end of the run."""
        self._warnings.append(text)

    def wait_for(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine on the connection's loop and wait for it.

        Raises:
            SignalError: a signal ended it.
            UnavailableError: the engine went away, or could not do its part.
        """
        running = asyncio.run_coroutine_threadsafe(self._explained(coroutine), self._loop)
        self._running.add(running)
        try:
            if self.interrupted:  # it came before there was anything to cancel
                running.cancel()
            return running.result()
        except CancelledError:
            raise SignalError(self.interrupted) from None
        finally:
            self._running.discard(running)

    async def _explained(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        await asyncio.shield(self._connected)
        import dagger  # noqa: PLC0415

        try:
            return await coroutine
        except dagger.TransportError:
            problem = "it went away during the run; a push may have happened"
            raise UnavailableError("engine", problem, "look at the registry before you run again") from None
        except dagger.QueryError as error:
            reason = reason_of(error, self.redactor)
            raise UnavailableError("engine", f"it could not do its part ({reason})") from None

    def _begin(self) -> None:
        self._serving = self._loop.create_task(self._serve())

    async def _end(self) -> None:
        """Wait until the session's process is gone: left alone it would try for minutes to reach its engine."""
        self._done.set()
        if self._serving is not None:
            if not self._image.done():
                self._serving.cancel()
            await asyncio.wait([self._serving])

    async def _serve(self) -> None:
        """Keep the connection for as long as the runner is entered; what fails here fails in each plan."""
        try:
            async with connection(self._environ, self.redactor, self._engine_log):
                self._connected.set_result(None)
                try:
                    self._image.set_result(await pull(self.settings, self.redactor))
                except UnavailableError as error:
                    # The connection stays until the end: who waits shall get this error, not that of its loss.
                    _fail_future(self._image, error)
                await self._done.wait()
        except Exception as error:  # noqa: BLE001  (raised again by whoever waits)
            _fail_future(self._connected, error)
            _fail_future(self._image, error)

    async def _prepare(self, folder: str) -> tuple[Image, dagger.Directory]:
        """The image, and the working directory, which is sent while the image is pulled."""
        sending = asyncio.ensure_future(upload(folder, self.settings))
        try:
            image, source = await asyncio.gather(asyncio.shield(self._image), sending)
        finally:
            sending.cancel()
        return image, source


def _fail_future(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        # Or asyncio complains where nobody waits for it any more.
        future.exception()
