"""What a failed command's output says is the matter, in words that tell what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from registry_config.errors import EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND
from registry_config.reference import DOCKER_HUB, DOCKER_HUB_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from registry_config.results import CommandResult

_CREDENTIALS: Final = re.compile(
    r"\b401\b|\b403\b|unauthorized|\bdenied\b|forbidden|basic credential not found|no basic auth credentials"
    r"|authentication required|incorrect username or password|invalid username/password|\b429\b|too ?many ?requests",
    re.IGNORECASE,
)
_ASKED: Final = re.compile(r"https?://([A-Za-z0-9.\-\[\]:]+)/(?:v2|v1|token)\b")
_NAMED: Final = re.compile(
    r"(?:oci://|docker://)?((?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]+(?::\d+)?|localhost(?::\d+)?|[\w-]+:\d+)/"
)

# What the output shows, and what to do about it; each row was seen with real tools. The first that fits is told.
PATTERNS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (
        re.compile(
            r"(?:config\.json|auth\.json|oras_credstore_temp)\S*:? .*(?:permission denied|device or resource busy"
            r"|invalid cross-device link|read-only file system)",
        ),
        "the command tries to store a login: none is needed here, leave it out",
    ),
    (
        re.compile(r"x509:|certificate signed by unknown authority|CERTIFICATE_VERIFY_FAILED"),
        "the tool does not trust the registry's certificate: for most tools SSL_CERT_FILE in env names the CA's file",
    ),
    (
        # crane, cosign and ko tell of this as well where they went on with plain HTTP and failed for another reason.
        re.compile(
            r"(?:server gave HTTP response to HTTPS client|first record does not look like a TLS handshake)"
            r"(?!.*; \w+ \"?http://)"
        ),
        "the registry speaks plain HTTP: give the tool its option for that, such as --plain-http or --insecure",
    ),
    (
        re.compile(r"\b429\b|too ?many ?requests|rate limit", re.IGNORECASE),
        "the registry limits how often it is asked: declare it, so that you are not asked as anonymous, or set retries",
    ),
    (
        re.compile(r"no such host|Temporary failure in name resolution|Name or service not known"),
        "there is no registry of that name: check its spelling, and the resolver of this machine",
    ),
    (
        re.compile(r"connection refused"),
        "nothing answers at the registry's address: check host and port, and that it is up",
    ),
    (
        re.compile(r"\b404\b|(?<!credential )not found|(?:manifest|name)[ _]unknown", re.IGNORECASE),
        "there is no such repository or tag; some registries say so where rights are missing",
    ),
)
_HELM_HINT: Final = "helm 3 says 401 as well where a registry speaks plain HTTP: then --plain-http is missing"


def speaks_of_credentials(finished: CommandResult) -> bool:
    """Whether the output of a failed command says that a registry refused it."""
    return bool(_CREDENTIALS.search(finished.stderr.text) or _CREDENTIALS.search(finished.stdout.text))


def asked_host(finished: CommandResult) -> str:
    """The registry that the tool says it asked, or the one that its command names; empty if neither is found."""
    for text in (finished.stderr.text, finished.stdout.text):
        if match := _ASKED.findall(text) or _NAMED.findall(text):
            return _canonical(match[-1])
    for word in reversed(finished.arguments):
        if match := _NAMED.findall(word):
            return _canonical(match[0])
    return ""


def diagnose(finished: CommandResult, registries: Iterable[str], hidden_hosts: Iterable[str]) -> tuple[str, ...]:
    """Lines that explain a failure.

    Args:
        finished: the command that failed.
        registries: those that were configured for it, by host, with a path where they have one.
        hidden_hosts: registries for which the user's own config has a login that the tool did not see.
    """
    if finished.problem:
        return ()
    # A shell's own "not found" is about a program.
    known = _known_pattern(finished) if finished.exit_code not in {EXIT_NOT_FOUND, EXIT_NOT_EXECUTABLE} else ""
    lines = (*_refused(finished, registries, hidden_hosts), known)
    return tuple(filter(None, lines))


def _known_pattern(finished: CommandResult) -> str:
    for pattern, hint in PATTERNS:
        if pattern.search(finished.stderr.text) or pattern.search(finished.stdout.text):
            return hint
    return ""


def _refused(finished: CommandResult, registries: Iterable[str], hidden_hosts: Iterable[str]) -> list[str]:
    """Lines about credentials, where the output speaks of them."""
    if not speaks_of_credentials(finished):
        return []
    configured = sorted(registries)
    asked = asked_host(finished)
    lines = [f"credentials were given for {', '.join(configured) or 'no registry'}"]
    of_host = [registry for registry in configured if registry.partition("/")[0] == asked]
    if asked and asked in of_host:
        lines.append(f"the tool asked {asked}, which is among them: check that user, password and their rights")
    elif of_host:
        lines.append(f"the tool asked {asked}: its credentials are for a path each, which the command has to name")
    elif asked:
        lines.append(f"the tool asked {asked}, which is not among them: add an entry for it")
    if asked in hidden_hosts:
        lines.append(f"your own Docker config has a login for {asked}, hidden here: keep-logins would show it")
    if finished.program == "helm" and "http://" in finished.stderr.text and "--plain-http" not in finished.arguments:
        lines.append(_HELM_HINT)
    return lines


def _canonical(host: str) -> str:
    return DOCKER_HUB if host in DOCKER_HUB_NAMES or host == "auth.docker.io" else host.lower()
