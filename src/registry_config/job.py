"""Everything between the inputs and the run: credentials read and checked, the plan made, what must not be seen."""

from __future__ import annotations

import json
import os
import re
import shlex
from typing import TYPE_CHECKING, Final, NamedTuple

from registry_config.credentials.encodings import all_forms, is_short
from registry_config.credentials.reading import (
    Credential,
    JobToken,
    MissingSecretError,
    password_variables,
    read_credential,
)
from registry_config.credentials.redaction import Redactor
from registry_config.declaration.command import Command, Word, literal, parse_commands
from registry_config.declaration.inputs import RUNNER_FILES, UNTRUSTED_EVENTS, Inputs, declared_variables, own_variables
from registry_config.declaration.registries import Declaration, decode, parse_registries
from registry_config.errors import InputError
from registry_config.plan import ImageSettings, Plan
from registry_config.targets import for_target

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOOPBACK: Final = re.compile(r"tcp://(?:localhost|127\.[0-9.]+|\[::1\])(?::|$)")
_FORK_REMEDY: Final = "secrets are empty in pull requests from forks and by Dependabot: set on-missing: skip"


class Job(NamedTuple):
    """A run that passed every check.

    Attributes:
        plan: what to run.
        targets: run it once for each; empty for once.
        image: which image to run it in; None for this machine.
        forms: every byte string that must not be seen.
        redactor: hides them.
        withdrawn: variables that no child may find.
        warnings: what the user should know before the run.
        skip_reason: why nothing is to be run; empty otherwise.
    """

    plan: Plan
    targets: tuple[str, ...]
    image: ImageSettings | None
    forms: frozenset[bytes]
    redactor: Redactor
    withdrawn: frozenset[str]
    warnings: tuple[str, ...] = ()
    skip_reason: str = ""

    def __repr__(self) -> str:
        return f"Job({self.plan!r}, …)"


def prepare(
    inputs: Inputs, environ: Mapping[str, str], *, withdrawn: tuple[str, ...] = (), withheld: tuple[str, ...] = ()
) -> Job:
    """Check everything that can be checked before anything starts.

    Args:
        inputs: the settings.
        environ: the environment of the step.
        withdrawn: further variables to keep from every child.
        withheld: further files to keep from every image.

    Raises:
        InputError: with the place of the first fault.
    """
    declarations = parse_registries(_registries_text(inputs, environ))
    plain, secret = declared_variables(inputs, environ)
    commands = _commands(inputs, plain)
    credentials, missing = _read_all(declarations, inputs, environ)
    if missing and inputs.on_missing == "fail":
        raise InputError(
            missing[0].place, missing[0].problem, _FORK_REMEDY if _is_foreign(environ) else missing[0].remedy
        )
    forms = all_forms(credentials, _checked_secrets(secret))
    redactor = Redactor(forms)
    _refuse_secrets_in(plain, redactor)
    hidden = {*own_variables(environ), *password_variables(declarations), *RUNNER_FILES, *withdrawn} - set(secret)
    return Job(
        plan=Plan(
            commands=commands,
            working_directory=inputs.working_directory,
            credentials=tuple(c for c in credentials if "command" in c.purposes),
            variables=plain,
            secret_variables=secret,
        ),
        targets=inputs.targets,
        image=_image(inputs, declarations, credentials, withheld, home=plain.get("HOME", "")),
        forms=forms,
        redactor=redactor,
        withdrawn=frozenset(hidden),
        warnings=(*_short_secrets(credentials, declarations), *_engine_warnings(inputs, environ)),
        skip_reason=f"{missing[0]}; nothing was run (on-missing: skip)" if missing else "",
    )


def planned(job: Job) -> tuple[str, ...]:
    """What a job would run, a line for each command and target."""
    plans = [for_target(job.plan, target) for target in job.targets] or [job.plan]
    lines = [" ".join(map(_shown, command)) for plan in plans for command in plan.commands]
    return tuple(map(job.redactor.text, lines))


def _shown(word: Word) -> str:
    return shlex.quote(word.text) if word.pattern is None else word.text


