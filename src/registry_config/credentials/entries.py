"""Entries without a password, checked as far as that goes without asking anybody."""

from __future__ import annotations

import os

from registry_config.audience import called
from registry_config.credentials.authorities import read_authority
from registry_config.credentials.keyless import HelperRequest, KeylessEntry, Wanted
from registry_config.credentials.providers.shape import NO_PERMISSION, IdTokenSource, Request
from registry_config.credentials.providers.table import PROVIDERS
from registry_config.credentials.reading import MissingSecretError, checked_secret, credential_of, from_variable
from registry_config.declaration import providers
from registry_config.errors import EXIT_REFUSED, InputError
from registry_config.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from registry_config.declaration.inputs import Origin
    from registry_config.declaration.providers import ProviderSettings
    from registry_config.declaration.registries import Declaration

_TOKEN_KEY = "id-token-env"  # noqa: S105  (no secret)


class MissingPermissionError(MissingSecretError):
    """The job must not ask GitHub for an ID token, as in a pull request from a fork."""

    exit_code = EXIT_REFUSED


def add_entry(wanted: Wanted | None, declaration: Declaration, environ: Mapping[str, str], origin: Origin) -> Wanted:
    """What is wanted, with one more entry; see `keyless_entry`.

    Raises:
        InputError: as `keyless_entry`.
    """
    known = wanted or Wanted((), IdTokenSource(*origin.id_tokens), (origin.workspace or os.getcwd(),))
    return known._replace(
        entries=(*known.entries, keyless_entry(declaration, environ, known.source, on_github=bool(origin.server)))
    )


def keyless_entry(
    declaration: Declaration, environ: Mapping[str, str], source: IdTokenSource, *, on_github: bool = True
) -> KeylessEntry:
    """What is to be asked for an entry, and what stands for its credential until then.

    Args:
        declaration: with a provider or a credential helper.
        environ: the environment of the step.
        source: where GitHub gives ID tokens.
        on_github: whether this is a job of GitHub's, which could be given the permission.

    Raises:
        MissingPermissionError: an ID token of GitHub's is needed, and there is none.
        MissingSecretError: the variable of `id-token-env` is empty.
        InputError: the host is not the provider's own, or a variable or a file cannot be read.
    """
    placeholder = credential_of(declaration, "", "")
    if declaration.provider is None:
        return KeylessEntry(placeholder, HelperRequest(declaration.place(), declaration.host, declaration.source.value))
    provider = PROVIDERS[declaration.provider.name]
    if not provider.is_own_host(declaration.host):
        problem = f"'{declaration.provider.name}' is not for this registry, which would be given its credential"
        raise InputError(declaration.place("provider"), problem, f"it is for {provider.HOSTS}")
    id_token = _id_token(declaration, environ)
    if id_token is None and not source.is_there:
        raise _no_token(declaration.place(), on_github=on_github)
    request = Request(
        place=declaration.place(),
        host=declaration.host,
        provider=declaration.provider.name,
        settings=_settings(declaration, declaration.provider),
        id_token=id_token,
        authorities=read_authority(declaration),
    )
    return KeylessEntry(placeholder, request)


def _no_token(place: str, *, on_github: bool) -> MissingPermissionError:
    if on_github:
        return MissingPermissionError(place, "the job may not ask GitHub for an ID token", NO_PERMISSION)
    remedy = "name a variable with an ID token of your CI as id-token-env, or use another source"
    return MissingPermissionError(place, "there is no ID token: this is not a job of GitHub's", remedy)


def _id_token(declaration: Declaration, environ: Mapping[str, str]) -> str | None:
    name = declaration.provider.get(_TOKEN_KEY) if declaration.provider else ""
    if not name:
        return None
    place = declaration.place(_TOKEN_KEY)
    missing = (f"the variable {name} is set to nothing", f"give it the ID token, or set {called('on-missing', 'skip')}")
    token = checked_secret(place, from_variable(place, name, environ, "token"), missing)
    if not (token.isascii() and token.isprintable()):
        raise InputError(place, "holds no ID token", "give it the token alone, in one line")
    return token


def _settings(declaration: Declaration, written: ProviderSettings) -> dict[str, str]:
    """The keys and values, durations in seconds."""
    settings = {key: value for key, value in written.settings if key != _TOKEN_KEY}
    for key, _, _ in providers.PROVIDERS[written.name].durations:
        if key in settings:
            settings[key] = str(providers.duration(settings[key]))
    return settings if declaration.username is None else {**settings, "username": declaration.username}
