"""Asks a provider's servers, and says in one way why there is no credential. Slow to import, as the client is."""

from __future__ import annotations

import json

from registry_config.credentials.encodings import encodings
from registry_config.credentials.providers.reasons import reason_of
from registry_config.credentials.redaction import Redactor
from registry_config.credentials.web_token import claims
from registry_config.credentials.wording import quotable
from registry_config.errors import ProviderRefusedError, UnavailableError
from registry_config.http.client import Client, transient
from registry_config.http.messages import HttpError
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from registry_config.credentials.providers.shape import NewSecret
    from registry_config.http.messages import Answer, Body

SECONDS: Final = 60.0
_TOO_MANY: Final = 429
_NETWORK: Final = "run again; check the network and the proxy of this machine"


class Asking:
    """The questions for one entry, and every secret that came up.

    Args:
        place: of the entry, as messages name it.
        environ: for proxies and certificates.
        new_secret: told of each secret at once.
        authorities: text of the entry's `ca-file`.
    """

    def __init__(self, place: str, environ: Mapping[str, str], new_secret: NewSecret, authorities: str = "") -> None:
        self.place = place
        self._client = Client(environ, seconds=SECONDS, authorities=authorities)
        self._new_secret = new_secret
        self._secrets: list[tuple[str, str]] = []
        self._id_token = ""
        self._name = ""
        self._causes: Sequence[tuple[str, str]] = ()

    def close(self) -> None:
        """Close the connections that are kept."""
        self._client.close()

    def about(self, name: str, causes: Sequence[tuple[str, str]], id_token: str = "") -> None:
        """Who is asked from now on, why it may refuse (see `table.Provider`), and with which ID token."""
        self._name, self._causes, self._id_token = name, causes, id_token
        if id_token:
            self.learn(id_token)

    def learn(self, secret: str, username: str = "") -> str:
        """Tell of a secret before it is used, and give it."""
        self._secrets.append((username, secret))
        self._new_secret(username, secret)
        return secret

    def request(  # noqa: PLR0913  (the last two are named, and seldom given)
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        *,
        again: Callable[[Answer], bool] = transient,
        words: Callable[[Answer], str] | None = None,
    ) -> Answer:
        """Ask, again where that may help, and give an answer of success.

        Args:
            method: of HTTP.
            url: https.
            headers: beside the usual ones.
            body: what to send.
            again: which answers are asked for again.
            words: finds the provider's reason in an answer of failure.

        Raises:
            ProviderRefusedError: a status of 4xx that is not to be asked for again.
            UnavailableError: any other failure.
        """
        try:
            answer = self._client.request(method, url, headers, body, again=again)
        except HttpError as error:
            raise UnavailableError(self.place, f"{self._name} cannot be asked: {error}", _NETWORK) from None
        if 200 <= answer.status < 300:  # noqa: PLR2004  (RFC 9110 section 15.3)
            return answer
        reason = (words or reason_of)(answer)
        said = f"HTTP {answer.status}" + (f': "{self._shown(reason)}"' if reason.strip() else "")
        refused = 400 <= answer.status < 500 and answer.status != _TOO_MANY  # noqa: PLR2004
        if refused and not again(answer):
            raise ProviderRefusedError(self.place, f"{self._name} refused ({said}){self._token()}", self._cause(reason))
        raise UnavailableError(self.place, f"{self._name} does not give a credential now ({said})", "try again later")

    def text(self, value: object, name: str) -> str:
        """A value of an answer that can be a user or a secret.

        Raises:
            UnavailableError: it is none.
        """
        # Printable ASCII is what all of them give; anything else could break a header or a log.
        if isinstance(value, str) and value and value.isascii() and value.isprintable():
            return value
        raise self.unusable(f"has no usable '{name}'")

    def unusable(self, problem: str, remedy: str = "") -> UnavailableError:
        """The error for an answer of success that is of no use."""
        return UnavailableError(self.place, f"the answer of {self._name} {problem}", remedy)

    def _cause(self, reason: str) -> str:
        lowered = reason.lower()
        return next((cause for part, cause in self._causes if part in lowered), "")

    def _token(self) -> str:
        """What the ID token says of itself: that is what trust policies compare."""
        if not self._id_token:
            return ""
        said = claims(self._id_token)
        if not said:
            return "; the ID token is no JSON Web Token"
        parts = (f"{name} {self._shown(_flat(said.get(name)))}" for name in ("iss", "aud", "sub"))
        return f"; the ID token says {', '.join(parts)}"

    def _shown(self, text: str) -> str:
        """Text from elsewhere in one line, without what must not be seen."""
        hidden = (form for username, secret in self._secrets for form in encodings(username, secret))
        return quotable(text, Redactor(hidden))


def _flat(value: object) -> str:
    return value if isinstance(value, str) else "(missing)" if value is None else json.dumps(value)
