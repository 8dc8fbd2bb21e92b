"""The `command` text, split into argument vectors as a shell would, with nothing that needs a shell.

No library splits words and tells where each character stood and whether it was quoted, so this one reads character by
character. The rules are those of POSIX (XCU 2.2 quoting, 2.3 tokens) less every expansion but two.
"""

from __future__ import annotations

import glob
import re

from registry_config.errors import InputError
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

_PATTERN_CHARACTERS: Final = frozenset("*?[")
_SHELL_CHARACTERS: Final = frozenset("|&;<>()`")
# Within double quotes a backslash escapes these only (XCU 2.2.3).
_ESCAPABLE: Final = frozenset('$`"\\')
_VARIABLE: Final = r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}"
# Reserved words and built-ins that are no program (XCU 2.4, 2.14; bash 5.2), and what to do without a shell.
_ENV: Final = "set the variable in env, or set shell: bash"
_SHELL: Final = "set shell: bash"
_SHELL_WORDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("cd", "pushd", "popd"), "set working-directory, or set shell: bash"),
    **dict.fromkeys(("export", "declare", "local", "readonly", "typeset", "unset"), _ENV),
    **dict.fromkeys(
        ("if", "then", "elif", "else", "fi", "for", "while", "until", "do", "done", "case", "esac"), _SHELL
    ),
    **dict.fromkeys(("select", "function", "{", "}", "!", "[", "[[", "in", "coproc", ":", ".", "source"), _SHELL),
    **dict.fromkeys(("set", "shopt", "trap", "ulimit", "umask", "alias", "unalias", "eval", "exec", "exit"), _SHELL),
    **dict.fromkeys(("return", "shift", "wait", "read", "mapfile", "let", "builtin", "break", "continue"), _SHELL),
}
_ASSIGNMENT: Final = r"[A-Za-z_][A-Za-z0-9_]*(?:\[[^\]]*\])?\+?=.*"
_BRACES: Final = r"\{[^{}]*,[^{}]*\}|\{-?\w+\.\.-?\w+(?:\.\.-?\w+)?\}"
# A longer or stranger one may be a secret that was taken for the name of its variable.
_SHOWN_NAME: Final = r"(?=.{1,40}$)(?:[A-Z_]+|[a-z_]+)(?:[0-9]{1,3}(?:[A-Z_]*|[a-z_]*))?"
_REMEDY: Final = "quote it, or set shell: bash"
_VARIABLE_REMEDY: Final = "write ${NAME} and name it in env, quote it, or set shell: bash"


class Word(NamedTuple):
    """One argument: a literal text, or a pattern for file names.

    Attributes:
        text: the argument as typed, quotes removed.
        pattern: the same with every quoted character escaped for `glob`; None where nothing is to be expanded.
        place: where it stands, for messages.
    """

    text: str
    pattern: str | None = None
    place: str = "command"


Command = tuple[Word, ...]


def literal(argv: Iterator[str] | list[str] | tuple[str, ...]) -> Command:
    """A command of words that are taken as they are."""
    return tuple(Word(argument) for argument in argv)


def parse_commands(
    text: str, variables: Mapping[str, str], secrets: Collection[str] = (), *, has_entrypoint: bool = False
) -> tuple[Command, ...]:
    """Split the text into commands, one per line.

    Args:
        text: the `command` input.
        variables: what `${NAME}` stands for, declared in `env`.
        secrets: names of variables that stand for nothing here, declared in `secret-env`.
        has_entrypoint: whether the program is an image's entrypoint, so that a command begins with its arguments.

    Raises:
        InputError: with line and column (from 1) of a character or a word that would need a shell, an open quote, an
            undeclared name, or a program without a name.
    """
    readers = (_Reader(line, number, variables, secrets) for number, line in _lines(text))
    commands = tuple(filter(None, (reader.command(has_entrypoint=has_entrypoint) for reader in readers)))
    if not commands:
        raise InputError("command", "is empty", "write the command to run")
    return commands


