"""What agent/action.yml calls: masks first, then the agent's variables for the job's further steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from registry_config.declaration.durations import parse_duration
from registry_config.errors import RegistryConfigError
from registry_config.github.event import read_origin
from registry_config.github.inputs import from_action, variable
from registry_config.github.workflow import Workflow
from registry_config.host.agent import start_agent
from registry_config.job import registries_text

if TYPE_CHECKING:
    from collections.abc import Mapping


def run_agent_action(environ: Mapping[str, str]) -> int:
    """Run the step; gives its exit code.

    Args:
        environ: of this process.
    """
    workflow = Workflow(environ)
    try:
        _start(environ, workflow)
    except RegistryConfigError as error:
        workflow.annotate("error", str(error))
        return error.exit_code
    return 0


def _start(environ: Mapping[str, str], workflow: Workflow) -> None:
    ...
