"""Tables of cases: a row's name is its id."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping


def table(names: str, rows: Mapping[str, object]) -> pytest.MarkDecorator:
    """Run a test once for each row; a row is the one value of `names`, or a tuple with one for each."""
    return pytest.mark.parametrize(names, list(rows.values()), ids=list(rows))


def exactly(message: str) -> str:
    """A pattern for `pytest.raises(match=…)` that takes this message and no other."""
    return rf"\A{re.escape(message)}\Z"
