"""Runs a plan once for each target: several at a time, again after a transient failure, their output kept apart."""

from __future__ import annotations

import glob
import re
import threading
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from registry_config.declaration.inputs import PLACEHOLDER
from registry_config.errors import RegistryConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    import tenacity

    from registry_config.declaration.command import Command
    from registry_config.plan import Finished, Output, Plan, Result, Runner

_SIGTERM: Final = 15
_MAX_WAIT_SECONDS: Final = 60.0


class Policy(NamedTuple):
    """How targets are run.

    Attributes:
        max_parallel: so many at a time.
        fail_fast: stop the others at the first failure.
        retries: further attempts after a transient failure.
    """

    max_parallel: int = 4
    fail_fast: bool = False
    retries: int = 0


class Outcome(NamedTuple):
    """What came of one target.

    Attributes:
        target: as declared; empty for a run without targets.
        result: of the last attempt; None where it was stopped before it began, or refused.
        attempts: how many times the commands were run.
        seconds: from the first attempt's start to the last one's end, waiting included.
        error: why nothing ran.
        exit_code: what the process would answer for this target alone; None where nothing ran and nothing is wrong.
    """

    target: str
    result: Result | None
    attempts: int
    seconds: float
    error: RegistryConfigError | None = None

    @property
    def exit_code(self) -> int | None:
        """The command's exit code, or that of the refusal; None where it was never begun."""
        if self.error is not None:
            return self.error.exit_code
        return self.result.exit_code if self.result is not None else None


class Observer(NamedTuple):
    """Who is told.

    Attributes:
        state: takes a target and its new state.
        output: where the output of one target goes; called when the target is finished.
    """

    state: Callable[[str, str], None]
    show: Callable[[str, Kept], None]


class Kept:
    """An `Output` that keeps what a tool writes, in its order, until its turn has come."""

    def __init__(self, progress: Callable[[bytes], None]) -> None:
        self._pieces: list[tuple[str, bytes]] = []
        self.progress = progress

    @property
    def stdout(self) -> Callable[[bytes], None]:
        """Takes bytes of the standard output."""
        return lambda data: self._pieces.append(("stdout", data))

    @property
    def stderr(self) -> Callable[[bytes], None]:
        """Takes bytes of the standard error."""
        return lambda data: self._pieces.append(("stderr", data))

    def replay(self, output: Output) -> None:
        """Write everything to another output."""
        for stream, data in self._pieces:
            (output.stdout if stream == "stdout" else output.stderr)(data)


def for_target(plan: Plan, target: str) -> Plan:
    """The plan with `{target}` replaced in each word."""

    def replaced(command: Command) -> Command:
        return tuple(
            word._replace(
                text=word.text.replace(PLACEHOLDER, target),
                pattern=word.pattern and word.pattern.replace(PLACEHOLDER, glob.escape(target)),
            )
            for word in command
        )

    return plan._replace(commands=tuple(map(replaced, plan.commands)))


class Release:
    """Runs one plan for its targets.

    Args:
        runner: executes a plan; safe to be called by several threads.
        policy: how.
        observer: who is told of states and output.
    """

    def __init__(self, runner: Runner, policy: Policy, observer: Observer) -> None:
        self._runner = runner
        self._policy = policy
        self._observer = observer
        self._stopped = threading.Event()

    def run_one(self, plan: Plan, output: Output) -> Outcome:
        """Run a plan without targets, its output passed on as it comes.

        Raises:
            RegistryConfigError: it was refused.
        """
        outcome = self._attempt("", plan, output)
        if outcome.error is not None:
            raise outcome.error
        return outcome

    def run_all(self, plan: Plan, targets: tuple[str, ...], progress: Callable[[bytes], None]) -> tuple[Outcome, ...]:
        """Run a plan for each target; the outcomes are in the order of the targets."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  (a run without targets has no threads)

        # Registries get confused by two pushes to one repository at once: two tags of it take turns.
        turns = {repository: threading.Lock() for repository in map(_repository, targets)}

        def run(target: str) -> Outcome:
            output = Kept(progress)
            with turns[_repository(target)]:
                outcome = self._attempt(target, for_target(plan, target), output)
            self._observer.show(target, output)
            if outcome.exit_code and self._policy.fail_fast:
                self._stop_others()
            return outcome

        with ThreadPoolExecutor(self._policy.max_parallel) as pool:
            return tuple(pool.map(run, targets))

    def interrupt(self, signal_number: int) -> None:
        """Hand a signal to every tool that runs, and begin nothing more."""
        self._stopped.set()
        self._runner.interrupt(signal_number)

    def _stop_others(self) -> None:
        if not self._stopped.is_set():
            self.interrupt(_SIGTERM)

    def _attempt(self, target: str, plan: Plan, output: Output) -> Outcome:
        """Run a plan, again after a transient failure as often as the policy allows."""
        if self._stopped.is_set():
            self._observer.state(target, "not started")
            return Outcome(target, None, 0, 0.0)
        started = time.monotonic()
        self._observer.state(target, "started")
        result: Result | None = None
        attempts, error = 1, None
        try:
            result, attempts = self._run(target, plan, output)
        except RegistryConfigError as refusal:
            error = refusal
        outcome = Outcome(target, result, attempts, time.monotonic() - started, error)
        self._observer.state(target, _verdict(outcome))
        return outcome

    def _run(self, target: str, plan: Plan, output: Output) -> tuple[Result, int]:
        """The last result, and how many attempts it took."""
        if not self._policy.retries:
            return self._runner.run(plan, output), 1
        import tenacity  # noqa: PLC0415  (only where retries are asked for)

        from registry_config.tools.transient import retry_after  # noqa: PLC0415

        growing = tenacity.wait_exponential_jitter(initial=1.0, max=_MAX_WAIT_SECONDS, jitter=1.0)

        def wait(state: tenacity.RetryCallState) -> float:
            failed = _failed(_result_of(state))
            return max(growing(state), retry_after(failed) if failed else 0.0)

        def announce(state: tenacity.RetryCallState) -> None:
            reason = _reason(_result_of(state))
            text = f"attempt {state.attempt_number} failed ({reason}); again in {state.upcoming_sleep:.1f} s"
            self._observer.state(target, text)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda result: bool(_reason(result))),
            stop=tenacity.stop_after_attempt(self._policy.retries + 1) | tenacity.stop_when_event_set(self._stopped),
            wait=wait,
            sleep=tenacity.sleep_using_event(self._stopped),
            before_sleep=announce,
            retry_error_callback=_result_of,
        )
        result: Result = retrying(self._runner.run, plan, output)
        return result, retrying.statistics["attempt_number"]


def _repository(target: str) -> str:
    """The target without its tag and digest."""
    return re.sub(r":[^:/]*$", "", target.partition("@")[0])


def _result_of(state: tenacity.RetryCallState) -> Result:
    assert state.outcome is not None  # noqa: S101  (asked only after an attempt)
    result: Result = state.outcome.result()
    return result


def _reason(result: Result) -> str:
    from registry_config.tools.transient import transient_failure  # noqa: PLC0415  (only where retries are asked for)

    failed = _failed(result)
    return transient_failure(failed) if failed and not result.signal_number else ""


def _failed(result: Result) -> Finished | None:
    return result.finished[-1] if result.exit_code and result.finished else None


def _verdict(outcome: Outcome) -> str:
    if outcome.exit_code == 0:
        return f"done in {outcome.seconds:.1f} s"
    return f"failed ({outcome.exit_code}) in {outcome.seconds:.1f} s"
