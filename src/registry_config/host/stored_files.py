"""What a tool stored beside its config (manifest lists, contexts, keys), brought to the user's own Docker folder.

Without this it would be gone with the folder of links, and the next step would miss it. A login never is: not a file
of such a name, nor one that holds a secret, in its name or where a link leads too, or has the form of a config.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from registry_config.docker_config import CONFIG_NAME
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

# The tools write to such a name with something behind it, and rename it.
_LOGIN_NAMES: Final = (CONFIG_NAME, "auth.json", "inherited.json", ".dockercfg")
_LOGIN_KEYS: Final = (b'"auths"', b'"credsStore"', b'"identitytoken"')


def bring_back(
    folder: str, known: Collection[str], own: str, holds_secret: Callable[[bytes], bool], shown: str = ""
) -> None:
    """Copy what is new in a folder of links to the user's own.

    Args:
        folder: as a tool has left it.
        known: names of what was there before.
        own: the user's own Docker folder; made where it is missing and there is something for it.
        holds_secret: whether some bytes hold what must not be seen.
        shown: another folder of links, through which later commands look at `own`; empty for none.

    Raises:
        OSError: there is no room, or no right to write there.
    """
    for name in set(os.listdir(folder)).difference(known):
        target = os.path.join(own, name)
        _bring(os.path.join(folder, name), target, holds_secret)
        if shown and shown != own and os.path.exists(target):
            with suppress(OSError):
                os.symlink(target, os.path.join(shown, name))


def _bring(path: str, target: str, holds_secret: Callable[[bytes], bool]) -> None:
    mode = os.lstat(path).st_mode
    if holds_secret(os.fsencode(os.path.basename(path))):
        return
    if stat.S_ISDIR(mode):
        os.makedirs(target, stat.S_IMODE(mode), exist_ok=True)
        for name in os.listdir(path):
            _bring(os.path.join(path, name), os.path.join(target, name), holds_secret)
    elif stat.S_ISLNK(mode):
        if not holds_secret(os.fsencode(os.readlink(path))):
            _bring_link(path, target)
    elif stat.S_ISREG(mode) and not os.path.basename(path).startswith(_LOGIN_NAMES):
        with open(path, "rb") as file:
            data = file.read()
        if not holds_secret(data) and not any(key in data for key in _LOGIN_KEYS):
            _write(data, target, stat.S_IMODE(mode))


def _bring_link(path: str, target: str) -> None:
    leads_to = os.readlink(path)
    # Our own, and what would lead nowhere afterwards.
    if not leads_to.startswith(("/proc/", os.path.dirname(path))):
        with suppress(FileExistsError):
            os.symlink(leads_to, target)


def _write(data: bytes, target: str, mode: int) -> None:
    os.makedirs(os.path.dirname(target), 0o700, exist_ok=True)
    # Under a name of its own first: a reader finds the whole file or none.
    draft = f"{target}.{os.urandom(4).hex()}"
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as file:
        file.write(data)
    os.replace(draft, target)
