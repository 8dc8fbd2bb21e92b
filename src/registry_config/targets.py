"""Runs a plan once for each target and file: several in parallel, their output kept apart."""

from __future__ import annotations

import glob
import re
import threading
import time
from functools import partial

from registry_config.buffered_output import BufferedOutput
from registry_config.commands import FreshCredentials, run_commands, title
from registry_config.declaration.inputs import FILE_PLACEHOLDER, TARGET_PLACEHOLDER
from registry_config.docker_config import config_keys, environment
from registry_config.errors import RegistryConfigError
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple
from registry_config.results import CommandResult, PlanResult, Tail, TargetResult
from registry_config.tools.digests import reported_digests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from registry_config.commands import ResolvedCommand
    from registry_config.credentials.reading import Credential
    from registry_config.credentials.redaction import Redactor
    from registry_config.declaration.command import Command
    from registry_config.observer import Observer
    from registry_config.plan import Output, Plan, Runner, Workplace
    from registry_config.preflight import Registries

_SIGTERM: Final = 15


class Policy(NamedTuple):
    """How targets are run.

    Attributes:
        max_parallel: how many run in parallel.
        fail_fast: stop the others at the first failure.
        retries: further attempts of a command after a transient failure.
        skip_existing: run no command that writes what is there already.
        prove: take the digests of what was pushed from the registries.
        retries_any: after any failure that another attempt may cure, not a transient one alone.
    """

    max_parallel: int = 4
    fail_fast: bool = False
    retries: int = 0
    retries_any: bool = False
    skip_existing: bool = False
    prove: bool = False


class Services(NamedTuple):
    """What a run may need besides its runner.

    Attributes:
        current: what stands for declared credentials at the moment; None where these are all that there is.
        registries: asks them, where the policy wants that; None where it does not.
    """

    current: Callable[[Iterable[Credential]], tuple[Credential, ...]] | None = None
    registries: Registries | None = None


NO_SERVICES: Final = Services()


def for_pair(plan: Plan, target: str, file: str) -> Plan:
    """The plan with `{target}` and `{file}` replaced in each word, in one pass: neither is looked for in the other."""
    values = {TARGET_PLACEHOLDER: target, FILE_PLACEHOLDER: file}
    present = "|".join(re.escape(name) for name, value in values.items() if value)

    def replaced(command: Command) -> Command:
        return tuple(
            word._replace(
                text=re.sub(present, lambda match: values[match[0]], word.text),
                pattern=word.pattern and re.sub(present, lambda match: glob.escape(values[match[0]]), word.pattern),
            )
            for word in command
        )

    if not present:
        return plan
    return plan._replace(commands=tuple(map(replaced, plan.commands)), target=target, file=file)


class TargetRunner:
    """Runs plans, each of one target.

    Args:
        runner: gives plans a place; safe to be called by several threads.
        policy: how often, and how many at a time.
        observer: who is told of states and output.
        redactor: hides secrets in what is told.
        services: what a run may need besides.
    """

    def __init__(
        self,
        runner: Runner,
        policy: Policy,
        observer: Observer,
        redactor: Redactor,
        services: Services = NO_SERVICES,
    ) -> None:
        self._current = services.current
        self._registries = services.registries
        self._runner = runner
        self._policy = policy
        self._observer = observer
        self._redactor = redactor
        self._stopped = threading.Event()

    def run_one(self, plan: Plan, output: Output) -> TargetResult:
        """Run a plan, its output passed on as it comes."""
        if self._stopped.is_set():
            self._observer.on_state(plan.name, "not started")
            return TargetResult(plan.target, None, 0, 0.0, file=plan.file)
        started = time.monotonic()
        self._observer.on_state(plan.name, "started")
        commands: list[CommandResult] = []
        error: RegistryConfigError | None = None
        proven = None
        signal_number = 0
        try:
            with self._runner.workplace(plan, output) as place:
                workplace = FreshCredentials(place, self._current) if self._current else place
                run = partial(self._run_command, plan, output, workplace)
                commands.extend(run_commands(plan, self._runner, workplace.find, self._redactor, run))
            # A signal that comes later finds nothing of it that could be stopped.
            signal_number = self._runner.interrupted
            if self._registries and self._policy.prove and not any(command.exit_code for command in commands):
                proven = self._registries.prove(plan, commands, reported_digests)
                error = proven.error
        except RegistryConfigError as refusal:
            error = refusal
        result = TargetResult(
            target=plan.target,
            result=PlanResult(tuple(commands), signal_number, len(plan.commands)),
            attempts=1 + sum(command.attempts - 1 for command in commands),
            seconds=time.monotonic() - started,
            error=error,
            file=plan.file,
            digests=proven.digests if proven else None,
            warnings=proven.warnings if proven else (),
        )
        self._observer.on_state(plan.name, _state(result))
        return result

    def run_all(self, plans: tuple[Plan, ...], engine_log: Callable[[bytes], None]) -> tuple[TargetResult, ...]:
        """Run a plan for each target; the results are in the order of the plans."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  (a run without targets has no threads)

        from registry_config.turns import Turns  # noqa: PLC0415  (likewise)

        turns = Turns(plans)
        results: dict[int, TargetResult] = {}

        def run(position: int, plan: Plan) -> None:
            output = BufferedOutput(engine_log)
            results[position] = self.run_one(plan, output)
            if not output.is_empty:
                self._observer.on_output(plan.name, output)
            if results[position].exit_code and self._policy.fail_fast:
                self._stop_others()

        with ThreadPoolExecutor(self._policy.max_parallel) as pool:
            for worker in [pool.submit(turns.work, run) for _ in range(min(self._policy.max_parallel, len(plans)))]:
                worker.result()
        return tuple(results[position] for position in range(len(plans)))

    def interrupt(self, signal_number: int) -> None:
        """Hand a signal to every tool that runs, and begin nothing more."""
        self._stopped.set()
        self._runner.interrupt(signal_number)

    def _stop_others(self) -> None:
        if not self._stopped.is_set():
            self.interrupt(_SIGTERM)

    def _run_command(self, plan: Plan, output: Output, place: Workplace, command: ResolvedCommand) -> CommandResult:
        output.title(title(command, self._redactor))
        if self._registries and self._policy.skip_existing:
            existing = self._registries.existing(plan, command)
            if existing:
                output.title(f"skipped, as it is there already: {', '.join(existing)}")
                words = tuple(map(self._redactor.text, command.arguments))
                return CommandResult(words, 0, Tail(), Tail(), exists=True, file_digests=existing)
        logins = [credential.login for credential in command.credentials]
        keys = [key for login in logins for key in config_keys(login.host, login.path)]
        output.detail(f"its config has {', '.join(keys) or 'no login'}")
        output.detail(f"it is found by {', '.join(environment(''))}")
        if not self._policy.retries:
            return place.run(*command)
        from registry_config.attempts import Attempts  # noqa: PLC0415  (only where retries are asked for)

        announce = partial(self._announce, plan)
        attempts = Attempts(self._policy.retries, self._policy.retries_any, self._stopped, announce)
        return attempts.run(partial(place.run, *command))

    def _announce(self, plan: Plan, text: str) -> None:
        self._observer.on_retry(plan.name, self._redactor.text(text))


def _state(result: TargetResult) -> str:
    if result.exit_code == 0:
        return f"done in {result.seconds:.1f} s"
    return f"failed ({result.exit_code}) in {result.seconds:.1f} s"
