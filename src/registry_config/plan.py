"""What is to be run and what came of it: the values between the inputs, a runner and the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from registry_config.errors import EXIT_SIGNAL_BASE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import Self

    from registry_config.credentials.reading import Credential
    from registry_config.credentials.redaction import Redactor
    from registry_config.declaration.command import Command
    from registry_config.errors import RegistryConfigError

# The output `stdout` is cut to this many bytes, its end kept.
TAIL_BYTES: Final = 64 * 1024


class Plan(NamedTuple):
    """One run: commands in order, where, and with which credentials and variables."""

    commands: tuple[Command, ...]
    working_directory: str
    credentials: tuple[Credential, ...]
    variables: Mapping[str, str]
    secret_variables: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Plan({self.commands!r}, {self.working_directory!r}, {self.credentials!r}, …)"


class ImageSettings(NamedTuple):
    """How the image is to be used.

    Attributes:
        reference: the image, by tag or digest.
        credentials: those that may be used to pull it.
        use_entrypoint: put the image's entrypoint before each command.
        home: the variable `HOME` as declared for the command; empty for the image's own.
        exclude: globs, of dockerignore's syntax, that neither go to the engine nor come back.
        withheld: absolute paths of files that do not either.
    """

    reference: str
    credentials: tuple[Credential, ...]
    use_entrypoint: bool
    home: str
    exclude: tuple[str, ...]
    withheld: tuple[str, ...]


class Finished(NamedTuple):
    """One command that ran to its end.

    Attributes:
        arguments: its words, redacted.
        exit_code: its own, 127 or 126 where it could not be started, 128+n where signal n ended it.
        stdout: redacted; the last 64 KiB.
        stderr: redacted; the last 64 KiB.
        problem: why it could not be started, in our words.
    """

    arguments: tuple[str, ...]
    exit_code: int
    stdout: Tail
    stderr: Tail
    problem: str = ""

    @property
    def program(self) -> str:
        """The first word, without its folder."""
        return self.arguments[0].rpartition("/")[2]


def refused(command: Command, error: RegistryConfigError, redactor: Redactor) -> Finished:
    """A command that was refused after others had run, so that the report tells of those too."""
    words = tuple(redactor.text(word.text) for word in command)
    return Finished(words, error.exit_code, Tail(), Tail(), problem=str(error))


class Result(NamedTuple):
    """What came of a plan: the commands that ran, the last of them being the one that failed, if any did."""

    finished: tuple[Finished, ...]
    seconds: float
    signal_number: int = 0

    @property
    def exit_code(self) -> int:
        """That of the command which failed; 128+n where signal n reached us between two commands; else 0."""
        interrupted = EXIT_SIGNAL_BASE + self.signal_number if self.signal_number else 0
        return next((f.exit_code for f in self.finished if f.exit_code), interrupted)


class RunNotes(NamedTuple):
    """What a runner has to tell besides the result.

    Attributes:
        hidden_hosts: registries for which the user's own config has a login that the tool did not see.
        image: the tool image by digest.
        warnings: what the user should know.
    """

    hidden_hosts: frozenset[str] = frozenset()
    image: str = ""
    warnings: tuple[str, ...] = ()


class Tail:
    """Keeps the end of what is written to it."""

    def __init__(self, limit: int = TAIL_BYTES) -> None:
        self._limit = limit
        self._data = bytearray()
        self.total = 0

    def write(self, data: bytes) -> None:
        """Append `data`, dropping what no longer fits from the front."""
        self.total += len(data)
        self._data += data[-self._limit :]
        if len(self._data) > 2 * self._limit:
            del self._data[: -self._limit]

    def append(self, other: Tail) -> None:
        """Write what another tail has kept, and count what it has not."""
        self.write(other.data)
        self.total += other.total - len(other.data)

    @property
    def data(self) -> bytes:
        """The last bytes written."""
        return bytes(self._data[-self._limit :])

    @property
    def text(self) -> str:
        """The same as text, undecodable bytes replaced."""
        return self.data.decode("utf-8", "replace")

    @property
    def is_cut(self) -> bool:
        """Whether more was written than is kept."""
        return self.total > self._limit


class Output(Protocol):
    """Where the redacted output of a tool goes as it comes."""

    @property
    def stdout(self) -> Callable[[bytes], None]:
        """Takes bytes of the standard output."""

    @property
    def stderr(self) -> Callable[[bytes], None]:
        """Takes bytes of the standard error."""

    @property
    def progress(self) -> Callable[[bytes], None]:
        """Takes bytes that tell how an engine is getting on."""


class Runner(Protocol):
    """Executes plans, on this machine or in an image, several at a time if need be; to be entered first."""

    def __enter__(self) -> Self:
        """Get ready."""

    def __exit__(self, *exception: object) -> None:
        """Put everything away."""

    def run(self, plan: Plan, output: Output) -> Result:
        """Run the commands in order, stopping at the first that fails.

        Raises:
            InputError: a pattern matches no file.
            UnavailableError: something that the run needs cannot be had.
        """

    @property
    def notes(self) -> RunNotes:
        """What the last run has to tell besides its result."""

    def interrupt(self, signal_number: int) -> None:
        """Hand a signal to whatever runs now."""
