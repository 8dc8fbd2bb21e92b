"""Measures how fast output is redacted, in what memory, and what a run costs before its command starts.

Speeds are by processor time, so that a busy machine does not decide; whole runs stand beside `cat`.
"""

from __future__ import annotations

import base64
import json
import os
import random
import string
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console
from rich.table import Table

from registry_config.__main__ import collect_garbage
from registry_config.credentials.encodings import encodings
from registry_config.credentials.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MIB = 1024 * 1024
_CHUNK = 64 * 1024
_ROUNDS = 3
_LOGIN = {"registry": "registry.example.com", "username": "alice", "password": "password-0123456789"}
# Without compiled modules, which a setting of Python's may forbid, a start takes three times as long.
_ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
_CHANCE = random.Random(1)  # noqa: S311  (the same each time)
_PROGRAM = str(Path(sys.executable).with_name("registry-config"))
_LETTERS = string.ascii_letters + string.digits
# Keeps a note of its own time: it takes longer than we do, and never twice the same.
_BYTE_BY_BYTE = """
import os, sys, time
for byte in open(sys.argv[1], "rb").read(): os.write(1, bytes([byte]))
open(sys.argv[2], "w").write(str(time.process_time()))
"""


class Measure(NamedTuple):
    """A row of the table."""

    what: str
    measured: float
    goal: float
    unit: str
    less_is_better: bool = False

    @property
    def reached(self) -> bool:
        """Whether the goal is."""
        return self.measured <= self.goal if self.less_is_better else self.measured >= self.goal


def main() -> int:
    """Print the table; 1 where a goal is missed."""
    with tempfile.TemporaryDirectory() as folder:
        measures = [*_runs(Path(folder)), *_kinds(), _memory(Path(folder)), _start(Path(folder))]
    table = Table("what", "measured", "goal", "")
    for row in measures:
        verdict = "" if not row.goal else "reached" if row.reached else "MISSED"
        goal = f"{row.goal:g} {row.unit}" if row.goal else ""
        table.add_row(row.what, f"{row.measured:.1f} {row.unit}", goal, verdict)
    Console(width=100).print(table)
    return int(not all(row.reached for row in measures if row.goal))


def _runs(folder: Path) -> list[Measure]:
    """Whole runs beside `cat`, which reads the same file: megabytes for each second of our processor time."""
    log, short, script, note = (folder / name for name in ("log", "short", "byte_by_byte.py", "note"))
    log.write_bytes(_log(128))
    short.write_bytes(_log(4))
    script.write_text(_BYTE_BY_BYTE)
    cat = ("cat", str(log))
    alone = min(_processor_seconds(cat) for _ in range(_ROUNDS))
    declared = [{**_LOGIN, "registry": f"r{n}.example.com", "password": _github()} for n in range(10)]
    (folder / "registries.yaml").write_text(json.dumps(declared), encoding="utf-8")
    line = (_PROGRAM, "run", "--registries", str(folder / "registries.yaml"), "--")
    found = [Measure("cat, log", _megabytes(log) / alone, 0, "MB/s")]
    for name, file, words, goal in (
        ("log", log, cat, 150),
        ("one-byte writes", short, (sys.executable, "-I", str(script), str(short), str(note)), 5),
    ):
        note.write_text(str(alone))
        inputs = {"REGISTRIES": json.dumps(declared), "COMMAND": " ".join(words)}
        variables = {f"REGISTRY_CONFIG_INPUT_{key}": value for key, value in inputs.items()}
        for form, whole, environ in (
            ("command line", (*line, *words), {}),
            ("action", (_PROGRAM, "action"), variables),
        ):
            ours = min(_processor_seconds(whole, environ) - float(note.read_text()) for _ in range(_ROUNDS))
            found.append(Measure(f"{form}, {name}", _megabytes(file) / max(ours, 0.001), goal, "MB/s"))
    return found


def _megabytes(file: Path) -> float:
    return file.stat().st_size / 1e6


