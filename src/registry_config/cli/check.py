"""What a run would do, said before anything runs: its plan, resolved as `run` resolves it; nothing is executed."""

from __future__ import annotations

from registry_config.asking import ask
from registry_config.commands import preview, shown
from registry_config.declaration.registries import parse_registries
from registry_config.declaration.registries_file import registries_text
from registry_config.docker_config import config_keys, environment
from registry_config.engine.mounts import CONFIG_FILE, REMOVED_VARIABLE, VARIABLES
from registry_config.errors import ProgramNotFoundError
from registry_config.execution import check_machine
from registry_config.host.files import find_files
from registry_config.host.process_environment import scrub_environment
from registry_config.job import prepare
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple
from registry_config.oci.verdicts import lines, records
from registry_config.tools.plain_http import plain_http_option
from registry_config.tools.table import ca_variables, daemon_ca_file, known_tool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, MutableMapping

    from registry_config.commands import ResolvedCommand
    from registry_config.declaration.inputs import Inputs, Origin
    from registry_config.declaration.registries import Declaration
    from registry_config.job import Job
    from registry_config.observer import Observer
    from registry_config.oci.entry import Row
    from registry_config.plan import Plan
    from registry_config.preflight import VerificationError

_SOURCES: Final = {
    "password": "written in the list; password-env keeps it out of there",
    "password-env": "from a variable of the environment",
    "password-file": "from a file",
    "github-token": "from the variable of --github-token-env",
    "provider": "from its identity provider, during a run",
    "credential-helper": "from a credential helper, during a run",
}
# Where the entry names none.
_USERS: Final = {
    "github-token": "that of GITHUB_ACTOR",
    "provider": "given by the provider",
    "credential-helper": "given by the helper",
}
_NOT_PROMISED: Final = (
    "that other processes of the same user cannot read our memory, or swap",
    "what a tool writes itself, such as a login inside the command",
    "in an image: that the engine keeps no variable of --secret-env on its disk while the command runs",
    "in an image: that anything is encrypted on the way to an engine reached by plain tcp://",
    "in a workflow: what the runner prints of with: and env: before any code of ours runs",
    "that a password of fewer than 6 characters is hidden other than in its base64 form",
)


class Check(NamedTuple):
    """What a run would do.

    Attributes:
        declarations: the checked list.
        job: the same plan as that of `run`.
        commands: of each target, as they would run.
        warnings: what the user should know before the run.
        rows: what the registries say.
        refusal: why nothing would run: a program is not there, or the registries refuse.
    """

    declarations: tuple[Declaration, ...]
    job: Job
    commands: tuple[ResolvedCommand, ...]
    warnings: tuple[str, ...]
    rows: tuple[Row, ...] = ()
    refusal: ProgramNotFoundError | VerificationError | None = None


def check(inputs: Inputs, origin: Origin, environ: MutableMapping[str, str], observer: Observer) -> Check:
    """Resolve a run without executing anything; with `verify` the registries are asked.

    Args:
        inputs: as for a run.
        origin: what GitHub says of the run.
        environ: the process's own environment; what no child may find is taken out of it.
        observer: who is told of what providers give.

    Raises:
        InputError: what the run would refuse.
        ProviderRefusedError: likewise, where a credential cannot be obtained.
        UnavailableError: likewise, where a provider cannot be asked.
    """
    job = prepare(inputs, origin, environ)
    found, refusal = _on_machine(job, environ)
    warnings = (*job.warnings, *job.notices, *found, *_missing_helpers(job, environ))
    if job.skip_reason:
        warnings += (job.skip_reason,)
    commands = [command for plan in job.plans for command in preview(plan, _finder(plan, job))]
    declarations = parse_registries(registries_text(inputs, origin))
    checked = Check(declarations, job, tuple(commands), warnings, refusal=refusal)
    if inputs.verify == "off" or job.skip_reason or refusal:
        return checked
    scrub_environment(job.hidden_variables, environ)
    return _asked(checked, inputs, environ, observer)


def _on_machine(job: Job, environ: Mapping[str, str]) -> tuple[tuple[str, ...], ProgramNotFoundError | None]:
    """Warnings, and what a run here would refuse: on another machine than the job's the rest is worth knowing too."""
    try:
        return check_machine(job, environ), None
    except ProgramNotFoundError as error:
        return (), error


def _missing_helpers(job: Job, environ: Mapping[str, str]) -> Iterator[str]:
    """Credential helpers that no folder of PATH has, each in a line."""
    if job.keyless is None:
        return
    from registry_config.credentials.helper import find_helper, missing_helper  # noqa: PLC0415  (few declarations have one)
    from registry_config.credentials.keyless import HelperRequest  # noqa: PLC0415  (likewise)

    path, outside = environ.get("PATH", ""), job.keyless.outside
    for request in (entry.request for entry in job.keyless.entries):
        if isinstance(request, HelperRequest) and not find_helper(request.helper, path, outside):
            yield str(missing_helper(request.place))


def _asked(checked: Check, inputs: Inputs, environ: Mapping[str, str], observer: Observer) -> Check:
    from registry_config.preflight import VerificationError  # noqa: PLC0415  (only where registries are asked)

    warnings = list(checked.warnings)
    try:
        rows = ask(checked.job, inputs, environ, observer._replace(on_warning=warnings.append)).rows
        refusal = None
    except VerificationError as error:
        rows, refusal = error.rows, error
    return checked._replace(rows=rows, refusal=refusal, warnings=tuple(warnings))


def describe(checked: Check) -> Iterator[str]:
    """Lines that say what is declared, what is mounted where, what would run, and what is known about the tools."""
    declarations, job, commands, warnings, *_ = checked
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
        yield from _connections(command)
    if checked.rows:
        yield "the registries say"
    for line in lines(checked.rows):
        yield f"  {line}"
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
        "verify": records(checked.rows),
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
    yield f"  user       {declaration.username or _USERS[declaration.source.kind]}"
    yield f"  password   {_SOURCES[declaration.source.kind]}"
    yield f"  used for   {' and '.join(_uses(declaration))}"
    yield f"  keys       {' '.join(config_keys(declaration.host))}"
    if declaration.ca_file:
        yield f"  ca-file    {declaration.ca_file}"
    if declaration.realm:
        yield f"  realm      {declaration.realm}, which may be given the password too"
    if declaration.plain_http:
        yield "  plain HTTP by our own requests, and by the tool where its option says so"


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


def _connections(command: ResolvedCommand) -> Iterator[str]:
    """What a command needs for registries with a private authority or plain HTTP."""
    program = command.arguments[0]
    tool = known_tool(program)
    for credential in command.credentials:
        host = credential.host
        if credential.ca_file and (variables := ca_variables(program)):
            yield f"  {host}: its ca-file is trusted by {' '.join(variables)}, for every host that the command asks"
        elif credential.ca_file:
            yield f"  {host}: its ca-file cannot be given to this tool; put it in {daemon_ca_file(host)}"
        if credential.plain_http and tool and tool.plain_http:
            option = plain_http_option(tool, command.arguments, host)
            yield f"  {host}: speaks plain HTTP, which the tool does with {option} only"
        elif credential.plain_http:
            yield f"  {host}: speaks plain HTTP; see that the command has the tool's option for that"


def _uses(declaration: Declaration) -> Iterator[str]:
    if "image" in declaration.purposes:
        yield "pulling the tool image"
    if "command" in declaration.purposes:
        yield "the command"
