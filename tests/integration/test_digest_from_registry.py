"""`--digest-from registry`: the digest is what the registry answers; a tool that prints another one fails the run."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

import pytest

from support.artifacts import layout_digest, oci_layout
from support.cli import lines_of_ours
from support.http_server import Answer, Asked, http_server

if TYPE_CHECKING:
    from pathlib import Path

    from support.cli import Machine
    from support.registry import Registry

_OTHER = f"sha256:{'0' * 64}"
_OPTIONS = ("--digest-from", "registry")
_PUSHES = {
    "skopeo": "skopeo copy --dest-tls-verify=false oci:{layout}:1 docker://{host}/proven/skopeo:1",
    "helm": "helm push --plain-http {chart} oci://{host}/proven",
    "oras": "oras push --plain-http {host}/proven/oras:1 file.txt:text/plain",
    "crane": "crane push {layout} {host}/proven/crane:1",
    "regctl": "regctl --host reg={host},tls=disabled image copy ocidir://{layout}:1 {host}/proven/regctl:1",
}
_TAGS = {"helm": ("proven/app", "1.2.3")}
_HELM = """\
#!{python}
import sys
print("Pushed: {host}/proven/app:1.2.3", file=sys.stderr)
print("Digest: {digest}", file=sys.stderr)
"""


@pytest.fixture
def first(registries: tuple[Registry, Registry]) -> Registry:
    return registries[0]


@pytest.mark.parametrize("name", ["skopeo", "helm", "oras", "crane", "regctl"])
def test_the_digest_is_the_registrys(
    machine: Machine, first: Registry, packed_chart: Path, layout: Path, name: str
) -> None:
    (machine.work / "file.txt").write_text("hello")
    words = _PUSHES[name].format(host=first.address, chart=packed_chart, layout=layout).split()
    done = machine.run(*words, registries=[first.login()], options=_OPTIONS)
    assert done.code == 0, done.stderr
    repository, tag = _TAGS.get(name, (f"proven/{name}", "1"))
    digest = first.digest(repository, tag)
    assert (done.report["digest"], done.report["digests"], done.report["results"][0]["digest"]) == (
        digest,
        [digest],
        digest,
    )
    assert not any("digest-from" in line for line in lines_of_ours(done.stderr))
    assert [line for line in first.requests("registry-config") if f"HEAD /v2/{repository}/manifests/{tag} " in line]


def _stand_in(machine: Machine, host: str, digest: str) -> dict[str, str]:
    """A program named helm that pushes nothing, and says that it did."""
    folder = machine.root / "stand-in"
    folder.mkdir()
    program = folder / "helm"
    program.write_text(_HELM.format(python=sys.executable, host=host, digest=digest))
    program.chmod(0o755)
    return {"PATH": f"{folder}:{machine.environ()['PATH']}"}


def test_a_tool_that_prints_another_digest_fails_the_run(machine: Machine, first: Registry, packed_chart: Path) -> None:
    push = ("helm", "push", "--plain-http", str(packed_chart), f"oci://{first.address}/proven")
    assert machine.run(*push, registries=[first.login()]).code == 0
    there = first.digest("proven/app", "1.2.3")
    done = machine.run(
        *push, registries=[first.login()], options=_OPTIONS, variables=_stand_in(machine, first.address, _OTHER)
    )
    reason = (
        f"{first.address}/proven/app:1.2.3: the registry has {there} under proven/app:1.2.3, the tool reported "
        f"{_OTHER}, which is not there"
    )
    (result,) = done.report["results"]
    assert (done.code, done.report["exit-code"], done.report["error"]) == (1, 1, reason), done.stderr
    assert (result["state"], result["reason"], done.report["digest"]) == ("failed", reason, there)
    assert reason in lines_of_ours(done.stderr)


def test_a_digest_that_is_there_under_another_name_is_a_warning(
    machine: Machine, first: Registry, packed_chart: Path, layout: Path
) -> None:
    push = ("helm", "push", "--plain-http", str(packed_chart), f"oci://{first.address}/proven")
    assert machine.run(*push, registries=[first.login()]).code == 0
    image = ("crane", "push", str(layout), f"{first.address}/proven/app:image")
    assert machine.run(*image, registries=[first.login()]).code == 0
    done = machine.run(
        *push,
        registries=[first.login()],
        options=_OPTIONS,
        variables=_stand_in(machine, first.address, layout_digest(layout)),
    )
    assert (done.code, done.report["digest"]) == (0, first.digest("proven/app", "1.2.3"))
    assert any("the tag has moved since" in line for line in lines_of_ours(done.stderr))


@pytest.mark.parametrize(("status", "told"), [(404, "has no proven/app:1.2.3"), (503, "answered 503")])
def test_what_the_registry_does_not_say_is_a_warning_and_empty(
    machine: Machine, packed_chart: Path, status: int, told: str
) -> None:
    def answer(asked: Asked) -> Answer:
        return Answer(status) if "manifests" in asked.path else Answer(200)

    with http_server(answer) as server:
        done = machine.run(
            *("helm", "push", "--plain-http", str(packed_chart), f"oci://{server.address}/proven"),
            registries=[{"registry": server.address, "username": "alice", "password": "alices-password-1"}],
            options=_OPTIONS,
            variables=_stand_in(machine, server.address, _OTHER),
        )
    assert (done.code, done.report["digest"], done.report["digests"]) == (0, "", []), done.stderr
    (line,) = (line for line in lines_of_ours(done.stderr) if line.startswith("--digest-from: "))
    assert line.startswith(f"--digest-from: {server.address}/proven/app:1.2.3: ")
    assert told in line


def test_what_was_pushed_is_done_though_another_target_fails_while_the_registry_is_asked(machine: Machine) -> None:
    """With fail-fast: there is nothing left of it that could be stopped."""

    def answer(asked: Asked) -> Answer:
        if "manifests" in asked.path:
            time.sleep(2)
        return Answer(200, headers={"Docker-Content-Digest": _OTHER})

    (machine.root / "bin").mkdir()
    script = f'case "$3" in *bad*) sleep 1; exit 7;; esac\necho "$3@{_OTHER}"\n'
    (machine.root / "bin/crane").write_text(f"#!/bin/sh\n{script}")
    (machine.root / "bin/crane").chmod(0o755)
    with http_server(answer) as server:
        done = machine.run(
            *("crane", "push", "layout", "{target}:1"),
            registries=[{"registry": server.address, "username": "alice", "password": "alices-password-1"}],
            options=(*_OPTIONS, "--fail-fast", "--target", f"{server.address}/good", "--target", "a.b/bad"),
            variables={"PATH": f"{machine.root / 'bin'}:/usr/bin:/bin"},
        )
    assert [(row["state"], row["exit-code"]) for row in done.report["results"]] == [("done", 0), ("failed", 7)]
    assert done.code == 7


def test_of_a_script_nobody_knows_what_it_wrote(machine: Machine, first: Registry, layout: Path) -> None:
    done = machine.run(
        f"crane push {layout} {first.address}/proven/script:1",
        registries=[first.login()],
        options=(*_OPTIONS, "--shell", "sh"),
    )
    assert (done.code, done.report["digest"]) == (0, ""), done.stderr
    told = "--digest-from: no command is known to write a tag on a declared registry; digest is empty"
    assert told in lines_of_ours(done.stderr)


def test_after_a_failure_nobody_is_asked(machine: Machine, first: Registry) -> None:
    asked = len(first.requests("registry-config"))
    done = machine.run(
        *("skopeo", "copy", "--dest-tls-verify=false", "oci:nothing:1", f"docker://{first.address}/proven/no:1"),
        registries=[first.login()],
        options=_OPTIONS,
    )
    assert (done.code, done.report["digest"], len(first.requests("registry-config"))) == (1, "", asked)


def test_each_target_is_proven_by_its_own_registry(
    machine: Machine, registries: tuple[Registry, Registry], layout: Path, tmp_path: Path
) -> None:
    del layout
    source = tmp_path / "layout"
    digest = oci_layout(source, text="for both")
    done = machine.run(
        *("skopeo", "copy", "--dest-tls-verify=false", f"oci:{source}:1", "docker://{target}"),
        registries=[one.login() for one in registries],
        options=(*_OPTIONS, *(w for one in registries for w in ("--target", f"{one.address}/proven/both:1"))),
    )
    assert (done.code, done.report["digest"]) == (0, digest), done.stderr
    assert [row["digest"] for row in done.report["results"]] == [digest, digest]
    assert json.dumps(done.report).count("alices-password") == 0
