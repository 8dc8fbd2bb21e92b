"""Entries without a password, for a command in a tool image: the credential is obtained here and mounted there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.artifacts import layout_digest, oci_layout
from support.keyless import ENTRIES
from support.registry import registry

if TYPE_CHECKING:
    from pathlib import Path

    from support.clouds import Clouds
    from support.engine import Bench
    from support.net import Net

_PUSH = ("crane", "push", "layout")


@pytest.mark.parametrize("name", ["quay", "jfrog"])
def test_a_credential_of_a_provider_pushes_in_an_image(
    bench: Bench, clouds: Clouds, world: Net, tmp_path: Path, name: str
) -> None:
    """These two may stand for any host, so a registry of this machine can be theirs."""
    host, _, keys = ENTRIES[name]
    user, password = clouds.passwords[host]
    with registry(tmp_path / "keyless", {user: password}) as running:
        inside = bench.engine.inside(running)
        entry = {"registry": inside, "provider": name, "url": f"https://{host}", **keys}
        oci_layout(bench.machine.work / "layout")
        variables = {**world.variables, **clouds.issuer.variables}
        done = bench.run(*_PUSH, f"{inside}/keyless/app:1", registries=[entry], variables=variables)
        assert done.code == 0, done.stderr
        assert running.digest("keyless/app", "1") == layout_digest(bench.machine.work / "layout")
        _seen_nowhere(clouds, done.stdout + done.stderr)


def test_a_refused_exchange_ends_before_the_image_is_pulled(bench: Bench, clouds: Clouds, world: Net) -> None:
    host, _, keys = ENTRIES["quay"]
    entry = {"registry": host, "provider": "quay", **keys, "username": "acme+nobody"}
    variables = {**world.variables, **clouds.issuer.variables}
    done = bench.run("true", registries=[entry], variables=variables)
    assert (done.code, done.report["ran"]) == (77, False)
    assert "Invalid robot" in done.stderr.decode()
    _seen_nowhere(clouds, done.stdout + done.stderr)


def test_what_a_credential_helper_says_pushes_in_an_image(bench: Bench, tmp_path: Path) -> None:
    first = bench.registries.first
    ((user, password),) = first.users.items()
    helper = tmp_path / "bin/docker-credential-ours"
    helper.parent.mkdir()
    helper.write_text(f'#!/bin/sh\necho \'{{"Username": "{user}", "Secret": "{password}"}}\'\n')
    helper.chmod(0o755)
    inside = bench.engine.inside(first)
    oci_layout(bench.machine.work / "layout")
    entry = {"registry": inside, "credential-helper": "ours"}
    path = f"{helper.parent}:{bench.machine.environ()['PATH']}"
    done = bench.run(*_PUSH, f"{inside}/helper/app:1", registries=[entry], variables={"PATH": path})
    assert done.code == 0, done.stderr
    assert first.digest("helper/app", "1") == layout_digest(bench.machine.work / "layout")
    assert password.encode() not in done.stdout + done.stderr


def _seen_nowhere(clouds: Clouds, shown: bytes) -> None:
    assert [secret for _, secret in clouds.secrets if secret.encode() in shown] == []
