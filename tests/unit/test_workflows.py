"""What the workflows and the examples promise, and what GitHub would refuse in them, told from their text."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from registry_config.github.event import read_origin
from registry_config.github.inputs import from_action, variable
from registry_config.job import prepare
from support.action import ROOT
from support.tables import table
from support.workflows import EXAMPLES, WORKFLOWS, load

if TYPE_CHECKING:
    from collections.abc import Iterator

_ALL = {path.relative_to(ROOT).as_posix(): path for path in (*WORKFLOWS, *EXAMPLES)}
_CALLED = {path.name: path for path in WORKFLOWS if "workflow_call" in load(path)["on"]}
_OURS = "org/registry-config-action"
# Where a called workflow checks out the action of its own commit.
_OWN_COMMIT = "./.registry-config-action"
_LEVELS = ("none", "read", "write")
_EXPRESSION = re.compile(r"\$\{\{.*?\}\}", re.DOTALL)
every_workflow = table("path", _ALL)
every_called = table("path", _CALLED)


def _jobs(path: Path) -> dict[str, dict[str, Any]]:
    jobs: dict[str, dict[str, Any]] = load(path)["jobs"]
    return jobs


def _steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in _jobs(path).values():
        yield from job.get("steps", [])


def _uses_of_ours(path: Path) -> list[dict[str, Any]]:
    return [step for step in _steps(path) if step.get("uses", "") in {f"{_OURS}@v1", "./", _OWN_COMMIT}]


def test_the_gate_waits_for_every_other_job_and_runs_whatever_came_of_them() -> None:
    jobs = _jobs(ROOT / ".github/workflows/ci.yml")
    gate = jobs.pop("all-passed")
    assert (gate["if"], gate["needs"]) == ("always()", list(jobs))


@pytest.mark.parametrize("result", ["success", "failure", "cancelled", "skipped"])
def test_the_gate_opens_for_success_alone(result: str) -> None:
    (step,) = _jobs(ROOT / ".github/workflows/ci.yml")["all-passed"]["steps"]
    needs = json.dumps({"check": {"result": "success"}, "test": {"result": result}})
    ended = subprocess.run(["bash", "-ec", step["run"]], env={"PATH": "/usr/bin:/bin", "NEEDS": needs}, check=False)
    assert (ended.returncode == 0) == (result == "success")


@every_workflow
def test_nothing_is_permitted_but_by_job(path: Path) -> None:
    assert load(path)["permissions"] == {}
    assert [name for name, job in _jobs(path).items() if "permissions" not in job] == []


@every_workflow
def test_every_job_ends_and_no_checkout_leaves_its_token(path: Path) -> None:
    assert [name for name, job in _jobs(path).items() if "uses" not in job and "timeout-minutes" not in job] == []
    checkouts = [step for step in _steps(path) if step.get("uses", "").startswith("actions/checkout@")]
    assert [step["with"]["persist-credentials"] for step in checkouts] == ["false"] * len(checkouts)


@every_workflow
def test_runs_of_a_workflow_that_is_not_called_are_limited(path: Path) -> None:
    workflow = load(path)
    assert ("concurrency" in workflow) == (list(workflow["on"]) != ["workflow_call"])


def test_every_action_is_pinned_to_one_commit_with_its_version() -> None:
    pins: dict[str, set[str]] = {}
    for path in _ALL.values():
        for line in re.findall(r"uses: (.+)", _without_comment_lines(path)):
            name, _, pin = line.partition("@")
            pins.setdefault(name, set()).add(pin)
    own = {name: pins.pop(name) for name in list(pins) if name.startswith(("./", _OURS))}
    assert {pin for found in own.values() for pin in found} <= {"", "v1"}
    assert [name for name, found in pins.items() if len(found) != 1] == []
    pattern = r"[0-9a-f]{40} # v\d+\.\d+\.\d+"
    assert [name for name, (pin,) in pins.items() if not re.fullmatch(pattern, pin)] == []


def test_every_image_that_a_workflow_brings_is_pinned_by_digest() -> None:
    images = {
        default
        for path in _CALLED.values()
        for name, declared in load(path)["on"]["workflow_call"]["inputs"].items()
        if name.endswith("image") and (default := declared.get("default"))
    }
    assert len(images) >= len({"helm", "oras", "regctl", "cosign"})
    assert [image for image in images if not re.fullmatch(r"[\w./-]+:[\w.]+@sha256:[0-9a-f]{64}", image)] == []


@every_workflow
def test_steps_give_the_action_inputs_that_it_has_and_read_outputs_that_it_has(path: Path) -> None:
    action = load(ROOT / "action.yml")
    required = {name for name, entry in action["inputs"].items() if entry.get("required") == "true"}
    for step in _uses_of_ours(path):
        assert required <= set(step["with"]) <= set(action["inputs"])
        if "id" in step:
            read = set(re.findall(rf"steps\.{step['id']}\.outputs\.([\w-]+)", path.read_text()))
            assert read <= set(action["outputs"])


@table("path", {path.stem: path for path in EXAMPLES if _uses_of_ours(path)})
def test_the_action_takes_what_an_example_gives_it(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("dist/app-1.2.3.tgz", "digests/of-one"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("")
    for step in _uses_of_ours(path):
        given = {name: _EXPRESSION.sub("expression", value) for name, value in step["with"].items()}
        own = {variable(name): value for name, value in given.items()}
        named = re.findall(r"password-env: (\w+)", given["registries"])
        assert set(named) <= set(step.get("env", {}))
        # What GitHub sets beside the step's own variables.
        runner = {
            "GITHUB_ACTOR": "octocat",
            "GITHUB_SERVER_URL": "https://github.com",
            "ACTIONS_ID_TOKEN_REQUEST_URL": "https://token.actions.example",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "identity-31415926535",
        }
        values = dict.fromkeys(step.get("env", {}), "value") | {name: f"secret-of-{name}" for name in named}
        own[variable("github-token")] = "token-27182818284"
        job = prepare(from_action(own), read_origin(runner), own | runner | values)
        assert (job.skip_reason, len(job.plans[0].commands) > 0) == ("", True)


@every_called
def test_every_step_that_has_the_list_of_registries_has_every_password(path: Path) -> None:
    declared = {name for name in load(path)["on"]["workflow_call"]["secrets"] if name.startswith("TOKEN_")}
    assert declared == {f"TOKEN_{number}" for number in range(1, 7)}
    steps = _uses_of_ours(path)
    assert steps
    for step in steps:
        assert step["with"]["registries"] == "${{ inputs.registries }}"
        assert {name: step["env"][name] for name in declared} == {
            name: f"${{{{ secrets.{name} }}}}" for name in declared
        }


@every_called
def test_a_called_workflow_runs_the_action_of_its_own_commit(path: Path) -> None:
    for job in _jobs(path).values():
        used = [step.get("uses", "").partition("@")[0] for step in job["steps"]]
        assert _OURS not in used
        if _OWN_COMMIT in used:
            own = [step["with"] for step in job["steps"] if step.get("with", {}).get("path")]
            assert [(one["path"], one["repository"], one["ref"]) for one in own] == [
                (_OWN_COMMIT.removeprefix("./"), "${{ job.workflow_repository }}", "${{ job.workflow_sha }}")
            ]
            assert "actions/checkout" in used[: used.index(_OWN_COMMIT)]
            for step in job["steps"]:
                if step.get("uses") == _OWN_COMMIT:
                    assert ".registry-config-action" in step["with"]["exclude"]


@every_called
def test_the_call_in_a_comment_is_one_that_github_takes(path: Path, tmp_path: Path) -> None:
    comment = path.read_text().partition("\nname:")[0].partition("cosign verify")[0]
    written = tmp_path / "call.yml"
    written.write_text("\n".join(line[4:] for line in comment.splitlines() if line.startswith("#   ")))
    (call,) = load(written).values()
    _check_call(call)
    assert call["uses"] == f"{_OURS}/.github/workflows/{path.name}@v1"


@table("path", {path.stem: path for path in EXAMPLES if "secrets" in path.read_text()})
def test_an_example_calls_a_workflow_as_github_takes_it(path: Path) -> None:
    for job in _jobs(path).values():
        if "uses" in job:
            _check_call(job)


def test_examples_are_without_findings_of_zizmor() -> None:
    program = str(Path(sys.executable).with_name("zizmor"))
    options = [
        "--offline",
        "--quiet",
        "--color",
        "never",
        "--persona",
        "pedantic",
        "--config",
        str(ROOT / ".github/zizmor.yml"),
    ]
    ended = subprocess.run([program, *options, *map(str, EXAMPLES)], capture_output=True, check=False)
    assert (ended.returncode, ended.stdout.decode().partition(".")[0]) == (0, "No findings to report")


def test_the_index_names_every_example_and_every_called_workflow() -> None:
    index = (ROOT / "examples/README.md").read_text()
    assert set(re.findall(r"\(([\w./-]+\.yml)\)", index)) == {
        *(path.name for path in EXAMPLES),
        *(f"../.github/workflows/{name}" for name in _CALLED),
    }


def _check_call(call: dict[str, Any]) -> None:
    """What GitHub checks before any job begins: inputs, secrets, and that no job asks for more than is granted."""
    name = call["uses"].removeprefix(f"{_OURS}/.github/workflows/").removesuffix("@v1")
    interface = load(_CALLED[name])["on"]["workflow_call"]
    required = {name for name, entry in interface["inputs"].items() if entry.get("required") == "true"}
    assert required <= set(call["with"]) <= set(interface["inputs"])
    assert set(call["secrets"]) <= set(interface["secrets"])
    granted = call["permissions"]
    for job in _jobs(_CALLED[name]).values():
        for scope, level in job["permissions"].items():
            assert _LEVELS.index(granted.get(scope, "none")) >= _LEVELS.index(level), (name, scope)


def _without_comment_lines(path: Path) -> str:
    return "\n".join(line for line in path.read_text().splitlines() if not line.lstrip().startswith("#"))
