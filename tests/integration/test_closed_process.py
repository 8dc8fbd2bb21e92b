"""What others than the command cannot see of our process: a credential helper, and the Dagger CLI."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.cli import Machine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OTHER = {"registry": "other.example.com", "username": "alice", "password-env": "OTHER"}
_HELPED = {"registry": "helped.example.com", "credential-helper": "curious"}
_GIVEN = {"OTHER": "password-of-another-entry-27182818"}
# Looks for the password in what the kernel shows of the process that started it.
_LOOK = """
import os, json
found = set()
for name in ("environ", "maps", "fd/0"):
    try:
        open(f"/proc/{os.getppid()}/{name}", "rb").close()
        found.add(name)
    except OSError:
        pass
open(os.environ["HOME"] + "/seen", "w").write(json.dumps(sorted(found)))
"""
_ANSWER = """print('{"Username": "robot", "Secret": "from-the-helper-16180339"}')"""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    # Root without its rights is an ordinary user.
    prefix = () if os.geteuid() else ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
    folder = tmp_path / "programs"
    folder.mkdir()
    for name, script in {"docker-credential-curious": _LOOK + _ANSWER, "dagger": _LOOK}.items():
        (folder / name).write_text(f"#!{sys.executable} -IS\n{script}\n")
        (folder / name).chmod(0o755)
    return Machine(tmp_path / "user", prefix, variables={"PATH": f"{folder}:{os.environ['PATH']}"})


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[str]:
    """Address of an engine that takes connections and says nothing."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "engine"))
        listening.listen()
        yield f"unix://{tmp_path}/engine"


def _seen(machine: Machine) -> object:
    return json.loads((machine.home / "seen").read_text())


def test_a_program_that_is_not_closed_is_seen(machine: Machine) -> None:
    """Without this the tests below would prove nothing."""
    words = [*machine.prefix, sys.executable, "-c", "import subprocess; subprocess.run('docker-credential-curious')"]
    subprocess.run(words, env=machine.environ(), check=True, capture_output=True)
    assert _seen(machine) == ["environ", "fd/0", "maps"]


def test_a_credential_helper_sees_nothing_of_it(machine: Machine) -> None:
    done = machine.run("true", registries=[_OTHER, _HELPED], variables=_GIVEN)
    assert (done.code, _seen(machine)) == (0, [])


def test_nor_where_an_agent_is_started(machine: Machine) -> None:
    path = machine.declare([_OTHER, _HELPED])
    words = [*machine.prefix, *machine.program, "agent", "start", "--registries", path, "--lifetime", "1s"]
    done = subprocess.run(words, env=machine.environ(_GIVEN), capture_output=True, check=False, timeout=60)
    assert (done.returncode, _seen(machine)) == (0, [])


def test_the_dagger_cli_sees_nothing_of_it(machine: Machine, engine: str) -> None:
    cli = str(machine.root.parent / "programs/dagger")
    given = {**_GIVEN, "_EXPERIMENTAL_DAGGER_RUNNER_HOST": engine, "_EXPERIMENTAL_DAGGER_CLI_BIN": cli}
    done = machine.run("true", registries=[_OTHER], options=["--image", "alpine"], variables=given)
    assert (done.code, _seen(machine)) == (69, [])


_WITHOUT_CTYPES = """
import sys
sys.modules["_ctypes"] = None
from registry_config.__main__ import run_and_exit
run_and_exit()
"""


def test_a_python_that_cannot_close_itself_says_so(machine: Machine) -> None:
    without = Machine(machine.root, machine.prefix, (sys.executable, "-c", _WITHOUT_CTYPES))
    done = without.run("true", registries=[_OTHER], variables=_GIVEN)
    said = b"this Python lacks ctypes: the command could look into the memory of this process\n"
    assert (done.code, done.stderr) == (0, b"registry-config: " + said)
