"""Why a provider refuses, read out of its answer; nothing else of an answer is ever shown."""

from __future__ import annotations

import re

from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from registry_config.http.messages import Answer

# Where providers put their reason: RFC 6749 section 5.2, Google, Azure, JFrog, Docker, Django, AWS.
_REASONS: Final = ("code", "status", "error", "__type", "error_description", "message", "Message", "detail", "errors")
_MAX_DEPTH: Final = 4


def reason_of(answer: Answer) -> str:
    """The reason that a JSON answer gives; empty where it gives none in a known place."""
    return ": ".join(dict.fromkeys(_reasons(answer.fields(), _MAX_DEPTH)))


def _reasons(value: object, depth: int) -> list[str]:
    if isinstance(value, str):
        return [value] if re.search(r"\w", value) else []
    if isinstance(value, list) and depth:
        return [text for item in value[:3] for text in _reasons(item, depth - 1)]
    if isinstance(value, dict) and depth:
        return [text for name in _REASONS for text in _reasons(value.get(name), depth - 1)]
    return []
