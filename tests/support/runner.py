"""What GitHub's runner makes of a step's output: which lines it takes for commands, what it masks, what it shows.

A port of the parts of actions/runner 2.336 that decide this, to be fed with recorded bytes: `ActionCommand.cs`,
`ActionCommandManager.cs`, `OutputManager.cs`, `ProcessInvoker.cs`, `ExecutionContext.cs`, `FileCommandManager.cs`,
`SecretMasker.cs`, `ValueEncoders.cs`. Where .NET compares by culture this compares sign by sign: signs that a culture
ignores may only shift what follows them, and that leaves no command's name.
"""

from __future__ import annotations

import base64
import codecs
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

# Char.IsWhiteSpace: other than Python it leaves out U+001C to U+001F.
_WHITE = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
_MAX_ANNOTATION = 4096
_MAX_SUMMARY = 1024 * 1024
_STOP = "stop-commands"
_LEVELS = ("error", "warning", "notice")
_FOR_FILES = ("set-env", "add-path")
_OTHERS = (
    "debug",
    "echo",
    "group",
    "endgroup",
    "set-output",
    "save-state",
    "add-mask",
    "add-matcher",
    "remove-matcher",
)
COMMANDS = frozenset((*_LEVELS, *_FOR_FILES, *_OTHERS, _STOP))
_NOT_ECHOED = frozenset((*_LEVELS, "debug", "add-mask"))
_DATA = (("%0D", "\r"), ("%0A", "\n"), ("%25", "%"))
_PROPERTY = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))
_LEGACY = (("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"), ("%25", "%"))
# StreamReader obeys these at the start of a stream, whatever encoding it was told.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)


class Command(NamedTuple):
    """A workflow command; its name and those of its properties in lower case, as they are told apart."""

    name: str
    data: str = ""
    properties: Mapping[str, str] = {}


class Annotation(NamedTuple):
    """What the page of the run shows. Of its parts the message alone is masked."""

    level: str
    message: str
    title: str = ""


@dataclass
class Step:
    """What came of a step's output.

    Attributes:
        log: what the log shows.
        commands: the lines that were taken for commands.
        annotations: of commands, and what the runner itself has to complain of.
        outputs: what `set-output` set.
        failed: a command could not be carried out; that fails the step.
    """

    log: list[str] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    failed: bool = False

    @property
    def masks(self) -> list[str]:
        """The data of each `add-mask`."""
        return [command.data for command in self.commands if command.name == "add-mask"]


class Runner:
    """One job: what a step masks stays masked in the steps after it.

    Args:
        debug: step debug logging is on (`ACTIONS_STEP_DEBUG`).
    """

    def __init__(self, *, debug: bool = False) -> None:
        self.masker = Masker()
        self._debug = debug

    def step(self, stdout: bytes, stderr: bytes = b"") -> Step:
        """Take a step's output.

        Each stream has a queue, and what waits in that of standard error is taken before what waits in the other,
        whichever was written first. So the worst case is taken here: all of standard error comes first.
        """
        reader = _Reader(self.masker, debug=self._debug)
        try:
            for line in (*_lines(stderr), *_lines(stdout)):
                reader.take(line)
        except _StepError as error:
            reader.complain(str(error))
        return reader.step

    def summary(self, data: bytes) -> str:
        """What is shown of the job summary: nothing if it is over 1 MiB."""
        return "" if len(data) > _MAX_SUMMARY else "".join(f"{self.masker.mask(line)}\n" for line in _lines(data))


class Masker:
    """Hides what it was told, and what its encoders make of that."""

    def __init__(self) -> None:
        self._values: set[str] = set()

    def add_mask(self, data: str) -> None:
        """Do what `add-mask` does: the whole as it is, and each line of it without the white space around."""
        for value in (data, *(line.strip(_WHITE) for line in re.split(r"[\r\n]", data))):
            self.add(value)

    def add(self, value: str) -> None:
        """Hide one string."""
        if value:
            self._values.update(filter(None, (value, *(encode(value) for encode in _ENCODERS))))

    def mask(self, text: str) -> str:
        """`text` with `***` in each hidden place; places that overlap or touch share one."""
        shown: list[str] = []
        done = 0
        for start, end in sorted(place for value in self._values for place in _places(text, value)):
            if start > done or not shown:
                shown += (text[done:start], "***")
            done = max(done, end)
        return "".join((*shown, text[done:]))


