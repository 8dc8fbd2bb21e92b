"""What action.yml calls: inputs from the environment, masks first, results as outputs, annotations and a summary."""

from __future__ import annotations

from registry_config.audience import speak_to_workflow
from registry_config.errors import RegistryConfigError
from registry_config.execution import execute, skip
from registry_config.github.event import read_origin
from registry_config.github.inputs import from_action
from registry_config.github.summary import summarize
from registry_config.github.workflow import SafeOutput, Workflow
from registry_config.host.process_environment import scrub_environment
from registry_config.job import prepare
from registry_config.light_typing import TYPE_CHECKING
from registry_config.observer import lines, retries_only
from registry_config.report import Report, refusal
from registry_config.version import VERSION

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from registry_config.buffered_output import BufferedOutput
    from registry_config.declaration.inputs import Inputs
    from registry_config.observer import Observer


def run_action(environ: MutableMapping[str, str]) -> int:
    """Run the step; gives its exit code.

    Args:
        environ: the process's own environment; what no child may find is taken out of it.
    """
    speak_to_workflow()
    workflow = Workflow(environ)
    inputs = None
    try:
        inputs = from_action(environ)
        report = _run(inputs, environ, workflow)
        code = report.exit_code or 0
    except RegistryConfigError as error:
        report, code = refusal(error), error.exit_code
        workflow.annotate("error", str(error))
    for name, value in report.outputs().items():
        workflow.output(name, value)
    if inputs is None or inputs.summary:
        workflow.summary(summarize(report))
    return code


def _run(inputs: Inputs, environ: MutableMapping[str, str], workflow: Workflow) -> Report:
    job = prepare(inputs, read_origin(environ), environ)
    scrub_environment(job.hidden_variables, environ)
    workflow.mask(job.forms, job.redactor)
    workflow.line(f"registry-config {VERSION}: {', '.join(job.registries) or 'no registry'}")
    for warning in job.warnings:
        workflow.annotate("warning", warning)
    for notice in job.notices:
        workflow.annotate("notice", notice)
    if job.skip_reason:
        report = skip(job, environ)
        workflow.annotate("notice", job.skip_reason)
        return report
    output = SafeOutput(job.redactor, verbose=inputs.verbose)
    try:
        report = execute(job, inputs, dict(environ), output, _observer(job.names, workflow, output))
    finally:
        output.flush()
    _annotate(workflow, report)
    return report


def _observer(targets: tuple[str, ...], workflow: Workflow, output: SafeOutput) -> Observer:
    def show(target: str, buffered: BufferedOutput) -> None:
        output.flush()
        with workflow.group(target):
            buffered.replay(output)
            output.flush()

    def say(text: str) -> None:
        output.flush()
        workflow.line(text)

    observer = lines(workflow.line, show) if targets else retries_only(say)
    return observer._replace(
        on_secret=workflow.mask_secret,
        on_note=say,
        on_warning=lambda text: workflow.annotate("warning", text),
    )


def _annotate(workflow: Workflow, report: Report) -> None:
    for line in report.planned:
        workflow.line(line)
    for warning in report.warnings:
        workflow.annotate("warning", warning)
    for target in report.failed:
        place = f"{target.name}: " if target.name else ""
        workflow.annotate("error", place + "\n".join((target.reason, *target.hints)))
