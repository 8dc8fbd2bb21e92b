"""Every example, and with them every called workflow, is executed; registries say what arrived."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from support.action import ROOT
from support.artifacts import oci_layout
from support.cli import tool_path
from support.tables import table
from support.workflows import EXAMPLES, USERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.workflows import Local

_EXAMPLES = {path.stem: path for path in EXAMPLES}
_NO_SECRET = {"HARBOR_TOKEN": ""}
_RELEASE = {"action": "published", "release": {"tag_name": "v2.0.0"}}
_TAG = {"ref": "refs/tags/v1.2.3"}
_CHART = {
    f"charts/{name}/Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: 1.2.3\n" for name in ("app", "api", "web")
}
_BOTH = ("ghcr.io", "harbor.example.com")
_MAKEFILE = """
package:
\thelm package charts/app --version $(TAG:v%=%) --destination dist
push:
\thelm push --plain-http dist/*.tgz $(CHART_REGISTRY)
"""
_HARBOR_CHARTS = "harbor.example.com/charts"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_IMAGE = "crane push layout ghcr.io/org/app:1.2.3"


class Case(NamedTuple):
    """An example.

    Attributes:
        payload: of its event.
        arrives: the references that there are in the end, those in a row with one digest.
        files: of the repository.
        before: what the registries hold before: a tool's command.
    """

    payload: Mapping[str, object]
    arrives: tuple[tuple[str, ...], ...]
    files: dict[str, str] = {}  # noqa: RUF012  (a tuple's field)
    before: str = ""


CASES = {
    "chart": Case(
        _RELEASE,
        (("ghcr.io/org/charts/app:1.2.3", "docker.io/org/app:1.2.3", "harbor.example.com/charts/app:1.2.3"),),
        _CHART,
    ),
    "matrix": Case(
        _TAG,
        tuple(
            (f"ghcr.io/org/charts/{chart}:1.2.3", f"harbor.example.com/charts/{chart}:1.2.3")
            for chart in ("api", "web")
        ),
        _CHART,
    ),
    "agent-matrix": Case(
        _TAG,
        tuple(
            (f"ghcr.io/org/charts/{chart}:1.2.3", f"harbor.example.com/charts/{chart}:1.2.3")
            for chart in ("api", "web")
        ),
        _CHART,
    ),
    "all-charts": Case(
        _TAG,
        tuple(
            (
                f"ghcr.io/org/charts/{chart}:1.2.3",
                f"docker.io/org/{chart}:1.2.3",
                f"harbor.example.com/charts/{chart}:1.2.3",
            )
            for chart in ("app", "api", "web")
        ),
        _CHART,
    ),
    "several-tags": Case(
        {"schedule": "17 */6 * * *"},
        (tuple(f"{host}/org/db:{tag}" for host in _BOTH for tag in ("latest", "2", "2.1", "2.1.0")),),
        {"db.tar.gz": "data"},
    ),
    "manifests-in-shell": Case(
        _TAG, (("ghcr.io/org/manifests:v1.2.3",), ("harbor.example.com/charts/app:1.2.3",)), _CHART
    ),
    "make": Case(_TAG, (("ghcr.io/org/charts/app:1.2.3",),), _CHART | {"Makefile": _MAKEFILE}),
    "private-tool-image": Case(
        _TAG,
        (("ghcr.io/org/charts/app:1.2.3", "docker.io/org/app:1.2.3"),),
        _CHART,
    ),
    "promote-crane": Case(
        {"inputs": {"version": "1.2.3"}},
        (
            (
                "ghcr.io/org/app:1.2.3",
                "docker.io/org/app:1.2.3",
                "docker.io/org/app:latest",
                "harbor.example.com/org/app:1.2.3",
                "harbor.example.com/org/app:latest",
            ),
        ),
        before=_IMAGE,
    ),
    "promote-skopeo": Case(
        {"inputs": {"digest": "{digest}", "version": "1.2.3"}},
        (("ghcr.io/org/app:1.2.3", "harbor.example.com/org/app:1.2.3"),),
        before=_IMAGE,
    ),
    "remote-engine": Case(
        {"inputs": {"version": "1.2.3"}},
        (("ghcr.io/org/app:1.2.3", "docker.io/org/app:1.2.3", "harbor.example.com/org/app:1.2.3"),),
        before=_IMAGE,
    ),
}
# Runs with an example of its own below.
_SPECIAL = {
    *(
        "call-release-charts",
        "agent",
        "oras",
        "pull-in-tests",
        "call-release-chart",
        "call-push-files",
        "call-copy-image",
    ),
    *("chart-outputs", "chart-signed-with-key", "image-digest-file", "imagetools", "optional-registry"),
}
# What act has not: a Docker daemon, GitHub's identity for cosign and keyless (tests/integration plays the latter), and
# flux, which is in no package registry. tests/unit/test_workflows.py puts them through the action's own checks.
_NOT_HERE = {"agent-build", "cosign", "flux", "keyless"}


