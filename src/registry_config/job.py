"""Everything between the inputs and the run: credentials read and checked, the plans made, what must not be seen."""

from __future__ import annotations

import os
import re

from registry_config.audience import called, either, numbered
from registry_config.commands import check_known, check_selection
from registry_config.credentials.authorities import read_authorities
from registry_config.credentials.collection import collect, secret_warnings
from registry_config.credentials.encodings import all_encodings
from registry_config.credentials.exposure import refuse_secrets_in_words
from registry_config.credentials.kept_logins import NO_USER_CONFIG, UserConfig, read_user_config
from registry_config.credentials.reading import (
    NO_AUTHORITIES,
    Credential,
    MissingSecretError,
    password_variables,
)
from registry_config.credentials.redaction import Redactor
from registry_config.declaration.command import folder_text
from registry_config.declaration.commands import commands_of
from registry_config.declaration.inputs import (
    ID_TOKEN_VARIABLES,
    RUNNER_FILES,
    Inputs,
    Origin,
    declared_variables,
    items,
)
from registry_config.declaration.registries import Declaration, parse_registries
from registry_config.declaration.registries_file import registries_text
from registry_config.errors import InputError, refusals_redacted
from registry_config.host.files import find_files
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple
from registry_config.optional import leave_out, nothing_left, notices
from registry_config.plan import ImageSettings, Plan
from registry_config.targets import for_pair
from registry_config.tools.cosign import signing_warnings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from registry_config.credentials.keyless import Wanted
    from registry_config.optional import Skipped

_LOOPBACK: Final = r"tcp://(?:localhost|127\.[0-9.]+|\[::1\])(?::|$)"
_SHELL_SAFE: Final = r"[A-Za-z0-9._/+@-]+"


class Job(NamedTuple):
    """A run that passed every check.

    Attributes:
        plans: what to run, one for each pair of target and file; one plan where there are neither.
        skipped: plans that do not run, as an optional entry that they need is missing, each with its place among all.
        image: which image to run it in; None for this machine.
        forms: every byte string that GitHub is to mask.
        redactor: hides them.
        hidden_variables: variables that no child may find.
        registries: what was declared for the command, as messages name it.
        warnings: what the user should know before the run.
        notices: what was left out.
        skip_reason: why nothing is to be run; empty otherwise.
        keyless: credentials that are still to be obtained; None where there are none.
        authorities: the text of each `ca-file`, by its path.
        user_config: what the user's own config holds, for a run on this machine.
    """

    plans: tuple[Plan, ...]
    image: ImageSettings | None
    forms: frozenset[bytes]
    redactor: Redactor
    hidden_variables: frozenset[str]
    registries: tuple[str, ...]
    skipped: Skipped = ()
    warnings: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    skip_reason: str = ""
    keyless: Wanted | None = None
    user_config: UserConfig = NO_USER_CONFIG
    authorities: Mapping[str, str] = NO_AUTHORITIES

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
    commands = commands_of(inputs, plain)
    credentials, missing, keyless, left_out = collect(declarations, inputs, origin, environ)
    user = NO_USER_CONFIG if inputs.image else read_user_config(environ, keep=inputs.keep_logins)
    others = (*_checked_secrets(secret), *user.secrets, *(keyless.secrets if keyless else ()))
    redactor = Redactor(all_encodings((*credentials, *user.credentials), others))
    with refusals_redacted(redactor.text):
        _refuse_secrets_in(plain, redactor)
        plan = Plan(
            commands,
            inputs.working_directory,
            tuple(credential for credential in credentials if "command" in credential.purposes),
            plain,
            secret,
            is_script=bool(inputs.shell),
            timeout=inputs.timeout,
        )
        plans, skipped = leave_out(_plans(plan, inputs, redactor), left_out)
        return Job(
            plans=plans,
            skipped=skipped,
            image=_image(inputs, declarations, credentials, home=plain.get("HOME", "")),
            forms=all_encodings((*credentials, *user.credentials), others, single=True),
            redactor=redactor,
            hidden_variables=frozenset({*inputs.hidden_variables, *_hidden(declarations)} - set(secret)),
            registries=tuple(d.registry for d in declarations if "command" in d.purposes and d not in left_out),
            warnings=(
                *secret_warnings(credentials, declarations, secret),
                *user.warnings,
                *_engine_warnings(inputs, environ),
                *signing_warnings(plan, inputs, origin, environ, has_provider=_has_provider(declarations)),
            ),
            notices=notices(left_out, has_commands=bool(commands)),
            skip_reason=_skip_reason(missing) or ("" if plans else nothing_left(left_out)),
            keyless=keyless,
            user_config=user,
            authorities=read_authorities(declarations),
        )


