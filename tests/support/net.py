"""The hosts of the net, played on loopback: a proxy that ends TLS for each of them, by an authority of its own.

So programs ask for real addresses, and verify real certificates.
"""

from __future__ import annotations

import http.client
import select
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import trustme

from support import http_server
from support.http_server import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from email.message import Message
    from pathlib import Path

    from typing_extensions import Self

    Player = Callable[["Asked"], "Answer"]

_SECONDS = 20
_HOP_BY_HOP = ("Connection", "Transfer-Encoding", "Date", "Server")


class Asked(NamedTuple):
    """A request to a played host."""

    method: str
    host: str
    target: str
    headers: Message
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))


class Net(NamedTuple):
    """A running net.

    Attributes:
        proxy: its URL.
        authority: file of the certificate that all its hosts are verified with.
        asked: every request to a played host, in order.
        connected: host and port of every connection that was asked for.
        players: what answers for a host; may be changed at any time.
    """

    proxy: str
    authority: Path
    asked: list[Asked]
    connected: list[str]
    players: dict[str, Player]

    @property
    def variables(self) -> dict[str, str]:
        """What a program finds the net by."""
        return {"HTTPS_PROXY": self.proxy, "NO_PROXY": "", "SSL_CERT_FILE": str(self.authority)}

    def to(self, host: str) -> list[Asked]:
        """What a host was asked."""
        return [asked for asked in self.asked if asked.host == host]


@contextmanager
def net(folder: Path, players: Mapping[str, Player]) -> Iterator[Net]:
    """Play a net.

    Args:
        folder: for the authority's certificate.
        players: what answers for a host.
    """
    authority = trustme.CA()
    file = folder / "net.pem"
    authority.cert_pem.write_to_path(str(file))
    asked: list[Asked] = []
    playing = dict(players)
    with _player(playing, asked) as address, _Proxy(authority, playing, address) as proxy:
        yield Net(proxy.url, file, asked, proxy.connected, playing)


def forward(address: str) -> Player:
    """Let a real server of plain HTTP on loopback, `host:port`, answer."""

    def answer(asked: Asked) -> Answer:
        connection = http.client.HTTPConnection(address, timeout=_SECONDS)
        try:
            connection.request(asked.method, asked.target, asked.body, dict(asked.headers.items()))
            response = connection.getresponse()
            headers = {name: value for name, value in response.getheaders() if name not in _HOP_BY_HOP}
            return Answer(response.status, response.read(), headers)
        finally:
            connection.close()

    return answer


@contextmanager
def _player(players: Mapping[str, Player], asked: list[Asked]) -> Iterator[str]:
    """One server for all played hosts."""

    def answer(request: http_server.Asked) -> Answer:
        played = Asked(request.method, request.host.removesuffix(":443"), request.path, request.headers, request.body)
        asked.append(played)
        return players[played.host](played)

    with http_server.http_server(answer) as server:
        yield server.address


class _Proxy:
    """Serves CONNECT (RFC 9110 section 9.3.6) for the hosts of a net; for others it answers 502."""

    def __init__(self, authority: trustme.CA, players: Mapping[str, Player], player: str) -> None:
        self._authority = authority
        self._players = players
        self._player = player
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self.connected: list[str] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        # A thread that waits in accept() is woken by this, not by close().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(_SECONDS)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._open.append(client)
                self._threads.append(threading.Thread(target=self._serve, args=(client,)))
                self._threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            client.settimeout(_SECONDS)
            head = b""
            while b"\r\n\r\n" not in head:
                data = client.recv(65536)
                if not data:
                    return
                head += data
            place = head.split(b" ", 2)[1].decode()
            self.connected.append(place)
            host = place.removesuffix(":443")
            if not head.startswith(b"CONNECT ") or host not in self._players:
                client.sendall(b"HTTP/1.1 502 No such host\r\nContent-Length: 0\r\n\r\n")
                return
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            name, _, port = self._player.partition(":")
            with (
                socket.create_connection((name, int(port)), _SECONDS) as server,
                self._context(host).wrap_socket(client, server_side=True) as secured,
            ):
                self._open.append(server)
                _pump(secured, server)

    def _context(self, host: str) -> ssl.SSLContext:
        with self._lock:
            if host not in self._contexts:
                self._contexts[host] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self._authority.issue_cert(host).configure_cert(self._contexts[host])
            return self._contexts[host]


def _pump(secured: ssl.SSLSocket, server: socket.socket) -> None:
    """Both directions in one thread: a TLS connection is not to be used by two."""
    others = {secured: server, server: secured}
    while True:
        ready = [secured] if secured.pending() else select.select([secured, server], [], [], _SECONDS)[0]
        if not ready:
            return
        for one in ready:
            data = one.recv(65536)
            if not data:
                return
            others[one].sendall(data)
