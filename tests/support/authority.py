"""Private authorities and their certificates, made with openssl."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_NAMES = ("IP:127.0.0.1", "DNS:localhost")


@dataclass(frozen=True)
class Certificate:
    """A server's certificate with its key, and the authority that stands for it."""

    authority: Path
    file: Path
    key: Path


def certificate(folder: Path, names: Sequence[str] = _NAMES) -> Certificate:
    """A certificate for these names (as openssl writes alternative names), from an authority made for this one."""
    folder.mkdir(parents=True, exist_ok=True)
    authority, authority_key = folder / "authority.pem", folder / "authority.key"
    made = Certificate(authority, folder / "server.pem", folder / "server.key")
    new = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    signed = ("-CA", str(authority), "-CAkey", str(authority_key), "-addext", "basicConstraints=critical,CA:FALSE")
    subject = ("-subj", "/CN=127.0.0.1", "-addext", f"subjectAltName={','.join(names)}")
    # RFC 5280 wants the purpose of its key, and so does Python from 3.13 on.
    purpose = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
    for command in (
        (*new, *purpose, "-subj", "/CN=Test authority", "-keyout", str(authority_key), "-out", str(authority)),
        (*new, *signed, *subject, "-keyout", str(made.key), "-out", str(made.file)),
    ):
        subprocess.run(command, check=True, capture_output=True)
    return made


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


def expired_certificate(folder: Path) -> Certificate:
    """A certificate for 127.0.0.1 that was valid for a day of 2020, its own authority."""
    folder.mkdir(parents=True)
    (folder / "index").touch()
    (folder / "serial").write_text("01\n")
    (folder / "config").write_text(_CA.format(folder=folder))
    file, key, request = folder / "server.pem", folder / "server.key", folder / "request.pem"
    new = ("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    subject = ("-subj", "/CN=127.0.0.1", "-addext", f"subjectAltName={','.join(_NAMES)}")
    ca = ("openssl", "ca", "-batch", "-selfsign", "-notext", "-config", str(folder / "config"), "-keyfile", str(key))
    for command in (
        (*new, *subject, "-keyout", str(key), "-out", str(request)),
        (*ca, "-startdate", "200101000000Z", "-enddate", "200102000000Z", "-in", str(request), "-out", str(file)),
    ):
        subprocess.run(command, check=True, capture_output=True)
    return Certificate(file, file, key)