def _plans(plan: Plan, inputs: Inputs, redactor: Redactor) -> tuple[Plan, ...]:
    """One for each pair of file and target, checked."""
    targets = tuple(filter(None, inputs.targets)) or ("",)
    plans = tuple(for_pair(plan, target, file) for file in _files(inputs) for target in targets)
    for each in plans:
        refuse_secrets_in_words(each.commands, redactor)
        check_selection(each)
        if inputs.skip_existing:
            check_known(each)
    return plans


def _skip_reason(missing: tuple[MissingSecretError, ...]) -> str:
    return (
        f"{missing[0].place}: {missing[0].problem}; nothing was run ({called('on-missing', 'skip')})" if missing else ""
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
            remedy = f"leave the path out, or use {either('the action that runs a command', 'run')}"
            raise InputError(declaration.place("registry"), problem, remedy)
    left_out = [d for d in declarations if "command" not in d.purposes]
    notices = [f"{d.place()}: {d.registry} is for the image only, so it is left out" for d in left_out]
    job = prepare(inputs, origin, environ)
    return job, (*notices, *job.notices)


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


def _files(inputs: Inputs) -> tuple[str, ...]:
    """The files that the patterns stand for, each once; one empty name for a run without files."""
    found: dict[str, None] = {}
    for line, pattern in items(inputs, inputs.files):
        place = numbered("files", line)
        names = sorted(find_files(pattern, inputs.working_directory))
        if not names:
            problem = f"no file in {folder_text(inputs.working_directory)} matches '{pattern}'"
            raise InputError(place, problem, "check the pattern, and that the files are made before")
        if inputs.shell and not all(re.fullmatch(_SHELL_SAFE, name) for name in names):
            problem = "matches a file whose name means more to a shell than a name"
            raise InputError(place, problem, "use names of letters, digits and . _ / + @ -, or no shell")
        # A name that begins with a dash would be an option.
        found.update(dict.fromkeys(f"./{name}" if name.startswith("-") else name for name in names))
    return tuple(found) or ("",)


def _hidden(declarations: tuple[Declaration, ...]) -> set[str]:
    id_tokens = ID_TOKEN_VARIABLES if _has_provider(declarations) else ()
    return {*password_variables(declarations), *RUNNER_FILES, *id_tokens}


def _has_provider(declarations: tuple[Declaration, ...]) -> bool:
    return any(declaration.provider for declaration in declarations)


def _checked_secrets(secret: Mapping[str, str]) -> list[str]:
    for name, value in secret.items():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InputError(
                called("secret-env"), f"the value of {name} is not valid UTF-8", "give it as base64"
            ) from None
    return [value for value in secret.values() if value]


def _refuse_secrets_in(plain: Mapping[str, str], redactor: Redactor) -> None:
    for name, value in plain.items():
        if redactor.holds(os.fsencode(value)):
            raise InputError(called("env"), f"the value of {name} contains a secret", f"use {called('secret-env')}")


def _engine_warnings(inputs: Inputs, environ: Mapping[str, str]) -> list[str]:
    host = environ.get("_EXPERIMENTAL_DAGGER_RUNNER_HOST", "")
    if inputs.image and host.startswith("tcp://") and not re.match(_LOOPBACK, host):
        return ["engine: credentials travel to it unencrypted by plain tcp://; use tls://, ssh:// or kube-pod://"]
    return []
