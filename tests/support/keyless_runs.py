"""Runs with entries that have no password, pushing into a registry that takes the minted credential alone."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from support.http_server import Answer
from support.keyless import ENTRIES
from support.net import Net, forward
from support.registry import registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.cli import Done, Machine
    from support.clouds import Clouds
    from support.net import Player


def entry(name: str) -> dict[str, str]:
    """An entry of the declaration."""
    host, _, keys = ENTRIES[name]
    return {"registry": host, "provider": name.partition(",")[0], **keys}


@contextmanager
def registry_behind(world: Net, folder: Path, host: str, user: str, password: str) -> Iterator[None]:
    """Let a registry that knows one user answer for a host of the net, beside what the host is already."""
    with registry(folder, {user: password}) as running:
        other: Player = world.players.get(host, lambda _: Answer(404))
        answers = forward(running.address)
        world.players[host] = lambda asked: answers(asked) if asked.path.startswith("/v2/") else other(asked)
        yield


def run(machine: Machine, world: Net, clouds: Clouds, *command: str, **given: object) -> Done:
    """A run in a job with `id-token: write`."""
    variables = {**world.variables, **clouds.issuer.variables, **given.pop("variables", {})}  # type: ignore[dict-item]
    return machine.run(*command, variables=variables, **given)  # type: ignore[arg-type]


def push(host: str) -> tuple[str, ...]:
    return ("oras", "push", f"{host}/acme/app:1", "file.txt:text/plain")
