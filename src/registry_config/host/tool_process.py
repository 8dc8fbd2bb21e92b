"""One tool while it runs on this machine: its streams redacted and passed on, ended by a signal or a time limit."""

from __future__ import annotations

import errno
import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress

from registry_config.errors import (
    EXIT_NOT_EXECUTABLE,
    EXIT_NOT_FOUND,
    EXIT_SIGNAL_BASE,
    EXIT_TIMEOUT,
    ProgramNotFoundError,
)
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from registry_config.credentials.redaction import Redactor
    from registry_config.light_typing import IO
    from registry_config.results import Tail

_CHUNK: Final = 64 * 1024
# A process that outlives the tool may hold the pipes open for ever.
_GRACE_SECONDS: Final = 1.0
_POLL_SECONDS: Final = 0.2
_GATHER_SECONDS: Final = 0.002
_SMALL: Final = 2 * 1024
# Between SIGTERM and SIGKILL, after the time limit.
_TERMINATE_SECONDS: Final = 10.0


class Start(NamedTuple):
    """How a tool is started.

    Attributes:
        arguments: the argument vector.
        working_directory: where.
        environ: its whole environment.
        inherited: descriptors that it inherits besides its streams.
        has_stdin: whether it reads our standard input; else an empty one.
    """

    arguments: tuple[str, ...]
    working_directory: str
    environ: Mapping[str, str]
    inherited: tuple[int, ...]
    has_stdin: bool


class ToolProcess:
    """A running tool and what it started.

    Raises:
        OSError: it cannot be started; `explain_start` says why.
    """

    def __init__(self, start: Start) -> None:
        # In the foreground of a terminal the tool shares its signals and may read from it; elsewhere it gets a process
        # group of its own, and our signals once.
        self._shares_terminal = _owns_terminal()
        self._process = subprocess.Popen(  # noqa: S603  (running what the user asked for is the purpose)
            start.arguments,
            cwd=start.working_directory,
            env=start.environ,
            stdin=None if start.has_stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=start.inherited,
            start_new_session=not self._shares_terminal,
        )
        assert self._process.stdout is not None  # noqa: S101  (asked for above)
        assert self._process.stderr is not None  # noqa: S101
        self.stdout = self._process.stdout
        self.stderr = self._process.stderr

    def signal(self, number: int) -> None:
        """Hand a signal to the tool and to what it started; where it shares our terminal, to the tool alone.

        SIGINT is not handed on there: the terminal has sent it already.
        """
        with suppress(ProcessLookupError):
            if not self._shares_terminal:
                os.killpg(self._process.pid, number)
            elif number != signal.SIGINT:  # that one the terminal has sent to the tool as well
                self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once."""
        self.signal(signal.SIGKILL)
        self._process.wait()

    def wait(self, flows: tuple[Flow, ...], seconds: float | None) -> int:
        """Pass its streams on until it has ended.

        Args:
            flows: the streams.
            seconds: after which it is ended; None for no limit.

        Returns:
            Its exit code as a shell would tell it; 124 where the time limit ended it.

        Raises:
            OSError: our own stream cannot be written to. The tool is ended: nobody would see what it goes on doing.
        """
        deadline = _Deadline(self, seconds)
        try:
            self._pump(flows, deadline)
            while self._process.poll() is None:
                deadline.enforce()
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(_POLL_SECONDS)
        except OSError:
            self.kill()
            raise
        status = self._process.wait()
        if deadline.passed:
            return EXIT_TIMEOUT
        return EXIT_SIGNAL_BASE - status if status < 0 else status

    def _pump(self, flows: tuple[Flow, ...], deadline: _Deadline) -> None:
        """Pass the streams on until they end, or the tool is gone and what it left behind is silent."""
        with selectors.DefaultSelector() as selector:
            for flow in flows:
                selector.register(flow.pipe, selectors.EVENT_READ, flow)
            silent_from = None
            while selector.get_map():
                ready = selector.select(_POLL_SECONDS)
                for key, _ in ready:
                    if not key.data.move():
                        selector.unregister(key.fileobj)
                        key.data.close()
                if ready and all(key.data.is_trickling for key, _ in ready):
                    # Single bytes one after the other: let some gather, as each move costs the same.
                    time.sleep(_GATHER_SECONDS)
                deadline.enforce()
                if silent_from is None and self._process.poll() is not None:
                    silent_from = time.monotonic() + _GRACE_SECONDS
                if silent_from is not None and time.monotonic() > silent_from:
                    break
        for flow in flows:
            flow.close()


class _Deadline:
    """Ends a tool that takes too long: SIGTERM first, SIGKILL later."""

    def __init__(self, process: ToolProcess, seconds: float | None) -> None:
        self.passed = False
        self._process = process
        self._at = None if seconds is None else time.monotonic() + seconds

    def enforce(self) -> None:
        if self._at is None or time.monotonic() < self._at:
            return
        self._process.signal(signal.SIGKILL if self.passed else signal.SIGTERM)
        self._at = None if self.passed else self._at + _TERMINATE_SECONDS
        self.passed = True


class Flow:
    """One stream of the tool on its way to ours, and to the tail that the report keeps."""

    def __init__(self, pipe: IO[bytes], redactor: Redactor, tail: Tail, write: Callable[[bytes], None]) -> None:
        self.pipe = pipe
        self._stream = redactor.stream()
        self._tail = tail
        self._write = write
        self._moved = 0.0
        # Whether little came, and little before that.
        self.is_trickling = False

    def move(self) -> bool:
        """Pass on what has come; False at the end, or when nobody reads our stream any more."""
        data = os.read(self.pipe.fileno(), _CHUNK)
        now = time.monotonic()
        self.is_trickling = 0 < len(data) < _SMALL and now - self._moved < 2 * _GATHER_SECONDS
        self._moved = now
        return bool(data) and self._show(self._stream.feed(data))

    def close(self) -> None:
        """Pass on what was held back. The tool gets SIGPIPE if it goes on writing, as in any pipeline."""
        if not self.pipe.closed:
            self.pipe.close()
            self._show(self._stream.finish())

    def _show(self, data: bytes) -> bool:
        self._tail.write(data)
        try:
            self._write(data)
        except BrokenPipeError:
            return False
        return True


def explain_start(name: str, error: OSError) -> tuple[int, str]:
    """Exit code and reason why a program cannot be started, as a POSIX shell tells them apart (XCU 2.8.2)."""
    if isinstance(error, FileNotFoundError):
        if os.path.exists(name):
            return EXIT_NOT_FOUND, f"{name}: the interpreter that its first line names is not there"
        return EXIT_NOT_FOUND, str(ProgramNotFoundError(name))
    if error.errno == errno.E2BIG:
        return EXIT_NOT_EXECUTABLE, f"{name}: the arguments are too long for this system"
    return EXIT_NOT_EXECUTABLE, f"{name}: cannot be executed ({(error.strerror or 'unknown').lower()})"


def _owns_terminal() -> bool:
    """Whether we run in the foreground of a terminal, which then sends its signals to the tool as well."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
