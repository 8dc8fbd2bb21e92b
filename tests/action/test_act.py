"""Whole workflows, run by act on this machine: what a user writes, and what the steps after it get."""

from __future__ import annotations

import base64
import json
import shutil
from typing import TYPE_CHECKING

import pytest

from support.act import ACTION, ACTOR
from support.artifacts import layout_digest
from support.leaks import search
from support.runner import Command

if TYPE_CHECKING:
    from pathlib import Path

    from support.act import Act, ActDone
    from support.registry import Pair

_DECLARED = """\
- registry: {first}
  username: alice
  password: ${{{{ toJSON(secrets.ALICE) }}}}
- registry: {second}
  username: bob
  password-env: BOB
"""


@pytest.fixture
def declared(registries: Pair) -> str:
    return _DECLARED.format(first=registries.first.address, second=registries.second.address)


@pytest.fixture
def secrets(registries: Pair) -> dict[str, str]:
    return {"ALICE": registries.first.users["alice"], "BOB": registries.second.users["bob"]}


def _step(registries: str, command: str, **inputs: str) -> dict[str, object]:
    return {"id": "it", "uses": ACTION, "with": {"registries": registries, "command": command, **inputs}}


def _outcome(done: ActDone, step: str = "it") -> tuple[int, str]:
    """The job's exit code, and how the step ended."""
    return done.code, done.steps[step]["outcome"]


def _errors(done: ActDone, step: str = "it") -> list[Command]:
    return [command for command in done.commands(step) if command.name != "add-mask"]


def _error(message: str, level: str = "error") -> Command:
    return Command(level, message, {"title": "registry-config"})


def test_one_step_pushes_to_two_registries_and_the_next_reads_the_digest(
    act: Act, registries: Pair, layout: Path, declared: str, secrets: dict[str, str]
) -> None:
    shutil.copytree(layout, act.repository / "layout")
    first, second = (f"{registry.address}/act/app" for registry in registries)
    command = f"""
      # the layout lies in the repository
      skopeo copy --quiet --dest-tls-verify=false oci:layout:1 docker://{first}:1
      oras copy --from-plain-http --to-plain-http {first}:1 \\
        {second}:1
    """
    push = _step(declared, command) | {"env": {"BOB": "${{ secrets.BOB }}"}}
    pull = push | {
        "id": "next",
        "with": {
            "registries": declared,
            "command": "crane manifest --insecure ${REFERENCE}",
            "env": f"REFERENCE={second}@${{{{ steps.it.outputs.digest }}}}",
        },
    }
    done = act.run(push, pull, secrets=secrets)
    digest = layout_digest(layout)
    assert [_outcome(done), _outcome(done, "next")] == [(0, "success")] * 2
    outputs = done.steps["it"]["outputs"]
    assert {name: outputs[name] for name in ("exit-code", "digest", "digests", "skipped")} == {
        "exit-code": "0",
        "digest": digest,
        "digests": json.dumps([digest]),
        "skipped": "false",
    }
    assert f"Digest: {digest}\n" in outputs["stdout"]
    manifest = (layout / "blobs" / digest.replace(":", "/")).read_text()
    assert done.steps["next"]["outputs"]["stdout"] == manifest
    assert [registry.digest("act/app", "1") for registry in registries] == [digest] * 2
    assert f"Digest: <code>{digest.replace(':', '&#58;')}</code>" in done.summaries("it")[0]
    for user, secret in (("alice", secrets["ALICE"]), ("bob", secrets["BOB"])):
        # act's own log of a mask holds what is masked.
        shown = [event for event in done.events if event.get("command") != "add-mask"]
        places: dict[str, bytes | Path] = {"log": json.dumps(shown).encode(), "home": act.home}
        assert search(places, secret, user) == []


def test_the_repository_may_be_the_action_itself(
    act: Act, project: Path, registries: Pair, declared: str, secrets: dict[str, str]
) -> None:
    shutil.copytree(project, act.repository)
    step = _step(declared, f"crane catalog --insecure {registries.first.address}")
    step |= {"uses": "./", "env": {"BOB": "${{ secrets.BOB }}"}}
    assert _outcome(act.run(step, secrets=secrets)) == (0, "success")


