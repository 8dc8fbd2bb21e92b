"""Servers on loopback whose certificates are not as they should be."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CA = """\
[ca]
default_ca = own
[own]
database = {folder}/index
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
"""


def expired_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that was valid in 2020, its own authority; gives the files of it and of its key."""
    folder.mkdir()
    (folder / "index").touch()
    (folder / "serial").write_text("01\n")
    (folder / "config").write_text(_CA.format(folder=folder))
    certificate, key, request = folder / "server.pem", folder / "server.key", folder / "request.pem"
    new = ("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    names = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    ca = ("openssl", "ca", "-batch", "-selfsign", "-notext", "-config", str(folder / "config"), "-keyfile", str(key))
    for command in (
        (*new, *names, "-keyout", str(key), "-out", str(request)),
        (
            *ca,
            "-startdate",
            "200101000000Z",
            "-enddate",
            "200102000000Z",
            "-in",
            str(request),
            "-out",
            str(certificate),
        ),
    ):
        subprocess.run(command, check=True, capture_output=True)
    return certificate, key


@contextmanager
def tls_server(certificate: Path, key: Path, host: str = "127.0.0.1") -> Iterator[str]:
    """Shake hands and close; gives the address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server((host, 0)) as server:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with suppress(OSError), connection, context.wrap_socket(connection, server_side=True) as tls:
                        tls.recv(1)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"{host}:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)
