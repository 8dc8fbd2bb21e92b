"""Whether the programs of a plan are there, found out before the first of them runs."""

from __future__ import annotations

import os

from registry_config.errors import ProgramNotFoundError
from registry_config.light_typing import TYPE_CHECKING
from registry_config.tools.table import known_tool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from registry_config.plan import Plan


def check_programs(plan: Plan, path: str) -> tuple[str, ...]:
    """Look for the program of every command.

    A program of the table pushes, pulls or signs; any other (make, pip, a script) may install what a later line calls.

    Args:
        plan: the commands.
        path: the variable PATH that the commands get.

    Returns:
        A warning for each program that is not there yet.

    Raises:
        ProgramNotFoundError: one is not there, and nothing that runs before it can bring it.
    """
    warnings = []
    may_install = False
    for command in plan.commands:
        program = command[0].text
        if _is_missing(program, path, plan.working_directory):
            if not may_install:
                raise ProgramNotFoundError(program)
            warnings.append(f"{program}: no such program on this machine yet; a command before it has to install it")
        may_install = may_install or known_tool(program) is None
    return tuple(warnings)


def _is_missing(program: str, path: str, working_directory: str) -> bool:
    if "/" not in program:
        return not any(os.path.exists(place) for place in _places(program, path))
    # What lies in the working directory an earlier command may make.
    whole = os.path.normpath(os.path.join(working_directory, program))
    inside = os.path.abspath(whole).startswith(f"{os.path.abspath(working_directory)}/")
    return not inside and not os.path.exists(whole)


def _places(program: str, path: str) -> Iterator[str]:
    for folder in (path or os.defpath).split(":"):
        yield os.path.join(folder, program)
