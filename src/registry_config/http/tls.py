"""Which certificates our own HTTP client trusts: those that the tools, mostly written in Go, trust too."""

from __future__ import annotations

import os.path
import re
import ssl
from contextlib import suppress

from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Go's crypto/x509/root_linux.go: Debian, Fedora, openSUSE, OpenELEC, CentOS and RHEL, Alpine.
SYSTEM_CERTIFICATES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def context(environ: Mapping[str, str], authorities: str = "") -> ssl.SSLContext:
    """What servers are verified with: the system's authorities, or those of SSL_CERT_FILE, and further ones.

    Args:
        environ: `SSL_CERT_FILE` replaces the system's file and `SSL_CERT_DIR` names further folders, as in Go. A file
            that cannot be read is passed over, as in Go: then no certificate is trusted.
        authorities: further certificates in PEM form.

    Raises:
        ValueError: the further ones are no certificates; the text is not repeated.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    # As in Go: what is in the bundle is trusted, also if it is not a root.
    made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    file = _own_file(environ)
    with suppress(OSError):
        if file:
            made.load_verify_locations(cafile=file)
    for folder in environ.get("SSL_CERT_DIR", "").split(":"):
        with suppress(OSError):
            if folder:
                made.load_verify_locations(capath=folder)
    if authorities:
        _add(made, authorities)
    return made


def own_certificates(environ: Mapping[str, str]) -> str:
    """The certificates that a tool trusts on this machine: the system's, or those of SSL_CERT_FILE; empty for none."""
    try:
        with open(_own_file(environ), encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def bundle(trusted: str, authorities: Iterable[str]) -> str:
    """Certificates in PEM form: what is trusted anyway, then further ones; of these nothing but the certificates."""
    return "\n".join((trusted.rstrip("\n"), *(block for text in authorities for block in _certificates(text)), ""))


def check_authorities(pem: str) -> None:
    """See whether a text holds certificates that can be trusted.

    Raises:
        ValueError: it does not; the text is not repeated.
    """
    _add(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), pem)


def _own_file(environ: Mapping[str, str]) -> str:
    return environ.get("SSL_CERT_FILE") or next(filter(os.path.isfile, SYSTEM_CERTIFICATES), "")


def _certificates(pem: str) -> list[str]:
    # Between the certificates of a bundle stand their names, in any language, and perhaps a key.
    return re.findall(r"-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=]+-----END CERTIFICATE-----", pem)


def _add(made: ssl.SSLContext, pem: str) -> None:
    try:
        made.load_verify_locations(cadata="\n".join(_certificates(pem)))
    except (OSError, ValueError):
        raise ValueError("holds no certificate in PEM form") from None
