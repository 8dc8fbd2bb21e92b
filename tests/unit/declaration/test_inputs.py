"""Settings read from the action's environment, and variables declared in them."""

from __future__ import annotations

import pytest

from registry_config.declaration.inputs import (
    PREFIX,
    RUNNER_FILES,
    Inputs,
    check,
    declared_variables,
    from_action,
    number,
    own_variables,
    variable,
)
from registry_config.docker_config import CONFIG_VARIABLES
from registry_config.errors import InputError
from support.tables import exactly, table


def _action(values: dict[str, str]) -> dict[str, str]:
    return {variable(name): value for name, value in values.items()}


def test_an_input_left_out_has_its_default() -> None:
    assert from_action(_action({"command": "a"})) == Inputs(command="a", github_token="", env=("",), secret_env=("",))


def test_every_input_of_a_run_on_this_machine_is_read() -> None:
    environ = _action(
        {
            "registries": "[]",
            "registries-file": "",
            "github-token": "tok",
            "command": " a\nb ",
            "shell": " bash\n",
            "working-directory": " sub ",
            "env": "A=1\r\nB\n",
            "secret-env": "C\nD",
            "on-missing": " skip ",
            "keep-logins": "true",
            "summary": "false",
        }
    )
    assert from_action(environ) == Inputs(  # noqa: S604  (the name of an input)
        registries="[]",
        registries_file="",
        github_token="tok",
        command=" a\nb ",
        argv=None,
        shell="bash",
        working_directory="sub",
        env=("A=1", "B", ""),
        secret_env=("C", "D"),
        on_missing="skip",
        keep_logins=True,
        summary=False,
    )


def test_every_input_of_a_run_in_an_image_is_read() -> None:
    environ = _action(
        {
            "registries-file": " list.yaml ",
            "image": " a.example/tool:1 ",
            "command": "a {target}",
            "use-entrypoint": " true ",
            "exclude": "a\n\n  b/** \r\n*\u2028*",
            "targets": " x/1 \r\n\n[::1]:5000/y:2@sha256:a+b\n",
            "max-parallel": " 64 ",
            "fail-fast": "true",
            "retries": "010",
            "dry-run": "true",
            "keep-logins": "false",
            "summary": "",
        }
    )
    assert from_action(environ) == Inputs(
        registries_file="list.yaml",
        github_token="",
        image="a.example/tool:1",
        command="a {target}",
        use_entrypoint=True,
        exclude=("a", "b/**", "*\u2028*"),
        targets=("x/1", "[::1]:5000/y:2@sha256:a+b"),
        max_parallel=64,
        fail_fast=True,
        retries=10,
        dry_run=True,
        env=("",),
        secret_env=("",),
    )


def test_a_line_of_env_ends_at_a_newline_and_at_nothing_else() -> None:
    value = "A=x\u2028B=1\x0bC=2\x0cD=3\x1cE=4\x85F=5\rG=6"
    assert from_action(_action({"command": "a", "env": f"{value}\nZ=7"})).env == (value, "Z=7")


@pytest.mark.parametrize("name", ["keep-logins", "summary", "use-entrypoint", "fail-fast", "dry-run"])
@pytest.mark.parametrize("text", ["True", "FALSE", "yes", "no", "1", "0", "on", "null", "tru e"])
def test_a_boolean_is_true_or_false_only(name: str, text: str) -> None:
    with pytest.raises(InputError, match=exactly(f"{name}: must be true or false")):
        from_action(_action({"command": "a", name: text}))


@pytest.mark.parametrize("text", ["-1", "+1", "1.0", "1e1", "0x1", "one", "1 2", "\u0661", "99999", "true"])
@table("name, bounds", {"max-parallel": ("max-parallel", "1 to 64"), "retries": ("retries", "0 to 10")})
def test_a_number_is_whole_and_within_its_bounds(name: str, bounds: str, text: str) -> None:
    with pytest.raises(InputError, match=exactly(f"{name}: must be a whole number from {bounds}")):
        from_action(_action({"command": "a", name: text}))


@table(
    "text, least, value",
    {"least": ("0", 0, 0), "most": ("10", 0, 10), "default": (" ", 0, 7), "spaces": (" 3 ", 1, 3)},
)
def test_a_number_has_a_default(text: str, least: int, value: int) -> None:
    assert number("x", text, default=7, most=10, least=least) == value


