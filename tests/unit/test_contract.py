"""What several files say must agree: read from the files themselves."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from registry_config.declaration.inputs import Inputs
from registry_config.github.inputs import from_action, variable
from registry_config.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parents[2]
# A reusable workflow of ours names this action by its version: no commit can hold its own name.
_PINNED = re.compile(
    r"uses: +(?:\./\S*|org/registry-config-action@v\d+|[\w.-]+(?:/[\w.-]+)+@[0-9a-f]{40} +# v?\d+(?:\.\d+)*)$"
)


@pytest.fixture(scope="module")
def action() -> dict[str, Any]:
    """action.yml; `BaseLoader` leaves every value a text, as the runner does."""
    loaded: dict[str, Any] = yaml.load((_ROOT / "action.yml").read_text(), Loader=yaml.BaseLoader)  # noqa: S506
    return loaded


# What only the code hands over.
_INTERNAL = {"argv", "hidden_variables", "excluded_files", "stdin_is_ours", "verbose", "quiet"}


def _names() -> list[str]:
    """The inputs by their public names."""
    return [field.replace("_", "-") for field in Inputs._fields if field not in _INTERNAL]


def test_action_yml_has_the_inputs_of_the_code_in_their_order(action: dict[str, Any]) -> None:
    assert list(action["inputs"]) == _names()


def test_action_yml_hands_over_every_input_and_nothing_else(action: dict[str, Any]) -> None:
    (run,) = (step for step in action["runs"]["steps"] if step.get("id") == "run")
    handed = {name: value for name, value in run["env"].items() if "inputs." in value}
    assert handed == {variable(name): f"${{{{ inputs.{name} }}}}" for name in _names()}


def test_defaults_of_action_yml_are_those_of_the_code(action: dict[str, Any]) -> None:
    defaults = {variable(name): entry.get("default", "") for name, entry in action["inputs"].items()}
    given = {variable("command"): "x", variable("github-token"): ""}
    told, left_out = (from_action(environ)._replace(hidden_variables=()) for environ in (defaults | given, given))
    assert told == left_out


def test_every_input_and_output_is_described(action: dict[str, Any]) -> None:
    entries = {**action["inputs"], **action["outputs"]}
    assert [name for name, entry in entries.items() if not entry.get("description", "").strip()] == []


def test_action_yml_has_the_outputs_of_the_report(action: dict[str, Any]) -> None:
    expected = {name: f"${{{{ steps.run.outputs.{name} }}}}" for name in Report().outputs()}
    assert {name: entry["value"] for name, entry in action["outputs"].items()} == expected


@pytest.mark.parametrize("page", ["README.md", "docs/inputs.md"])
def test_a_page_has_a_row_for_every_input_and_output(page: str, action: dict[str, Any]) -> None:
    text = (_ROOT / page).read_text()
    assert [list(rows) for rows in _tables(text, "input")] == [_names()]
    assert [list(rows) for rows in _tables(text, "output")] == [list(Report().outputs())]
    (rows,) = _tables(text, "input")
    for name, entry in action["inputs"].items():
        default = f"`{entry['default']}`" if "default" in entry else ""
        if entry.get("required") == "true":
            default = "required"
        assert rows[name] == default


def _tables(text: str, header: str) -> Iterator[dict[str, str]]:
    """The names in the first column of each table whose first column has this header, with the second column."""
    for match in re.finditer(rf"^\| *{header} *\|.*\n\|[ :|-]+\n((?:\|.*\n?)*)", text, re.MULTILINE | re.IGNORECASE):
        yield dict(re.findall(r"^\| *`([\w-]+)` *\| *(.*?) *\|", match[1], re.MULTILINE))


def test_no_expression_stands_inside_of_a_script(action: dict[str, Any]) -> None:
    scripts = [step["run"] for step in action["runs"]["steps"] if "run" in step]
    assert scripts
    assert [script for script in scripts if "${{" in script] == []


@pytest.mark.parametrize("file", ["action.yml", "agent/action.yml"])
def test_no_bash_of_ours_runs_code_that_a_variable_names(file: str) -> None:
    steps = yaml.load((_ROOT / file).read_text(), Loader=yaml.BaseLoader)["runs"]["steps"]  # noqa: S506
    assert [step["shell"] for step in steps] == ["bash -p -e -o pipefail {0}"] * len(steps)


def test_every_action_that_is_used_is_pinned_to_a_commit_with_its_version() -> None:
    files = [_ROOT / "action.yml", *sorted((_ROOT / ".github/workflows").glob("*.y*ml"))]
    lines = [f"{file.name}: {line.strip()}" for file in files for line in file.read_text().splitlines()]
    used = [line for line in lines if re.search(r"^\S+ (?:- )?uses:", line)]
    assert [line for line in used if not _PINNED.search(line)] == []


@pytest.mark.parametrize("module", ["registry_config", "registry_config.__main__"])
def test_importing_brings_neither_dagger_nor_a_loop_of_events(module: str) -> None:
    unwanted = {"dagger", "asyncio", "argparse"} | ({"yaml", "json"} if module == "registry_config" else set())
    program = f"import sys, {module}; print(*sorted({unwanted} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=60)
    assert done.stdout == b"\n"
