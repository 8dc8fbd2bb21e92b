"""What scripts that were copied into `command` hold, and secrets in its words: refused before the first line runs."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from registry_config.github.inputs import variable
from support.cli import PROGRAM, lines_of_ours
from support.runner import Runner
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.cli import Machine

import subprocess

_SECRET = "a-long-test-secret-1"
_ENTRY = f"- registry: reg.example.com\n  username: alice\n  password: {_SECRET}\n"


def _act(machine: Machine, inputs: Mapping[str, str]) -> tuple[int, list[str]]:
    """The action's own program with these inputs; its code, and the log as the runner shows it."""
    files = {name: str(machine.root / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    environ = machine.environ({variable(name): text for name, text in inputs.items()} | files)
    done = subprocess.run(
        [*PROGRAM, "action"], cwd=machine.work, env=environ, capture_output=True, timeout=60, check=False
    )
    return done.returncode, Runner().step(done.stdout, done.stderr).log


def _refused(machine: Machine, command: str) -> str:
    """The one line that the log holds."""
    code, log = _act(machine, {"registries": _ENTRY, "command": f"touch pushed\n{command}"})
    assert code == 64
    assert os.listdir(machine.work) == []
    (line,) = [line for line in log if line]
    return line


@pytest.mark.parametrize(
    "line",
    [
        *("cd charts", "export A=1", "set -euo pipefail", "A=1 push two", "A=1", "if true", "for f in a b"),
        *("source ./x.sh", ". ./x.sh", "while true", "[ -f x ]", "[[ -f x ]]", "push {a,b}.tgz", "push v{1..3}"),
        *("push a # the tag", "push a #"),
    ],
)
def test_what_only_a_shell_understands_is_refused_with_its_place(line: str, machine: Machine) -> None:
    shown = _refused(machine, line)
    assert "command (line 2, column " in shown
    assert "needs a shell" in shown


@table(
    "word",
    {
        "alone": _SECRET,
        "in an option": f"--password={_SECRET}",
        "with its user": "YWxpY2U6YS1sb25nLXRlc3Qtc2VjcmV0LTE=",
    },
)
def test_a_secret_in_a_word_is_refused_as_other_processes_would_see_it(word: str, machine: Machine) -> None:
    shown = _refused(machine, f"push {word}")
    assert "contains a secret, which the list of processes would show; name its variable in secret-env" in shown


def test_a_secret_in_a_script_is_refused_too(machine: Machine) -> None:
    entries = [{"registry": "reg.example.com", "username": "alice", "password": _SECRET}]
    done = machine.run(f"touch pushed; echo {_SECRET}", registries=entries, options=("--shell", "sh"))
    assert (done.code, done.report["ran"], os.listdir(machine.work)) == (64, False, [])
    assert _SECRET.encode() not in done.stdout + done.stderr


def test_a_secret_in_secret_env_reaches_the_tool(machine: Machine) -> None:
    done = machine.run(
        sys.executable,
        "-c",
        "import os; print(len(os.environ['TOKEN']))",
        options=("--secret-env", "TOKEN"),
        variables={"TOKEN": _SECRET},
    )
    assert (done.code, done.stdout) == (0, b"20\n")


def test_a_variable_that_is_not_declared_is_named_with_the_input(machine: Machine) -> None:
    shown = _refused(machine, "push ${VERSION}")
    assert "${VERSION} is not declared in the input env; name it in the input env (under with:)" in shown


@table(
    "folder, where",
    {"here": (".", "the working directory"), "elsewhere": ("charts", "'charts'")},
)
def test_a_pattern_without_a_match_is_named_with_its_folder(folder: str, where: str, machine: Machine) -> None:
    (machine.work / "charts").mkdir()
    code, log = _act(machine, {"registries": "[]", "command": "touch dist/*.tgz", "working-directory": folder})
    assert code == 64
    assert f"no file in {where} matches 'dist/*.tgz'" in "\n".join(log)


@table(
    "options",
    {
        "env": ("-e", ""),
        "secret-env": ("--secret-env", ""),
    },
)
def test_an_option_that_names_nothing_is_refused(options: tuple[str, ...], machine: Machine) -> None:
    assert machine.run("true", options=options).code == 64


def test_an_empty_program_is_refused(machine: Machine) -> None:
    assert machine.run("", "x").code == 64
    assert "the name of the program is empty" in _refused(machine, "'' x")


def test_a_host_that_no_resolver_takes_is_refused(machine: Machine) -> None:
    entries = [{"registry": f"{'a.' * 150}example", "username": "alice", "password": _SECRET}]
    done = machine.run("true", registries=entries)
    assert done.code == 64
    (line,) = lines_of_ours(done.stderr)
    assert "is not a host name" in line


def test_a_program_that_a_line_before_may_install_is_warned_of_first_and_fails_in_its_turn(machine: Machine) -> None:
    code, log = _act(machine, {"registries": "[]", "command": "touch made\nno-such-program a"})
    assert (code, os.listdir(machine.work)) == (127, ["made"])
    said = [line for line in log if "no-such-program" in line or "touch made" in line]
    assert said[0].endswith(
        "no-such-program: no such program on this machine yet; a command before it has to install it"
    ), log
    assert "touch made" in said[1]


def test_a_line_of_targets_counts_the_blank_ones_before_it(machine: Machine) -> None:
    code, log = _act(machine, {"registries": "[]", "command": "touch {target}", "targets": "a\n\n\na b\n"})
    assert (code, os.listdir(machine.work)) == (64, [])
    assert any("targets (line 4): is not a reference" in line for line in log)
    code, log = _act(machine, {"registries": "[]", "command": "touch {file}", "files": "\n\n*.tgz\n"})
    assert (code, any("files (line 3): no file" in line for line in log)) == (64, True)
    code, log = _act(machine, {"registries": "[]", "command": "touch {target}", "targets": "\na\n\nb\n"})
    assert (code, sorted(os.listdir(machine.work))) == (0, ["a", "b"]), log
