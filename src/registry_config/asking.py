"""Whom a job asks before its first command: identity providers, credential helpers, and the registries themselves."""

from __future__ import annotations

import threading

from registry_config.errors import refusals_redacted
from registry_config.host.process_environment import close_memory
from registry_config.light_typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from registry_config.credentials.keyless import Keyless
    from registry_config.credentials.reading import Credential
    from registry_config.declaration.inputs import Inputs
    from registry_config.job import Job
    from registry_config.observer import Observer
    from registry_config.oci.entry import Row
    from registry_config.preflight import Registries


class Asked(NamedTuple):
    """What came of it.

    Attributes:
        keyless: holds what providers and helpers gave; None where nothing had to be obtained.
        registries: asks the registries; None for a job that does not want that.
        rows: what the registries said.
    """

    keyless: Keyless | None = None
    registries: Registries | None = None
    rows: tuple[Row, ...] = ()

    def current(self, credentials: tuple[Credential, ...]) -> tuple[Credential, ...]:
        """The credentials, with what stands for placeholders now."""
        return self.keyless.current(credentials) if self.keyless else credentials


def needs_answers(job: Job, inputs: Inputs) -> bool:
    """Whether anybody is asked before the first command."""
    return inputs.verify != "off" or bool(job.keyless and not inputs.dry_run)


def ask(
    job: Job,
    inputs: Inputs,
    environ: Mapping[str, str],
    observer: Observer,
    limit: tuple[str, float] | None = None,
) -> Asked:
    """Obtain what there is no password for, then ask the registries if that is wanted.

    Args:
        job: what passed every check.
        inputs: say what is wanted of the registries.
        environ: of this process; helpers get none of its variables that hold a secret.
        observer: who is told of secrets, expiries and verdicts.
        limit: how long the credentials should last: the name of the input that says so, and its seconds.

    Raises:
        ProviderRefusedError: a provider or a helper gives no credential.
        UnavailableError: one of them cannot be asked.
        VerificationError: a registry says that the run cannot work.
    """
    with refusals_redacted(job.redactor.text):
        return _ask(job, inputs, environ, observer, limit)


def _ask(
    job: Job, inputs: Inputs, environ: Mapping[str, str], observer: Observer, limit: tuple[str, float] | None
) -> Asked:
    tell = _teller(job, observer)
    keyless = None
    if job.keyless and needs_answers(job, inputs):
        keyless = _obtain(job, environ, observer, tell, limit)
    if inputs.verify == "off" and inputs.digest_from == "tool" and not inputs.skip_existing:
        return Asked(keyless)
    from registry_config.preflight import Registries, Surroundings  # noqa: PLC0415  (few jobs ask)

    around = Surroundings(
        environ=environ,
        authorities=job.authorities,
        current=keyless.current if keyless else tuple,
        new_secret=lambda secret: tell("", secret),
        redact=job.redactor.text,
    )
    asked = Asked(keyless, Registries(around))
    return asked if inputs.verify == "off" else _verified(job, asked, inputs.verify, observer)


def _verified(job: Job, asked: Asked, action: str, observer: Observer) -> Asked:
    from registry_config.oci.verdicts import lines  # noqa: PLC0415
    from registry_config.preflight import VerificationError, warnings_of  # noqa: PLC0415

    assert asked.registries is not None  # noqa: S101  (made by the only caller)
    of_image = job.image.credentials if job.image else ()
    rows, refused = asked.registries.verify((*job.plans[0].credentials, *of_image), job.plans, action)
    for line in lines(rows):
        observer.on_note(f"verify: {line}")
    if refused:
        raise VerificationError(rows, refused)
    for text in warnings_of(rows):
        observer.on_warning(text)
    return asked._replace(rows=rows)


def _teller(job: Job, observer: Observer) -> Callable[[str, str], None]:
    """Takes user and secret of what came to be known, from any thread."""
    from registry_config.credentials.encodings import encodings  # noqa: PLC0415  (few jobs learn anything)

    lock = threading.Lock()

    def tell(username: str, secret: str) -> None:
        with lock:
            observer.on_secret(username, secret)
            job.redactor.learn(encodings(username, secret))

    return tell


def _obtain(
    job: Job,
    environ: Mapping[str, str],
    observer: Observer,
    tell: Callable[[str, str], None],
    limit: tuple[str, float] | None,
) -> Keyless:
    from registry_config.credentials.keyless import Keyless, Surroundings  # noqa: PLC0415  (few jobs have one)

    assert job.keyless is not None  # noqa: S101  (asked for such jobs alone)
    # Where no image is pulled nobody needs what is for that alone.
    entries = [e for e in job.keyless.entries if job.image or "command" in e.placeholder.purposes]
    secret = {*job.hidden_variables, *job.plans[0].secret_variables}
    # A credential helper is not to look into this process, for `check` and the agent neither.
    close_memory()
    keyless = Keyless(
        job.keyless._replace(entries=tuple(entries)),
        Surroundings(
            environ=environ,
            helper_environ={name: value for name, value in environ.items() if name not in secret},
            new_secret=tell,
            redactor=job.redactor,
            say=observer.on_note,
            warn=observer.on_warning,
            limit=limit,
        ),
    )
    keyless.obtain()
    return keyless
