"""The settings of one run, complete: whoever calls us, the action or a command line, fills the same values."""

from __future__ import annotations

import os
import re

from registry_config.audience import called, either, numbered
from registry_config.declaration.durations import parse_duration
from registry_config.docker_config import CONFIG_VARIABLES
from registry_config.errors import InputError
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
# By which a job with `id-token: write` gets ID tokens for any audience.
ID_TOKEN_VARIABLES: Final = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
TARGET_PLACEHOLDER: Final = "{target}"
FILE_PLACEHOLDER: Final = "{file}"
MAX_PARALLEL: Final = 64
MAX_RETRIES: Final = 10
# What Go's filepath.Match takes: a class is neither empty nor open, and a backslash stands before something.
_CLASS_SIGN: Final = r"(?:\\.|[^\\\]-])"
_GLOB: Final = rf"(?:[^\\\[]|\\.|\[(?:\^|(?!\^))(?:{_CLASS_SIGN}(?:-{_CLASS_SIGN})?)+\])*"
_TARGET: Final = r"[A-Za-z0-9\[][A-Za-z0-9._:/@\[\]+-]*"
# What GitHub's own `shell` takes besides.
_NO_POSIX_SHELL: Final = r"(?:python[0-9.]*|pwsh|powershell|cmd)(?:\.exe)?"
_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"


class Inputs(NamedTuple):
    """Every input of the action, by its name, with its default; the command line fills the same fields.

    Attributes:
        timeout: seconds for one attempt of one command; None for no limit.
        argv: the command line's words after `--`, taken as they are; None in the action, where `command` counts.
        hidden_variables: further variables that no child may find.
        excluded_files: further files that never go to an engine.
        verbose: tell which credential each command gets, and where the time went.
        quiet: tell nothing but errors.
        stdin_is_ours: standard input was read for the declaration, so the tool gets an empty one.
    """

    registries: str = ""
    registries_file: str = ""
    github_token: str | None = None
    image: str = ""
    command: str = ""
    shell: str = ""
    use_entrypoint: bool = False
    working_directory: str = "."
    exclude: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    max_parallel: int = 4
    fail_fast: bool = False
    retries: int = 0
    retry_on: str = "transient"
    timeout: float | None = None
    files: tuple[str, ...] = ()
    skip_existing: bool = False
    verify: str = "off"
    digest_from: str = "tool"
    dry_run: bool = False
    env: tuple[str, ...] = ()
    secret_env: tuple[str, ...] = ()
    on_missing: str = "fail"
    keep_logins: bool = False
    summary: bool = True
    argv: tuple[str, ...] | None = None
    hidden_variables: tuple[str, ...] = ()
    excluded_files: tuple[str, ...] = ()
    stdin_is_ours: bool = False
    verbose: bool = False
    quiet: bool = False

    def __repr__(self) -> str:
        return "Inputs(…)"  # some of the texts hold secrets


class Origin(NamedTuple):
    """What GitHub says of the run; empty outside of GitHub.

    Attributes:
        actor: whom the job's token belongs to (`github.actor`).
        server: address of the GitHub server.
        event: name of the event.
        workspace: folder of the checkout; empty for the current folder.
        lacks_secrets: whether GitHub gives no secrets to this run: it is Dependabot's, or a pull request's from a fork.
        id_tokens: address and token by which the job gets ID tokens; empty without the permission.
    """

    actor: str = ""
    server: str = ""
    event: str = ""
    workspace: str = ""
    lacks_secrets: bool = False
    id_tokens: tuple[str, str] = ("", "")

    def __repr__(self) -> str:
        return f"Origin({self.actor!r}, {self.server!r}, {self.event!r}, …)"


DEFAULTS: Final = Inputs()


def check_inputs(inputs: Inputs, *, needs_command: bool = True) -> None:
    """Refuse inputs that contradict each other.

    Args:
        inputs: the settings.
        needs_command: whether a command has to be there.

    Raises:
        InputError: naming one of the two.
    """
    _check_choice("on-missing", inputs.on_missing, ("fail", "skip"))
    _check_choice("retry-on", inputs.retry_on, ("transient", "any"))
    if inputs.retry_on != DEFAULTS.retry_on and not inputs.retries:
        remedy = f"set {called('retries')}, or leave it out"
        raise InputError(called("retry-on"), f"needs {called('retries')}", remedy)
    if inputs.registries and inputs.registries_file:
        raise InputError("registries-file", "cannot be combined with registries", "give one of them")
    if needs_command and inputs.argv is None and not inputs.command.strip():
        raise InputError("command", "is empty", "write the command to run")
    if inputs.argv is not None and not (inputs.argv and inputs.argv[0]):
        raise InputError("command", "is missing", "write it after --")
    if inputs.shell and inputs.argv is not None and len(inputs.argv) != 1:
        raise InputError("command", "must be one script with --shell", "quote the whole script after --")
    if re.search(r"\s", inputs.shell):
        raise InputError(called("shell"), "must be one program, without options", "write its name alone, such as bash")
    if re.fullmatch(_NO_POSIX_SHELL, os.path.basename(inputs.shell)):
        remedy = "set it to bash or sh, and write the other program in the script"
        raise InputError(called("shell"), "must be a POSIX shell, which takes a script with -e -c", remedy)
    _check_choice("verify", inputs.verify, ("off", "login", "pull", "push"))
    _check_choice("digest-from", inputs.digest_from, ("tool", "registry"))
    if inputs.skip_existing and inputs.shell:
        raise InputError(
            called("skip-existing"),
            f"cannot be combined with {called('shell')}",
            "leave one of them out: nothing tells what a script writes",
        )
    _check_image(inputs)
    _check_exclude(inputs)
    _check_targets(inputs)


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        *first, last = (f"'{choice}'" for choice in choices)
        raise InputError(called(name), f"must be {', '.join(first)} or {last}")


