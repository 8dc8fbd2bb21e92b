"""One request and its answer, by urllib3: no retries, no redirects, no cookies, no netrc."""

from __future__ import annotations

import re
import ssl
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3 import exceptions

from registry_config.http import messages, tls
from registry_config.http.messages import BODY_BYTES, Answer
from registry_config.http.proxies import proxy_for
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

    from registry_config.http.messages import Body, HttpError

CONNECT_SECONDS: Final = 5.0
# One read from the socket; docker's own figure for a login.
READ_SECONDS: Final = 15.0
USER_AGENT: Final = "registry-config"
_CHUNK_BYTES: Final = 1 << 16
_MAX_CAUSES: Final = 20


class Transport:
    """Connections to the servers of one entry, kept open between requests.

    Args:
        environ: proxies (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`) and authorities (`SSL_CERT_FILE`, `SSL_CERT_DIR`).
        authorities: certificates in PEM form, trusted beside the system's.

    Raises:
        ValueError: `authorities` holds no certificate.
    """

    def __init__(self, environ: Mapping[str, str], authorities: str) -> None:
        self._environ = environ
        self._context = tls.context(environ, authorities)
        self._pools: dict[str, urllib3.PoolManager] = {}

    def close(self) -> None:
        """Close the connections that are kept."""
        for pool in self._pools.values():
            pool.clear()

    def exchange(
        self, method: str, target: SplitResult, headers: Mapping[str, str], body: Body | None, seconds: float
    ) -> Answer | HttpError:
        """Send a request and read the answer, or say why there is none.

        Args:
            method: of HTTP.
            target: where to, http or https.
            headers: beside User-Agent and Content-Type.
            body: what to send.
            seconds: limit of each wait, where it is less than the usual one.
        """
        sent = {"User-Agent": USER_AGENT, **({"Content-Type": body.type} if body else {}), **headers}
        try:
            response = self._pool(target).urlopen(
                method,
                target._replace(fragment="").geturl(),
                body=body.data if body else None,
                headers=sent,
                retries=False,
                redirect=False,
                timeout=urllib3.Timeout(connect=min(CONNECT_SECONDS, seconds), read=min(READ_SECONDS, seconds)),
                preload_content=False,
            )
            return _read(response, target.netloc)
        except (exceptions.HTTPError, OSError, ValueError) as error:
            return _failure(target.netloc, error)

    def _pool(self, target: SplitResult) -> urllib3.PoolManager:
        proxy = proxy_for(self._environ, target.scheme, target.hostname or "", target.port)
        if proxy not in self._pools:
            self._pools[proxy] = _proxied(proxy, self._context) if proxy else _direct(self._context)
        return self._pools[proxy]


def _direct(trusted: ssl.SSLContext) -> urllib3.PoolManager:
    return urllib3.PoolManager(ssl_context=trusted)


def _proxied(proxy: str, trusted: ssl.SSLContext) -> urllib3.PoolManager:
    try:
        parts = urlsplit(proxy)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port)
    except ValueError:
        usable = False
    if not usable:
        raise exceptions.ProxySchemeUnknown(None)
    user = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None
    headers = urllib3.make_headers(proxy_basic_auth=user) if user else None
    address = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return urllib3.ProxyManager(address, proxy_headers=headers, ssl_context=trusted, proxy_ssl_context=trusted)


def _read(response: urllib3.BaseHTTPResponse, host: str) -> Answer | HttpError:
    body = bytearray()
    try:
        for chunk in response.stream(_CHUNK_BYTES, decode_content=False):
            body += chunk
            if len(body) > BODY_BYTES:
                return messages.TooLargeError(host, f"sent a body of more than {BODY_BYTES >> 20} MiB")
        return Answer(response.status, tuple(response.headers.items()), bytes(body))
    finally:
        # A connection whose answer was read to its end has gone back to the pool before.
        response.close()


def _failure(host: str, error: Exception) -> HttpError:
    """Our word for an error of the library, without its text: that may quote the URL."""
    causes = _causes(error)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = re.sub(r"[^\w ,.'():-]", "", cause.verify_message)
            return messages.UntrustedError(host, f"x509: the certificate is not trusted ({reason})")
    # A refused connection is one of its timeouts too, for compatibility with urllib3 1.
    late = [cause for cause in causes if isinstance(cause, exceptions.TimeoutError)]
    if late and not any(isinstance(cause, exceptions.NewConnectionError) for cause in late):
        return messages.TimedOutError(host, "no answer in time")
    known = (problem for kind, problem in _PROBLEMS if any(isinstance(cause, kind) for cause in causes))
    problem = next(known, "the connection failed or was lost")
    if any(isinstance(cause, exceptions.ProxyError) for cause in causes):
        problem = f"through the proxy of the environment: {problem}"
    return messages.UnreachableError(host, problem)


_PROBLEMS: Final = (
    (exceptions.ProxySchemeUnknown, "the proxy of the environment is no address of http:// or https://"),
    (exceptions.NameResolutionError, "the name cannot be resolved"),
    (ConnectionRefusedError, "nothing answers at this address (connection refused)"),
    (ssl.SSLError, "no TLS handshake; a server of plain HTTP answers so"),
)


def _causes(error: BaseException) -> list[BaseException]:
    """An error and those behind it; the library keeps some of them in its arguments."""
    found: list[BaseException] = []
    todo = [error]
    while todo and len(found) < _MAX_CAUSES:
        one = todo.pop()
        if any(one is known for known in found):
            continue
        found.append(one)
        behind = (one.__cause__, one.__context__, *one.args)
        todo += [cause for cause in behind if isinstance(cause, BaseException)]
    return found
