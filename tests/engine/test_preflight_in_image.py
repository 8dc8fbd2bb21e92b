"""What registries are asked where the command runs in an image: of the image's own credential too."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import pytest

from support.artifacts import layout_digest, oci_layout
from support.authority import certificate
from support.cli import lines_of_ours
from support.connect_proxy import connect_proxy
from support.front import front

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.engine import Bench


class _Reached(NamedTuple):
    """A registry as an image reaches it, over TLS: its entry, and what leads this machine's own requests there."""

    entry: dict[str, str]
    variables: dict[str, str]


@pytest.fixture
def reached(bench: Bench, tmp_path: Path) -> Iterator[_Reached]:
    made = certificate(tmp_path / "certificate", [f"IP:{bench.engine.exec_host}", "IP:127.0.0.1"])
    first = bench.registries.first
    with (
        front(tmp_path / "front", first.address, served=made) as server,
        connect_proxy(server.address) as proxy,
    ):
        host = f"{bench.engine.exec_host}:{server.address.rpartition(':')[2]}"
        login = {**first.login(), "registry": host, "ca-file": str(made.authority)}
        yield _Reached(login, {"HTTPS_PROXY": proxy.url})


def test_all_credentials_are_asked_and_the_digest_is_the_registrys(bench: Bench, reached: _Reached) -> None:
    oci_layout(bench.machine.work / "layout")
    digest, host = layout_digest(bench.machine.work / "layout"), reached.entry["registry"]
    push = ("crane", "push", "layout", f"{host}/preflight/app:1")
    run = partial(bench.run, *push, registries=[reached.entry], variables=reached.variables)
    done = run(options=("--verify", "push", "--digest-from", "registry"))
    assert done.code == 0, done.stderr
    rows = [(row["registry"], row["repository"], row["action"], row["verdict"]) for row in done.report["verify"]]
    assert rows == [
        (host, "", "login", "verified"),
        (host, "preflight/app", "push", "verified"),
        (bench.tools.registry.address, "", "login", "verified"),
    ]
    assert done.report["digest"] == digest
    again = run(options=("--skip-existing",))
    assert (again.code, again.report["results"][0]["state"]) == (0, "exists"), again.stderr
    assert again.report["digest"] == digest


def test_a_wrong_password_for_the_image_is_told_before_the_engine_is_asked(bench: Bench) -> None:
    address = bench.tools.registry.address
    done = bench.machine.run(
        "true",
        registries=[{**bench.tools.login, "password": "not-the-password-1"}],
        options=["--image", bench.tools.reference("shell"), "--verify", "login"],
        variables={"_EXPERIMENTAL_DAGGER_RUNNER_HOST": "unix:///nowhere"},
    )
    assert done.code == 77, done.stderr
    assert any(line.startswith(f"verify: {address}: login rejected: ") for line in lines_of_ours(done.stderr))
