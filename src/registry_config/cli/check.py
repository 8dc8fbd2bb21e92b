"""What a run would do, said before anything runs: its plan, resolved as `run` resolves it; nothing is executed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from registry_config.commands import preview, shown
from registry_config.declaration.registries import parse_registries
from registry_config.declaration.registries_file import registries_text
from registry_config.docker_config import config_keys, environment
from registry_config.engine.mounts import CONFIG_FILE, REMOVED_VARIABLE, VARIABLES
from registry_config.execution import missing_programs
from registry_config.host.files import find_files
from registry_config.job import prepare
from registry_config.tools.table import known_tool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from registry_config.commands import ResolvedCommand
    from registry_config.declaration.inputs import Inputs, Origin
    from registry_config.declaration.registries import Declaration
    from registry_config.job import Job
    from registry_config.plan import Plan

_SOURCES: Final = {
    "password": "written here: the runner shows it unless it is a registered secret; password-env is safer",
    "password-env": "from a variable of the environment",
    "password-file": "from a file",
    "github-token": "the job's own token",
    "provider": "from its identity provider, during a run",
    "credential-helper": "from a credential helper, during a run",
}
_NOT_PROMISED: Final = (
    "that other processes of the same user cannot read our memory, or swap",
    "what a tool writes itself, such as a login inside the command",
    "in an image: that the engine keeps no variable of secret-env on its disk while the command runs",
    "in an image: that anything is encrypted on the way to an engine reached by plain tcp://",
    "what the runner prints of with: and env: before any code of ours runs",
    "that a password of fewer than 6 characters is hidden other than in its base64 form",
)


class Check(NamedTuple):
    """What a run would do.

    Attributes:
        declarations: the checked list.
        job: the same plan as that of `run`.
        commands: of each target, as they would run.
        warnings: what the user should know before the run.
    """

    declarations: tuple[Declaration, ...]
    job: Job
    commands: tuple[ResolvedCommand, ...]
    warnings: tuple[str, ...]


def check(inputs: Inputs, origin: Origin, environ: Mapping[str, str]) -> Check:
    """Resolve a run without executing anything.

    Raises:
        InputError: what the run would refuse.
        ProgramNotFoundError: likewise, where a program is not on this machine.
    """
    job = prepare(inputs, origin, environ)
    warnings = (*job.warnings, *missing_programs(job, environ))
    commands = [command for plan in job.plans for command in preview(plan, _finder(plan, job))]
    return Check(parse_registries(registries_text(inputs, origin)), job, tuple(commands), warnings)


def describe(checked: Check) -> Iterator[str]:
    """Lines that say what is declared, what is mounted where, what would run, and what is known about the tools."""
    declarations, job, commands, warnings = checked
    if not declarations:
        yield "no registries: the config holds no login"
    for declaration in declarations:
        yield from _entry(declaration)
    yield from _places(is_image=job.image is not None)
    for command in commands:
        yield "command"
        yield f"  {shown(command, job.redactor)}"
        yield from _tool(command.arguments[0], is_image=job.image is not None)
        yield "this command gets"
        yield f"  {', '.join(registries_of(command)) or 'no login'}"
    for warning in warnings:
        yield f"warning: {warning}"
    yield "not promised"
    for text in _NOT_PROMISED:
        yield f"  {text}"


def to_document(checked: Check) -> dict[str, object]:
    """The document of `--json`."""
    return {
        "registries": [declaration.registry for declaration in checked.declarations],
        "commands": [
            {"command": shown(command, checked.job.redactor), "registries": registries_of(command)}
            for command in checked.commands
        ],
        "warnings": list(checked.warnings),
    }


def registries_of(command: ResolvedCommand) -> list[str]:
    """Whose credentials a command gets, as messages name them."""
    return sorted(credential.registry for credential in command.credentials)


def _finder(plan: Plan, job: Job) -> Callable[[str], list[str]]:
    """In an image a pattern is matched there, where nothing is asked now."""
    if job.image is not None:
        return lambda pattern: [pattern]
    return lambda pattern: find_files(pattern, plan.working_directory)


def _entry(declaration: Declaration) -> Iterator[str]:
    yield declaration.registry
    yield f"  declared   {declaration.place()}"
    yield f"  user       {declaration.username or 'github.actor'}"
    yield f"  password   {_SOURCES[declaration.source.kind]}"
    yield f"  used for   {' and '.join(_uses(declaration))}"
    yield f"  keys       {' '.join(config_keys(declaration.host))}"


def _places(*, is_image: bool) -> Iterator[str]:
    yield "the config"
    if is_image:
        yield f"  {CONFIG_FILE} and $HOME/.docker/config.json, mounted read-only"
        yield f"  {' '.join(VARIABLES)} lead there; {REMOVED_VARIABLE} is removed"
    else:
        yield f"  in memory; {' '.join(environment(''))} lead to it"
        yield "  $HOME/.docker is left alone: its contexts, plug-ins and builders are there, its logins are hidden"


def _tool(program: str, *, is_image: bool) -> Iterator[str]:
    tool = known_tool(program)
    yield "the tool"
    if tool is None:
        yield "  nothing is known about this program; most read DOCKER_CONFIG"
        return
    yield f"  {program.rpartition('/')[2]} reads {tool.reads}"
    problem = tool.in_image if is_image else tool.on_host
    if problem:
        yield f"  will not work: {problem}"
    if tool.remark:
        yield f"  {tool.remark}"


def _uses(declaration: Declaration) -> Iterator[str]:
    if "image" in declaration.purposes:
        yield "pulling the tool image"
    if "command" in declaration.purposes:
        yield "the command"
