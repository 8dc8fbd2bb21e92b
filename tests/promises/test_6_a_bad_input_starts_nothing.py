"""Promise 6: a bad input starts no process and opens no connection, and its message repeats nothing.

Here the kernel is the witness, for some of each table of `support/malformed.py`; `test_malformed_inputs.py` runs all of
them, each held against its whole message.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, TypeVar

import pytest

from support.canaries import SHAPES
from support.cli import PROGRAM, Machine
from support.leaks import search
from support.malformed import ACTION, LOGIN, OPTIONS, REGISTRIES, TOKEN, VALID
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


# Every fifth row: a process of its own, traced, takes a while.
_STEP = 5
_CALLS = "execve,execveat,fork,vfork,clone,clone3,connect,socket,sendto"
_TOOL = ("--", "touch", "started")
_Row = TypeVar("_Row")


def _some(rows: Mapping[str, _Row]) -> list[tuple[str, _Row]]:
    return list(rows.items())[::_STEP]


def _traced(machine: Machine, words: tuple[str, ...], variables: Mapping[str, str]) -> tuple[int, bytes, list[str]]:
    """Exit code, output, and the calls that start something or reach out."""
    trace = machine.root / "trace"
    strace = ("strace", "-f", "--quiet=all", f"--trace={_CALLS}", "-o", str(trace), sys.executable, "-m")
    done = subprocess.run(
        [*strace, "registry_config", *words],
        cwd=machine.work,
        env=machine.environ(variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=60,
    )
    calls = [line.partition(" ")[2].lstrip() for line in trace.read_text().splitlines()]
    # The first one is our own start.
    return done.returncode, done.stdout + done.stderr, [call for call in calls if not call.startswith("+++")][1:]


@pytest.fixture
def folder(machine: Machine) -> Path:
    (machine.work / "valid").write_text(VALID)
    (machine.work / "good").write_text(TOKEN)
    return machine.work


def test_the_witness_sees_what_a_good_input_starts(machine: Machine, folder: Path) -> None:
    code, _, calls = _traced(machine, ("run", "--registries", "valid", *_TOOL), {})
    assert (code, any(call.startswith("execve(") and "touch" in call for call in calls)) == (0, True)
    assert (folder / "started").exists()


@table("text", {name: text for name, (_, _, text) in _some(REGISTRIES)})
def test_a_bad_list_starts_nothing(machine: Machine, folder: Path, text: str) -> None:
    (folder / "list").write_text(text, encoding="utf-8")
    code, shown, calls = _traced(machine, ("run", "--registries", "list", *_TOOL), {})
    assert (code, calls, (folder / "started").exists()) == (64, [], False)
    assert search({"shown": shown}, TOKEN, "alice") == []
    assert shown.startswith(b"registry-config: registries")


@table("words", {name: words for name, (_, words) in _some(OPTIONS)})
def test_a_bad_option_starts_nothing(machine: Machine, folder: Path, words: tuple[str, ...]) -> None:
    code, shown, calls = _traced(machine, words, {"SET": TOKEN, "EMPTY": ""})
    assert (code, calls, (folder / "started").exists(), (folder / "marker").exists()) == (64, [], False, False)
    assert search({"shown": shown}, TOKEN, "alice") == []


@table("inputs, variables", {name: row[1:] for name, row in _some(ACTION)})
def test_a_bad_input_of_the_action_starts_nothing(
    machine: Machine, folder: Path, inputs: Mapping[str, str], variables: Mapping[str, str]
) -> None:
    given = {"registries": VALID, "command": "touch started"} | dict(inputs)
    environ = {f"REGISTRY_CONFIG_INPUT_{name.upper().replace('-', '_')}": value for name, value in given.items()}
    code, shown, calls = _traced(machine, ("action",), environ | {"SET": TOKEN, "EMPTY": ""} | dict(variables))
    lines = [line for line in shown.splitlines() if not line.startswith(b"::add-mask::")]
    assert (code, calls, (folder / "started").exists()) == (64, [], False)
    assert search({"shown": b"\n".join(lines)}, TOKEN, "alice") == []


# A secret slipped to every place where a person may put it by mistake.
_SLIPPED = {
    "left of the colon": "- registry: a.example.com\n  username: alice\n  {}: password\n",
    "as the registry": "- registry: '{}'\n  username: alice\n  password: x\n",
    "behind the registry": "- registry: 'a.example.com/{}'\n  username: alice\n  password: x\n",
    "as the user, with a colon": "- registry: a.example.com\n  username: 'alice:{}'\n  password: x\n",
    "as the name of its variable": "- registry: a.example.com\n  username: alice\n  password-env: '{}'\n",
    "as the name of its file": "- registry: a.example.com\n  username: alice\n  password-file: '{}'\n",
    "as the purpose": "- registry: a.example.com\n  username: alice\n  password: x\n  for: '{}'\n",
    "without a key": "- registry: a.example.com\n  username: alice\n  {}\n",
    "as the whole list": "{}",
    "as a tag": "- registry: !{} a.example.com\n",
    "as an anchor": "- registry: &{} a.example.com\n",
    "as a further document": "- registry: a.example.com\n  username: alice\n  password: x\n---\n{}\n",
    "in a quotation that does not end": "- registry: a.example.com\n  username: alice\n  password: '{}\n",
    "as a list": "- registry: a.example.com\n  username: alice\n  password: [{}]\n",
}


# Where there is no libyaml: the parser in Python quotes the line in its messages.
_IN_PYTHON = (
    "import sys; sys.modules['yaml._yaml'] = None; from registry_config import __main__; __main__.run_and_exit()"
)
_PROGRAMS = {"libyaml": PROGRAM, "YAML in Python": (sys.executable, "-c", _IN_PYTHON)}


@table("program", _PROGRAMS)
@table("text", _SLIPPED)
def test_a_secret_that_slipped_to_another_place_is_not_repeated(
    machine: Machine, text: str, program: tuple[str, ...]
) -> None:
    secret = SHAPES["like GitHub's"]().password
    (machine.work / "list").write_text(text.replace("{}", secret))
    done = Machine(machine.root, program=program).run("touch", "started", registries="list")
    places = {"stdout": done.stdout, "stderr": done.stderr, "report": str(done.report).encode()}
    assert (done.code, (machine.work / "started").exists()) == (64, False)
    assert search(places | {f"{name}, lowered": data.lower() for name, data in places.items()}, secret) == []
    assert search({name: data.lower() for name, data in places.items()}, secret.lower()) == []


def test_a_message_names_the_place_and_the_remedy(machine: Machine) -> None:
    (machine.work / "list").write_text(f"{LOGIN}  passwrd: {TOKEN}\n")
    done = machine.run("true", registries="list")
    expected = b"registry-config: registries[0] (line 3): unknown key 'passwrd'; did you mean 'password'?\n"
    assert (done.code, done.stdout, done.stderr) == (64, b"", expected)
