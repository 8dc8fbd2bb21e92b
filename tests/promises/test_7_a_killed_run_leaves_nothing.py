"""Promise 7: whatever ends a run, and whenever, promises 1 and 2 still hold, and the folder of links goes too."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import pytest

from support.canaries import SHAPES
from support.cli import wait_for
from support.leaks import SHARED_MEMORY, search
from support.scenario import VARIABLE, entry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.action import Action
    from support.canaries import Canary
    from support.cli import Machine

_MOMENTS = 14
# Prints without an end, and outlives a process that does not hand signals on, until it is told to stop.
_SCRIPT = 'cat "$DOCKER_CONFIG/config.json"; for n in $(seq 99); do [ -e stop ] && exit; echo $n; sleep 0.1; done'


@pytest.fixture
def folders() -> Iterator[Callable[[int], list[Path]]]:
    """Our folders in shared memory, by the process that made them; removed at the end."""
    seen: list[Path] = []
    begun = time.time()

    def of(pid: int) -> list[Path]:
        # A process of the same number may have been killed long before.
        found = [path for path in SHARED_MEMORY.glob(f"registry-config-{pid}-*") if path.stat().st_mtime >= begun - 1]
        seen.extend(found)
        return found

    yield of
    for folder in seen:
        shutil.rmtree(folder, ignore_errors=True)


_Start = Callable[[], AbstractContextManager[subprocess.Popen[bytes]]]


@pytest.fixture(params=["command line", "action"])
def start(request: pytest.FixtureRequest, action: Action, machine: Machine, token: Canary) -> _Start:
    """Starts a run in one of two ways."""
    given = {VARIABLE: token.password}
    if request.param == "command line":
        return lambda: machine.start("sh", "-c", _SCRIPT, registries=[entry(token)], variables=given)
    inputs = {"registries": json.dumps([entry(token)]), "command": _SCRIPT, "shell": "sh"}
    prepared = action.prepare(machine, inputs, given)
    return prepared._replace(words=("env", "--default-signal", *prepared.words)).start


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_at_any_moment(
    machine: Machine, token: Canary, start: _Start, folders: Callable[[int], list[Path]], number: signal.Signals
) -> None:
    begun = time.monotonic()
    with start() as process:
        _wait_for_the_tool(process)
        process.kill()
    whole = time.monotonic() - begun
    folders(process.pid)
    came, codes, left = b"", set(), []
    for moment in (*range(_MOMENTS), None, None):
        with start() as process:
            if moment is None:
                came += _wait_for_the_tool(process)
            else:
                time.sleep(whole * moment / _MOMENTS)
            process.send_signal(number)
            stdout, stderr = _outcome(machine, process)
            came += stdout + stderr
            codes.add(process.returncode)
            left += folders(process.pid)
    lines = [line for line in came.splitlines() if not line.startswith(b"::add-mask::")]
    places = {"home": machine.home, "tmp": machine.temporary, "work": machine.work, "shm": SHARED_MEMORY}
    assert search({**places, "came": b"\n".join(lines)}, token.password, token.username) == []
    assert b"***" in came
    if number == signal.SIGKILL:
        assert codes == {-9}
        wait_for(lambda: all(not folder.exists() or _is_left_in_the_making(folder) for folder in left))
    else:
        # By the signal itself until we have seen to it (1: while Python starts), then by the tool's own end.
        assert (codes - {1, -number, 128 + number, 128 + signal.SIGTERM}, 128 + number in codes, left) == (
            set(),
            True,
            [],
        )


def _is_left_in_the_making(folder: Path) -> bool:
    """Killed before its keeper was started: links that lead nowhere, and nobody holds the lock."""
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return not any((folder / name).exists() for name in ("config.json", "inherited.json"))


def _wait_for_the_tool(process: subprocess.Popen[bytes]) -> bytes:
    """What came until it had printed its credential."""
    assert process.stdout
    came = b""
    while b"***" not in came:
        came += process.stdout.readline()
    return came


def _outcome(machine: Machine, process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """What a signalled run wrote; the tool of a killed one is told to stop."""
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        # bash loses a SIGINT that comes while it starts us. GitHub's runner sends SIGTERM next.
        process.terminate()
        process.wait(timeout=5)
    (machine.work / "stop").touch()
    came = process.communicate(timeout=10)
    (machine.work / "stop").unlink()
    return came


def test_the_config_dies_with_us(machine: Machine, token: Canary, folders: Callable[[int], list[Path]]) -> None:
    """A tool that outlives a killed run finds no folder any more."""
    script = 'exec >told 2>&1; echo started; until [ -e stop ]; do sleep 0.05; done; cat "$DOCKER_CONFIG/config.json"'
    told = machine.work / "told"
    with machine.start("sh", "-c", script, registries=[entry(token)], variables={VARIABLE: token.password}) as process:
        _wait_for_text(told, "started")
        process.kill()
    wait_for(lambda: not folders(process.pid))
    (machine.work / "stop").touch()
    _wait_for_text(told, "No such file")
    assert search({"told": told}, token.password, token.username) == []


def _wait_for_text(path: Path, text: str) -> None:
    deadline = time.monotonic() + 10
    while not path.exists() or text not in path.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_secret_that_the_end_cuts_short_is_hidden(machine: Machine, token: Canary) -> None:
    secret = token.password.replace("'", "")
    script = "printf '%s' \"$HEAD$REST\"; kill -9 $$"
    halves = {"HEAD": secret[:10], "REST": secret[10:-3]}
    declared = [entry(token._replace(password=secret))]
    done = machine.run("sh", "-c", script, registries=declared, variables={VARIABLE: secret} | halves)
    assert (done.code, done.stdout) == (137, b"***")


@pytest.mark.parametrize("characters", [6, 8, 15])
def test_so_is_a_beginning_of_it_that_is_shorter_than_a_part(machine: Machine, characters: int) -> None:
    canary = SHAPES["like GitHub's"]()
    given = {VARIABLE: canary.password, "HEAD": canary.password[:characters]}
    done = machine.run("sh", "-c", "printf '%s' \"$HEAD\"; kill -9 $$", registries=[entry(canary)], variables=given)
    assert (done.code, done.stdout) == (137, b"***")
