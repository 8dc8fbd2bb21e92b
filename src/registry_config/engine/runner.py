"""Runs commands in a tool image on a Dagger engine, the config mounted as a secret."""

from __future__ import annotations

import asyncio
import os
import posixpath
import re
import shutil
import tempfile
import threading
import time
import uuid
from concurrent.futures import CancelledError
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from registry_config.credentials.encodings import is_short
from registry_config.credentials.selection import fitting_credential, select
from registry_config.declaration.command import expand
from registry_config.docker_config import CONFIG_NAME, auth_value, environment, render
from registry_config.engine.errors import explain_exit, explain_pull
from registry_config.engine.image_user import ImageUser, image_user
from registry_config.engine.returned_files import bring_back
from registry_config.engine.session import DaggerSession
from registry_config.engine.workspace_patterns import (
    ALWAYS_EXCLUDED,
    GIT,
    WORKSPACE,
    as_glob,
    below,
    engine_pattern,
    ignored,
)
from registry_config.errors import InputError, SecretFileError, UnavailableError
from registry_config.plan import Finished, ImageSettings, Output, Plan, Result, RunNotes, Tail, refused
from registry_config.reference import image_host, image_repository

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from concurrent.futures import Future

    import dagger
    from typing_extensions import Self

    from registry_config.credentials.reading import Credential
    from registry_config.credentials.redaction import Redactor
    from registry_config.declaration.command import Command

_CONFIG_FOLDER: Final = "/run/oci-auth"
_BUILDX_FOLDER: Final = "/tmp/.buildx"  # noqa: S108  (in the container; buildx needs one that it can write to)
# GitHub shows ten warnings of a step.
_MAX_NAMED: Final = 8
_PLACE: Final = "image"


class _Image(NamedTuple):
    """The image as pulled, and what its configuration says."""

    container: dagger.Container
    user: ImageUser
    entrypoint: tuple[str, ...]


class _Mount(NamedTuple):
    """A secret file in the container."""

    path: str
    text: str
    mode: int

    def __repr__(self) -> str:
        return f"_Mount({self.path!r}, ***)"


