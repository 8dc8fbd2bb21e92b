"""What agent/action.yml calls: masks first, then the agent's variables for the job's further steps."""

from __future__ import annotations

from registry_config.asking import ask
from registry_config.audience import speak_to_workflow
from registry_config.declaration.durations import parse_duration
from registry_config.errors import RegistryConfigError
from registry_config.github.event import read_origin
from registry_config.github.inputs import from_action, variable
from registry_config.github.workflow import Workflow
from registry_config.host.agent import login_hint, start_agent
from registry_config.job import prepare_agent
from registry_config.light_typing import TYPE_CHECKING, Final
from registry_config.observer import retries_only

if TYPE_CHECKING:
    from collections.abc import Mapping

_LIFETIME: Final = "6h"


def run_agent_action(environ: Mapping[str, str]) -> int:
    """Run the step; gives its exit code.

    Args:
        environ: of this process.
    """
    speak_to_workflow()
    workflow = Workflow(environ)
    try:
        _start(environ, workflow)
    except RegistryConfigError as error:
        workflow.annotate("error", str(error))
        return error.exit_code
    return 0


def _start(environ: Mapping[str, str], workflow: Workflow) -> None:
    lifetime = environ.get(variable("lifetime"), "").strip() or _LIFETIME
    seconds = parse_duration("lifetime", lifetime)
    inputs = from_action(environ, needs_command=False)
    job, notices = prepare_agent(inputs, read_origin(environ), environ)
    workflow.mask(job.forms, job.redactor)
    for warning in job.warnings:
        workflow.annotate("warning", warning)
    for notice in (*notices, *filter(None, (job.skip_reason,))):
        workflow.annotate("notice", notice)
    if job.skip_reason:
        return
    told = retries_only(workflow.line)._replace(
        on_secret=workflow.mask_secret,
        on_note=workflow.line,
        on_warning=lambda text: workflow.annotate("warning", text),
    )
    credentials = ask(job, inputs, environ, told, ("lifetime", seconds)).current(job.plans[0].credentials)
    started = start_agent(credentials, job.user_config, environ, seconds)
    try:
        for name, value in started.agent.variables(environ).items():
            workflow.variable(name, value)
    except OSError:
        started.kill()
        raise
    started.keep()
    held = ", ".join(job.registries) or "no registry"
    text = f"the credentials for {held} are in memory for the further steps of this job, for {lifetime} at most"
    workflow.line(f"{text}; {login_hint()}")
    workflow.summary(f"registry-config agent: {text}\n")