def _processor_seconds(words: Sequence[str], variables: Mapping[str, str] | None = None) -> float:
    """Of a process and its children."""
    with subprocess.Popen(
        words, env=_ENVIRON | dict(variables or {}), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as process:
        while process.stdout and os.read(process.stdout.fileno(), 1024 * _CHUNK):
            pass
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{words[0]} failed with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def _kinds() -> list[Measure]:
    """The redactor alone, on what costs it the most, in a process like ours."""
    collect_garbage()
    found = []
    for name, make in {"ghp_": _github, "github_pat_": _fine_grained}.items():
        for count in (10, 1000):
            secrets = [make() for _ in range(count)]
            forms = sorted({form for n, secret in enumerate(secrets) for form in encodings(f"user{n}", secret)})
            begun = time.thread_time()
            redactor = Redactor(forms)
            redactor.holds(b"x")  # it is built where something is looked for
            building = (time.thread_time() - begun) * 1000
            found.append(Measure(f"{count} {name}, building", building, 0, "ms"))
            for kind, data in _worst(secrets, forms).items():
                goal = 20 if kind != "one-byte pieces" else 0
                found.append(Measure(f"{count} {name}, {kind}", _redacted(redactor, kind, data), goal, "MB/s"))
    return found


def _worst(secrets: list[str], forms: list[bytes]) -> dict[str, bytes]:
    parts = [secret[: _CHANCE.randrange(1, len(secret))].encode() for secret in _CHANCE.choices(secrets, k=40_000)]
    return {
        "log": _log(4),
        "base64": base64.encodebytes(_CHANCE.randbytes(3 * _MIB)),
        "one line": b"a" * (4 * _MIB),
        "prefix of the kind": (secrets[0][: secrets[0].rindex("_") + 1][:11].encode() + b" ") * 200_000,
        "prefixes of any length": b"\n".join(parts),
        "forms less one byte": b"\n".join(form[:-1] for form in _CHANCE.choices(forms, k=20_000)),
        "one-byte pieces": _log(1)[:50_000],
    }


def _redacted(redactor: Redactor, kind: str, data: bytes) -> float:
    size = 1 if kind == "one-byte pieces" else _CHUNK
    best = 0.0
    for _ in range(_ROUNDS):
        stream = redactor.stream()
        begun = time.thread_time()
        for at in range(0, len(data), size):
            stream.feed(data[at : at + size])
        stream.finish()
        best = max(best, len(data) / 1e6 / (time.thread_time() - begun))
    return best


def _memory(folder: Path) -> Measure:
    """One gibibyte of output in ten targets at once: the most that the process and its memory files held."""
    log, declared = folder / "log", folder / "one.yaml"
    log.write_bytes(_log(103))
    declared.write_text(json.dumps([_LOGIN]), encoding="utf-8")
    targets = [word for n in range(10) for word in ("--target", f"registry.example.com/a{n}:1")]
    words = (_PROGRAM, "run", "--registries", str(declared), "--max-parallel", "10", *targets)
    most = 0
    with subprocess.Popen(
        (*words, "--", "sh", "-c", f"cat {log}; : {{target}}"),
        env=_ENVIRON,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        while process.poll() is None:
            most = max(most, _held(process.pid))
            time.sleep(0.02)
    if process.returncode:
        raise SystemExit(f"the run in ten targets failed with {process.returncode}")
    return Measure("1 GiB in ten targets, memory", most / _MIB, 100, "MiB", less_is_better=True)


def _held(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        files = [path for path in Path(f"/proc/{pid}/fd").iterdir() if os.readlink(path).startswith("/memfd:")]
        return pages * os.sysconf("SC_PAGE_SIZE") + sum(path.stat().st_blocks * 512 for path in files)
    except (OSError, IndexError):  # it has ended, or closed a file meanwhile
        return 0


def _start(folder: Path) -> Measure:
    declared = folder / "one.yaml"
    declared.write_text(json.dumps([_LOGIN]), encoding="utf-8")
    run = (_PROGRAM, "run", "--registries", str(declared), "--", "true")
    bare = (sys.executable, "-I", "-c", "pass")
    _seconds(run)  # compiles the modules where that is still to be done
    pairs = [(_seconds(bare), _seconds(run)) for _ in range(40)]
    ratio = min(whole for _, whole in pairs) / min(floor for floor, _ in pairs)
    return Measure("start of a run, by that of Python", ratio, 5, "times", less_is_better=True)


def _seconds(words: Sequence[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(words, env=_ENVIRON, check=True, stdin=subprocess.DEVNULL)
    return time.perf_counter() - begun


def _github() -> str:
    return "ghp_" + "".join(_CHANCE.choices(_LETTERS, k=36))


def _fine_grained() -> str:
    """All of one account, as the tokens of a company's robot are."""
    return f"github_pat_11ABCDEFG0{''.join(_CHANCE.choices(_LETTERS, k=11))}_{''.join(_CHANCE.choices(_LETTERS, k=59))}"


def _log(size: int) -> bytes:
    """Lines as tools print them."""
    lines = [
        f"2026-01-02T03:04:05Z INFO pushed layer sha256:{_CHANCE.randbytes(32).hex()} ({n} of 64, {n * 4711} bytes)\n"
        for n in range(size * _MIB // 130)
    ]
    return "".join(lines).encode()


if __name__ == "__main__":
    sys.exit(main())