def expand(command: Command, find: Callable[[str], list[str]], folder: str = ".") -> tuple[str, ...]:
    """The argument vector: each pattern replaced by the sorted names that `find` returns for it.

    Args:
        command: the words.
        find: gives the files that a pattern stands for.
        folder: where it looks, for messages.

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
            problem = f"no file in {folder_text(folder)} matches '{word.text}'"
            raise InputError(
                word.place, problem, "check path and working-directory, or quote it to pass it on as it is"
            )
        # A file of such a name would be an option to the tool.
        arguments.extend(f"./{name}" if name.startswith("-") else name for name in names)
    return tuple(arguments)


def folder_text(folder: str) -> str:
    """The working directory, as messages name it."""
    return "the working directory" if folder in {"", "."} else f"'{folder}'"


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

    def __init__(self, line: str, number: int, variables: Mapping[str, str], secrets: Collection[str]) -> None:
        self._line = line
        self._number = number
        self._variables = variables
        self._secrets = secrets
        self._at = 0

    def command(self, *, has_entrypoint: bool) -> Command:
        words: list[Word] = []
        while self._skip_blanks():
            start = self._at
            word = self._word()
            if not words and not has_entrypoint:
                self._check_program(start, word)
            words.append(word)
        return tuple(words)

    def _place(self, at: int) -> str:
        return f"command (line {self._number}, column {at + 1})"

    def _skip_blanks(self) -> bool:
        while self._at < len(self._line) and self._line[self._at] in " \t":
            self._at += 1
        return self._at < len(self._line)

    def _check_program(self, start: int, word: Word) -> None:
        """Refuse what cannot be a program, or what only a shell understands in its place."""
        written = self._line[start : self._at]
        if not word.text:
            raise InputError(word.place, "the name of the program is empty", "write the program to run")
        if word.text.startswith("-"):
            remedy = "end the line above with a backslash, or write the program to run"
            raise InputError(word.place, "the program begins with a dash", remedy)
        if written in _SHELL_WORDS:
            raise InputError(word.place, f"'{written}' needs a shell", _SHELL_WORDS[written])
        if re.match(_ASSIGNMENT, written, re.DOTALL):
            raise InputError(word.place, "a variable set before a command needs a shell", _ENV)

    def _word(self) -> Word:
        start = self._at
        text: list[str] = []
        pattern: list[str] = []
        # The word as it is written, with what is quoted blotted out.
        bare = ""
        expands = False
        if self._line[start] == "~":
            raise InputError(self._place(start), "a leading '~' needs a shell", _REMEDY)
        if self._line[start] == "#":
            problem = "a comment after a command needs a shell"
            raise InputError(self._place(start), problem, "write it on a line of its own, or quote the '#'")
        while self._at < len(self._line) and (character := self._line[self._at]) not in " \t":
            before = self._at
            piece, special = self._piece(character)
            expands = expands or special
            text.append(piece)
            pattern.append(piece if special else glob.escape(piece))
            bare += character if self._at - before == 1 else "\0" * (self._at - before)
        if braces := re.search(_BRACES, bare):
            raise InputError(self._place(start + braces.start()), "'{' with ',' or '..' needs a shell", _REMEDY)
        return Word("".join(text), "".join(pattern) if expands else None, self._place(start))

    def _piece(self, character: str) -> tuple[str, bool]:
        """The next piece of a word, and whether it is a character of a pattern."""
        if character == "'":
            return self._single_quoted(), False
        if character == '"':
            return self._double_quoted(), False
        if character == "$":
            return self._variable(), False
        self._refuse(character)
        self._at += 1
        if character == "\\":
            # As an argument nobody means it: it is a line that was to go on.
            if not self._line[self._at :].strip(" \t"):
                problem = "white space follows the backslash at the end of the line"
                remedy = "remove it, so that the next line belongs to the command"
                raise InputError(self._place(self._at - 1), problem, remedy)
            character = self._line[self._at]
            self._at += 1
            return character, False
        # `]` and the inside of `[…]` need no mark: glob reads them from the unescaped `[` on.
        return character, character in _PATTERN_CHARACTERS

    def _refuse(self, character: str) -> None:
        if character in _SHELL_CHARACTERS:
            raise InputError(self._place(self._at), f"'{character}' needs a shell", _REMEDY)
        if character == "\0":
            raise InputError(self._place(self._at), "a NUL character cannot be passed on", "remove it")

    def _single_quoted(self) -> str:
        end = self._line.find("'", self._at + 1)
        if end < 0:
            raise InputError(
                self._place(self._at), "this quote is not closed on its line", "close it, or set shell: bash"
            )
        text = self._line[self._at + 1 : end]
        self._at = end + 1
        return text

    def _double_quoted(self) -> str:
        start = self._at
        self._at += 1
        text: list[str] = []
        while self._at < len(self._line):
            character = self._line[self._at]
            if character == '"':
                self._at += 1
                return "".join(text)
            if character == "$":
                text.append(self._variable())
                continue
            if character == "`":
                self._refuse(character)
            if character == "\\" and self._line[self._at + 1 : self._at + 2] in _ESCAPABLE:
                self._at += 1
                character = self._line[self._at]
            text.append(character)
            self._at += 1
        raise InputError(self._place(start), "this quote is not closed on its line", "close it, or set shell: bash")

    def _variable(self) -> str:
        match = re.compile(_VARIABLE).match(self._line, self._at)
        if not match:
            raise InputError(self._place(self._at), "'$' needs a shell, except in ${NAME}", _VARIABLE_REMEDY)
        name = match[1]
        if name not in self._variables:
            raise self._undeclared(name)
        self._at = match.end()
        return self._variables[name]

    def _undeclared(self, name: str) -> InputError:
        from registry_config.declaration.variables import nearest_variable  # noqa: PLC0415  (for what is refused)

        near = nearest_variable(name, self._variables)
        remedy = f"did you mean ${{{near}}}?" if near else "name it in the input env (under with:)"
        shown = f"${{{name}}}" if re.fullmatch(_SHOWN_NAME, name) else "this variable"
        if name in self._secrets:
            problem = f"{shown} is in secret-env, and the list of processes would show it here"
            return InputError(self._place(self._at), problem, "let the tool read the variable")
        return InputError(self._place(self._at), f"{shown} is not declared in the input env", remedy)
