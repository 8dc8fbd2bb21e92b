"""Runs commands in a tool image on a Dagger engine, the config mounted as a secret."""

from __future__ import annotations

import asyncio
import os
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TypeVar

from registry_config.audience import called
from registry_config.credentials.reading import NO_AUTHORITIES
from registry_config.engine.certificates import Trust
from registry_config.engine.connection import connection
from registry_config.engine.container import ImageWorkplace, Place
from registry_config.engine.errors import reason_of
from registry_config.engine.image import Image, pull
from registry_config.engine.loop import EngineLoop
from registry_config.engine.workspace import upload
from registry_config.errors import UnavailableError
from registry_config.light_typing import TYPE_CHECKING, Any
from registry_config.plan import check_folder
from registry_config.results import RunNotes

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping

    import dagger
    from typing_extensions import Self

    from registry_config.credentials.redaction import Redactor
    from registry_config.plan import ImageSettings, Output, Plan

_T = TypeVar("_T")


class EngineRunner:
    """Implements `plan.Runner` on a Dagger engine.

    Args:
        settings: which image, and how.
        environ: what Dagger's session inherits; no credential in it.
        redactor: knows what must not be seen.
        engine_log: takes Dagger's log, redacted.
        authorities: the text of each `ca-file`, by its path.

    Raises:
        UnavailableError: the Dagger SDK is not there, as in the one file for other CIs.
    """

    def __init__(
        self,
        settings: ImageSettings,
        environ: Mapping[str, str],
        redactor: Redactor,
        engine_log: Callable[[bytes], None],
        authorities: Mapping[str, str] = NO_AUTHORITIES,
    ) -> None:
        if find_spec("dagger") is None:
            problem = "the Dagger SDK is not part of this installation"
            raise UnavailableError(
                "image", problem, f"install registry-config-action with uv or pip, or leave {called('image')} out"
            )
        self._settings = settings
        self._environ = environ
        self._redactor = redactor
        self._engine_log = engine_log
        self._trust = Trust(authorities, environ)
        self._warnings: list[str] = []
        self._loop = EngineLoop()
        self._connected: asyncio.Future[None] = self._loop.loop.create_future()
        self._image: asyncio.Future[Image] = self._loop.loop.create_future()
        self._done = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        """Begin to connect and to pull the image; a workplace waits for both."""
        self._loop.start()
        self._loop.loop.call_soon_threadsafe(self._begin)
        return self

    def __exit__(self, *exception: object) -> None:
        """End the session; for the image nobody waits any more."""
        self._loop.stop(self._end())

    @property
    def interrupted(self) -> int:
        """See `plan.Runner`."""
        return self._loop.interrupted

    @property
    def notes(self) -> RunNotes:
        """See `plan.Runner.notes`."""
        is_there = self._image.done() and not self._image.exception()
        return RunNotes(image=self._image.result().resolved if is_there else "", warnings=tuple(self._warnings))

    @contextmanager
    def workplace(self, plan: Plan, output: Output) -> Iterator[ImageWorkplace]:
        """See `plan.Runner.workplace`."""
        check_folder(plan)
        plan = plan._replace(working_directory=os.path.abspath(plan.working_directory))
        image, source = self._wait_for(self._prepare(plan.working_directory))
        place = Place(self._settings, self._redactor, self._wait_for, self._warnings.append, self._trust)
        workplace = ImageWorkplace(place, plan, image, source, output)
        yield workplace
        if self.interrupted:
            workplace.stop()
        else:
            workplace.bring_back()

    def interrupt(self, signal_number: int) -> None:
        """End what runs in the engine."""
        self._loop.interrupt(signal_number)

    def _wait_for(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine on the connection and wait for it.

        Raises:
            SignalError: a signal ended it.
            UnavailableError: the engine went away, or could not do its part.
        """
        return self._loop.wait_for(self._explained(coroutine))

    async def _explained(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        await asyncio.shield(self._connected)
        import dagger  # noqa: PLC0415

        try:
            return await coroutine
        except dagger.TransportError:
            problem = "it went away during the run; a push may have happened"
            raise UnavailableError("engine", problem, "look at the registry before you run again") from None
        except dagger.QueryError as error:
            reason = reason_of(error, self._redactor)
            raise UnavailableError(
                "engine", f"it failed ({reason})", "run again; restart it if that happens twice"
            ) from None

    def _begin(self) -> None:
        self._serving = self._loop.loop.create_task(self._serve())

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
            log, is_stopped = self._engine_log, lambda: bool(self.interrupted)
            async with connection(self._environ, self._redactor, log, is_stopped):
                self._connected.set_result(None)
                try:
                    self._image.set_result(await pull(self._settings, self._redactor))
                except UnavailableError as error:
                    # The connection stays until the end: who waits shall get this error, not that of its loss.
                    _fail_future(self._image, error)
                await self._done.wait()
        except Exception as error:  # noqa: BLE001  (raised again by whoever waits)
            _fail_future(self._connected, error)
            _fail_future(self._image, error)

    async def _prepare(self, folder: str) -> tuple[Image, dagger.Directory]:
        """The image, and the working directory, which is sent while the image is pulled."""
        sending = asyncio.ensure_future(upload(folder, self._settings))
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
