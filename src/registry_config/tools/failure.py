"""A failed command, and which registry it asked, as far as that is sure."""

from __future__ import annotations

import re

from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple
from registry_config.reference import DOCKER_HUB, DOCKER_HUB_NAMES, canonical_host, references_in
from registry_config.tools.references import references_of
from registry_config.tools.table import known_tool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from registry_config.credentials.reading import Credential
    from registry_config.reference import Reference
    from registry_config.results import CommandResult
    from registry_config.tools.tool import Tool

# Docker Hub's token server.
_HUB_TOKENS: Final = "auth.docker.io"
# As programs of Go say it.
_LOOKED_UP: Final = r"\blookup ([A-Za-z0-9.-]{1,253})"


class Failure(NamedTuple):
    """A command that failed.

    Attributes:
        result: what came of it.
        text: the end of what it printed.
        declared: the registries that were declared, with a path where they have one.
        hidden_hosts: registries for which the user's own config has a login that the tool did not see.
    """

    result: CommandResult
    text: str
    declared: tuple[str, ...]
    hidden_hosts: frozenset[str]

    @property
    def tool(self) -> Tool | None:
        """What is known about its program."""
        return known_tool(self.result.arguments[0])

    @property
    def asked(self) -> str:
        """The registry that the tool asked; empty where that is not sure.

        It is one that was declared or that the command names: other hosts in the output are help pages and token
        servers.
        """
        named, own = hosts_in_command(self.result.arguments), self._own
        mentioned = [host for host in _hosts_in(self.text) if host in own | named]
        if len(set(mentioned)) > 1:
            mentioned = [host for host in _hosts_asked(self.text) if host in mentioned][-1:]
        if not mentioned:
            # A script's words may be the names of files as well.
            mentioned = list(named if self.tool else named & own)
        return mentioned[0] if len(set(mentioned)) == 1 else ""

    @property
    def _own(self) -> set[str]:
        declared = {registry.partition("/")[0] for registry in self.declared}
        return declared | {one.host for one in self.result.credentials}

    @property
    def is_about_another(self) -> bool:
        """Whether the names that could not be looked up are none of registries that were declared or named."""
        looked_up = {host for name in re.findall(_LOOKED_UP, self.text) for host in _canonical(name)}
        known = {host.partition(":")[0] for host in self._own | hosts_in_command(self.result.arguments)}
        return bool(looked_up and known) and not looked_up & known

    @property
    def held(self) -> tuple[Credential, ...]:
        """The credentials for the registry that it asked, which its config held."""
        return tuple(one for one in self.result.credentials if one.host == self.asked)

    def shows(self, pattern: str) -> bool:
        """Whether the end of its output matches, without regard to case."""
        return bool(re.search(pattern, self.text, re.IGNORECASE | re.MULTILINE))


def references_in_command(arguments: tuple[str, ...]) -> set[Reference]:
    """The references that a command names, with their hosts; without a host only where the tool's row tells of them."""
    known = references_of(arguments)
    found = {*known.reads, *known.writes} if known else set()
    return found | {one for word in arguments[1:] for one in _with_host(word)}


def hosts_in_command(arguments: tuple[str, ...]) -> set[str]:
    """The registries that a command names."""
    return {reference.host for reference in references_in_command(arguments)}


def _with_host(word: str) -> Iterator[Reference]:
    for reference in references_in(word):
        if reference.host != DOCKER_HUB or any(name in word for name in DOCKER_HUB_NAMES):
            yield reference


def _hosts_in(text: str) -> Iterator[str]:
    """Everything in a text that might be a host, canonical."""
    for word in re.findall(r"[A-Za-z0-9.:\[\]-]+", text):
        yield from _canonical(word.strip(".:-"))


def _hosts_asked(text: str) -> Iterator[str]:
    """The hosts of the URLs of registries in a text."""
    for host in re.findall(r"https?://([A-Za-z0-9.:\[\]-]{1,260})/(?:v2|v1|token)\b", text):
        yield from _canonical(host)


def _canonical(word: str) -> Iterator[str]:
    try:
        yield DOCKER_HUB if word == _HUB_TOKENS else canonical_host(word)
    except ValueError:
        return
