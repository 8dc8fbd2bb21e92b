"""What can go wrong, and the exit code of each.

A message reads `place: problem[; remedy]`. It names things of ours (keys, options, positions) and never repeats
what was typed where a credential could stand.
"""

from __future__ import annotations

from contextlib import contextmanager

from registry_config.audience import called, either
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# Codes of BSD's sysexits.h; the tool's own codes lie mostly below them.
EXIT_USAGE = 64
EXIT_SECRET_FILE = 65
EXIT_UNAVAILABLE = 69
EXIT_BUG = 70
# EX_NOPERM: a registry or an identity provider refused before anything ran.
EXIT_REFUSED = 77
# What a POSIX shell answers for a program that is not there, or cannot be executed, or died of signal n.
EXIT_NOT_FOUND = 127
EXIT_NOT_EXECUTABLE = 126
EXIT_SIGNAL_BASE = 128
# What timeout(1) answers.
EXIT_TIMEOUT = 124
_WORDS: Final = "write each word by itself after --, or set --shell bash for a script"


class RegistryConfigError(Exception):
    """A refusal that a person can act on."""

    exit_code: int = EXIT_BUG

    def __init__(self, place: str, problem: str, remedy: str = "") -> None:
        super().__init__(place, problem, remedy)
        self.place = place
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        text = f"{self.place}: {self.problem}" if self.place else self.problem
        return f"{text}; {self.remedy}" if self.remedy else text


class InputError(RegistryConfigError):
    """An input or option is missing, malformed, or contradicts another; nothing was started."""

    exit_code = EXIT_USAGE


class SecretFileError(RegistryConfigError):
    """A file that came back from the tool image held a secret and was deleted."""

    exit_code = EXIT_SECRET_FILE


class UnavailableError(RegistryConfigError):
    """The engine, the image or something of the machine cannot be had."""

    exit_code = EXIT_UNAVAILABLE


class ProviderRefusedError(RegistryConfigError):
    """An identity provider, or a credential helper, gave no credential: it was asked once and said no."""

    exit_code = EXIT_REFUSED


class ProgramNotFoundError(RegistryConfigError):
    """A program of a command is not on this machine; nothing was started."""

    exit_code = EXIT_NOT_FOUND

    def __init__(self, program: str) -> None:
        remedy = f"install it, or set {called('image')}"
        if " " in program:
            # A whole command in one word.
            remedy = either("take the quotes around the command away; a variable is one word, never split", _WORDS)
        super().__init__(program, "no such program on this machine", remedy)


class SignalError(RegistryConfigError):
    """A signal ended the run before a command ran."""

    def __init__(self, signal_number: int) -> None:
        super().__init__("", f"ended by signal {signal_number}")
        self.exit_code = EXIT_SIGNAL_BASE + signal_number


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The nearest known name within two edits of `word`, or None: only then is it safe to show either."""
    best = min(((_edits(word, name), name) for name in known), default=(3, ""))
    return best[1] if best[0] <= 2 else None  # noqa: PLR2004  (the bound of the docstring)


def _edits(left: str, right: str) -> int:
    """Levenshtein distance, given up as 3 where the lengths alone differ by more than 2."""
    if abs(len(left) - len(right)) > 2:  # noqa: PLR2004
        return 3
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]


@contextmanager
def refusals_redacted(hide: Callable[[str], str]) -> Iterator[None]:
    """Hide what must not be seen in a refusal: it names what was typed, such as a program or a pattern."""
    try:
        yield
    except RegistryConfigError as error:
        error.args = (error.place, error.problem, error.remedy) = (
            hide(error.place),
            hide(error.problem),
            hide(error.remedy),
        )
        raise