def _image(
    inputs: Inputs,
    declarations: tuple[Declaration, ...],
    credentials: tuple[Credential, ...],
    withheld: tuple[str, ...],
    *,
    home: str,
) -> ImageSettings | None:
    if not inputs.image:
        return None
    files = [d.source.value for d in declarations if d.source.kind == "password-file"]
    files += filter(None, (inputs.registries_file, *withheld))
    return ImageSettings(
        reference=inputs.image,
        credentials=tuple(c for c in credentials if "image" in c.purposes),
        use_entrypoint=inputs.use_entrypoint,
        home=home,
        exclude=inputs.exclude,
        withheld=tuple(map(os.path.abspath, files)),
    )


def _registries_text(inputs: Inputs, environ: Mapping[str, str]) -> str:
    if not inputs.registries_file:
        return inputs.registries
    place = "registries-file"
    path = os.path.normpath(os.path.join(os.path.realpath("."), inputs.registries_file))
    if os.path.realpath(path) != path:
        raise InputError(place, "is or passes a link", "give the real path")
    workspace = os.path.realpath(environ.get("GITHUB_WORKSPACE") or ".")
    event = environ.get("GITHUB_EVENT_NAME", "")
    if event in UNTRUSTED_EVENTS and os.path.commonpath([workspace, path]) == workspace:
        problem = f"lies in the workspace, which another's commit may have written ({event})"
        raise InputError(place, problem, "use registries, or a file from elsewhere")
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            text = decode(file.read(), place)
    except OSError as error:
        raise InputError(place, f"cannot be read ({(error.strerror or 'unknown').lower()})") from None
    for declaration in parse_registries(text):
        if declaration.source.kind == "password-file":
            raise InputError(
                declaration.place("password-file"), "is not allowed in a registries-file", "use password-env"
            )
    return text


def _commands(inputs: Inputs, variables: Mapping[str, str]) -> tuple[Command, ...]:
    if inputs.shell:
        script = inputs.argv[0] if inputs.argv is not None else inputs.command
        return (literal((inputs.shell, "-e", "-c", script)),)
    if inputs.argv is not None:
        return (literal(inputs.argv),)
    return parse_commands(inputs.command, variables)


def _read_all(
    declarations: tuple[Declaration, ...], inputs: Inputs, environ: Mapping[str, str]
) -> tuple[tuple[Credential, ...], list[MissingSecretError]]:
    token = JobToken(
        username=environ.get("GITHUB_ACTOR", ""),
        secret=inputs.github_token,
        server=environ.get("GITHUB_SERVER_URL", ""),
    )
    credentials = []
    missing = []
    for declaration in declarations:
        try:
            credentials.append(read_credential(declaration, environ, token))
        except MissingSecretError as error:
            missing.append(error)
    return tuple(credentials), missing


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


def _short_secrets(credentials: tuple[Credential, ...], declarations: tuple[Declaration, ...]) -> list[str]:
    places = {(d.host, d.path, d.purposes): d.place() for d in declarations}
    short = [places[c.host, c.path, c.purposes] for c in credentials if is_short(c.secret)]
    return [f"{place}: a password of fewer than 6 characters can be hidden in its base64 form only" for place in short]


def _engine_warnings(inputs: Inputs, environ: Mapping[str, str]) -> list[str]:
    host = environ.get("_EXPERIMENTAL_DAGGER_RUNNER_HOST", "")
    if inputs.image and host.startswith("tcp://") and not _LOOPBACK.match(host):
        return ["engine: credentials travel to it unencrypted by plain tcp://; use tls://, ssh:// or kube-pod://"]
    return []


def _is_foreign(environ: Mapping[str, str]) -> bool:
    """Whether GitHub runs this without secrets: by Dependabot, or for a pull request from a fork."""
    if environ.get("GITHUB_ACTOR") == "dependabot[bot]":
        return True
    try:
        with open(environ.get("GITHUB_EVENT_PATH", ""), encoding="utf-8") as file:
            pull_request = json.load(file)["pull_request"]
        return bool(pull_request["head"]["repo"]["full_name"] != pull_request["base"]["repo"]["full_name"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


__all__ = ["Job", "Word", "prepare"]
