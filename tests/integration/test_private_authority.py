"""`ca-file` and `plain-http`: real tools push to a registry whose certificate a private authority has signed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from support.authority import certificate
from support.cli import lines_of_ours, tool_path
from support.registry import Registry, registry
from support.tools import need_docker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.cli import Machine

_SYSTEM = Path("/etc/ssl/certs/ca-certificates.crt")
_BUILDAH = "buildah --root {short}/root --runroot {short}/run --storage-driver vfs"
_PUSHES = {
    "helm": "helm push {chart} oci://{host}/helm",
    "oras": "oras push {host}/oras/app:1 file.txt:text/plain",
    "crane": "crane push {layout} {host}/crane/app:1",
    "regctl": "regctl image copy ocidir://{layout}:1 {host}/regctl/app:1",
    "skopeo": "skopeo copy oci:{layout}:1 docker://{host}/skopeo/app:1",
    "cosign": "cosign upload blob -f file.txt {host}/cosign/app:1",
    "buildah": f"{_BUILDAH} push localhost/app:1 docker://{{host}}/buildah/app:1",
}
_REPOSITORIES = {"helm": "helm/app", "cosign": "cosign/app"}
_TAGS = {"helm": "1.2.3"}


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry(tmp_path_factory.mktemp("private"), {"alice": "alices-password-31415926"}, tls=True) as running:
        yield running


def _entry(one: Registry) -> dict[str, str]:
    assert one.authority
    return {**one.login(), "ca-file": str(one.authority)}


@pytest.fixture
def words(machine: Machine, private: Registry, packed_chart: Path, layout: Path, name: str) -> Iterator[list[str]]:
    (machine.work / "file.txt").write_text("hello")
    # The paths of buildah's sockets have to be short.
    with TemporaryDirectory(prefix="ca-") as short:
        known = {"host": private.address, "chart": packed_chart, "layout": layout, "short": short}
        for line in ("from --name made scratch", "commit made localhost/app:1") if name == "buildah" else ():
            command = f"{_BUILDAH.format(**known)} {line}".split()
            subprocess.run(command, cwd=machine.work, env=machine.environ(), check=True, capture_output=True)
        yield _PUSHES[name].format(**known).split()


@pytest.mark.parametrize("name", _PUSHES)
def test_the_tool_trusts_the_ca_file_of_the_entry(
    machine: Machine, private: Registry, words: list[str], name: str
) -> None:
    without = machine.run(*words, registries=[private.login()])
    assert without.code not in {0, 127}, without.stderr
    hints = [line for line in lines_of_ours(without.stderr) if "ca-file" in line]
    remedy = f"name the file of its CA as ca-file in the entry for {private.address}, or in the variable SSL_CERT_FILE"
    assert hints == [f"the tool does not trust the registry's certificate: {remedy}"]
    done = machine.run(*words, registries=[_entry(private)], options=("--verify", "push"))
    assert done.code == 0, done.stderr
    assert {row["verdict"] for row in done.report["verify"]} == {"verified"}, done.report["verify"]
    assert private.digest(_REPOSITORIES.get(name, f"{name}/app"), _TAGS.get(name, "1"))


def test_another_authority_is_not_enough(machine: Machine, private: Registry, layout: Path, tmp_path: Path) -> None:
    other = certificate(tmp_path / "other").authority
    done = machine.run(
        *("skopeo", "copy", f"oci:{layout}:1", f"docker://{private.address}/other/app:1"),
        registries=[{**private.login(), "ca-file": str(other)}],
        options=("--verify", "push"),
    )
    assert done.code == 1
    assert {row["verdict"] for row in done.report["verify"]} == {"unknown"}
    assert all("x509" in row["reason"] and "ca-file" in row["reason"] for row in done.report["verify"])
    assert (
        f"the tool does not trust the registry's certificate: ca-file in the entry for {private.address} is not the "
        "CA that signed it"
    ) in lines_of_ours(done.stderr)


_SHOW = "for name in SSL_CERT_FILE REQUESTS_CA_BUNDLE NODE_EXTRA_CA_CERTS CURL_CA_BUNDLE; do eval echo \\$$name; done"


def test_a_script_gets_the_bundle_by_every_variable_and_nothing_stays(
    machine: Machine, private: Registry, tmp_path: Path
) -> None:
    """The system's certificates come along, and of the file its certificates alone."""
    assert private.authority
    both = tmp_path / "with-key.pem"
    key = private.authority.with_suffix(".key").read_text()
    both.write_text(f"a name, perhaps ä\n{key}{private.authority.read_text()}")
    done = machine.run(
        f"{_SHOW}; cat $SSL_CERT_FILE > seen; stat -c '%a %U' $(dirname $SSL_CERT_FILE)",
        registries=[{**private.login(), "ca-file": str(both)}],
        options=("--shell", "sh"),
    )
    assert done.code == 0, done.stderr
    *paths, rights = done.stdout.decode().splitlines()
    assert len(set(paths)) == 1
    assert paths[0].startswith("/dev/shm/registry-config-")  # noqa: S108
    assert rights.startswith("700 ")
    seen = (machine.work / "seen").read_text()
    assert private.authority.read_text().strip() in seen
    assert "PRIVATE KEY" not in seen
    assert seen.startswith(_SYSTEM.read_text().rstrip("\n"))
    assert not Path(paths[0]).parent.exists()
    assert not list(machine.home.rglob("*ca.pem"))


