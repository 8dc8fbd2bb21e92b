"""Three registries, which stand for the hosts that the examples name, and a repository, for each test."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from support.agents import end_agents
from support.registry import registry
from support.workflows import USERS, Local

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    with ExitStack() as stack:
        stack.callback(end_agents, tmp_path)
        yield Local(
            tmp_path,
            {
                host: stack.enter_context(registry(tmp_path / host, {user: f"password-of-{user}-3141592653"}))
                for host, user in USERS.items()
            },
        )
