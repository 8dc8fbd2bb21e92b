"""Results of commands as a runner makes them, for what is read out of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from registry_config.credentials.reading import Credential
from registry_config.results import CommandResult, Tail

if TYPE_CHECKING:
    from registry_config.declaration.registries import Purpose

_PURPOSES: frozenset[Purpose] = frozenset(("image", "command"))


def tail(text: str) -> Tail:
    """The end of a stream on which this was written."""
    made = Tail()
    made.write(text.encode())
    return made


def result(
    *arguments: str, stdout: str = "", stderr: str = "", code: int = 1, problem: str = "", given: tuple[str, ...] = ()
) -> CommandResult:
    """What came of a command; `given` are the registries, with a path or without, whose credentials it had."""
    credentials = []
    for registry in given:
        host, _, path = registry.partition("/")
        credentials.append(Credential(host, "alice", "alices-password", _PURPOSES, path=path))
    return CommandResult(
        arguments or ("tool",), code, tail(stdout), tail(stderr), problem=problem, credentials=tuple(credentials)
    )
