"""What came of a plan: of each command, of all of them, and what the runner has to tell besides."""

from __future__ import annotations

from registry_config.errors import EXIT_SIGNAL_BASE
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from registry_config.credentials.reading import Credential
    from registry_config.errors import RegistryConfigError

# The output `stdout` is cut to this many bytes, its end kept.
TAIL_BYTES: Final = 64 * 1024


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


NO_OUTPUTS: Final[Mapping[str, str]] = {}


class CommandResult(NamedTuple):
    """What came of one command.

    Attributes:
        arguments: its words, redacted.
        exit_code: its own, 127 or 126 where it could not be started, 128+n where signal n ended it.
        stdout: of the last attempt, redacted; the last 64 KiB.
        stderr: likewise.
        problem: why it could not be started, in our words.
        credentials: those that its config held.
        attempts: how many times it was run.
        outputs: what a script wrote to the `GITHUB_OUTPUT` of its own, in its last attempt.
        exists: it did not run, as everything that it writes is there already.
        file_digests: those that the tool wrote into a file which the command names.
        warnings: what the user should know of it.
    """

    arguments: tuple[str, ...]
    exit_code: int
    stdout: Tail
    stderr: Tail
    problem: str = ""
    credentials: tuple[Credential, ...] = ()
    attempts: int = 1
    outputs: Mapping[str, str] = NO_OUTPUTS
    file_digests: tuple[str, ...] = ()
    exists: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def program(self) -> str:
        """The first word, without its folder."""
        return self.arguments[0].rpartition("/")[2]


class PlanResult(NamedTuple):
    """What came of a plan: the commands that ran, the last of them being the one that failed, if any did.

    Attributes:
        commands: in the order in which they ran.
        signal_number: of a signal that came meanwhile; 0 for none.
        planned: how many commands the plan has.
    """

    commands: tuple[CommandResult, ...] = ()
    signal_number: int = 0
    planned: int = 0

    @property
    def exit_code(self) -> int:
        """That of the command which failed; 128+n where signal n reached us between two commands; else 0."""
        interrupted = EXIT_SIGNAL_BASE + self.signal_number if self.signal_number else 0
        return next((command.exit_code for command in self.commands if command.exit_code), interrupted)

    @property
    def failed(self) -> CommandResult | None:
        """The command that failed; None where none did."""
        return self.commands[-1] if self.commands and self.commands[-1].exit_code else None


class TargetResult(NamedTuple):
    """What came of one target, of one file, or of one pair of both.

    Attributes:
        target: as declared; empty for a run without targets.
        result: what its commands did before the end or the refusal; None where it was never begun.
        attempts: how many times its commands were run, retries of single commands counted; 0 where it was never begun.
        seconds: from its start to its end, waiting included.
        error: why it was refused.
        file: as found; empty for a run without files.
        digests: as the registries answer them; None where they were not asked.
        warnings: what the user should know of these.
        is_skipped: it was left out, as an optional entry has no secret.
    """

    target: str
    result: PlanResult | None
    attempts: int
    seconds: float
    error: RegistryConfigError | None = None
    file: str = ""
    digests: tuple[str, ...] | None = None
    warnings: tuple[str, ...] = ()
    is_skipped: bool = False

    @property
    def name(self) -> str:
        """Target and file, as messages name them; empty for a run without either."""
        return " ".join(filter(None, (self.target, self.file)))

    @property
    def exit_code(self) -> int | None:
        """What the process would answer for this target alone; None where it was never begun."""
        if self.error is not None:
            return self.error.exit_code
        return self.result.exit_code if self.result is not None else None


class RunNotes(NamedTuple):
    """What a runner has to tell besides the results.

    Attributes:
        hidden_hosts: registries for which the user's own config has a login that the tool did not see.
        image: the tool image by digest.
        warnings: what the user should know.
    """

    hidden_hosts: frozenset[str] = frozenset()
    image: str = ""
    warnings: tuple[str, ...] = ()
