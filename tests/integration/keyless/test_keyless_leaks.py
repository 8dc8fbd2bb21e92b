"""The search for leaks: ID tokens, the right to get them, what is between, passwords and `auth`, wherever bytes go."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from support.clouds import aws_error
from support.http_server import Answer
from support.keyless import ENTRIES
from support.leaks import SHARED_MEMORY, search
from support.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.action import Action
    from support.cli import Machine
    from support.clouds import Clouds
    from support.net import Asked, Net

_TELLTALE = Path(__file__).parents[2] / "support/telltale.py"
_MASK = b"::add-mask::"
_FIRST = (
    "sts.us-east-1.amazonaws.com",
    "sts.googleapis.com",
    "login.microsoftonline.com",
    "identity.docker.com",
    "quay.io",
    "acme.jfrog.io",
    "api.cloudsmith.io",
    "issuer.enforce.dev",
)
_LAST = ("api.ecr-public.us-east-1.amazonaws.com", "iamcredentials.googleapis.com", "acme.azurecr.io")


def _echo(status: int) -> Callable[[Asked], Answer]:
    """A server that quotes what it was asked, as error pages do."""

    def answer(asked: Asked) -> Answer:
        # What is secret comes first, since a message quotes no more than 300 characters.
        token = re.search(r"eyJ[\w.-]+", asked.body.decode())
        secret = token[0] if token else asked.headers.get("Authorization")
        quoted = f"{secret} {asked.target} {asked.headers.items()} {asked.body!r}"
        if asked.host.startswith("sts.us-east-1"):
            return aws_error(status, "Echo", quoted.replace("&", "").replace("<", ""))
        return Answer(status, json.dumps({"error": quoted, "message": quoted, "detail": quoted}).encode())

    return answer


# What other answers there are, by host.
SITUATIONS: dict[str, Mapping[str, Callable[[Asked], Answer]]] = {
    "all goes well": {},
    "every first server refuses and quotes the request": dict.fromkeys(_FIRST, _echo(401)),
    "every last server refuses and quotes the request": dict.fromkeys(_LAST, _echo(403)),
    "every first server succeeds with a quotation": dict.fromkeys(_FIRST, _echo(200)),
    "every last server succeeds with a quotation": dict.fromkeys(_LAST, _echo(200)),
    "GitHub quotes the request": {"pipelinesghubeus1.actions.githubusercontent.com": _echo(403)},
    "every first server redirects": dict.fromkeys(
        _FIRST, lambda asked: Answer(302, headers={"Location": f"https://other.example.com{asked.target}"})
    ),
}


class Seen(NamedTuple):
    """What came of a run.

    Attributes:
        code: its exit code.
        came: by name, the bytes that came out of it.
        during: what a command of the same user could look at.
    """

    code: int
    came: Mapping[str, bytes]
    during: Path

    def leaks(self, machine: Machine, clouds: Clouds) -> list[str]:
        """Every place that holds one of the secrets of these clouds."""
        processes = {path.name: path.read_bytes() for path in self.during.iterdir() if path.is_file()}
        folders = {f"during {path.name}": path for path in self.during.iterdir() if path.is_dir()}
        after = {"home": machine.home, "tmp": machine.temporary, "work": machine.work, "shm": SHARED_MEMORY}
        places: dict[str, bytes | Path] = {**self.came, **processes, **folders, **after}
        whole = [place for user, secret in set(clouds.secrets) for place in search(places, secret, user)]
        # A message quotes less than a whole ID token.
        parts = {secret[start : start + 40] for secret in clouds.issuer.given for start in (0, 100)}
        return whole + [place for part in parts for place in search(self.came, part)]


def _entries() -> list[dict[str, str]]:
    return [{"registry": host, "provider": name.partition(",")[0], **keys} for name, (host, _, keys) in ENTRIES.items()]


def _telltale(machine: Machine) -> tuple[str, ...]:
    during = machine.root / "during"
    during.mkdir()
    return (sys.executable, str(_TELLTALE), str(during), "0")


def _expected(situation: str) -> int:
    if situation == "all goes well":
        return 0
    return 69 if "succeeds" in situation or "redirects" in situation else 77


@pytest.mark.parametrize("situation", SITUATIONS)
def test_nothing_leaks_on_the_command_line(situation: str, world: Net, clouds: Clouds, machine: Machine) -> None:
    world.players.update(SITUATIONS[situation])
    variables = {**world.variables, **clouds.issuer.variables}
    done = machine.run(*_telltale(machine), registries=_entries(), variables=variables)
    came = {"stdout": done.stdout, "stderr": done.stderr, "json": json.dumps(done.report).encode()}
    seen = Seen(done.code, came, machine.root / "during")

    assert seen.code == _expected(situation), done.stderr
    assert clouds.issuer.given or "GitHub" in situation
    assert seen.leaks(machine, clouds) == []


@pytest.mark.parametrize("situation", ["all goes well", "every first server refuses and quotes the request"])
def test_nothing_leaks_from_the_action(
    situation: str, world: Net, clouds: Clouds, machine: Machine, action: Action
) -> None:
    world.players.update(SITUATIONS[situation])
    inputs = {"registries": json.dumps(_entries()), "command": " ".join(_telltale(machine))}
    done = action.run(machine, inputs, {**world.variables, **clouds.issuer.variables}, runner=Runner(debug=True))
    lines = done.last.stdout.splitlines(keepends=True)
    came = {
        "log": "\n".join(done.log).encode(),
        "written": b"".join(line for line in lines if not line.startswith(_MASK)),
        "stderr": done.last.stderr,
        "summary": done.summary.encode(),
        "annotations": "\n".join(map(str, done.last.step.annotations)).encode(),
        **{f"output {name}": value.encode() for name, value in done.outputs.items()},
        **{f"file {name}": data for name, data in done.last.files.items()},
    }
    seen = Seen(done.last.code, came, machine.root / "during")

    assert seen.code == _expected(situation), done.last.stdout
    assert seen.leaks(machine, clouds) == []


def test_every_secret_is_masked_before_anything_is_said(
    world: Net, clouds: Clouds, machine: Machine, action: Action
) -> None:
    inputs = {"registries": json.dumps(_entries()), "command": "true"}
    runner = Runner()
    done = action.run(machine, inputs, {**world.variables, **clouds.issuer.variables}, runner=runner)
    lines = done.last.stdout.splitlines()
    # What was said before anybody was asked, the version and the registries, holds nothing of it.
    said = [number for number, line in enumerate(lines) if b": credential from " in line]
    masked = [number for number, line in enumerate(lines) if line.startswith(_MASK)]

    assert done.last.code == 0, lines
    assert done.last.stderr == b""
    # The credential that never has five minutes left is obtained once more, after the lines about the first ones.
    assert len([number for number in masked if number < said[0]]) > 100
    for user, secret in set(clouds.secrets):
        shown = runner.masker.mask(f"begin {secret} {user} end")
        assert secret not in shown


def test_the_search_finds_what_is_there(world: Net, clouds: Clouds, machine: Machine, tmp_path: Path) -> None:
    """The telltale tells all: without redaction every credential of the config would be found."""
    variables = {**world.variables, **clouds.issuer.variables}
    leak = "import json, os; print(open(os.environ['DOCKER_CONFIG'] + '/config.json').read())"
    kept = tmp_path / "kept"
    copy = f"import os, shutil; shutil.copyfile(os.environ['DOCKER_CONFIG'] + '/config.json', {str(kept)!r})"
    script = machine.work / "leak.py"
    script.write_text(f"{leak}\n{copy}\n")
    done = machine.run(sys.executable, "leak.py", registries=_entries(), variables=variables)

    assert done.code == 0, done.stderr
    for user, secret in clouds.passwords.values():
        assert search({"config": kept}, secret, user) != []
        assert search({"stdout": done.stdout}, secret, user) == []
    assert os.path.exists(kept)