def _check_image(inputs: Inputs) -> None:
    if inputs.image:
        from registry_config.reference import parse_reference  # noqa: PLC0415  (its grammar takes a while to compile)

        try:
            parse_reference(inputs.image)
        except ValueError as error:
            raise InputError(called("image"), str(error), "write HOST/PATH:TAG or HOST/PATH@DIGEST") from None
        if inputs.keep_logins:
            raise InputError(
                called("keep-logins"), f"cannot be combined with {called('image')}", "leave one of them out"
            )
    elif inputs.use_entrypoint:
        raise InputError(
            called("use-entrypoint"), f"needs {called('image')}", f"set {called('image')}, or leave it out"
        )
    elif inputs.exclude:
        raise InputError(called("exclude"), f"needs {called('image')}", f"set {called('image')}, or leave it out")
    if inputs.use_entrypoint and inputs.shell:
        raise InputError(called("use-entrypoint"), f"cannot be combined with {called('shell')}", "give one of them")


def _check_exclude(inputs: Inputs) -> None:
    for line, pattern in enumerate(inputs.exclude, 1):
        if not pattern.startswith("#") and not re.fullmatch(_GLOB, pattern, re.DOTALL):
            remedy = "close the bracket, or write a backslash before what is to stand for itself"
            raise InputError(numbered("exclude", line), "is not a pattern of dockerignore syntax", remedy)


def _check_targets(inputs: Inputs) -> None:
    _check_placeholder(inputs, TARGET_PLACEHOLDER, "targets", inputs.targets)
    _check_placeholder(inputs, FILE_PLACEHOLDER, "files", inputs.files)
    for line, target in items(inputs, inputs.targets):
        place = numbered("targets", line)
        # A shell may read the command: nothing of a target may mean anything to it.
        if not re.fullmatch(_TARGET, target):
            problem = "is not a reference or the beginning of one"
            remedy = f"write one {either('per line, ', '')}such as ghcr.io/org/charts"
            raise InputError(place, problem, remedy)
        if target in inputs.targets[: line - 1]:
            raise InputError(place, "is a duplicate", "remove it")


def items(inputs: Inputs, values: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Each value of an input, with its line or number; a line may be blank, an option has to name something."""
    return ((number, value) for number, value in enumerate(values, 1) if value or inputs.argv is not None)


def _check_placeholder(inputs: Inputs, placeholder: str, name: str, values: tuple[str, ...]) -> None:
    text = "\n".join(inputs.argv) if inputs.argv is not None else inputs.command
    if values and placeholder not in text:
        remedy = f"write {placeholder} where the {placeholder.strip('{}')} goes"
        raise InputError(called(name), f"the command does not contain {placeholder}", remedy)
    if placeholder in text and not values:
        raise InputError("command", f"contains {placeholder}, but there are no {name}", f"add {called(name)}")


def duration(name: str, text: str) -> float | None:
    """The seconds of a duration such as `90s`, `10m` or `1h`; None where none is written.

    Raises:
        InputError: it is none.
    """
    return parse_duration(name, text) if text.strip() else None


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
    # A line of a text may be blank; an option that is given has to name something.
    is_text = inputs.argv is None
    plain = {}
    for number, line in enumerate(inputs.env, 1):
        if is_text and not line.strip():
            continue
        name, equals, value = line.partition("=")
        place = numbered("env", number)
        name = _name(place, name)
        plain[name] = value if equals else _value(place, name, environ)
    secret = {}
    for number, line in enumerate(inputs.secret_env, 1):
        if is_text and not line.strip():
            continue
        place = numbered("secret-env", number)
        if "=" in line:
            raise InputError(place, "takes a name alone", "write NAME, and set its value in the environment")
        name = _name(place, line)
        secret[name] = _value(place, name, environ)
    return plain, secret


def _name(place: str, text: str) -> str:
    name = text.strip()
    if not re.fullmatch(_NAME, name):
        raise InputError(place, "is not the name of a variable", "write NAME or NAME=value")
    if name in CONFIG_VARIABLES:
        raise InputError(place, f"{name} is set by registry-config itself", "leave it out")
    if name in RUNNER_FILES or name.startswith(PREFIX):
        raise InputError(place, "this variable is the runner's own", "leave it out")
    return name


def _value(place: str, name: str, environ: Mapping[str, str]) -> str:
    if name in environ:
        return environ[name]
    from registry_config.declaration.variables import nearest_variable, set_it  # noqa: PLC0415  (for what is refused)

    near = nearest_variable(name, environ)
    remedy = f"did you mean '{near}'?" if near else set_it()
    raise InputError(place, "no such variable in the environment", remedy)