def test_ghcr_io_takes_the_token_of_the_job(act: Act) -> None:
    copy = act.root / "copy.json"
    step = _step("- registry: ghcr.io", 'cp "$DOCKER_CONFIG/config.json" "$COPY"', shell="bash")  # noqa: S604  (an input)
    done = act.run(step | {"env": {"COPY": str(copy)}}, secrets={"GITHUB_TOKEN": "ghs_0123456789"})
    pair = base64.b64encode(f"{ACTOR}:ghs_0123456789".encode()).decode()
    assert (_outcome(done), json.loads(copy.read_bytes())) == ((0, "success"), {"auths": {"ghcr.io": {"auth": pair}}})


def test_a_failing_tool_fails_the_job_unless_it_may_and_its_exit_code_is_an_output(act: Act) -> None:
    step = _step("[]", "echo ${A} *.txt 'a  b'\nsh -c 'exit 3'\necho no", env="A=${{ 'x *' }}\n")
    act.repository.mkdir()
    (act.repository / "b.txt").touch()
    may = step | {"id": "may", "continue-on-error": True}
    done = act.run(may, step)
    assert [_outcome(done, "may"), _outcome(done)] == [(1, "failure")] * 2
    for name in ("may", "it"):
        outputs = done.steps[name]["outputs"]
        assert (outputs["exit-code"], outputs["stdout"]) == ("3", "x * b.txt a  b\n")
        assert _errors(done, name) == [_error("command 2 of 3 failed with exit code 3: sh -c 'exit 3'")]
    assert done.steps["may"]["conclusion"] == "success"


def test_a_bad_input_fails_the_job_before_anything_starts(act: Act) -> None:
    started = act.root / "started"
    step = _step("- registry: ghcr.io\n  password-env: TOKEN", f"touch {started}")
    done = act.run(step)
    problem = "registries[0] (line 1): 'username' is missing; add it: the password alone is no login"
    assert (_outcome(done), _errors(done), done.lines("it")) == ((1, "failure"), [_error(problem)], [])
    assert (done.steps["it"]["outputs"]["exit-code"], started.exists()) == ("", False)


def test_where_secrets_are_empty_the_step_may_be_skipped(act: Act) -> None:
    started = act.root / "started"
    registries = "- {registry: a.example.com, username: alice, password: ${{ toJSON(secrets.ALICE) }} }"
    done = act.run(_step(registries, f"touch {started}", **{"on-missing": "skip"}))
    empty = "registries[0].password (line 1): the password for a.example.com is empty"
    problem = f"{empty}; nothing was run (on-missing: skip)"
    assert (_outcome(done), _errors(done)) == ((0, "success"), [_error(problem, "notice")])
    outputs = done.steps["it"]["outputs"]
    assert (outputs["skipped"], outputs["exit-code"], started.exists()) == ("true", "", False)


def test_what_a_tool_prints_sets_nothing(act: Act) -> None:
    forged = (
        "::set-output name=digest::x\n::add-mask::e\n::error::x\n::stop-commands::0123456789\n::set-env name=A::b\n"
    )
    act.repository.mkdir()
    (act.repository / "forged").write_text(forged)
    done = act.run(_step("[]", "cat forged\nsh -c 'cat forged >&2'"), {"id": "after", "run": "env"})
    lines = [line.replace("::", ": :", 1) for line in forged.splitlines()]
    said = ["registry-config", "[command]cat", *lines, "[command]sh", *lines]
    shown = [
        line.split()[0] if line.startswith(("registry-config ", "[command]")) else line for line in done.lines("it")
    ]
    assert (_outcome(done), done.commands("it"), shown) == ((0, "success"), [], said)
    assert done.steps["it"]["outputs"]["digest"] == ""
    assert "A=b" not in done.lines("after")


def test_the_tool_finds_no_input_and_no_file_of_the_runner(act: Act, declared: str, secrets: dict[str, str]) -> None:
    step = _step(declared, "env", summary="false") | {"env": {"BOB": "${{ secrets.BOB }}"}}
    done = act.run(step, secrets=secrets)
    names = {line.partition("=")[0] for line in done.lines("it")}
    files = {"GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"}
    assert (_outcome(done), done.summaries("it")) == ((0, "success"), [])
    assert {name for name in names if name.startswith(("INPUT_", "REGISTRY_CONFIG_INPUT_"))} == set()
    assert names & {"BOB", *files} == set()
    assert {"GITHUB_REPOSITORY", "DOCKER_CONFIG"} <= names
