"""Everything between the inputs and the run: credentials read and checked, the plans made, what must not be seen."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from registry_config.commands import check_selection
from registry_config.credentials.encodings import all_encodings
from registry_config.credentials.exposure import refuse_secrets_in_words
from registry_config.credentials.reading import (
    Credential,
    JobToken,
    MissingSecretError,
    password_variables,
    read_credential,
    warnings_of,
)
from registry_config.credentials.redaction import Redactor
from registry_config.declaration.command import Command, literal, parse_commands
from registry_config.declaration.inputs import ID_TOKEN_VARIABLES, RUNNER_FILES, Inputs, Origin, declared_variables
from registry_config.declaration.registries import Declaration, decode, parse_registries, refuse_in_file
from registry_config.declaration.sources import KEYLESS_KINDS
from registry_config.errors import InputError
from registry_config.plan import ImageSettings, Plan
from registry_config.targets import for_target
from registry_config.tools.cosign import TOKEN_VARIABLE, needs_id_token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from registry_config.credentials.keyless import Wanted

# Events whose workflow runs with secrets over files that somebody else may have written.
_UNTRUSTED_EVENTS: Final = ("pull_request_target", "workflow_run", "issue_comment", "issues", "discussion_comment")
_LOOPBACK: Final = re.compile(r"tcp://(?:localhost|127\.[0-9.]+|\[::1\])(?::|$)")
_FORK_REMEDY: Final = "secrets are empty in pull requests from forks and by Dependabot: set on-missing: skip"
# Shells whose options GitHub sets too, or that fail in a pipeline only where they are told to.
_SHELL_OPTIONS: Final = {
    "bash": ("--noprofile", "--norc", "-eo", "pipefail"),
    "zsh": ("-e", "-o", "pipefail"),
    "ksh": ("-e", "-o", "pipefail"),
}


class Job(NamedTuple):
    """A run that passed every check.

    Attributes:
        plans: what to run, one for each target; one without a target otherwise.
        image: which image to run it in; None for this machine.
        forms: every byte string that GitHub is to mask.
        redactor: hides them.
        hidden_variables: variables that no child may find.
        registries: what was declared for the command, as messages name it.
        warnings: what the user should know before the run.
        skip_reason: why nothing is to be run; empty otherwise.
        keyless: credentials that are still to be obtained; None where there are none.
    """

    plans: tuple[Plan, ...]
    image: ImageSettings | None
    forms: frozenset[bytes]
    redactor: Redactor
    hidden_variables: frozenset[str]
    registries: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    skip_reason: str = ""
    keyless: Wanted | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets; none for a run without them."""
        return tuple(plan.target for plan in self.plans if plan.target)

    def __repr__(self) -> str:
        return f"Job({self.plans!r}, …)"


def prepare(inputs: Inputs, origin: Origin, environ: Mapping[str, str]) -> Job:
    """Check everything that can be checked before anything starts.

    Args:
        inputs: the settings.
        origin: what GitHub says of the run.
        environ: the environment of the step, for the variables that the inputs name.

    Raises:
        InputError: with the place of the first fault.
    """
    declarations = parse_registries(registries_text(inputs, origin))
    plain, secret = declared_variables(inputs, environ)
    commands = _commands(inputs, plain)
    credentials, missing, keyless = _read_all(declarations, inputs, origin, environ)
    if missing and inputs.on_missing == "fail":
        first = missing[0]
        is_empty = type(first) is MissingSecretError and origin.lacks_secrets
        raise type(first)(first.place, first.problem, _FORK_REMEDY if is_empty else first.remedy)
    others = [*_checked_secrets(secret), *(keyless.secrets if keyless else ())]
    redactor = Redactor(all_encodings(credentials, others))
    _refuse_secrets_in(plain, redactor)
    plan = Plan(
        commands=commands,
        working_directory=inputs.working_directory,
        credentials=tuple(c for c in credentials if "command" in c.purposes),
        variables=plain,
        secret_variables=secret,
    )
    plans = tuple(for_target(plan, target) for target in inputs.targets) or (plan,)
    for each in plans:
        refuse_secrets_in_words(each.commands, redactor)
        check_selection(each)
    return Job(
        plans=plans,
        image=_image(inputs, declarations, credentials, home=plain.get("HOME", "")),
        forms=all_encodings(credentials, others, single=True),
        redactor=redactor,
        hidden_variables=frozenset({*inputs.hidden_variables, *_hidden(declarations)} - set(secret)),
        registries=tuple(credential.registry for credential in plan.credentials),
        warnings=(
            *_secret_warnings(credentials, declarations),
            *_engine_warnings(inputs, environ),
            *_signing_warnings(plan, inputs, origin, declarations),
        ),
        skip_reason=f"{missing[0].place}: {missing[0].problem}; nothing was run (on-missing: skip)" if missing else "",
        keyless=keyless,
    )


def _image(
    inputs: Inputs, declarations: tuple[Declaration, ...], credentials: tuple[Credential, ...], *, home: str
) -> ImageSettings | None:
    if not inputs.image:
        return None
    files = [d.source.value for d in declarations if d.source.kind == "password-file"]
    files += filter(None, (inputs.registries_file, *inputs.excluded_files))
    return ImageSettings(
        reference=inputs.image,
        credentials=tuple(c for c in credentials if "image" in c.purposes),
        use_entrypoint=inputs.use_entrypoint,
        home=home,
        exclude=inputs.exclude,
        excluded_files=tuple(map(os.path.abspath, files)),
    )


