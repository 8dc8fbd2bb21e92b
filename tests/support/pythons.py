"""The Pythons of this machine, besides the one that runs the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

# What `scripts/bundle` builds for.
SUPPORTED = ("3.10", "3.11", "3.12", "3.13", "3.14")
_VERSION = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
# Where pyenv, uv and GitHub's runner images keep further ones.
_PLACES = (".pyenv/versions/*/bin/python3", ".local/share/uv/python/*/bin/python3")
_HOME = Path.home()


@cache
def _found() -> dict[str, Path]:
    """The path of each, by its version."""
    candidates = [Path(folder, name) for folder in os.get_exec_path() for name in ("python3", *_names())]
    candidates += [path for place in _PLACES for path in sorted(_HOME.glob(place))]
    candidates += sorted(Path("/opt/hostedtoolcache/Python").glob("*/x64/bin/python3"))
    found: dict[str, Path] = {}
    for candidate in candidates:
        # A shim of pyenv's answers for a version that is not chosen with an error.
        asked = [str(candidate), "-I", "-S", "-c", _VERSION]
        if candidate.exists() and not (ran := subprocess.run(asked, capture_output=True, check=False)).returncode:
            version, _, path = ran.stdout.decode().strip().partition(" ")
            found.setdefault(version, Path(path))
    return found


def _names() -> list[str]:
    return [f"python{version}" for version in SUPPORTED]


def folder_with(version: str, folder: Path) -> Path:
    """A folder for PATH in which `python3` is of this version; skips where the machine has none."""
    path = _found().get(version)
    if not path:
        pytest.skip(f"no CPython {version} on this machine (uv python install {version})")
    folder.mkdir(parents=True)
    (folder / "python3").symlink_to(path)
    return folder


def path_without(folder: Path, *programs: str, path: str) -> str:
    """PATH without some programs: a folder that has one is replaced by links to all else in it."""
    folders = []
    for number, name in enumerate(path.split(os.pathsep)):
        old = Path(name)
        if any((old / program).exists() for program in programs):
            new = folder / str(number)
            new.mkdir(parents=True)
            for entry in old.iterdir():
                if entry.name not in programs:
                    (new / entry.name).symlink_to(entry)
            old = new
        folders.append(str(old))
    assert not any(shutil.which(program, path=os.pathsep.join(folders)) for program in programs)
    return os.pathsep.join(folders)
