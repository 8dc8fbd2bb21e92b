"""Measures how fast output is redacted, and what a run costs before its command starts."""

from __future__ import annotations

import base64
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from registry_config.credentials.encodings import forms
from registry_config.credentials.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MIB = 1024 * 1024
_CHUNK = 64 * 1024
_GOALS = {10: 50, 1000: 5}
_ROUNDS = 5
_START_GOAL = 5
_LOGIN = {"registry": "registry.example.com", "username": "alice", "password": "password-0123456789"}
# Without compiled modules, which a setting of Python's may forbid, a start takes three times as long.
_ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
_CHANCE = random.Random(1)  # noqa: S311  (the same each time)


def main() -> int:
    """Print the table; 1 where a goal is missed."""
    table = Table("what", "measured", "goal", "")
    missed = False
    for count, goal in _GOALS.items():
        redactor = Redactor(form for n in range(count) for form in forms(f"user{n}", _secret()))
        for kind, make in _KINDS.items():
            speed = _megabytes_per_second(redactor, make(16 if count < 100 else 4))  # noqa: PLR2004  (seconds, not minutes)
            missed |= speed < goal
            table.add_row(f"{count} secrets, {kind}", f"{speed:.0f} MB/s", f"{goal} MB/s", _verdict(good=speed >= goal))
    ratio = _start_ratio()
    missed |= ratio > _START_GOAL
    table.add_row(
        "start of a run, by that of Python",
        f"{ratio:.1f} times",
        f"{_START_GOAL} times",
        _verdict(good=ratio <= _START_GOAL),
    )
    Console().print(table)
    return int(missed)


def _secret() -> str:
    return base64.b64encode(_CHANCE.randbytes(30)).decode()


def _log(size: int) -> bytes:
    """Lines as tools print them."""
    lines = [
        f"2026-01-02T03:04:05Z INFO pushed layer sha256:{_CHANCE.randbytes(32).hex()} ({n} of 64, {n * 4711} bytes)\n"
        for n in range(size * _MIB // 120)
    ]
    return "".join(lines).encode()


def _base64_text(size: int) -> bytes:
    """What resembles tokens the most."""
    return base64.encodebytes(_CHANCE.randbytes(size * _MIB * 3 // 4))


def _one_line(size: int) -> bytes:
    return b"a" * (size * _MIB)


_KINDS: dict[str, Callable[[int], bytes]] = {"log": _log, "base64": _base64_text, "one line": _one_line}


def _megabytes_per_second(redactor: Redactor, data: bytes) -> float:
    best = 0.0
    for _ in range(_ROUNDS):
        stream = redactor.stream()
        begun = time.perf_counter()
        for at in range(0, len(data), _CHUNK):
            stream.feed(data[at : at + _CHUNK])
        stream.finish()
        best = max(best, len(data) / 1e6 / (time.perf_counter() - begun))
    return best


def _start_ratio() -> float:
    with tempfile.TemporaryDirectory() as folder:
        declared = Path(folder, "registries.yaml")
        declared.write_text(json.dumps([_LOGIN]), encoding="utf-8")
        program = str(Path(sys.executable).with_name("registry-config"))
        run = [program, "run", "--registries", str(declared), "--", "true"]
        bare = [sys.executable, "-I", "-c", "pass"]
        _seconds(run)  # compiles the modules where that is still to be done
        pairs = [(_seconds(bare), _seconds(run)) for _ in range(40)]
    return min(whole for _, whole in pairs) / min(floor for floor, _ in pairs)


def _seconds(words: Sequence[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(words, env=_ENVIRON, check=True, stdin=subprocess.DEVNULL)
    return time.perf_counter() - begun


def _verdict(*, good: bool) -> str:
    return "reached" if good else "MISSED"


if __name__ == "__main__":
    sys.exit(main())
