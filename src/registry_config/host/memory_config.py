"""A `config.json` that exists in memory only, shown to tools through a folder of links.

The document lies in a sealed memfd: in no file system, and gone with the keeper, a process that holds it and ends with
this one, SIGKILL included. A fresh folder holds `config.json` as a link to `/proc/PID/fd/N` of the keeper, and links
to everything else in the user's own Docker folder, so that contexts, plug-ins and builders go on working.
"""

from __future__ import annotations

import fcntl
import os
import sys
from contextlib import contextmanager

from registry_config.audience import called
from registry_config.credentials.kept_logins import docker_folder
from registry_config.docker_config import CONFIG_NAME, environment, render
from registry_config.errors import UnavailableError
from registry_config.host.config_folder import (
    INHERITED_NAME,
    ConfigFolder,
    close_config_folder,
    make_config_folder,
    own_folder,
    things_in,
)
from registry_config.host.keeper_process import Held, Keeper
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from registry_config.credentials.kept_logins import UserConfig
    from registry_config.credentials.reading import Credential

# By this the process that holds it is known.
MEMORY_NAME: Final = "registry-config"
# High, so that a wrapper which numbers its own descriptors does not close it by accident.
_FIRST_DESCRIPTOR: Final = 200


class MemoryConfig(NamedTuple):
    """What a child needs to find the config.

    Attributes:
        variables: to set in the child's environment.
        descriptor: to be inherited by the child.
        hidden_hosts: registries for which the user's own config holds a login that the child does not see.
        folder: that of the links.
        own: the user's own Docker folder.
    """

    variables: Mapping[str, str]
    descriptor: int
    hidden_hosts: frozenset[str]
    folder: ConfigFolder
    own: str


@contextmanager
def memory_config(
    credentials: tuple[Credential, ...], declared: Collection[str], user: UserConfig, environ: Mapping[str, str]
) -> Iterator[MemoryConfig]:
    """Show these credentials to children for as long as the context lasts.

    Args:
        credentials: what the config holds.
        declared: the hosts for which the user's own logins do not count.
        user: what the user's own config holds.
        environ: tells where the user's own folders are.

    Raises:
        UnavailableError: this system has no memfd, no room for a folder, or no process to spare.
    """
    text = render([credential.login for credential in credentials], user.shown_beside(declared))
    shown = docker_folder(environ)
    own = own_folder(shown)
    keepers: list[Keeper] = []

    def fill(folder: ConfigFolder) -> None:
        os.symlink(f"/proc/self/fd/{descriptor}", f"{folder.path}/{INHERITED_NAME}")
        keepers.append(Keeper(Held(folder.path, descriptor, folder.lock), environ))
        os.symlink(f"/proc/{keepers[-1].pid}/fd/{descriptor}", f"{folder.path}/{CONFIG_NAME}")

    with sealed(text.encode()) as descriptor:
        try:
            folder = make_config_folder(own, things_in(shown), environ.get("TMPDIR", ""), fill)
            try:
                yield MemoryConfig(
                    variables=_variables(folder.path, own, environ),
                    descriptor=descriptor,
                    hidden_hosts=user.hidden_beside(declared),
                    folder=folder,
                    own=own,
                )
            finally:
                close_config_folder(folder)
        finally:
            for keeper in keepers:
                keeper.kill()


def _variables(folder: str, own: str, environ: Mapping[str, str]) -> dict[str, str]:
    # Root reads the first link everywhere. A rootless podman re-executes itself in a user namespace, from which
    # the keeper's /proc entry is refused: it gets a link to the descriptor it inherited.
    auth_file = f"{folder}/{INHERITED_NAME}" if os.geteuid() else None
    return environment(folder, auth_file) | builders(own, environ)


def builders(own: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The variable by which buildx finds the user's own builders, whatever `DOCKER_CONFIG` says."""
    return {"BUILDX_CONFIG": environ.get("BUILDX_CONFIG") or os.path.join(own, "buildx")}


@contextmanager
def sealed(data: bytes) -> Iterator[int]:
    """A descriptor of a file in memory that holds `data` and can no longer be changed by anyone.

    Raises:
        UnavailableError: this system has none.
    """
    if not hasattr(os, "memfd_create"):
        raise UnavailableError(
            "this machine",
            f"has no memory files ({sys.platform})",
            f"set {called('image')} to run the tool in an image",
        )
    descriptor = os.memfd_create(MEMORY_NAME, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        descriptor = _high(descriptor)
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
        os.fchmod(descriptor, 0o400)
        seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
        yield descriptor
    finally:
        os.close(descriptor)


def _high(descriptor: int) -> int:
    """The same file under a high number, where this process may have one."""
    try:
        moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FIRST_DESCRIPTOR)
    except OSError:
        return descriptor
    os.close(descriptor)
    return moved
