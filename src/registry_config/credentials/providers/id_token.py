"""The ID token of the job, from GitHub's endpoint: once for each audience in a round. It lives for five minutes.

Source: actions/toolkit, `packages/core/src/oidc-utils.ts`.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from urllib.parse import parse_qsl, urlencode, urlsplit

from registry_config.credentials.providers.asking import Asking
from registry_config.credentials.providers.shape import NO_PERMISSION
from registry_config.errors import RegistryConfigError
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from registry_config.credentials.providers.shape import IdTokenSource, NewSecret

_CAUSES: Final = (("", NO_PERMISSION),)


class IdTokens:
    """The ID tokens of one round. Safe to share between threads."""

    def __init__(self, source: IdTokenSource, environ: Mapping[str, str], new_secret: NewSecret) -> None:
        self._source = source
        self._environ = environ
        self._new_secret = new_secret
        self._lock = threading.Lock()
        self._tokens: dict[str, Future[str]] = {}

    def get(self, place: str, audience: str) -> str:
        """The token for an audience; an empty one is GitHub's own choice (the owner of the repository).

        Raises:
            ProviderRefusedError: GitHub refuses.
            UnavailableError: there is no answer, or none that can be used.
        """
        with self._lock:
            is_first = audience not in self._tokens
            token = self._tokens.setdefault(audience, Future())
        if is_first:
            try:
                token.set_result(self._ask(place, audience))
            except RegistryConfigError as error:
                token.set_exception(error)
            finally:
                # After an internal error nobody is to wait for it; else this does nothing.
                token.cancel()
        return token.result()

    def _ask(self, place: str, audience: str) -> str:
        ask = Asking(place, self._environ, self._new_secret)
        ask.about("GitHub's endpoint for ID tokens", _CAUSES)
        request_token = ask.learn(self._source.request_token)
        headers = {
            "Authorization": f"Bearer {request_token}",
            "Accept": "application/json; api-version=2.0",
        }
        try:
            answer = ask.request("GET", _with_audience(self._source.url, audience), headers)
            return ask.learn(ask.text(answer.fields().get("value"), "value"))
        finally:
            ask.close()


def _with_audience(url: str, audience: str) -> str:
    """The address has a query of its own already."""
    parts = urlsplit(url)
    query = [*parse_qsl(parts.query, keep_blank_values=True), *([("audience", audience)] if audience else [])]
    return parts._replace(query=urlencode(query)).geturl()
