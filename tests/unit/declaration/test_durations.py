"""Durations as people write them."""

from __future__ import annotations

import pytest

from registry_config.declaration.durations import parse_duration
from registry_config.errors import InputError
from support.tables import table


@table(
    "text, seconds",
    {"seconds": ("90s", 90.0), "minutes": ("10m", 600.0), "hours": ("1h", 3600.0), "blanks": (" 5m ", 300.0)},
)
def test_a_whole_number_with_its_unit(text: str, seconds: float) -> None:
    assert parse_duration("timeout", text) == seconds


@table(
    "text",
    {
        "empty": "",
        "no unit": "90",
        "no number": "s",
        "zero": "0s",
        "zeros": "000m",
        "fraction": "1.5h",
        "negative": "-1s",
        "two": "1h30m",
        "days": "1d",
        "upper case": "1H",
        "blank between": "1 h",
        "other digits": "\u0661s",
        "huge": "1000000s",
    },
)
def test_anything_else_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_duration("timeout", text)
    remedy = "write a whole number and its unit, such as 90s, 10m or 1h"
    assert str(refused.value) == f"timeout: is not a duration; {remedy}"
