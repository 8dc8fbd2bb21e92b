"""A net with all providers, real STS and ECR of moto among them, and a registry behind each host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.action import ROOT, Action
from support.cli import Machine
from support.clouds import Clouds
from support.net import Net, net

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def clouds() -> Clouds:
    return Clouds()


@pytest.fixture
def world(tmp_path: Path, clouds: Clouds) -> Iterator[Net]:
    with net(tmp_path, clouds.players) as running:
        yield running


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path / "user", prefix=("env", "--default-signal"))
    (machine.work / "file.txt").write_text("hello")
    return machine


@pytest.fixture(scope="session")
def action(tmp_path_factory: pytest.TempPathFactory) -> Action:
    """The action in one job for all tests: it is set up once."""
    return Action(ROOT, tmp_path_factory.mktemp("runner"), {})
