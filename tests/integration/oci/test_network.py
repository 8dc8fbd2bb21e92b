"""TLS, plain HTTP, redirects, refusals of a real nginx in front of a real registry; and many registries in parallel."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from registry_config.oci import verify as verify_module
from registry_config.oci.entry import Entry, Probe
from registry_config.oci.verify import verify
from support.authority import certificate
from support.connect_proxy import connect_proxy
from support.front import front
from support.http_server import Answer, Asked, http_server
from support.proxy import slow

if TYPE_CHECKING:
    from pathlib import Path

    from support.places import Places

_PROBES = (Probe("team/app", "pull", "1"), Probe("team/app", "push"))


def test_a_registry_of_a_private_authority(places: Places, told: list[str], tmp_path: Path) -> None:
    served, other = certificate(tmp_path / "served"), certificate(tmp_path / "other")
    with front(tmp_path / "nginx", places.htpasswd.registry.address, served=served) as tls:
        entry = places.htpasswd.entry(*_PROBES)._replace(registry=tls.address, host=tls.address)
        trusted = entry._replace(authorities=served.authority.read_text())
        assert [row.verdict for row in verify([trusted], {}, told.append)] == ["verified"] * 3
        asked = len(tls.requests())
        rows = verify([entry._replace(authorities=other.authority.read_text())], {}, told.append)
        assert [row.verdict for row in rows] == ["unknown"] * 3
        assert "x509" in rows[0].reason
        assert "`ca-file`" in rows[0].reason
        assert len(tls.requests()) == asked


def test_a_registry_that_speaks_https_alone_is_told_from_one_that_is_ill(
    places: Places, told: list[str], tmp_path: Path
) -> None:
    served = certificate(tmp_path / "served")
    with front(tmp_path / "nginx", places.htpasswd.registry.address, served=served) as tls:
        (row,) = verify([places.htpasswd.entry()._replace(registry=tls.address, host=tls.address)], {}, told.append)
    assert (row.verdict, "speaks https only" in row.reason, "`ca-file`" in row.reason) == ("unknown", True, True)


@pytest.mark.parametrize(
    "case",
    [
        ("return 301 https://registry.example.test$request_uri;", 1, "redirects to registry.example.test"),
        ("add_header Retry-After 61 always; return 429;", 1, "answered 429"),
        ("add_header Retry-After 0 always; return 429;", 4, "answered 429"),
        ("return 503;", 4, "answered 503"),
        ("return 500;", 4, "answered 500"),
        ("return 404;", 1, "no registry at this address"),
        ("return 444;", 4, "connection failed or was lost"),
    ],
)
def test_what_is_no_answer_is_unknown(
    places: Places, told: list[str], tmp_path: Path, case: tuple[str, int, str]
) -> None:
    rules, asked, words = case
    with front(tmp_path, places.htpasswd.registry.address, rules) as server:
        rows = verify([places.htpasswd.entry(*_PROBES)._replace(host=server.address)], {}, told.append)
        assert [row.verdict for row in rows] == ["unknown"] * 3
        assert words in rows[0].reason
        assert len(server.requests()) == asked


def test_a_registry_that_comes_back_is_waited_for(places: Places, told: list[str], tmp_path: Path) -> None:
    flag = tmp_path / "closed"
    rules = f"if (-f {flag}) {{ return 503; }}"
    with front(tmp_path / "nginx", places.htpasswd.registry.address, rules) as server:
        flag.touch()

        def open_after_two() -> None:
            deadline = time.monotonic() + 60
            while len(server.requests()) < 2 and time.monotonic() < deadline:
                time.sleep(0.01)
            flag.unlink()

        opener = threading.Thread(target=open_after_two)
        opener.start()
        rows = verify([places.htpasswd.entry()._replace(host=server.address)], {}, told.append)
        opener.join()
        assert [row.verdict for row in rows] == ["verified"]
        assert [line.split('"')[2].split()[0] for line in server.requests()] == ["503", "503", "401", "200"]


def test_a_forbidding_front_is_denied(places: Places, told: list[str], tmp_path: Path) -> None:
    with front(tmp_path, places.htpasswd.registry.address, "deny all;") as server:
        rows = verify([places.htpasswd.entry(*_PROBES)._replace(host=server.address)], {}, told.append)
    assert [row.verdict for row in rows] == ["denied"] * 3
    assert "firewall" in rows[0].reason


def test_plain_http_is_spoken_where_it_is_asked_for_alone(places: Places, told: list[str]) -> None:
    with connect_proxy(places.htpasswd.registry.address) as proxy:
        environ = {"HTTP_PROXY": proxy.url, "HTTPS_PROXY": proxy.url}
        entry = places.htpasswd.entry()._replace(host="registry.example.test:5000")
        (row,) = verify([entry._replace(plain_http=True)], environ, told.append)
        assert row.verdict == "verified"
        plain = len(proxy.asked)
        (row,) = verify([entry], environ, told.append)
        assert row.verdict == "unknown"
        assert "`plain-http: true`" in row.reason
        assert {line.split()[0] for line in proxy.asked[plain:]} == {"CONNECT"}


def test_ten_registries_take_no_longer_than_the_slowest(places: Places, told: list[str]) -> None:
    """The waits of the slow proxies are far longer than all that is computed."""
    upstream = places.htpasswd.registry.address
    with ExitStack() as stack:
        hosts = [stack.enter_context(slow(upstream, 0.3 + 0.05 * number)) for number in range(10)]
        entries = [places.htpasswd.entry(*_PROBES[1:])._replace(registry=host, host=host) for host in hosts]
        begin = time.monotonic()
        assert [row.verdict for row in verify(entries[-1:], {}, told.append)] == ["verified"] * 2
        slowest = time.monotonic() - begin
        begin = time.monotonic()
        rows = verify(entries, {}, told.append)
        together = time.monotonic() - begin
    assert [row.verdict for row in rows] == ["verified"] * 20
    assert [row.registry for row in rows] == [host for host in hosts for _ in range(2)]
    assert together <= 1.5 * slowest


def test_sixteen_registries_are_asked_in_parallel_and_no_more(told: list[str]) -> None:
    lock = threading.Lock()
    now: list[int] = [0, 0]
    full = threading.Event()

    def answer(_: Asked) -> Answer:
        with lock:
            now[0] += 1
            now[1] = max(now)
            if now[0] == 16:
                full.set()
        full.wait(10)
        # Whoever comes although sixteen are there is counted meanwhile.
        time.sleep(0.5)
        with lock:
            now[0] -= 1
        return Answer(404)

    with http_server(answer) as server:
        entries = [Entry(str(number), server.address, "alice", "alices-password-1") for number in range(40)]
        rows = verify(entries, {}, told.append)
    assert [row.registry for row in rows] == [str(number) for number in range(40)]
    assert now[1] == 16


def test_waiting_for_its_turn_does_not_count_for_the_deadline(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_module, "MAX_PARALLEL", 1)
    monkeypatch.setattr(verify_module, "SECONDS", 3.0)

    def answer(asked: Asked) -> Answer:
        time.sleep(0.5)
        return Answer(200 if asked.authorization else 401, headers={"WWW-Authenticate": "Basic"})

    with http_server(answer) as server:
        rows = verify([Entry("x", server.address, "alice", "alices-password-1")] * 5, {}, told.append)
    assert [row.verdict for row in rows] == ["verified"] * 5
