"""The user of a job with entries that have no password, and the action in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.action import ROOT, Action
from support.cli import Machine

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path / "user", prefix=("env", "--default-signal"))
    (machine.work / "file.txt").write_text("hello")
    return machine


@pytest.fixture(scope="session")
def action(tmp_path_factory: pytest.TempPathFactory) -> Action:
    """The action in one job for all tests: it is set up once."""
    return Action(ROOT, tmp_path_factory.mktemp("runner"), {})
