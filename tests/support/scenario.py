"""One run of this project with a canary, and every byte that came of it."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from support.leaks import SHARED_MEMORY, search
from support.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from support.action import Action
    from support.canaries import Canary
    from support.cli import Machine

HOST = "registry.example.com"
VARIABLE = "CANARY"
_TELLTALE = Path(__file__).with_name("telltale.py")
_ADD_MASK = b"::add-mask::"


class Seen(NamedTuple):
    """What came of a run.

    Attributes:
        code: its exit code.
        came: by name, the bytes that came out of it.
        during: what a command of the same user could look at while the tool ran.
        after: what is left.
    """

    code: int
    came: Mapping[str, bytes]
    during: Path
    after: Mapping[str, Path]

    def in_bytes(self, canary: Canary) -> list[str]:
        """Each place among what came out, and in any process, that holds the canary."""
        processes = {path.name: path.read_bytes() for path in self.during.iterdir() if path.is_file()}
        return _found({**self.came, **processes}, canary)

    def on_disk(self, canary: Canary) -> list[str]:
        """Each place in a file system that holds the canary, during the run or after it."""
        folders = {f"during {path.name}": path for path in self.during.iterdir() if path.is_dir()}
        return _found({**folders, **self.after}, canary)


def telltale(machine: Machine, code: int = 0) -> tuple[str, ...]:
    """The words that start the tool that tells all."""
    return (sys.executable, str(_TELLTALE), str(_during(machine)), str(code))


def entry(canary: Canary, **source: str) -> dict[str, str]:
    """The declaration of a canary; from the variable unless `source` says otherwise."""
    return {"registry": HOST, "username": canary.username} | (source or {"password-env": VARIABLE})


def on_command_line(
    machine: Machine,
    canary: Canary,
    *command: str,
    registries: Sequence[Mapping[str, str]] | str = (),
    options: Sequence[str] = (),
    stdin: bytes = b"",
    given: bool = True,
) -> Seen:
    """Run `registry-config run`; without `given` the canary is in no variable."""
    variables = {VARIABLE: canary.password} if given else {}
    during = _during(machine)
    done = machine.run(
        *command, registries=registries or [entry(canary)], options=options, variables=variables, stdin=stdin
    )
    report = json.dumps(done.report, ensure_ascii=False).encode()
    came = {"stdout": done.stdout, "stderr": done.stderr, "json": report}
    return Seen(done.code, came, during, _after(machine))


def in_action(action: Action, machine: Machine, canary: Canary, **inputs: str) -> Seen:
    """Run the action, its step's log with debugging on; of what it wrote, lines that mask may hold the canary."""
    begun = time.time()
    during = _during(machine)
    given = {"registries": json.dumps([entry(canary)]), "command": " ".join(telltale(machine))} | inputs
    done = action.run(machine, given, {VARIABLE: canary.password}, runner=Runner(debug=True))
    lines = [line for line in done.last.stdout.splitlines(keepends=True) if not line.startswith(_ADD_MASK)]
    annotations = "\n".join(map(str, done.last.step.annotations)).encode()
    came = {
        "log": "\n".join(done.log).encode(),
        "written": b"".join(lines),
        "stderr": done.last.stderr,
        "set-up": done.setup.stdout + done.setup.stderr,
        "annotations": annotations,
        "summary": done.summary.encode(),
        **{f"output {name}": value.encode() for name, value in done.outputs.items()},
        **{f"file {name}": data for name, data in done.last.files.items()},
    }
    # The environment of Python in there is that of earlier tests too.
    fresh = {
        f"RUNNER_TEMP/{name}": Path(folder, name)
        for folder, _, names in os.walk(action.temporary)
        for name in names
        if Path(folder, name).lstat().st_mtime >= begun
    }
    return Seen(done.last.code, came, during, _after(machine) | fresh)


def _during(machine: Machine) -> Path:
    folder = machine.root / "during"
    folder.mkdir(exist_ok=True)
    return folder


def _after(machine: Machine) -> dict[str, Path]:
    return {"home": machine.home, "tmp": machine.temporary, "work": machine.work, "shm": SHARED_MEMORY}


def _found(places: Mapping[str, bytes | Path], canary: Canary) -> list[str]:
    return [place for part in canary.parts for place in search(places, part, canary.username)]
