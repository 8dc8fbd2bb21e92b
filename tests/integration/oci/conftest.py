"""Who is told of what the registries give."""

from __future__ import annotations

import pytest


@pytest.fixture
def told() -> list[str]:
    """Secrets that came to be known."""
    return []
