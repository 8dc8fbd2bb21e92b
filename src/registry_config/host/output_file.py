"""The file that a script finds in `GITHUB_OUTPUT`: its own, new and empty for each attempt."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress

from registry_config.light_typing import TYPE_CHECKING
from registry_config.script_outputs import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def output_file(folder: str) -> Iterator[str]:
    """The path of a new file in the folder of the config; removed at the end."""
    path = f"{folder}/output-{os.urandom(8).hex()}"
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        yield path
    finally:
        _remove(path)


def _remove(path: str) -> None:
    try:
        with suppress(FileNotFoundError):
            os.unlink(path)
    except OSError:
        # The script made a folder of it, which must not be taken for one to be kept in the user's own.
        import shutil  # noqa: PLC0415  (hardly ever needed)

        shutil.rmtree(path, ignore_errors=True)


def read_output(path: str) -> bytes:
    """What the script wrote; nothing where it put something else in the file's place.

    Returns:
        At most one byte more than may be taken.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        status = os.fstat(descriptor)
        if not (stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and status.st_nlink == 1):
            return b""
        # Of a folder this would raise.
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)
