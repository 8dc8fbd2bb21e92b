"""GitHub's runner protocol: masks, annotations, groups, outputs, the job summary, and lines that are none of these.

The parser this is written for is `ActionCommand.cs` and `OutputManager.cs` of actions/runner: a command is `::name::`
after any white space at the start of a line, or `##[name]` anywhere in it, and a lone CR ends a line.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from actions_toolkit.command import issue_command
from actions_toolkit.file_command import prepare_key_value_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from registry_config.credentials.redaction import Redactor

# GitHub uploads no summary over 1 MiB.
_MAX_SUMMARY_BYTES: Final = 1024 * 1024
_MAX_LINE: Final = 64 * 1024
# ECMA-48: control sequences, operating system commands, other two-sign escapes.
_ESCAPE: Final = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]?|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~]?)")
# C0 but tab, DEL, and C1 as UTF-8 encodes it. At the start of a stream the last two, which are never part of UTF-8,
# would make the runner read all that follows as UTF-16, our own commands included.
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f\xfe\xff]|\xc2[\x80-\x9f]")
_COMMAND: Final = re.compile(rb"[^!-~]*::")


class Workflow:
    """Speaks to the runner.

    Args:
        environ: where the runner's files are named; read at once, so that the names can be withdrawn afterwards.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._output_file = environ.get("GITHUB_OUTPUT", "")
        self._summary_file = environ.get("GITHUB_STEP_SUMMARY", "")
        self._environment_file = environ.get("GITHUB_ENV", "")

    def mask(self, forms: Iterable[bytes]) -> None:
        """Register masks, the first thing to be printed.

        Text over several lines is left to the masks of its lines: the runner would register each line, braces included.
        """
        for form in sorted(forms):
            if b"\n" not in form and b"\r" not in form:
                self._issue("add-mask", form.decode(), {})

    def annotate(self, level: str, message: str) -> None:
        """Write an `error`, `warning` or `notice`. The runner masks the message but not the title, so that is fixed."""
        self._issue(level, message, {"title": "registry-config"})

    def line(self, text: str) -> None:
        """Write a line of the log that is no command whatever it holds."""
        self._write(b"".join(safe_lines(text.encode("utf-8", "replace") + b"\n")))

    @contextmanager
    def group(self, title: str) -> Iterator[None]:
        """Fold what is written meanwhile."""
        self._issue("group", title, {})
        try:
            yield
        finally:
            self._issue("endgroup", "", {})

    def output(self, name: str, value: str) -> None:
        """Set an output of the step."""
        self._append(self._output_file, prepare_key_value_message(name, value) + "\n")

    def variable(self, name: str, value: str) -> None:
        """Set a variable for the job's further steps."""
        self._append(self._environment_file, prepare_key_value_message(name, value) + "\n")

    def summary(self, markdown: str) -> None:
        """Add to the job summary; too large a text is cut."""
        data = markdown.encode()[:_MAX_SUMMARY_BYTES]
        self._append(self._summary_file, data.decode("utf-8", "ignore"))

    @staticmethod
    def _append(path: str, text: str) -> None:
        if path:
            with open(path, "a", encoding="utf-8", newline="") as file:
                file.write(text)

    @staticmethod
    def _issue(command: str, message: str, properties: dict[str, str]) -> None:
        issue_command(command, properties, message)
        sys.stdout.flush()

    @staticmethod
    def _write(data: bytes) -> None:
        sys.stdout.flush()
        write_all(sys.stdout.fileno(), data)


class SafeOutput:
    """A `plan.Output` whose lines the runner takes for text, both streams in one.

    Taking escape sequences out may join what they kept apart, so each line is redacted once more.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._in_group = False
        # Dagger's log comes from a thread of its own.
        self._lock = threading.Lock()
        self._pending = {"stdout": b"", "stderr": b""}

    @property
    def stdout(self) -> Callable[[bytes], None]:
        """Takes bytes of the standard output."""
        return lambda data: self._feed("stdout", data)

    @property
    def stderr(self) -> Callable[[bytes], None]:
        """Takes bytes of the standard error."""
        return lambda data: self._feed("stderr", data)

    @property
    def engine_log(self) -> Callable[[bytes], None]:
        """Takes bytes of the engine's own log; they go into a folded group."""
        return self._fold

    def flush(self) -> None:
        """Write what has no end of line yet, and close the group."""
        self._group(open_=False)
        for name, pending in self._pending.items():
            if pending:
                self._pending[name] = b""
                self._write(pending + b"\n")

    def _fold(self, data: bytes) -> None:
        if data:
            with self._lock:
                self._group(open_=True)
                self._write(data)

    def _group(self, *, open_: bool) -> None:
        if open_ != self._in_group:
            self._in_group = open_
            write_all(sys.stdout.fileno(), b"::group::Dagger\n" if open_ else b"::endgroup::\n")

    def _feed(self, name: str, data: bytes) -> None:
        with self._lock:
            self._group(open_=False)
            self._take(name, data)

    def _take(self, name: str, data: bytes) -> None:
        data = self._pending[name] + data
        # A CR at the very end may be half of a CRLF.
        end = max(data.rfind(b"\n"), data.rfind(b"\r", 0, -1)) + 1
        if len(data) - end > _MAX_LINE:
            data, end = data + b"\n", len(data) + 1
        self._pending[name] = data[end:]
        if end:
            self._write(data[:end])

    def _write(self, data: bytes) -> None:
        write_all(sys.stdout.fileno(), b"".join(safe_lines(data, self._redactor.data)))


def safe_lines(data: bytes, redact: Callable[[bytes], bytes] = bytes) -> Iterator[bytes]:
    """Lines that hold no command, no escape sequence and no control character."""
    for line in re.split(rb"\r\n|\r|\n", data.removesuffix(b"\n").removesuffix(b"\r")):
        plain = redact(_CONTROL.sub(b"", _ESCAPE.sub(b"", line)))
        if _COMMAND.match(plain):
            plain = plain.replace(b"::", b": :", 1)
        yield plain.replace(b"##[", b"# #[") + b"\n"


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`.

    Raises:
        BrokenPipeError: nobody reads any more.
    """
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
