"""Which failures may pass if the command is run again. Everything else is final, the unknown included."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from registry_config.results import CommandResult

# Name of the failure, pattern, where it was seen. docs/retries.md shows the same rows.
TRANSIENT: Final[tuple[tuple[str, re.Pattern[str], str], ...]] = tuple(
    (name, re.compile(pattern, re.IGNORECASE), seen)
    for name, pattern, seen in (
        ("connection reset", r"connection reset by peer", "helm, oras, crane, regctl, skopeo, buildah, cosign"),
        ("unexpected end of data", r"unexpected EOF", "Go's io.ErrUnexpectedEOF, in all tools written in Go"),
        (
            "timeout",
            r"i/o timeout|TLS handshake timeout|Client\.Timeout exceeded|context deadline exceeded",
            "Go's net and net/http",
        ),
        ("too many requests", r"\b429\b|too ?many ?requests", "helm, oras, crane, skopeo, buildah, cosign, conftest"),
        ("retry limit", r"retry limit exceeded", "regctl, after 429"),
        (
            "server error",
            r"\b50[0234]\b[: ]*\(?(?:Internal Server Error|Bad Gateway|Service|Gateway Time-?out)|\[http 50[0234]\]",
            "helm, oras, crane, regctl, skopeo, buildah, cosign",
        ),
    )
)
_FINAL: Final = re.compile(
    r"\b40[134]\b|unauthorized|\bdenied\b|forbidden|not found|manifest unknown|name unknown|invalid username",
    re.IGNORECASE,
)
_REFUSED: Final = re.compile(r"\b40[13]\b|unauthorized|\bdenied\b|forbidden|invalid username", re.IGNORECASE)
_RETRY_AFTER: Final = re.compile(r"retry-after:? *(\d{1,4})\b", re.IGNORECASE)
# What a tool printed before may tell of an error that it got over by itself.
_LAST_LINES: Final = 5
_MAX_WAIT_SECONDS: Final = 120.0


def transient_failure(finished: CommandResult) -> str:
    """The name of the transient failure that ended a command; empty if it ended well, or for good."""
    text = _end(finished)
    if not finished.exit_code or finished.problem or _FINAL.search(text):
        return ""
    return next((name for name, pattern, _ in TRANSIENT if pattern.search(text)), "")


def is_refusal(result: CommandResult) -> bool:
    """Whether a registry refused the credential or what was asked with it (401, 403)."""
    return bool(_REFUSED.search(_end(result)))


def retry_after(finished: CommandResult) -> float:
    """Seconds that the registry asked to wait, where the tool shows them; at most two minutes."""
    match = _RETRY_AFTER.search(_end(finished))
    return min(float(match[1]), _MAX_WAIT_SECONDS) if match else 0.0


def _end(finished: CommandResult) -> str:
    lines = [line for line in finished.stderr.text.splitlines() if line.strip()]
    lines = lines or [line for line in finished.stdout.text.splitlines() if line.strip()]
    return "\n".join(lines[-_LAST_LINES:])
