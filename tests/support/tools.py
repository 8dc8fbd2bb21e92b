"""The tools that tests run, and what becomes of a test whose tool was not built."""

from __future__ import annotations

import re
import shutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

_TABLE = Path(__file__).parents[2] / "scripts/tools.txt"


@cache
def _missing(path: str) -> frozenset[str]:
    lines = [line.split() for line in _TABLE.read_text().splitlines() if line and not line.startswith("#")]
    return frozenset(name for name, _, _ in lines if not shutil.which(name, path=path))


def need_tools(words: Iterable[str], path: str) -> None:
    """Skip the test where one of these words is a tool of scripts/tools.txt that is not on this PATH."""
    for name in sorted(_missing(path).intersection(words)):
        pytest.skip(f"{name} was not built (scripts/test --all-tools)")


def need_docker(path: str) -> None:
    """Skip the test where docker is not on this PATH; the project's scripts do not install it."""
    if not shutil.which("docker", path=path):
        pytest.skip("docker is not installed")


def words_of(text: str) -> set[str]:
    """What in a text could be the name of a tool."""
    return set(re.findall(r"[\w.-]+", text))