def parse(line: str, names: Collection[str] = COMMANDS) -> Command | None:
    """The command that a line holds, in the new form at its start or in the old form anywhere; None if neither."""
    text = line.lstrip(_WHITE)
    info, separator, data = text[2:].partition("::")
    if text.startswith("::") and separator and (name := _name(info, names)):
        rest = info[len(name) :].strip(_WHITE)
        return Command(name.lower(), _unescape(data, _DATA), _properties(rest, ",", _PROPERTY))
    info, bracket, data = line.partition("##[")[2].partition("]")
    if bracket and (name := _name(info, names)):
        return Command(name.lower(), _unescape(data, _LEGACY), _properties(info[len(name) + 1 :], ";", _LEGACY))
    return None


def file_commands(data: bytes) -> dict[str, str]:
    """The pairs that a step wrote to `GITHUB_OUTPUT`, `GITHUB_ENV` or `GITHUB_STATE`.

    Raises:
        ValueError: with what the runner says when it fails the step.
    """
    pairs: dict[str, str] = {}
    rest = _decode(data)
    while rest:
        line, _, rest = rest.partition("\n")
        if not line:
            continue
        name, equals, value = line.partition("=")
        before, heredoc, delimiter = line.partition("<<")
        if heredoc and len(before) < len(name):
            name = before
            if not delimiter:
                raise ValueError(f"Invalid format '{line}'. Name must not be empty and delimiter must not be empty")
            value, rest = _heredoc(rest, delimiter)
        elif not equals:
            raise ValueError(f"Invalid format '{line}'")
        if not name:
            raise ValueError(f"Invalid format '{line}'. Name must not be empty")
        pairs[name] = value
    return pairs


class _CommandError(Exception):
    """A command cannot be carried out; the step goes on and fails."""


class _StepError(Exception):
    """Nothing more of the step is taken."""


class _Reader:
    """Takes the lines of one step."""

    def __init__(self, masker: Masker, *, debug: bool) -> None:
        self.step = Step()
        self._masker = masker
        self._debug = debug
        self._echo = debug
        self._stop_token = ""

    def take(self, line: str) -> None:
        command = parse(line, {*COMMANDS, self._stop_token} - {""})
        if command is None or (self._stop_token and command.name != self._stop_token.lower()):
            self._write(re.sub(r"##\[(?=(?:start|end)-action)", r"##[\\", line))
            return
        self.step.commands.append(command)
        if command.name == self._stop_token.lower():
            self._stop_token = ""
            self._write(line)
        elif command.name == _STOP:
            self._stop(command.data)
            self._write(line)
        else:
            self._carry_out(command, line)

    def complain(self, problem: str) -> None:
        self.step.failed = True
        self._annotate("error", problem)

    def _stop(self, token: str) -> None:
        if token.lower() in {*COMMANDS, "", "pause-logging"}:
            raise _StepError(
                "You cannot use a endToken that is an empty string, the string 'pause-logging', or another workflow "
                "command."
            )
        self._stop_token = token
        if _length(token) > 6:
            self._masker.add(token)

    def _carry_out(self, command: Command, line: str) -> None:
        echoed = command.name not in _NOT_ECHOED
        if self._echo and echoed:
            self._write(line)
        try:
            self._obey(command)
        except _CommandError as error:
            self.complain(f"Unable to process command '{line if echoed else command.name}' successfully.")
            self.complain(str(error))

    def _obey(self, command: Command) -> None:
        name, data, properties = command
        if name in _LEVELS:
            self._annotate(name, data, properties.get("title", ""))
        elif name in _FOR_FILES:
            raise _CommandError(f"The `{name}` command is disabled.")
        elif name in {"set-output", "save-state"}:
            self._set(command)
        elif name in {"group", "endgroup"}:
            self._write(f"##[{name}]{data if name == 'group' else ''}")
        elif name == "add-mask":
            self._mask(data)
        elif name == "echo":
            self._set_echo(data)
        elif name == "debug" and self._debug:
            for line in data.replace("\r\n", "\n").split("\n"):
                self._write(f"##[debug]{line}")

    def _set(self, command: Command) -> None:
        self._annotate("warning", f"The `{command.name}` command is deprecated and will be disabled soon.")
        name = command.properties.get("name")
        if not name:
            raise _CommandError(f"Required field 'name' is missing in ##[{command.name}] command.")
        if command.name == "set-output":
            self.step.outputs[name] = command.data

    def _mask(self, data: str) -> None:
        if not data.strip(_WHITE):
            self._annotate("warning", "Can't add secret mask for empty string in ##[add-mask] command.")
            return
        if self._echo:
            self._write("::add-mask::***")
        self._masker.add_mask(data)

    def _set_echo(self, data: str) -> None:
        state = data.strip(_WHITE).lower()
        if state not in {"on", "off"}:
            raise _CommandError(
                f"Invalid echo command value. Possible values can be: 'on', 'off'. Current value is: '{data}'."
            )
        self._echo = state == "on"

    def _annotate(self, level: str, message: str, title: str = "") -> None:
        message = self._masker.mask(message)[:_MAX_ANNOTATION]
        self.step.annotations.append(Annotation(level, message, title))
        if message:
            self._write(f"##[{level}]{message}")

    def _write(self, line: str) -> None:
        self.step.log.append(self._masker.mask(line))


