"""The commands of a run, from the input `command`, from the words of a command line, or as one script."""

from __future__ import annotations

import os

from registry_config.declaration.command import literal, parse_commands
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from registry_config.declaration.command import Command
    from registry_config.declaration.inputs import Inputs

# Shells whose options GitHub sets too, or that fail in a pipeline only where they are told to.
_SHELL_OPTIONS: Final = {
    "bash": ("--noprofile", "--norc", "-eo", "pipefail"),
    "zsh": ("-e", "-o", "pipefail"),
    "ksh": ("-e", "-o", "pipefail"),
}


def commands_of(inputs: Inputs, variables: Mapping[str, str]) -> tuple[Command, ...]:
    """The commands; none where `check` describes a declaration alone.

    Raises:
        InputError: a line of `command` needs a shell, or names a variable that is not declared.
    """
    if inputs.shell:
        script = inputs.argv[0] if inputs.argv is not None else inputs.command
        options = _SHELL_OPTIONS.get(os.path.basename(inputs.shell), ("-e",))
        return (literal((inputs.shell, *options, "-c", script)),)
    if inputs.argv is not None:
        return (literal(inputs.argv),)
    # `check` describes a declaration without a command too.
    if not inputs.command:
        return ()
    secrets = tuple(map(str.strip, inputs.secret_env))
    return parse_commands(inputs.command, variables, secrets, has_entrypoint=inputs.use_entrypoint)
