"""docs/tools.md says what the table says, and what its tests found out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from support.cli import PROGRAM
from support.oci_tools import RESULTS, TOOLS, locked_versions
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
    (machine.work / "dist").mkdir()
    (machine.work / "dist" / "app.tgz").write_bytes(b"")
    inputs = {f"REGISTRY_CONFIG_INPUT_{key.upper().replace('-', '_')}": str(value) for key, value in step["with"].items()}
    inputs |= {key: "value-of-the-step" for key in step.get("env", {})}
    inputs |= {"REGISTRY_CONFIG_INPUT_DRY_RUN": "true", "REGISTRY_CONFIG_INPUT_GITHUB_TOKEN": "token-of-the-job"}
    done = machine.action(inputs) 
    assert done == 0, PROGRAM
