"""A machine without space, shared memory or a home to write to, streams that are closed, and too much of everything."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from support.action import ROOT, Action
from support.cli import Machine, lines_of_ours, wait_for
from support.leaks import search
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SECRET = "canary-31415926535897"
# A command may not name a secret in its words.
_HALVES = {"HEAD": _SECRET[:10], "REST": _SECRET[10:]}
_LOGIN = {"registry": "registry.example.com", "username": "alice", "password": _SECRET}
_MIB = 1024 * 1024
_NO_FOLDER = "this machine: no folder can be made in /dev/shm or {tmp}; free some space"
_FULL = "this machine: no space left on device"


def _mounted(machine: Machine, *mounts: str) -> Machine:
    """The machine with file systems of its own mounted over folders; `{tmp}` and `{home}` are its own."""
    known = {"tmp": machine.temporary, "home": machine.home, "root": machine.root}
    script = " && ".join((*(f"mount {mount.format(**known)}" for mount in mounts), 'exec "$@"'))
    alone = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--map-root-user", "--mount")
    prefix = (*alone, "sh", "-c", script, "sh")
    if subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system does not let the tests mount a file system of their own")
    return Machine(machine.root, prefix=prefix)


@table(
    "mounts, code, said",
    {
        "shared memory read-only": (("-t tmpfs -o ro none /dev/shm",), 0, []),
        "shared memory full": (("-t tmpfs -o nr_inodes=1 none /dev/shm",), 0, []),
        "shared memory takes a folder and no link": (("-t tmpfs -o nr_inodes=2 none /dev/shm",), 0, []),
        "shared memory and temporary folder full": (
            ("-t tmpfs -o nr_inodes=1 none /dev/shm", "-t tmpfs -o nr_inodes=1 none {tmp}"),
            69,
            [_NO_FOLDER],
        ),
        "home read-only": (("-t tmpfs -o ro none {home}",), 0, []),
        "temporary folder read-only": (("-t tmpfs -o ro none {tmp}",), 0, []),
    },
)
def test_where_nothing_can_be_written(machine: Machine, mounts: tuple[str, ...], code: int, said: list[str]) -> None:
    place = _mounted(machine, *mounts)
    done = place.run("sh", "-c", 'head -c 10 "$DOCKER_CONFIG/config.json"', registries=[_LOGIN])
    expected = b'{"auths":{' if code == 0 else b""
    told = [line.format(tmp=machine.temporary) for line in said]
    assert (done.code, done.stdout, lines_of_ours(done.stderr)) == (code, expected, told)
    assert list(machine.temporary.iterdir()) == []


def test_the_next_run_removes_what_a_killed_one_left(machine: Machine) -> None:
    """Links that lead nowhere, in a folder whose lock nobody holds; in a shared memory that no other run sees."""
    left = "/dev/shm/registry-config-1-0123456789abcdef"  # noqa: S108  (of the test alone)
    make = f"-t tmpfs none /dev/shm && mkdir -m 700 {left} && ln -s /proc/1/fd/99999 {left}/config.json"
    place = _mounted(machine, f"{make} && touch -d '2 minutes ago' {left}")
    done = place.run("sh", "-c", 'ls /dev/shm; basename "$DOCKER_CONFIG"', registries=[_LOGIN])
    there, own = done.stdout.decode().split()
    assert (done.code, there) == (0, own)


@table(
    "redirection, code, stdout, said",
    {
        "stdout full": (">/dev/full", 69, b"", [_FULL]),
        "stderr full": ("2>/dev/full", 69, b"out\n", []),
        "stdout closed": (">&-", 3, b"", ["the command failed with exit code 3"]),
        "stderr closed": ("2>&-", 3, b"out\n", []),
        "stdin closed": ("<&-", 3, b"out\n", ["the command failed with exit code 3"]),
        "all closed": ("<&- >&- 2>&-", 3, b"", []),
    },
)
def test_streams_that_cannot_be_used(
    machine: Machine, redirection: str, code: int, stdout: bytes, said: list[str]
) -> None:
    redirected = Machine(machine.root, prefix=("sh", "-c", f'exec "$@" {redirection}', "sh"))
    done = redirected.run("sh", "-c", "echo out; cat; sleep 0.1; echo err >&2; exit 3", registries=[_LOGIN])
    assert (done.code, done.stdout, lines_of_ours(done.stderr)) == (code, stdout, said)


def test_a_tool_whose_output_finds_no_space_is_ended(machine: Machine) -> None:
    script = "echo $$ >pid; echo out; exec sleep 60"
    with (
        open("/dev/full", "wb") as full,
        machine.start("sh", "-c", script, registries=[_LOGIN], stdout=full.fileno()) as process,
    ):
        assert process.wait(timeout=10) == 69
    assert not os.path.exists(f"/proc/{(machine.work / 'pid').read_text().strip()}")


@table("words", {"check": ("check", "--registries"), "dry run": ("run", "--dry-run", "--registries")})
@table("redirection, code", {"full": (">/dev/full", 69), "closed": (">&-", 0)})
def test_what_we_write_ourselves_finds_no_reader(
    machine: Machine, words: tuple[str, ...], redirection: str, code: int
) -> None:
    command = [*machine.program, *words, machine.declare([_LOGIN]), *(["--", "true"] if words[0] == "run" else [])]
    script = ["sh", "-c", f'exec "$@" {redirection}', "sh", *command]
    done = subprocess.run(script, cwd=machine.work, env=machine.environ(), capture_output=True, check=False, timeout=60)
    assert (done.returncode, lines_of_ours(done.stderr)) == (code, [_FULL] if code else [])


def test_a_report_that_finds_no_space_costs_nothing_else(machine: Machine) -> None:
    words = machine.words("sh", "-c", "exit 3", registries=[_LOGIN], options=["--json", "/dev/full"])
    done = subprocess.run(words, env=machine.environ(), capture_output=True, check=False, timeout=60)
    said = ["the command failed with exit code 3", "--json: cannot be written (no space left on device)"]
    assert (done.returncode, lines_of_ours(done.stderr)) == (3, said)


@pytest.mark.parametrize("name", ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"])
def test_the_runners_files_have_no_space(machine: Machine, name: str) -> None:
    inputs = {"REGISTRY_CONFIG_INPUT_REGISTRIES": "[]", "REGISTRY_CONFIG_INPUT_COMMAND": "echo out", name: "/dev/full"}
    words = [*machine.program, "action"]
    done = subprocess.run(words, env=machine.environ(inputs), capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout.splitlines()[-1], lines_of_ours(done.stderr)) == (69, b"out", [_FULL])


def test_the_action_without_a_temporary_folder_of_the_runner(machine: Machine) -> None:
    """Self-hosted runners of other makes may not have one."""
    action = Action(ROOT, machine.temporary, {})
    environ = {"RUNNER_TEMP": ""}
    done = action.run(machine, {"registries": json.dumps([_LOGIN]), "command": "echo out"}, environ)
    assert (done.last.code, done.outputs["stdout"]) == (0, "out\n")


def test_100_mib_in_one_line_pass_the_action_in_bounded_memory(machine: Machine) -> None:
    script = f"head -c {100 * _MIB} /dev/zero | tr '\\0' a; printf $HEAD$REST; grep VmHWM /proc/$PPID/status >memory"
    inputs = {"registries": json.dumps([_LOGIN]), "command": script, "shell": "sh"}
    environ = {f"REGISTRY_CONFIG_INPUT_{name.upper()}": value for name, value in inputs.items()} | _HALVES
    words = [*machine.program, "action"]
    done = subprocess.run(
        words, cwd=machine.work, env=machine.environ(environ), capture_output=True, check=False, timeout=60
    )
    # What the tool printed, which has neither letters of ours nor a colon.
    lines = [line for line in done.stdout.splitlines() if not line.strip(b"a*")]
    assert (done.returncode, sum(map(len, lines)), max(map(len, lines)) <= 128 * 1024) == (0, 100 * _MIB + 3, True)
    assert search({"end": lines[-1]}, _SECRET, "alice") == []
    assert int((machine.work / "memory").read_text().split()[1]) * 1024 < 64 * _MIB


def test_10_000_registries_take_bounded_memory_and_no_more_time_each_than_1_000(machine: Machine) -> None:
    seconds, _ = _run_with_registries(machine, 1_000)
    more_seconds, memory = _run_with_registries(machine, 10_000)
    # Of the processor, and by what fewer take, so that neither a busy nor a slow machine counts.
    assert more_seconds < 20 * seconds
    # Each run of 16 characters of each form of 10,000 passwords has to be known.
    assert memory < 768 * _MIB


def _run_with_registries(machine: Machine, count: int) -> tuple[float, int]:
    """Seconds of the processor, and bytes of memory at most."""
    logins = [_LOGIN | {"registry": f"r{n}.example.com", "password": f"{_SECRET}-{n}"} for n in range(count)]
    script = f'grep VmHWM /proc/$PPID/status; wc -c <"$DOCKER_CONFIG/config.json"; echo "$HEAD$REST-{count - 1}"'
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = machine.run("sh", "-c", script, registries=logins, variables=_HALVES)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    memory, size, shown = done.stdout.splitlines()
    assert (done.code, shown, int(size) > 60 * count) == (0, b"***", True)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, int(memory.split()[1]) * 1024


@table(
    "script, code",
    {
        "ends by itself": ("exec >&- 2>&-; sleep 0.3; exit 5", 5),
        "is asked to end": ("exec >&- 2>&-; touch closed; exec sleep 60", 143),
    },
)
def test_a_tool_that_closes_its_streams(machine: Machine, script: str, code: int) -> None:
    with machine.start("sh", "-c", script, registries=[_LOGIN]) as process:
        if code != 5:
            wait_for((machine.work / "closed").exists)
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == code


def test_a_tool_that_forks_and_leaves_does_not_hold_us_and_loses_the_config(machine: Machine) -> None:
    """What it started goes on as it would without us, but the credentials are gone."""
    late = 'until [ -e stop ]; do sleep 0.05; done; cat "$DOCKER_CONFIG/config.json" >late 2>&1; touch told'
    script = f"setsid sh -c '{late}' >/dev/null 2>&1 & echo out"
    begun = time.monotonic()
    done = machine.run("sh", "-c", script, registries=[_LOGIN])
    assert (done.code, done.stdout, time.monotonic() - begun < 5) == (0, b"out\n", True)
    (machine.work / "stop").touch()
    wait_for((machine.work / "told").exists)
    assert search({"late": machine.work / "late"}, _SECRET, "alice") == []
    assert b"No such file" in (machine.work / "late").read_bytes()


def test_signals_one_after_the_other_end_it_once(machine: Machine) -> None:
    script = "trap 'echo x >>traps' TERM; touch ready; while ! [ -e stop ]; do sleep 0.05; done; exit 9"
    with machine.start("sh", "-c", script, registries=[_LOGIN]) as process:
        wait_for((machine.work / "ready").exists)
        for _ in range(3):
            process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
        (machine.work / "stop").touch()
        assert process.wait(timeout=10) == 9


@table("variables", {"no HOME": {"HOME": ""}, "HOME is no folder": {"HOME": "/dev/null"}, "no TMPDIR": {"TMPDIR": ""}})
def test_without_a_home_it_runs(machine: Machine, variables: Mapping[str, str]) -> None:
    done = machine.run(sys.executable, "-c", "print(1)", registries=[_LOGIN], variables=variables)
    assert (done.code, done.stdout) == (0, b"1\n")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path, prefix=("env", "--default-signal"))