class EngineRunner:
    """Implements `plan.Runner` on a Dagger engine.

    Args:
        settings: which image, and how.
        environ: what Dagger's session inherits; no credential in it.
        redactor: knows what must not be seen.
        progress: takes Dagger's log, redacted.

    Attributes:
        notes: after a run, what it has to tell besides its result.
    """

    def __init__(
        self,
        settings: ImageSettings,
        environ: Mapping[str, str],
        redactor: Redactor,
        progress: Callable[[bytes], None],
    ) -> None:
        self.notes = RunNotes()
        self._settings = settings
        self._environ = environ
        self._redactor = redactor
        self._progress = progress
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._connected: asyncio.Future[None] = self._loop.create_future()
        self._image: asyncio.Future[_Image] = self._loop.create_future()
        self._done = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None
        self._running: set[Future[tuple[Finished, ...]]] = set()
        self._interrupted = 0

    def __enter__(self) -> Self:
        """Begin to connect and to pull the image; `run` waits for both."""
        self._thread.start()
        self._loop.call_soon_threadsafe(self._begin)
        return self

    def __exit__(self, *exception: object) -> None:
        """End the session; for the image nobody waits any more."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _begin(self) -> None:
        self._serving = self._loop.create_task(self._serve())

    async def _end(self) -> None:
        """Wait until the session's process is gone: left alone it would try for minutes to reach its engine."""
        self._done.set()
        if self._serving is not None:
            if not self._image.done():
                self._serving.cancel()
            await asyncio.wait([self._serving])

    def run(self, plan: Plan, output: Output) -> Result:
        """See `plan.Runner.run`.

        Raises:
            SecretFileError: a file that came back held a secret; it was deleted.
        """
        started = time.monotonic()
        if not os.path.isdir(plan.working_directory):
            raise InputError("working-directory", "is not a folder that exists")
        plan = plan._replace(working_directory=os.path.abspath(plan.working_directory))
        running = asyncio.run_coroutine_threadsafe(self._run(plan, output), self._loop)
        self._running.add(running)
        finished: tuple[Finished, ...] = ()
        try:
            if self._interrupted:  # it came before there was anything to cancel
                running.cancel()
            finished = running.result()
        except CancelledError:
            pass
        finally:
            self._running.discard(running)
        return Result(finished=finished, seconds=time.monotonic() - started, signal_number=self._interrupted)

    def interrupt(self, signal_number: int) -> None:
        """End what runs in the engine: cancelling the requests does it."""
        self._interrupted = signal_number
        for running in list(self._running):
            running.cancel()

    async def _serve(self) -> None:
        """Keep the connection for as long as the runner is entered; what fails here fails in each `run`."""
        try:
            async with self._connection():
                self._connected.set_result(None)
                try:
                    self._image.set_result(await self._pull())
                except UnavailableError as error:
                    # The connection stays until the end: who waits shall get this error, not that of its loss.
                    _fail_future(self._image, error)
                await self._done.wait()
        except Exception as error:  # noqa: BLE001  (raised again by whoever waits)
            _fail_future(self._connected, error)
            _fail_future(self._image, error)

    async def _run(self, plan: Plan, output: Output) -> tuple[Finished, ...]:
        import dagger  # noqa: PLC0415

        upload = asyncio.ensure_future(self._upload(plan.working_directory))
        try:
            image, source = await asyncio.gather(asyncio.shield(self._image), upload)
            return await self._run_commands(plan, image, source, output)
        except dagger.TransportError:
            raise UnavailableError("engine", "it went away during the run; a push may have happened") from None
        except dagger.QueryError as error:
            raise UnavailableError("engine", f"it could not do its part ({self._reason(error)})") from None
        finally:
            upload.cancel()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[None]:
        """A connection of the SDK, over a session of ours or one that is already there."""
        joined = "DAGGER_SESSION_PORT" in self._environ
        stream = self._redactor.stream()
        session = DaggerSession(self._environ, lambda data: self._progress(stream.feed(data)))
        try:
            if not joined:
                session.start()
            import dagger  # noqa: PLC0415  (a second and more; the session starts meanwhile)

            if not joined:
                port, token = await asyncio.to_thread(session.connect)
                os.environ |= {"DAGGER_SESSION_PORT": str(port), "DAGGER_SESSION_TOKEN": token}
            try:
                # An execution is never sent twice: a push would happen twice.
                retry = dagger.Retry(connect=True, execute=False)
                async with dagger.connection(dagger.Config(retry=retry)):
                    yield
            except dagger.ClientConnectionError:
                raise UnavailableError("engine", "its session refused the connection") from None
        finally:
            if not joined:
                await asyncio.to_thread(session.close)
            self._progress(stream.finish())

    async def _pull(self) -> _Image:
        import dagger  # noqa: PLC0415
        from dagger import dag  # noqa: PLC0415

        reference = self._settings.reference
        base = dag.container()
        host = image_host(reference)
        candidates = [credential for credential in self._settings.credentials if credential.host == host]
        if credential := fitting_credential(candidates, image_repository(reference)):
            secret = dag.set_secret(_fresh_name(), credential.secret)
            base = base.with_registry_auth(host, credential.username, secret)
        container = base.from_(reference)
        try:
            user, home, entrypoint, resolved, passwd, group = await asyncio.gather(
                container.user(),
                container.env_variable("HOME"),
                container.entrypoint(),
                container.image_ref(),
                _contents(container, "/etc/passwd"),
                _contents(container, "/etc/group"),
            )
            resolved_user = image_user(user, self._settings.home or home or "", passwd, group)
        except dagger.QueryError as error:
            raise explain_pull(self._reason(error), reference) from None
        except ValueError as error:
            raise UnavailableError(_PLACE, f"its user {error}") from None
        if user and not (passwd and group):
            # The engine looks users and groups up in files that are not there.
            container = container.with_user(f"{resolved_user.uid}:{resolved_user.gid}")
        self.notes = self.notes._replace(image=resolved)
        return _Image(container, resolved_user, tuple(entrypoint or ()))

    async def _upload(self, folder: str) -> dagger.Directory:
        """The working directory, sent while the image is pulled."""
        from dagger import dag  # noqa: PLC0415

        await asyncio.shield(self._connected)
        return await dag.host().directory(folder, exclude=self._exclude(folder)).sync()

    async def _run_commands(
        self, plan: Plan, image: _Image, source: dagger.Directory, output: Output
    ) -> tuple[Finished, ...]:
        container = self._prepared(plan, image, source)
        before = container.directory(WORKSPACE)
        finished: list[Finished] = []
        mounted: tuple[_Mount, ...] = ()
        for command in plan.commands:
            try:
                argv = await _argv(command, container)
                mounts = _mounts(select(plan.credentials, argv), image.user)
            except InputError as error:
                if not finished:
                    raise
                finished.append(refused(command, error, self._redactor))
                break
            if mounts != mounted:
                for path, _, _ in mounted:
                    container = container.without_mount(path)
                container, mounted = self._with_config(container, mounts), mounts
            done, after = await self._run_command(argv, container, image, output)
            finished.append(done)
            container = after or container
            if done.exit_code:
                break
        if finished:
            changes = before.diff(container.directory(WORKSPACE))
            stub = _home_config(image.user)
            if stub.startswith(f"{WORKSPACE}/"):
                # The home folder is the working directory: what the config was mounted on stays, an empty file.
                changes = changes.filter(exclude=[stub.removeprefix(f"{WORKSPACE}/")])
            await self._bring_back(changes, plan.working_directory)
        return tuple(finished)

    @staticmethod
    def _prepared(plan: Plan, image: _Image, source: dagger.Directory) -> dagger.Container:
        """The image with the variables and the working directory."""
        from dagger import dag  # noqa: PLC0415

        owner = f"{image.user.uid}:{image.user.gid}"
        container = (
            image.container.with_mounted_directory(WORKSPACE, source, owner="" if owner == "0:0" else owner)
            .with_workdir(WORKSPACE)
            .without_env_variable("DOCKER_AUTH_CONFIG")
        )
        variables = {**plan.variables, **environment(_CONFIG_FOLDER), "BUILDX_CONFIG": _BUILDX_FOLDER}
        for name, value in variables.items():
            container = container.with_env_variable(name, value)
        for name, value in plan.secret_variables.items():
            container = container.with_secret_variable(name, dag.set_secret(_fresh_name(), value))
        return container

    @staticmethod
    def _with_config(container: dagger.Container, mounts: tuple[_Mount, ...]) -> dagger.Container:
        from dagger import dag  # noqa: PLC0415

        secrets = {text: dag.set_secret(_fresh_name(), text) for _, text, _ in mounts}
        for path, text, mode in mounts:
            container = container.with_mounted_secret(path, secrets[text], owner="0:0", mode=mode)
        return container

    async def _run_command(
        self, argv: tuple[str, ...], container: dagger.Container, image: _Image, output: Output
    ) -> tuple[Finished, dagger.Container | None]:
        """Execute one command, once; the container after it is None where a signal ended it."""
        import dagger  # noqa: PLC0415

        # The engine would answer a second equal push from its cache. The value must be new, and come last.
        execution = container.with_env_variable("REGISTRY_CONFIG_RUN", uuid.uuid4().hex).with_exec(
            list(argv), use_entrypoint=self._settings.use_entrypoint, expect=dagger.ReturnType.ANY
        )
        program = (*(image.entrypoint if self._settings.use_entrypoint else ()), *argv)
        after = None
        try:
            # Each leaf of an execution that was not synced would execute it anew.
            after = await execution.sync()
            code, stdout, stderr = await asyncio.gather(after.exit_code(), after.stdout(), after.stderr())
        except dagger.ExecError as error:
            # A signal ended it, or (-1) the container could not be started at all.
            if error.exit_code < 0:
                raise UnavailableError(_PLACE, f"its container cannot be started ({self._reason(error)})") from None
            code, stdout, stderr = error.exit_code, error.stdout, error.stderr
            self._warn("the command ended as by a signal: the files that it wrote stayed in the image")
        except dagger.QueryError as error:
            raise UnavailableError("engine", f"it could not run the command ({self._reason(error)})") from None
        code, problem = explain_exit(program, code, stdout, stderr, image.entrypoint)
        finished = Finished(
            arguments=tuple(map(self._redactor.text, program)),
            exit_code=code,
            stdout=Tail(),
            stderr=Tail(),
            problem=self._redactor.text(problem),
        )
        self._show(stdout, finished.stdout, output.stdout)
        self._show("" if problem else stderr, finished.stderr, output.stderr)
        return finished, after

    def _show(self, text: str, tail: Tail, write: Callable[[bytes], None]) -> None:
        data = self._redactor.data(text.encode())
        tail.write(data)
        if data:
            write(data)

    async def _bring_back(self, changes: dagger.Directory, folder: str) -> None:
        """Bring changed and new files into the working directory.

        Raises:
            SecretFileError: one of them held a secret.
        """
        staging = tempfile.mkdtemp(prefix="registry-config-")
        try:
            # What lies under .git comes along, so that it can be named and refused.
            exclude = [pattern for pattern in self._exclude(folder) if pattern != GIT]
            await changes.filter(exclude=exclude).export(staging)
            returned = await asyncio.to_thread(bring_back, staging, folder, self._redactor)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        named = returned.left_behind[:_MAX_NAMED]
        for name in named:
            self._warn(f"left in the image: {self._redactor.text(name)}")
        if unnamed := len(returned.left_behind) - len(named):
            self._warn(f"left in the image: {unnamed} more")
        if returned.with_secret:
            names = ", ".join(returned.with_secret)
            raise SecretFileError("working-directory", f"held a secret when it came back and was deleted: {names}")

    def _exclude(self, folder: str) -> list[str]:
        # Ours come last: no `!pattern` of the user brings back what they take out.
        return [*ignored(self._settings.exclude), *ALWAYS_EXCLUDED, *below(self._settings.withheld, folder)]

    def _warn(self, text: str) -> None:
        self.notes = self.notes._replace(warnings=(*self.notes.warnings, text))

    def _reason(self, error: Exception) -> str:
        """The engine's own words, without the trace's number."""
        return self._redactor.text(re.sub(r"\s*\[traceparent:[^]]*\]", "", str(error)).strip())


