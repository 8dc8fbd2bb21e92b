"""Promise 1: no secret in any byte we write, whatever the tool prints and however the run ends."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.act import ACTION, Act, copy_project
from support.canaries import SHAPES, Canary
from support.cli import Machine
from support.leaks import search
from support.scenario import HOST, VARIABLE, entry, in_action, on_command_line, telltale
from support.tables import table
from support.telltale import spoken

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from support.action import Action


def test_the_search_finds_all_that_the_tool_prints_where_nobody_hides_it(canary: Canary) -> None:
    """Without this the tests below would prove nothing."""
    auth = base64.b64encode(f"{canary.username}:{canary.password}".encode()).decode()
    lines = spoken(json.dumps({"auths": {HOST: {"auth": auth}}}))
    places = {str(number): line.encode() for number, line in enumerate(lines)}
    # Of a key of several lines some lines are no secret: its markers, the braces of a JSON document.
    lines_of_it = canary.password.split("\n")
    secret = {name for name, data in places.items() if data.decode() not in lines_of_it or len(lines_of_it) == 1}
    found = {place.partition(":")[0] for part in canary.parts for place in search(places, part, canary.username)}
    assert secret - found == set()
    assert len(secret) >= (9 if len(canary.password) < 6 else 40)


@table("code", {"success": 0, "failure": 3})
def test_a_tool_that_tells_all_tells_nobody(machine: Machine, canary: Canary, code: int) -> None:
    seen = on_command_line(machine, canary, *telltale(machine, code))
    assert (seen.code, seen.came["stdout"].count(b"***") > 8, seen.came["stderr"].count(b"***") > 8) == (
        code,
        True,
        True,
    )
    assert any(name.name.endswith(".environ") for name in seen.during.iterdir())
    assert seen.in_bytes(canary) == []


@table("code", {"success": 0, "failure": 3})
def test_in_the_action_only_masks_hold_it(action: Action, machine: Machine, canary: Canary, code: int) -> None:
    command = " ".join(telltale(machine, code))
    seen = in_action(action, machine, canary, command=command)
    assert (seen.code, seen.came["log"].count(b"***") > 16, len(seen.came["file GITHUB_OUTPUT"]) > 100) == (
        code,
        True,
        True,
    )
    assert seen.in_bytes(canary) == []


_WAYS = ("password", "password-file", "standard input", "github-token-env")


@pytest.mark.parametrize("way", _WAYS)
def test_from_wherever_it_comes(machine: Machine, canary: Canary, way: str) -> None:
    (machine.root / "password").write_text(canary.password)
    sources = {"password-file": {"password-file": "../password"}}
    declared = [entry(canary, **sources.get(way, {"password": canary.password}))]
    options: tuple[str, ...] = ()
    if way == "github-token-env":
        # Its user is that of the job.
        machine = Machine(machine.root, prefix=machine.prefix, variables={"GITHUB_ACTOR": canary.username})
        declared, options = [{"registry": "ghcr.io"}], ("--github-token-env", VARIABLE)
    seen = on_command_line(
        machine,
        canary,
        *telltale(machine),
        registries="-" if way == "standard input" else declared,
        options=options,
        stdin=json.dumps(declared, ensure_ascii=False).encode(),
        given=way == "github-token-env",
    )
    assert (seen.code, seen.in_bytes(canary)) == (0, [])


def test_the_search_sees_a_secret_in_an_environment(machine: Machine, token: Canary) -> None:
    """Where it was asked for."""
    seen = on_command_line(machine, token, *telltale(machine), options=["--secret-env", VARIABLE])
    assert (seen.code, {place.rpartition(".")[2] for place in seen.in_bytes(token)}) == (0, {"environ: plain"})


def test_under_act_too(tmp_path: Path, machine: Machine, token: Canary) -> None:
    """A whole workflow; act's own log of a mask holds what is masked."""
    (tmp_path / "project").mkdir()
    (tmp_path / "repository").mkdir()
    act = Act(tmp_path, copy_project(tmp_path / "project"))
    step = {
        "id": "it",
        "uses": ACTION,
        "with": {"registries": json.dumps([entry(token)]), "command": " ".join(telltale(machine, 3))},
        "env": {VARIABLE: "${{ secrets.CANARY }}", "TMPDIR": str(machine.temporary)},
    }
    after = {"if": "always()", "run": 'echo "$STDOUT"', "env": {"STDOUT": "${{ steps.it.outputs.stdout }}"}}
    done = act.run(step, after, secrets={"CANARY": token.password})
    shown = [event for event in done.events if event.get("command") != "add-mask"]
    assert (done.steps["it"]["outputs"]["exit-code"], "***" in done.steps["it"]["outputs"]["stdout"]) == ("3", True)
    # act itself has the secret in its arguments' environment, as a runner has it in its memory.
    outputs = json.dumps(done.steps).encode()
    assert search({"log": json.dumps(shown).encode(), "outputs": outputs}, token.password, token.username) == []
    assert search({"home": act.home, "repository": act.repository}, token.password, token.username) == []


