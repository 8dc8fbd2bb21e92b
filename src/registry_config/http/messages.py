"""What is sent and what comes back, whatever the library below: answers, bodies, and why there is no answer."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

BODY_BYTES: Final = 1 << 20


class HttpError(Exception):
    """No answer that can be used. The text names the host alone: a path or a query may hold a secret."""

    def __init__(self, host: str, problem: str) -> None:
        super().__init__(host, problem)
        self.host = host
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.host}: {self.problem}"


class UnreachableError(HttpError):
    """No connection, or one that was lost."""


class TimedOutError(HttpError):
    """No answer in time."""


class UntrustedError(HttpError):
    """A certificate that no known authority stands for (x509)."""


class RedirectError(HttpError):
    """A redirect that is not followed."""


class TooLargeError(HttpError):
    """A body over `BODY_BYTES`."""


class AddressError(HttpError):
    """A URL that nothing is sent to: plain HTTP where it is not allowed, another scheme, or one with a user in it."""


class Answer(NamedTuple):
    """An answer, of whatever status.

    Attributes:
        status: of HTTP.
        headers: names and values in the order received, repeated ones included.
        body: at most `BODY_BYTES`.
    """

    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str:
        """The first value of a header; empty if it is missing."""
        return next(iter(self.all(name)), "")

    def fields(self) -> dict[str, object]:
        """The JSON object of the body; empty if it is anything else."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}


class Body(NamedTuple):
    """What is sent, and its Content-Type."""

    data: bytes
    type: str


def form(fields: Sequence[tuple[str, str]]) -> Body:
    """Fields as a form (`application/x-www-form-urlencoded`)."""
    return Body(urlencode(fields).encode(), "application/x-www-form-urlencoded")


def json_body(value: object) -> Body:
    """A value as JSON."""
    return Body(json.dumps(value).encode(), "application/json")
