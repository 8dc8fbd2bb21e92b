"""A connection of Dagger's SDK to an engine, over a session that we start, or one that is already there."""

from __future__ import annotations

import asyncio
import gc
import os
from contextlib import asynccontextmanager, contextmanager

from registry_config.engine.session import DaggerSession
from registry_config.errors import UnavailableError
from registry_config.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from registry_config.credentials.redaction import Redactor


@asynccontextmanager
async def connection(
    environ: Mapping[str, str],
    redactor: Redactor,
    engine_log: Callable[[bytes], None],
    is_stopped: Callable[[], bool],
) -> AsyncIterator[None]:
    """Connect for as long as the context lasts.

    Args:
        environ: what Dagger's session inherits; no credential in it.
        redactor: knows what must not be seen.
        engine_log: takes Dagger's log, redacted.
        is_stopped: tells at the end whether a signal leaves little time.

    Raises:
        UnavailableError: there is no engine, or its session refuses the connection.
    """
    joined = "DAGGER_SESSION_PORT" in environ
    stream = redactor.stream()
    session = DaggerSession(environ, lambda data: engine_log(stream.feed(data)))
    starting: asyncio.Future[None] | None = None
    try:
        if not joined:
            session.check()
            starting = asyncio.get_running_loop().run_in_executor(None, session.start)
        with _quick_import():
            import dagger  # noqa: PLC0415  (half a second; the session starts meanwhile)

        if starting:
            await starting
            port, token = await asyncio.to_thread(session.connect)
            # The SDK takes them from nowhere else.
            os.environ |= {"DAGGER_SESSION_PORT": str(port), "DAGGER_SESSION_TOKEN": token}
        try:
            # An execution is never sent twice: a push would happen twice.
            retry = dagger.Retry(connect=True, execute=False)
            async with dagger.connection(dagger.Config(retry=retry)):
                yield
        except dagger.ClientConnectionError:
            raise UnavailableError(
                "engine", "its session refused the connection", "run again; restart the engine if that happens twice"
            ) from None
    finally:
        if starting:
            await asyncio.wait([starting])
            await asyncio.to_thread(session.close, soon=is_stopped())
        engine_log(stream.finish())


@contextmanager
def _quick_import() -> Iterator[None]:
    """Halve the time of the SDK's import.

    The SDK is decorated with beartype, which looks at PYTHONOPTIMIZE whenever it decorates, and then checks no types;
    what is called from here mypy has checked. Of what is imported nothing becomes garbage.
    """
    before = os.environ.get("PYTHONOPTIMIZE")
    os.environ["PYTHONOPTIMIZE"] = "1"
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        if before is None:
            del os.environ["PYTHONOPTIMIZE"]
        else:
            os.environ["PYTHONOPTIMIZE"] = before
