"""The container in which the commands of one plan run, one after the other."""

from __future__ import annotations

import asyncio
import posixpath
import tempfile

from registry_config.audience import called
from registry_config.credentials.reading import ca_files
from registry_config.engine.certificates import Trust, bundle_for
from registry_config.engine.errors import explain_exit, missing_program, reason_of
from registry_config.engine.image import is_ordinary
from registry_config.engine.mounts import (
    NONCE_VARIABLE,
    OUTPUT_FILE,
    OWNER,
    REMOVED_VARIABLE,
    VARIABLES,
    Mount,
    fresh_name,
    mounts,
    nonce,
)
from registry_config.engine.returned_files import bring_back
from registry_config.engine.workspace import WORKSPACE, as_glob, download, engine_pattern, stub_of_config
from registry_config.errors import EXIT_TIMEOUT, SecretFileError, SignalError, UnavailableError
from registry_config.light_typing import TYPE_CHECKING, Any, Final, NamedTuple
from registry_config.results import CommandResult, Tail
from registry_config.script_outputs import MAX_BYTES, NOTHING, VARIABLE, ScriptOutputs, parse_outputs
from registry_config.tools.digests import digests_in_files

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    import dagger

    from registry_config.credentials.reading import Credential
    from registry_config.credentials.redaction import Redactor
    from registry_config.engine.image import Image
    from registry_config.engine.returned_files import Returned
    from registry_config.plan import ImageSettings, Output, Plan

# GitHub shows ten warnings of a step.
_MAX_NAMED: Final = 8
_LEFT: Final = "the files that it wrote stayed in the image"


class Place(NamedTuple):
    """What the container of a plan shares with those of other plans.

    Attributes:
        settings: how the image is used.
        redactor: knows what must not be seen.
        wait_for: runs a coroutine on the connection and waits for it.
        warn: takes what the user should know at the end of the run.
        trust: certificates for the commands.
    """

    settings: ImageSettings
    redactor: Redactor
    wait_for: Callable[[Coroutine[Any, Any, Any]], Any]
    warn: Callable[[str], None]
    trust: Trust


