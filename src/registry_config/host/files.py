"""Files of the working directory on this machine."""

from __future__ import annotations

import os
import stat


def find_files(pattern: str, folder: str) -> list[str]:
    """The files below a folder that a pattern stands for, by names relative to it."""
    import glob  # noqa: PLC0415  (few commands have a pattern)

    return glob.glob(pattern, root_dir=folder)


def read_beginning(folder: str, path: str, limit: int) -> bytes:
    """At most this number of bytes of an ordinary file; nothing of what is none.

    Raises:
        OSError: it cannot be read.
    """
    # Without O_NONBLOCK a pipe would hold us until somebody writes.
    descriptor = os.open(os.path.join(folder, path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        # Of a folder this raises, and leaves the descriptor to us.
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(limit) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    finally:
        os.close(descriptor)
