"""What a JSON Web Token says of itself (RFC 7519). Nothing is verified: it serves messages and expiries alone."""

from __future__ import annotations

import binascii
import json
import time

from registry_config.light_typing import Final

_URL_SAFE: Final = str.maketrans("-_", "+/")
_PARTS: Final = 3  # header, claims, signature
_YEAR_10000: Final = 253_402_300_800


def claims(token: str) -> dict[str, object]:
    """The claims of a token; none where it is no JSON Web Token."""
    parts = token.split(".")
    if len(parts) != _PARTS:
        return {}
    try:
        found = json.loads(binascii.a2b_base64(parts[1].translate(_URL_SAFE) + "=="))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def expiry(token: str) -> float | None:
    """When a token expires (`exp`), in seconds since 1970; None where it does not say so."""
    return moment(claims(token).get("exp"))


def moment(value: object) -> float | None:
    """A number that can be a moment in seconds since 1970; else None."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and 0 < value < _YEAR_10000 else None  # type: ignore[operator,arg-type]


def moment_text(seconds: float) -> str:
    """A moment in seconds since 1970, as a person reads it."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
