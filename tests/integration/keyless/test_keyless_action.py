"""The same in a step: what the log, the annotations and the outputs say."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from support.http_server import Answer
from support.identity import SUBJECT
from support.keyless import ENTRIES

if TYPE_CHECKING:
    from support.action import Action
    from support.cli import Machine
    from support.clouds import Clouds
    from support.net import Asked, Net

_ACCOUNT_SERVER = "iamcredentials.googleapis.com"
_HOST, _, _KEYS = ENTRIES["google"]
_REGISTRIES = json.dumps([{"registry": _HOST, "provider": "google", **_KEYS}])
# Backwards, which no redaction hides.
_SHOW = f"""import base64, json, os
auths = json.load(open(os.environ["DOCKER_CONFIG"] + "/config.json"))["auths"]
print("shown", base64.b64decode(auths["{_HOST}"]["auth"])[::-1].decode())
"""


def test_each_command_has_the_credential_of_its_moment(
    world: Net, clouds: Clouds, machine: Machine, action: Action
) -> None:
    clouds.life = 200
    given: list[str] = []
    play = world.players[_ACCOUNT_SERVER]

    def another(asked: Asked) -> Answer:
        given.append(f"ya29.number-{len(given)}-16180339")
        clouds.passwords[_HOST] = ("oauth2accesstoken", given[-1])
        return play(asked)

    world.players[_ACCOUNT_SERVER] = another
    (machine.work / "show.py").write_text(_SHOW)
    inputs = {"registries": _REGISTRIES, "command": f"{sys.executable} show.py\n{sys.executable} show.py"}
    done = action.run(machine, inputs, {**world.variables, **clouds.issuer.variables})

    assert done.last.code == 0, done.log
    shown = [line.split()[-1][::-1].partition(":")[2] for line in done.log if "shown " in line]
    # Once at the start, and once before each command, as it never has five minutes left.
    assert (len(given), shown) == (3, given[1:])


def test_the_expiry_is_a_line_of_the_log(world: Net, clouds: Clouds, machine: Machine, action: Action) -> None:
    inputs = {"registries": _REGISTRIES, "command": "true", "timeout": "2h"}
    done = action.run(machine, inputs, {**world.variables, **clouds.issuer.variables})

    assert any(f"{_HOST}: credential from google, expires 20" in line for line in done.log)
    assert [a.level for a in done.last.step.annotations] == ["warning"]
    assert "sooner than 'timeout'" in done.last.step.annotations[0].message


def test_a_refusal_is_an_error_and_nothing_ran(world: Net, clouds: Clouds, machine: Machine, action: Action) -> None:
    world.players["sts.googleapis.com"] = lambda _: Answer(400, b'{"error": "invalid_target"}')
    inputs = {"registries": _REGISTRIES, "command": "touch ran"}
    done = action.run(machine, inputs, {**world.variables, **clouds.issuer.variables})

    assert done.last.code == 77
    assert (done.outputs["exit-code"], (machine.work / "ran").exists()) == ("", False)
    (annotation,) = done.last.step.annotations
    assert annotation.level == "error"
    assert f"sub {SUBJECT}" in annotation.message
    assert "the project's number" in annotation.message


def test_without_the_permission_a_step_is_skipped_where_that_was_asked_for(
    world: Net, machine: Machine, action: Action
) -> None:
    inputs = {"registries": _REGISTRIES, "command": "touch ran", "on-missing": "skip"}
    done = action.run(machine, inputs, world.variables)

    assert (done.last.code, done.outputs["skipped"], (machine.work / "ran").exists()) == (0, "true", False)
    assert world.connected == []


def test_a_keyless_signature_is_told_which_lines_to_add(
    world: Net, clouds: Clouds, machine: Machine, action: Action
) -> None:
    inputs = {"registries": _REGISTRIES, "command": f"cosign sign {_HOST}/app:1", "dry-run": "true"}
    done = action.run(machine, inputs, {**world.variables, **clouds.issuer.variables})

    (annotation,) = done.last.step.annotations
    assert "'env: ACTIONS_ID_TOKEN_REQUEST_URL'" in annotation.message
    assert "'secret-env: ACTIONS_ID_TOKEN_REQUEST_TOKEN'" in annotation.message