def test_every_example_is_executed_but_those_that_act_cannot_run() -> None:
    assert set(_EXAMPLES) == {*CASES, *_SPECIAL, *_NOT_HERE}


@table("name", {name: name for name in CASES})
def test_an_example_brings_its_artifacts_to_the_registries(local: Local, name: str) -> None:
    case = CASES[name]
    _prepare(local, case.files)
    payload = json.dumps(case.payload)
    if case.before:
        payload = payload.replace("{digest}", _push_image(local, case.before))
    ran = local.run(_EXAMPLES[name], json.loads(payload))
    assert ran.code == 0, ran.log
    digests = [{local.digest(reference) for reference in references} for references in case.arrives]
    assert [len(row) for row in digests] == [1] * len(case.arrives)


def test_tools_in_steps_of_their_own_find_the_agent(local: Local) -> None:
    key = _key_pair(local, "own", "own-password-1618")
    _prepare(local, _CHART)
    ran = local.run(_EXAMPLES["agent"], _TAG, {"COSIGN_KEY": key, "COSIGN_PASSWORD": "own-password-1618"})
    assert ran.code == 0, ran.log
    repositories = ("ghcr.io/org/charts/app", "harbor.example.com/charts/app")
    (digest,) = {local.digest(f"{repository}:1.2.3") for repository in repositories}
    unlogged = "--allow-http-registry --new-bundle-format=false --insecure-ignore-tlog=true"
    local.tool(f"cosign verify {unlogged} --key own.pub {repositories[1]}@{digest}")


def test_files_are_pushed_with_the_names_that_their_patterns_stand_for(local: Local) -> None:
    _prepare(local, dict.fromkeys(("settings/a.yaml", "settings/b.yaml", "settings/c.json", "README.md"), "text"))
    ran = local.run(_EXAMPLES["oras"], _TAG)
    assert ran.code == 0, ran.log
    assert _titles(local, "harbor.example.com/org/settings:v1.2.3") == {
        "settings/a.yaml": _LAYER,
        "settings/b.yaml": _LAYER,
        "README.md": "text/markdown",
    }


@table(
    "secrets, tested",
    {"with the secret they are tested with": ({}, True), "without it, as in a fork, they are not": (_NO_SECRET, False)},
)
def test_data_is_pulled_for_tests(local: Local, secrets: dict[str, str], tested: bool) -> None:  # noqa: FBT001
    _prepare(local, {"test": '#!/bin/sh\necho "tested with $(cat "$1/greeting.txt")"\n'})
    (local.machine.work / "greeting.txt").write_text("hello")
    local.tool("oras push --plain-http harbor.example.com/org/test-data:1 greeting.txt")
    ran = local.run(_EXAMPLES["pull-in-tests"], {"action": "opened"}, secrets)
    assert (ran.code, "| tested with hello" in ran.log) == (0, tested), ran.log


def test_a_chart_is_released_by_the_called_workflow(local: Local) -> None:
    _prepare(local, _CHART)
    ran = local.run(_EXAMPLES["call-release-chart"], _RELEASE, job="release")
    assert ran.code == 0, ran.log
    repositories = ("ghcr.io/org/charts/app", "harbor.example.com/charts/app")
    (digest,) = {local.digest(f"{repository}:2.0.0") for repository in repositories}
    assert ran.outputs["digest"] == digest
    assert ran.outputs["references"].split() == [local.here(f"{repository}@{digest}") for repository in repositories]
    assert _results(ran.outputs["results"]) == [
        (local.here("ghcr.io/org/charts"), 0, digest),
        (local.here("harbor.example.com/charts"), 0, digest),
    ]


