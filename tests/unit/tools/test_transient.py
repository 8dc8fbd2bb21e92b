"""Which failures are worth another attempt; the lines are those of real tools."""

from __future__ import annotations

import pytest

from registry_config.results import CommandResult, Tail
from registry_config.tools.transient import TRANSIENT, retry_after, transient_failure
from support.tables import table


def _finished(stderr: str = "", stdout: str = "", code: int = 1, problem: str = "") -> CommandResult:
    tails = Tail(), Tail()
    for tail, text in zip(tails, (stdout, stderr), strict=True):
        tail.write(text.encode())
    return CommandResult(("tool",), code, *tails, problem=problem)


_RESET = "read tcp 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer"


@table(
    "line, name",
    {
        "reset": (_RESET, "connection reset"),
        "cut short": ('Put "https://a.example/v2/": unexpected EOF', "unexpected end of data"),
        "timeout": ("dial tcp 192.0.2.1:443: i/o timeout", "timeout"),
        "slow handshake": ("net/http: TLS handshake timeout", "timeout"),
        "deadline": ("context deadline exceeded (Client.Timeout exceeded while awaiting headers)", "timeout"),
        "429": ("response status code 429: Too Many Requests", "too many requests"),
        "Docker Hub's": ("toomanyrequests: You have reached your pull rate limit", "too many requests"),
        "regctl's": ("retry limit exceeded", "retry limit"),
        "500": ("received unexpected HTTP status: 500 Internal Server Error", "server error"),
        "502": ("unexpected status code 502 Bad Gateway", "server error"),
        "503": ("response status code 503: Service Unavailable", "server error"),
        "504": ("504 Gateway Time-out", "server error"),
        "503 as regctl says it": ("failed to send blob: request failed [http 503]", "server error"),
        "unauthorized": ("401 Unauthorized", ""),
        "denied": ("denied: requested access to the resource is denied", ""),
        "not found": ("manifest unknown", ""),
        "unknown": ("something else", ""),
        "a number": ("size: 4290 bytes, 503 files", ""),
        "final beside transient": (f"{_RESET}\n403 Forbidden", ""),
        "nothing": ("", ""),
    },
)
def test_only_a_failure_that_may_pass_is_transient(line: str, name: str) -> None:
    assert transient_failure(_finished(stderr=line)) == name


@table(
    "finished, name",
    {
        "it went well": (_finished(_RESET, code=0), ""),
        "it was never started": (_finished(_RESET, problem="no such program"), ""),
        "on stdout where stderr is silent": (_finished(" \n", _RESET), "connection reset"),
        "not on stdout where stderr speaks": (_finished("bad", _RESET), ""),
        "among the last five lines": (_finished(f"{_RESET}\n\n2\n3\n\n4\n5"), "connection reset"),
        "before the last five lines": (_finished(f"{_RESET}\n2\n3\n4\n5\n6"), ""),
    },
)
def test_a_failure_is_looked_for_where_a_tool_ends(finished: CommandResult, name: str) -> None:
    assert transient_failure(finished) == name


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("Retry-After: 7", 7.0),
        ("retry-after 30", 30.0),
        ("Retry-After: 9999", 120.0),
        ("Retry-After: 99999", 0.0),
        ("", 0.0),
    ],
)
def test_the_wait_is_what_the_registry_asked_for_and_no_more_than_two_minutes(line: str, seconds: float) -> None:
    assert retry_after(_finished(stderr=line)) == seconds


def test_every_row_of_the_table_says_where_it_was_seen() -> None:
    assert [name for name, _, seen in TRANSIENT if not seen.strip()] == []
