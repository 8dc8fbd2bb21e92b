"""What a run imports before its command starts. How long that takes is for scripts/benchmark."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.cli import Machine

LOGIN = {"registry": "registry.example.com", "username": "alice", "password-env": "TOKEN"}


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
    slow = {"asyncio", "dagger", "requests", "logging", "typing", "inspect", "dataclasses", "shutil", "pathlib"}
    assert imported & slow == set()
