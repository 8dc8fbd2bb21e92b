"""The real `registry-config` program, run by a user whose home, temporary and working folder are made for the test."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_SCRIPT = Path(sys.executable).with_name("registry-config")
PROGRAM: tuple[str, ...] = (str(_SCRIPT),) if _SCRIPT.exists() else (sys.executable, "-m", "registry_config")
_TIMEOUT = 60


def tool_path() -> str:
    """PATH with the tools that no distribution brings: helm, oras, crane, regctl, cosign."""
    own = os.environ.get("REGISTRY_CONFIG_TOOLS") or str(Path.home() / ".cache/registry-config-action/bin")
    return os.pathsep.join((own, os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))


class Done(NamedTuple):
    """What came of a run; `report` is what `--json` wrote, empty where it wrote nothing."""

    code: int
    stdout: bytes
    stderr: bytes
    report: dict[str, Any]


@dataclass(frozen=True)
class Machine:
    """A user with folders of its own below `root`, and an environment that knows only these.

    Attributes:
        root: where all of it lies.
        prefix: words before the program, such as `setpriv` and its options.
        program: the words that start `registry-config`.
        variables: further variables of every run.
        seconds: after which a run is taken for one that hangs.
    """

    root: Path
    prefix: tuple[str, ...] = ()
    program: tuple[str, ...] = PROGRAM
    variables: Mapping[str, str] = field(default_factory=dict)
    seconds: float = _TIMEOUT

    def __post_init__(self) -> None:
        for folder in (self.home, self.temporary, self.work):
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"

    @property
    def work(self) -> Path:
        return self.root / "work"

    def environ(self, variables: Mapping[str, str] | None = None) -> dict[str, str]:
        """The whole environment of a run."""
        # What a coverage measurement needs in processes that tests start.
        kept = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
        own = {"PATH": tool_path(), "HOME": str(self.home), "TMPDIR": str(self.temporary), "LANG": "C.UTF-8"}
        return kept | own | dict(self.variables) | dict(variables or {})

    def words(
        self, *command: str, registries: Sequence[Mapping[str, object]] | str = (), options: Sequence[str] = ()
    ) -> list[str]:
        """The command line of `registry-config run`; `registries` are entries, or a path (`-`: standard input)."""
        need_tools((word for line in command for word in line.split()), tool_path())
        path = registries if isinstance(registries, str) else self.declare(registries)
        return [*self.prefix, *self.program, "run", "--registries", path, *options, "--", *command]

    def declare(self, entries: Sequence[Mapping[str, object]], name: str = "registries.yaml") -> str:
        """Write a declaration, each value as GitHub's `toJSON()` writes it, and give its path."""
        path = self.root / name
        path.write_text(json.dumps([dict(entry) for entry in entries], ensure_ascii=False), encoding="utf-8")
        return str(path)

    def run(
        self,
        *command: str,
        registries: Sequence[Mapping[str, object]] | str = (),
        options: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
        stdin: bytes = b"",
    ) -> Done:
        """Run a command to its end."""
        report = self.root / "report.json"
        report.unlink(missing_ok=True)
        ended = subprocess.run(
            self.words(*command, registries=registries, options=("--json", str(report), *options)),
            cwd=self.work,
            env=self.environ(variables),
            input=stdin,
            capture_output=True,
            timeout=self.seconds,
            check=False,
        )
        document = json.loads(report.read_bytes()) if report.exists() else {}
        return Done(ended.returncode, ended.stdout, ended.stderr, document)

    def at_terminal(self, words: Sequence[str], environ: Mapping[str, str]) -> tuple[int, bytes]:
        """Exit code, and what a terminal gets that both streams lead to."""
        terminal, ours = pty.openpty()
        with subprocess.Popen(
            words, cwd=self.work, env=environ, stdin=subprocess.DEVNULL, stdout=ours, stderr=ours
        ) as process:
            os.close(ours)
            shown = b""
            with suppress(OSError):  # EIO: nobody holds the other end any more
                while data := os.read(terminal, 4096):
                    shown += data
        os.close(terminal)
        return process.returncode, shown

    @contextmanager
    def start(
        self,
        *command: str,
        registries: Sequence[Mapping[str, object]] | str = (),
        options: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
        stdin: int | None = subprocess.DEVNULL,
        stdout: int | None = subprocess.PIPE,
        stderr: int | None = subprocess.PIPE,
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start a command, to look at it or to signal it while it runs; killed where it outlives the context."""
        words = self.words(*command, registries=registries, options=options)
        with subprocess.Popen(
            words, cwd=self.work, env=self.environ(variables), stdin=stdin, stdout=stdout, stderr=stderr
        ) as process:
            try:
                yield process
            finally:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=10)
                process.kill()


def lines_of_ours(stderr: bytes) -> list[str]:
    """What the program itself says on standard error, without its name."""
    start = "registry-config: "
    return [line.removeprefix(start) for line in stderr.decode().splitlines() if line.startswith(start)]


def wait_for(condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait until something holds, for so long at most."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
