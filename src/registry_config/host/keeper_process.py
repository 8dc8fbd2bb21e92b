"""Starts a keeper, and ends it."""

from __future__ import annotations

import os
import subprocess
import sys

from registry_config.errors import UnavailableError
from registry_config.host import keeper
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

# From a folder or an archive, whichever this package was imported from.
PROGRAM: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); from registry_config.host.keeper import main; main(sys.argv[2:])"
)
# Where this process writes nothing beside its sources, as in a workspace, that one does not either.
_NO_BYTECODE: Final = ("-B",) if sys.dont_write_bytecode else ()
_ROOT: Final = os.path.abspath(f"{keeper.__file__}/../../..")
# By the first two a runner finds what a job has left behind; without the third some interpreters do not start.
_ENVIRONMENT: Final = ("RUNNER_TRACKING_ID", "JENKINS_NODE_COOKIE", "LD_LIBRARY_PATH")

_NICE: Final = 10


class Held(NamedTuple):
    """What a keeper is to hold: the folder, and the open descriptors of the config and of the folder's lock."""

    folder: str
    config: int
    lock: int


def start_keeper(
    held: Held, environ: Mapping[str, str], pipe: int, *, seconds: float = 0, ready: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Start a keeper.

    The config can be read through it from its first moment on: it inherits the descriptor, and needs to do nothing.

    Args:
        held: what it holds.
        environ: of this process.
        pipe: the end that is read from of a pipe whose other end this process alone has.
        seconds: until its end; 0 for no limit.
        ready: a descriptor that it writes a byte to when its own work has begun.

    Raises:
        UnavailableError: it cannot be started.
    """
    words = [held.folder, str(held.config), str(pipe), str(seconds)]
    try:
        return subprocess.Popen(  # noqa: S603  (our own program)
            [sys.executable, "-I", "-S", *_NO_BYTECODE, "-c", PROGRAM, _ROOT, *words],
            env={name: environ[name] for name in _ENVIRONMENT if name in environ},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=ready,
            stderr=subprocess.DEVNULL,
            pass_fds=(held.config, held.lock, pipe),
            start_new_session=True,
        )
    except OSError as error:
        reason = (error.strerror or "unknown").lower()
        raise UnavailableError("this machine", f"no process can be started ({reason})", "end others first") from None


class Keeper:
    """A keeper that ends with this process.

    Args:
        held: what it holds.
        environ: of this process.

    Raises:
        UnavailableError: it cannot be started.
    """

    def __init__(self, held: Held, environ: Mapping[str, str]) -> None:
        read, self._pipe = os.pipe()
        try:
            self._process = start_keeper(held, environ, read)
            # Its own start can wait; that of the tool should not have to.
            os.setpriority(os.PRIO_PROCESS, self._process.pid, _NICE)
        except UnavailableError:
            os.close(self._pipe)
            raise
        finally:
            os.close(read)

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    def kill(self) -> None:
        """End it at once; what it holds is gone then, and its folder is to be removed."""
        self._process.kill()
        self._process.wait()
        os.close(self._pipe)
