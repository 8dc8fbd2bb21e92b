"""Which failures may pass if the command is run again. Everything else is final, the unknown included."""

from __future__ import annotations

import re

from registry_config.errors import EXIT_TIMEOUT
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple
from registry_config.tools.output import error_text, status

if TYPE_CHECKING:
    from registry_config.results import CommandResult


class Transient(NamedTuple):
    """A kind of failure that may pass; docs/retries.md shows the same rows.

    Attributes:
        name: what the user is told.
        phrases: regular expressions, without regard to case, for the end of what a tool printed.
        seen: where such lines come from.
        statuses: of HTTP; each counts only behind a word such as `status` or `HTTP`.
    """

    name: str
    phrases: tuple[str, ...]
    seen: str
    statuses: tuple[int, ...] = ()

    @property
    def pattern(self) -> str:
        """One expression for all of it."""
        numbers = (status("|".join(map(str, self.statuses))),) if self.statuses else ()
        return "|".join((*self.phrases, *numbers))


_LOST_BLOB: Final = "lost blob"

TRANSIENT: Final = (
    Transient("connection reset", ("connection reset by peer",), "tried"),
    Transient("unexpected end of data", ("unexpected EOF(?! while looking for)",), "tried"),
    Transient(
        "connection closed",
        (
            r"(?:^|[:(] )EOF[\"'.)]*\s*$",
            "broken pipe",
            "use of closed network connection",
            "client connection lost",
            "server closed idle connection",
            "transport connection broken",
        ),
        "tried (EOF, broken pipe); Go's net/http",
    ),
    Transient("HTTP/2 connection ended", (r"\bGOAWAY\b", r"stream error: stream ID \d+"), "tried"),
    Transient("connection refused", ("connection refused",), "tried"),
    Transient(
        "timeout",
        (
            "i/o timeout",
            "TLS handshake timeout",
            r"Client\.Timeout exceeded",
            "context deadline exceeded",
            "connection timed out",
        ),
        "Go's net and net/http",
    ),
    Transient("too many requests", ("too ?many ?requests",), "tried", (429,)),
    Transient("retry limit", ("retry limit exceeded",), "regctl, after a 429"),
    Transient(
        "server error",
        (
            r"\bInternal Server Error\b",
            r"\bBad Gateway\b",
            r"\bService (?:Temporarily )?Unavailable\b",
            r"\bGateway Time-?out\b",
            "(?:^|: )unavailable: ",
            r"\bunknown: unknown error\b",
        ),
        "tried; the last two where the body is an OCI error",
        (500, 502, 503, 504),
    ),
    Transient(
        "error of a proxy",
        (r"\bRequest Time-?out\b", r"\bWeb server is returning an unknown error\b", r"\bOrigin is unreachable\b"),
        "tried",
        (408, 499, *range(520, 531)),
    ),
    Transient(
        _LOST_BLOB,
        (r"\bunknown blob\b", r"\bblob unknown\b", r"\bblob upload unknown\b"),
        "tried; docker with ghcr.io",
    ),
    Transient(
        "resolver",
        ("server misbehaving", "Temporary failure in name resolution", r"\bEAI_AGAIN\b"),
        "Go's and glibc's resolver; a name that does not exist is final",
    ),
)
# Their number is small, and each is looked for in a few lines only.
_COMPILED: Final = tuple((row.name, re.compile(row.pattern, re.IGNORECASE | re.MULTILINE)) for row in TRANSIENT)
_REFUSED: Final = re.compile(status("40[13]", r"unauthorized|denied|forbidden|invalid username"), re.IGNORECASE)
_FOR_GOOD: Final = re.compile(r"no such host|\bimmutable\b|cannot be overwritten", re.IGNORECASE)
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
    if _REFUSED.search(text) or _FOR_GOOD.search(text):
        return ""
    name = next((name for name, pattern in _COMPILED if pattern.search(text)), "")
    # A registry that has lost an upload says so with a 404.
    return "" if name != _LOST_BLOB and _MISSING.search(text) else name


def is_refusal(result: CommandResult) -> bool:
    """Whether a registry refused the credential or what was asked with it (401, 403)."""
    return bool(_REFUSED.search(error_text(result, _LAST_LINES)))


def retry_after(result: CommandResult) -> float:
    """Seconds that the registry asked to wait, where the tool shows them; at most two minutes."""
    match = _RETRY_AFTER.search(error_text(result, _LAST_LINES))
    return min(float(match[1]), _MAX_WAIT_SECONDS) if match else 0.0