def _fail_future(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        # Or asyncio complains where nobody waits for it any more.
        future.exception()


def _fresh_name() -> str:
    """A name for a secret: Dagger takes two secrets of one name for the same, whatever they hold."""
    return f"registry-config-{uuid.uuid4().hex}"


def _mounts(credentials: tuple[Credential, ...], user: ImageUser) -> tuple[_Mount, ...]:
    """What a command with these credentials finds in its image."""
    config = render((c.host, c.username, c.secret) for c in credentials)
    # A tool may run as anybody in its image, so anybody there may read it.
    paths = filter(None, (f"{_CONFIG_FOLDER}/{CONFIG_NAME}", _home_config(user)))
    # The engine's scrubber hides whole secrets only, of those that the exec has: so it gets the parts as well.
    parts = {p for c in credentials for p in (c.secret, auth_value(c.username, c.secret)) if not is_short(p)}
    return (
        *(_Mount(path, config, 0o444) for path in paths),
        *(_Mount(f"{_CONFIG_FOLDER}/parts/{n}", part, 0o400) for n, part in enumerate(sorted(parts))),
    )


def _home_config(user: ImageUser) -> str:
    """Where tools that know only the home folder look; empty where it has no place."""
    return posixpath.normpath(f"{user.home}/.docker/{CONFIG_NAME}") if user.home else ""


async def _contents(container: dagger.Container, path: str) -> str:
    """A file of the image, empty where it has none."""
    import dagger  # noqa: PLC0415

    try:
        return await container.file(path).contents()
    except dagger.QueryError:
        return ""


async def _argv(command: Command, container: dagger.Container) -> tuple[str, ...]:
    """The words of a command, its patterns replaced by names of the container's working directory."""
    patterns = {word.pattern for word in command if word.pattern is not None}
    folder = container.directory(WORKSPACE)
    names = {pattern: as_glob(pattern, await folder.glob(engine_pattern(pattern))) for pattern in patterns}
    return expand(command, names.__getitem__)
