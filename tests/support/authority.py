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
    for command in (
        (*new, "-subj", "/CN=Test authority", "-keyout", str(authority_key), "-out", str(authority)),
        (*new, *signed, *subject, "-keyout", str(made.key), "-out", str(made.file)),
    ):
        subprocess.run(command, check=True, capture_output=True)
    return made
