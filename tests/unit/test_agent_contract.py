"""What agent/action.yml, its code and its page say must agree."""

from __future__ import annotations

from typing import Any

import pytest

from registry_config.github.inputs import variable
from support.action import ROOT
from support.workflows import load


@pytest.fixture(scope="module")
def agent() -> dict[str, Any]:
    return load(ROOT / "agent/action.yml")


def _start(agent: dict[str, Any]) -> dict[str, Any]:
    (step,) = (step for step in agent["runs"]["steps"] if step["id"] == "start")
    return dict(step)


def test_every_input_is_described_handed_over_and_explained(agent: dict[str, Any]) -> None:
    names = list(agent["inputs"])
    handed = {name: value for name, value in _start(agent)["env"].items() if "inputs." in value}
    assert handed == {variable(name): f"${{{{ inputs.{name} }}}}" for name in names}
    assert [name for name, entry in agent["inputs"].items() if not entry["description"].strip()] == []
    page = (ROOT / "docs/agent.md").read_text()
    assert [name for name in names if f"| `{name}` |" not in page] == []


def test_what_both_actions_take_has_the_same_default(agent: dict[str, Any]) -> None:
    action = load(ROOT / "action.yml")["inputs"]
    common = set(action) & set(agent["inputs"])
    assert {name: agent["inputs"][name].get("default") for name in common} == {
        name: action[name].get("default") for name in common
    }


def test_it_is_set_up_and_started_as_the_action_is(agent: dict[str, Any]) -> None:
    ours = {step["id"]: step for step in load(ROOT / "action.yml")["runs"]["steps"]}
    setup, start = agent["runs"]["steps"]
    assert [step["shell"] for step in (setup, start)] == [ours[name]["shell"] for name in ("setup", "run")]
    assert start["run"] == ours["run"]["run"].replace(" action ", " agent action ")
    assert setup["run"].splitlines()[-1] == ours["setup"]["run"]
    assert [step["run"] for step in (setup, start) if "${{" in step["run"]] == []
