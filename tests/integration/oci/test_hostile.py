"""Registries that lie, break off or never end: no credential goes astray, and the verdict is never a success."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from registry_config.oci import verify as verify_module
from registry_config.oci.entry import Entry, Probe
from registry_config.oci.verify import verify
from support.authority import certificate
from support.hostile import hostile
from support.http_server import Answer, Asked, http_server

if TYPE_CHECKING:
    import socket
    import threading
    from collections.abc import Callable
    from pathlib import Path

_SECRET = "alices-password-31415926"
_PROBES = (Probe("team/app", "pull", "1"), Probe("team/app", "push"))
_BEARER = 'Bearer realm="{realm}",service="x"'


def _entry(address: str, *, realm: str = "", authorities: str = "", probes: tuple[Probe, ...] = _PROBES) -> Entry:
    return Entry(address, address, "alice", _SECRET, probes, authorities, realm=realm)


def _challenges(realm: str) -> Callable[[Asked], Answer]:
    return lambda _: Answer(401, headers={"WWW-Authenticate": _BEARER.format(realm=realm)})


@pytest.mark.parametrize(
    ("realm", "words"),
    [
        ("http://{other}/token", "`realm: {other}`"),
        ("http://{own}@{other}/token", "whose address is not one"),
        ("http://localhost:{own_port}/token", "`realm: localhost:{own_port}`"),
        ("//{other}/token", "whose address is not one"),
        ("ftp://{own}/token", "whose address is not one"),
        ("http://{own}/to ken\x7f", "whose address is not one"),
        ("http://[::1/token", "whose address is not one"),
        ("http://127.0.0.1:99999/token", "whose address is not one"),
    ],
)
def test_a_foreign_realm_gets_nothing(realm: str, words: str, told: list[str]) -> None:
    with http_server(lambda _: Answer(200, b'{"token":"x"}')) as other:
        named: list[str] = []

        def answer(asked: Asked) -> Answer:
            return _challenges(*named)(asked)

        with http_server(answer) as server:
            names = {"other": other.address, "own": server.address, "own_port": server.address.partition(":")[2]}
            named.append(realm.format(**names))
            rows = verify([_entry(server.address)], {}, told.append)
            assert [row.verdict for row in rows] == ["unknown"] * 3
            assert words.format(**names) in rows[0].reason
            assert other.asked == []
            assert [asked.authorization for asked in server.asked] == [None]


def test_a_realm_that_the_entry_names_is_asked(told: list[str]) -> None:
    with http_server(lambda _: Answer(401)) as other, http_server(_challenges(f"http://{other.address}/t")) as server:
        (row,) = verify([_entry(server.address, realm=other.address)], {}, told.append)
        assert row.verdict == "rejected"
        assert [asked.path for asked in other.asked] == ["/t?service=x"]


def test_no_token_server_of_plain_http_for_a_registry_of_https(tmp_path: Path, told: list[str]) -> None:
    served = certificate(tmp_path)
    with (
        http_server(lambda _: Answer(200, b'{"token":"x"}')) as other,
        http_server(_challenges(f"http://{other.address}/t"), served) as server,
    ):
        entry = _entry(server.address, realm=other.address, authorities=served.authority.read_text())
        rows = verify([entry], {}, told.append)
        assert [row.verdict for row in rows] == ["unknown"] * 3
        assert "is asked over https" in rows[0].reason
        assert other.asked == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed_with_a_credential(status: int, told: list[str]) -> None:
    with http_server(lambda _: Answer(200, b'{"token":"x"}')) as other:

        def answer(asked: Asked) -> Answer:
            if asked.authorization or "/token" in asked.path:
                return Answer(status, headers={"Location": f"http://{other.address}/"})
            return Answer(401, headers={"WWW-Authenticate": _BEARER.format(realm=f"http://{asked.host}/token")})

        with http_server(answer) as server:
            rows = verify([_entry(server.address)], {}, told.append)
        assert [row.verdict for row in rows] == ["unknown"] * 3
        assert other.asked == []


def test_a_location_on_another_origin_gets_nothing(told: list[str]) -> None:
    with http_server(lambda _: Answer(204)) as other:

        def answer(asked: Asked) -> Answer:
            if asked.method == "POST":
                return Answer(202, headers={"Location": f"http://{other.address}/v2/team/app/blobs/uploads/1"})
            return Answer(200 if asked.authorization else 401, headers={"WWW-Authenticate": "Basic"})

        with http_server(answer) as server:
            rows = verify([_entry(server.address, probes=_PROBES[1:])], {}, told.append)
            assert [row.verdict for row in rows] == ["verified", "verified"]
            assert [asked.method for asked in server.asked].count("POST") == 1
        assert other.asked == []


@pytest.mark.parametrize("failure", [Answer(500), Answer(429, headers={"Retry-After": "0"}), Answer(0), Answer(400)])
def test_a_failed_upload_is_unknown_and_not_repeated(failure: Answer, told: list[str]) -> None:
    def answer(asked: Asked) -> Answer:
        if asked.method == "POST":
            return failure
        return Answer(200 if asked.authorization else 401, headers={"WWW-Authenticate": "Basic"})

    with http_server(answer) as server:
        rows = verify([_entry(server.address, probes=_PROBES[1:])], {}, told.append)
        assert [row.verdict for row in rows] == ["verified", "unknown"]
        assert [asked.method for asked in server.asked].count("POST") == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_credential_is_shown_once(status: int, told: list[str]) -> None:
    """Some registries ban an address after a few wrong logins."""

    def answer(asked: Asked) -> Answer:
        if asked.path.startswith("/token"):
            return Answer(status, b'{"details":"incorrect username or password"}')
        return Answer(401, headers={"WWW-Authenticate": _BEARER.format(realm=f"http://{asked.host}/token")})

    with http_server(answer) as server:
        (row,) = verify([_entry(server.address)], {}, told.append)
        assert row.verdict == "rejected"
        assert "incorrect username or password" in row.reason
        assert sum(asked.authorization is not None for asked in server.asked) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refused_scope_is_denied(status: int, told: list[str]) -> None:
    def answer(asked: Asked) -> Answer:
        if "scope=" in asked.path:
            return Answer(status)
        if asked.path.startswith("/token"):
            return Answer(200, b'{"access_token":"opaque"}') if asked.authorization else Answer(401)
        challenge = {"WWW-Authenticate": _BEARER.format(realm=f"http://{asked.host}/token")}
        return Answer(200) if asked.authorization else Answer(401, headers=challenge)

    with http_server(answer) as server:
        rows = verify([_entry(server.address)], {}, told.append)
    assert [row.verdict for row in rows] == ["verified", "denied", "denied"]


@pytest.mark.parametrize("token", ["", "two words", "line\r\nX-Injected: 1", "ü", 1, None, ["x"]])
def test_a_token_that_is_none_is_no_success(token: object, told: list[str]) -> None:
    import json  # noqa: PLC0415

    def answer(asked: Asked) -> Answer:
        if asked.path.startswith("/token"):
            return Answer(200, json.dumps({"token": token}).encode())
        return Answer(401, headers={"WWW-Authenticate": _BEARER.format(realm=f"http://{asked.host}/token")})

    with http_server(answer) as server:
        rows = verify([_entry(server.address)], {}, told.append)
        assert [row.verdict for row in rows] == ["unknown"] * 3
        assert told == []
        assert not any("X-Injected" in asked.headers for asked in server.asked)


def test_bodies_and_answers_without_an_end(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_module, "SECONDS", 2.0)

    def endless(client: socket.socket, over: threading.Event) -> None:
        client.sendall(b"HTTP/1.1 401 x\r\nWWW-Authenticate: Basic\r\n\r\n")
        while not over.is_set():
            client.sendall(b"x" * 65536)

    def silent(_: socket.socket, over: threading.Event) -> None:
        over.wait(30)

    begin = time.monotonic()
    with hostile(endless) as one, hostile(silent) as two:
        rows = verify([_entry(one), _entry(two)], {}, told.append)
    assert [row.verdict for row in rows] == ["unknown"] * 6
    assert time.monotonic() - begin < 20


def test_a_login_that_answers_nothing_useful_is_unknown(told: list[str]) -> None:
    for given in (Answer(500), Answer(418), Answer(401), Answer(401, headers={"WWW-Authenticate": "Negotiate"})):
        with http_server(lambda _, given=given: given) as server:  # type: ignore[misc]
            rows = verify([_entry(server.address)], {}, told.append)
            assert [row.verdict for row in rows] == ["unknown"] * 3
            assert {asked.authorization for asked in server.asked} == {None}


def test_the_secret_is_in_no_row_and_no_representation(told: list[str]) -> None:
    with http_server(lambda _: Answer(401, headers={"WWW-Authenticate": "Basic"})) as server:
        entry = _entry(server.address)
        rows = verify([entry], {}, told.append)
    assert _SECRET not in f"{rows!r}{entry!r}{entry}"
