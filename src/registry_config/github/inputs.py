"""The inputs as action.yml hands them over: one variable of the environment for each."""

from __future__ import annotations

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
from registry_config.light_typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def from_action(environ: Mapping[str, str], *, needs_command: bool = True) -> Inputs:
    """Read the inputs, a command among them where there has to be one.

    Raises:
        InputError: a boolean or a choice is none, or two inputs contradict each other.
    """
    step = _Step(environ)
    inputs = Inputs(
        registries=step.text("registries"),
        registries_file=step.word("registries-file"),
        github_token=step.text("github-token"),
        image=step.word("image"),
        command=step.text("command"),
        shell=step.word("shell"),
        use_entrypoint=step.flag("use-entrypoint"),
        working_directory=step.word("working-directory"),
        exclude=step.items("exclude"),
        targets=step.lines("targets"),
        max_parallel=step.number("max-parallel", most=MAX_PARALLEL, least=1),
        fail_fast=step.flag("fail-fast"),
        retries=step.number("retries", most=MAX_RETRIES, least=0),
        retry_on=step.word("retry-on"),
        timeout=duration("timeout", step.text("timeout")),
        files=step.lines("files"),
        skip_existing=step.flag("skip-existing"),
        verify=step.word("verify"),
        digest_from=step.word("digest-from"),
        dry_run=step.flag("dry-run"),
        env=_lines(step.text("env")),
        secret_env=_lines(step.text("secret-env")),
        on_missing=step.word("on-missing"),
        keep_logins=step.flag("keep-logins"),
        summary=step.flag("summary"),
        hidden_variables=own_variables(environ),
        verbose=environ.get("RUNNER_DEBUG") == "1",
    )
    check_inputs(inputs, needs_command=needs_command)
    return inputs


class _Step:
    """Reads the inputs of a step, each with the default of `Inputs`."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str) -> str:
        """As it was written."""
        return self._environ.get(variable(name), "")

    def word(self, name: str) -> str:
        return self.text(name).strip() or str(_default(name))

    def items(self, name: str) -> tuple[str, ...]:
        """One a line."""
        return tuple(filter(None, self.lines(name)))

    def lines(self, name: str) -> tuple[str, ...]:
        """One a line, with the blank lines between them, for messages that count lines; none where all are blank."""
        lines = tuple(map(str.strip, _lines(self.text(name))))
        return lines if any(lines) else ()

    def flag(self, name: str) -> bool:
        return _boolean(name, self.text(name), default=bool(_default(name)))

    def number(self, name: str, *, most: int, least: int) -> int:
        return number(name, self.text(name), default=_default(name), most=most, least=least)


def _default(name: str) -> Any:
    return getattr(DEFAULTS, name.replace("-", "_"))


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
