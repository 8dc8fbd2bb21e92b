"""Closes this process to its children: variables taken out, memory and descriptors not to be looked into.

`os.environ.pop` changes Python's copy and what children inherit, yet `/proc/PID/environ` goes on showing the memory
that the kernel filled at the start, and a child of the same user may read it. So that memory is overwritten.
"""

from __future__ import annotations

import os

from registry_config.errors import UnavailableError
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, MutableMapping

# Fields 50 and 51 of proc_pid_stat(5), counted from the third, which follows the closing parenthesis.
_ENV_START: Final = 47
_ENV_END: Final = 48
_PR_SET_DUMPABLE: Final = 4


def scrub_environment(names: Collection[str], environ: MutableMapping[str, str]) -> None:
    """Remove these variables from `environ` and from `/proc/self/environ`.

    Args:
        names: of the variables.
        environ: the process's own environment, `os.environ`.

    Raises:
        UnavailableError: the kernel does not let a process write to its own memory.
    """
    wanted = {os.fsencode(name) for name in names}
    for name in names:
        environ.pop(name, None)
    if os.path.exists("/proc/self/environ"):
        _overwrite(wanted)


def _overwrite(names: Collection[bytes]) -> None:
    with open("/proc/self/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    start, end = int(fields[_ENV_START]), int(fields[_ENV_END])
    try:
        memory = os.open("/proc/self/mem", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        problem = f"cannot be cleared of credentials ({error.strerror})"
        raise UnavailableError("environment", problem, "let this process write to /proc/self/mem") from None
    try:
        at = start
        for entry in os.pread(memory, end - start, start).split(b"\0"):
            if entry.partition(b"=")[0] in names:
                os.pwrite(memory, bytes(len(entry)), at)
            at += len(entry) + 1
    finally:
        os.close(memory)


def close_memory() -> bool:
    """Let no other process of this user look into this one's memory, descriptors and environment by `/proc`.

    Root still can where it has the capability to trace (prctl(2), `PR_SET_DUMPABLE`; ptrace(2), access mode checking).
    After this no variable can be taken out any more, since the kernel gives `/proc/self` to root.

    Returns:
        False where this Python cannot ask the kernel for it, or the kernel refuses.
    """
    try:
        # The package around it would cost a fifth of Python's start.
        import _ctypes  # noqa: PLC0415
    except ImportError:
        return False

    class Int(_ctypes._SimpleCData):  # type: ignore[type-arg]  # noqa: SLF001
        _type_ = "i"

    class Function(_ctypes.CFuncPtr):
        _flags_ = _ctypes.FUNCFLAG_CDECL
        _restype_ = Int

    # None is this process itself.
    library = _ctypes.dlopen(None, os.RTLD_NOW)  # type: ignore[arg-type]
    prctl = Function(_ctypes.dlsym(library, "prctl"))
    return bool(prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
