"""Settings read from the variables that action.yml sets."""

from __future__ import annotations

import pytest

from registry_config.declaration.inputs import Inputs
from registry_config.errors import InputError
from registry_config.github.inputs import from_action, own_variables, variable
from support.tables import exactly, table


def _action(values: dict[str, str]) -> dict[str, str]:
    return {variable(name): value for name, value in values.items()}


def test_an_input_left_out_has_its_default() -> None:
    environ = _action({"command": "a"})
    assert from_action(environ) == Inputs(
        command="a", github_token="", env=("",), secret_env=("",), hidden_variables=tuple(environ)
    )


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
        hidden_variables=tuple(environ),
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
        targets=("x/1", "", "[::1]:5000/y:2@sha256:a+b", ""),
        max_parallel=64,
        fail_fast=True,
        retries=10,
        dry_run=True,
        env=("",),
        secret_env=("",),
        hidden_variables=tuple(environ),
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


def test_variables_that_carry_inputs_are_known_under_every_name_they_have() -> None:
    ours = {variable("registries"), variable("anything"), "INPUT_GITHUB-TOKEN", "INPUT_GITHUB_TOKEN", "INPUT_COMMAND"}
    others = {"PATH", "INPUT_OTHER", "INPUTS", "COMMAND", "GITHUB_TOKEN", "MY_INPUT_COMMAND"}
    assert set(own_variables(dict.fromkeys(ours | others, ""))) == ours
