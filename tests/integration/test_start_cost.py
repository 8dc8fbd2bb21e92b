"""What a run costs before its command starts."""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.cli import Machine

LOGIN = {"registry": "registry.example.com", "username": "alice", "password-env": "TOKEN"}
_MOST = 5


def _seconds(words: Sequence[str], environ: dict[str, str]) -> float:
    begun = time.perf_counter()
    subprocess.run(words, env=environ, check=True, stdin=subprocess.DEVNULL)
    return time.perf_counter() - begun


def test_a_run_takes_at_most_five_times_the_start_of_python(machine: Machine) -> None:
    environ = {k: v for k, v in machine.environ({"TOKEN": "token-of-some-length"}).items() if "COVERAGE" not in k}
    bare = [sys.executable, "-I", "-c", "pass"]
    run = machine.words("true", registries=[LOGIN])
    _seconds(run, environ)  # compiles the modules where that is still to be done
    ratios: list[float] = []
    for _ in range(3):  # a busy machine spoils a round
        pairs = [(_seconds(bare, environ), _seconds(run, environ)) for _ in range(15)]
        floor, whole = (min(times) for times in zip(*pairs, strict=True))
        ratios += [whole / floor, median(ours / theirs for theirs, ours in pairs)]
        if min(ratios) <= _MOST:
            break
    assert min(ratios) <= _MOST, ratios


def test_a_run_imports_nothing_that_is_slow(machine: Machine) -> None:
    words = machine.words("true", registries=[LOGIN])
    at = words.index("run")
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "registry_config", *words[at:]],
        env=machine.environ({"TOKEN": "token-of-some-length"}),
        cwd=machine.work,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in ended.stderr.decode().splitlines()}
    assert "registry_config.host.runner" in imported
    slow = {"asyncio", "dagger", "requests", "logging", "typing_extensions", "inspect", "dataclasses", "shutil"}
    assert imported & slow == set()
