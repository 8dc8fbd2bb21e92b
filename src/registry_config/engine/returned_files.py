"""Brings the files that a tool changed from a staging folder into the working directory.

What an image leaves behind is not to be trusted: it may hold a credential, a link that leads elsewhere, or a hook
that somebody runs later.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import uuid
from contextlib import suppress

from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from registry_config.credentials.redaction import Redactor

# Their contents are executed by git and by GitHub.
_REFUSED_NAMES: Final = frozenset((".git", ".github"))
_CHUNK: Final = 1024 * 1024
_SET_ID: Final = stat.S_ISUID | stat.S_ISGID


class Returned(NamedTuple):
    """What became of the files: names of those left behind with the reason, and of those that held a secret."""

    left_behind: tuple[str, ...]
    with_secret: tuple[str, ...]


def bring_back(staging: str, folder: str, redactor: Redactor) -> Returned:
    """Move each file of `staging` to the same place in `folder`; an existing link there is replaced, not followed."""
    left_behind = []
    with_secret = []
    for name, entry in _files(staging, ""):
        reason = _refusal(name, entry, folder)
        if reason:
            left_behind.append(f"{name} ({reason})")
        elif _holds_secret(name, entry, redactor):
            os.unlink(entry.path)
            with_secret.append(redactor.text(name))
        elif not _moved(entry.path, os.path.join(folder, name)):
            left_behind.append(f"{name} (this user may not write it here)")
    return Returned(tuple(left_behind), tuple(with_secret))


def _files(folder: str, prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Everything below `folder` that is not a folder, and `.git` folders, by relative names."""
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            name = prefix + entry.name
            # A repository's .git is refused as a whole: naming its hundreds of files would help nobody.
            if entry.is_dir(follow_symlinks=False) and entry.name != ".git":
                os.chmod(entry.path, stat.S_IRWXU)
                yield from _files(entry.path, f"{name}/")
            else:
                yield name, entry


def _refusal(name: str, entry: os.DirEntry[str], folder: str) -> str:
    """Why this file stays behind; empty if it does not."""
    mode = entry.stat(follow_symlinks=False).st_mode
    target = os.path.join(folder, name)
    reasons = (
        (_REFUSED_NAMES & set(name.split("/")), "git and GitHub run what lies there"),
        (
            stat.S_ISLNK(mode) and _leads_out(name, os.readlink(entry.path)),
            "a link that leads out of the working directory",
        ),
        (not (stat.S_ISLNK(mode) or stat.S_ISREG(mode)), "neither a file nor a link"),
        (stat.S_ISREG(mode) and mode & _SET_ID, "runs as another user"),
        (stat.S_ISREG(mode) and not os.access(entry.path, os.R_OK), "cannot be read"),
        (_passes(os.path.islink, name, folder), "its folder is a link here"),
        (_passes(_is_no_folder, name, folder), "its folder is a file here"),
        (os.path.isdir(target) and not os.path.islink(target), "a folder of that name stands here"),
    )
    return next((reason for applies, reason in reasons if applies), "")


def _leads_out(name: str, target: str) -> bool:
    path = os.path.normpath(os.path.join(os.path.dirname(name), target))
    # Behind a name that is a link itself, `..` is somewhere else.
    climbs = ".." in re.sub(r"^(?:\.\.?/+)+", "", target).split("/") and target != ".."
    return os.path.isabs(target) or climbs or path == ".." or path.startswith("../")


def _passes(is_so: Callable[[str], bool], name: str, folder: str) -> bool:
    """Whether it is so of one of the folders on the way to a file, as they are here."""
    parents = name.split("/")[:-1]
    return any(is_so(os.path.join(folder, *parents[:n])) for n in range(1, len(parents) + 1))


def _is_no_folder(path: str) -> bool:
    return os.path.lexists(path) and not os.path.isdir(path)


def _holds_secret(name: str, entry: os.DirEntry[str], redactor: Redactor) -> bool:
    if redactor.holds(os.fsencode(name)):
        return True
    if entry.is_symlink():
        return redactor.holds(os.fsencode(os.readlink(entry.path)))
    stream = redactor.stream()
    with open(entry.path, "rb") as file:
        while chunk := file.read(_CHUNK):
            stream.feed(chunk)
            if stream.found:
                return True
    stream.finish(cut=False)
    return stream.found


def _moved(source: str, target: str) -> bool:
    """Put a file in its place, unless this user may not."""
    folder = os.path.dirname(target)
    # On another file system it is copied: what stands here goes only when all of the new file has come. It is replaced
    # by name, neither through a link nor into a file that may be read-only, or stand elsewhere under another name.
    draft = os.path.join(folder, f".registry-config-{uuid.uuid4().hex}")
    try:
        os.makedirs(folder, exist_ok=True)
        shutil.move(source, draft)
        os.replace(draft, target)
    except PermissionError:
        return False
    finally:
        with suppress(OSError):
            os.unlink(draft)
    return True
