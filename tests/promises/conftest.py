"""A user with folders of its own for each test, and the action in one job for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.action import ROOT, Action
from support.canaries import SHAPES, Canary
from support.cli import Machine

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    # A shell's background job, and so whatever tests it runs, ignores SIGINT, and hands that on.
    return Machine(tmp_path, prefix=("env", "--default-signal"))


@pytest.fixture(params=SHAPES)
def canary(request: pytest.FixtureRequest) -> Canary:
    return SHAPES[request.param]()


@pytest.fixture
def token() -> Canary:
    return SHAPES["every printable sign"]()


@pytest.fixture(scope="session")
def action(tmp_path_factory: pytest.TempPathFactory) -> Action:
    return Action(ROOT, tmp_path_factory.mktemp("runner"), {})
