"""The folder of links in shared memory that shows tools a config: made, found again after a killed run, removed."""

from __future__ import annotations

import fcntl
import os
import re
import stat
import time
from contextlib import ExitStack, suppress

from registry_config.docker_config import CONFIG_NAME
from registry_config.errors import UnavailableError
from registry_config.host.keeper import remove_folder
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

SHARED_MEMORY: Final = "/dev/shm"  # noqa: S108  (the folder made there is ours alone, its name random)
# For tools in a user namespace, from which another process's descriptors are refused: the one they inherited.
INHERITED_NAME: Final = "inherited.json"
# Leads to the user's own Docker folder, so that a run below another one finds that.
_OWN_LINK: Final = ".user"
# Leads to the user's own builders, for whoever asks an agent for its variables.
BUILDERS_LINK: Final = ".builders"
# The certificates that a command is to trust, which are no secret; the one file here that has a content.
BUNDLE_NAME: Final = "registry-config-ca.pem"
_MADE_HERE: Final = frozenset((CONFIG_NAME, INHERITED_NAME, _OWN_LINK, BUILDERS_LINK, BUNDLE_NAME))
_PREFIX: Final = "registry-config-"
# Compiled where a name of that beginning is met.
_NAME: Final = rf"{_PREFIX}\d+-[0-9a-f]{{16}}"
# A younger one may be in the making, its lock not taken yet.
_LEFTOVER_SECONDS: Final = 60


class ConfigFolder(NamedTuple):
    """A folder that a config is shown through.

    Attributes:
        path: absolute.
        lock: a descriptor of it that holds its lock.
        links: names of what was there from the start.
    """

    path: str
    lock: int
    links: frozenset[str]


def make_config_folder(
    own: str, things: Iterable[tuple[str, str]], temporary: str, fill: Callable[[ConfigFolder], None]
) -> ConfigFolder:
    """Make a folder, in shared memory or else in the temporary folder.

    Args:
        own: the user's own Docker folder.
        things: name and path of what lies there, to be linked to.
        temporary: the user's own folder for temporary files; empty for the system's.
        fill: adds what else belongs into it, last.

    Raises:
        UnavailableError: neither has room for it.
    """
    parents = (SHARED_MEMORY, temporary or "/tmp")  # noqa: S108  (the folder is exclusive)
    links = dict(things)
    for parent in parents:
        remove_leftovers(parent)
        with suppress(OSError):
            return _make(parent, own, links, fill)
    raise UnavailableError("this machine", f"no folder can be made in {' or '.join(parents)}", "free some space")


def _make(parent: str, own: str, things: Mapping[str, str], fill: Callable[[ConfigFolder], None]) -> ConfigFolder:
    # mkdir fails where the name exists, a link included, so nobody can prepare it for us.
    path = f"{parent}/{_PREFIX}{os.getpid()}-{os.urandom(8).hex()}"
    os.mkdir(path, 0o700)
    with ExitStack() as failed:
        failed.callback(remove_folder, path)
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        failed.callback(os.close, lock)
        # Some file systems have no locks; there no leftover is removed either.
        with suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.symlink(own, f"{path}/{_OWN_LINK}")
        for name, target in things.items():
            os.symlink(target, f"{path}/{name}")
        folder = ConfigFolder(path, lock, _MADE_HERE.union(things))
        fill(folder)
        failed.pop_all()
    return folder


def close_config_folder(folder: ConfigFolder) -> None:
    """Remove it, and give its lock back."""
    remove_folder(folder.path)
    os.close(folder.lock)


def own_folder(folder: str) -> str:
    """The user's own Docker folder behind `folder`, which may be one of ours."""
    return os.readlink(f"{folder}/{_OWN_LINK}") if is_ours(folder) else folder


def is_ours(folder: str) -> bool:
    """Whether a folder was made here, by its name and by what lies in it."""
    return _is_name(os.path.basename(folder)) and os.path.islink(f"{folder}/{_OWN_LINK}")


def things_in(folder: str) -> Iterator[tuple[str, str]]:
    """Name and path of all that lies in a Docker folder but its config; of a link of ours, where that leads."""
    if is_ours(folder):
        yield from _missing_in(folder, own_folder(folder))
    for name in _names_in(folder):
        if name not in _MADE_HERE:
            path = os.path.join(folder, name)
            yield name, os.readlink(path) if is_ours(folder) and os.path.islink(path) else path


def links_of(folder: str) -> frozenset[str]:
    """The names of the links in a folder of ours, which no tool has put there."""
    return frozenset(name for name in _names_in(folder) if os.path.islink(f"{folder}/{name}"))


def _is_name(name: str) -> bool:
    return name.startswith(_PREFIX) and bool(re.fullmatch(_NAME, name))


def _missing_in(folder: str, own: str) -> Iterator[tuple[str, str]]:
    for name in _names_in(own):
        if name != CONFIG_NAME and not os.path.lexists(f"{folder}/{name}"):
            yield name, os.path.join(own, name)


def _names_in(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def remove_leftovers(parent: str) -> None:
    """Remove the folders of runs that were killed: ours, older than a minute, and nobody holds their lock."""
    for name in _names_in(parent):
        if _is_name(name):
            # Gone meanwhile, another's, or in use.
            with suppress(OSError):
                _remove_leftover(f"{parent}/{name}")


def _remove_leftover(path: str) -> None:
    lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        status = os.fstat(lock)
        is_private = status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) == 0o700  # noqa: PLR2004
        if is_private and time.time() - status.st_mtime > _LEFTOVER_SECONDS:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_folder(path)
    finally:
        os.close(lock)
