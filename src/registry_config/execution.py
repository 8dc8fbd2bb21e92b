"""Carries a job out: chooses the runner, hands signals on, and reports."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from registry_config.commands import preview, shown
from registry_config.errors import SignalError
from registry_config.host.programs import check_programs
from registry_config.host.runner import HostRunner
from registry_config.report import Report, make_report
from registry_config.targets import Policy, TargetRunner

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from registry_config.declaration.inputs import Inputs
    from registry_config.job import Job
    from registry_config.observer import Observer
    from registry_config.plan import Output, Runner

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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
    started = time.monotonic()
    warnings = missing_programs(job, environ)
    policy = Policy(inputs.max_parallel, inputs.fail_fast, inputs.retries, inputs.retry_on == "any")
    runner = _runner(job, inputs, environ, output)
    targets = TargetRunner(runner, policy, observer, job.redactor)
    with _signals_to(targets), runner:
        if inputs.dry_run:
            planned = _preview(job, runner, output)
            seconds = time.monotonic() - started
            return Report(planned=planned, image=runner.notes.image, warnings=warnings, seconds=seconds)
        if job.names:
            results = targets.run_all(job.plans, output.engine_log)
        else:
            results = (targets.run_one(job.plans[0], output),)
            error, result = results[0].error, results[0].result
            if error and not (result and result.commands):
                raise error
        if runner.interrupted and not any(result.result and result.result.commands for result in results):
            raise SignalError(runner.interrupted)
    # What an earlier command did not bring is told by the error of its own command.
    return make_report(results, job.redactor, job.registries, runner.notes, time.monotonic() - started)


def missing_programs(job: Job, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Look for the programs of a job that runs on this machine, before the first of them runs.

    Returns:
        Warnings, redacted.

    Raises:
        ProgramNotFoundError: one is not there, and nothing that runs before it can bring it.
    """
    if job.image is not None:
        return ()
    plan = job.plans[0]
    path = plan.variables.get("PATH", environ.get("PATH", ""))
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
        return HostRunner(environ, job.redactor, user=job.user_config, stdin_is_ours=inputs.stdin_is_ours)
    from registry_config.engine.runner import EngineRunner  # noqa: PLC0415  (asyncio and more; not for the host)

    secret = job.plans[0].secret_variables
    return EngineRunner(
        job.image,
        {name: value for name, value in environ.items() if name not in secret},
        job.redactor,
        output.engine_log,
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
