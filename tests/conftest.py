"""An environment without logins and runners for every test, and a count of what was skipped and why."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from registry_config.declaration.inputs import PREFIX
from registry_config.docker_config import CONFIG_VARIABLES

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter


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


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    counts = ", ".join(f"{count} x {reason}" for reason, count in reasons.most_common())
    terminalreporter.write_line(f"skipped: {counts or 'none'}")
