"""Text from elsewhere, made fit for a message of ours."""

from __future__ import annotations

from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from registry_config.credentials.redaction import Redactor

_MAX_CHARACTERS: Final = 300


def quotable(text: str, redactor: Redactor) -> str:
    """The text in one line of at most 300 characters, without control characters and secrets."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    # A secret that the end cuts short could not be found any more.
    shown = redactor.text(line)
    return shown if len(shown) <= _MAX_CHARACTERS else shown[:_MAX_CHARACTERS] + "…"
