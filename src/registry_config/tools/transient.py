"""Which failures may pass if the command is run again. Everything else is final, the unknown included."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from registry_config.errors import EXIT_TIMEOUT
from registry_config.tools.output import error_text, status

if TYPE_CHECKING:
    from registry_config.results import CommandResult


class Transient(NamedTuple):
    """A kind of failure that may pass; docs/retries.md shows the same rows.

    Attributes:
        name: what the user is told.
        pattern: a regular expression, without regard to case, for the end of what a tool printed.
        seen: where such lines come from.
    """

    name: str
    pattern: str
    seen: str


_LOST_BLOB: Final = "lost blob"

TRANSIENT: Final = (
    Transient("connection reset", r"connection reset by peer", "tried"),
    Transient("unexpected end of data", r"unexpected EOF(?! while looking for)", "tried"),
    Transient(
        "connection closed",
        r"(?:^|[:(] )EOF[\"'.)]*\s*$|broken pipe|use of closed network connection|client connection lost"
        r"|server closed idle connection|transport connection broken",
        "tried; Go's net/http, and buildx",
    ),
    Transient("HTTP/2 connection ended", r"\bGOAWAY\b|stream error: stream ID \d+", "tried; Go's net/http2"),
    Transient("connection refused", r"connection refused", "tried"),
    Transient(
        "timeout",
        r"i/o timeout|TLS handshake timeout|Client\.Timeout exceeded|context deadline exceeded|connection timed out",
        "Go's net and net/http",
    ),
    Transient("too many requests", status("429", "too ?many ?requests"), "tried"),
    Transient("retry limit", r"retry limit exceeded", "regctl, after a 429"),
    Transient(
        "server error",
        status("50[0234]", "Internal Server Error|Bad Gateway|Service (?:Temporarily )?Unavailable|Gateway Time-?out"),
        "tried",
    ),
    Transient(
        "server error",
        r"(?:^|: )unavailable: |\bunknown: unknown error\b",
        "tried: what oras, crane and helm show of a 5xx whose body is an OCI error",
    ),
    Transient(
        "error of a proxy",
        status("408|499|52\\d|530", "Request Time-?out|Web server is returning an unknown error|Origin is unreachable"),
        "tried; proxies in front of registries",
    ),
    Transient(
        _LOST_BLOB,
        r"\bunknown blob\b|\bblob unknown\b|\bblob upload unknown\b",
        "tried; docker with ghcr.io, and distribution's BLOB_UPLOAD_UNKNOWN",
    ),
    Transient(
        "resolver",
        r"server misbehaving|Temporary failure in name resolution|\bEAI_AGAIN\b",
        "Go's and glibc's resolver; a name that does not exist is final",
    ),
)
# Their number is small, and each is looked for in a few lines only.
_COMPILED: Final = tuple((row.name, re.compile(row.pattern, re.IGNORECASE | re.MULTILINE)) for row in TRANSIENT)
_REFUSED: Final = re.compile(
    status("40[13]", r"unauthorized|denied|forbidden|invalid username")
    + r"|no such host|\bimmutable\b|cannot be overwritten",
    re.IGNORECASE,
)
_MISSING: Final = re.compile(status("404", r"not found|manifest unknown|name unknown"), re.IGNORECASE)
_RETRY_AFTER: Final = re.compile(r"retry-after:? {0,4}(\d{1,4})\b", re.IGNORECASE)
_LAST_LINES: Final = 5
_MAX_WAIT_SECONDS: Final = 120.0
TIME_LIMIT: Final = "time limit"


def transient_failure(result: CommandResult) -> str:
    """The name of the transient failure that ended a command; empty if it ended well, or for good."""
    if not result.exit_code or result.problem:
        return ""
    if result.exit_code == EXIT_TIMEOUT:
        return TIME_LIMIT
    text = error_text(result, _LAST_LINES)
    if _REFUSED.search(text):
        return ""
    name = next((name for name, pattern in _COMPILED if pattern.search(text)), "")
    # A registry that has lost an upload says so with a 404.
    return "" if name != _LOST_BLOB and _MISSING.search(text) else name


def retry_after(result: CommandResult) -> float:
    """Seconds that the registry asked to wait, where the tool shows them; at most two minutes."""
    match = _RETRY_AFTER.search(error_text(result, _LAST_LINES))
    return min(float(match[1]), _MAX_WAIT_SECONDS) if match else 0.0
