"""What the project pins in several places: the same version everywhere, and a hash for all that is installed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from registry_config.engine import dagger_cli

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parents[2]
# Written by scripts/update, from the names in their second line.
_LISTS = ("uv", "go", "build", "audit")
_VERSION = re.compile(r"v\d+\.\d+\.\d+")


def _locked() -> dict[str, set[str]]:
    text = (_ROOT / "uv.lock").read_text()
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r'^name = "(.+)"\nversion = "(.+)"$', text, re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def _requirements(name: str) -> Iterator[tuple[str, str, int]]:
    """Name, version and number of hashes of each line of a list."""
    text = (_ROOT / f"scripts/{name}.txt").read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if not line.startswith("#"):
            requirement, *hashes = line.split(" --hash=")
            match = re.match(r"([\w-]+)==(\S+)", requirement)
            assert match, line
            yield match[1], match[2], sum(bool(re.fullmatch(r"sha256:[0-9a-f]{64} *", one)) for one in hashes)


@pytest.mark.parametrize("name", _LISTS)
def test_all_that_a_list_installs_has_a_version_and_hashes(name: str) -> None:
    found = list(_requirements(name))
    asked = re.findall(r"^# in: (.+)$", (_ROOT / f"scripts/{name}.txt").read_text(), re.MULTILINE)
    assert asked
    assert set(asked[0].split()) <= {package for package, _, _ in found}
    assert [package for package, _, hashes in found if not hashes] == []


def test_the_dagger_cli_and_the_engine_have_one_version_that_the_sdk_is_made_for() -> None:
    (sdk,) = _locked()["dagger-io"]
    engines = re.findall(r"/engine:v([\d.]+)@", (_ROOT / ".github/workflows/engine.yml").read_text())
    module = json.loads((_ROOT / "dagger.json").read_text())["engineVersion"].removeprefix("v")
    bounds = re.findall(r'"dagger-io>=([\d.]+),<', (_ROOT / "pyproject.toml").read_text())
    assert engines
    assert {module, *engines, *bounds} == {dagger_cli.VERSION}
    oldest, locked = ([int(part) for part in version.split(".")] for version in (dagger_cli.VERSION, sdk))
    assert (locked[:2], locked >= oldest) == (oldest[:2], True)


def test_what_builds_the_wheel_satisfies_what_the_wheel_asks_for() -> None:
    (version,) = [version for name, version, _ in _requirements("build") if name == "hatchling"]
    minimum = re.findall(r'requires = \["hatchling>=([\d.]+)"\]', (_ROOT / "pyproject.toml").read_text())
    assert [int(part) for part in version.split(".")] >= [int(part) for part in minimum[0].split(".")]


def test_every_tool_is_pinned_once() -> None:
    lines = (_ROOT / "scripts/tools.txt").read_text().splitlines()
    tools = [line.split() for line in lines if not line.startswith("#")]
    assert len({name for name, _, _ in tools}) == len(tools)
    assert [name for name, _, version in tools if not _VERSION.fullmatch(version)] == []
    # The heading by which scripts/setup tells those that are built always.
    assert lines.count("# Built with --all-tools:") == 1
    assert len([line for line in lines if re.fullmatch(r"# go \d+\.\d+\.\d+", line)]) == 1


def test_the_go_that_is_installed_is_new_enough_for_the_tools() -> None:
    (version,) = [version for _, version, _ in _requirements("go")]
    (needed,) = re.findall(r"^# go ([\d.]+)$", (_ROOT / "scripts/tools.txt").read_text(), re.MULTILINE)
    assert [int(part) for part in version.split(".")] >= [int(part) for part in needed.split(".")]


def test_the_programs_of_the_tests_are_those_of_the_lock() -> None:
    for name in ("zizmor", "ruff", "mypy"):
        program = Path(sys.executable).with_name(name)
        said = subprocess.run([program, "--version"], capture_output=True, check=True, text=True).stdout
        assert any(re.search(rf"\b{re.escape(version)}\b", said) for version in _locked()[name]), said
