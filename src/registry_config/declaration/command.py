"""The `command` text, split into argument vectors as a shell would, with nothing that needs a shell.

No library splits words and tells where each sign stood and whether it was quoted, so this one reads character by
character. The rules are those of POSIX (XCU 2.2 quoting, 2.3 tokens) less every expansion but two.
"""

from __future__ import annotations

import glob
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from registry_config.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_PATTERN_SIGNS: Final = frozenset("*?[")
_SHELL_SIGNS: Final = frozenset("|&;<>()`")
# Within double quotes a backslash escapes these only (XCU 2.2.3).
_ESCAPABLE: Final = frozenset('$`"\\')
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_REMEDY: Final = "quote it, or set shell: sh"


class Word(NamedTuple):
    """One argument: a literal text, or a pattern for file names.

    Attributes:
        text: the argument as typed, quotes removed.
        pattern: the same with every quoted sign escaped for `glob`; None where nothing is to be expanded.
        place: where it stands, for messages.
    """

    text: str
    pattern: str | None = None
    place: str = "command"


Command = tuple[Word, ...]


def literal(argv: Iterator[str] | list[str] | tuple[str, ...]) -> Command:
    """A command of words that are taken as they are."""
    return tuple(Word(argument) for argument in argv)


def parse_commands(text: str, variables: Mapping[str, str]) -> tuple[Command, ...]:
    """Split the text into commands, one a line.

    Args:
        text: the `command` input.
        variables: what `${NAME}` stands for, declared in `env`.

    Raises:
        InputError: with line and column (from 1) of a sign that would need a shell, an open quote, or an
            undeclared name.
    """
    commands = tuple(
        command for number, line in _lines(text) if (command := _Reader(line, number, variables).command())
    )
    if not commands:
        raise InputError("command", "is empty", "write the command to run")
    return commands


def expand(command: Command, find: Callable[[str], list[str]]) -> tuple[str, ...]:
    """The argument vector: each pattern replaced by the sorted names that `find` returns for it.

    Raises:
        InputError: no file matches a pattern.
    """
    arguments: list[str] = []
    for word in command:
        if word.pattern is None:
            arguments.append(word.text)
            continue
        names = sorted(find(word.pattern))
        if not names:
            raise InputError(word.place, "no file matches this pattern", "quote it to pass it on as it is")
        arguments.extend(names)
    return tuple(arguments)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Logical lines with the number of their first line: joined at a trailing backslash, comments left out."""
    pending = ""
    first = 0
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if not first and line.lstrip().startswith("#"):
            continue
        first = first or number
        backslashes = len(line) - len(line.rstrip("\\"))
        if backslashes % 2:
            pending += line[:-1]
            continue
        yield first, pending + line
        pending, first = "", 0
    if pending:
        yield first, pending


class _Reader:
    """Reads the words of one logical line."""

    def __init__(self, line: str, number: int, variables: Mapping[str, str]) -> None:
        self._line = line
        self._number = number
        self._variables = variables
        self._at = 0

    def command(self) -> Command:
        words = []
        while self._skip_blanks():
            words.append(self._word())
        return tuple(words)

    def _place(self, at: int) -> str:
        return f"command (line {self._number}, column {at + 1})"

    def _skip_blanks(self) -> bool:
        while self._at < len(self._line) and self._line[self._at] in " \t":
            self._at += 1
        return self._at < len(self._line)

    def _word(self) -> Word:
        start = self._at
        text: list[str] = []
        pattern: list[str] = []
        expands = False
        if self._line[start] == "~":
            raise InputError(self._place(start), "a leading '~' needs a shell", _REMEDY)
        while self._at < len(self._line) and (sign := self._line[self._at]) not in " \t":
            piece, special = self._piece(sign)
            expands = expands or special
            text.append(piece)
            pattern.append(piece if special else glob.escape(piece))
        return Word("".join(text), "".join(pattern) if expands else None, self._place(start))

    def _piece(self, sign: str) -> tuple[str, bool]:
        """The next piece of a word, and whether it is a sign of a pattern."""
        if sign == "'":
            return self._single_quoted(), False
        if sign == '"':
            return self._double_quoted(), False
        if sign == "$":
            return self._variable(), False
        self._refuse(sign)
        self._at += 1
        if sign == "\\":
            sign = self._line[self._at]
            self._at += 1
            return sign, False
        # `]` and the inside of `[…]` need no mark: glob reads them from the unescaped `[` on.
        return sign, sign in _PATTERN_SIGNS

    def _refuse(self, sign: str) -> None:
        if sign in _SHELL_SIGNS:
            raise InputError(self._place(self._at), f"'{sign}' needs a shell", _REMEDY)
        if sign == "\0":
            raise InputError(self._place(self._at), "a NUL character cannot be passed on")

    def _single_quoted(self) -> str:
        end = self._line.find("'", self._at + 1)
        if end < 0:
            raise InputError(self._place(self._at), "this quote is not closed on its line")
        text = self._line[self._at + 1 : end]
        self._at = end + 1
        return text

    def _double_quoted(self) -> str:
        start = self._at
        self._at += 1
        text: list[str] = []
        while self._at < len(self._line):
            sign = self._line[self._at]
            if sign == '"':
                self._at += 1
                return "".join(text)
            if sign == "$":
                text.append(self._variable())
                continue
            if sign == "`":
                self._refuse(sign)
            if sign == "\\" and self._line[self._at + 1 : self._at + 2] in _ESCAPABLE:
                self._at += 1
                sign = self._line[self._at]
            text.append(sign)
            self._at += 1
        raise InputError(self._place(start), "this quote is not closed on its line")

    def _variable(self) -> str:
        match = _VARIABLE.match(self._line, self._at)
        if not match:
            raise InputError(self._place(self._at), "'$' needs a shell, but for ${NAME}", _REMEDY)
        name = match[1]
        if name not in self._variables:
            near = did_you_mean(name, self._variables)
            remedy = f"did you mean ${{{near}}}?" if near else "add it to env"
            raise InputError(self._place(self._at), "this variable is not declared in env", remedy)
        self._at = match.end()
        return self._variables[name]
