"""What is to be run, and what runs it: the values and the two interfaces between the inputs and a runner."""

from __future__ import annotations

import os

from registry_config.audience import called
from registry_config.errors import InputError
from registry_config.light_typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from typing_extensions import Self

    from registry_config.credentials.reading import Credential
    from registry_config.declaration.command import Command
    from registry_config.results import CommandResult, RunNotes


class Plan(NamedTuple):
    """One run: commands in order, where, and with which credentials and variables.

    Attributes:
        commands: in the order in which they run.
        working_directory: of all of them.
        credentials: those that a command may get; which one gets what is decided for each command.
        variables: for the commands' environment.
        secret_variables: likewise, their values never to be seen.
        target: the target that stands in the commands; empty for a run without targets.
        file: the file that stands in them; empty for a run without files.
        is_script: whether the command is a script, which may write outputs of its own.
        timeout: seconds after which one attempt of one command is ended; None for no limit.
    """

    commands: tuple[Command, ...]
    working_directory: str
    credentials: tuple[Credential, ...]
    variables: Mapping[str, str]
    secret_variables: Mapping[str, str]
    target: str = ""
    file: str = ""
    is_script: bool = False
    timeout: float | None = None

    @property
    def name(self) -> str:
        """Target and file, as messages name the run; empty for a run without either."""
        return " ".join(filter(None, (self.target, self.file)))

    def __repr__(self) -> str:
        return f"Plan({self.commands!r}, {self.working_directory!r}, {self.credentials!r}, …)"


def check_folder(plan: Plan) -> None:
    """See whether the working directory of a plan is there.

    Raises:
        InputError: it is not.
    """
    if not os.path.isdir(plan.working_directory):
        remedy = "make it first, or correct the path"
        raise InputError(called("working-directory"), "is not a folder that exists", remedy)


class ImageSettings(NamedTuple):
    """How the image is to be used.

    Attributes:
        reference: the image, by tag or digest.
        credentials: those that may be used to pull it.
        use_entrypoint: put the image's entrypoint before each command.
        home: the variable `HOME` as declared for the command; empty for the image's own.
        exclude: globs, of dockerignore's syntax, that neither go to the engine nor come back.
        excluded_files: absolute paths of files that do not either.
    """

    reference: str
    credentials: tuple[Credential, ...]
    use_entrypoint: bool
    home: str
    exclude: tuple[str, ...]
    excluded_files: tuple[str, ...]


class Output(Protocol):
    """Where the redacted output of a tool goes as it comes."""

    @property
    def stdout(self) -> Callable[[bytes], None]:
        """Takes bytes of the standard output."""

    @property
    def stderr(self) -> Callable[[bytes], None]:
        """Takes bytes of the standard error."""

    @property
    def title(self) -> Callable[[str], None]:
        """Takes the command whose output follows, in one redacted line."""

    @property
    def detail(self) -> Callable[[str], None]:
        """Takes a redacted line for those who asked for all there is to know."""

    @property
    def engine_log(self) -> Callable[[bytes], None]:
        """Takes bytes of the engine's own log."""


class Workplace(Protocol):
    """Where the commands of one plan run one after the other: this machine, or a container of the image."""

    def find(self, pattern: str) -> list[str]:
        """The files of the working directory that a pattern stands for, as Python's `glob` finds them."""

    def run(self, arguments: tuple[str, ...], credentials: tuple[Credential, ...]) -> CommandResult:
        """Run one command, once, with these credentials in its config.

        A command that fails may be run again; it starts from the state that the last good one left.

        Raises:
            UnavailableError: something that the command needs cannot be had.
        """


class Runner(Protocol):
    """Gives plans a place to run in, several at a time if need be; to be entered first."""

    def __enter__(self) -> Self:
        """Connect to an engine and pull the image, where these are needed."""

    def __exit__(self, *exception: object) -> None:
        """Close what was opened."""

    def workplace(self, plan: Plan, output: Output) -> AbstractContextManager[Workplace]:
        """A place for the commands of one plan; changed files are brought back at its end.

        Raises:
            InputError: the working directory does not exist.
            SecretFileError: at the end: a file that came back held a secret; it was deleted.
            UnavailableError: something that the run needs cannot be had.
        """

    @property
    def interrupted(self) -> int:
        """The last signal that was handed to it; 0 for none."""

    @property
    def notes(self) -> RunNotes:
        """What there is to tell besides the results, so far."""

    def interrupt(self, signal_number: int) -> None:
        """Hand a signal to whatever runs now."""