# The rest holds for a secret of any length but the shortest: typed where it does not belong, it cannot be known there.
@table(
    "options, words, code",
    {
        "a dry run": (("--dry-run",), ("echo", "{password}", "x{password}y"), 64),
        "in an argument": ((), ("sh", "-c", 'echo "$1"; exit 3', "sh", "{password}"), 64),
        "as the name of a program": ((), ("{password}",), 64),
        "as a program in a folder": ((), ("/no/such/{password}/program",), 64),
        "as a script": (("--shell", "sh"), ("printf '%s\\n' '{password}' >&2; no-such-program",), 64),
        "as a target": (("--target", "a.example.com/{password}"), ("echo", "{target}"), 64),
        "told by several targets": (
            ("--target", "a.example.com", "--target", "b.example.com", "--secret-env", VARIABLE),
            ("sh", "-c", f"echo ${VARIABLE} {{target}}; exit 1"),
            1,
        ),
        "told by a script": (("--shell", "sh", "--secret-env", VARIABLE), (f'echo "${VARIABLE}"; exit 3',), 3),
        "told after a refusal": (
            ("--secret-env", VARIABLE),
            ("sh", "-c", f'echo "401 unauthorized: ${VARIABLE}" >&2; exit 1'),
            1,
        ),
        "told as a digest": (("--secret-env", VARIABLE), ("sh", "-c", f'echo "Digest: sha256:${VARIABLE}"'), 0),
        "in a variable that may be secret": (("--secret-env", VARIABLE), ("env",), 0),
        "as the working directory": (("--working-directory", "{password}"), ("true",), 64),
        "as a file of registries": (("--registries", "{password}"), ("true",), 64),
        "as a value of env": (("--env", "A={password}"), ("true",), 64),
        "as an unknown option": (("--{password}",), ("true",), 64),
        "as a pattern of files": (("--file", "x-{password}*"), ("echo", "{file}"), 64),
        "as a pattern in a folder": (("--file", "a", "--working-directory", "{password}"), ("echo", "{file}"), 64),
        "as an image": (("--image", "{password}"), ("true",), 64),
        "as a shell": (("--shell", "{password} x"), ("true",), 64),
        "as the report": (("--json", "/no/such/{password}"), ("sh", "-c", "exit 3"), 64),
    },
)
def test_typed_where_it_may_be_echoed_it_is_not(
    machine: Machine, token: Canary, options: tuple[str, ...], words: tuple[str, ...], code: int
) -> None:
    password = token.password.replace("'", "").replace("/", "")
    token = token._replace(password=password, parts=(password,))
    filled = [[text.replace("{password}", password) for text in texts] for texts in (words, options)]
    seen = on_command_line(machine, token, *filled[0], options=filled[1])
    assert seen.code == code
    assert seen.in_bytes(token) == []


