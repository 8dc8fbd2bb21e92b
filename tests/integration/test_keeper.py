"""The process that holds the config: what it knows, what it outlives, and what the tool can see of us."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.cli import Machine, wait_for
from support.leaks import SHARED_MEMORY
from support.rootless import rootless_machine

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECRET = "canary-31415926535897"
_LOGIN = {"registry": "registry.example.com", "username": "alice", "password": _SECRET}
# Finds the lines of a file in all that the kernel shows of a process: its memory, arguments and environment.
_SEARCH = """
import os, sys, time
needles = open("needles").read().split()
process = os.readlink(os.environ["DOCKER_CONFIG"] + "/config.json").split("/")[2]
deadline = time.monotonic() + 20
while "memfd:" not in open(f"/proc/{process}/maps").read() and time.monotonic() < deadline:
    time.sleep(0.02)
found = set()
def look(data, name):
    for needle in needles:
        if needle.encode() in data:
            found.add((needle, name))
for name in ("environ", "cmdline"):
    look(open(f"/proc/{process}/{name}", "rb").read(), name)
with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb", 0) as memory:
    for line in maps:
        span, rights = line.split()[:2]
        start, end = (int(number, 16) for number in span.split("-"))
        try:
            memory.seek(start)
            look(memory.read(end - start), "mem")
        except (OSError, ValueError, OverflowError):
            pass
