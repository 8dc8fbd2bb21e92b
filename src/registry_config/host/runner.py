"""Runs commands with the tools of this machine, the config living in memory only."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack, contextmanager
from functools import partial

from registry_config.credentials.kept_logins import NO_USER_CONFIG, docker_folder
from registry_config.credentials.reading import NO_AUTHORITIES, ca_files
from registry_config.docker_config import CONFIG_VARIABLES
from registry_config.host.files import find_files, read_beginning
from registry_config.host.memory_config import MemoryConfig, memory_config
from registry_config.host.tool_process import Flow, Start, ToolProcess, explain_start
from registry_config.light_typing import TYPE_CHECKING
from registry_config.plan import check_folder
from registry_config.results import CommandResult, RunNotes, Tail
from registry_config.tools.digests import digests_in_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from typing_extensions import Self

    from registry_config.credentials.kept_logins import UserConfig
    from registry_config.credentials.reading import Credential
    from registry_config.credentials.redaction import Redactor
    from registry_config.plan import Output, Plan


class HostRunner:
    """Implements `plan.Runner` on this machine.

    Args:
        environ: what the tool inherits; none of our own inputs in it.
        redactor: knows what must not be seen.
        user: the user's own config; its settings are shown beside ours, its logins where they are kept.
        stdin_is_ours: the tool gets an empty standard input, as we have read it.
        authorities: the text of each `ca-file`, by its path.

    Attributes:
        interrupted: see `plan.Runner`.
        environ: what the tool inherits.
        redactor: knows what must not be seen.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        redactor: Redactor,
        *,
        user: UserConfig = NO_USER_CONFIG,
        stdin_is_ours: bool = False,
        authorities: Mapping[str, str] = NO_AUTHORITIES,
    ) -> None:
        self.interrupted = 0
        self.environ = environ
        self.redactor = redactor
        self._user = user
        self._has_stdin = not stdin_is_ours
        self._authorities = authorities
        # Targets run in threads of their own.
        self._lock = threading.Lock()
        self._running: set[ToolProcess] = set()
        self._hidden_hosts: frozenset[str] = frozenset()
        self._warnings: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    @property
    def notes(self) -> RunNotes:
        """See `plan.Runner.notes`."""
        return RunNotes(hidden_hosts=self._hidden_hosts, warnings=tuple(self._warnings))

    @contextmanager
    def workplace(self, plan: Plan, output: Output) -> Iterator[HostWorkplace]:
        """See `plan.Runner.workplace`."""
        check_folder(plan)
        with ExitStack() as stack:
            yield HostWorkplace(self, plan, output, stack)

    def interrupt(self, signal_number: int) -> None:
        """Hand a signal to each tool once, as `ToolProcess.signal` does."""
        self.interrupted = signal_number
        # Without the lock: the thread that a signal interrupts may hold it.
        for process in tuple(self._running):
            process.signal(signal_number)

    def config(self, credentials: tuple[Credential, ...], plan: Plan, stack: ExitStack) -> MemoryConfig:
        """A config with these credentials, there until the stack is closed."""
        declared = {credential.host for credential in plan.credentials}
        config = stack.enter_context(memory_config(credentials, declared, self._user, self.environ))
        if files := ca_files(credentials):
            from registry_config.host.ca_bundle import write_bundle  # noqa: PLC0415  (few entries have one)

            texts = (self._authorities[file] for file in files)
            write_bundle(config.folder.path, texts, {**self.environ, **plan.variables})
        stack.callback(self._bring_back, config)
        with self._lock:
            self._hidden_hosts |= config.hidden_hosts
        return config

    def _bring_back(self, config: MemoryConfig) -> None:
        try:
            if set(os.listdir(config.folder.path)) <= config.folder.links:
                return
            from registry_config.host.stored_files import bring_back  # noqa: PLC0415  (few tools store anything)

            shown = docker_folder(self.environ)
            bring_back(config.folder.path, config.folder.links, config.own, self.redactor.holds, shown)
        except OSError as error:
            reason = (error.strerror or "unknown").lower()
            with self._lock:
                self._warnings.append(f"what the command stored beside its config cannot be kept ({reason})")

    def start(
        self, arguments: tuple[str, ...], plan: Plan, config: MemoryConfig, variables: Mapping[str, str]
    ) -> ToolProcess:
        """Start a tool that a signal reaches from now on.

        Raises:
            OSError: it cannot be started.
        """
        environ = {name: value for name, value in self.environ.items() if name not in CONFIG_VARIABLES}
        environ |= plan.variables
        environ |= plan.secret_variables
        environ |= config.variables
        environ |= variables
        process = ToolProcess(
            Start(arguments, plan.working_directory, environ, (config.descriptor,), has_stdin=self._has_stdin)
        )
        self._running.add(process)
        if self.interrupted:  # it came while the tool was being started
            process.signal(self.interrupted)
        return process

    def ended(self, process: ToolProcess) -> None:
        """Forget a tool that has ended."""
        self._running.discard(process)


