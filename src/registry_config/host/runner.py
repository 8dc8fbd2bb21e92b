"""Runs commands with the tools of this machine, the config living in memory only."""

from __future__ import annotations

import errno
import os
import selectors
import signal
import subprocess
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Final

from registry_config.credentials.selection import select
from registry_config.declaration.command import expand
from registry_config.docker_config import CONFIG_VARIABLES
from registry_config.errors import (
    EXIT_NOT_EXECUTABLE,
    EXIT_NOT_FOUND,
    EXIT_SIGNAL_BASE,
    InputError,
)
from registry_config.host.memory_config import MemoryConfig, memory_config
from registry_config.plan import Finished, Output, Plan, Result, RunNotes, Tail, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import IO

    from typing_extensions import Self

    from registry_config.credentials.reading import Credential
    from registry_config.credentials.redaction import Redactor

_CHUNK: Final = 64 * 1024
# A process that outlives the tool may hold the pipes open for ever.
_GRACE_SECONDS: Final = 1.0
_POLL_SECONDS: Final = 0.2


class HostRunner:
    """Implements `plan.Runner` on this machine.

    Args:
        environ: what the tool inherits; none of our own inputs in it.
        redactor: knows what must not be seen.
        keep_logins: leave the logins of the user's own Docker config beside ours.
        stdin_is_ours: the tool gets an empty standard input, as we have read it.

    Attributes:
        notes: after a run, what it has to tell besides its result.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        redactor: Redactor,
        *,
        keep_logins: bool = False,
        stdin_is_ours: bool = False,
    ) -> None:
        self.notes = RunNotes()
        self._environ = environ
        self._redactor = redactor
        self._keep_logins = keep_logins
        self._stdin_is_ours = stdin_is_ours
        self._terminal = _owns_terminal()
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._interrupted = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def run(self, plan: Plan, output: Output) -> Result:
        """See `plan.Runner.run`."""
        started = time.monotonic()
        if not os.path.isdir(plan.working_directory):
            raise InputError("working-directory", "is not a folder that exists")
        finished: list[Finished] = []
        with ExitStack() as stack:
            # One config for all commands, but where a registry has several credentials.
            configs: dict[tuple[Credential, ...], MemoryConfig] = {}
            for command in plan.commands:
                if self._interrupted or (finished and finished[-1].exit_code):
                    break
                try:
                    argv = expand(command, lambda pattern: _glob(pattern, plan.working_directory))
                    chosen = select(plan.credentials, argv)
                except InputError as error:
                    if not finished:
                        raise
                    finished.append(refused(command, error, self._redactor))
                    break
                if chosen not in configs:
                    opened = memory_config(chosen, self._environ, keep_logins=self._keep_logins)
                    configs[chosen] = stack.enter_context(opened)
                    self.notes = RunNotes(hidden_hosts=self.notes.hidden_hosts | configs[chosen].hidden_hosts)
                finished.append(self._run_command(argv, plan, configs[chosen], output))
        return Result(finished=tuple(finished), seconds=time.monotonic() - started, signal_number=self._interrupted)

    def interrupt(self, signal_number: int) -> None:
        """Hand a signal to the tool and to what it started, once each."""
        self._interrupted = signal_number
        for process in list(self._running.values()):
            with suppress(ProcessLookupError):
                if not self._terminal:
                    os.killpg(process.pid, signal_number)
                elif signal_number != signal.SIGINT:  # that one the terminal has sent to the tool as well
                    process.send_signal(signal_number)

    def _run_command(self, argv: tuple[str, ...], plan: Plan, config: MemoryConfig, output: Output) -> Finished:
        stdout, stderr = Tail(), Tail()
        shown = tuple(map(self._redactor.text, argv))
        try:
            process = self._start(argv, plan, config)
        except OSError as error:
            code, problem = _explain_start(shown[0], error)
            return Finished(arguments=shown, exit_code=code, stdout=stdout, stderr=stderr, problem=problem)
        self._running[process.pid] = process
        if self._interrupted:  # it came while the tool was being started
            self.interrupt(self._interrupted)
        try:
            self._pump(
                process,
                _Flow(process.stdout, self._redactor, stdout, output.stdout),
                _Flow(process.stderr, self._redactor, stderr, output.stderr),
            )
            status = process.wait()
        except OSError:
            # Our own stream cannot be written to: nobody would see what the tool goes on doing.
            self._kill(process)
            raise
        finally:
            del self._running[process.pid]
        code = EXIT_SIGNAL_BASE - status if status < 0 else status
        return Finished(arguments=shown, exit_code=code, stdout=stdout, stderr=stderr)

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        with suppress(ProcessLookupError):
            if self._terminal:
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def _start(self, argv: tuple[str, ...], plan: Plan, config: MemoryConfig) -> subprocess.Popen[bytes]:
        environ = {name: value for name, value in self._environ.items() if name not in CONFIG_VARIABLES}
        environ |= plan.variables
        environ |= plan.secret_variables
        environ |= config.variables
        return subprocess.Popen(  # noqa: S603  (running what the user asked for is the purpose)
            argv,
            cwd=plan.working_directory,
            env=environ,
            stdin=subprocess.DEVNULL if self._stdin_is_ours else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(config.descriptor,),
            # With a terminal the tool shares its signals and may read from it; without one it gets ours, once.
            start_new_session=not self._terminal,
        )

    def _pump(self, process: subprocess.Popen[bytes], *flows: _Flow) -> None:
        """Pass both streams on until they end, or the tool is gone and what it left behind is silent."""
        with selectors.DefaultSelector() as selector:
            for flow in flows:
                selector.register(flow.pipe, selectors.EVENT_READ, flow)
            deadline = None
            while selector.get_map():
                ready = selector.select(_POLL_SECONDS)
                for key, _ in ready:
                    if not key.data.move():
                        selector.unregister(key.fileobj)
                        key.data.close()
                if deadline is None and process.poll() is not None:
                    deadline = time.monotonic() + _GRACE_SECONDS
                if deadline is not None and time.monotonic() > deadline:
                    break
        for flow in flows:
            flow.close()


class _Flow:
    """One stream of the tool on its way to ours, and to the tail that the report keeps."""

    def __init__(self, pipe: IO[bytes] | None, redactor: Redactor, tail: Tail, write: Callable[[bytes], None]) -> None:
        assert pipe is not None  # noqa: S101  (asked for by whoever started the process)
        self.pipe = pipe
        self._stream = redactor.stream()
        self._tail = tail
        self._write = write

    def move(self) -> bool:
        """Pass on what has come; False at the end, or when nobody reads our stream any more."""
        data = os.read(self.pipe.fileno(), _CHUNK)
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


def _glob(pattern: str, folder: str) -> list[str]:
    import glob  # noqa: PLC0415  (few commands have a pattern)

    return glob.glob(pattern, root_dir=folder)


def _explain_start(name: str, error: OSError) -> tuple[int, str]:
    """Exit code and reason, as a POSIX shell tells them apart (XCU 2.8.2)."""
    if isinstance(error, FileNotFoundError):
        if os.path.exists(name):
            return EXIT_NOT_FOUND, f"{name}: the interpreter that its first line names is not there"
        return EXIT_NOT_FOUND, f"{name}: no such program on this machine; install it, or set image"
    if error.errno == errno.E2BIG:
        return EXIT_NOT_EXECUTABLE, f"{name}: the arguments are too long for this system"
    return EXIT_NOT_EXECUTABLE, f"{name}: cannot be executed ({(error.strerror or 'unknown').lower()})"
