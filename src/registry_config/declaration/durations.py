"""Durations as users write them: `90s`, `10m`, `1h`."""

from __future__ import annotations

import re

from registry_config.errors import InputError
from registry_config.light_typing import Final

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}
# A year. The timers of the system do not take every number.
_MOST: Final = 8760 * 3600


def seconds_of(text: str) -> int:
    """The seconds of a duration.

    Raises:
        ValueError: it is none, or nothing; the message says what is wrong and never repeats the text.
    """
    match = re.fullmatch(r"([0-9]{1,9})([smh])", text.strip())
    if not match or not int(match[1]):
        raise ValueError("must be a whole number with s, m or h, such as 90s, 10m or 1h")
    seconds = int(match[1]) * _SECONDS[match[2]]
    if seconds > _MOST:
        raise ValueError("must be 8760h (a year) at most")
    return seconds


def parse_duration(place: str, text: str) -> float:
    """The seconds of the duration that stands at a place.

    Raises:
        InputError: it is none.
    """
    try:
        return float(seconds_of(text))
    except ValueError as error:
        raise InputError(place, str(error)) from None
