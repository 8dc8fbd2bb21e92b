"""Promise 5: a push runs once; again only where `retries` asks for it, and only after a failure that may pass.

In an image: `tests/engine/test_commands.py`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from support.artifacts import oci_layout
from support.registry import registry
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.action import Action
    from support.cli import Machine
    from support.registry import Registry

_COUNTED = 'echo run >>runs; echo "$1" >&2; exit "$2"'
_RESET = "read: connection reset by peer"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry(tmp_path_factory.mktemp("registry"), {"alice": "alices-password-31415926535897"}) as one:
        yield one


def _push(folder: Path, target: Registry, name: str) -> tuple[str, ...]:
    oci_layout(folder / "layout")
    reference = f"docker://{target.address}/{name}:1"
    return ("skopeo", "copy", "--quiet", "--dest-tls-verify=false", f"oci:{folder}/layout:1", reference)


def _puts(target: Registry, name: str) -> list[str]:
    lines = (re.search(rf'"PUT /v2/{name}/manifests/\S+ HTTP/1.1" (\d+)', line) for line in target.requests())
    return [found[1] for found in lines if found]


def test_the_registry_gets_one_manifest(machine: Machine, running: Registry, tmp_path: Path) -> None:
    words = _push(tmp_path, running, "once")
    done = machine.run(*words, registries=[running.login()], options=["--retries", "3"])
    assert (done.code, _puts(running, "once")) == (0, ["201"])


def test_the_registry_gets_one_manifest_of_the_action(
    action: Action, machine: Machine, running: Registry, tmp_path: Path
) -> None:
    login = running.login()
    declared = f"- {{registry: '{login['registry']}', username: alice, password: {login['password']}}}"
    words = " ".join(_push(tmp_path, running, "action"))
    done = action.run(machine, {"registries": declared, "command": words, "retries": "3"})
    assert (done.last.code, _puts(running, "action")) == (0, ["201"])


@table(
    "message, code, retries, runs",
    {
        "success that speaks of a reset": (_RESET, 0, 3, 1),
        "reset, no retries": (_RESET, 1, 0, 1),
        "reset, one retry": (_RESET, 1, 1, 2),
        "refused": ("401 Unauthorized", 1, 3, 1),
        "denied, then reset": (f"denied: requested access to the resource is denied\n{_RESET}", 1, 3, 1),
        "unknown failure": ("something went wrong", 1, 3, 1),
        "nothing said": ("", 1, 3, 1),
    },
)
def test_a_command_is_repeated_only_where_that_is_asked_for_and_may_help(
    machine: Machine, message: str, code: int, retries: int, runs: int
) -> None:
    options = ["--retries", str(retries)]
    done = machine.run("sh", "-c", _COUNTED, "sh", message, str(code), registries=[_UNUSED], options=options)
    assert (done.code, (machine.work / "runs").read_text().count("run")) == (code, runs)


def test_each_target_runs_once(machine: Machine) -> None:
    options = [word for name in "abc" for word in ("--target", f"{name}.example.com")]
    done = machine.run("sh", "-c", "echo $0 >>runs", "{target}", registries=[_UNUSED], options=options)
    expected = ["a.example.com", "b.example.com", "c.example.com"]
    assert (done.code, sorted((machine.work / "runs").read_text().split())) == (0, expected)


_UNUSED = {"registry": "registry.example.com", "username": "alice", "password": "password-0123456789"}
