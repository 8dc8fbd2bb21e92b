"""Public registries, played on loopback as their documentation and public reports say that they behave.

They stand behind a proxy in which every name leads to one server with a certificate for all their names.
"""

from __future__ import annotations

import base64
import json
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from support.authority import certificate
from support.connect_proxy import connect_proxy
from support.http_server import Answer, http_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from support.http_server import Asked

USER, PASSWORD = "alice", "alices-password-31415926"


class Manner(NamedTuple):
    """How a registry behaves.

    Attributes:
        realm: of its token server; empty: Basic.
        may: what the user may do.
        refusal: status of its token server's refusal.
        anonymous: its token server gives a token to whoever shows no credential.
        scope_refusal: status for a scope that the user has no right to; 0: a token that allows less.
        repositories: those that are there, each with the tag `1.0`.
        missing: status and code for an upload to another; status 0: it is accepted.
        makes: a token to push makes the repository (Quay).
        cancels: status for an upload that is cancelled.
        ping: status at /v2/ for everybody, where it is not the challenge.
        message: what it says to who may not push.
    """

    realm: str = ""
    may: Sequence[str] = ("pull", "push")
    refusal: int = 401
    anonymous: bool = False
    scope_refusal: int = 0
    repositories: Sequence[str] = ("team/app",)
    missing: tuple[int, str] = (0, "")
    makes: bool = False
    cancels: int = 204
    ping: int = 0
    message: str = "requested access to the resource is denied"


class PlayedRegistry:
    """A registry with its token server, with one user."""

    def __init__(self, manner: Manner) -> None:
        self._manner = manner
        self._tokens: dict[str, set[str]] = {}
        self.repositories = set(manner.repositories)
        self.open_uploads = 0

    def answer(self, asked: Asked) -> Answer:
        path = urlsplit(asked.path).path
        if self._manner.realm and asked.host + path == self._manner.realm.removeprefix("https://"):
            return self._token(asked)
        if path == "/v2/":
            return self._ping(asked)
        repository, _, rest = path.removeprefix("/v2/").partition("/manifests/" if "/manifests/" in path else "/blobs/")
        action = "push" if "/blobs/uploads/" in path else "pull"
        if not self._allows(asked, repository, action):
            status = 401 if asked.authorization is None else 403
            return self._error(status, "DENIED", self._manner.message)
        return self._upload(asked, repository) if action == "push" else self._manifest(repository, rest)

    def _ping(self, asked: Asked) -> Answer:
        if self._manner.ping:
            return self._error(self._manner.ping, "DENIED", "client with IP 192.0.2.1 is not allowed access")
        token = (asked.authorization or "").removeprefix("Bearer ")
        known = token in self._tokens if self._manner.realm else asked.authorization == _BASIC
        return Answer(200) if known else self._error(401, "UNAUTHORIZED", "authentication required")

    def _token(self, asked: Asked) -> Answer:
        fields = dict(parse_qsl(urlsplit(asked.path).query))
        anonymous = asked.authorization is None and self._manner.anonymous
        if asked.authorization != _BASIC and not anonymous:
            return self._error(self._manner.refusal, "DENIED", "denied")
        granted = set()
        if scope := fields.get("scope"):
            _, repository, actions = scope.split(":")
            granted = {f"{repository}:{action}" for action in actions.split(",") if action in self._manner.may}
            if self._manner.scope_refusal and len(granted) < len(actions.split(",")):
                return self._error(self._manner.scope_refusal, "DENIED", "access forbidden")
            if self._manner.makes and "push" in actions and not anonymous:
                self.repositories.add(repository)
        token = secrets.token_urlsafe(24)
        self._tokens[token] = set() if anonymous else granted
        return Answer(200, json.dumps({"token": token}).encode())

    def _allows(self, asked: Asked, repository: str, action: str) -> bool:
        if not self._manner.realm:
            return asked.authorization == _BASIC and action in self._manner.may
        token = (asked.authorization or "").removeprefix("Bearer ")
        return f"{repository}:{action}" in self._tokens.get(token, ())

    def _manifest(self, repository: str, reference: str) -> Answer:
        if repository not in self.repositories:
            return self._error(404, "NAME_UNKNOWN", "repository name not known to registry")
        return Answer(200, b"{}") if reference == "1.0" else self._error(404, "MANIFEST_UNKNOWN", "manifest unknown")

    def _upload(self, asked: Asked, repository: str) -> Answer:
        if asked.method == "DELETE":
            self.open_uploads -= 1
            return Answer(self._manner.cancels)
        status, code = self._manner.missing
        if status and repository not in self.repositories:
            return self._error(status, code, f"The repository with name '{repository}' does not exist")
        self.open_uploads += 1
        return Answer(202, headers={"Location": f"{urlsplit(asked.path).path}session-1?state=x"})

    def _error(self, status: int, code: str, message: str) -> Answer:
        realm = self._manner.realm
        challenge = f'Bearer realm="{realm}",service="registry"' if realm else 'Basic realm="registry"'
        headers = {"WWW-Authenticate": challenge} if status == 401 else {}
        return Answer(status, json.dumps({"errors": [{"code": code, "message": message}]}).encode(), headers)


class Net(NamedTuple):
    """What is needed to reach the played hosts.

    Attributes:
        environ: leads to the proxy.
        authorities: of the certificate for all their names.
        asked: all requests.
    """

    environ: Mapping[str, str]
    authorities: str
    asked: list[Asked]


@contextmanager
def net(folder: Path, hosts: Mapping[str, PlayedRegistry]) -> Iterator[Net]:
    """Play these hosts; those of token servers are named too."""
    served = certificate(folder, [f"DNS:{host}" for host in hosts])
    with (
        http_server(lambda asked: hosts[asked.host].answer(asked), served) as server,
        connect_proxy(server.address) as proxy,
    ):
        yield Net({"HTTPS_PROXY": proxy.url}, served.authority.read_text(), server.asked)


_BASIC = f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
