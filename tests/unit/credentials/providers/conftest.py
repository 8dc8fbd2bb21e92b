"""A net with all providers, for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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
