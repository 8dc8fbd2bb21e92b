"""The settings of one run, read once: from the action's environment or from a command line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from registry_config.docker_config import CONFIG_VARIABLES
from registry_config.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

# Composite actions get no INPUT_* variables from GitHub's runner; action.yml maps each input to one of these.
PREFIX: Final = "REGISTRY_CONFIG_INPUT_"
# The files through which a step speaks to the runner: a tool that could write to them would speak for us.
RUNNER_FILES: Final = (
    "GITHUB_OUTPUT",
    "GITHUB_STATE",
    "GITHUB_ENV",
    "GITHUB_PATH",
    "GITHUB_STEP_SUMMARY",
)
# Events whose workflow runs with secrets over files that somebody else may have written.
UNTRUSTED_EVENTS: Final = ("pull_request_target", "workflow_run", "issue_comment")
PLACEHOLDER: Final = "{target}"
MAX_PARALLEL: Final = 64
MAX_RETRIES: Final = 10
_TARGET: Final = re.compile(r"[A-Za-z0-9\[][A-Za-z0-9._:/@\[\]+-]*")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Inputs(NamedTuple):
    """Every input of the action, by its name; the command line fills the same fields.

    Attributes:
        argv: the command line's words after `--`, taken as they are; None in the action, where `command` counts.
    """

    registries: str = ""
    registries_file: str = ""
    github_token: str | None = None
    image: str = ""
    command: str = ""
    argv: tuple[str, ...] | None = None
    shell: str = ""
    use_entrypoint: bool = False
    working_directory: str = "."
    exclude: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    max_parallel: int = 4
    fail_fast: bool = False
    retries: int = 0
    dry_run: bool = False
    env: tuple[str, ...] = ()
    secret_env: tuple[str, ...] = ()
    on_missing: str = "fail"
    keep_logins: bool = False
    summary: bool = True

    def __repr__(self) -> str:
        return "Inputs(…)"  # some of the texts hold secrets


def from_action(environ: Mapping[str, str]) -> Inputs:
    """Read the inputs that action.yml hands over.

    Raises:
        InputError: a boolean or a choice is none, or two inputs contradict each other.
    """

    def text(name: str) -> str:
        return environ.get(variable(name), "")

    inputs = Inputs(
        registries=text("registries"),
        registries_file=text("registries-file").strip(),
        github_token=text("github-token"),
        image=text("image").strip(),
        command=text("command"),
        shell=text("shell").strip(),
        use_entrypoint=_boolean("use-entrypoint", text("use-entrypoint"), default=False),
        working_directory=text("working-directory").strip() or ".",
        exclude=tuple(filter(None, map(str.strip, _lines(text("exclude"))))),
        targets=tuple(filter(None, map(str.strip, _lines(text("targets"))))),
        max_parallel=number("max-parallel", text("max-parallel"), default=4, most=MAX_PARALLEL),
        fail_fast=_boolean("fail-fast", text("fail-fast"), default=False),
        retries=number("retries", text("retries"), default=0, most=MAX_RETRIES, least=0),
        dry_run=_boolean("dry-run", text("dry-run"), default=False),
        env=_lines(text("env")),
        secret_env=_lines(text("secret-env")),
        on_missing=text("on-missing").strip() or "fail",
        keep_logins=_boolean("keep-logins", text("keep-logins"), default=False),
        summary=_boolean("summary", text("summary"), default=True),
    )
    check(inputs)
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


def check(inputs: Inputs) -> None:
    """Refuse inputs that contradict each other.

    Raises:
        InputError: naming one of the two.
    """
    if inputs.on_missing not in {"fail", "skip"}:
        raise InputError("on-missing", "must be 'fail' or 'skip'")
    if inputs.registries and inputs.registries_file:
        raise InputError("registries-file", "stands beside registries", "give one of them")
    if inputs.argv is None and not inputs.command.strip():
        raise InputError("command", "is empty", "write the command to run")
    if inputs.argv is not None and not inputs.argv:
        raise InputError("command", "is missing", "write it after --")
    if inputs.shell and inputs.argv is not None and len(inputs.argv) != 1:
        raise InputError("command", "must be one script with --shell", "quote the whole script after --")
    _check_image(inputs)
    _check_targets(inputs)
    if re.search(r"\s", inputs.shell):
        raise InputError("shell", "must be one program, without options", "sh and bash get -e from us")


def _check_image(inputs: Inputs) -> None:
    if inputs.image:
        from registry_config.reference import image_host  # noqa: PLC0415  (its grammar takes a while to compile)

        try:
            image_host(inputs.image)
        except ValueError as error:
            raise InputError("image", str(error)) from None
        if inputs.keep_logins:
            raise InputError("keep-logins", "has no meaning with image", "leave it out")
    elif inputs.use_entrypoint:
        raise InputError("use-entrypoint", "needs image")
    elif inputs.exclude:
        raise InputError("exclude", "needs image")
    if inputs.use_entrypoint and inputs.shell:
        raise InputError("use-entrypoint", "stands beside shell", "give one of them")


def _check_targets(inputs: Inputs) -> None:
    text = "\n".join(inputs.argv) if inputs.argv is not None else inputs.command
    if inputs.targets and PLACEHOLDER not in text:
        raise InputError(
            "targets", f"the command does not hold {PLACEHOLDER}", f"write {PLACEHOLDER} where the target goes"
        )
    if PLACEHOLDER in text and not inputs.targets:
        raise InputError("command", f"holds {PLACEHOLDER}, but there are no targets", "add targets")
    for number_, target in enumerate(inputs.targets, 1):
        # A shell may read the command: nothing of a target may mean anything to it.
        if not _TARGET.fullmatch(target):
            raise InputError(f"targets (line {number_})", "is not a reference or the beginning of one")
        if target in inputs.targets[: number_ - 1]:
            raise InputError(f"targets (line {number_})", "stands there before", "keep one of them")


def number(name: str, text: str, *, default: int, most: int, least: int = 1) -> int:
    """A whole number between two bounds.

    Raises:
        InputError: it is none, or out of bounds.
    """
    if not text.strip():
        return default
    if not re.fullmatch(r"[0-9]{1,4}", text.strip()) or not least <= int(text) <= most:
        raise InputError(name, f"must be a whole number from {least} to {most}")
    return int(text)


def declared_variables(inputs: Inputs, environ: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """What `env` and `secret-env` declare, with values from `environ` where none is written.

    Raises:
        InputError: not a name, a name of ours, or no such variable.
    """
    plain = {}
    for number, line in enumerate(inputs.env, 1):
        if not line.strip():
            continue
        name, sign, value = line.partition("=")
        place = f"env (line {number})"
        name = _name(place, name)
        plain[name] = value if sign else _value(place, name, environ)
    secret = {}
    for number, line in enumerate(inputs.secret_env, 1):
        if not line.strip():
            continue
        place = f"secret-env (line {number})"
        if "=" in line:
            raise InputError(place, "takes a name alone", "set the value in the step's env")
        name = _name(place, line)
        secret[name] = _value(place, name, environ)
    return plain, secret


def _name(place: str, text: str) -> str:
    name = text.strip()
    if not _NAME.fullmatch(name):
        raise InputError(place, "is not the name of a variable", "write NAME or NAME=value")
    if name in CONFIG_VARIABLES:
        raise InputError(place, f"{name} is set by this action", "leave it out")
    if name in RUNNER_FILES or name.startswith(PREFIX):
        raise InputError(place, "this variable is the runner's own", "leave it out")
    return name


def _value(place: str, name: str, environ: Mapping[str, str]) -> str:
    if name in environ:
        return environ[name]
    near = did_you_mean(name, environ)
    raise InputError(
        place,
        "no such variable in the environment",
        f"did you mean '{near}'?" if near else "set it in the step's env",
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