class ImageWorkplace:
    """Implements `plan.Workplace` in a container of the image.

    Args:
        place: the connection, and how the image is used.
        plan: where, and with which variables.
        image: the tool image.
        source: the working directory, on the engine.
        output: where the tools' output goes.
    """

    def __init__(self, place: Place, plan: Plan, image: Image, source: dagger.Directory, output: Output) -> None:
        self._place = place
        self._redactor = place.redactor
        self._plan = plan
        self._output = output
        self._image = image
        self._container = _prepared(plan, image, source)
        self._before = self._container.directory(WORKSPACE)
        # What the last command left, one that failed included.
        self._latest: dagger.Container | None = None
        self._is_begun = False

    def find(self, pattern: str) -> list[str]:
        """See `plan.Workplace.find`."""
        names = self._place.wait_for(self._container.directory(WORKSPACE).glob(engine_pattern(pattern)))
        return as_glob(pattern, names)

    def run(self, arguments: tuple[str, ...], credentials: tuple[Credential, ...]) -> CommandResult:
        """See `plan.Workplace.run`."""
        self._is_begun = True
        program = (*(self._image.entrypoint if self._place.settings.use_entrypoint else ()), *arguments)
        result = CommandResult(
            arguments=tuple(map(self._redactor.text, program)),
            exit_code=0,
            stdout=Tail(),
            stderr=Tail(),
            credentials=credentials,
        )
        held = mounts((credential.login for credential in credentials), self._image.user.home)
        try:
            execution = self._execute(arguments, held, program[0], credentials)
            code, stdout, stderr, outputs = self._place.wait_for(execution)
        except asyncio.TimeoutError:
            return result._replace(exit_code=EXIT_TIMEOUT, warnings=(f"the time limit ended the command: {_LEFT}",))
        except SignalError as error:
            return result._replace(exit_code=error.exit_code)
        remedy = missing_program(program[0], self._image.entrypoint, is_script=self._plan.is_script)
        code, problem = explain_exit(program, code, stdout, stderr, remedy)
        self._show(stdout, result.stdout, self._output.stdout)
        self._show("" if problem else stderr, result.stderr, self._output.stderr)
        return result._replace(
            exit_code=code,
            problem=self._redactor.text(problem),
            outputs=outputs.values,
            warnings=outputs.warnings,
            file_digests=() if code else digests_in_files(program, self._read),
        )

    def _read(self, path: str, limit: int) -> bytes:
        """A file that the last command left, where it is no larger than the limit.

        Raises:
            FileNotFoundError: it is not there, or too large.
        """
        content: bytes = self._place.wait_for(self._read_file(path, limit))
        return content

    async def _read_file(self, path: str, limit: int) -> bytes:
        import dagger  # noqa: PLC0415

        path = posixpath.join(WORKSPACE, path)
        try:
            file = self._container.file(path)
            if await is_ordinary(self._container, path, follow=True) and await file.size() <= limit:
                return (await file.contents()).encode()
        except dagger.QueryError:
            pass
        raise FileNotFoundError(path)

    def stop(self) -> None:
        """Tell what a signal costs: a command may have written files."""
        if self._is_begun:
            self._warn("the run was stopped: the files that its commands wrote stayed in the image")

    def bring_back(self) -> None:
        """Bring changed and new files into the working directory on this machine.

        Raises:
            SecretFileError: one of them held a secret.
        """
        if self._latest is None:
            return
        changes = self._before.diff(self._latest.directory(WORKSPACE))
        if stub := stub_of_config(self._image.user.home):
            changes = changes.filter(exclude=stub)
        folder = self._plan.working_directory
        with tempfile.TemporaryDirectory(prefix="registry-config-", ignore_cleanup_errors=True) as staging:
            try:
                self._place.wait_for(download(changes, folder, self._place.settings, staging))
            except SignalError:
                self.stop()
                raise
            # In this thread, where no signal ends it: half of the files would be worse than a moment's patience.
            self._tell(bring_back(staging, folder, self._redactor))

    async def _execute(
        self, arguments: tuple[str, ...], held: tuple[Mount, ...], program: str, credentials: tuple[Credential, ...]
    ) -> tuple[int, str, str, ScriptOutputs]:
        """Exit code, streams and outputs of one command, executed once."""
        import dagger  # noqa: PLC0415

        bundle = await bundle_for(self._container, program, ca_files(credentials), self._place.trust)
        container = bundle.given(_with_secrets(self._container, held))
        if self._plan.is_script:
            # A script may run as anybody in its image.
            container = container.with_new_file(OUTPUT_FILE, "", permissions=0o666)
            container = container.with_env_variable(VARIABLE, OUTPUT_FILE)
        container = container.with_env_variable(NONCE_VARIABLE, nonce())
        execution = container.with_exec(
            list(arguments), use_entrypoint=self._place.settings.use_entrypoint, expect=dagger.ReturnType.ANY
        )
        try:
            # Each leaf of an execution that was not synced would execute it anew.
            after = await asyncio.wait_for(execution.sync(), self._plan.timeout)
            code, stdout, stderr = await asyncio.gather(after.exit_code(), after.stdout(), after.stderr())
        except dagger.ExecError as error:
            return self._ended_by_signal(error)
        outputs = await self._read_outputs(after) if self._plan.is_script else NOTHING
        self._latest = bundle.taken_out(_without_secrets(after, held))
        if code == 0:
            self._container = self._latest
        return code, stdout, stderr, outputs

    async def _read_outputs(self, after: dagger.Container) -> ScriptOutputs:
        import dagger  # noqa: PLC0415

        try:
            # The script may have removed it, or put something else in its place.
            if not await is_ordinary(after, OUTPUT_FILE):
                return NOTHING
            file = after.file(OUTPUT_FILE)
            if await file.size() > MAX_BYTES:
                return parse_outputs(bytes(MAX_BYTES + 1), self._redactor)
            return parse_outputs((await file.contents()).encode(), self._redactor)
        except dagger.QueryError:
            return NOTHING

    def _ended_by_signal(self, error: dagger.ExecError) -> tuple[int, str, str, ScriptOutputs]:
        # A signal ended it, or (-1) the container could not be started at all.
        if error.exit_code < 0:
            reason = reason_of(error, self._redactor)
            raise UnavailableError("image", f"its container cannot be started ({reason})", "use another image")
        left = NOTHING._replace(warnings=(f"the command ended as by a signal: {_LEFT}",))
        return error.exit_code, error.stdout, error.stderr, left

    def _warn(self, text: str) -> None:
        self._place.warn(f"{self._plan.name}: {text}" if self._plan.name else text)

    def _show(self, text: str, tail: Tail, write: Callable[[bytes], None]) -> None:
        data = self._redactor.data(text.encode(), cut=True)
        tail.write(data)
        if data:
            write(data)

    def _tell(self, returned: Returned) -> None:
        named = returned.left_behind[:_MAX_NAMED]
        for name in named:
            self._warn(f"left in the image: {self._redactor.text(name)}")
        if unnamed := len(returned.left_behind) - len(named):
            self._warn(f"left in the image: {unnamed} more")
        if returned.with_secret:
            names = ", ".join(returned.with_secret)
            problem = f"a file that came back held a secret and was deleted: {names}"
            raise SecretFileError(
                called("working-directory"), problem, "write no credential into the working directory"
            )


def _prepared(plan: Plan, image: Image, source: dagger.Directory) -> dagger.Container:
    """The image with the variables and the working directory."""
    from dagger import dag  # noqa: PLC0415

    owner = f"{image.user.uid}:{image.user.gid}"
    container = (
        image.container.with_mounted_directory(WORKSPACE, source, owner="" if owner == OWNER else owner)
        .with_workdir(WORKSPACE)
        .without_env_variable(REMOVED_VARIABLE)
    )
    for name, value in {**plan.variables, **VARIABLES}.items():
        container = container.with_env_variable(name, value)
    for name, value in plan.secret_variables.items():
        container = container.with_secret_variable(name, dag.set_secret(fresh_name(), value))
    return container


def _with_secrets(container: dagger.Container, held: tuple[Mount, ...]) -> dagger.Container:
    from dagger import dag  # noqa: PLC0415

    secrets = {text: dag.set_secret(fresh_name(), text) for _, text, _ in held}
    for path, text, mode in held:
        container = container.with_mounted_secret(path, secrets[text], owner=OWNER, mode=mode)
    return container


def _without_secrets(container: dagger.Container, held: tuple[Mount, ...]) -> dagger.Container:
    for path, _, _ in held:
        container = container.without_mount(path)
    return container
