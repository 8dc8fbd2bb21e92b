"""A `config.json` that exists in memory only, shown to tools through a folder of links.

The document lies in a sealed memfd: in no file system, gone with this process, SIGKILL included. A fresh folder holds
`config.json` as a link to `/proc/PID/fd/N`, and links to everything else in the user's own Docker folder, so that
contexts, plug-ins and builders go on working.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from registry_config.credentials.kept_logins import docker_folder
from registry_config.docker_config import CONFIG_NAME, environment, render
from registry_config.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from registry_config.credentials.kept_logins import UserConfig
    from registry_config.credentials.reading import Credential

_SHARED_MEMORY: Final = "/dev/shm"  # noqa: S108  (the folder made there is ours alone, its name random)
# High, so that a wrapper which numbers its own descriptors does not close it by accident.
_FIRST_DESCRIPTOR: Final = 200
_MAP_LOCKED: Final = 0x2000
_INHERITED_NAME: Final = "inherited.json"


class MemoryConfig(NamedTuple):
    """What a child needs to find the config.

    Attributes:
        variables: to set in the child's environment.
        descriptor: to be inherited by the child.
        hidden_hosts: registries for which the user's own config holds a login that the child does not see.
    """

    variables: Mapping[str, str]
    descriptor: int
    hidden_hosts: frozenset[str]


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
        UnavailableError: this system has no memfd.
    """
    own = docker_folder(environ)
    text = render([credential.login for credential in credentials], user.shown_beside(declared))
    with _sealed(text.encode()) as descriptor, _folder(own, descriptor) as folder:
        # Root reads the first link everywhere. A rootless podman re-executes itself in a user namespace, from which
        # our /proc entry is refused: it gets a link to the descriptor it inherited.
        auth_file = f"{folder}/{_INHERITED_NAME}" if os.geteuid() else None
        variables = environment(folder, auth_file)
        variables["BUILDX_CONFIG"] = environ.get("BUILDX_CONFIG") or os.path.join(own, "buildx")
        yield MemoryConfig(variables=variables, descriptor=descriptor, hidden_hosts=user.hidden_beside(declared))


@contextmanager
def _sealed(data: bytes) -> Iterator[int]:
    """A descriptor of a file in memory that holds `data` and can no longer be changed by anyone."""
    if not hasattr(os, "memfd_create"):
        raise UnavailableError(
            "this machine", f"has no memory files ({sys.platform})", "set image to run the tool in an image"
        )
    first = os.memfd_create("registry-config", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        descriptor = fcntl.fcntl(first, fcntl.F_DUPFD_CLOEXEC, _FIRST_DESCRIPTOR)
    finally:
        os.close(first)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
        os.fchmod(descriptor, 0o400)
        seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
        with _locked(descriptor, len(data)):
            yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _locked(descriptor: int, size: int) -> Iterator[None]:
    """Keep the pages out of swap where the memory limit allows it; SECURITY.md says that swap is not promised."""
    try:
        mapping = mmap.mmap(descriptor, size, flags=mmap.MAP_PRIVATE | _MAP_LOCKED, prot=mmap.PROT_READ)
    except OSError:
        yield
        return
    with mapping:
        yield


@contextmanager
def _folder(own: str, descriptor: int) -> Iterator[str]:
    """A private folder whose `config.json` leads to the descriptor; all else leads to the user's Docker folder."""
    parents = (_SHARED_MEMORY, os.environ.get("TMPDIR") or "/tmp")  # noqa: S108  (the folder is exclusive)
    folder = next(filter(None, (_make_folder(parent, own, descriptor) for parent in parents)), None)
    if folder is None:
        raise UnavailableError("this machine", f"no folder can be made in {' or '.join(parents)}", "free some space")
    try:
        yield folder
    finally:
        _remove(folder)


def _make_folder(parent: str, own: str, descriptor: int) -> str | None:
    # mkdir fails where the name exists, a link included, so nobody can prepare it for us.
    folder = f"{parent}/registry-config-{os.getpid()}-{os.urandom(8).hex()}"
    try:
        os.mkdir(folder, 0o700)
    except OSError:
        return None
    try:
        os.symlink(f"/proc/{os.getpid()}/fd/{descriptor}", f"{folder}/{CONFIG_NAME}")
        os.symlink(f"/proc/self/fd/{descriptor}", f"{folder}/{_INHERITED_NAME}")
        for name in _names_in(own):
            with suppress(FileExistsError):
                os.symlink(os.path.join(own, name), f"{folder}/{name}")
    except OSError:
        _remove(folder)
        return None
    return folder


def _names_in(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _remove(folder: str) -> None:
    with suppress(OSError):
        for name in os.listdir(folder):
            os.unlink(f"{folder}/{name}")
        os.rmdir(folder)
        return
    # The tool made a folder of its own there.
    import shutil  # noqa: PLC0415  (costs a third of our start, and is hardly ever needed)

    shutil.rmtree(folder, ignore_errors=True)
