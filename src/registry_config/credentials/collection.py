"""The credentials of all declarations, and what is missing of them."""

from __future__ import annotations

from registry_config.audience import called
from registry_config.credentials.cautions import short_warnings, warnings_of
from registry_config.credentials.reading import (
    Credential,
    JobToken,
    MissingSecretError,
    read_credential,
)
from registry_config.declaration.sources import KEYLESS_KINDS
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from registry_config.credentials.keyless import Wanted
    from registry_config.declaration.inputs import Inputs, Origin
    from registry_config.declaration.registries import Declaration

_FORK: Final = "secrets are empty in pull requests from forks and by Dependabot"


class Collection(NamedTuple):
    """What was declared, as far as it is there.

    Attributes:
        credentials: with a placeholder for each that is still to be obtained.
        missing: the refusals of entries whose secret is empty.
        wanted: what is to be obtained; None where there is nothing.
        left_out: optional entries whose secret is empty.
    """

    credentials: tuple[Credential, ...]
    missing: tuple[MissingSecretError, ...]
    wanted: Wanted | None
    left_out: tuple[Declaration, ...]


def collect(
    declarations: tuple[Declaration, ...], inputs: Inputs, origin: Origin, environ: Mapping[str, str]
) -> Collection:
    """Read the passwords of all declarations.

    Raises:
        MissingSecretError: one is empty, and that is not to be skipped.
        InputError: one cannot be read, or no tool could use it.
    """
    token = JobToken(username=origin.actor, secret=inputs.github_token, server=origin.server)
    credentials: list[Credential] = []
    missing: list[MissingSecretError] = []
    left_out: list[Declaration] = []
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
            if declaration.optional:
                left_out.append(declaration)
            else:
                missing.append(error)
    _refuse_missing(missing, inputs, origin)
    return Collection(tuple(credentials), tuple(missing), wanted, tuple(left_out))


def secret_warnings(
    credentials: tuple[Credential, ...], declarations: tuple[Declaration, ...], variables: Mapping[str, str]
) -> Iterator[str]:
    """What the user should know of declarations, passwords and the variables of `secret-env` before the run."""
    by_registry = {(d.host, d.path, d.purposes): d for d in declarations}
    found = (w for c in credentials for w in warnings_of(by_registry[c.host, c.path, c.purposes], c.secret))
    # The hosts of one entry share its password.
    yield from dict.fromkeys(found)
    yield from short_warnings(variables)


def _refuse_missing(missing: list[MissingSecretError], inputs: Inputs, origin: Origin) -> None:
    if missing and inputs.on_missing == "fail":
        first = missing[0]
        is_empty = type(first) is MissingSecretError and origin.lacks_secrets
        remedy = f"{_FORK}: set {called('on-missing', 'skip')}" if is_empty else first.remedy
        raise type(first)(first.place, first.problem, remedy)
