"""The input `verify`: its output, the log, the page of the run, and the tokens that the registries' servers give."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.places import PASSWORDS, opaque_registry
from support.runner import Annotation

if TYPE_CHECKING:
    from pathlib import Path

    from support.action import Action
    from support.cli import Machine
    from support.places import Places

_TOKEN = "an-opaque-token-of-a-token-server-4711"


def _declared(places: Places, user: str) -> str:
    return json.dumps([places.strict.login(user), places.htpasswd.login()])


@pytest.mark.parametrize("dry", ["false", "true"])
def test_what_would_be_denied_is_not_run(action: Action, machine: Machine, places: Places, dry: str) -> None:
    address, other = places.strict.registry.address, places.htpasswd.registry.address
    done = action.run(
        machine,
        {
            "registries": _declared(places, "bob"),
            "command": f"touch ran\ncrane push layout {address}/team/app:1",
            "verify": "push",
            "dry-run": dry,
        },
    )
    rows = json.loads(done.outputs["verify"])
    assert [(row["registry"], row["repository"], row["action"], row["verdict"]) for row in rows] == [
        (address, "", "login", "verified"),
        (address, "team/app", "push", "denied"),
        (other, "", "login", "verified"),
    ]
    assert (done.last.code, done.outputs["exit-code"], done.outputs["skipped"]) == (77, "", "false")
    assert not (machine.work / "ran").exists()
    wide = f"{address}/team/app"
    for line in (
        f"verify: {address:{len(wide)}}  login  verified",
        f"verify: {wide}  push   denied",
        f"verify: {other:{len(wide)}}  login  verified",
    ):
        assert line in done.log, done.log
    reason = rows[1]["reason"]
    message = f"verify: {wide}: push denied: {reason}"
    assert done.last.step.annotations == [Annotation("error", message, "registry-config")]
    assert done.summary.startswith("### Registry config: nothing was run\n")
    assert "| registry | repository | action | verdict | what to do |" in done.summary
    assert f"| {address.replace(':', '&#58;')} | team/app | push | denied | " in done.summary


def test_what_is_good_is_run_and_told(action: Action, machine: Machine, places: Places, layout: Path) -> None:
    # crane takes no token server on loopback.
    address = places.htpasswd.registry.address
    done = action.run(
        machine,
        {
            "registries": _declared(places, "alice"),
            "command": f"crane push {layout} {address}/action/app:1",
            "verify": "push",
            "digest-from": "registry",
        },
    )
    assert (done.last.code, {row["verdict"] for row in json.loads(done.outputs["verify"])}) == (0, {"verified"})
    assert done.outputs["digest"].startswith("sha256:")
    assert done.last.step.annotations == []
    assert "| action/app | push | verified |" in done.summary
    for password in PASSWORDS.values():
        assert password not in "\n".join(done.log)


def test_a_warning_for_what_cannot_be_proven(action: Action, machine: Machine, places: Places) -> None:
    address = places.open.registry.address
    done = action.run(
        machine,
        {"registries": json.dumps([places.open.login()]), "command": "true", "verify": "login"},
    )
    (row,) = json.loads(done.outputs["verify"])
    warning = Annotation("warning", f"verify: {address}: login not provable: {row['reason']}", "registry-config")
    assert (done.last.code, done.last.step.annotations) == (0, [warning])


def test_the_tokens_of_token_servers_are_masked(action: Action, machine: Machine) -> None:
    with opaque_registry(_TOKEN) as address:
        login = {"registry": address, "username": "alice", "password": PASSWORDS["alice"]}
        done = action.run(
            machine,
            {
                "registries": json.dumps([login]),
                "command": f"echo the token is {_TOKEN}",
                "verify": "login",
                "shell": "sh",
            },
        )
    assert done.last.code == 0
    assert _TOKEN in done.last.step.masks
    assert done.outputs["stdout"] == "the token is ***\n"
    assert _TOKEN not in "\n".join(done.log)
    assert _TOKEN not in done.summary


def test_without_it_nothing_is_sent(action: Action, machine: Machine, places: Places) -> None:
    marks = [place.mark() for place in places]
    declared = json.dumps([place.login() for place in places])
    done = action.run(machine, {"registries": declared, "command": "true"})
    assert (done.last.code, done.outputs["verify"]) == (0, "[]")
    assert [mark.total() for mark in marks] == [0] * len(places)