@table(
    "inputs, code",
    {
        "argument": ({"command": "echo '{password}' x'{password}'y"}, 64),
        "program": ({"command": "'{password}' a"}, 64),
        "pattern": ({"command": "echo '{password}'*"}, 64),
        "pattern of files": ({"command": "echo {file}", "files": "x-{password}*"}, 64),
        "script": ({"command": "echo '{password}'; exit 3", "shell": "sh"}, 64),
        "dry run": ({"command": "echo '{password}'", "dry-run": "true"}, 64),
        "value of env": ({"command": "true", "env": "A=x{password}"}, 64),
        "told by a script": (
            {"command": f'echo "${VARIABLE}"; exit 3', "shell": "sh", "secret-env": VARIABLE, "targets": ""},
            3,
        ),
        "told as a digest": (
            {"command": f"""sh -c 'echo "Digest: sha256:${VARIABLE}"'""", "secret-env": VARIABLE},
            0,
        ),
    },
)
def test_typed_into_an_input_of_the_action_it_is_not_repeated(
    action: Action, machine: Machine, token: Canary, inputs: Mapping[str, str], code: int
) -> None:
    """Not in the summary either, which shows the commands."""
    password = token.password.replace("'", "").replace("/", "")
    token = token._replace(password=password, parts=(password,))
    filled = {name: text.replace("{password}", password) for name, text in inputs.items()}
    seen = in_action(action, machine, token, **filled)
    assert (seen.code, seen.in_bytes(token)) == (code, [])


_FILES = {
    "a name among a script's outputs": (("--shell", "sh"), (f'echo "a${VARIABLE}=1" >>"$GITHUB_OUTPUT"',)),
    "a file of digests": ((), ("skopeo", "copy", "--digestfile", "digest", "oci:a", "docker://a.example.com/b")),
}


@table("options, words", _FILES)
def test_what_a_tool_writes_to_its_files_is_told_without_it(
    machine: Machine, options: tuple[str, ...], words: tuple[str, ...]
) -> None:
    password = secrets.token_hex(32)
    tool = machine.root / "bin/skopeo"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\necho "sha256:${VARIABLE}" >digest\n')
    tool.chmod(0o755)
    own = Machine(machine.root, machine.prefix, variables={"PATH": f"{tool.parent}:{os.environ['PATH']}"})
    canary = Canary("octocat", password, (password,))
    seen = on_command_line(own, canary, *words, options=[*options, "--secret-env", VARIABLE])
    # Its environment has it, as was asked for.
    assert (seen.code, [place for place in seen.in_bytes(canary) if ".environ" not in place]) == (0, [])


# Stands in for a fault that nobody foresaw, at the place where most is known, with all of it in its message.
_FAULT = """
import sys
from registry_config import __main__
from registry_config.host import runner

def run(self, plan, output):
    secret = plan.credentials[0].secret
    try:
        raise RuntimeError(secret)
    except RuntimeError as error:
        raise ValueError(f"cannot use {secret} of {plan!r}") from error

runner.HostRunner.workplace = run
__main__.run_and_exit()
"""


# Stands in for a text of ours that nobody thought of hiding where it was made.
_CARELESS = """
from registry_config import __main__
from registry_config.host import runner
from registry_config.results import RunNotes

def notes(self):
    import os
    return RunNotes(warnings=(f"see {os.environ['TOLD']}",))

runner.HostRunner.notes = property(notes)
__main__.run_and_exit()
"""


@pytest.mark.parametrize("front", ["command line", "action"])
def test_what_we_say_passes_the_redaction_whatever_it_is(machine: Machine, token: Canary, front: str) -> None:
    declared = [entry(token)]
    summary = machine.root / "summary"
    own = {VARIABLE: token.password, "TOLD": token.password, "GITHUB_STEP_SUMMARY": str(summary)}
    if front == "action":
        inputs = {"REGISTRIES": json.dumps(declared), "COMMAND": "true"}
        own |= {f"REGISTRY_CONFIG_INPUT_{name}": value for name, value in inputs.items()}
        words = [sys.executable, "-c", _CARELESS, "action"]
    else:
        words = [sys.executable, "-c", _CARELESS, "run", "--registries", machine.declare(declared), "--", "true"]
    done = subprocess.run(words, env=machine.environ(own), capture_output=True, check=False, timeout=60)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith(b"::add-mask::")]
    assert (done.returncode, any(b"see ***" in line for line in lines)) == (0, True)
    assert summary.exists() == (front == "action")
    assert search({"said": b"\n".join(lines), "summary": summary}, token.password, token.username) == []


