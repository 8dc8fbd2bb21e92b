"""A job with its temporary folder, and act, for each test or for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.act import Act, copy_project
from support.action import ROOT, Action

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def action(tmp_path_factory: pytest.TempPathFactory) -> Action:
    """The action in one job for all tests: it is set up once."""
    return Action(ROOT, tmp_path_factory.mktemp("runner"), {})


@pytest.fixture
def act(tmp_path: Path, project: Path) -> Act:
    return Act(tmp_path, project)
