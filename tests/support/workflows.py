"""The examples and the called workflows, run by act against registries on this machine.

They run as they stand but for `Local.replacements`: names of registries, what registries without TLS need, and `image`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from support.act import ACTION, ACTOR, copy_project
from support.action import ROOT, installers, runner_path
from support.cli import Machine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from support.cli import Done
    from support.registry import Registry

EXAMPLES = sorted((ROOT / "examples").glob("*.yml"))
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
USERS = {"ghcr.io": "octocat", "docker.io": "org", "harbor.example.com": "robot$ci"}
_GIT = ("git", "-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "init.defaultBranch=main")
_TIMEOUT = 120


def load(path: Path) -> dict[str, Any]:
    """A workflow, every scalar a text, so that `on` is no truth value."""
    loaded: dict[str, Any] = yaml.load(path.read_text(), yaml.BaseLoader)  # noqa: S506
    return loaded


class Ran(NamedTuple):
    """What came of a workflow.

    Attributes:
        code: of act: 0 if all jobs succeeded.
        log: what act wrote.
        outputs: of the job that was asked for.
    """

    code: int
    log: str
    outputs: dict[str, str]


@dataclass(frozen=True)
class Local:
    """Workflows on this machine.

    Attributes:
        root: where the folders of a test lie.
        registries: which registry stands for which host.
        workspace: files of the repository that a workflow runs in, and their contents.
    """

    root: Path
    registries: Mapping[str, Registry]
    machine: Machine = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "machine", Machine(self.root / "user"))

    @property
    def repository(self) -> Path:
        """The repository whose workflow runs."""
        return self.root / "repository"

    def address(self, text: str) -> str:
        """The text with the addresses that stand for the hosts in it."""
        for host, registry in self.registries.items():
            text = text.replace(host, registry.address)
        return text

    def digest(self, reference: str) -> str:
        """The digest under which a reference, `host/repository:tag`, is kept."""
        host, _, rest = reference.partition("/")
        return self.registries[host].digest(*rest.rsplit(":", 1))

    def tool(self, line: str, variables: Mapping[str, str] | None = None) -> Done:
        """Run a tool with the credentials of all registries, outside of any workflow."""
        logins = [registry.login() for registry in self.registries.values()]
        return self.machine.run(*self.address(line).split(), registries=logins, variables=variables)

    def replacements(self) -> Sequence[tuple[str, str, str]]:
        """What has to be different here: pattern, replacement, reason."""
        hosts = [registry.address for registry in self.registries.values()]
        (password,) = self.registries["ghcr.io"].users.values()
        login = rf"\1- registry: ghcr.io\n\1  username: {USERS['ghcr.io']}\n\1  password: {password}"
        plain = "".join(f" --host reg={host},tls=disabled" for host in hosts)
        unlogged = "--allow-http-registry --new-bundle-format=false --tlog-upload=false --use-signing-config=false"
        return (
            (r"^( *)- registry: ghcr\.io$", login, "the job's own token is for github.com alone"),
            (r"^ +image: (?!\$).*\n", "", "the tools of this machine; tests/engine has images"),
            (r"(?<=default: )[\w./:-]+@sha256:\w+$", "''", "likewise, where image is an input"),
            (r"\b(helm push|oras (push|pull))\b", r"\1 --plain-http", "no TLS"),
            (r"\bskopeo copy\b", r"\g<0> --src-tls-verify=false --dest-tls-verify=false", "no TLS"),
            (r" image (digest|copy)\b", rf"\g<0>{plain}", "no TLS, said to regctl"),
            (r"\bcosign sign\b", rf"\g<0> {unlogged}", "no TLS, and no transparency log here"),
            *((re.escape(host), one.address, "a registry on this machine") for host, one in self.registries.items()),
        )

    def localise(self, text: str) -> str:
        """A workflow as it runs here."""
        for pattern, replacement, _ in self.replacements():
            text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
        return text

    def run(
        self,
        path: Path,
        payload: Mapping[str, object],
        *,
        job: str = "",
        secrets: Mapping[str, str] | None = None,
    ) -> Ran:
        """Run a workflow on its event, or one job of it and those that it needs, in a commit of `repository`."""
        workflow = load(path)
        job = job or list(workflow["jobs"])[-1]
        report = self.root / "outputs.json"
        last = {"needs": job, "runs-on": "ubuntu-24.04", "steps": [_report(job, report)]}
        text = f"{self.localise(path.read_text())}\n  outputs: {json.dumps(last)}\n"
        self._write(self.repository / ".github/workflows/test.yml", text)
        (self.root / "event.json").write_text(json.dumps(payload))
        home = self.root / "home"
        home.mkdir(exist_ok=True)
        environ = installers() | {"PATH": runner_path(), "HOME": str(home), "LANG": "C.UTF-8"}
        for words in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "--message", "test")):
            subprocess.run([*_GIT, *words], cwd=self.repository, env=environ, check=True, capture_output=True)
        given = self.secrets() | dict(secrets or {})
        ended = subprocess.run(
            [str(Path(sys.executable).with_name("act")), next(iter(workflow["on"])), *self._options(given)],
            cwd=self.repository,
            env=environ | given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT,
            check=False,
        )
        outputs = json.loads(report.read_bytes()) if report.exists() else {}
        return Ran(ended.returncode, ended.stdout.decode(), outputs)

    def secrets(self) -> dict[str, str]:
        """The secrets that the examples ask for."""
        passwords = {host: next(iter(registry.users.values())) for host, registry in self.registries.items()}
        return {"HUB_TOKEN": passwords["docker.io"], "HARBOR_TOKEN": passwords["harbor.example.com"]}

    def _options(self, secrets: Mapping[str, str]) -> list[str]:
        """Options of act: this project as the action, copies of files as artifacts, and the secrets by their names."""
        project = self.root / "project"
        if not project.exists():
            project.mkdir()
            copy_project(project)
            for path in WORKFLOWS:
                self._write(project / ".github/workflows" / path.name, self.localise(path.read_text()))
        local = {ACTION: project} | self._artifacts()
        options = ["--job", "outputs", "--actor", ACTOR, "--var", f"HUB_USER={USERS['docker.io']}", "--no-cache-server"]
        options += ["--eventpath", str(self.root / "event.json"), "--detect-event"]
        options += ["--platform", "ubuntu-24.04=-self-hosted", "--platform", "self-hosted=-self-hosted"]
        options += [word for name, path in local.items() for word in ("--local-repository", f"{name}={path}")]
        return options + [word for name in secrets for word in ("--secret", name)]

    def _artifacts(self) -> dict[str, Path]:
        """GitHub's actions for artifacts, done with a folder: act would have to fetch them."""
        kept = self.root / "artifacts"
        made = {}
        for name, copy in {
            "upload": f'mkdir -p "{kept}/$NAME"; cp -r "$FROM"/. "{kept}/$NAME"',
            "download": f'cp -r "{kept}/$NAME"/. .',
        }.items():
            (reference,) = {
                found
                for path in (*EXAMPLES, *WORKFLOWS)
                for found in re.findall(rf"actions/{name}-artifact@\w+", path.read_text())
            }
            env = {"NAME": "${{ inputs.name }}", "FROM": "${{ inputs.path }}"}
            step = {"shell": "bash", "run": copy, "env": env}
            action = {"inputs": {"name": {}, "path": {}}, "runs": {"using": "composite", "steps": [step]}}
            made[reference] = self.root / name
            self._write(made[reference] / "action.yml", json.dumps(action))
        return made

    def _write(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _report(job: str, path: Path) -> dict[str, object]:
    """A step that writes the outputs of a job to a file."""
    return {
        "run": f'printf %s "$OUTPUTS" >"{path}"',
        "env": {"OUTPUTS": f"${{{{ toJSON(needs.{job}.outputs) }}}}"},
    }


__all__ = ["EXAMPLES", "USERS", "WORKFLOWS", "Local", "Ran", "load", "shutil"]
