"""An HTTP server on loopback that answers as a test wants, and keeps what it was asked."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from support.authority import Certificate


class Asked(NamedTuple):
    """A request."""

    method: str
    path: str
    authorization: str | None
    host: str = ""
    body: bytes = b""
    headers: Message = Message()


class Answer(NamedTuple):
    """An answer; with status 0 the connection is reset instead."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}


class Server(NamedTuple):
    """A running server: `host:port`, and all that it was asked."""

    address: str
    asked: list[Asked]


@contextmanager
def http_server(
    answer: Callable[[Asked], Answer], served: Certificate | None = None, place: tuple[str, int] = ("127.0.0.1", 0)
) -> Iterator[Server]:
    """Serve on a free port of 127.0.0.1, or elsewhere; over TLS if there is a certificate."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = Asked(
                self.command,
                self.path,
                self.headers.get("Authorization"),
                self.headers.get("Host", ""),
                body,
                self.headers,
            )
            asked.append(request)
            given = answer(request)
            if not given.status:
                # Closing with this sends RST.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True
                return
            self.send_response(given.status)
            for name, value in {"Content-Length": str(len(given.body)), **given.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(given.body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815  (as http.server calls them)

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A reset connection is meant."""

    with Quiet(place, Handler) as server:
        if served:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(served.file, served.key)
            # The handshake belongs to the thread of the connection, not to the one that accepts.
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield Server(f"{place[0]}:{server.server_address[1]}", asked)
        finally:
            server.shutdown()
            thread.join()