@table(
    "inputs, message",
    {
        "on-missing": (Inputs(command="a", on_missing="Skip"), "on-missing: must be 'fail' or 'skip'"),
        "two lists": (
            Inputs(command="a", registries="[]", registries_file="x"),
            "registries-file: stands beside registries; give one of them",
        ),
        "no command": (Inputs(command=" \n"), "command: is empty; write the command to run"),
        "no words": (Inputs(argv=()), "command: is missing; write it after --"),
        "several words for a shell": (
            Inputs(argv=("a", "b"), shell="sh"),  # noqa: S604  (the name of an input)
            "command: must be one script with --shell; quote the whole script after --",
        ),
        "no image reference": (
            Inputs(command="a", image="Tool"),
            "image: is not an image reference such as ghcr.io/org/tool:1.2",
        ),
        "entrypoint of no image": (Inputs(command="a", use_entrypoint=True), "use-entrypoint: needs image"),
        "nothing to exclude from": (Inputs(command="a", exclude=("x",)), "exclude: needs image"),
        "entrypoint and shell": (
            Inputs(command="a", image="tool", use_entrypoint=True, shell="sh"),  # noqa: S604  (the name of an input)
            "use-entrypoint: stands beside shell; give one of them",
        ),
        "logins of the runner in an image": (
            Inputs(command="a", image="tool", keep_logins=True),
            "keep-logins: has no meaning with image; leave it out",
        ),
        "targets without a place": (
            Inputs(command="a", targets=("x",)),
            "targets: the command does not hold {target}; write {target} where the target goes",
        ),
        "a place without targets": (
            Inputs(command="a {target}"),
            "command: holds {target}, but there are no targets; add targets",
        ),
        "a place in words without targets": (
            Inputs(argv=("a", "x{target}y")),
            "command: holds {target}, but there are no targets; add targets",
        ),
        "the same target twice": (
            Inputs(command="{target}", targets=("x", "y", "x")),
            "targets (line 3): stands there before; keep one of them",
        ),
        "no target": (
            Inputs(command="{target}", targets=("x", "$(id)")),
            "targets (line 2): is not a reference or the beginning of one",
        ),
        "options of a shell": (
            Inputs(command="a", shell="bash -x"),  # noqa: S604  (the name of an input)
            "shell: must be one program, without options; sh and bash get -e from us",
        ),
    },
)
def test_a_contradiction_is_refused(inputs: Inputs, message: str) -> None:
    with pytest.raises(InputError, match=exactly(message)):
        check(inputs)


@table(
    "inputs",
    {
        "command": Inputs(command="a"),
        "words": Inputs(argv=("a", "b")),
        "an empty word": Inputs(argv=("",)),
        "one script": Inputs(argv=("a b",), shell="/bin/bash"),  # noqa: S604  (the name of an input)
        "skip": Inputs(command="a", on_missing="skip"),
        "image": Inputs(command="a", image="tool", use_entrypoint=True, exclude=("x",)),
        "targets": Inputs(argv=("a", "{target}"), targets=("a.example:5000/x:1", "[::1]/x+y_z-1", "A/b@sha256:c")),
    },
)
def test_what_does_not_contradict_passes(inputs: Inputs) -> None:
    check(inputs)


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
        "no such": ("QUITE_ANOTHER", "no such variable in the environment; set it in the step's env"),
        "nearly": ("HARBOR_TOKN", "no such variable in the environment; did you mean 'HARBOR_TOKEN'?"),
        **{name: (f"{name}=x", f"{name} is set by this action; leave it out") for name in CONFIG_VARIABLES},
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
    message = "secret-env (line 1): takes a name alone; set the value in the step's env"
    with pytest.raises(InputError, match=exactly(message)):
        declared_variables(Inputs(secret_env=("A=b",)), {"A": "b"})


def test_variables_that_carry_inputs_are_known_under_every_name_they_have() -> None:
    ours = {variable("registries"), variable("anything"), "INPUT_GITHUB-TOKEN", "INPUT_GITHUB_TOKEN", "INPUT_COMMAND"}
    others = {"PATH", "INPUT_OTHER", "INPUTS", "COMMAND", "GITHUB_TOKEN", "MY_INPUT_COMMAND"}
    assert set(own_variables(dict.fromkeys(ours | others, ""))) == ours


def test_the_representation_shows_nothing() -> None:
    assert repr(Inputs(registries="hunter2", github_token="hunter2")) == "Inputs(…)"
