"""`verify` with entries that have no password: what a provider gives is what the registry is asked with."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from integration.keyless.test_keyless_push import entry, push, registry_behind, run

if TYPE_CHECKING:
    from pathlib import Path

    from support.cli import Machine
    from support.clouds import Clouds
    from support.net import Net

_HOST = "europe-docker.pkg.dev"
_ASKS = ("--verify", "push")


def _verdicts(document: dict[str, list[dict[str, str]]]) -> list[tuple[str, str, str]]:
    return [(row["registry"], row["action"], row["verdict"]) for row in document["verify"]]


@pytest.mark.parametrize("options", [_ASKS, (*_ASKS, "--dry-run")])
def test_what_the_provider_gives_is_proven(
    world: Net, clouds: Clouds, machine: Machine, tmp_path: Path, options: tuple[str, ...]
) -> None:
    with registry_behind(world, tmp_path / "registry", _HOST, *clouds.passwords[_HOST]):
        done = run(machine, world, clouds, *push(_HOST), registries=[entry("google")], options=options)
    assert (done.code, done.report["ran"]) == (0, "--dry-run" not in options), done.stderr
    assert _verdicts(done.report) == [(_HOST, "login", "verified"), (_HOST, "push", "verified")]


@pytest.mark.parametrize("options", [_ASKS, (*_ASKS, "--dry-run")])
def test_a_registry_that_does_not_take_it(
    world: Net, clouds: Clouds, machine: Machine, tmp_path: Path, options: tuple[str, ...]
) -> None:
    with registry_behind(world, tmp_path / "registry", _HOST, "oauth2accesstoken", "another-token-1"):
        done = run(machine, world, clouds, *push(_HOST), registries=[entry("google")], options=options)
    assert (done.code, done.report["ran"]) == (77, False), done.stderr
    assert _verdicts(done.report) == [(_HOST, "login", "rejected")]
    assert clouds.passwords[_HOST][1].encode() not in done.stderr


@pytest.mark.parametrize("takes", [True, False])
def test_check_asks_the_provider_too(
    world: Net, clouds: Clouds, machine: Machine, tmp_path: Path, *, takes: bool
) -> None:
    password = clouds.passwords[_HOST] if takes else ("oauth2accesstoken", "another-token-1")
    report = machine.root / "check.json"
    words = (*machine.program, "check", "--registries", machine.declare([entry("google")]), "--json", str(report))
    environ = machine.environ({**world.variables, **clouds.issuer.variables})
    with registry_behind(world, tmp_path / "registry", _HOST, *password):
        ended = subprocess.run(
            [*words, *_ASKS, "--", *push(_HOST)],
            cwd=machine.work,
            env=environ,
            capture_output=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode == (0 if takes else 77), ended.stderr
    rows = [(_HOST, "login", "verified"), (_HOST, "push", "verified")] if takes else [(_HOST, "login", "rejected")]
    assert _verdicts(json.loads(report.read_bytes())) == rows
    assert clouds.passwords[_HOST][1].encode() not in ended.stdout + ended.stderr