@table("secrets, there", {"to both registries": ({}, True), "without a secret to one": (_NO_SECRET, False)})
def test_all_charts_are_released_by_the_called_workflow(local: Local, secrets: dict[str, str], *, there: bool) -> None:
    _prepare(local, _CHART)
    repositories = ["ghcr.io/org/charts", *(["harbor.example.com/charts"] if there else [])]
    for state in ("done", "exists"):
        _prepare(local, {"README.md": f"A commit has to change something: {state}"})
        ran = local.run(_EXAMPLES["call-release-charts"], {"ref": "refs/heads/main"}, secrets, job="release")
        assert ran.code == 0, ran.log
        rows = json.loads(ran.outputs["results"])
        states = sorted((row["file"].rpartition("/")[2], row["target"], row["state"]) for row in rows)
        assert states == sorted(
            (f"{name}-1.2.3.tgz", local.here(one), state if one in repositories else "skipped")
            for name in ("api", "app", "web")
            for one in ("ghcr.io/org/charts", _HARBOR_CHARTS)
        )
        assert ran.outputs["references"].split() == [
            local.here(f"{one}/{name}@{local.digest(f'{one}/{name}:1.2.3')}")
            for name in ("api", "app", "web")
            for one in repositories
        ]


def test_where_one_registry_refuses_the_called_workflow_fails_and_tells_what_came_of_each(local: Local) -> None:
    _prepare(local, _CHART)
    ran = local.run(_EXAMPLES["call-release-chart"], _RELEASE, {"HARBOR_TOKEN": "not-the-password"}, job="release")
    digest = local.digest("ghcr.io/org/charts/app:2.0.0")
    assert (ran.code, "::set-output:: references" in ran.log) == (1, False), ran.log
    assert _results(ran.output("results")) == [
        (local.here("ghcr.io/org/charts"), 0, digest),
        (local.here("harbor.example.com/charts"), 1, ""),
    ]


def test_files_of_another_job_are_pushed_by_the_called_workflow(local: Local) -> None:
    build = (
        '#!/bin/sh\nmkdir "$1" && echo one >"$1/app.tar.gz" && echo two >"$1/checksums.txt" && echo no >"$1/other"\n'
    )
    _prepare(local, {"build": build})
    ran = local.run(_EXAMPLES["call-push-files"], _TAG)
    assert ran.code == 0, ran.log
    repositories = ("ghcr.io/org/files", "harbor.example.com/org/files")
    (digest,) = {local.digest(f"{repository}:v1.2.3") for repository in repositories}
    assert ran.outputs["references"].split() == sorted(local.here(f"{one}@{digest}") for one in repositories)
    pushed = "ghcr.io/org/files:v1.2.3"
    assert _titles(local, pushed) == {"app.tar.gz": _LAYER, "checksums.txt": "text/plain"}
    # oras would write the time of each push, and so make a digest for each registry.
    assert _manifest(local, pushed)["annotations"]["org.opencontainers.image.created"] == ran.output("created")


def test_what_was_pushed_is_attested_by_digest(local: Local) -> None:
    hexes = ("a" * 64, "b" * 64)
    inputs = {
        "registries": "[]",
        "references": f"ghcr.io/org/app@sha256:{hexes[0]}\n\nharbor.example.com:8443/org/app@sha256:{hexes[1]}\n",
        "sign": False,
    }
    caller = local.root / "caller.yml"
    called = "org/registry-config-action/.github/workflows/sign-and-attest.yml@v1"
    # Its last line is where the job that reads outputs is added.
    jobs = json.dumps({"uses": called, "with": inputs})
    caller.write_text(f"on: push\njobs:\n  attest: {jobs}")
    _prepare(local, {"README.md": ""})
    ran = local.run(caller, _TAG)
    assert ran.code == 0, ran.log
    assert (local.artifacts / "subjects").read_text() == local.here(
        f"{hexes[0]}  ghcr.io/org/app\n{hexes[1]}  harbor.example.com:8443/org/app\n"
    )