def _name(info: str, names: Collection[str]) -> str:
    name = info.partition(" ")[0]
    known = {known.lower() for known in names}
    return name if name.lower() in known else ""


def _properties(text: str, separator: str, escapes: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """As `String.Split` finds them where it leaves out empty entries."""
    pairs = (part.lstrip("=").partition("=") for part in text.split(separator))
    return {name.lower(): _unescape(value.lstrip("="), escapes) for name, _, value in pairs if value.lstrip("=")}


def _unescape(text: str, escapes: tuple[tuple[str, str], ...]) -> str:
    for escaped, sign in escapes:
        text = text.replace(escaped, sign)
    return text


def _heredoc(text: str, delimiter: str) -> tuple[str, str]:
    """The value, and what follows its delimiter."""
    lines: list[str] = []
    rest = text
    while rest:
        line, newline, rest = rest.partition("\n")
        if line == delimiter:
            return "\n".join(lines), rest
        if not newline:
            raise ValueError("Invalid value. EOF marker missing new line.")
        lines.append(line)
    raise ValueError(f"Invalid value. Matching delimiter not found '{delimiter}'")


def _lines(data: bytes) -> list[str]:
    """As `StreamReader.ReadLine` cuts them."""
    lines = re.split(r"\r\n|\r|\n", _decode(data))
    return lines if lines[-1] else lines[:-1]


def _decode(data: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    return data.decode("utf-8", "replace")


def _places(text: str, value: str) -> Iterator[tuple[int, int]]:
    start = text.find(value)
    while start >= 0:
        yield start, start + len(value)
        start = text.find(value, start + 1)


def _length(text: str) -> int:
    """As .NET counts: in units of UTF-16."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _base64(shift: int) -> Callable[[str], str]:
    def encode(value: str) -> str:
        data = value.encode()
        return base64.b64encode(data[shift:] if len(data) > shift else data).decode()

    return encode


def _json(value: str) -> str:
    """Newtonsoft's `JsonConvert.ToString`, which leaves DEL and most of Unicode alone."""
    escaped = json.dumps(value, ensure_ascii=False)[1:-1]
    return re.sub("[\x85\u2028\u2029]", lambda match: f"\\u{ord(match[0]):04x}", escaped)


def _without_quotes(value: str) -> str:
    return value[1:-1] if _length(value) > 8 and value.startswith('"') and value.endswith('"') else ""


def _before_ampersand(value: str) -> str:
    """What PowerShell colours apart."""
    section = "".join(value.partition("&+")[:2]) if "&+" in value else "".join(value.rpartition("&")[:2])
    return section if _length(section) >= 6 else ""


def _after_ampersand(value: str) -> str:
    section = value.partition("&+")[2][1:] if "&+" in value else value.rpartition("&")[2] if "&" in value else ""
    return section if _length(section) >= 6 else ""


_ENCODERS: tuple[Callable[[str], str], ...] = (
    _base64(0),
    _base64(1),
    _base64(2),
    lambda value: value.replace('"', '\\"'),
    lambda value: value.replace("'", "''"),
    _json,
    lambda value: quote(value, safe=""),
    lambda value: escape(value, {'"': "&quot;", "'": "&apos;"}),
    _without_quotes,
    _before_ampersand,
    _after_ampersand,
)
