"""The examples and the called workflows, run by act against registries on this machine.

They run as they stand but for `Local.replacements`: other registries, what registries without TLS need, no images.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from support.act import ACTION, ACTOR, copy_project
from support.action import ROOT, installers, runner_path
from support.cli import Machine
from support.tools import need_tools, words_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.cli import Done
    from support.registry import Registry

EXAMPLES = sorted((ROOT / "examples").glob("*.yml"))
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
USERS = {"ghcr.io": "octocat", "docker.io": "org", "harbor.example.com": "robot$ci"}
# What stands in for the actions of GitHub, which act would have to fetch: artifacts lie in a folder.
_ACTIONS = {
    "actions/upload-artifact": 'mkdir -p "{kept}/$NAME" && cp -r "$FROM"/. "{kept}/$NAME"',
    "actions/download-artifact": 'cp -r "{kept}/$NAME"/. .',
    "actions/attest": 'mkdir -p "{kept}" && cp "$SUBJECTS" "{kept}/subjects"',
}
_GIT = ("git", "-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "init.defaultBranch=main")
_TIMEOUT = 120


def load(path: Path) -> dict[str, Any]:
    """A workflow or an action, every scalar a text, so that `on` is no truth value."""
    loaded: dict[str, Any] = yaml.load(path.read_text(), yaml.BaseLoader)  # noqa: S506
    return loaded


class Ran(NamedTuple):
    """What came of a workflow.

    Attributes:
        code: of act: 0 if all jobs succeeded.
        log: what act wrote.
        outputs: of the job that was asked for; none where it failed, since act then runs no job that could read them.
    """

    code: int
    log: str
    outputs: dict[str, str]

    def output(self, name: str) -> str:
        """The last output of this name that a step had, as the log tells it."""
        found: list[str] = re.findall(rf"::set-output:: {name}=(.*)", self.log)
        return found[-1]


@dataclass(frozen=True)
class Local:
    """Workflows on this machine.

    Attributes:
        root: where the folders of a test lie.
        registries: which registry stands for which host.
    """

    root: Path
    registries: Mapping[str, Registry]

    @property
    def repository(self) -> Path:
        """The repository whose workflow runs."""
        return self.root / "repository"

    @property
    def artifacts(self) -> Path:
        """Where artifacts are kept, and what was attested."""
        return self.root / "artifacts"

    @property
    def machine(self) -> Machine:
        """Who looks at the registries from outside of any workflow."""
        return Machine(self.root / "user")

    def here(self, text: str) -> str:
        """The text, each host in it replaced by the address that stands for it."""
        for host, registry in self.registries.items():
            text = text.replace(host, registry.address)
        return text

    def digest(self, reference: str) -> str:
        """The digest under which `host/repository:tag` is kept."""
        host, _, rest = reference.partition("/")
        repository, _, tag = rest.rpartition(":")
        return self.registries[host].digest(repository, tag)

    def tool(self, line: str, variables: Mapping[str, str] | None = None) -> Done:
        """Run a tool with the credentials of all registries."""
        logins = [registry.login() for registry in self.registries.values()]
        done = self.machine.run(*self.here(line).split(), registries=logins, variables=variables)
        assert done.code == 0, (line, done)
        return done

    def replacements(self) -> list[tuple[str, str, str]]:
        """What has to be different here: pattern, replacement, reason."""
        (password,) = self.registries["ghcr.io"].users.values()
        login = rf"\1- registry: ghcr.io\n\1  username: {USERS['ghcr.io']}\n\1  password: {password}"
        plain = "".join(f" --host reg={registry.address},tls=disabled" for registry in self.registries.values())
        unlogged = "--allow-http-registry --new-bundle-format=false --tlog-upload=false --use-signing-config=false"
        unverified = "--allow-http-registry --new-bundle-format=false --insecure-ignore-tlog=true"
        return [
            (r"^ +- name: Get the action\n(?:        .*\n)+", "", "act knows no job.workflow_sha"),
            (r"^( +)exclude: .*\.registry-config-action.*\n", "", "nor an image, for which alone it is"),
            (r"\./\.registry-config-action\b", ACTION, "act knows no job.workflow_sha"),
            (r"^( *)- registry: ghcr\.io$", login, "the job's own token is for github.com alone"),
            (r"^ +image: (?!\$).*\n", "", "the tools of this machine; images are tested on an engine"),
            (r"(?<=default: )[\w./:-]+@sha256:\w+$", "''", "likewise, where the image is an input"),
            (r"\b(helm push|oras (?:push|pull|tag|resolve))\b", r"\1 --plain-http", "no TLS"),
            (r"\bskopeo copy\b", r"\g<0> --src-tls-verify=false --dest-tls-verify=false", "no TLS"),
            (r" image (digest|copy)\b", rf"\g<0>{plain}", "no TLS, as regctl is told"),
            (r"\bcosign sign\b", rf"\g<0> {unlogged}", "no TLS, and no transparency log"),
            (r"\bcosign verify --key\b", rf"cosign verify {unverified} --key", "likewise"),
            *((re.escape(host), one.address, "this machine's registry") for host, one in self.registries.items()),
        ]

    def run(
        self, path: Path, payload: Mapping[str, object], secrets: Mapping[str, str] | None = None, *, job: str = ""
    ) -> Ran:
        """Run a workflow on its event, or one job of it with those that it needs, in a commit of `repository`."""
        workflow = load(path)
        job = job or list(workflow["jobs"])[-1]
        report = self.root / "outputs.json"
        print_outputs = {
            "run": f'printf %s "$OUTPUTS" >"{report}"',
            "env": {"OUTPUTS": f"${{{{ toJSON(needs.{job}.outputs) }}}}"},
        }
        last = {"needs": job, "runs-on": "ubuntu-24.04", "steps": [print_outputs]}
        text = f"{self._localised(path)}\n  outputs: {json.dumps(last)}\n"
        need_tools(words_of(text) | self._words_of_called(text), runner_path())
        _write(self.repository / ".github/workflows/test.yml", text)
        _write(self.root / "event.json", json.dumps(payload))
        given = {name: value for name, value in (self._secrets() | dict(secrets or {})).items() if value}
        home = self.root / "home"
        home.mkdir(exist_ok=True)
        environ = installers() | {"PATH": runner_path(), "HOME": str(home), "LANG": "C.UTF-8"} | given
        for words in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "--message", "test")):
            subprocess.run([*_GIT, *words], cwd=self.repository, env=environ, check=True, capture_output=True)
        ended = subprocess.run(
            [str(Path(sys.executable).with_name("act")), next(iter(workflow["on"])), *self._options(given)],
            cwd=self.repository,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT,
            check=False,
        )
        outputs = json.loads(report.read_bytes()) or {} if report.exists() else {}
        return Ran(ended.returncode, ended.stdout.decode(), outputs)

    def _localised(self, path: Path) -> str:
        text = path.read_text()
        for pattern, replacement, _ in self.replacements():
            text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
        return text

    @staticmethod
    def _words_of_called(text: str) -> set[str]:
        called = [path for path in WORKFLOWS if f"workflows/{path.name}" in text]
        return {word for path in called for word in words_of(path.read_text())}

    def _secrets(self) -> dict[str, str]:
        passwords = {host: next(iter(registry.users.values())) for host, registry in self.registries.items()}
        return {"HUB_TOKEN": passwords["docker.io"], "HARBOR_TOKEN": passwords["harbor.example.com"]}

    def _options(self, secrets: Mapping[str, str]) -> list[str]:
        project = self.root / "project"
        if not project.exists():
            project.mkdir()
            copy_project(project)
            for path in WORKFLOWS:
                _write(project / ".github/workflows" / path.name, self._localised(path))
        options = ["--job", "outputs", "--eventpath", str(self.root / "event.json"), "--no-cache-server"]
        options += ["--actor", ACTOR, "--var", f"HUB_USER={USERS['docker.io']}"]
        options += ["--platform", "ubuntu-24.04=-self-hosted", "--platform", "self-hosted=-self-hosted"]
        for name, folder in {ACTION: project, **self._actions()}.items():
            options += ["--local-repository", f"{name}={folder}"]
        # Without a value act takes it from the variable of this name.
        return options + [word for name in secrets for word in ("--secret", name)]

    def _actions(self) -> dict[str, Path]:
        text = "".join(path.read_text() for path in (*EXAMPLES, *WORKFLOWS))
        inputs = {"NAME": "name", "FROM": "path", "SUBJECTS": "subject-checksums"}
        env = {variable: f"${{{{ inputs.{name} }}}}" for variable, name in inputs.items()}
        made = {}
        for name, script in _ACTIONS.items():
            (pinned,) = set(re.findall(rf"{name}@\w+", text))
            made[pinned] = self.root / name
            step = {"shell": "bash", "run": script.format(kept=self.artifacts), "env": env}
            runs = {"using": "composite", "steps": [step]}
            action = {"inputs": {key: {"required": False} for key in inputs.values()}, "runs": runs}
            _write(made[pinned] / "action.yml", json.dumps(action))
        return made


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
