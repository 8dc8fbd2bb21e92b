"""A token server for a registry with `auth: token`, written from the documented protocol.

distribution/distribution: `docs/spec/auth/token.md` (GET), `oauth.md` (POST), `jwt.md` (the token), `scope.md`.
"""

from __future__ import annotations

import base64
import json
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from support.http_server import Answer, Asked, http_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_ISSUER = "the-token-server-of-the-tests"
SERVICE = "registry of the tests"


class User(NamedTuple):
    """Somebody who may do these things in every repository."""

    password: str
    actions: Sequence[str] = ("pull", "push")
    expired: bool = False


class Conduct(NamedTuple):
    """How a token server treats people.

    Attributes:
        degrades: whoever is not known gets an anonymous token, which allows nothing; else 401.
        public: what an anonymous token allows (with `degrades`).
        posts: it knows OAuth2's form alone, and answers 405 to a GET.
        refusal: status of a refusal.
        seconds: it takes its time for each answer.
    """

    degrades: bool = False
    public: Sequence[str] = ()
    posts: bool = False
    refusal: int = 401
    seconds: float = 0.0


class TokenServer(NamedTuple):
    """A running token server.

    Attributes:
        address: `host:port`.
        asked: every request.
        auth: configuration of `auth` for the registry.
    """

    address: str
    asked: list[Asked]
    auth: str


@contextmanager
def token_server(folder: Path, users: Mapping[str, User], conduct: Conduct = Conduct()) -> Iterator[TokenServer]:  # noqa: B008  (immutable)
    """Run one, its key and certificate in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    key, file = folder / "token.key", folder / "token.pem"
    new = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tokens")
    subprocess.run((*new, "-keyout", str(key), "-out", str(file)), check=True, capture_output=True)

    def answer(asked: Asked) -> Answer:
        time.sleep(conduct.seconds)
        if conduct.posts != (asked.method == "POST"):
            return Answer(405)
        query = asked.body.decode() if conduct.posts else urlsplit(asked.path).query
        fields = parse_qsl(query)
        name, password = _credential(asked, dict(fields))
        user = users.get(name)
        good = user is not None and user.password == password and not user.expired
        if not good and not conduct.degrades:
            return _refusal(conduct.refusal)
        allowed = user.actions if user and good else conduct.public
        scopes = [scope for field, value in fields if field == "scope" for scope in value.split()]
        token = _token(key, file, name if good else "", [_access(scope, allowed) for scope in scopes])
        return Answer(200, json.dumps({"token": token, "access_token": token}).encode())

    with http_server(answer) as server:
        auth = (
            f"{{token: {{realm: 'http://{server.address}/token', service: '{SERVICE}', issuer: {_ISSUER}, "
            f"rootcertbundle: {file}}}}}"
        )
        yield TokenServer(server.address, server.asked, auth)


def _credential(asked: Asked, fields: Mapping[str, str]) -> tuple[str, str]:
    if asked.method == "POST":
        if fields.get("grant_type") != "password" or not fields.get("client_id"):
            return "", ""
        return fields.get("username", ""), fields.get("password", "")
    scheme, _, pair = (asked.authorization or "").partition(" ")
    name, _, password = base64.b64decode(pair if scheme == "Basic" else "").decode().partition(":")
    return name, password


def _refusal(status: int) -> Answer:
    errors = [{"code": "UNAUTHORIZED", "message": "authentication required\x1b[31m\r\n::error::"}]
    return Answer(status, json.dumps({"errors": errors}).encode())


def _access(scope: str, allowed: Sequence[str]) -> dict[str, object]:
    kind, _, rest = scope.partition(":")
    name, _, actions = rest.rpartition(":")
    return {"type": kind, "name": name, "actions": [action for action in actions.split(",") if action in allowed]}


def _token(key: Path, file: Path, subject: str, access: Sequence[Mapping[str, object]]) -> str:
    lines = file.read_text().splitlines()
    header = {"typ": "JWT", "alg": "RS256", "x5c": ["".join(line for line in lines if "-----" not in line)]}
    now = int(time.time())
    claims = {
        "iss": _ISSUER,
        "sub": subject,
        "aud": SERVICE,
        "jti": str(time.monotonic_ns()),
        "iat": now,
        "nbf": now - 10,
        "exp": now + 300,
        "access": access,
    }
    said = f"{_base64(json.dumps(header).encode())}.{_base64(json.dumps(claims).encode())}"
    signed = subprocess.run(
        ("openssl", "dgst", "-sha256", "-sign", str(key)), input=said.encode(), check=True, capture_output=True
    )
    return f"{said}.{_base64(signed.stdout)}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
