"""Settings read from the action's environment, and variables declared in them."""

from __future__ import annotations

import pytest

from registry_config.declaration.inputs import (
    PREFIX,
    RUNNER_FILES,
    Inputs,
    check_inputs,
    declared_variables,
    number,
)
from registry_config.docker_config import CONFIG_VARIABLES
from registry_config.errors import InputError
from support.tables import exactly, table


@table(
    "text, least, value",
    {"least": ("0", 0, 0), "most": ("10", 0, 10), "default": (" ", 0, 7), "spaces": (" 3 ", 1, 3)},
)
def test_a_number_has_a_default(text: str, least: int, value: int) -> None:
    assert number("x", text, default=7, most=10, least=least) == value


_NO_TARGET = "is not a reference or the beginning of one; write one per line, such as ghcr.io/org/charts"


@table(
    "inputs, message",
    {
        "on-missing": (Inputs(command="a", on_missing="Skip"), "on-missing: must be 'fail' or 'skip'"),
        "two lists": (
            Inputs(command="a", registries="[]", registries_file="x"),
            "registries-file: cannot be combined with registries; give one of them",
        ),
        "no command": (Inputs(command=" \n"), "command: is empty; write the command to run"),
        "no words": (Inputs(argv=()), "command: is missing; write it after --"),
        "an empty program": (Inputs(argv=("", "a")), "command: is missing; write it after --"),
        "several words for a shell": (
            Inputs(argv=("a", "b"), shell="sh"),  # noqa: S604  (the name of an input)
            "command: must be one script with --shell; quote the whole script after --",
        ),
        "no image reference": (
            Inputs(command="a", image="tool:"),
            "image: is not an image reference such as ghcr.io/org/tool:1.2; write HOST/PATH:TAG or HOST/PATH@DIGEST",
        ),
        "entrypoint of no image": (
            Inputs(command="a", use_entrypoint=True),
            "use-entrypoint: needs image; set image, or leave it out",
        ),
        "nothing to exclude from": (
            Inputs(command="a", exclude=("x",)),
            "exclude: needs image; set image, or leave it out",
        ),
        "entrypoint and shell": (
            Inputs(command="a", image="tool", use_entrypoint=True, shell="sh"),  # noqa: S604  (the name of an input)
            "use-entrypoint: cannot be combined with shell; give one of them",
        ),
        "logins of the runner in an image": (
            Inputs(command="a", image="tool", keep_logins=True),
            "keep-logins: cannot be combined with image; leave one of them out",
        ),
        "targets without a place": (
            Inputs(command="a", targets=("x",)),
            "targets: the command does not contain {target}; write {target} where the target goes",
        ),
        "a place without targets": (
            Inputs(command="a {target}"),
            "command: contains {target}, but there are no targets; add targets",
        ),
        "a place in words without targets": (
            Inputs(argv=("a", "x{target}y")),
            "command: contains {target}, but there are no targets; add targets",
        ),
        "the same target twice": (
            Inputs(command="{target}", targets=("x", "y", "x")),
            "targets (line 3): is a duplicate; remove it",
        ),
        "no target": (
            Inputs(command="{target}", targets=("x", "$(id)")),
            f"targets (line 2): {_NO_TARGET}",
        ),
        **{
            f"{name} as a shell": (
                Inputs(command="a", shell=name),
                (
                    "shell: must be a POSIX shell, which takes a script with -e -c; "
                    "set it to bash or sh, and write the other program in the script"
                ),
            )
            for name in ("python", "/usr/bin/python3.12", "pwsh", "powershell.exe")
        },
        "options of a shell": (
            Inputs(command="a", shell="bash -x"),  # noqa: S604  (the name of an input)
            "shell: must be one program, without options; write its name alone, such as bash",
        ),
    },
)
def test_a_contradiction_is_refused(inputs: Inputs, message: str) -> None:
    with pytest.raises(InputError, match=exactly(message)):
        check_inputs(inputs)