def _with_logins_of_the_user(machine: Machine, login: Canary, header: str) -> None:
    """A `config.json` of Docker as the user has it: a login, and a header for the engine's API."""
    auth = base64.b64encode(f"{login.username}:{login.password}".encode()).decode()
    document = {"auths": {"own.example.com": {"auth": auth}}, "HttpHeaders": {"X-Token": header}}
    (machine.home / ".docker").mkdir()
    (machine.home / ".docker/config.json").write_text(json.dumps(document))


def test_logins_that_are_kept_are_hidden_too(machine: Machine, token: Canary) -> None:
    login, header = SHAPES["like GitHub's"](), secrets.token_urlsafe(30)
    _with_logins_of_the_user(machine, login, header)
    seen = on_command_line(
        machine, token, "sh", "-c", 'cat "$DOCKER_CONFIG/config.json"', options=["--keep-logins"], stdin=b""
    )
    assert (seen.code, b"own.example.com" in seen.came["stdout"]) == (0, True)
    assert search(seen.came, login.password, login.username) + search(seen.came, header) == []


def test_logins_that_are_kept_are_masked_in_the_action(action: Action, machine: Machine, token: Canary) -> None:
    login, header = SHAPES["like GitHub's"](), secrets.token_urlsafe(30)
    _with_logins_of_the_user(machine, login, header)
    inputs = {"registries": json.dumps([entry(token)]), "command": "true", "keep-logins": "true"}
    done = action.run(machine, inputs, {VARIABLE: token.password})
    masks = [line for line in done.last.stdout.splitlines() if line.startswith(b"::add-mask::")]
    assert {f"::add-mask::{secret}".encode() for secret in (login.password, header)} <= set(masks)


def test_a_terminal_shows_nothing_of_what_came_to_be_known_since(machine: Machine) -> None:
    """A helper gives what a target holds that the table shows already, and shows again."""
    token = SHAPES["like GitHub's"]()
    helper = machine.root / "helpers/docker-credential-canary"
    helper.parent.mkdir()
    answer = json.dumps({"ServerURL": "", "Username": token.username, "Secret": token.password})
    helper.write_text(f"#!/bin/sh\ncat >/dev/null\nprintf '%s' '{answer}'\n")
    helper.chmod(0o755)
    options = ["--target", f"a.example.com/{token.password}", "--target", "b.example.com"]
    declared = [{"registry": HOST, "credential-helper": "canary"}]
    words = machine.words("sh", "-c", "echo {target}; exit 3", registries=declared, options=options)
    path = f"{helper.parent}:{machine.environ()['PATH']}"
    environ = machine.environ({"PATH": path, "TERM": "xterm", "COLUMNS": "200"})
    code, shown = machine.at_terminal(words, environ)
    since = shown[shown.index(b"a.example.com/***") :]
    assert (code, b"b.example.com" in since) == (3, True)
    assert search({"terminal": since}, token.password, token.username) == []


def test_an_internal_error_quotes_nothing(machine: Machine, canary: Canary) -> None:
    faulty = Machine(machine.root, program=(sys.executable, "-c", _FAULT))
    seen = on_command_line(faulty, canary, "true")
    first, *lines = [line for line in seen.came["stderr"].decode().splitlines() if "(line 1): " not in line]
    assert (seen.code, first) == (70, "registry-config: internal error (ValueError); please report these lines")
    assert lines[-1] == "  <string>:11 run"
    assert seen.in_bytes(canary) == []


def test_what_is_declared_is_described_without_it(machine: Machine, canary: Canary) -> None:
    declared = machine.declare([entry(canary, password=canary.password)])
    words = [*machine.program, "check", "--registries", declared]
    done = subprocess.run(words, env=machine.environ(), capture_output=True, check=False, timeout=60)
    assert (done.returncode, canary.username in done.stdout.decode()) == (0, True)
    places = {"stdout": done.stdout, "stderr": done.stderr}
    assert [place for part in canary.parts for place in search(places, part, canary.username)] == []
