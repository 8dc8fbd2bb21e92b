"""Two registries, a job with its temporary folder, and a user with folders of its own for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.act import Act, copy_project
from support.action import ROOT, Action
from support.artifacts import chart, oci_layout
from support.cli import Machine
from support.registry import Pair, registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ALICE = {"alice": "alices-password-31415926535897"}
_BOB = {"bob": "bobs-password-27182818284590"}


@pytest.fixture(scope="session")
def registries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("registries")
    with registry(folder / "first", _ALICE) as first, registry(folder / "second", _BOB) as second:
        yield Pair(first, second)


@pytest.fixture(scope="session")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("layout")
    oci_layout(folder)
    return folder


@pytest.fixture(scope="session")
def packed_chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return chart(tmp_path_factory.mktemp("chart"))


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def action(tmp_path_factory: pytest.TempPathFactory) -> Action:
    """The action in one job for all tests: it is set up once."""
    return Action(ROOT, tmp_path_factory.mktemp("runner"), {})


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def act(tmp_path: Path, project: Path) -> Act:
    return Act(tmp_path, project)
