"""The commands of one plan, in order: resolved, given their credentials, run, stopped at the first that fails."""

from __future__ import annotations

import shlex

from registry_config.audience import called
from registry_config.credentials.selection import select
from registry_config.declaration.command import expand
from registry_config.errors import InputError
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple
from registry_config.results import CommandResult, Tail
from registry_config.tools.table import known_tool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from registry_config.credentials.reading import Credential
    from registry_config.credentials.redaction import Redactor
    from registry_config.declaration.command import Command
    from registry_config.plan import Plan, Runner, Workplace


_MAX_TITLE: Final = 300


class ResolvedCommand(NamedTuple):
    """What a command really is: its argument vector, and the credentials that its config holds."""

    arguments: tuple[str, ...]
    credentials: tuple[Credential, ...]


def resolve(command: Command, plan: Plan, find: Callable[[str], list[str]]) -> ResolvedCommand:
    """Replace the patterns of a command by names of files, and choose its credentials.

    Raises:
        InputError: no file matches a pattern, or the command names references that different credentials fit.
    """
    arguments = expand(command, find, plan.working_directory)
    by_path = any(credential.path for credential in plan.credentials) and _chooses_by_path(arguments[0])
    values = plan.variables.values()
    chosen = select(plan.credentials, arguments, values, by_path=by_path, place=command[0].place)
    return ResolvedCommand(arguments, chosen)


def _chooses_by_path(program: str) -> bool:
    tool = known_tool(program)
    return tool is not None and tool.chooses_by_path


def check_selection(plan: Plan) -> None:
    """Choose the credentials of every command before the first one runs.

    Raises:
        InputError: a command names references that different credentials fit.
    """
    for command in plan.commands:
        resolve(command, plan, _pattern_itself)


def check_known(plan: Plan) -> None:
    """Refuse a command of which nobody knows what it writes.

    Raises:
        InputError: its program is not in the table of tools, or its references are not known.
    """
    for command in plan.commands:
        tool = known_tool(command[0].text)
        if tool is None or tool.grammar is None:
            problem = f"nothing is known about what {command[0].text} writes"
            remedy = f"use a tool of docs/tools.md, or leave {called('skip-existing')} out"
            raise InputError(called("skip-existing"), problem, remedy)


def preview(plan: Plan, find: Callable[[str], list[str]]) -> tuple[ResolvedCommand, ...]:
    """What would run, as far as that can be told before.

    The patterns of the first command are those of files which have to be there; a later one may stand for files that
    an earlier command makes, so it is shown as it is where nothing matches.

    Raises:
        InputError: as `resolve`.
    """

    def find_or_show(pattern: str) -> list[str]:
        return find(pattern) or [pattern]

    return tuple(
        resolve(command, plan, find_or_show if position else find) for position, command in enumerate(plan.commands)
    )


def shown(command: ResolvedCommand, redactor: Redactor) -> str:
    """The command as one line for a person."""
    return redactor.text(shlex.join(command.arguments))


def title(command: ResolvedCommand, redactor: Redactor) -> str:
    """The command as the title of its output: in one line, not too long."""
    text = " ".join(shown(command, redactor).split())
    return text if len(text) <= _MAX_TITLE else f"{text[:_MAX_TITLE]}…"


def run_commands(
    plan: Plan,
    runner: Runner,
    find: Callable[[str], list[str]],
    redactor: Redactor,
    run: Callable[[ResolvedCommand], CommandResult],
) -> Iterator[CommandResult]:
    """Run a plan's commands, stopping at the first that fails and at a signal.

    Each result is given as soon as its command has ended: what comes after it, such as an engine that goes away, does
    not lose it.

    Args:
        plan: the commands.
        runner: tells of a signal that came between two commands.
        find: gives the files of the working directory that a pattern stands for.
        redactor: hides secrets in the words of a command that was refused.
        run: runs one command, as often as it takes.

    Raises:
        RegistryConfigError: the first command was refused; a later one that is refused gives its refusal as its result.
    """
    for position, command in enumerate(plan.commands):
        if runner.interrupted:
            return
        try:
            resolved = resolve(command, plan, find)
        except InputError as error:
            if not position:
                raise
            words = tuple(redactor.text(word.text) for word in command)
            yield CommandResult(words, error.exit_code, Tail(), Tail(), problem=str(error))
            return
        result = run(resolved)
        yield result
        if result.exit_code:
            return


class FreshCredentials(NamedTuple):
    """A workplace that gives each command the credentials of its moment.

    Attributes:
        inner: where the commands run.
        current: what stands for declared credentials now.
    """

    inner: Workplace
    current: Callable[[Iterable[Credential]], tuple[Credential, ...]]

    def find(self, pattern: str) -> list[str]:
        """See `plan.Workplace.find`."""
        return self.inner.find(pattern)

    def run(self, arguments: tuple[str, ...], credentials: tuple[Credential, ...]) -> CommandResult:
        """See `plan.Workplace.run`.

        Raises:
            RegistryConfigError: a credential has run out, and there is no other one.
        """
        return self.inner.run(arguments, self.current(credentials))


def _pattern_itself(pattern: str) -> list[str]:
    return [pattern]
