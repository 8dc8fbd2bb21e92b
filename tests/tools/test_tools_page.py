"""docs/tools.md says what the table says, and what its tests found out."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from registry_config.declaration.inputs import PREFIX
from registry_config.tools.table import known_tool
from support.cli import PROGRAM, tool_path
from support.oci_tools import RESULTS, TOOLS, VARIABLES, locked_versions
from support.tools import need_tools, words_of
from support.tools_page import example, render

if TYPE_CHECKING:
    from support.cli import Machine

_PAGE = Path(__file__).parents[2] / "docs" / "tools.md"
_FOUND = json.loads(RESULTS.read_text())


def test_the_page_is_made_of_the_results() -> None:
    assert _PAGE.read_text() == render(_FOUND)


def test_each_tool_of_the_table_was_tried() -> None:
    assert sorted(_FOUND) == sorted(TOOLS)


@pytest.mark.parametrize("name", TOOLS)
def test_the_results_are_those_of_the_table(name: str) -> None:
    tool, found = TOOLS[name], _FOUND[name]
    locked = locked_versions().get(name.partition(" ")[0], f"v{found['version']}")
    assert found == {
        "host": tool.host,
        **({"image": True} if tool.image else {}),
        "reads": list(tool.reads),
        "tls": tool.host and tool.secure is not None,
        "version": locked.removeprefix("v"),
    }


@pytest.mark.parametrize("name", TOOLS)
def test_the_example_is_a_step_that_the_action_takes(machine: Machine, name: str) -> None:
    (step,) = yaml.safe_load(example(TOOLS[name]))
    need_tools(words_of(step["with"]["command"]), tool_path())
    (machine.work / "dist").mkdir()
    (machine.work / "dist" / "app.tgz").write_bytes(b"")
    # The images' names are made up.
    given = {**step["with"], "dry-run": "true", "github-token": "token-of-the-job", "image": ""}
    inputs = {PREFIX + key.upper().replace("-", "_"): value for key, value in given.items()}
    step_env = {name: f"value-of-{name}" for name in step.get("env", {})} | {"GITHUB_ACTOR": "alice"}
    done = subprocess.run(
        [*PROGRAM, "action"],
        cwd=machine.work,
        env=machine.environ(inputs | step_env),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()


@pytest.mark.parametrize("name", [name for name in TOOLS if name != "oras-py"])
def test_what_check_tells_of_a_tool_is_what_was_found_out(name: str) -> None:
    tool, known = TOOLS[name], known_tool(name.partition(" ")[0])
    assert known
    told = sorted(variable for variable in VARIABLES if variable in known.reads)
    assert (told, not known.on_host) == (sorted(tool.reads), tool.host)
