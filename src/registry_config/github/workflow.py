"""GitHub's runner protocol: masks, annotations, groups, outputs, the job summary, and lines that are none of these.

The parser this is written for is `ActionCommand.cs` and `OutputManager.cs` of actions/runner: a command is `::name::`
after any white space at the start of a line, or `##[name]` anywhere in it, and a lone CR ends a line.
"""

from __future__ import annotations

import re
import sys
import threading
from contextlib import contextmanager

from actions_toolkit.command import Command
from actions_toolkit.file_command import prepare_key_value_message

from registry_config.credentials.encodings import encodings
from registry_config.credentials.views import ESCAPE
from registry_config.light_typing import TYPE_CHECKING, Final
from registry_config.streams import write_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from registry_config.credentials.redaction import Redactor

# GitHub uploads no summary over 1 MiB.
_MAX_SUMMARY_BYTES: Final = 1024 * 1024
_MAX_LINE: Final = 64 * 1024
# C0 but tab and LF, DEL, and two bytes that UTF-8 never has: at the start of a stream these would make the runner read
# all that follows as UTF-16, our own commands included.
_CONTROL: Final = bytes(set(range(0x20)) - set(b"\t\n")) + b"\x7f\xfe\xff"
# The C1 control characters as UTF-8 encodes them.
_C1: Final = re.compile(rb"\xc2[\x80-\x9f]")
_COMMAND: Final = re.compile(rb"^([^!-~\n]*)::", re.MULTILINE)
# The runner reads one stream: whoever writes to it, in whichever thread, writes whole lines and holds this lock.
_LOCK: Final = threading.RLock()


class Workflow:
    """Speaks to the runner.

    Args:
        environ: where the runner's files are named; read at once, so that the names can be withdrawn afterwards.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._output_file = environ.get("GITHUB_OUTPUT", "")
        self._summary_file = environ.get("GITHUB_STEP_SUMMARY", "")
        self._redactor: Redactor | None = None
        self._environment_file = environ.get("GITHUB_ENV", "")

    def mask(self, forms: Iterable[bytes], redactor: Redactor | None = None) -> None:
        """Register masks, the first thing to be printed; from then on the redactor hides what is said.

        Text over several lines is left to the masks of its lines: the runner would register each line, braces included.
        """
        self._redactor = redactor
        _mask(forms)

    def mask_secret(self, username: str, secret: str) -> None:
        """Register masks for a secret that came up since."""
        _mask(encodings(username, secret, single=True))

    def annotate(self, level: str, message: str) -> None:
        """Write an `error`, `warning` or `notice`. The runner masks the message but not the title, so that is fixed."""
        self._issue(level, message, {"title": "registry-config"})

    def line(self, text: str) -> None:
        """Write a line of the log that is no command whatever it holds."""
        _write_lines(safe_lines(self._shown(text).encode("utf-8", "replace") + b"\n"))

    @contextmanager
    def group(self, title: str) -> Iterator[None]:
        """Fold what is written meanwhile."""
        # The runner writes a title as it is: a file's name must not begin a line of the log, which may be `##[error]`.
        self._issue("group", " ".join(title.split()), {})
        try:
            yield
        finally:
            self._issue("endgroup", "", {})

    def output(self, name: str, value: str) -> None:
        """Set an output of the step."""
        self._append(self._output_file, prepare_key_value_message(name, self._shown(value)) + "\n")

    def variable(self, name: str, value: str) -> None:
        """Set a variable for the job's further steps."""
        self._append(self._environment_file, prepare_key_value_message(name, value) + "\n")

    def summary(self, markdown: str) -> None:
        """Add to the job summary; too large a text is cut."""
        data = self._shown(markdown).encode()[:_MAX_SUMMARY_BYTES]
        self._append(self._summary_file, data.decode("utf-8", "ignore"))

    @staticmethod
    def _append(path: str, text: str) -> None:
        if path:
            with open(path, "a", encoding="utf-8", newline="") as file:
                file.write(text)

    def _shown(self, text: str) -> str:
        return self._redactor.text(text) if self._redactor else text

    def _issue(self, command: str, message: str, properties: dict[str, str]) -> None:
        _write_lines(_command(command, self._shown(message), properties).encode("utf-8", "replace"))


