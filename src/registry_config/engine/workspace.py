"""The working directory: what of it goes to the engine, which names a pattern stands for there, what comes back."""

from __future__ import annotations

import os
import posixpath
import re

from registry_config.audience import called
from registry_config.engine.mounts import home_config
from registry_config.errors import InputError
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import dagger

    from registry_config.plan import ImageSettings

WORKSPACE: Final = "/workspace"
_GIT: Final = "**/.git"
# .git/config may hold a checkout token, the other is what Google's action leaves in the workspace.
_ALWAYS_EXCLUDED: Final = (_GIT, "**/gha-creds-*.json")


async def upload(folder: str, settings: ImageSettings) -> dagger.Directory:
    """Send the working directory to the engine; to be called on a connection.

    Raises:
        InputError: this user may not read all of it.
    """
    import dagger  # noqa: PLC0415
    from dagger import dag  # noqa: PLC0415

    try:
        return await dag.host().directory(folder, exclude=excluded(folder, settings)).sync()
    except dagger.QueryError as error:
        if found := re.search(r"error from sender: \w+ (.*): permission denied", str(error)):
            problem = f"this user may not read {found[1].removeprefix(f'{folder}/')}"
            remedy = f"leave it out with {called('exclude')}, or change its permissions"
            raise InputError(called("working-directory"), problem, remedy) from None
        raise


async def download(changes: dagger.Directory, folder: str, settings: ImageSettings, staging: str) -> None:
    """Fetch changed and new files from the engine.

    Args:
        changes: what the commands changed in the container's working directory.
        folder: the working directory on this machine.
        settings: says what never comes back.
        staging: an empty folder, where they are to be looked at.
    """
    # What lies under .git comes along, so that it can be named and refused.
    exclude = [pattern for pattern in excluded(folder, settings) if pattern != _GIT]
    await changes.filter(exclude=exclude).export(staging)


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
