"""Two users on one registry, each for a path of its own: every tool's every push gets the right one."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections import Counter
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from support.cli import PROGRAM, tool_path
from support.oci_tools import TOOLS, words
from support.proxy import gate
from support.registry import Registry, registry
from support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.cli import Machine

_USERS = {"anna": "password-of-org-a-11235813", "bert": "password-of-org-b-21345589"}
_ORGANISATIONS = {"org-a": "anna", "org-b": "bert"}
_ROUNDS = 20
# Blobs are left out: to save an upload some tools ask whether the neighbour has one, still with their own user.
_REQUEST = re.compile(r'127\.0\.0\.1 - (\S+) \[[^]]*\] "\w+ /v2/(org-[ab])/\S+/manifests/\S+ HTTP/1.1" 2')


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry behind nginx, whose access log tells the user of each request."""
    folder = tmp_path_factory.mktemp("shared")
    with registry(folder / "registry", _USERS) as running, gate(folder / "gate", running.address) as front:
        yield Registry(front.address, _USERS, front.log)


@pytest.mark.parametrize("name", [name for name, tool in TOOLS.items() if tool.host])
def test_pushes_to_two_namespaces_get_the_right_user_each_time(
    machine: Machine, shared: Registry, artifacts: dict[str, object], short: Path, name: str
) -> None:
    """One declaration, one step of forty pushes."""
    tool = TOOLS[name]
    logins = [
        {"registry": f"{shared.address}/{path}", "username": user, "password": _USERS[user]}
        for path, user in _ORGANISATIONS.items()
    ]

    def values() -> dict[str, object]:
        return artifacts | {"short": short, "fresh": machine.temporary / uuid4().hex}

    def run(*commands: str) -> None:
        lines = [
            shlex.join(words(tool, command, shared, f"{path}/{name.replace(' ', '-')}", **values()))
            for command in commands
            for path in (_ORGANISATIONS if "{where}" in command else ["org-a"])
        ]
        need_tools({word for line in lines for word in line.split()}, tool_path())
        inputs = {
            "REGISTRY_CONFIG_INPUT_REGISTRIES": json.dumps(logins),
            "REGISTRY_CONFIG_INPUT_COMMAND": "\n".join(lines),
        }
        done = subprocess.run(
            [*PROGRAM, "action"],
            env=machine.environ(inputs),
            cwd=machine.work,
            capture_output=True,
            check=False,
            timeout=240,
        )
        assert done.returncode == 0, done.stdout[-2000:].decode()

    if tool.prepare:
        run(*tool.prepare)
    before = len(shared.log.read_text().splitlines())
    run(*[tool.push] * _ROUNDS)
    lines = shared.log.read_text().splitlines()[before:]
    served = Counter(match.groups() for line in lines if (match := _REQUEST.match(line)))
    assert set(served) == {(user, path) for path, user in _ORGANISATIONS.items()}
    # A manifest that is there already is asked for and not put again, so not only the pushes are counted.
    assert min(served.values()) >= _ROUNDS
