"""Proxies in front of a registry that break requests in one way until they are told to stop.

The statuses and bodies are those of registries (OCI distribution-spec, "Error Codes") and of proxies in front of them;
the frames are those of RFC 9113.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import struct
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_SECONDS = 10
_HOP_BY_HOP = frozenset(("connection", "transfer-encoding", "content-length", "keep-alive"))
# Which requests are broken: the beginning of an upload, the bytes of one, the manifest.
BEGIN = ("POST", "/blobs/uploads/")
BYTES = ("PATCH PUT", "/blobs/uploads/")
MANIFEST = ("PUT", "/manifests/")


class Fault(NamedTuple):
    """A way to break a request.

    Attributes:
        where: methods, and a part of the path.
        status: of the answer; 0: the connection ends instead.
        body: of the answer.
        ending: how the connection ends: `close`, `reset`, `cut` (in the middle of an answer), `pipe` (in the middle of
            the request's body).
        headers: further ones.
    """

    where: tuple[str, str] = BEGIN
    status: int = 0
    body: bytes = b""
    ending: str = ""
    headers: tuple[tuple[str, str], ...] = ()


def oci_error(code: str, message: str) -> bytes:
    """The document of errors of the distribution specification."""
    return json.dumps({"errors": [{"code": code, "message": message, "detail": None}]}).encode()


def page(title: str) -> bytes:
    """As nginx writes it."""
    lines = (f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>",)
    return "\r\n".join((*lines, "<hr><center>nginx/1.22.1</center>", "</body>", "</html>", "")).encode()


FAULTS = {
    "closed": Fault(ending="close"),
    "reset": Fault(ending="reset"),
    "answer cut short": Fault(ending="cut"),
    "closed while sending": Fault(BYTES, ending="pipe"),
    "429": Fault(status=429, body=oci_error("TOOMANYREQUESTS", "too many requests"), headers=(("Retry-After", "0"),)),
    "500, OCI": Fault(status=500, body=oci_error("UNKNOWN", "unknown error")),
    "502": Fault(status=502, body=page("502 Bad Gateway")),
    "503": Fault(status=503, body=page("503 Service Temporarily Unavailable")),
    "503, OCI": Fault(status=503, body=oci_error("UNAVAILABLE", "the backend is busy")),
    "504": Fault(status=504, body=page("504 Gateway Time-out")),
    "408": Fault(status=408, body=page("408 Request Time-out")),
    "499": Fault(status=499),
    "520": Fault(status=520, body=page("520: Web server is returning an unknown error")),
    "522": Fault(status=522),
    "blob unknown": Fault(MANIFEST, 404, oci_error("MANIFEST_BLOB_UNKNOWN", "blob unknown to registry")),
    "unknown blob": Fault(MANIFEST, 400, oci_error("BLOB_UNKNOWN", "unknown blob")),
    "upload unknown": Fault(BYTES, 404, oci_error("BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")),
}
FINAL = {
    "401": Fault(status=401, body=oci_error("UNAUTHORIZED", "authentication required")),
    "403": Fault(status=403, body=oci_error("DENIED", "requested access to the resource is denied")),
    "404": Fault(status=404, body=oci_error("NAME_UNKNOWN", "repository name not known to registry")),
}


class Breaker(NamedTuple):
    """A proxy.

    Attributes:
        address: `host:port`.
        heal: called once, it breaks nothing from then on.
        broken: requests that it broke, each as method and path.
    """

    address: str
    heal: Callable[[], object]
    broken: list[str]


class _Breaking(BaseHTTPRequestHandler):
    """Passes requests on, but for those that the fault is about."""

    protocol_version = "HTTP/1.1"
    upstream: str
    fault: Fault
    healed: threading.Event
    broken: list[str]

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        methods, part = self.fault.where
        is_meant = self.command in methods.split() and part in self.path and not self.healed.is_set()
        if is_meant:
            self.broken.append(f"{self.command} {self.path}")
        if is_meant and not self.fault.status:
            self._end()
            return
        body = self._body()
        if is_meant:
            self._send(self.fault.status, self.fault.body, self.fault.headers)
        else:
            self._forward(body)

    def _end(self) -> None:
        """End the connection."""
        self.close_connection = True
        if self.fault.ending == "pipe":
            self.rfile.read(1)
        elif self.fault.ending == "reset":
            # Closing with this sends RST.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self._body()
        if self.fault.ending == "cut":
            self.wfile.write(b"HTTP/1.1 202 Accepted\r\nContent-Len")
        self.connection.close()

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _forward(self, body: bytes) -> None:
        connection = http.client.HTTPConnection(self.upstream, timeout=_SECONDS)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        try:
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            given = [pair for pair in answer.getheaders() if pair[0].lower() not in _HOP_BY_HOP]
            length = answer.getheader("Content-Length") if self.command == "HEAD" else None
            self._send(answer.status, answer.read(), tuple(given), length)
        finally:
            connection.close()

    def _send(self, status: int, body: bytes, headers: tuple[tuple[str, str], ...], length: str | None = None) -> None:
        self.send_response_only(status)
        for name, value in (*headers, ("Content-Length", length or str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815  (as http.server calls them)


@contextmanager
def breaking(upstream: str, fault: Fault) -> Iterator[Breaker]:
    """Pass requests on to a registry, but for those that the fault is about."""
    healed = threading.Event()
    broken: list[str] = []
    facts = {"upstream": upstream, "fault": fault, "healed": healed, "broken": broken}
    handler = type("Handler", (_Breaking,), facts)
    with _Quiet(("127.0.0.1", 0), handler) as server, _serving(server):
        yield Breaker(f"127.0.0.1:{server.server_address[1]}", healed.set, broken)


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A connection that ends is meant."""


@contextmanager
def _serving(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(_SECONDS)


@contextmanager
def refusing(upstream: str) -> Iterator[Breaker]:
    """An address where nothing listens until it is healed."""
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        host, port = reserved.getsockname()

        def heal() -> None:
            reserved.listen()
            threading.Thread(target=_pass_connections, args=(reserved, upstream), daemon=True).start()

        yield Breaker(f"{host}:{port}", heal, [])
        with suppress(OSError):
            reserved.shutdown(socket.SHUT_RDWR)


@contextmanager
def ending_streams(upstream: str, certificate: Path, key: Path, frame: str) -> Iterator[Breaker]:
    """Speak HTTP/2 and answer each request with a GOAWAY or RST_STREAM frame, until healed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2"])
    healed = threading.Event()
    broken: list[str] = []

    def serve(connection: socket.socket) -> None:
        if healed.is_set():
            _pass_bytes(connection, upstream)
            return
        with suppress(OSError), context.wrap_socket(connection, server_side=True) as tls:
            if tls.selected_alpn_protocol() == "h2":
                _end_stream(tls, frame)
                broken.append(frame)

    with socket.create_server(("127.0.0.1", 0)) as server:
        accepting = threading.Thread(target=_accept, args=(server, serve), daemon=True)
        accepting.start()
        yield Breaker(f"127.0.0.1:{server.getsockname()[1]}", healed.set, broken)
        server.shutdown(socket.SHUT_RDWR)
        accepting.join(_SECONDS)


def _end_stream(tls: ssl.SSLSocket, frame: str) -> None:
    """Read frames until a request comes, and end it (RFC 9113, 4.1, 6.4, 6.5 and 6.8)."""
    internal_error, headers_frame = 2, 1
    with tls.makefile("rb") as stream:
        stream.read(len(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
        tls.sendall(_frame(4, 0, b""))
        while header := stream.read(9):
            length, kind = int.from_bytes(header[:3], "big"), header[3]
            identifier = int.from_bytes(header[5:9], "big")
            stream.read(length)
            if kind != headers_frame:
                continue
            if frame == "GOAWAY":
                tls.sendall(_frame(7, 0, struct.pack(">II", identifier, internal_error)))
                return
            tls.sendall(_frame(3, identifier, struct.pack(">I", internal_error)))


def _frame(kind: int, identifier: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, 0)) + struct.pack(">I", identifier) + payload


def _accept(server: socket.socket, serve: Callable[[socket.socket], None]) -> None:
    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            threading.Thread(target=serve, args=(connection,), daemon=True).start()


def _pass_connections(server: socket.socket, upstream: str) -> None:
    _accept(server, lambda connection: _pass_bytes(connection, upstream))


def _pass_bytes(connection: socket.socket, upstream: str) -> None:
    host, _, port = upstream.partition(":")
    with suppress(OSError), connection, socket.create_connection((host, int(port)), _SECONDS) as other:
        other.settimeout(None)
        back = threading.Thread(target=_pump, args=(other, connection), daemon=True)
        back.start()
        _pump(connection, other)
        back.join(_SECONDS)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
