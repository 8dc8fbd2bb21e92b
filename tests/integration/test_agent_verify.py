"""`agent start --verify`: an agent that holds credentials which no registry takes is not started."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from support.cli import lines_of_ours

if TYPE_CHECKING:
    from support.cli import Machine
    from support.places import Place, Places

_PID = re.compile(r"export REGISTRY_CONFIG_AGENT_PID=(\d+)")


def _start(machine: Machine, entries: list[dict[str, object]], *options: str) -> tuple[int, str, list[str]]:
    """Exit code, standard output and our own lines; the agent, if there is one, has been stopped."""
    path = machine.root / "registries.yaml"
    path.write_text(json.dumps(entries))
    ended = subprocess.run(
        [*machine.program, "agent", "start", "--registries", str(path), *options],
        cwd=machine.work,
        env=machine.environ({"EMPTY": ""}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    stdout = ended.stdout.decode()
    if found := _PID.search(stdout):
        os.kill(int(found[1]), signal.SIGTERM)
    return ended.returncode, stdout, lines_of_ours(ended.stderr)


@pytest.mark.parametrize("action", ["login", "pull", "push"])
def test_good_credentials_are_held(machine: Machine, places: Places, action: str) -> None:
    logins: list[dict[str, object]] = [{**one.login()} for one in (places.strict, places.htpasswd)]
    code, stdout, said = _start(machine, logins, "--verify", action)
    assert (code, bool(_PID.search(stdout))) == (0, True), said
    assert [line.split()[1:] for line in said if line.startswith("verify: ")] == [
        [one.registry.address, "login", "verified"] for one in (places.strict, places.htpasswd)
    ]


@pytest.mark.parametrize("name", ["strict", "htpasswd"])
def test_a_wrong_one_starts_nothing(machine: Machine, places: Places, name: str) -> None:
    place: Place = getattr(places, name)
    code, stdout, said = _start(machine, [{**place.login("alice", "wrong-password-1")}], "--verify", "login")
    assert (code, stdout) == (77, "exit 77\n")
    assert any(line.startswith(f"verify: {place.registry.address}: login rejected: ") for line in said)


def test_without_it_nobody_is_asked(machine: Machine, places: Places) -> None:
    mark = places.htpasswd.mark()
    code, stdout, _ = _start(machine, [{**places.htpasswd.login("alice", "wrong-password-1")}])
    assert (code, bool(_PID.search(stdout)), mark.total()) == (0, True, 0)


def test_an_optional_entry_that_is_missing_leaves_the_others(machine: Machine, places: Places) -> None:
    missing: dict[str, object] = {
        "registry": "missing.example.com",
        "username": "alice",
        "password-env": "EMPTY",
        "optional": True,
    }
    code, stdout, said = _start(machine, [missing, {**places.htpasswd.login()}], "--verify", "login")
    assert (code, bool(_PID.search(stdout))) == (0, True), said
    assert any(f"the credentials for {places.htpasswd.registry.address} until" in line for line in said)
