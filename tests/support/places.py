"""Registries of each kind, and what they were asked."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple

from registry_config.oci.entry import Entry
from support.http_server import Answer, Asked, http_server
from support.registry import Registry, registry
from support.token_server import Conduct, User, token_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from registry_config.oci.entry import Probe
    from support.token_server import TokenServer

PASSWORDS = {"alice": "alices-password-31415926", "bob": "bobs-password-27182818", "carol": "carols-password-16180339"}
_USERS = {
    "alice": User(PASSWORDS["alice"]),
    "bob": User(PASSWORDS["bob"], actions=("pull",)),
    "carol": User(PASSWORDS["carol"], expired=True),
}


class Place(NamedTuple):
    """A registry, and the token server that it names, if it does."""

    registry: Registry
    tokens: TokenServer | None = None

    def entry(self, *probes: Probe, user: str = "alice", password: str = "") -> Entry:
        """An entry of it, with a user's own password or another."""
        realm = self.tokens.address if self.tokens else ""
        secret = password or PASSWORDS[user]
        address = self.registry.address
        authority = self.registry.authority
        trusted = authority.read_text() if authority else ""
        return Entry(address, address, user, secret, probes, realm=realm, authorities=trusted)

    def login(self, user: str = "alice", password: str = "") -> dict[str, str]:
        """The same as it is declared."""
        realm = {"realm": self.tokens.address} if self.tokens else {}
        secret = password or PASSWORDS[user]
        return {"registry": self.registry.address, "username": user, "password": secret, **realm}

    def mark(self) -> Mark:
        """Now: what is asked from here on."""
        return Mark(self, len(self.registry.requests()), len(self.tokens.asked) if self.tokens else 0)

    def uploads(self) -> int:
        """Upload sessions that are open. (Of a cancelled one Distribution 2.8 leaves an empty state of a hash.)"""
        return sum(path.name == "startedat" for path in self._files())

    def stored(self) -> list[str]:
        """Whatever else is stored."""
        return sorted(str(path) for path in self._files() if "_uploads" not in path.parts)

    def _files(self) -> list[Path]:
        return [path for path in (self.registry.log.parent / "data").rglob("*") if path.is_file()]


class Mark(NamedTuple):
    """A moment, after which requests are counted."""

    place: Place
    registry: int
    tokens: int

    def asked(self) -> list[str]:
        """Method and path of each request to the registry since then."""
        lines = self.place.registry.requests()[self.registry :]
        found = (re.search(r'"([A-Z]+ /\S*) HTTP', line) for line in lines if line.endswith('"registry-config"'))
        return [match[1] for match in found if match]

    def asked_tokens(self) -> list[Asked]:
        """Requests to the token server since then."""
        return self.place.tokens.asked[self.tokens :] if self.place.tokens else []

    def total(self) -> int:
        """All requests since then."""
        return len(self.asked()) + len(self.asked_tokens())


class Places(NamedTuple):
    """One registry of each kind."""

    htpasswd: Place
    open: Place
    strict: Place
    degrading: Place
    posting: Place


@contextmanager
def places(folder: Path) -> Iterator[Places]:
    """Run them, their files in `folder`."""
    known = {name: password for name, password in PASSWORDS.items() if name != "carol"}
    with ExitStack() as stack:

        def tokens(name: str, conduct: Conduct) -> Place:
            server = stack.enter_context(token_server(folder / f"{name}-tokens", _USERS, conduct))
            return Place(stack.enter_context(registry(folder / name, {}, auth=server.auth)), server)

        yield Places(
            Place(stack.enter_context(registry(folder / "htpasswd", known))),
            Place(stack.enter_context(registry(folder / "open", {}, auth=""))),
            tokens("strict", Conduct()),
            tokens("degrading", Conduct(degrades=True)),
            tokens("posting", Conduct(posts=True)),
        )


@contextmanager
def opaque_registry(token: str) -> Iterator[str]:
    """The address of a registry whose token server gives this token."""
    here: list[str] = []

    def answer(asked: Asked) -> Answer:
        if asked.path.startswith("/token"):
            good = (asked.authorization or "").startswith("Basic ")
            return Answer(200, json.dumps({"token": token}).encode()) if good else Answer(401)
        if asked.authorization == f"Bearer {token}":
            return Answer(200)
        return Answer(401, headers={"WWW-Authenticate": f'Bearer realm="http://{here[0]}/token",service="test"'})

    with http_server(answer) as server:
        here.append(server.address)
        yield server.address
