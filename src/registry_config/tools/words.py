"""A command's words, told apart: what it does, and its options."""

from __future__ import annotations

from registry_config.light_typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_FALSE = frozenset(("false", "False", "0", "f", "F"))


class Words(NamedTuple):
    """The words after the program's name.

    Attributes:
        plain: those that are neither options nor their values.
        options: name without dashes, and value; empty for a switch.
    """

    plain: tuple[str, ...]
    options: tuple[tuple[str, str], ...]

    def values(self, names: Iterable[str]) -> list[str]:
        """The values of an option, whichever of its names was written."""
        wanted = set(names)
        return [value for name, value in self.options if name in wanted]

    def has(self, names: Iterable[str]) -> bool:
        """Whether an option was written, and not as `--name=false`."""
        return any(value not in _FALSE for value in self.values(names))

    def begins_with(self, command: str) -> bool:
        """Whether the command is the one with these words at its beginning."""
        wanted = command.split()
        return list(self.plain[: len(wanted)]) == wanted


def split_words(arguments: Sequence[str], switches: str) -> Words:
    """Read words as the flag parsers of Go do (`spf13/pflag`): `--name value`, `--name=value`, `-nvalue`, `--`.

    Args:
        arguments: the words after the program's name.
        switches: options without a value; every other one takes the next word.
    """
    known = frozenset(switches.split())
    plain: list[str] = []
    options: list[tuple[str, str]] = []
    rest = iter(arguments)
    for word in rest:
        if word == "--":
            plain.extend(rest)
        elif word == "-" or not word.startswith("-"):
            plain.append(word)
        elif word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            options.append((name, value if equals or name in known else next(rest, "")))
        else:
            _short(word[1:], known, rest, options)
    return Words(tuple(plain), tuple(options))


def _short(letters: str, known: frozenset[str], rest: Iterable[str], options: list[tuple[str, str]]) -> None:
    """Options of one letter, of which several switches may stand together."""
    while letters:
        name, letters = letters[0], letters[1:]
        if letters.startswith("="):
            options.append((name, letters[1:]))
            return
        if name in known:
            options.append((name, ""))
            continue
        options.append((name, letters or next(iter(rest), "")))
        return
