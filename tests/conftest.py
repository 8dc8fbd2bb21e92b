"""An environment without logins and runners for every test, what many tests share, and a count of what was skipped."""

from __future__ import annotations

import ctypes
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from registry_config.audience import speak_to_workflow
from registry_config.declaration.inputs import PREFIX
from registry_config.docker_config import CONFIG_VARIABLES
from support.artifacts import chart, oci_layout
from support.cli import Machine
from support.places import Places, places
from support.registry import Pair, registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _pytest.terminal import TerminalReporter

    from support.clouds import Clouds
    from support.net import Net

_PR_SET_DUMPABLE = 4
_ALICE = {"alice": "alices-password-31415926535897"}
_BOB = {"bob": "bobs-password-27182818284590"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--require-engine", action="store_true", help="fail instead of skipping where no engine is")


def pytest_configure() -> None:
    """Remember where the tools are before HOME is another."""
    os.environ.setdefault("REGISTRY_CONFIG_TOOLS", str(Path.home() / ".cache/registry-config-action/bin"))


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in list(os.environ):
        if name in CONFIG_VARIABLES or name.startswith(("GITHUB_", PREFIX)):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def clouds() -> Clouds:
    """All providers, real STS and ECR of moto among them."""
    from support.clouds import Clouds  # noqa: PLC0415  (moto takes a second, and few tests need it)

    return Clouds()


@pytest.fixture
def world(tmp_path: Path, clouds: Clouds) -> Iterator[Net]:
    """A net in which they are."""
    from support.net import net  # noqa: PLC0415  (as above)

    with net(tmp_path, clouds.players) as running:
        yield running


@pytest.fixture(autouse=True)
def messages_for_a_workflow() -> None:
    """A test of the command line in this process may have said otherwise."""
    speak_to_workflow()


@pytest.fixture(autouse=True)
def open_memory() -> Iterator[None]:
    """A test that asks a helper in this process closes it; a later one overwrites variables in its memory."""
    yield
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A user with folders of its own."""
    return Machine(tmp_path)


@pytest.fixture(scope="session")
def registries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two registries for the whole run, each with a user of its own."""
    folder = tmp_path_factory.mktemp("registries")
    with registry(folder / "first", _ALICE) as first, registry(folder / "second", _BOB) as second:
        yield Pair(first, second)


@pytest.fixture(scope="session", name="places")
def _places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    with places(tmp_path_factory.mktemp("places")) as running:
        yield running


@pytest.fixture(scope="session")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image, as a folder of an OCI layout."""
    folder = tmp_path_factory.mktemp("layout")
    oci_layout(folder)
    return folder


@pytest.fixture(scope="session")
def packed_chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return chart(tmp_path_factory.mktemp("chart"))


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    counts = ", ".join(f"{count} x {reason}" for reason, count in reasons.most_common())
    terminalreporter.write_line(f"skipped: {counts or 'none'}")
