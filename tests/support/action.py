"""action.yml itself, run as GitHub's runner runs a composite action; its output goes through the runner's emulator.

Unlike act this sets no `INPUT_*` variables, and shows what was written to each stream, byte for byte.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from support.cli import tool_path
from support.runner import Runner, Step, file_commands
from support.tools import need_tools, words_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.cli import Machine

ROOT = Path(__file__).parents[2]
# A test run in a shell's background ignores SIGINT, and would hand that on.
_SIGNALS = ("env", "--default-signal")
_EXPRESSION = re.compile(r"\$\{\{ ([\w.-]+) \}\}")
_FILES = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE")
_INSTALLERS = re.compile(r"(UV_(?!PROJECT|PYTHON$)|PIP_|SSL_CERT_).*|\w*_proxy|\w*_CA_BUNDLE", re.IGNORECASE)
# Before a test has a home of its own: what uv and pip have fetched once is not to be fetched for each test.
_CACHES = {
    "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR") or str(Path.home() / ".cache/uv"),
    "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR") or str(Path.home() / ".cache/pip"),
}
_TIMEOUT = 120


def installers() -> dict[str, str]:
    """What uv and pip need in order to find packages on this machine."""
    return {name: value for name, value in os.environ.items() if _INSTALLERS.fullmatch(name)} | _CACHES


def runner_path() -> str:
    """PATH of a runner: without the environment of the tests, whose Python is not the machine's."""
    own = Path(sys.prefix, "bin").resolve()
    return os.pathsep.join(folder for folder in tool_path().split(os.pathsep) if Path(folder).resolve() != own)


class Ran(NamedTuple):
    """One step of the action.

    Attributes:
        code: its exit code.
        stdout: as written.
        stderr: as written.
        step: what the runner made of that.
        files: what it left in the runner's files, by their variables.
    """

    code: int
    stdout: bytes
    stderr: bytes
    step: Step
    files: Mapping[str, bytes]


class Prepared(NamedTuple):
    """A step ready to be started.

    Attributes:
        words: its program and arguments.
        folder: its working directory.
        environ: its environment.
        files: the runner's files, by their variables.
    """

    words: tuple[str, ...]
    folder: Path
    environ: Mapping[str, str]
    files: Mapping[str, Path]

    def start(self) -> subprocess.Popen[bytes]:
        """Start it."""
        return subprocess.Popen(
            self.words,
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, runner: Runner) -> Ran:
        """Run it to its end."""
        with self.start() as process:
            try:
                stdout, stderr = process.communicate(timeout=_TIMEOUT)
            finally:
                process.kill()
        contents = {name: file.read_bytes() for name, file in self.files.items()}
        return Ran(process.returncode, stdout, stderr, runner.step(stdout, stderr), contents)


class Done(NamedTuple):
    """The whole action.

    Attributes:
        setup: its first step.
        run: its second step, which is left out after a failure of the first.
        outputs: of the action.
        summary: as uploaded.
    """

    setup: Ran
    run: Ran | None
    outputs: Mapping[str, str]
    summary: str

    @property
    def last(self) -> Ran:
        """The step that ended it."""
        return self.run or self.setup

    @property
    def log(self) -> list[str]:
        """What the log shows of the action's output."""
        return [*self.setup.step.log, *(self.run.step.log if self.run else [])]