class HostWorkplace:
    """Implements `plan.Workplace` on this machine.

    Args:
        runner: starts the tools.
        plan: where, and with which variables.
        output: where the tools' output goes.
        stack: holds the configs until the end of the plan.
    """

    def __init__(self, runner: HostRunner, plan: Plan, output: Output, stack: ExitStack) -> None:
        self._runner = runner
        self._plan = plan
        self._output = output
        self._stack = stack
        # One config for all commands, but where a registry has several credentials.
        self._configs: dict[tuple[Credential, ...], MemoryConfig] = {}

    def find(self, pattern: str) -> list[str]:
        """See `plan.Workplace.find`."""
        return find_files(pattern, self._plan.working_directory)

    def run(self, arguments: tuple[str, ...], credentials: tuple[Credential, ...]) -> CommandResult:
        """See `plan.Workplace.run`."""
        if credentials not in self._configs:
            self._configs[credentials] = self._runner.config(credentials, self._plan, self._stack)
        redactor = self._runner.redactor
        result = CommandResult(
            arguments=tuple(map(redactor.text, arguments)),
            exit_code=0,
            stdout=Tail(),
            stderr=Tail(),
            credentials=credentials,
        )
        config = self._configs[credentials]
        folder = config.folder.path
        variables: Mapping[str, str] = {}
        if ca_files(credentials):
            from registry_config.host.ca_bundle import bundle_variables  # noqa: PLC0415  (few entries have one)

            variables = bundle_variables(arguments[0], folder)
        if not self._plan.is_script:
            return self._run(arguments, config, result, variables)
        from registry_config.host.output_file import output_file, read_output  # noqa: PLC0415  (for scripts)
        from registry_config.script_outputs import VARIABLE, parse_outputs  # noqa: PLC0415

        with output_file(folder) as path:
            result = self._run(arguments, config, result, {**variables, VARIABLE: path})
            outputs = parse_outputs(read_output(path), redactor)
        return result._replace(outputs=outputs.values, warnings=outputs.warnings)

    def _run(
        self, arguments: tuple[str, ...], config: MemoryConfig, result: CommandResult, variables: Mapping[str, str]
    ) -> CommandResult:
        try:
            process = self._runner.start(arguments, self._plan, config, variables)
        except OSError as error:
            code, problem = explain_start(result.arguments[0], error)
            return result._replace(exit_code=code, problem=problem)
        redactor = self._runner.redactor
        try:
            flows = (
                Flow(process.stdout, redactor, result.stdout, self._output.stdout),
                Flow(process.stderr, redactor, result.stderr, self._output.stderr),
            )
            code = process.wait(flows, self._plan.timeout)
        finally:
            self._runner.ended(process)
        digests = (
            () if code else digests_in_files(result.arguments, partial(read_beginning, self._plan.working_directory))
        )
        return result._replace(exit_code=code, file_digests=digests)