def test_an_image_is_copied_with_both_kinds_of_signatures_and_signed_again(local: Local) -> None:
    digest = _push_image(local, _IMAGE)
    passwords = {"first": "first-password-1618", "second": "second-password-1618"}
    keys = {name: _key_pair(local, name, password) for name, password in passwords.items()}
    unlogged = "--allow-http-registry --new-bundle-format=false"
    sign = f"cosign sign --yes {unlogged} --tlog-upload=false --use-signing-config=false --key first.key"
    local.tool(f"{sign} ghcr.io/org/app@{digest}", {"COSIGN_PASSWORD": passwords["first"]})
    (local.machine.work / "note.txt").write_text("attached")
    attached = local.tool(
        f"oras attach --plain-http --artifact-type application/vnd.example.note ghcr.io/org/app@{digest} note.txt"
    )
    _prepare(local, {"README.md": ""})
    secrets = {"COSIGN_KEY": keys["second"], "COSIGN_PASSWORD": passwords["second"]}
    ran = local.run(_EXAMPLES["call-copy-image"], {"inputs": {"version": "1.2.3"}}, secrets)
    assert ran.code == 0, ran.log
    repositories = ("docker.io/org/app", "harbor.example.com/org/app")
    assert {ran.outputs["digest"], *(local.digest(f"{one}:1.2.3") for one in repositories)} == {digest}
    assert ran.outputs["references"].split() == sorted(local.here(f"{one}@{digest}") for one in repositories)
    for repository in repositories:
        found = local.tool(f"oras discover --plain-http --format json {repository}@{digest}").stdout
        assert attached.report["digest"] in found.decode()
        for key in keys:
            verify = f"cosign verify {unlogged} --insecure-ignore-tlog=true --key {key}.pub"
            local.tool(f"{verify} {repository}@{digest}")


def test_a_script_hands_four_values_on_and_pushes_once(local: Local) -> None:
    _prepare(local, {name: text for name, text in _CHART.items() if "/app/" in name})
    said = []
    for pushed in ("true", "false"):
        _prepare(local, {"README.md": f"A commit has to change something: {pushed}"})
        ran = local.run(_EXAMPLES["chart-outputs"], _TAG)
        assert ran.code == 0, ran.log
        digest = local.digest("ghcr.io/org/charts/app:1.2.3")
        values = {"name": "app", "version": "1.2.3", "pushed": pushed, "digest": digest}
        said.append((json.loads(ran.output("outputs")), f"app 1.2.3 is {digest} (pushed now {pushed})" in ran.log))
        assert said[-1] == (values, True)
    puts = [
        line for line in local.registries["ghcr.io"].requests() if "PUT /v2/org/charts/app/manifests/1.2.3 " in line
    ]
    assert len(puts) == 1


def test_a_chart_is_signed_with_a_key_where_it_was_pushed(local: Local) -> None:
    _prepare(local, {name: text for name, text in _CHART.items() if "/app/" in name})
    key = _key_pair(local, "cosign", "first-password-1618")
    shutil.copy(local.machine.work / "cosign.pub", local.repository)
    secrets = {"COSIGN_KEY": key, "COSIGN_PASSWORD": "first-password-1618"}
    ran = local.run(_EXAMPLES["chart-signed-with-key"], _TAG, secrets)
    assert ran.code == 0, ran.log
    (digest,) = {local.digest(f"{repository}/app:1.2.3") for repository in ("ghcr.io/org/charts", _HARBOR_CHARTS)}
    for repository in ("ghcr.io/org/charts", _HARBOR_CHARTS):
        assert local.digest(f"{repository}/app:{digest.replace(':', '-')}.sig")


def test_the_digest_of_an_image_is_read_from_the_file_that_the_tool_wrote(local: Local) -> None:
    _prepare(local, {"README.md": ""})
    digest = oci_layout(local.repository / "image")
    secrets = {"COSIGN_KEY": _key_pair(local, "cosign", "second-password-16"), "COSIGN_PASSWORD": "second-password-16"}
    ran = local.run(_EXAMPLES["image-digest-file"], _TAG, secrets)
    assert ran.code == 0, ran.log
    assert (local.digest("ghcr.io/org/app:v1.2.3"), f"::set-output:: digest={digest}" in ran.log) == (digest, True)
    assert local.digest(f"ghcr.io/org/app:{digest.replace(':', '-')}.sig")


