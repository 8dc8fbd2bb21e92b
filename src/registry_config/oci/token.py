"""Tokens of a registry's token server, and which server may be given the credential.

Protocol: distribution/distribution, `docs/spec/auth/token.md` (GET) and `docs/spec/auth/oauth.md` (POST).
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

from registry_config.docker_config import auth_value
from registry_config.http.client import origin
from registry_config.http.messages import HttpError, form
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple
from registry_config.oci.entry import UNKNOWN, Settled

if TYPE_CHECKING:
    from collections.abc import Callable

    from registry_config.http.client import Client
    from registry_config.http.messages import Answer
    from registry_config.oci.challenge import Challenge

# Registries whose token server has another host, as their own challenges name it.
_KNOWN_REALMS: Final = {
    "registry-1.docker.io": "auth.docker.io",
    "registry.gitlab.com": "gitlab.com",
    "nvcr.io": "authn.nvidia.com",
}
_NOT_FOUND: Final = 404
_NO_GET: Final = 405
_REFUSED: Final = frozenset({400, 401, 403})
_CLIENT_ID: Final = "registry-config"


class Credential(NamedTuple):
    """A user and a secret."""

    username: str
    secret: str

    def __repr__(self) -> str:
        return f"Credential({self.username!r}, ***)"

    def basic(self) -> dict[str, str]:
        """The header of HTTP's Basic scheme."""
        return {"Authorization": f"Basic {auth_value(self.username, self.secret)}"}


class TokenServer:
    """The token server that a challenge names.

    Args:
        client: the entry's own.
        challenge: of the Bearer scheme, its realm allowed.
        new_secret: told every token, before anything is made of it.
    """

    def __init__(self, client: Client, challenge: Challenge, new_secret: Callable[[str], None]) -> None:
        self._client = client
        self._realm = challenge.parameters["realm"]
        self._service = challenge.parameters.get("service", "")
        self._new_secret = new_secret
        self._posts = False

    @property
    def path(self) -> str:
        """The path of its address, which shows what software it is."""
        return urlsplit(self._realm).path.rstrip("/")

    def ask(self, credential: Credential | None, scope: str = "") -> tuple[Answer, str]:
        """Ask for a token, by GET or, where the server knows no GET, by POST.

        Args:
            credential: None to ask as anybody.
            scope: such as `repository:app:pull`; empty for a token that allows nothing.

        Returns:
            The answer, and the token in it (empty if there is none).

        Raises:
            HttpError: there is no answer.
        """
        answer = self._post(credential, scope) if self._posts else self._get(credential, scope)
        # A token server that has OAuth2's form alone knows no GET; with a scope, a 404 may be of the repository.
        no_get = answer.status == _NO_GET or (answer.status == _NOT_FOUND and not scope)
        if no_get and credential and not self._posts:
            self._posts = True
            answer = self._post(credential, scope)
        fields = answer.fields() if answer.status == 200 else {}  # noqa: PLR2004  (HTTP's own number)
        token = fields.get("token") or fields.get("access_token")
        if not isinstance(token, str) or not _can_be_sent(token):
            return answer, ""
        self._new_secret(token)
        return answer, token

    def refuses_everybody_else(self) -> bool:
        """Whether a request without a credential is refused: only then does a token prove one."""
        if self._posts:
            # By this form nobody gets a token without a password (RFC 6749, section 4.3).
            return True
        try:
            answer, _ = self.ask(None)
        except HttpError:
            return False
        return answer.status in _REFUSED

    def _get(self, credential: Credential | None, scope: str) -> Answer:
        parts = urlsplit(self._realm)
        fields = parse_qsl(parts.query, keep_blank_values=True)
        fields += [(name, value) for name, value in (("service", self._service), ("scope", scope)) if value]
        url = parts._replace(query=urlencode(fields), fragment="").geturl()
        return self._client.request("GET", url, credential.basic() if credential else None)

    def _post(self, credential: Credential | None, scope: str) -> Answer:
        fields = [("service", self._service), ("client_id", _CLIENT_ID), ("scope", scope)]
        if credential:
            fields += [("grant_type", "password"), ("username", credential.username), ("password", credential.secret)]
        return self._client.request("POST", self._realm, body=form([(name, value) for name, value in fields if value]))


def check_realm(registry_url: str, realm: str, allowed: str) -> None:
    """See whether a token server may be given the registry's credential.

    Least permission (as oras-dotnet has it): the registry's own host and port, a pair that is known, or the one that
    the declaration names. The registry chooses the realm, so anything else could be anybody.

    Args:
        registry_url: where the registry was asked.
        realm: as its challenge names it.
        allowed: `HOST[:PORT]` of the declaration, or nothing.

    Raises:
        Settled: it may not; where the declaration could allow it, the remedy names the key.
    """
    try:
        scheme, host, port = origin(realm)
        own_scheme, own_host, own_port = origin(registry_url)
        parts = urlsplit(realm)
    except ValueError:
        raise Settled(UNKNOWN, "the registry names a token server whose address is not one", _BROKEN) from None
    if scheme not in ("http", "https") or not host or "@" in parts.netloc or not _can_be_sent(realm):
        raise Settled(UNKNOWN, "the registry names a token server whose address is not one", _BROKEN)
    default = 80 if scheme == "http" else 443
    shown = f"{host if ':' not in host else f'[{host}]'}{'' if port == default else f':{port}'}"
    if own_scheme == "https" and scheme == "http":
        raise Settled(UNKNOWN, f"the registry is asked over https, its token server {shown} is not", _BROKEN)
    if (host, port) == (own_host, own_port) or (host, port) == (_KNOWN_REALMS.get(own_host), 443):
        return
    if allowed and _host_and_port(allowed, default) == (host, port):
        return
    raise Settled(
        UNKNOWN,
        f"the registry sends credentials to the token server {shown}, which is not its own host",
        f"if that server is the right one, add `realm: {shown}` to the entry",
    )


_BROKEN: Final = "tell the people who run the registry"


def _host_and_port(text: str, default: int) -> tuple[str, int] | None:
    try:
        parts = urlsplit(f"//{text}")
        return (parts.hostname or "").lower(), parts.port or default
    except ValueError:
        return None


def _can_be_sent(text: str) -> bool:
    """Whether a text that somebody else chose can stand in a header or a URL."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text
