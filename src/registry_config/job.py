"""Everything between the inputs and the run: credentials read and checked, the plans made, what must not be seen."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from registry_config.commands import check_selection
from registry_config.credentials.cautions import warnings_of
from registry_config.credentials.encodings import all_encodings
from registry_config.credentials.exposure import refuse_secrets_in_words
from registry_config.credentials.kept_logins import NO_USER_CONFIG, UserConfig, read_user_config
from registry_config.credentials.reading import (
    Credential,
    JobToken,
    MissingSecretError,
    password_variables,
    read_credential,
)
from registry_config.credentials.redaction import Redactor
from registry_config.declaration.command import Command, literal, parse_commands
from registry_config.declaration.inputs import ID_TOKEN_VARIABLES, RUNNER_FILES, Inputs, Origin, declared_variables
from registry_config.declaration.registries import Declaration, decode, parse_registries, refuse_in_file
from registry_config.declaration.sources import KEYLESS_KINDS
from registry_config.errors import InputError
from registry_config.host.runner import find_files
from registry_config.plan import ImageSettings, Plan
from registry_config.targets import for_pair
from registry_config.tools.cosign import signing_warnings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from registry_config.credentials.keyless import Wanted

# Events whose workflow runs with secrets over files that somebody else may have written.
_UNTRUSTED_EVENTS: Final = ("pull_request_target", "workflow_run", "issue_comment", "issues", "discussion_comment")
_LOOPBACK: Final = re.compile(r"tcp://(?:localhost|127\.[0-9.]+|\[::1\])(?::|$)")
_SHELL_SAFE: Final = re.compile(r"[A-Za-z0-9._/+@-]+")
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
        plans: what to run, one for each pair of target and file; one plan where there are neither.
        image: which image to run it in; None for this machine.
        forms: every byte string that GitHub is to mask.
        redactor: hides them.
        hidden_variables: variables that no child may find.
        registries: what was declared for the command, as messages name it.
        warnings: what the user should know before the run.
        skip_reason: why nothing is to be run; empty otherwise.
        keyless: credentials that are still to be obtained; None where there are none.
        user_config: what the user's own config holds, for a run on this machine.
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
    user_config: UserConfig = NO_USER_CONFIG

    @property
    def names(self) -> tuple[str, ...]:
        """Targets and files of the plans; none for a run without either."""
        return tuple(plan.name for plan in self.plans if plan.name)

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
    _refuse_missing(missing, inputs, origin)
    user = NO_USER_CONFIG if inputs.image else read_user_config(environ, keep=inputs.keep_logins)
    others = (*_checked_secrets(secret), *user.secrets, *(keyless.secrets if keyless else ()))
    redactor = Redactor(all_encodings((*credentials, *user.credentials), others))
    _refuse_secrets_in(plain, redactor)
    plan = Plan(
        commands=commands,
        working_directory=inputs.working_directory,
        credentials=tuple(c for c in credentials if "command" in c.purposes),
        variables=plain,
        secret_variables=secret,
        is_script=bool(inputs.shell),
        timeout=inputs.timeout,
    )
    plans = tuple(for_pair(plan, target, file) for file in _files(inputs) for target in inputs.targets or ("",))
    for each in plans:
        refuse_secrets_in_words(each.commands, redactor)
        check_selection(each)
    return Job(
        plans=plans,
        image=_image(inputs, declarations, credentials, home=plain.get("HOME", "")),
        forms=all_encodings((*credentials, *user.credentials), others, single=True),
        redactor=redactor,
        hidden_variables=frozenset({*inputs.hidden_variables, *_hidden(declarations)} - set(secret)),
        registries=tuple(credential.registry for credential in plan.credentials),
        warnings=(
            *_secret_warnings(credentials, declarations),
            *user.warnings,
            *_engine_warnings(inputs, environ),
            *signing_warnings(plan, inputs, origin, has_provider=_has_provider(declarations)),
        ),
        skip_reason=f"{missing[0].place}: {missing[0].problem}; nothing was run (on-missing: skip)" if missing else "",
        keyless=keyless,
        user_config=user,
    )


def prepare_agent(inputs: Inputs, origin: Origin, environ: Mapping[str, str]) -> tuple[Job, tuple[str, ...]]:
    """The job of an agent, which holds the credentials of its plan and runs nothing.

    Args:
        inputs: the settings; no command among them.
        origin: what GitHub says of the run.
        environ: the environment of the step.

    Returns:
        The job, and lines about what is left out.

    Raises:
        InputError: with the place of the first fault.
    """
    declarations = parse_registries(registries_text(inputs, origin))
    for declaration in declarations:
        if declaration.path and "command" in declaration.purposes:
            problem = "has a path, and without a command nothing can choose by it"
            raise InputError(declaration.place("registry"), problem, "leave the path out, or use run")
    left_out = [d for d in declarations if "command" not in d.purposes]
    notices = tuple(f"{d.place()}: {d.registry} is for the image only, so it is left out" for d in left_out)
    return prepare(inputs, origin, environ), notices


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
        raise InputError(place, f"cannot be read ({(error.strerror or 'unknown').lower()})", "check the path") from None
    refuse_in_file(parse_registries(text))
    return text


def _files(inputs: Inputs) -> tuple[str, ...]:
    """The files that the patterns stand for, each once; one empty name for a run without files."""
    found: dict[str, None] = {}
    for line, pattern in enumerate(inputs.files, 1):
        place = f"files (line {line})"
        names = sorted(find_files(pattern, inputs.working_directory))
        if not names:
            problem = f"no file matches {pattern} in the folder {inputs.working_directory}"
            raise InputError(place, problem, "check the pattern, and that an earlier step makes the files")
        if inputs.shell and not all(map(_SHELL_SAFE.fullmatch, names)):
            problem = "matches a file whose name a shell could take for more than a name"
            raise InputError(place, problem, "use names of letters, digits and . _ / + @ -, or no shell")
        # A name that begins with a dash would be an option.
        found.update(dict.fromkeys(f"./{name}" if name.startswith("-") else name for name in names))
    return tuple(found) or ("",)


def _commands(inputs: Inputs, variables: Mapping[str, str]) -> tuple[Command, ...]:
    if inputs.shell:
        script = inputs.argv[0] if inputs.argv is not None else inputs.command
        options = _SHELL_OPTIONS.get(os.path.basename(inputs.shell), ("-e",))
        return (literal((inputs.shell, *options, "-c", script)),)
    if inputs.argv is not None:
        return (literal(inputs.argv),)
    # `check` describes a declaration without a command too.
    return parse_commands(inputs.command, variables, has_entrypoint=inputs.use_entrypoint) if inputs.command else ()


def _refuse_missing(missing: list[MissingSecretError], inputs: Inputs, origin: Origin) -> None:
    if missing and inputs.on_missing == "fail":
        first = missing[0]
        is_empty = type(first) is MissingSecretError and origin.lacks_secrets
        raise type(first)(first.place, first.problem, _FORK_REMEDY if is_empty else first.remedy)


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
            raise InputError("secret-env", f"the value of {name} is not valid UTF-8", "give it as base64") from None
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


def _engine_warnings(inputs: Inputs, environ: Mapping[str, str]) -> list[str]:
    host = environ.get("_EXPERIMENTAL_DAGGER_RUNNER_HOST", "")
    if inputs.image and host.startswith("tcp://") and not _LOOPBACK.match(host):
        return ["engine: credentials travel to it unencrypted by plain tcp://; use tls://, ssh:// or kube-pod://"]
    return []
