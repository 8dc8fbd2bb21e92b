"""A round of exchanges. Slow to import, as the client is."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from registry_config.credentials.providers.asking import Asking
from registry_config.credentials.providers.id_token import IdTokens
from registry_config.credentials.providers.table import PROVIDERS
from registry_config.errors import ProviderRefusedError, RegistryConfigError, UnavailableError
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Future

    from registry_config.credentials.providers.shape import IdTokenSource, Minted, NewSecret, Request


_MAX_PARALLEL: Final = 16


def exchange_all(
    requests: Sequence[Request], source: IdTokenSource, environ: Mapping[str, str], new_secret: NewSecret
) -> list[Minted | RegistryConfigError]:
    """Ask the providers of all entries, sixteen in parallel; entries that can share a credential do.

    Args:
        requests: the entries.
        source: where GitHub gives ID tokens.
        environ: for proxies and certificates.
        new_secret: told of every secret before anything else is done with it, by one thread at a time.

    Returns:
        For each entry what its provider gave, or why it gave nothing.
    """
    lock = threading.Lock()

    def tell(username: str, secret: str) -> None:
        with lock:
            new_secret(username, secret)

    tokens = IdTokens(source, environ, tell)
    outcomes: dict[object, Future[Minted]] = {}
    with ThreadPoolExecutor(_MAX_PARALLEL) as pool:
        for request in requests:
            if _key(request) not in outcomes:
                outcomes[_key(request)] = pool.submit(_exchange, request, tokens, environ, tell)
    return [_outcome(request, outcomes[_key(request)]) for request in requests]


def all_failures(errors: Sequence[RegistryConfigError]) -> RegistryConfigError:
    """One error that says what several entries met with, so that all of them can be corrected at once."""
    if len(errors) == 1:
        return errors[0]
    refused = any(isinstance(error, ProviderRefusedError) for error in errors)
    kind = ProviderRefusedError if refused else UnavailableError
    return kind("", "\n".join(map(str, errors)))


def _key(request: Request) -> object:
    """What the credential depends on."""
    settings = tuple(sorted(request.settings.items()))
    scope = PROVIDERS[request.provider].scope(request)
    return request.provider, scope, settings, request.id_token, request.authorities


def _exchange(request: Request, tokens: IdTokens, environ: Mapping[str, str], new_secret: NewSecret) -> Minted:
    provider = PROVIDERS[request.provider]
    id_token = request.id_token or tokens.get(request.place, provider.audience(request))
    ask = Asking(request.place, environ, new_secret, request.authorities)
    try:
        ask.about(provider.NAME, provider.CAUSES, id_token)
        minted = provider.exchange(request, id_token, ask)
        ask.learn(minted.secret, minted.username)
        return minted
    finally:
        ask.close()


def _outcome(request: Request, outcome: Future[Minted]) -> Minted | RegistryConfigError:
    try:
        return outcome.result()
    except RegistryConfigError as error:
        # An error may be shared, and is this entry's own here.
        return type(error)(request.place, error.problem, error.remedy)
