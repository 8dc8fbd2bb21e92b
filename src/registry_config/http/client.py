"""The one HTTP client, for registries, token servers and identity providers: what it sends, and what it does not.

Nothing comes from the process's environment. A redirect is followed only where the caller says so, on the same
origin, and never with credentials. Plain HTTP goes to loopback as written, or where `plain_http` says so.
This module and the library below it are slow to import: import it where something is asked.
"""

from __future__ import annotations

import re
import time
from concurrent.futures import TimeoutError as TooLate
from functools import partial
from urllib.parse import urljoin, urlsplit

import tenacity
import urllib3

from registry_config.http.background import in_background
from registry_config.http.messages import (
    AddressError,
    Answer,
    HttpError,
    RedirectError,
    TimedOutError,
    UnreachableError,
)
from registry_config.http.proxies import is_loopback
from registry_config.http.transport import Transport
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from urllib.parse import SplitResult

    from registry_config.http.messages import Body

ATTEMPTS: Final = 4
_REDIRECTS: Final = 3
_REDIRECT_STATUS: Final = frozenset({301, 302, 303, 307, 308})
_TRANSIENT_STATUS: Final = frozenset({429, 500, 502, 503, 504})


def transient(answer: Answer) -> bool:
    """Whether a server may answer otherwise if it is asked again; never so for 401 and 403."""
    return answer.status in _TRANSIENT_STATUS


class Client:
    """Asks the servers of one entry, one request after the other.

    Args:
        environ: proxies (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`) and authorities (`SSL_CERT_FILE`, `SSL_CERT_DIR`).
        seconds: for all requests together, waits included, from the first one on.
        authorities: certificates in PEM form, trusted beside the system's.
        plain_http: allow `http://` for other hosts than loopback.

    Raises:
        ValueError: `authorities` holds no certificate.
    """

    def __init__(
        self, environ: Mapping[str, str], *, seconds: float = 60.0, authorities: str = "", plain_http: bool = False
    ) -> None:
        self._transport = Transport(environ, authorities)
        self._seconds = seconds
        self._plain_http = plain_http
        self._deadline: float | None = None

    def close(self) -> None:
        """Close the connections that are kept."""
        self._transport.close()

    def remaining(self) -> float:
        """Seconds that are left; the first call starts the clock."""
        if self._deadline is None:
            self._deadline = time.monotonic() + self._seconds
        return self._deadline - time.monotonic()

    def request(  # noqa: PLR0913  (the last two are named, and seldom given)
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        *,
        again: Callable[[Answer], bool] | None = transient,
        follow: bool = False,
    ) -> Answer:
        """Send a request and read the answer, of whatever status but a redirect's.

        Args:
            method: of HTTP.
            url: `https://…`; `http://…` where that is allowed.
            headers: for this request alone.
            body: what to send.
            again: which answers are asked for once more, at most four times in all, after the answer's Retry-After or
                a random wait that grows from half a second, as far as the time allows; a lost connection is, too.
                None: it is sent once, whatever happens.
            follow: follow a redirect on the same origin; not where `headers` has Authorization, or with a body.

        Raises:
            HttpError: nothing is sent to this URL, there is no answer, or it is a redirect that is not followed.
        """
        sent = headers or {}
        follow = follow and body is None and not any(name.lower() == "authorization" for name in sent)
        for _ in range(_REDIRECTS + 1):
            target = self._allowed(url)
            answer = (
                self._once(method, target, sent, body)
                if again is None
                else (self._retried(again, method, target, sent, body))
            )
            if answer.status not in _REDIRECT_STATUS:
                return answer
            url = _redirected(url, answer, follow=follow)
        raise RedirectError(target.netloc, "answers with one redirect after the other")

    def _retried(
        self,
        again: Callable[[Answer], bool],
        method: str,
        target: SplitResult,
        headers: Mapping[str, str],
        body: Body | None,
    ) -> Answer:
        growing = tenacity.wait_random_exponential(multiplier=0.5, max=8.0)

        def wait(state: tenacity.RetryCallState) -> float:
            return max(growing(state), _retry_after(state))

        def enough(state: tenacity.RetryCallState) -> bool:
            return state.attempt_number >= ATTEMPTS or state.upcoming_sleep > self.remaining()

        # urllib3's own retries would read the whole body of a refused answer, however long it is.
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_result(again) | tenacity.retry_if_exception_type(UnreachableError),
            wait=wait,
            stop=enough,
            retry_error_callback=_last,
        )
        answer: Answer = retrying(self._once, method, target, headers, body)
        return answer

    def _allowed(self, url: str) -> SplitResult:
        """The parts of a URL that something may be sent to."""
        try:
            target = urlsplit(url)
            name, _ = target.hostname or "", target.port
        except ValueError:
            raise AddressError("", "is not an address") from None
        if not name or target.scheme not in ("http", "https") or "@" in target.netloc:
            raise AddressError(name, "is not an http or https address without a user")
        if target.scheme == "http" and not (self._plain_http or is_loopback(name)):
            raise AddressError(target.netloc, "is asked over https only")
        return target

    def _once(self, method: str, target: SplitResult, headers: Mapping[str, str], body: Body | None) -> Answer:
        """One attempt, in a thread of its own: a server that sends a byte now and then would outlast any timeout."""
        left = self.remaining()
        late = TimedOutError(target.netloc, f"no complete answer within {self._seconds:.0f} s")
        if left <= 0:
            raise late
        exchange = partial(self._transport.exchange, method, target, headers, body, left)
        try:
            answer = in_background(exchange).result(left)
        except TooLate:
            answer = late
        # Raised here, where no error of the library, which may quote the URL, is its context.
        if isinstance(answer, HttpError):
            raise answer
        return answer


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a URL, the scheme's own port filled in.

    Raises:
        ValueError: not a URL.
    """
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443)


def _redirected(url: str, answer: Answer, *, follow: bool) -> str:
    """Where a redirect leads, on the same origin."""
    try:
        there = urljoin(url, answer.header("Location"))
        if follow and origin(there) == origin(url):
            return there
        host = urlsplit(there).hostname or ""
    except ValueError:
        host = ""
    # The other side chose this name.
    named = f" to {host}" if re.fullmatch(r"[a-z0-9.:-]{1,253}", host) else ""
    raise RedirectError(urlsplit(url).netloc, f"redirects{named}, which is not followed")


def _retry_after(state: tenacity.RetryCallState) -> float:
    """Seconds that the server asked to wait (RFC 9110, section 10.2.3: a number or a date)."""
    if state.outcome is None or state.outcome.failed:
        return 0.0
    answer: Answer = state.outcome.result()
    try:
        return float(urllib3.Retry().parse_retry_after(answer.header("Retry-After") or "0"))
    except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
        # A word, or a number or a year that Python does not take.
        return 0.0


def _last(state: tenacity.RetryCallState) -> Answer:
    """What the last attempt gave: an answer, or its error."""
    assert state.outcome is not None  # noqa: S101  (asked only after an attempt)
    answer: Answer = state.outcome.result()
    return answer
