"""What a failed command's output says is the matter; the lines are those of real tools."""

from __future__ import annotations

import pytest

from registry_config.results import CommandResult, Tail
from registry_config.tools.hints import asked_host, diagnose, speaks_of_credentials
from support.tables import table


def _finished(
    stderr: str = "", stdout: str = "", arguments: tuple[str, ...] = ("tool",), problem: str = ""
) -> CommandResult:
    tails = Tail(), Tail()
    for tail, text in zip(tails, (stdout, stderr), strict=True):
        tail.write(text.encode())
    return CommandResult(arguments, 1, *tails, problem=problem)


_HELM = (
    "Error: failed to authorize: unexpected status from GET request to https://ghcr.io/token?scope=x: 401 Unauthorized"
)
_SKOPEO = (
    'level=fatal msg="initializing destination docker://a.example/org/app:1: unauthorized: authentication required"'
)
_ORAS = (
    'Error response from registry: PUT "https://a.example:5000/v2/app/manifests/1": response status code 403: Forbidden'
)


@pytest.mark.parametrize(
    "line",
    [
        _HELM,
        _SKOPEO,
        _ORAS,
        "denied: requested access to the resource is denied",
        "Error: basic credential not found",
        "no basic auth credentials",
        "incorrect username or password",
        "toomanyrequests: You have reached your unauthenticated pull rate limit",
        "GET https://a.example/v2/: 429",
        "UNAUTHORIZED",
    ],
)
def test_lines_that_speak_of_credentials_are_known_on_either_stream(line: str) -> None:
    assert speaks_of_credentials(_finished(stderr=line))
    assert speaks_of_credentials(_finished(stdout=line))


@pytest.mark.parametrize(
    "line", ["", "no such host", "size: 4012", "x509: unknown authority", "14031 bytes", "404 Not Found"]
)
def test_other_lines_do_not(line: str) -> None:
    assert not speaks_of_credentials(_finished(stderr=line, stdout=line))


@table(
    "finished, host",
    {
        "from the URL": (_finished(_HELM), "ghcr.io"),
        "from the reference in a message": (_finished(_SKOPEO), "a.example"),
        "with its port": (_finished(_ORAS), "a.example:5000"),
        "on stdout": (_finished(stdout=_ORAS), "a.example:5000"),
        "the last one asked": (_finished("GET https://a.example/v2/\nGET https://b.example/v2/\n"), "b.example"),
        "an address of IPv6": (_finished('GET "https://[::1]:5000/v2/": 401'), "[::1]:5000"),
        "localhost": (_finished("docker://localhost/app: denied"), "localhost"),
        "Docker Hub": (_finished("https://registry-1.docker.io/v2/x"), "docker.io"),
        "Docker Hub's tokens": (_finished("https://auth.docker.io/token?x"), "docker.io"),
        "upper case": (_finished("https://GHCR.io/v2/x"), "ghcr.io"),
        "from the command": (_finished("denied", arguments=("helm", "push", "a.tgz", "oci://ghcr.io/org")), "ghcr.io"),
        "from the last word that names one": (
            _finished("denied", arguments=("skopeo", "copy", "docker://a.example/x", "docker://b.example/x", "-v")),
            "b.example",
        ),
        "nowhere": (_finished("denied", arguments=("helm", "push", "app")), ""),
    },
)
def test_the_host_that_was_asked_is_found(finished: CommandResult, host: str) -> None:
    assert asked_host(finished) == host


@table(
    "finished, hosts, hidden, lines",
    {
        "among those given": (
            _finished(_HELM),
            {"ghcr.io", "a.example"},
            set(),
            (
                "credentials were given for a.example, ghcr.io",
                "the tool asked ghcr.io, which is among them: check that user, password and their rights",
            ),
        ),
        "not among them": (
            _finished(_HELM),
            {"a.example"},
            set(),
            (
                "credentials were given for a.example",
                "the tool asked ghcr.io, which is not among them: add an entry for it",
            ),
        ),
        "none given, the user's own hidden": (
            _finished(_HELM),
            set(),
            {"ghcr.io"},
            (
                "credentials were given for no registry",
                "the tool asked ghcr.io, which is not among them: add an entry for it",
                "your own Docker config has a login for ghcr.io, hidden here: keep-logins would show it",
            ),
        ),
        "nobody knows who was asked": (
            _finished("denied"),
            {"a.example"},
            {"b.example"},
            ("credentials were given for a.example",),
        ),
        "for other paths": (
            _finished(_HELM),
            {"ghcr.io/org", "ghcr.io/other"},
            set(),
            (
                "credentials were given for ghcr.io/org, ghcr.io/other",
                "the tool asked ghcr.io: its credentials are for a path each, which the command has to name",
            ),
        ),
        "among those given, and for a path": (
            _finished(_HELM),
            {"ghcr.io", "ghcr.io/org"},
            set(),
            (
                "credentials were given for ghcr.io, ghcr.io/org",
                "the tool asked ghcr.io, which is among them: check that user, password and their rights",
            ),
        ),
        "helm over plain HTTP": (
            _finished("GET http://a.example:80/v2/: 401", arguments=("helm", "push")),
            {"a.example:80"},
            set(),
            (
                "credentials were given for a.example:80",
                "the tool asked a.example:80, which is among them: check that user, password and their rights",
                "helm 3 says 401 as well where a registry speaks plain HTTP: then --plain-http is missing",
            ),
        ),
        "oras without a login": (
            _finished("Error: basic credential not found"),
            set(),
            set(),
            ("credentials were given for no registry",),
        ),
        "not about credentials": (_finished("exec format error"), {"a.example"}, {"a.example"}, ()),
        "never started": (_finished("denied", problem="no such program"), {"a.example"}, set(), ()),
    },
)
def test_a_failure_is_explained(
    finished: CommandResult, hosts: set[str], hidden: set[str], lines: tuple[str, ...]
) -> None:
    assert diagnose(finished, hosts, hidden) == lines


@table(
    "line, beginning",
    {
        "unknown authority": ("tls: x509: certificate signed by unknown authority", "the tool does not trust"),
        "plain HTTP": ("http: server gave HTTP response to HTTPS client", "the registry speaks plain HTTP"),
        "login": ("open /x/config.json: permission denied", "the command tries to store a login"),
        "rate limit": ("toomanyrequests: pull rate limit", "the registry limits how often it is asked"),
        "name": ("dial tcp: lookup a.example: no such host", "there is no registry of that name"),
        "nobody there": (
            "dial tcp 127.0.0.1:1: connect: connection refused",
            "nothing answers at the registry's address",
        ),
        "tag": ("manifest unknown", "there is no such repository or tag"),
    },
)
def test_a_known_line_has_its_remedy_on_either_stream(line: str, beginning: str) -> None:
    for finished in (_finished(line), _finished(stdout=line)):
        assert diagnose(finished, (), ())[-1].startswith(beginning)
