"""The jobs of docs/other-ci.md: their shell lines, run as each CI's shell runs them, against a registry on loopback.

Changed are the registry's name and what one without TLS needs; the program is the one under test, on PATH.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support.action import ROOT
from support.artifacts import oci_layout
from support.cli import Machine, tool_path
from support.registry import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.registry import Registry

_PAGE = (ROOT / "docs/other-ci.md").read_text()
_HOST = "harbor.example.com"
_USER = "robot$ci"
_PASSWORD = "tr0ub4dor&3-of-a-robot"
_NUMBER = "17"


def _block(title: str, language: str) -> str:
    """The first block of a section."""
    section = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", _PAGE, re.MULTILINE | re.DOTALL)
    assert section
    block = re.search(rf"^```{language}\n(.*?)^```", section[1], re.MULTILINE | re.DOTALL)
    assert block
    return block[1]


def _gitlab() -> str:
    (job,) = yaml.safe_load(_block("GitLab CI", "yaml")).values()
    return "\n".join(job["script"])


def _jenkins() -> str:
    script = re.search(r"sh '''\n(.*?)'''", _block("Jenkins", "groovy"), re.DOTALL)
    assert script
    # What Groovy makes of a text in three single quotes.
    return textwrap.dedent(script[1]).replace("\\\\", "\\")


def _buildkite() -> str:
    (step,) = yaml.safe_load(_block("Buildkite", "yaml"))["steps"]
    assert step["secrets"] == ["HARBOR_TOKEN"]
    # What `buildkite-agent pipeline upload` makes of it.
    return str(step["command"]).replace("$$", "$")


# The script and the shell of each: GitLab's and Buildkite's bash, and the `sh -xe` of Jenkins.
_JOBS = {
    "gitlab": (_gitlab, ("bash", "-eo", "pipefail", "-c"), "CI_COMMIT_TAG"),
    "jenkins": (_jenkins, ("sh", "-xe", "-c"), "BUILD_NUMBER"),
    "buildkite": (_buildkite, ("bash", "-e", "-c"), "BUILDKITE_BUILD_NUMBER"),
}


@pytest.fixture
def harbor(tmp_path: Path) -> Iterator[Registry]:
    with registry(tmp_path / "harbor", {_USER: _PASSWORD}) as running:
        yield running


def _run(name: str, machine: Machine, address: str, password: str) -> subprocess.CompletedProcess[str]:
    script, shell, number = _JOBS[name]
    text = script().replace(_HOST, address).replace("skopeo copy", "skopeo copy --dest-tls-verify=false")
    (machine.work / "registries.yaml").write_text(_block("The program", "yaml").replace(_HOST, address))
    oci_layout(machine.work / "app")
    path = f"{Path(sys.executable).parent}:{tool_path()}"
    environ = machine.environ({"PATH": path, "HARBOR_TOKEN": password, number: _NUMBER})
    return subprocess.run([*shell, text], cwd=machine.work, env=environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", _JOBS)
def test_a_job_pushes(name: str, harbor: Registry, tmp_path: Path) -> None:
    machine = Machine(tmp_path / "machine")
    ended = _run(name, machine, harbor.address, _PASSWORD)
    assert ended.returncode == 0, ended.stderr
    assert harbor.digest("org/app", _NUMBER).startswith("sha256:")
    assert _PASSWORD not in ended.stdout + ended.stderr


@pytest.mark.parametrize("name", _JOBS)
def test_a_job_with_a_wrong_password_fails_and_says_where(name: str, harbor: Registry, tmp_path: Path) -> None:
    ended = _run(name, Machine(tmp_path / "machine"), harbor.address, "a-wrong-password")
    assert ended.returncode == 1
    assert f"{harbor.address}" in ended.stderr.rpartition("registry-config:")[2]


def test_the_result_of_the_job_for_buildkite_is_a_document(harbor: Registry, tmp_path: Path) -> None:
    machine = Machine(tmp_path / "machine")
    assert _run("buildkite", machine, harbor.address, _PASSWORD).returncode == 0
    result: dict[str, Any] = json.loads((machine.work / "result.json").read_text())
    assert (result["exit-code"], result["ran"]) == (0, True)
