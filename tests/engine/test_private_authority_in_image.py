"""`ca-file` in a tool image: the tool trusts the authority, and what the image trusts anyway."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from support.artifacts import layout_digest, oci_layout
from support.authority import certificate
from support.cli import lines_of_ours
from support.front import front

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.engine import Bench

_SYSTEM = Path("/etc/ssl/certs/ca-certificates.crt")
_SHOW = "echo $SSL_CERT_FILE $REQUESTS_CA_BUNDLE $NODE_EXTRA_CA_CERTS $CURL_CA_BUNDLE"
_BUNDLE = "/run/oci-auth/registry-config-ca.pem"


class _Private(NamedTuple):
    """A registry behind TLS, as an image reaches it: its entry with the authority, and without."""

    host: str
    authority: Path
    plain: dict[str, str]

    @property
    def entry(self) -> dict[str, str]:
        return {**self.plain, "ca-file": str(self.authority)}


@pytest.fixture
def private(bench: Bench, tmp_path: Path) -> Iterator[_Private]:
    made = certificate(tmp_path / "certificate", [f"IP:{bench.engine.exec_host}", "IP:127.0.0.1"])
    first = bench.registries.first
    with front(tmp_path / "front", first.address, served=made) as server:
        host = f"{bench.engine.exec_host}:{server.address.rpartition(':')[2]}"
        yield _Private(host, made.authority, {**first.login(), "registry": host})


def test_a_push_to_a_registry_of_a_private_authority(bench: Bench, private: _Private) -> None:
    oci_layout(bench.machine.work / "layout")
    push = ("crane", "push", "layout", f"{private.host}/private/app:1")
    refused = bench.run(*push, registries=[private.plain])
    assert refused.code == 1
    remedy = f"name the file of its CA as ca-file in the entry for {private.host}, or in the variable SSL_CERT_FILE"
    assert f"the tool does not trust the registry's certificate: {remedy}" in lines_of_ours(refused.stderr)
    done = bench.run(*push, registries=[private.entry])
    assert done.code == 0, done.stderr
    assert bench.registries.first.digest("private/app", "1") == layout_digest(bench.machine.work / "layout")


def test_each_command_gets_the_variables_of_its_tool(bench: Bench, private: _Private) -> None:
    """What a shell got is gone for crane, and nothing of it comes back."""
    oci_layout(bench.machine.work / "layout")
    lines = [
        f"sh -c '{_SHOW}; cat $SSL_CERT_FILE > seen.pem'",
        f"crane push layout {private.host}/each/app:1",
        f"sh -c '{_SHOW}'",
    ]
    step = bench.action("\n".join(lines), registries=[private.entry])
    assert step.code == 0, step.log
    assert step.outputs["stdout"].splitlines()[0] == " ".join([_BUNDLE] * 4)
    system, authority = _SYSTEM.read_text().rstrip("\n"), private.authority.read_text()
    assert (bench.machine.work / "seen.pem").read_text() == f"{system}\n{authority}"
    step = bench.action(f"sh -c '{_SHOW}'", registries=[private.plain])
    assert step.outputs["stdout"] == "\n"


def test_what_the_image_trusts_is_added_to(bench: Bench, private: _Private, tmp_path: Path) -> None:
    own = certificate(tmp_path / "own").authority.read_text()
    (bench.machine.work / "own.pem").write_text(own)
    script = f"{_SHOW}; cat $SSL_CERT_FILE"
    step = bench.action(script, {"shell": "sh", "env": "SSL_CERT_FILE=/workspace/own.pem"}, registries=[private.entry])
    assert step.code == 0, step.log
    assert step.outputs["stdout"] == f"{' '.join([_BUNDLE] * 4)}\n{own}{private.authority.read_text()}"
