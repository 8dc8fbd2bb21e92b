"""Malformed inputs: each is refused with 64 and its place, starts nothing, and none is repeated.

The tables stand in support/malformed.py.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple, Protocol

import pytest

from registry_config.__main__ import main
from registry_config.github.inputs import variable
from registry_config.github.summary import summarize
from registry_config.report import Report
from support.cli import PROGRAM
from support.leaks import search
from support.malformed import (
    ACTION,
    ENCODINGS,
    END,
    HOSTS,
    KEYS,
    LOGIN,
    OPTIONS,
    REGISTRIES,
    SHAPE,
    SYNTAX,
    TOKEN,
    USERS,
    VALID,
    at_command_line,
)
from support.runner import file_commands
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Outcome(NamedTuple):
    """What a run left behind."""

    code: int
    stdout: str
    stderr: str


class Call(Protocol):
    """Runs the program with these words, or as the action does with these inputs."""

    def __call__(
        self, *words: str, inputs: Mapping[str, str] | None = None, variables: Mapping[str, str] | None = None
    ) -> Outcome: ...


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with files that are not what they should be, and the variables of a step."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / TOKEN[::-1]).touch()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to(TOKEN)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "linked").symlink_to("valid")
    for name, data in {
        "good": TOKEN.encode(),
        "empty": b"",
        "newline": b"\r\n",
        "nul": f"{TOKEN}\0".encode(),
        "binary": b"\xffx" + TOKEN.encode(),
        "utf16": TOKEN.encode("utf-16"),
        "large": TOKEN.encode().ljust(1024 * 1024 + 1),
        "valid": VALID.encode(),
        "ghcr": b"- registry: ghcr.io\n",
        "with-file": f"{LOGIN}  password-file: good\n".encode(),
    }.items():
        (tmp_path / name).write_bytes(data)
    monkeypatch.chdir(tmp_path)
    with closing(socket.socket(socket.AF_UNIX)) as sock:
        sock.bind("socket")
    for name, value in {
        "SET": TOKEN,
        "EMPTY": "",
        "NEWLINE": "\n",
        "HARBOR_TOKEN": TOKEN,
        "LATIN": f"{TOKEN}\udce4",
        "GITHUB_OUTPUT": str(tmp_path / "outputs"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }.items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """The program's own entry, in this process; with `inputs` as the action calls it."""

    def run(
        *words: str, inputs: Mapping[str, str] | None = None, variables: Mapping[str, str] | None = None
    ) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["registry-config", *words])
        for name, value in _environment(inputs, variables).items():
            monkeypatch.setenv(name, value)
        return Outcome(main(), *capfd.readouterr())

    return run


@pytest.fixture
def start() -> Call:
    """The real program, as a process of its own."""

    def run(
        *words: str, inputs: Mapping[str, str] | None = None, variables: Mapping[str, str] | None = None
    ) -> Outcome:
        environ = os.environ | _environment(inputs, variables)
        done = subprocess.run(
            [*PROGRAM, *words], env=environ, capture_output=True, check=False, timeout=60, stdin=subprocess.DEVNULL
        )
        return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


def _environment(inputs: Mapping[str, str] | None, variables: Mapping[str, str] | None) -> dict[str, str]:
    """What action.yml and the step set: a valid list and a command that would leave a file behind, unless given."""
    if inputs is None:
        return dict(variables or {})
    given = {"registries": VALID, "command": "touch marker", **inputs}
    return {variable(name): value for name, value in given.items()} | dict(variables or {})


def _assert_refused_on_command_line(outcome: Outcome, message: str, folder: Path) -> None:
    assert outcome == (64, "", f"registry-config: {message}\n")
    document = folder / "report.json"
    if document.exists():
        assert json.loads(document.read_text()) == Report(error=message).to_document()
    _assert_nothing_leaked_or_started(outcome, folder)


def _assert_refused_in_action(outcome: Outcome, message: str, folder: Path) -> None:
    lines = outcome.stdout.splitlines()
    # What comes first tells the version and the registries.
    shown = [line for line in lines if not line.startswith(("::add-mask::", "registry-config "))]
    assert shown == [f"::error title=registry-config::{message}"]
    assert lines[-1:] == shown
    assert (outcome.code, outcome.stderr) == (64, "")
    report = Report(error=message)
    assert file_commands((folder / "outputs").read_bytes()) == report.outputs()
    assert (folder / "summary").read_text() == summarize(report)
    _assert_nothing_leaked_or_started(Outcome(outcome.code, "\n".join(shown), outcome.stderr), folder)


