"""A proxy on loopback, in which every name leads to one server: so hosts of the net can be played."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 10


class Proxy(NamedTuple):
    """A running proxy: its URL, and the first line and headers of each request to it."""

    url: str
    asked: list[str]


@contextmanager
def connect_proxy(upstream: str) -> Iterator[Proxy]:
    """Serve CONNECT (RFC 9110, section 9.3.6), and requests in absolute form, whatever their host, from `upstream`."""
    host, _, port = upstream.partition(":")
    asked: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))
    open_sockets: list[socket.socket] = []

    def serve(client: socket.socket) -> None:
        with client, suppress(OSError):
            head = _head(client)
            asked.append(head.decode())
            with socket.create_connection((host, int(port)), _SECONDS) as server:
                open_sockets.append(server)
                if head.startswith(b"CONNECT "):
                    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                else:
                    server.sendall(head)
                back = threading.Thread(target=_pump, args=(server, client))
                back.start()
                _pump(client, server)
                back.join()

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                open_sockets.append(client)
                threads.append(threading.Thread(target=serve, args=(client,)))
                threads[-1].start()

    threads = [threading.Thread(target=accept)]
    threads[0].start()
    try:
        yield Proxy(f"http://127.0.0.1:{listener.getsockname()[1]}", asked)
    finally:
        # A thread that waits in accept() is woken by this, not by close().
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for one in open_sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(_SECONDS)


def _head(client: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        data = client.recv(65536)
        if not data:
            raise ConnectionError
        head += data
    return head


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
