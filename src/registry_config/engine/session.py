"""Starts `dagger session`, the process through which the SDK talks to an engine.

The SDK can start it too, but blocks on it for ten minutes where there is no engine, and only after an import that
takes longer than the session itself. So it is started here, on the standard library alone, while the SDK is imported.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
from urllib.parse import urlsplit

from registry_config.engine.dagger_cli import find_cli
from registry_config.engine.errors import plain
from registry_config.errors import UnavailableError
from registry_config.light_typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# An engine that answers is connected to at once; one that has to be pulled first takes its time.
_CONNECT_SECONDS: Final = 25.0
_PULL_SECONDS: Final = 300.0
_CLOSE_SECONDS: Final = 30.0
# GitHub kills ten seconds after the first signal.
_STOP_SECONDS: Final = 5.0
_DOCKER_SECONDS: Final = 7.0
# The container programs that Dagger starts its engine with, in its order.
_CONTAINER_PROGRAMS: Final = ("docker", "podman", "nerdctl", "finch")
_PLACE: Final = "engine"
_REMEDY: Final = "start Docker, or point _EXPERIMENTAL_DAGGER_RUNNER_HOST at an engine"
# Plain lines without telemetry, update checks or advertisement, and no other engine of this machine is removed.
_SETTINGS: Final = {
    "DAGGER_PROGRESS": "plain",
    "DO_NOT_TRACK": "1",
    "DAGGER_NO_NAG": "1",
    "DAGGER_NO_UPDATE_CHECK": "1",
    "DAGGER_LEAVE_OLD_ENGINE": "1",
}


class DaggerSession:
    """A running `dagger session`; `start` returns when it runs, `connect` waits for the engine.

    Args:
        environ: what the session inherits; no credential in it.
        progress: takes the bytes of Dagger's log.
    """

    def __init__(self, environ: Mapping[str, str], progress: Callable[[bytes], None]) -> None:
        self._environ = environ
        self._progress = progress
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._first_line = b""
        self._answered = threading.Event()
        self._last: list[bytes] = []

    def check(self) -> None:
        """See whether there may be an engine.

        Raises:
            UnavailableError: there is none, and nothing that could start one.
        """
        _check_engine(self._environ)

    def start(self) -> None:
        """Start the session.

        Raises:
            UnavailableError: there is no Dagger CLI.
        """
        cli = find_cli(self._environ)
        try:
            self._process = subprocess.Popen(  # noqa: S603  (the CLI of our own version)
                (cli, "session", "--label", "dagger.io/sdk.name:python"),
                env=dict(self._environ) | {k: v for k, v in _SETTINGS.items() if k not in self._environ},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # Ctrl-C is ours to handle: it ends the exec first, and then the session.
                start_new_session=True,
            )
        except OSError as error:
            problem = f"the Dagger CLI cannot be started ({error.strerror})"
            raise UnavailableError(_PLACE, problem, "check the file that _EXPERIMENTAL_DAGGER_CLI_BIN names") from None
        self._reader = _in_background(self._read_progress, self._process.stderr)
        _in_background(self._read_parameters, self._process.stdout)

    def connect(self) -> tuple[int, str]:
        """Port and token of the session, once the engine answers.

        Raises:
            UnavailableError: it does not, within 25 s (five minutes where the engine may have to be pulled).
        """
        limit = _PULL_SECONDS if _starts_container(self._environ) else _CONNECT_SECONDS
        self._answered.wait(limit)
        try:
            parameters = json.loads(self._first_line)
            return int(parameters["port"]), str(parameters["session_token"])
        except (ValueError, KeyError, TypeError):
            has_ended = self._answered.is_set()
            self.close()
            last = plain(b"".join(self._last[-3:]).decode("utf-8", "replace"))
            problem = f"no Dagger engine answers ({last})" if last else f"no Dagger engine answers within {limit:.0f} s"
            if has_ended and not last:
                problem = "no Dagger engine answers: the Dagger CLI ended"
            raise UnavailableError(_PLACE, problem, _REMEDY) from None

    def close(self, *, soon: bool = False) -> None:
        """End the session and wait until its last log lines have come, not for long if it is to be soon."""
        process = self._process
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            process.wait(1 if not self._first_line else _STOP_SECONDS if soon else _CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._reader is not None:
            self._reader.join(1)

    def _read_parameters(self, pipe: IO[bytes]) -> None:
        with pipe:
            self._first_line = pipe.readline()
            self._answered.set()
            # Whatever else it writes there must not block it.
            while pipe.readline():
                pass

    def _read_progress(self, pipe: IO[bytes]) -> None:
        with pipe:
            for line in pipe:
                self._last = [*self._last[-20:], line]
                self._progress(line)


def _in_background(read: Callable[[IO[bytes]], None], pipe: IO[bytes] | None) -> threading.Thread:
    thread = threading.Thread(target=read, args=(pipe,), daemon=True)
    thread.start()
    return thread


def _starts_container(environ: Mapping[str, str]) -> bool:
    host = environ.get("_EXPERIMENTAL_DAGGER_RUNNER_HOST", "")
    return not host or urlsplit(host).scheme.partition("+")[0] in {"image", "docker-image", "dagger-cloud"}


def _check_engine(environ: Mapping[str, str]) -> None:
    """Tell at once what Dagger would tell after minutes."""
    host = environ.get("_EXPERIMENTAL_DAGGER_RUNNER_HOST", "")
    if not host:
        _check_container_program(environ)
        return
    try:
        url = urlsplit(host)
        if url.scheme == "unix":
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(_DOCKER_SECONDS)
                probe.connect(url.path)
        elif url.scheme == "tcp":
            socket.create_connection((url.hostname or "", url.port or 0), _DOCKER_SECONDS).close()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UnavailableError(
            _PLACE,
            f"none answers at _EXPERIMENTAL_DAGGER_RUNNER_HOST ({reason.lower()})",
            "start it, or correct the address",
        ) from None


def _check_container_program(environ: Mapping[str, str]) -> None:
    programs = [name for name in _CONTAINER_PROGRAMS if shutil.which(name, path=environ.get("PATH"))]
    if not programs:
        raise UnavailableError(_PLACE, "there is no Docker on this machine to run the Dagger engine", _REMEDY)
    if not any(_answers(name, environ) for name in programs):
        raise UnavailableError(_PLACE, f"{programs[0]} is here but its daemon does not answer", _REMEDY)


def _answers(program: str, environ: Mapping[str, str]) -> bool:
    try:
        done = subprocess.run(  # noqa: S603  (one of the names above)
            (program, "version"), env=dict(environ), capture_output=True, timeout=_DOCKER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
