"""The inputs as action.yml hands them over: one variable of the environment for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from registry_config.declaration.inputs import (
    DEFAULTS,
    MAX_PARALLEL,
    MAX_RETRIES,
    PREFIX,
    Inputs,
    check_inputs,
    duration,
    number,
)
from registry_config.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping


def from_action(environ: Mapping[str, str], *, needs_command: bool = True) -> Inputs:
    """Read the inputs.

    Args:
        environ: of the step.
        needs_command: whether a command has to be there.

    Raises:
        InputError: a boolean or a choice is none, or two inputs contradict each other.
    """

    def text(name: str) -> str:
        return environ.get(variable(name), "")

    def boolean(name: str, *, default: bool) -> bool:
        return _boolean(name, text(name), default=default)

    def items(name: str) -> tuple[str, ...]:
        return tuple(filter(None, map(str.strip, _lines(text(name)))))

    inputs = Inputs(
        registries=text("registries"),
        registries_file=text("registries-file").strip(),
        github_token=text("github-token"),
        image=text("image").strip(),
        command=text("command"),
        shell=text("shell").strip(),
        use_entrypoint=boolean("use-entrypoint", default=DEFAULTS.use_entrypoint),
        working_directory=text("working-directory").strip() or DEFAULTS.working_directory,
        exclude=items("exclude"),
        targets=items("targets"),
        max_parallel=number("max-parallel", text("max-parallel"), default=DEFAULTS.max_parallel, most=MAX_PARALLEL),
        fail_fast=boolean("fail-fast", default=DEFAULTS.fail_fast),
        retries=number("retries", text("retries"), default=DEFAULTS.retries, most=MAX_RETRIES, least=0),
        retry_on=text("retry-on").strip() or DEFAULTS.retry_on,
        timeout=duration("timeout", text("timeout")),
        files=items("files"),
        dry_run=boolean("dry-run", default=DEFAULTS.dry_run),
        env=_lines(text("env")),
        secret_env=_lines(text("secret-env")),
        on_missing=text("on-missing").strip() or DEFAULTS.on_missing,
        keep_logins=boolean("keep-logins", default=DEFAULTS.keep_logins),
        summary=boolean("summary", default=DEFAULTS.summary),
        hidden_variables=own_variables(environ),
        verbose=environ.get("RUNNER_DEBUG") == "1",
    )
    check_inputs(inputs, needs_command=needs_command)
    return inputs


def variable(name: str) -> str:
    """The variable in which action.yml puts the input `name`."""
    return PREFIX + name.upper().replace("-", "_")


def own_variables(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Variables that carry our inputs, under our names and under those that act sets besides."""
    act = {f"INPUT_{name.upper().replace('_', '-')}" for name in Inputs._fields}
    return tuple(
        name
        for name in environ
        if name.startswith(PREFIX) or name.replace("_", "-").replace("INPUT-", "INPUT_", 1) in act
    )


def _lines(text: str) -> tuple[str, ...]:
    # str.splitlines would also split at U+2028 and the like, which untrusted text may hold.
    return tuple(text.replace("\r\n", "\n").split("\n"))


def _boolean(name: str, text: str, *, default: bool) -> bool:
    match text.strip():
        case "":
            return default
        case "true":
            return True
        case "false":
            return False
    raise InputError(name, "must be true or false")