def test_images_are_put_together_under_one_tag(local: Local) -> None:
    buildx = shutil.which("docker-buildx", path=tool_path())
    if not buildx or not shutil.which("docker"):
        pytest.skip("IMAGETOOLS IS NOT TRIED: there is no docker with docker-buildx on the PATH")
    plugins = local.root / "home/.docker/cli-plugins"
    plugins.mkdir(parents=True)
    (plugins / "docker-buildx").symlink_to(buildx)
    digests = [_push_image(local, "crane push layout ghcr.io/org/app:{text}", text) for text in ("amd64", "arm64")]
    _prepare(local, {f"digests/{digest.partition(':')[2]}": "" for digest in digests})
    ran = local.run(_EXAMPLES["imagetools"], _TAG)
    assert ran.code == 0, ran.log
    index = _manifest(local, "ghcr.io/org/app:v1.2.3")
    assert {one["digest"] for one in index["manifests"]} == set(digests)
    assert f"| The index is {local.digest('ghcr.io/org/app:v1.2.3')}" in ran.log


@table("secrets, there", {"its secret is set": ({}, True), "it is not, as in a fork": (_NO_SECRET, False)})
def test_a_registry_without_a_secret_is_left_out(local: Local, secrets: dict[str, str], *, there: bool) -> None:
    _prepare(local, {name: text for name, text in _CHART.items() if "/app/" in name})
    ran = local.run(_EXAMPLES["optional-registry"], _TAG, secrets)
    assert ran.code == 0, ran.log
    assert local.digest("ghcr.io/org/charts/app:1.2.3")
    pushed = [line for line in local.registries["harbor.example.com"].requests() if "PUT /v2/charts/app/" in line]
    assert bool(pushed) == there


def test_the_script_for_any_ci_copies_an_image(local: Local) -> None:
    digest = _push_image(local, _IMAGE)
    ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    passwords = {host: next(iter(one.users.values())) for host, one in local.registries.items()}
    text = (ROOT / "examples/copy-anywhere.sh").read_text().replace(ecr, "harbor.example.com")
    script = local.root / "copy-anywhere.sh"
    script.write_text(
        local.here(text).replace("username: AWS", "username: " + USERS["harbor.example.com"].replace("$", "\\$"))
    )
    tokens = {"GHCR_TOKEN": passwords["ghcr.io"], "ECR_TOKEN": passwords["harbor.example.com"]}
    environ = local.machine.environ({"GHCR_USER": USERS["ghcr.io"], "VERSION": "1.2.3", **tokens})
    environ["PATH"] = f"{Path(sys.executable).parent}:{environ['PATH']}"
    ended = subprocess.run(["bash", str(script)], cwd=local.machine.work, env=environ, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout.decode()) == (0, f"{digest}\n"), ended
    assert local.digest("harbor.example.com/app:1.2.3") == digest


def _prepare(local: Local, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = local.repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    local.repository.mkdir(exist_ok=True)


def _push_image(local: Local, line: str, text: str = "hello") -> str:
    layout = local.machine.work / "layout"
    digest = oci_layout(layout, text=text)
    local.tool(line.replace("{text}", text))
    shutil.rmtree(layout)
    return digest


def _key_pair(local: Local, name: str, password: str) -> str:
    local.tool(f"cosign generate-key-pair --output-key-prefix {name}", {"COSIGN_PASSWORD": password})
    return (local.machine.work / f"{name}.key").read_text()


def _results(text: str) -> list[tuple[str, int, str]]:
    return [(one["target"], one["exit-code"], one["digest"]) for one in json.loads(text)]


def _titles(local: Local, reference: str) -> dict[str, str]:
    """The files of an artifact and their types."""
    layers = _manifest(local, reference)["layers"]
    return {layer["annotations"]["org.opencontainers.image.title"]: layer["mediaType"] for layer in layers}


def _manifest(local: Local, reference: str) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(local.tool(f"oras manifest fetch --plain-http {reference}").stdout)
    return manifest
