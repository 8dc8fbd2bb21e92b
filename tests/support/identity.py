"""GitHub's endpoint for ID tokens, played: real tokens, signed, as its documentation describes them."""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from support.http_server import Answer

if TYPE_CHECKING:
    from support.net import Asked

ISSUER = "https://token.actions.githubusercontent.com"
HOST = "pipelinesghubeus1.actions.githubusercontent.com"
SUBJECT = "repo:octo@1001/app@2002:ref:refs/heads/main"
OWNER = "https://github.com/octo"
LIFE_SECONDS = 300


class Issuer:
    """Gives tokens to whoever has the request token.

    Attributes:
        request_token: of this job.
        given: every token.
    """

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.request_token = f"request-token-{secrets.token_urlsafe(24)}"
        self.given: list[str] = []

    @property
    def variables(self) -> dict[str, str]:
        """What a job with `id-token: write` finds in its environment."""
        url = f"https://{HOST}/abc//idtoken/1f3d/9d7c?api-version=2.0"
        return {"ACTIONS_ID_TOKEN_REQUEST_URL": url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": self.request_token}

    def sign(self, audience: str, **claims: object) -> str:
        """A token."""
        now = int(time.time())
        # First what differs, so that not even its first bytes are those of another one.
        document = {
            "jti": secrets.token_urlsafe(16),
            "iss": ISSUER,
            "aud": audience,
            "sub": SUBJECT,
            "iat": now,
            "nbf": now,
            "exp": now + LIFE_SECONDS,
        }
        token = jwt.encode({**document, **claims}, self._key, "ES256", {"kid": "1"})
        self.given.append(token)
        return token

    def verify(self, token: str, audience: str) -> dict[str, Any]:
        """The claims of a token.

        Raises:
            jwt.InvalidTokenError: not one of ours, not for this audience, or expired.
        """
        claims: dict[str, Any] = jwt.decode(token, self._key.public_key(), ["ES256"], audience=audience, issuer=ISSUER)
        return claims

    def play(self, asked: Asked) -> Answer:
        """Answer as the endpoint does."""
        if asked.headers.get("Authorization") != f"Bearer {self.request_token}":
            return Answer(401, b'{"message":"bad request token"}')
        if asked.method != "GET" or asked.query.get("api-version") != "2.0":
            return Answer(400, b'{"message":"bad request"}')
        value = self.sign(asked.query.get("audience", OWNER))
        return Answer(200, json.dumps({"count": len(value), "value": value}).encode())
