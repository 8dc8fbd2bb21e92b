"""The commit that a release's tag names, and its notes: made by the scripts that the workflow runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from registry_config.version import VERSION
from support.act import copy_project
from support.action import installers

if TYPE_CHECKING:
    from pathlib import Path

_WHO = {
    "GIT_AUTHOR_NAME": "Somebody",
    "GIT_AUTHOR_EMAIL": "somebody@example.com",
    "GIT_COMMITTER_NAME": "Somebody",
    "GIT_COMMITTER_EMAIL": "somebody@example.com",
}
_CHANGES = f"""# Changelog

## [Unreleased]

- Not yet.

## [{VERSION}] - 2026-01-02

### Added

- All of it.

## [0.0.1] - 2026-01-01

- The beginning.

[{VERSION}]: https://example.com
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A clone of the project, whose CHANGELOG is ready for a release."""
    folder = tmp_path / "project"
    folder.mkdir()
    copy_project(folder)
    (folder / "CHANGELOG.md").write_text(_CHANGES)
    (folder / ".gitignore").write_text("dist/\n.venv/\n")
    for words in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "--message", "All of it")):
        _git(folder, *words)
    return folder


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, env={**os.environ, **_WHO}, capture_output=True, check=True)
    return done.stdout.decode()


def _script(folder: Path, name: str, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, **installers(), "UV_PROJECT_ENVIRONMENT": str(folder.parent / "venv")}
    script = [str(folder / "scripts" / name), *words]
    return subprocess.run(script, cwd="/", env=environ, capture_output=True, text=True, check=False)


def test_the_commit_is_that_of_the_branch_with_dist_beside_it_and_the_same_each_time(
    project: Path, tmp_path: Path
) -> None:
    before = _git(project, "rev-parse", "HEAD"), _git(project, "status", "--porcelain", "--ignored")
    made = _script(project, "release-commit")
    commit = made.stdout.strip()
    assert (made.returncode, re.fullmatch("[0-9a-f]{40}", commit) is not None) == (0, True), made.stderr
    assert (_git(project, "rev-parse", "HEAD"), _git(project, "status", "--porcelain", "--ignored")) == before
    assert _git(project, "rev-parse", f"{commit}^") == before[0]
    changed = _git(project, "diff", "--name-only", "HEAD", commit).splitlines()
    assert {name.partition("/")[0] for name in changed} == {"dist"}
    assert any("-aarch64-linux-gnu.so" in name for name in changed)
    # Another clone, another day, another person, another umask.
    other = tmp_path / "other" / "project"
    _git(tmp_path, "clone", "--quiet", str(project), str(other))
    old = os.umask(0o077)
    try:
        assert _script(other, "release-commit").stdout.strip() == commit
    finally:
        os.umask(old)


def test_a_work_tree_with_changes_is_no_release(project: Path) -> None:
    (project / "action.yml").write_text("changed")
    refused = _script(project, "release-commit")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "release-commit: the work tree has changes; commit them first\n"


def test_the_notes_are_the_section_of_the_version(project: Path) -> None:
    assert _script(project, "release-notes").stdout == "\n### Added\n\n- All of it.\n"
    assert _script(project, "release-notes", "--version").stdout == f"{VERSION}\n"


def test_a_version_without_notes_is_no_release(project: Path) -> None:
    (project / "CHANGELOG.md").write_text(_CHANGES.replace(f"## [{VERSION}]", "## [9.9.9]"))
    refused = _script(project, "release-notes")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"no section '## [{VERSION}]'" in refused.stderr


@pytest.mark.skipif(not shutil.which("uv"), reason="no uv on PATH (scripts/setup)")
def test_the_wheel_has_the_version_of_the_code(project: Path, tmp_path: Path) -> None:
    build = ["uv", "build", "--quiet", "--wheel", "--out-dir", str(tmp_path / "out"), "--require-hashes"]
    constraints = ["--build-constraints", str(project / "scripts/build.txt")]
    shutil.copy(project / "README.md", project / "LICENSE")
    environ = {**os.environ, **installers()}
    subprocess.run([*build, *constraints, str(project)], env=environ, check=True)
    assert [path.name for path in (tmp_path / "out").glob("*.whl")] == [
        f"registry_config_action-{VERSION}-py3-none-any.whl"
    ]
