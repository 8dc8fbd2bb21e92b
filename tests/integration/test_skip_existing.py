"""`--skip-existing`: what is there already is not pushed again, and what signs it runs all the same."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from support.artifacts import chart, layout_digest
from support.http_server import Answer, Asked, http_server

if TYPE_CHECKING:
    from pathlib import Path

    from support.cli import Done, Machine
    from support.registry import Registry

_OPTIONS = ("--skip-existing",)
_UNKNOWN = "nothing is known about what {} writes; use a tool of docs/tools.md, or leave --skip-existing out"


@pytest.fixture
def first(registries: tuple[Registry, Registry]) -> Registry:
    return registries[0]


def _puts(registry: Registry, repository: str) -> int:
    return len([line for line in registry.requests() if f'"PUT /v2/{repository}/manifests/' in line])


def _push(machine: Machine, first: Registry, made: Path, folder: str, *options: str) -> Done:
    return machine.run(
        *("helm", "push", "--plain-http", str(made), f"oci://{first.address}/{folder}"),
        registries=[first.login()],
        options=(*_OPTIONS, *options),
    )


def test_a_chart_that_is_there_is_not_pushed_again(
    machine: Machine, first: Registry, packed_chart: Path, tmp_path: Path
) -> None:
    new = _push(machine, first, packed_chart, "skip")
    assert (new.code, new.report["results"][0]["state"]) == (0, "done"), new.stderr
    digest, pushed = first.digest("skip/app", "1.2.3"), _puts(first, "skip/app")
    for options in ((), ("--digest-from", "registry")):
        again = _push(machine, first, packed_chart, "skip", *options)
        (result,) = again.report["results"]
        assert (again.code, result["state"], result["digest"]) == (0, "exists", digest), again.stderr
        assert (again.report["exit-code"], again.report["digest"], again.report["skipped"]) == (0, digest, False)
        assert again.stderr.count(b"Pushed:") == 0
    assert _puts(first, "skip/app") == pushed
    next_one = _push(machine, first, chart(tmp_path / "next", version="1.2.4"), "skip")
    assert next_one.report["results"][0]["state"] == "done"
    assert _puts(first, "skip/app") > pushed


def test_of_several_targets_each_has_its_own_state(
    machine: Machine, registries: tuple[Registry, Registry], layout: Path
) -> None:
    _, second = registries
    copy = ("skopeo", "copy", "--dest-tls-verify=false", f"oci:{layout}:1")
    logins = [one.login() for one in registries]
    assert machine.run(*copy, f"docker://{second.address}/skip/some:1", registries=logins).code == 0
    targets = [f"{one.address}/skip/some:1" for one in registries]
    done = machine.run(
        *(*copy, "docker://{target}"),
        registries=logins,
        options=(*_OPTIONS, *(word for target in targets for word in ("--target", target))),
    )
    digest = layout_digest(layout)
    states = [(row["target"], row["state"], row["digest"], row["exit-code"]) for row in done.report["results"]]
    # What skopeo pushes it does not print.
    assert states == [(targets[0], "done", "", 0), (targets[1], "exists", digest, 0)], done.stderr
    assert [_puts(one, "skip/some") for one in registries] == [1, 1]


def test_what_signs_or_attaches_still_runs(machine: Machine, first: Registry, layout: Path) -> None:
    reference = f"{first.address}/skip/signed:1"
    assert machine.run("crane", "push", str(layout), reference, registries=[first.login()]).code == 0
    (machine.work / "sbom.json").write_text("{}")
    done = machine.run(
        *("oras", "attach", "--plain-http", "--artifact-type", "example/sbom", reference, "sbom.json"),
        registries=[first.login()],
        options=_OPTIONS,
    )
    assert (done.code, done.report["results"][0]["state"]) == (0, "done"), done.stderr
    assert b"Attached to" in done.stdout


@pytest.mark.parametrize(
    ("words", "options", "problem"),
    [
        (("make", "push"), (), _UNKNOWN.format("make")),
        (("trivy", "image"), (), _UNKNOWN.format("trivy")),
        (
            ("crane push a b",),
            ("--shell", "sh"),
            "cannot be combined with --shell; leave one of them out: nothing tells what a script writes",
        ),
    ],
)
def test_what_nobody_knows_is_refused(
    machine: Machine, first: Registry, words: tuple[str, ...], options: tuple[str, ...], problem: str
) -> None:
    asked = len(first.requests())
    done = machine.run(*words, registries=[first.login()], options=(*_OPTIONS, *options))
    assert (done.code, done.report["exit-code"], len(first.requests())) == (64, None, asked)
    assert done.report["error"] == f"--skip-existing: {problem}"


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_only_a_200_counts(machine: Machine, packed_chart: Path, status: int) -> None:
    """Whatever else a registry says, the command runs: here a stand-in for helm."""
    folder = machine.root / "stand-in"
    folder.mkdir()
    program = folder / "helm"
    program.write_text(f"#!{sys.executable}\nprint('it ran')\n")
    program.chmod(0o755)

    def answer(asked: Asked) -> Answer:
        return Answer(status) if "manifests" in asked.path else Answer(200)

    with http_server(answer) as server:
        done = machine.run(
            *("helm", "push", "--plain-http", str(packed_chart), f"oci://{server.address}/skip"),
            registries=[{"registry": server.address, "username": "alice", "password": "alices-password-1"}],
            options=_OPTIONS,
            variables={"PATH": f"{folder}:{machine.environ()['PATH']}"},
        )
    assert (done.code, done.stdout, done.report["results"][0]["state"]) == (0, b"it ran\n", "done"), done.stderr
    assert any("manifests" in asked.path for asked in server.asked)
