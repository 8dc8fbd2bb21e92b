"""Which files of the working directory go to the engine, and which names a pattern stands for there."""

from __future__ import annotations

import os
import posixpath
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WORKSPACE: Final = "/workspace"
GIT: Final = "**/.git"
# .git/config may hold a checkout token, the other is what Google's action leaves in the workspace.
ALWAYS_EXCLUDED: Final = (GIT, "**/gha-creds-*.json")


def ignored(patterns: tuple[str, ...]) -> Iterator[str]:
    """Patterns as they come out of a dockerignore file (moby/patternmatcher, `ignorefile.ReadAll`)."""
    for pattern in patterns:
        if pattern.startswith("#"):
            continue
        sign = "!" if pattern.startswith("!") else ""
        path = pattern.removeprefix("!").strip()
        if path:
            yield sign + (posixpath.normpath(path).lstrip("/") or "/")


def below(files: tuple[str, ...], folder: str) -> Iterator[str]:
    """Patterns for those of `files` that lie in `folder`."""
    for file in files:
        relative = os.path.relpath(os.path.realpath(file), os.path.realpath(folder))
        if relative != ".." and not relative.startswith("../"):
            # A sign that may mean something in a pattern becomes any sign.
            yield re.sub(r"[^\w./-]", "?", relative)


def engine_pattern(pattern: str) -> str:
    """A pattern of Python's `glob` as the engine's, relative to the working directory; `**` does not pass folders."""
    return re.sub(r"\*\*+", "*", pattern.removeprefix(f"{WORKSPACE}/"))


def as_glob(pattern: str, names: Iterable[str]) -> list[str]:
    """Those of the engine's `names` that Python's `glob` would find: its `*` matches no leading dot."""
    relative = pattern.removeprefix(f"{WORKSPACE}/")
    parts = relative.split("/")
    shown = [
        name.rstrip("/")
        for name in names
        if all(not p.startswith(".") or q.startswith(".") for p, q in zip(name.split("/"), parts, strict=False))
    ]
    return [name if relative == pattern else f"{WORKSPACE}/{name}" for name in shown]
