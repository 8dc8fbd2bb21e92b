"""The HTTP client against servers that are well-meaning, slow, broken and hostile."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from registry_config.http import messages
from registry_config.http.client import Client
from support.authority import certificate
from support.connect_proxy import connect_proxy
from support.hostile import hostile
from support.http_server import Answer, Asked, http_server
from support.registry import free_port
from support.tables import table

if TYPE_CHECKING:
    import socket
    import threading
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from registry_config.http.messages import HttpError
    from support.authority import Certificate

_SECRET = "secret-of-the-query-1"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("served"), ("IP:127.0.0.1", "DNS:registry.example.test"))


def _after(failures: int, failure: Answer) -> Callable[[Asked], Answer]:
    """A server that fails a few times."""
    left = iter([failure] * failures)
    return lambda _: next(left, Answer(200, b"well"))


def test_a_lost_connection_and_a_busy_server_are_asked_again() -> None:
    for failure in (Answer(0), Answer(503), Answer(429, headers={"Retry-After": "0"})):
        with http_server(_after(2, failure)) as server:
            assert Client({}).request("GET", f"http://{server.address}/").body == b"well"
            assert len(server.asked) == 3


def test_it_is_given_up_after_four_attempts() -> None:
    with http_server(_after(9, Answer(502))) as server:
        assert Client({}).request("GET", f"http://{server.address}/").status == 502
        assert len(server.asked) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_is_never_repeated(status: int) -> None:
    with http_server(lambda _: Answer(status, headers={"Retry-After": "0"})) as server:
        assert Client({}).request("GET", f"http://{server.address}/").status == status
        assert len(server.asked) == 1


def test_what_is_sent_once_is_sent_once() -> None:
    for failure in (Answer(0), Answer(503)):
        with http_server(_after(2, failure)) as server:
            try:
                assert Client({}).request("POST", f"http://{server.address}/", again=None).status == 503
            except messages.UnreachableError:
                assert failure.status == 0
            assert len(server.asked) == 1


def test_retry_after_is_waited_for() -> None:
    with http_server(_after(1, Answer(429, headers={"Retry-After": "2"}))) as server:
        begin = time.monotonic()
        assert Client({}).request("GET", f"http://{server.address}/").status == 200
        assert time.monotonic() - begin >= 2


@table("text", {"a word": "soon", "a date after the year 9999": "Mon, 01 Jan 99999 00:00:00 GMT"})
def test_a_retry_after_that_says_no_time_is_passed_over(text: str) -> None:
    with http_server(_after(1, Answer(429, headers={"Retry-After": text}))) as server:
        assert Client({}).request("GET", f"http://{server.address}/").status == 200


def test_a_retry_after_beyond_the_deadline_is_not_waited_for() -> None:
    with http_server(_after(1, Answer(429, headers={"Retry-After": "61"}))) as server:
        assert Client({}, seconds=60).request("GET", f"http://{server.address}/").status == 429
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    "location", ["https://registry.example.test/", "http://127.0.0.1:1/", "//127.0.0.1:1/", "", "http://[", "\x00"]
)
def test_a_redirect_to_another_origin_is_refused(location: str) -> None:
    with http_server(lambda _: Answer(307, headers={"Location": location})) as server:
        with pytest.raises(messages.RedirectError):
            Client({}).request("GET", f"http://{server.address}/{_SECRET}", follow=bool(location))
        assert len(server.asked) <= 4


def test_a_redirect_on_the_same_origin_is_followed_without_a_credential_alone() -> None:
    def answer(asked: Asked) -> Answer:
        return Answer(200) if asked.path == "/there" else Answer(301, headers={"Location": "/there"})

    with http_server(answer) as server:
        url = f"http://{server.address}/"
        assert Client({}).request("GET", url, follow=True).status == 200
        for headers, follow in (({"authorization": "Basic x"}, True), ({}, False)):
            with pytest.raises(messages.RedirectError):
                Client({}).request("GET", url, headers, follow=follow)
        assert [asked.path for asked in server.asked] == ["/", "/there", "/", "/"]


def test_a_circle_of_redirects_ends() -> None:
    with http_server(lambda _: Answer(302, headers={"Location": "/"})) as server:
        with pytest.raises(messages.RedirectError, match="one redirect after the other"):
            Client({}).request("GET", f"http://{server.address}/", follow=True)
        assert len(server.asked) == 4


def _endless(status: int) -> Callable[[socket.socket, threading.Event], None]:
    def answer(client: socket.socket, over: threading.Event) -> None:
        client.sendall(f"HTTP/1.1 {status} x\r\nRetry-After: 0\r\n\r\n".encode())
        while not over.is_set():
            client.sendall(b"x" * 65536)

    return answer


@pytest.mark.parametrize("status", [200, 401, 503])
def test_a_body_without_an_end_is_not_read_to_it(status: int) -> None:
    with hostile(_endless(status)) as address, pytest.raises(messages.TooLargeError):
        Client({}).request("GET", f"http://{address}/")


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 x\r\nContent-Length: 1000\r\n\r\n", b"HTTP/1.1 200 x\r\nX-Header: "])
def test_a_byte_now_and_then_does_not_outlast_the_deadline(start: bytes) -> None:
    def answer(client: socket.socket, over: threading.Event) -> None:
        client.sendall(start)
        while not over.wait(0.1):
            client.sendall(b"x")

    with hostile(answer) as address:
        begin = time.monotonic()
        with pytest.raises(messages.TimedOutError):
            Client({}, seconds=1.5).request("GET", f"http://{address}/")
        assert 1.5 <= time.monotonic() - begin < 15


def test_after_the_deadline_nothing_is_sent() -> None:
    with http_server(lambda _: Answer(200)) as server:
        client = Client({}, seconds=0)
        with pytest.raises(messages.TimedOutError):
            client.request("GET", f"http://{server.address}/")
        assert server.asked == []


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://registry.example.test/", messages.AddressError),
        ("http://127.0.0.1.example.test/", messages.AddressError),
        ("http://alice:x@127.0.0.1/", messages.AddressError),
        ("ftp://127.0.0.1/", messages.AddressError),
        ("file:///etc/passwd", messages.AddressError),
        ("https://[", messages.AddressError),
        ("https://registry.invalid/", messages.UnreachableError),
    ],
)
def test_where_nothing_is_sent(url: str, error: type[HttpError]) -> None:
    with pytest.raises(error) as raised:
        Client({}).request("GET", f"{url}?{_SECRET}", again=None)
    assert _SECRET not in f"{raised.value}{raised.value!r}"


def test_nobody_there() -> None:
    with pytest.raises(messages.UnreachableError, match="connection refused") as raised:
        Client({}).request("GET", f"http://127.0.0.1:{free_port()}/?{_SECRET}", again=None)
    context: BaseException | None = raised.value
    while context:
        assert _SECRET not in f"{context}{context!r}"
        context = context.__context__


def test_a_private_authority_counts_where_it_is_given_alone(served: Certificate) -> None:
    pem = served.authority.read_text()
    with http_server(lambda _: Answer(200), served) as server:
        url = f"https://{server.address}/"
        assert Client({}, authorities=pem).request("GET", url).status == 200
        assert Client({"SSL_CERT_FILE": str(served.authority)}).request("GET", url).status == 200
        with pytest.raises(messages.UntrustedError, match="x509"):
            Client({}).request("GET", url)
        with pytest.raises(messages.UntrustedError, match="x509"):
            Client({"SSL_CERT_FILE": "/not/there"}).request("GET", url)
        with pytest.raises(messages.UntrustedError, match="x509"):
            Client({}, authorities=pem).request("GET", url.replace("127.0.0.1", "localhost"))


def test_the_wrong_protocol_is_named() -> None:
    with http_server(lambda _: Answer(200)) as server, pytest.raises(messages.UnreachableError, match="plain HTTP"):
        Client({}).request("GET", f"https://{server.address}/", again=None)


@pytest.fixture
def tls_server(served: Certificate) -> Iterator[str]:
    with http_server(lambda asked: Answer(200, asked.host.encode()), served) as server:
        yield server.address


def test_https_goes_through_the_proxy(served: Certificate, tls_server: str) -> None:
    with connect_proxy(tls_server) as proxy:
        environ = {"HTTPS_PROXY": proxy.url.replace("//", "//user:p%40ss@")}
        client = Client(environ, authorities=served.authority.read_text())
        assert client.request("GET", "https://registry.example.test/v2/").body == b"registry.example.test"
        client.close()
        assert proxy.asked[0].startswith("CONNECT registry.example.test:443 ")
        assert "proxy-authorization: Basic dXNlcjpwQHNz" in proxy.asked[0]
        assert "/v2/" not in proxy.asked[0]


def test_plain_http_goes_through_the_proxy() -> None:
    with http_server(lambda asked: Answer(200, asked.path.encode())) as server, connect_proxy(server.address) as proxy:
        client = Client({"http_proxy": proxy.url.removeprefix("http://")}, plain_http=True)
        url = "http://registry.example.test/v2/"
        assert client.request("GET", url).body == url.encode()
        client.close()


def test_loopback_never_goes_through_the_proxy() -> None:
    with http_server(lambda _: Answer(200)) as server, connect_proxy(server.address) as proxy:
        assert Client({"HTTP_PROXY": proxy.url}).request("GET", f"http://{server.address}/").status == 200
        assert proxy.asked == []


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "http://127.0.0.1:1", "http://[::"])
def test_a_proxy_that_cannot_be_used_is_named(proxy: str) -> None:
    with pytest.raises(messages.UnreachableError, match="proxy of the environment"):
        Client({"HTTPS_PROXY": proxy}).request("GET", "https://registry.example.test/", again=None)


def test_the_environment_of_the_process_and_its_files_count_for_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login alice password x\n")
    for name, value in {
        "HOME": str(tmp_path),
        "http_proxy": "http://127.0.0.1:1",
        "HTTP_PROXY": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)
    cookie = {"Set-Cookie": "session=1; Path=/"}
    with http_server(lambda _: Answer(200, headers=cookie)) as server:
        client = Client({}, plain_http=True)
        assert [client.request("GET", f"http://{server.address}/").status for _ in range(2)] == [200, 200]
        assert [asked.authorization for asked in server.asked] == [None, None]
        assert not any("Cookie" in asked.headers for asked in server.asked)
    assert os.environ["HTTP_PROXY"]
