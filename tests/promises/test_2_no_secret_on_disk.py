"""Promise 2: no secret on any disk, neither while the tool runs nor afterwards."""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING

import pytest

from support.cli import Machine
from support.leaks import SHARED_MEMORY, search
from support.scenario import entry, in_action, on_command_line, telltale

if TYPE_CHECKING:
    from support.action import Action
    from support.canaries import Canary


def test_no_file_holds_it_while_the_tool_runs_or_afterwards(machine: Machine, canary: Canary) -> None:
    seen = on_command_line(machine, canary, *telltale(machine))
    # home, tmp, work, and our folder in shared memory: what was there was looked at
    assert len([path for path in seen.during.iterdir() if path.is_dir()]) >= 4
    assert (seen.code, seen.on_disk(canary)) == (0, [])


def test_nor_in_the_action(action: Action, machine: Machine, canary: Canary) -> None:
    seen = in_action(action, machine, canary)
    assert (seen.code, seen.on_disk(canary)) == (0, [])


def test_the_search_sees_a_file_that_a_tool_writes(machine: Machine, canary: Canary) -> None:
    """And it stays: what a tool writes itself is outside of the promises."""
    script = 'cp "$DOCKER_CONFIG/config.json" copy; exec "$@"'
    seen = on_command_line(machine, canary, "sh", "-c", script, "sh", *telltale(machine))
    places = {place.partition(":")[0].split("/")[-1] for place in seen.on_disk(canary)}
    assert (seen.code, places, len(seen.on_disk(canary)) >= 2) == (0, {"copy"}, True)


def test_a_login_inside_the_command_stays_in_memory_and_goes(machine: Machine, token: Canary) -> None:
    """The folder is in shared memory, and all of it is removed."""
    script = (
        f'cd "$DOCKER_CONFIG" && cp --remove-destination "$(readlink config.json)" config.json && {sys.executable} -c 0'
    )
    seen = on_command_line(machine, token, "sh", "-c", f"{script}; mkdir -p more/folders; cp config.json more/folders")
    assert (seen.code, seen.on_disk(token)) == (0, [])
    assert list(SHARED_MEMORY.glob("registry-config-*/more")) == []


@pytest.mark.parametrize("call", ["openat,open,creat", "write,pwrite64,writev"])
def test_the_kernel_is_asked_to_write_it_to_a_memory_file_only(machine: Machine, token: Canary, call: str) -> None:
    """Every call of our process that writes, as strace has it: bytes that were written and deleted again count too."""
    trace = machine.root / "trace"
    strace = (
        "strace",
        "--quiet=all",
        "--decode-fds=path",
        "--string-limit=100000",
        f"--trace={call}",
        "-o",
        str(trace),
    )
    traced = Machine(machine.root, prefix=strace)
    seen = on_command_line(traced, token, "true")
    assert (seen.code, trace.stat().st_size > 0) == (0, True)
    for line in trace.read_bytes().splitlines():
        if search({"call": line}, token.password, token.username):
            assert b"</memfd:registry-config" in line


def test_the_folder_that_tools_get_holds_links_only(machine: Machine, token: Canary) -> None:
    script = (
        'find "$DOCKER_CONFIG" ! -type l -printf "%y %m\\n"; readlink "$DOCKER_CONFIG/config.json" | cut -d/ -f 1-2,4'
    )
    seen = on_command_line(machine, token, "sh", "-c", script)
    assert seen.came["stdout"] == b"d 700\n/proc/fd\n"
    assert [*machine.temporary.iterdir(), *machine.home.iterdir()] == []


def test_what_was_declared_is_what_the_tool_gets(machine: Machine, canary: Canary) -> None:
    """That nothing is found must not be because nothing was there."""
    script = """
import base64, json, os, hashlib
auth = json.load(open(os.environ["DOCKER_CONFIG"] + "/config.json"))["auths"]["registry.example.com"]["auth"]
print(hashlib.sha256(base64.b64decode(auth)).hexdigest())
"""
    seen = on_command_line(machine, canary, sys.executable, "-c", script, registries=[entry(canary)])
    pair = f"{canary.username}:{canary.password}".encode()
    assert seen.came["stdout"].decode().strip() == hashlib.sha256(pair).hexdigest()


def test_no_core_file_can_be_written(machine: Machine, token: Canary) -> None:
    """As large a one as is allowed, until our process says otherwise: for itself and the tool; by a pipe neither."""
    cored = Machine(machine.root, prefix=("sh", "-c", 'ulimit -Sc "$(ulimit -Hc)"; exec "$@"', "sh"))
    script = "grep -h 'core file' /proc/self/limits /proc/$PPID/limits"
    seen = on_command_line(cored, token, "sh", "-c", script)
    assert [line.split()[4] for line in seen.came["stdout"].splitlines()] == [b"1"] * 2