print(sorted(found))
"""


@pytest.fixture(scope="module")
def user() -> Iterator[Machine]:
    """A user without privileges."""
    try:
        with rootless_machine() as machine:
            yield machine
    except LookupError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("front", ["command line", "action"])
def test_the_keeper_knows_the_config_and_no_other_secret_of_the_run(machine: Machine, front: str) -> None:
    others = {
        "IMAGE_PASSWORD": "image-password-27182818",
        "TOKEN": "job-token-16180339887",
        "TOLD": "secret-variable-1414213562",
        "BESIDE": "variable-of-the-step-1732050",
        "FILE": "password-of-a-file-22360679",
    }
    (machine.root / "file").write_text(others["FILE"])
    logins = [
        _LOGIN | {"password": "own-password-57721566"},
        {"registry": "image.example.com", "username": "alice", "password-env": "IMAGE_PASSWORD", "for": "image"},
        {"registry": "file.example.com", "username": "alice", "password-file": str(machine.root / "file")}
        | {"for": "image"},
    ]
    (machine.work / "needles").write_text("\n".join((*others.values(), "registry.example.com")))
    environ = {name: value for name, value in others.items() if name != "FILE"} | {"GITHUB_ACTOR": "octocat"}
    if front == "action":
        given = {"REGISTRIES": json.dumps(logins), "SHELL": "sh", "GITHUB_TOKEN": others["TOKEN"], "SECRET_ENV": "TOLD"}
        given["COMMAND"] = 'exec "$PYTHON" -c "$SEARCH"'
        environ |= {f"REGISTRY_CONFIG_INPUT_{name}": value for name, value in given.items()}
        environ |= {"PYTHON": sys.executable, "SEARCH": _SEARCH}
        acting = Machine(machine.root, program=("sh", "-c", f'exec "{machine.program[0]}" action', "sh"))
        done = acting.run(variables=environ)
        shown = [line for line in done.stdout.decode().splitlines() if line.startswith("[(")]
    else:
        options = ["--secret-env", "TOLD", "--github-token-env", "TOKEN"]
        done = machine.run(sys.executable, "-c", _SEARCH, registries=logins, options=options, variables=environ)
        shown = done.stdout.decode().splitlines()
    assert done.code == 0, done.stderr
    # What it holds is found, so the search does search.
    assert shown == ["[('registry.example.com', 'mem')]"]


def test_the_keeper_has_an_environment_and_descriptors_of_its_own(machine: Machine) -> None:
    script = """
        keeper=$(readlink "$DOCKER_CONFIG/config.json" | cut -d/ -f3)
        until grep -q memfd: /proc/$keeper/maps; do sleep 0.02; done
        tr '\\0' '\\n' </proc/$keeper/environ; readlink /proc/$keeper/cwd; cut -d' ' -f 6 /proc/$keeper/stat
        for file in /proc/$keeper/fd/*; do readlink "$file"; done; grep 'core file' /proc/$keeper/limits; echo $keeper
    """
    given = {"RUNNER_TRACKING_ID": "github_1", "OTHER": "other"}
    inherited = Machine(machine.root, prefix=("sh", "-c", 'exec "$@" 7</etc/passwd 9>&1', "sh"))
    done = inherited.run("sh", "-c", script, registries=[_LOGIN], variables=given)
    tracking, folder, session, *files, limit, keeper = done.stdout.decode().splitlines()
    assert (done.code, tracking, folder, session, limit.split()[4]) == (
        0,
        "RUNNER_TRACKING_ID=github_1",
        "/",
        keeper,
        "0",
    )
    kinds = ("/dev/null", f"{SHARED_MEMORY}/registry-config-", "/memfd:registry-config (deleted)", "pipe:")
    assert [sum(file.startswith(kind) for file in files) for kind in kinds] == [
        3,
        1,
        2,
        1,
    ]  # what is mapped has a descriptor of its own
    assert len(files) == 7


def test_after_a_kill_the_folder_goes_and_the_keeper_too(machine: Machine) -> None:
    script = 'echo "$DOCKER_CONFIG"; readlink "$DOCKER_CONFIG/config.json" | cut -d/ -f3; exec sleep 60'
    with machine.start("sh", "-c", script, registries=[_LOGIN]) as process:
        assert process.stdout
        folder, keeper = (process.stdout.readline().decode().strip() for _ in range(2))
        tool = _child_of(process.pid, but=int(keeper))
        process.kill()
        process.wait()
        wait_for(lambda: not os.path.exists(folder))
        wait_for(lambda: not _runs(int(keeper)))
        os.kill(tool, signal.SIGKILL)


def _child_of(parent: int, but: int) -> int:
    children = map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())
    (child,) = (child for child in children if child != but)
    return child


def _runs(process: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2][:4]
    except OSError:
        return False


def test_a_keeper_that_is_killed_takes_the_config_with_it(machine: Machine) -> None:
    script = """
        kill -9 "$(readlink "$DOCKER_CONFIG/config.json" | cut -d/ -f3)"
        until ! cat "$DOCKER_CONFIG/config.json" >/dev/null 2>&1; do sleep 0.02; done; echo gone
    """
    done = machine.run("sh", "-c", script, registries=[_LOGIN])
    assert (done.code, done.stdout) == (0, b"gone\n")


def test_a_tool_of_an_ordinary_user_cannot_look_into_our_process(user: Machine) -> None:
    script = """
        for name in environ mem maps fd/0 fd/1; do
            cat /proc/$PPID/$name >/dev/null 2>&1 && echo "$name is open"
        done
        ls /proc/$PPID/fd >/dev/null 2>&1 && echo "fd is open"
        cat "$DOCKER_CONFIG/config.json" >/dev/null && grep -c auths "$REGISTRY_AUTH_FILE"
    """
    done = user.run("sh", "-c", script, registries=[_LOGIN])
    assert (done.code, done.stdout) == (0, b"1\n"), done.stderr


def test_the_declaration_on_standard_input_is_not_handed_on_by_any_name(machine: Machine) -> None:
    path = machine.declare([_LOGIN])
    redirected = Machine(machine.root, prefix=("sh", "-c", 'file=$1; shift; exec "$@" <"$file"', "sh", path))
    for name in ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"):
        done = redirected.run("cat", registries=name)
        assert (done.code, done.stdout) == (0, b""), name
        piped = machine.run("cat", registries=name, stdin=json.dumps([_LOGIN]).encode())
        assert (piped.code, piped.stdout) == (0, b""), name
    done = machine.run("cat", registries=path, stdin=b"its own")
    assert done.stdout == b"its own"


def test_a_few_descriptors_are_enough(machine: Machine) -> None:
    limited = Machine(machine.root, prefix=("sh", "-c", 'ulimit -n 128; exec "$@"', "sh"))
    done = limited.run("sh", "-c", 'head -c 10 "$REGISTRY_AUTH_FILE"', registries=[_LOGIN])
    assert (done.code, done.stdout) == (0, b'{"auths":{')
