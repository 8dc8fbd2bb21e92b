"""What a failed command's output says is the matter, in words that tell what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from registry_config.docker_config import DOCKER_HUB, DOCKER_HUB_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from registry_config.plan import Finished

_CREDENTIALS: Final = re.compile(
    r"\b401\b|\b403\b|unauthorized|\bdenied\b|forbidden|basic credential not found|no basic auth credentials"
    r"|authentication required|incorrect username or password|\b429\b|toomanyrequests",
    re.IGNORECASE,
)
_ASKED: Final = re.compile(r"https?://([A-Za-z0-9.\-\[\]:]+)/(?:v2|v1|token)\b")
_NAMED: Final = re.compile(
    r"(?:oci://|docker://)?((?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]+(?::\d+)?|localhost(?::\d+)?|[\w-]+:\d+)/"
)


def speaks_of_credentials(finished: Finished) -> bool:
    """Whether the output of a failed command says that a registry refused it."""
    return bool(_CREDENTIALS.search(finished.stderr.text) or _CREDENTIALS.search(finished.stdout.text))


def asked_host(finished: Finished) -> str:
    """The registry that the tool says it asked, or the one that its command names; empty if neither is found."""
    for text in (finished.stderr.text, finished.stdout.text):
        if match := _ASKED.findall(text) or _NAMED.findall(text):
            return _canonical(match[-1])
    for word in reversed(finished.arguments):
        if match := _NAMED.findall(word):
            return _canonical(match[0])
    return ""


def diagnose(finished: Finished, hosts: Iterable[str], hidden_hosts: Iterable[str]) -> tuple[str, ...]:
    """Lines that explain a failure.

    Args:
        finished: the command that failed.
        hosts: the registries that were configured for it.
        hidden_hosts: registries for which the user's own config has a login that the tool did not see.
    """
    if finished.problem or not speaks_of_credentials(finished):
        return ()
    configured = sorted(hosts)
    asked = asked_host(finished)
    lines = [f"credentials were given for {', '.join(configured) or 'no registry'}"]
    if asked and asked in configured:
        lines.append(f"the tool asked {asked}, which is among them: check that user, password and their rights")
    elif asked:
        lines.append(f"the tool asked {asked}, which is not among them: add an entry for it")
    if asked in hidden_hosts:
        lines.append(f"your own Docker config has a login for {asked}, hidden here: keep-logins would show it")
    return tuple(lines)


def _canonical(host: str) -> str:
    return DOCKER_HUB if host in DOCKER_HUB_KEYS or host == "auth.docker.io" else host.lower()