def registries_text(inputs: Inputs, origin: Origin) -> str:
    """The declaration as it was written, from the input or from its file.

    Raises:
        InputError: the file cannot be read, or must not be used here.
    """
    if not inputs.registries_file:
        return inputs.registries
    place = "registries-file"
    path = os.path.normpath(os.path.join(os.path.realpath("."), inputs.registries_file))
    if os.path.realpath(path) != path:
        raise InputError(place, "is or passes a link", "give the real path")
    workspace = os.path.realpath(origin.workspace or ".")
    if origin.event in _UNTRUSTED_EVENTS and os.path.commonpath([workspace, path]) == workspace:
        problem = f"lies in the workspace, which another's commit may have written ({origin.event})"
        raise InputError(place, problem, "use registries, or a file from elsewhere")
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            text = decode(file.read(), place)
    except OSError as error:
        raise InputError(place, f"cannot be read ({(error.strerror or 'unknown').lower()})") from None
    refuse_in_file(parse_registries(text))
    return text


def _commands(inputs: Inputs, variables: Mapping[str, str]) -> tuple[Command, ...]:
    if inputs.shell:
        script = inputs.argv[0] if inputs.argv is not None else inputs.command
        options = _SHELL_OPTIONS.get(os.path.basename(inputs.shell), ("-e",))
        return (literal((inputs.shell, *options, "-c", script)),)
    if inputs.argv is not None:
        return (literal(inputs.argv),)
    # `check` describes a declaration without a command too.
    return parse_commands(inputs.command, variables, has_entrypoint=inputs.use_entrypoint) if inputs.command else ()


def _read_all(
    declarations: tuple[Declaration, ...], inputs: Inputs, origin: Origin, environ: Mapping[str, str]
) -> tuple[tuple[Credential, ...], list[MissingSecretError], Wanted | None]:
    """The credentials, with a placeholder for each that is to be obtained; what is empty; what is to be obtained."""
    token = JobToken(username=origin.actor, secret=inputs.github_token, server=origin.server)
    credentials: list[Credential] = []
    missing: list[MissingSecretError] = []
    wanted: Wanted | None = None
    for declaration in declarations:
        try:
            if declaration.source.kind in KEYLESS_KINDS:
                from registry_config.credentials.entries import add_entry  # noqa: PLC0415  (few jobs have one)

                wanted = add_entry(wanted, declaration, environ, origin)
                credentials.append(wanted.entries[-1].placeholder)
            else:
                credentials.append(read_credential(declaration, environ, token))
        except MissingSecretError as error:
            missing.append(error)
    return tuple(credentials), missing, wanted


def _checked_secrets(secret: Mapping[str, str]) -> list[str]:
    for name, value in secret.items():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InputError("secret-env", f"the value of {name} is not valid UTF-8") from None
    return [value for value in secret.values() if value]


def _refuse_secrets_in(plain: Mapping[str, str], redactor: Redactor) -> None:
    for name, value in plain.items():
        if redactor.holds(os.fsencode(value)):
            raise InputError("env", f"the value of {name} contains a secret", "use secret-env")


def _secret_warnings(credentials: tuple[Credential, ...], declarations: tuple[Declaration, ...]) -> Iterator[str]:
    by_registry = {(d.host, d.path, d.purposes): d for d in declarations}
    found = (w for c in credentials for w in warnings_of(by_registry[c.host, c.path, c.purposes], c.secret))
    # The hosts of one entry share its password.
    yield from dict.fromkeys(found)


def _hidden(declarations: tuple[Declaration, ...]) -> set[str]:
    id_tokens = ID_TOKEN_VARIABLES if _has_provider(declarations) else ()
    return {*password_variables(declarations), *RUNNER_FILES, *id_tokens}


def _has_provider(declarations: tuple[Declaration, ...]) -> bool:
    return any(declaration.provider for declaration in declarations)


def _signing_warnings(plan: Plan, inputs: Inputs, origin: Origin, declarations: tuple[Declaration, ...]) -> list[str]:
    """A keyless signature needs the job's right to ID tokens, which the command does not find by itself."""
    given = {*plan.variables, *plan.secret_variables}
    withdrawn = all(origin.id_tokens) and (inputs.image or _has_provider(declarations))
    if not withdrawn or {*ID_TOKEN_VARIABLES} <= given or TOKEN_VARIABLE in given:
        return []
    entrypoint = ("cosign",) if inputs.use_entrypoint and "cosign" in inputs.image else ()
    if not any(needs_id_token((*entrypoint, *(word.text for word in command))) for command in plan.commands):
        return []
    url, token = ID_TOKEN_VARIABLES
    on_command_line = f"-e {url} --secret-env {token}"
    lines = on_command_line if inputs.argv is not None else f"the lines 'env: {url}' and 'secret-env: {token}'"
    return [f"command: cosign has no key, and does not find the job's right to ID tokens; add {lines}"]


def _engine_warnings(inputs: Inputs, environ: Mapping[str, str]) -> list[str]:
    host = environ.get("_EXPERIMENTAL_DAGGER_RUNNER_HOST", "")
    if inputs.image and host.startswith("tcp://") and not _LOOPBACK.match(host):
        return ["engine: credentials travel to it unencrypted by plain tcp://; use tls://, ssh:// or kube-pod://"]
    return []