def test_the_users_own_bundle_is_what_is_added_to(machine: Machine, private: Registry, tmp_path: Path) -> None:
    own = certificate(tmp_path / "own").authority
    for options, variables in (((), {"SSL_CERT_FILE": str(own)}), (("-e", f"SSL_CERT_FILE={own}"), {})):
        done = machine.run(
            *("cat $SSL_CERT_FILE",),
            registries=[_entry(private)],
            options=("--shell", "sh", *options),
            variables=variables,
        )
        assert private.authority
        assert done.stdout.decode() == f"{own.read_text()}{private.authority.read_text()}"


def test_without_a_ca_file_no_variable_changes(machine: Machine, private: Registry) -> None:
    done = machine.run(_SHOW, registries=[private.login()], options=("--shell", "sh"))
    assert done.stdout == b"\n\n\n\n"


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "cannot be read (no such file or directory)"), ("no certificate", "holds no certificate in PEM form")],
)
def test_a_file_without_a_certificate_is_refused_before_anybody_is_asked(
    machine: Machine, private: Registry, tmp_path: Path, content: str | None, problem: str
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    asked = len(private.requests())
    done = machine.run("true", registries=[{**private.login(), "ca-file": str(file)}], options=("--verify", "login"))
    assert (done.code, len(private.requests())) == (64, asked)
    assert problem in done.report["error"]


def test_check_says_what_a_tool_needs(machine: Machine, private: Registry, registries: object) -> None:
    del registries
    plain = {"registry": "plain.example.com", "username": "alice", "password": "alices-password", "plain-http": "true"}
    path = machine.root / "entries.yaml"
    entries = json.dumps([_entry(private), plain]).replace('"true"', "true")
    path.write_text(entries)

    def lines(*command: str) -> list[str]:
        words = [*machine.program, "check", "--registries", str(path), "--", *command]
        ended = subprocess.run(words, cwd=machine.work, env=machine.environ(), capture_output=True, check=True)
        return ended.stdout.decode().splitlines()

    host = private.address
    shown = lines("skopeo", "copy", f"docker://{host}/a", "docker://plain.example.com/b")
    assert f"  ca-file    {private.authority}" in shown
    assert f"  {host}: its ca-file is trusted by SSL_CERT_FILE, for every host that the command asks" in shown
    option = "--dest-tls-verify=false"
    assert f"  plain.example.com: speaks plain HTTP, which the tool does with {option} only" in shown
    need_docker(tool_path())
    shown = lines("docker", "push", f"{host}/a")
    place = f"/etc/docker/certs.d/{host}/ca.crt"
    assert f"  {host}: its ca-file cannot be given to this tool; put it in {place}" in shown
