"""Measures a step without an image as a release tag has it: its set-up, and the whole of it, without a network."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

_ROOT = Path(__file__).resolve().parents[1]
_ROUNDS = 20
_SETUP_GOAL = 0.15
# What the main step of docker/login-action (commit 9f4a8ea) took, measured by hand on 2026-11-26 with node 20 and a
# registry on the same machine, beside this step: median of 20 on two quiet cores.
_STEP_GOAL = 0.19
_SHELL = ("bash", "-p", "-e", "-o", "pipefail", "-c")
_SETUP = 'exec "$BASH" -p "$GITHUB_ACTION_PATH/scripts/action-setup"'
_RUN = 'mapfile -t start <<<"$REGISTRY_CONFIG_START"; exec "${start[@]}" action 2>&1'
_INPUTS = {
    "REGISTRY_CONFIG_INPUT_REGISTRIES": "- {registry: registry.example.com, username: alice, password-env: TOKEN}",
    "REGISTRY_CONFIG_INPUT_COMMAND": "true",
    "TOKEN": "password-0123456789",
}
_OFFLINE = ("unshare", "--net") if os.getuid() == 0 else ("unshare", "--net", "--map-root-user")


def main() -> int:
    """Print the table; 1 where a goal is missed."""
    with tempfile.TemporaryDirectory() as name:
        action = Path(name, "action")
        for part in ("scripts", "src"):
            shutil.copytree(_ROOT / part, action / part, ignore=shutil.ignore_patterns("__pycache__"))
        subprocess.run([_ROOT / "scripts/bundle", action / "dist"], check=True)
        rounds = [_job(action, Path(name, f"job-{number}")) for number in range(_ROUNDS)]
    table = Table("without a network, median of 20", "measured", "goal", "")
    missed = False
    for what, goal, seconds in (
        ("set-up", _SETUP_GOAL, [setup for setup, _, _ in rounds]),
        ("whole step, the first of its job", _STEP_GOAL, [setup + run for setup, run, _ in rounds]),
        ("whole step, a later one", _STEP_GOAL, [again for _, _, again in rounds]),
    ):
        median = statistics.median(seconds)
        missed |= median > goal
        table.add_row(what, f"{median:.3f} s", f"{goal} s", "MISSED" if median > goal else "reached")
    Console().print(table)
    return int(missed)


def _job(action: Path, folder: Path) -> tuple[float, float, float]:
    """Seconds of the set-up, of the command, and of both once more in the same job."""
    folder.mkdir()
    for compiled in action.rglob("__pycache__"):
        shutil.rmtree(compiled)
    setup, start = _set_up(action, folder)
    run = _run(action, folder, start)
    again, start = _set_up(action, folder)
    return setup, run, again + _run(action, folder, start)


def _set_up(action: Path, folder: Path) -> tuple[float, str]:
    output = folder / "output"
    output.write_text("")
    seconds = _seconds(_SETUP, action, folder, {"GITHUB_OUTPUT": str(output)})
    return seconds, "\n".join(output.read_text().splitlines()[1:-1])


def _run(action: Path, folder: Path, start: str) -> float:
    return _seconds(_RUN, action, folder, {"REGISTRY_CONFIG_START": start, **_INPUTS})


def _seconds(script: str, action: Path, folder: Path, variables: dict[str, str]) -> float:
    runner = {"GITHUB_ACTIONS": "true", "GITHUB_ACTION_PATH": str(action), "RUNNER_TEMP": str(folder)}
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), **runner, **variables}
    begun = time.perf_counter()
    subprocess.run([*_OFFLINE, *_SHELL, script], env=environ, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


if __name__ == "__main__":
    sys.exit(main())