def _mask(forms: Iterable[bytes]) -> None:
    lines = [form for form in sorted(forms) if b"\n" not in form and b"\r" not in form]
    _write_lines("".join(_command("add-mask", line.decode("utf-8", "ignore"), {}) for line in lines).encode())


class SafeOutput:
    """A `plan.Output` whose lines the runner takes for text, both streams in one.

    What it takes is redacted already; what taking escape sequences out has joined is redacted once more.
    """

    def __init__(self, redactor: Redactor, *, verbose: bool = False) -> None:
        self._redactor = redactor
        self._verbose = verbose
        self._in_group = False
        self._pending = {"stdout": bytearray(), "stderr": bytearray()}

    @property
    def stdout(self) -> Callable[[bytes], None]:
        """Takes bytes of the standard output."""
        return lambda data: self._feed("stdout", data)

    @property
    def stderr(self) -> Callable[[bytes], None]:
        """Takes bytes of the standard error."""
        return lambda data: self._feed("stderr", data)

    @property
    def title(self) -> Callable[[str], None]:
        """Takes the command whose output follows; GitHub shows such a line in a colour of its own."""
        return lambda text: self._line(f"[command]{text}")

    @property
    def detail(self) -> Callable[[str], None]:
        """Takes a line that is shown where all there is to know was asked for."""
        return self._line if self._verbose else lambda _: None

    @property
    def engine_log(self) -> Callable[[bytes], None]:
        """Takes bytes of the engine's own log; they go into a folded group."""
        return self._fold

    def flush(self) -> None:
        """Write what has no end of line yet, and close the group."""
        with _LOCK:
            self._group(open_=False)
            for pending in self._pending.values():
                if pending:
                    self._write(bytes(pending))
                    pending.clear()

    def _line(self, text: str) -> None:
        self.flush()
        self._write(text.encode())

    def _fold(self, data: bytes) -> None:
        if data:
            # The engine's log comes from a thread of its own.
            with _LOCK:
                self._group(open_=True)
                self._write(data)

    def _group(self, *, open_: bool) -> None:
        if open_ != self._in_group:
            self._in_group = open_
            _write_lines(b"::group::Dagger\n" if open_ else b"::endgroup::\n")

    def _feed(self, name: str, data: bytes) -> None:
        with _LOCK:
            if self._in_group:
                self._group(open_=False)
            pending = self._pending[name]
            # A CR at the very end may be half of a CRLF.
            searched = max(len(pending) - 1, 0)
            pending += data
            end = max(pending.rfind(b"\n", searched), pending.rfind(b"\r", searched, -1)) + 1
            if end or len(pending) > _MAX_LINE:
                self._move(pending, end)

    def _move(self, pending: bytearray, end: int) -> None:
        """Write the first bytes, or all of a line that is too long."""
        if len(pending) - end > _MAX_LINE:
            end = len(pending)
        lines = bytes(pending[:end])
        del pending[:end]
        self._write(lines)

    def _write(self, data: bytes) -> None:
        _write_lines(safe_lines(data, self._redactor.data))


def safe_lines(data: bytes, redact: Callable[[bytes], bytes] = bytes) -> bytes:
    """Lines that hold no command, no escape sequence and no control character.

    Args:
        data: lines as a tool wrote them, the last one with or without its end.
        redact: applied where something was taken out, as that may have joined the parts of a secret.
    """
    if len(data.translate(None, _CONTROL)) != len(data) or (b"\xc2" in data and _C1.search(data)):
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        data = redact(_C1.sub(b"", re.sub(ESCAPE, b"", data).translate(None, _CONTROL)))
    if not data.endswith(b"\n"):
        data += b"\n"
    # From the end it is twice as fast, and most output holds neither.
    if data.rfind(b"::") >= 0:
        data = _COMMAND.sub(rb"\1: :", data)
    return data.replace(b"##[", b"# #[") if data.rfind(b"##[") >= 0 else data


def _command(command: str, message: str, properties: dict[str, str]) -> str:
    return f"{Command(command, properties, message)}\n"


def _write_lines(data: bytes) -> None:
    with _LOCK:
        sys.stdout.flush()
        write_all(sys.stdout.fileno(), data)