@table(
    "inputs",
    {
        "command": Inputs(command="a"),
        "words": Inputs(argv=("a", "b")),
        "an empty word": Inputs(argv=("a", "")),
        "one script": Inputs(argv=("a b",), shell="/bin/bash"),  # noqa: S604  (the name of an input)
        "skip": Inputs(command="a", on_missing="skip"),
        "image": Inputs(command="a", image="tool", use_entrypoint=True, exclude=("x",)),
        "targets": Inputs(argv=("a", "{target}"), targets=("a.example:5000/x:1", "[::1]/x+y_z-1", "A/b@sha256:c")),
    },
)
def test_what_does_not_contradict_passes(inputs: Inputs) -> None:
    check_inputs(inputs)


@table(
    "pattern, is_one",
    {
        "an open class": ("[a", False),
        "an empty class": ("a[]", False),
        "an empty class, negated": ("[^]b", False),
        "half a range": ("[a-]", False),
        "a backslash at the end": ("a\\", False),
        "a backslash at the end of a class": ("[a\\", False),
        "a class": ("[^a-z0-9]*/**/?", True),
        "a bracket by itself": ("a\\[", True),
        "a closing bracket": ("a]", True),
        "a bracket in a class": ("[\\]]", True),
        "negated": ("!**/*.log", True),
        "a comment": ("# [", True),
        "nothing": ("", True),
    },
)
def test_a_pattern_that_the_engine_would_not_take_is_refused(pattern: str, *, is_one: bool) -> None:
    inputs = Inputs(command="a", image="tool", exclude=("x", pattern))
    if is_one:
        check_inputs(inputs)
        return
    remedy = "close the bracket, or write a backslash before what is to stand for itself"
    with pytest.raises(
        InputError, match=exactly(f"exclude (line 2): is not a pattern of dockerignore syntax; {remedy}")
    ):
        check_inputs(inputs)


def test_env_takes_values_from_the_line_or_from_the_step() -> None:
    inputs = Inputs(
        env=("A=1", "", " B = x=y ", "C", "  D  ", "E="),
        secret_env=(" S ", "", "T"),
    )
    environ = {"C": "see", "D": "dee", "S": "hidden", "T": "", "A": "not this"}
    assert declared_variables(inputs, environ) == (
        {"A": "1", "B": " x=y ", "C": "see", "D": "dee", "E": ""},
        {"S": "hidden", "T": ""},
    )


@table(
    "line, message",
    {
        "no name": ("=x", "is not the name of a variable; write NAME or NAME=value"),
        "digit first": ("1A=x", "is not the name of a variable; write NAME or NAME=value"),
        "dash": ("A-B=x", "is not the name of a variable; write NAME or NAME=value"),
        "wide letter": ("Ä=x", "is not the name of a variable; write NAME or NAME=value"),
        "no such": (
            "QUITE_ANOTHER",
            "no such variable in the environment; set it under env of the step",
        ),
        "nearly": ("HARBOR_TOKN", "no such variable in the environment; did you mean 'HARBOR_TOKEN'?"),
        **{name: (f"{name}=x", f"{name} is set by registry-config itself; leave it out") for name in CONFIG_VARIABLES},
        **{
            name: (f"{name}=x", "this variable is the runner's own; leave it out")
            for name in (*RUNNER_FILES, f"{PREFIX}COMMAND")
        },
    },
)
def test_a_wrong_line_is_named_by_its_number(line: str, message: str) -> None:
    environ = {"HARBOR_TOKEN": "", "OK": ""}
    with pytest.raises(InputError, match=exactly(f"env (line 3): {message}")):
        declared_variables(Inputs(env=("OK", "", line)), environ)
    with pytest.raises(InputError, match=exactly(f"secret-env (line 2): {message}")):
        declared_variables(Inputs(secret_env=("OK", line.partition("=")[0] or "-")), environ)


def test_secret_env_takes_no_value() -> None:
    message = "secret-env (line 1): takes a name alone; write NAME, and set its value in the environment"
    with pytest.raises(InputError, match=exactly(message)):
        declared_variables(Inputs(secret_env=("A=b",)), {"A": "b"})


def test_the_representation_shows_nothing() -> None:
    assert repr(Inputs(registries="hunter2", github_token="hunter2")) == "Inputs(…)"
