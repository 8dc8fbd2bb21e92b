"""`ca-file` in a tool image: the tool trusts the authority, and what the image trusts anyway."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from support.artifacts import chart, oci_layout
from support.authority import certificate
from support.cli import lines_of_ours
from support.engine import Image, publish_images
from support.front import front

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.engine import Bench, Engine, Tools

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


_PUSHES = {
    "crane": "crane push layout {host}/private/app:crane",
    "helm": "helm push app-1.2.3.tgz oci://{host}/private",
    "oras": "oras push {host}/private/app:oras file.txt:text/plain",
    "regctl": "regctl image import {host}/private/app:regctl image.tar",
    "cosign": "cosign attach sbom --sbom file.txt {host}/private/app:base",
}


@pytest.fixture(scope="module")
def image(engine: Engine, tools: Tools) -> str:
    publish_images(engine, tools.registry, {"private": Image((*_PUSHES,), passwd="root:x:0:0:root:/root:/bin/sh\n")})
    return tools.reference("private")


@pytest.mark.parametrize("tool", _PUSHES)
def test_a_push_to_a_registry_of_a_private_authority(bench: Bench, private: _Private, image: str, tool: str) -> None:
    work = bench.machine.work
    digest = oci_layout(work / "layout")
    chart(work)
    (work / "file.txt").write_text("text")
    with tarfile.open(work / "image.tar", "w") as archive:
        archive.add(work / "layout", arcname=".")
    based = bench.run(
        "crane", "push", "layout", f"{private.host}/private/app:base", image=image, registries=[private.entry]
    )
    assert based.code == 0, based.stderr
    push = _PUSHES[tool].format(host=private.host).split()
    refused = bench.run(*push, image=image, registries=[private.plain])
    assert refused.code == 1
    remedy = f"name the file of its CA as ca-file in the entry for {private.host}, or in the variable SSL_CERT_FILE"
    assert f"the tool does not trust the registry's certificate: {remedy}" in lines_of_ours(refused.stderr)
    done = bench.run(*push, image=image, registries=[private.entry])
    assert done.code == 0, done.stderr
    assert bench.registries.first.digest("private/app", "base") == digest


def test_a_command_without_such_an_entry_finds_the_image_as_it_was(bench: Bench, private: _Private) -> None:
    """The entry is for a path, which only the first command names."""
    oci_layout(bench.machine.work / "layout")
    lines = [
        f"crane push layout {private.host}/each/app:1",
        f"sh -c '{_SHOW}; ls /run/oci-auth'",
        f"sh -c '{_SHOW}; cat $SSL_CERT_FILE >seen.pem; echo {private.host}/each/app:1'",
        f"sh -c '{_SHOW}'",
    ]
    own = {"env": "SSL_CERT_FILE=/etc/own.pem"}
    for inputs, before in (({}, ""), (own, "/etc/own.pem")):
        step = bench.action(
            "\n".join(lines), inputs, registries=[{**private.entry, "registry": f"{private.host}/each"}]
        )
        assert step.code == 0, step.log
        bundle = " ".join([_BUNDLE] * 4)
        shown = [before, "config.json", bundle, f"{private.host}/each/app:1", before]
        assert [line for line in step.outputs["stdout"].splitlines() if "@sha256:" not in line] == shown
        system, authority = _SYSTEM.read_text().rstrip("\n"), private.authority.read_text()
        assert (bench.machine.work / "seen.pem").read_text() == f"{system}\n{authority}"


def test_what_the_image_trusts_is_added_to(bench: Bench, private: _Private, tmp_path: Path) -> None:
    own = certificate(tmp_path / "own").authority.read_text()
    (bench.machine.work / "own.pem").write_text(own)
    script = f"{_SHOW}; cat $SSL_CERT_FILE"
    step = bench.action(script, {"shell": "sh", "env": "SSL_CERT_FILE=/workspace/own.pem"}, registries=[private.entry])
    assert step.code == 0, step.log
    assert step.outputs["stdout"] == f"{' '.join([_BUNDLE] * 4)}\n{own}{private.authority.read_text()}"
