"""Durations as people write them: `90s`, `10m`, `1h`."""

from __future__ import annotations

import re
from typing import Final

from registry_config.errors import InputError

_DURATION: Final = re.compile(r"([0-9]{1,6})([smh])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}


def parse_duration(place: str, text: str) -> float:
    """Read a duration; gives seconds.

    Args:
        place: where it stands, as messages name it.
        text: a whole number and its unit.

    Raises:
        InputError: it is none, or zero.
    """
    match = _DURATION.fullmatch(text.strip())
    if not match or not int(match[1]):
        raise InputError(place, "is not a duration", "write a whole number and its unit, such as 90s, 10m or 1h")
    return float(int(match[1]) * _SECONDS[match[2]])