def _assert_nothing_leaked_or_started(outcome: Outcome, folder: Path) -> None:
    written = {name: folder / name for name in ("outputs", "summary", "report.json") if (folder / name).exists()}
    places = {"stdout": outcome.stdout.encode(), "stderr": outcome.stderr.encode()} | {
        name: path.read_bytes() for name, path in written.items()
    }
    # A host is lowered, so its letters are compared without their case.
    places |= {f"{name}, lowered": data.lower() for name, data in places.items()}
    for token in (TOKEN, TOKEN.lower(), TOKEN[::-1]):
        assert search(places, token, "alice") == []
    assert not (folder / "marker").exists()


@table("place, problem, text", REGISTRIES)
def test_a_malformed_list_is_refused_on_the_command_line(
    place: str, problem: str, text: str, folder: Path, call: Call
) -> None:
    (folder / "list").write_text(text, encoding="utf-8")
    outcome = call("run", "--registries", "list", "--json", "report.json", *END)
    assert (folder / "report.json").exists()
    _assert_refused_on_command_line(outcome, f"{place}: {at_command_line(problem)}", folder)


@table("place, problem, text", REGISTRIES)
def test_a_malformed_list_is_refused_in_the_action(
    place: str, problem: str, text: str, folder: Path, call: Call
) -> None:
    _assert_refused_in_action(call("action", inputs={"registries": text}), f"{place}: {problem}", folder)


@table("message, data", ENCODINGS)
def test_a_list_in_a_wrong_encoding_is_refused(message: str, data: bytes, folder: Path, call: Call) -> None:
    (folder / "list").write_bytes(data)
    outcome = call("run", "--registries", "list", "--json", "report.json", *END)
    assert (folder / "report.json").exists()
    _assert_refused_on_command_line(outcome, message, folder)


@table("message, inputs, variables", ACTION)
def test_a_malformed_input_is_refused_in_the_action(
    message: str, inputs: dict[str, str], variables: dict[str, str], folder: Path, call: Call
) -> None:
    _assert_refused_in_action(call("action", inputs=inputs, variables=variables), message, folder)


@table("message, words", OPTIONS)
def test_a_malformed_command_line_is_refused(message: str, words: tuple[str, ...], folder: Path, call: Call) -> None:
    _assert_refused_on_command_line(call(*words), message, folder)


@table("message, words", dict(list(OPTIONS.items())[::4]))
def test_the_real_program_refuses_a_malformed_command_line(
    message: str, words: tuple[str, ...], folder: Path, start: Call
) -> None:
    _assert_refused_on_command_line(start(*words), message, folder)


@table("message, inputs, variables", dict(list(ACTION.items())[::10]))
def test_the_real_program_refuses_a_malformed_input(
    message: str, inputs: dict[str, str], variables: dict[str, str], folder: Path, start: Call
) -> None:
    _assert_refused_in_action(start("action", inputs=inputs, variables=variables), message, folder)


def test_the_yaml_parser_in_python_refuses_the_same_lists_with_the_same_messages(folder: Path) -> None:
    """Where there is no libyaml; one process for all, as its start takes longer than they do."""
    # It takes half of a pair, which is refused when the password is read.
    tables = (name for name in (SYNTAX | SHAPE | KEYS | HOSTS | USERS) if name != "half of a pair of escapes")
    rows = {name: REGISTRIES[name] for name in tables}
    (folder / "lists").write_text(json.dumps({name: text for name, (_, _, text) in rows.items()}), encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", _PARSE_IN_PYTHON], capture_output=True, check=True, timeout=60)
    shown = json.loads(done.stdout)
    assert shown.pop("loader") == "BaseLoader"
    assert shown == {name: f"{place}: {problem}" for name, (place, problem, _) in rows.items()}


_PARSE_IN_PYTHON = """
import json, sys
sys.modules["yaml._yaml"] = None
from registry_config.errors import InputError
from registry_config.declaration.registries import parse_registries
from registry_config.declaration.yaml_text import LOADER

def message(text):
    try:
        return str(parse_registries(text))
    except InputError as error:
        return str(error)

with open("lists", encoding="utf-8") as file:
    lists = json.load(file)
print(json.dumps({"loader": LOADER.__name__} | {name: message(text) for name, text in lists.items()}))
"""


def test_there_are_more_than_two_hundred_and_no_two_are_the_same() -> None:
    everything: list[object] = [text for _, _, text in REGISTRIES.values()]
    everything += [data for _, data in ENCODINGS.values()]
    everything += [(tuple(inputs.items()), tuple(variables.items())) for _, inputs, variables in ACTION.values()]
    everything += [words for _, words in OPTIONS.values()]
    assert len(everything) == len(set(everything))
    assert len(everything) > 200
    assert [name for name, (_, _, text) in REGISTRIES.items() if TOKEN not in text] == []
