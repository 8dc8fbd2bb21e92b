"""Carries a job out: chooses the runner, hands signals on, and reports."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager

from registry_config.asking import ask, needs_answers
from registry_config.audience import called
from registry_config.commands import preview, shown
from registry_config.errors import SignalError, refusals_redacted
from registry_config.host.process_environment import close_memory
from registry_config.host.programs import check_programs
from registry_config.host.runner import HostRunner
from registry_config.light_typing import TYPE_CHECKING, Final
from registry_config.plan import check_folder
from registry_config.report import Report, make_report
from registry_config.results import RunNotes, TargetResult
from registry_config.targets import Policy, Services, TargetRunner

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from registry_config.asking import Asked
    from registry_config.declaration.inputs import Inputs
    from registry_config.job import Job
    from registry_config.observer import Observer
    from registry_config.plan import Output, Plan, Runner

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_NOT_CLOSED: Final = "this Python lacks ctypes: the command could look into the memory of this process"


def execute(job: Job, inputs: Inputs, environ: Mapping[str, str], output: Output, observer: Observer) -> Report:
    """Run a job's plans, handing signals on meanwhile.

    Args:
        job: what passed every check.
        inputs: how often, and how many in parallel.
        environ: what the tools inherit, without our inputs and credentials.
        output: where the tool's output goes.
        observer: who is told of the targets' states.

    Raises:
        RegistryConfigError: the run was refused; with targets each refusal is that target's own.
    """
    with refusals_redacted(job.redactor.text):
        return _execute(job, inputs, environ, output, observer)


def _execute(job: Job, inputs: Inputs, environ: Mapping[str, str], output: Output, observer: Observer) -> Report:
    started = time.monotonic()
    # Before anything else is started: a credential helper, the Dagger CLI, the command.
    not_closed = () if close_memory() else (_NOT_CLOSED,)
    for warning in check_machine(job, environ):
        observer.on_warning(warning)
    if needs_answers(job, inputs) and job.image is None:
        # What is wrong with a folder or a pattern is told before anybody is asked.
        _preview(job, _runner(job, inputs, environ, output), output)
    asked = ask(job, inputs, environ, observer, (called("timeout"), inputs.timeout) if inputs.timeout else None)
    job = _with_image_credentials(job, asked)
    runner = _runner(job, inputs, environ, output)
    services = Services(asked.keyless.current if asked.keyless else None, asked.registries)
    targets = TargetRunner(runner, _policy(inputs), observer, job.redactor, services)
    with _signals_to(targets), runner:
        if inputs.dry_run:
            report = Report(planned=_preview(job, runner, output), image=runner.notes.image)
        else:
            results = _skipped(job, _run(job, targets, runner, output))
    if not inputs.dry_run:
        report = make_report(results, job.redactor, job.registries, runner.notes)
        report = report._replace(warnings=(*not_closed, *report.warnings))
    return report._replace(seconds=time.monotonic() - started, verify=asked.rows)


def _run(job: Job, targets: TargetRunner, runner: Runner, output: Output) -> tuple[TargetResult, ...]:
    """Run the plans; a run without targets that is refused before its first command raises the refusal."""
    if job.names:
        results = targets.run_all(job.plans, output.engine_log)
    else:
        results = (targets.run_one(job.plans[0], output),)
        error, result = results[0].error, results[0].result
        if error and not (result and result.commands):
            raise error
    if runner.interrupted and not any(map(_came_to_something, results)):
        raise SignalError(runner.interrupted)
    return results


def _came_to_something(result: TargetResult) -> bool:
    """Whether a command ran, or was refused: with fail-fast that stopped the others, and no signal from outside."""
    refused = result.error is not None and not isinstance(result.error, SignalError)
    return refused or bool(result.result and result.result.commands)


def _policy(inputs: Inputs) -> Policy:
    return Policy(
        max_parallel=inputs.max_parallel,
        fail_fast=inputs.fail_fast,
        retries=inputs.retries,
        retries_any=inputs.retry_on == "any",
        skip_existing=inputs.skip_existing,
        prove=inputs.digest_from == "registry",
    )


def _skipped(job: Job, results: tuple[TargetResult, ...]) -> tuple[TargetResult, ...]:
    """All results in the order given, with those of the plans that were left out with an optional entry."""
    ordered = list(results)
    for position, plan in job.skipped:
        ordered.insert(position, _left_out(plan))
    return tuple(ordered)


def _left_out(plan: Plan) -> TargetResult:
    return TargetResult(plan.target, None, 0, 0.0, file=plan.file, is_skipped=True)


def _with_image_credentials(job: Job, asked: Asked) -> Job:
    if job.image is None:
        return job
    return job._replace(image=job.image._replace(credentials=asked.current(job.image.credentials)))


def skip(job: Job, environ: Mapping[str, str]) -> Report:
    """The report of a job of which nothing is to be run; what is wrong with it besides is refused all the same.

    Raises:
        RegistryConfigError: as `check_machine`.
    """
    check_machine(job, environ)
    results = _skipped(job, tuple(map(_left_out, job.plans)))
    report = make_report(results, job.redactor, job.registries, RunNotes())
    return report._replace(skipped=True, error=job.skip_reason)


def check_machine(job: Job, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Look for the working directory of a job, and for its programs where it runs on this machine.

    Returns:
        Warnings, redacted.

    Raises:
        InputError: the working directory is not there.
        ProgramNotFoundError: a program is not there, and nothing that runs before it can bring it.
    """
    if not job.plans:
        return ()
    plan = job.plans[0]
    check_folder(plan)
    if job.image is not None:
        return ()
    path = plan.variables.get("PATH", environ.get("PATH", ""))
    with refusals_redacted(job.redactor.text):
        return tuple(map(job.redactor.text, check_programs(plan, path)))


def _preview(job: Job, runner: Runner, output: Output) -> tuple[str, ...]:
    """What the job would run, a line for each command and target."""
    lines = []
    for plan in job.plans:
        with runner.workplace(plan, output) as workplace:
            lines += [shown(command, job.redactor) for command in preview(plan, workplace.find)]
    return tuple(lines)


def _runner(job: Job, inputs: Inputs, environ: Mapping[str, str], output: Output) -> Runner:
    if job.image is None:
        return HostRunner(
            environ,
            job.redactor,
            user=job.user_config,
            stdin_is_ours=inputs.stdin_is_ours,
            authorities=job.authorities,
        )
    from registry_config.engine.runner import EngineRunner  # noqa: PLC0415  (asyncio and more; not for the host)

    secret = job.plans[0].secret_variables
    return EngineRunner(
        job.image,
        {name: value for name, value in environ.items() if name not in secret},
        job.redactor,
        output.engine_log,
        job.authorities,
    )


@contextmanager
def _signals_to(targets: TargetRunner) -> Iterator[None]:
    """Hand signals to what runs; one that we were started to ignore stays ignored."""
    handled = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, lambda n, _: targets.interrupt(n)) for number in handled}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
