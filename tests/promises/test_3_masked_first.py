"""Promise 3: in the action, secrets are masked before anything else is printed, and nothing else is masked."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from support.runner import Annotation, Masker, Runner
from support.scenario import HOST, VARIABLE, entry
from support.tables import table
from support.telltale import spoken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.action import Action
    from support.canaries import Canary
    from support.cli import Machine

_OTHER = {"registry": "other.example.com", "username": "somebody", "password": "other-password"}


@table(
    "inputs",
    {
        "success": {"command": "echo ::add-mask::x"},
        "failure": {"command": "false"},
        "warning": {"registries": json.dumps([{**_OTHER, "password": "five5"}])},
        "targets": {"command": "echo {target}", "targets": "a.example.com\nb.example.com"},
        "dry run": {"command": "echo", "dry-run": "true"},
        "no such program": {"command": "no-such-program"},
        "fault in the working directory": {"working-directory": "no-such-folder"},
        "no file matches": {"command": "echo no-such-file-*"},
    },
)
def test_masks_are_the_first_lines_of_one_stream(
    action: Action, machine: Machine, token: Canary, inputs: Mapping[str, str]
) -> None:
    """GitHub's runner takes waiting lines of stderr before those of stdout: a mask in the other stream may be late."""
    registries = json.dumps([entry(token)])
    given = {"registries": registries, "command": "true", "secret-env": "KEY", **inputs}
    done = action.run(machine, given, {VARIABLE: token.password, "KEY": "key-0123456789"})
    kinds = [line.startswith(b"::add-mask::") for line in done.last.stdout.splitlines()]
    assert (done.last.stderr, kinds, any(kinds)) == (b"", sorted(kinds, reverse=True), True)


def test_what_is_masked_hides_every_form_for_the_steps_that_follow(
    action: Action, machine: Machine, canary: Canary
) -> None:
    """A later step may print what it got from elsewhere; our redaction is not there then, only GitHub's masks."""
    runner = Runner()
    action.run(machine, {"registries": json.dumps([entry(canary)]), "command": "true"}, _given(canary), runner=runner)
    auth = base64.b64encode(f"{canary.username}:{canary.password}".encode()).decode()
    shown = [runner.masker.mask(line) for text in spoken(_config(auth)) for line in text.split("\n")]
    assert [line for line in shown if any(part in line for part in _pieces(canary))] == []
    assert [line for line in shown if auth.rstrip("=") in line] == []


def test_hosts_users_and_a_documents_braces_stay_readable(action: Action, machine: Machine, canary: Canary) -> None:
    runner = Runner()
    action.run(machine, {"registries": json.dumps([entry(canary)]), "command": "true"}, _given(canary), runner=runner)
    for line in (HOST, f"user {canary.username}", "{", "}", "type: service_account", "-----BEGIN PRIVATE KEY-----"):
        assert runner.masker.mask(line) == line


def test_a_short_password_is_masked_as_base64_only_and_a_warning_says_so(action: Action, machine: Machine) -> None:
    runner = Runner()
    declared = json.dumps([{"registry": HOST, "username": "alice", "password": "five5"}])
    done = action.run(machine, {"registries": declared, "command": "echo five5"}, runner=runner)
    problem = (
        "registries[0].password (line 1): a password of fewer than 6 characters can be hidden in its base64 form only"
    )
    assert [a for a in done.last.step.annotations if "fewer" in a.message] == [
        Annotation("warning", problem.replace(".password", ""), "registry-config")
    ]
    assert done.log[-1] == "five5"
    assert runner.masker.mask(base64.b64encode(b"alice:five5").decode().rstrip("=")) == "***"


def test_the_runner_alone_would_not_hide_every_form() -> None:
    """Why there are masks of ours: with the secret alone GitHub's runner lets these through."""
    secret = "p/a+s&s<w>é0"
    masker = Masker()
    masker.add_mask(secret)
    unpadded = base64.b64encode(f"alice:{secret}".encode()).decode().rstrip("=")
    forms = (unpadded, json.dumps(secret), secret.encode().hex())
    assert [form for form in forms if masker.mask(form) == form] != []


def _given(canary: Canary) -> dict[str, str]:
    return {VARIABLE: canary.password}


def _config(auth: str) -> str:
    return json.dumps({"auths": {HOST: {"auth": auth}}})


def _pieces(canary: Canary) -> list[str]:
    """What stands in one line of a log."""
    return [line for part in canary.parts for line in part.split("\n") if len(line) >= 8 and "-----" not in line]
