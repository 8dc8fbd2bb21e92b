"""Carries a job out: chooses the runner, hands signals on, and reports."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from registry_config.host.runner import HostRunner
from registry_config.job import planned
from registry_config.report import make_report
from registry_config.targets import Policy, Release

if TYPE_CHECKING:
    from collections.abc import Iterator

    from registry_config.declaration.inputs import Inputs
    from registry_config.job import Job
    from registry_config.plan import Output, Runner
    from registry_config.report import Report
    from registry_config.targets import Observer, Outcome

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def execute(job: Job, inputs: Inputs, output: Output, observer: Observer, *, stdin_is_ours: bool = False) -> Report:
    """Run a job's plan, once or for each target, handing signals on meanwhile.

    Args:
        job: what passed every check.
        inputs: how often, and how many at a time.
        output: where the tool's output goes.
        observer: who is told of the targets' states.
        stdin_is_ours: the tool gets an empty standard input.

    Raises:
        RegistryConfigError: the run was refused; with targets each refusal is that target's own.
    """
    started = time.monotonic()
    policy = Policy(inputs.max_parallel, inputs.fail_fast, inputs.retries)
    runner = _runner(job, inputs, output, stdin_is_ours=stdin_is_ours)
    release = Release(runner, policy, observer)
    with _signals_to(release), runner:
        if inputs.dry_run:
            runner.run(job.plan._replace(commands=()), output)
            outcomes: tuple[Outcome, ...] = ()
        elif job.targets:
            outcomes = release.run_all(job.plan, job.targets, output.progress)
        else:
            outcome = release.run_one(job.plan, output)
            if outcome.error:
                raise outcome.error
            outcomes = (outcome,)
    hosts = frozenset(credential.registry for credential in job.plan.credentials)
    report = make_report(outcomes, job.redactor, hosts, runner.notes, time.monotonic() - started)
    return report._replace(planned=planned(job)) if inputs.dry_run else report


def _runner(job: Job, inputs: Inputs, output: Output, *, stdin_is_ours: bool) -> Runner:
    if job.image is None:
        return HostRunner(dict(os.environ), job.redactor, keep_logins=inputs.keep_logins, stdin_is_ours=stdin_is_ours)
    from registry_config.engine.runner import EngineRunner  # noqa: PLC0415  (asyncio and more; not for the host)

    environ = {name: value for name, value in os.environ.items() if name not in job.plan.secret_variables}
    return EngineRunner(job.image, environ, job.redactor, output.progress)


@contextmanager
def _signals_to(release: Release) -> Iterator[None]:
    """Hand signals to what runs; one that we were started to ignore stays ignored."""
    handled = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, lambda n, _: release.interrupt(n)) for number in handled}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
