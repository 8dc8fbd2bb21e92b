"""The working directory: what of it goes to the engine, which names a pattern stands for there, what comes back."""

from __future__ import annotations

import asyncio
import os
import posixpath
import re
import shutil
import tempfile

from registry_config.engine.mounts import home_config
from registry_config.engine.returned_files import Returned, bring_back
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import dagger

    from registry_config.credentials.redaction import Redactor
    from registry_config.plan import ImageSettings

WORKSPACE: Final = "/workspace"
_GIT: Final = "**/.git"
# .git/config may hold a checkout token, the other is what Google's action leaves in the workspace.
_ALWAYS_EXCLUDED: Final = (_GIT, "**/gha-creds-*.json")


async def upload(folder: str, settings: ImageSettings) -> dagger.Directory:
    """Send the working directory to the engine; to be called on a connection."""
    from dagger import dag  # noqa: PLC0415

    return await dag.host().directory(folder, exclude=excluded(folder, settings)).sync()


async def download(changes: dagger.Directory, folder: str, settings: ImageSettings, redactor: Redactor) -> Returned:
    """Bring changed and new files into the working directory.

    Args:
        changes: what the commands changed in the container's working directory.
        folder: the working directory on this machine.
        settings: says what never comes back.
        redactor: finds secrets in what comes back.
    """
    # What lies under .git comes along, so that it can be named and refused.
    exclude = [pattern for pattern in excluded(folder, settings) if pattern != _GIT]
    staging = tempfile.mkdtemp(prefix="registry-config-")
    try:
        await changes.filter(exclude=exclude).export(staging)
        return await asyncio.to_thread(bring_back, staging, folder, redactor)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def excluded(folder: str, settings: ImageSettings) -> list[str]:
    """Patterns of what neither goes to the engine nor comes back."""
    # Ours come last: no `!pattern` of the user brings back what they take out.
    return [*ignored(settings.exclude), *_ALWAYS_EXCLUDED, *below(settings.excluded_files, folder)]


def ignored(patterns: tuple[str, ...]) -> Iterator[str]:
    """Patterns as they come out of a dockerignore file (moby/patternmatcher, `ignorefile.ReadAll`)."""
    for pattern in patterns:
        if pattern.startswith("#"):
            continue
        negation = "!" if pattern.startswith("!") else ""
        path = pattern.removeprefix("!").strip()
        if path:
            yield negation + (posixpath.normpath(path).lstrip("/") or "/")


def below(files: tuple[str, ...], folder: str) -> Iterator[str]:
    """Patterns for those of `files` that lie in `folder`."""
    for file in files:
        relative = os.path.relpath(os.path.realpath(file), os.path.realpath(folder))
        if relative != ".." and not relative.startswith("../"):
            # A character that may have a meaning in a pattern becomes any character.
            yield re.sub(r"[^\w./-]", "?", relative)


def engine_pattern(pattern: str) -> str:
    """A pattern of Python's `glob` as the engine's, relative to the working directory; `**` does not pass folders."""
    return re.sub(r"\*\*+", "*", pattern.removeprefix(f"{WORKSPACE}/"))


def stub_of_config(home: str) -> list[str]:
    """Where the home folder is the working directory: what the config was mounted on stays there, an empty file."""
    path = home_config(home) if home else ""
    return [path.removeprefix(f"{WORKSPACE}/")] if path.startswith(f"{WORKSPACE}/") else []


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