@dataclass(frozen=True)
class Action:
    """The action of a folder, in a job with a temporary folder.

    Attributes:
        root: where action.yml lies.
        temporary: `RUNNER_TEMP`, in which the set-up is kept from step to step.
        variables: further variables of the job.
        prefix: words before each step's program, such as `unshare` and its options.
    """

    root: Path
    temporary: Path
    variables: Mapping[str, str]
    prefix: tuple[str, ...] = ()

    def run(
        self,
        machine: Machine,
        inputs: Mapping[str, str],
        variables: Mapping[str, str] | None = None,
        *,
        token: str = "",
        runner: Runner | None = None,
    ) -> Done:
        """Run it with these inputs, the step's `env`, and the job's token; `machine.work` is the workspace."""
        if not inputs.get("image"):
            need_tools(words_of(inputs.get("command", "")), runner_path())
        runner = runner or Runner()
        known = self.inputs(inputs, token)
        ran: list[Ran] = []
        for step in self.steps():
            done = self._prepare(machine, step, known, variables).run(runner)
            ran.append(done)
            outputs = done.step.outputs | file_commands(done.files["GITHUB_OUTPUT"])
            known |= {f"steps.{step['id']}.outputs.{name}": value for name, value in outputs.items()}
            if done.code:
                break
        declared = self._document()["outputs"].items()
        outputs = {name: _EXPRESSION.sub(lambda m: known.get(m[1], ""), entry["value"]) for name, entry in declared}
        summary = "".join(runner.summary(one.files["GITHUB_STEP_SUMMARY"]) for one in ran)
        return Done(ran[0], ran[1] if len(ran) > 1 else None, outputs, summary)

    def prepare(self, machine: Machine, inputs: Mapping[str, str], variables: Mapping[str, str]) -> Prepared:
        """Run its first step, and make its second one ready."""
        setup, run = self.steps()
        told = file_commands(self._prepare(machine, setup, self.inputs({})).run(Runner()).files["GITHUB_OUTPUT"])
        known = self.inputs(inputs) | {f"steps.setup.outputs.{name}": value for name, value in told.items()}
        return self._prepare(machine, run, known, variables)

    def _prepare(
        self,
        machine: Machine,
        step: Mapping[str, Any],
        known: Mapping[str, str],
        variables: Mapping[str, str] | None = None,
    ) -> Prepared:
        folder = machine.root / "step"
        folder.mkdir(exist_ok=True)
        (folder / "script.sh").write_text(step["run"])
        files = {name: folder / name for name in _FILES}
        for file in files.values():
            file.write_bytes(b"")
        environ = self.environ(machine, variables) | _evaluated(step.get("env", {}), known)
        # The runner puts the script where a shell of one's own says so.
        words = (*self.prefix, *_SIGNALS, *step["shell"].replace("{0}", str(folder / "script.sh")).split())
        return Prepared(words, machine.work, environ | {name: str(file) for name, file in files.items()}, files)

    def steps(self) -> list[dict[str, Any]]:
        """Its steps, all of them scripts for a shell that is written out."""
        steps: list[dict[str, Any]] = self._document()["runs"]["steps"]
        assert [step["shell"] for step in steps if not step["shell"].endswith(" {0}")] == []
        return steps

    def inputs(self, given: Mapping[str, str], token: str = "") -> dict[str, str]:
        """Every input by the name that expressions have for it, defaults filled in."""
        declared = self._document()["inputs"]
        assert set(given) <= set(declared), "an input that action.yml does not have"
        context = {"github.token": token}
        defaults = {name: entry.get("default", "") for name, entry in declared.items()}
        return {f"inputs.{name}": value for name, value in (_evaluated(defaults, context) | dict(given)).items()}

    def environ(self, machine: Machine, variables: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment that each of its steps begins with."""
        github = {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(self.root),
            "GITHUB_ACTOR": "octocat",
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_WORKSPACE": str(machine.work),
            "RUNNER_TEMP": str(self.temporary),
        }
        path = {"PATH": runner_path()}
        return machine.environ(installers() | path | github | dict(self.variables) | dict(variables or {}))

    def _document(self) -> dict[str, Any]:
        loaded: dict[str, Any] = yaml.load((self.root / "action.yml").read_text(), yaml.BaseLoader)  # noqa: S506
        return loaded


def _evaluated(texts: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Texts with their expressions replaced.

    Raises:
        KeyError: an expression names what there is not.
    """
    return {name: _EXPRESSION.sub(lambda match: known[match[1]], text) for name, text in texts.items()}
