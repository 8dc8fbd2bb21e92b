"""An engine and tool images for the whole run; skipped, or failed, where no engine is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from registry_config.errors import UnavailableError
from support.cli import Machine
from support.engine import Bench, Engine, Tools, find_engine, publish_images
from support.registry import Pair, registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PULLER = {"puller": "pullers-password-141421356237"}


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> Engine:
    try:
        return find_engine()
    except (LookupError, UnavailableError) as error:
        if request.config.getoption("--require-engine", default=False):
            pytest.fail(f"no engine: {error}", pytrace=False)
        pytest.skip(f"NO ENGINE, NOTHING IN AN IMAGE IS TESTED: {error}")


@pytest.fixture(scope="session")
def tools(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tools]:
    with registry(tmp_path_factory.mktemp("tools"), _PULLER) as running:
        yield publish_images(engine, running)


@pytest.fixture
def bench(engine: Engine, tools: Tools, registries: Pair, tmp_path: Path) -> Bench:
    # A shell's background job, and so whatever tests it runs, ignores SIGINT, and hands that on.
    machine = Machine(tmp_path, prefix=("env", "--default-signal"), variables=engine.variables)
    return Bench(machine, engine, tools, registries)
