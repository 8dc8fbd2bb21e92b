"""Which failures are worth another attempt; the lines are those of real tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from registry_config.tools.transient import retry_after, transient_failure
from support.results import result
from support.tables import table

if TYPE_CHECKING:
    from registry_config.results import CommandResult


_RESET = "read tcp 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer"


_REFUSED = "Error: Post: dial tcp 127.0.0.1:5000: connect: connection refused"
_PAGE = "<html>\n<head><title>{0}</title></head>\n<body>\n<h1>{0}</h1>\n<hr>nginx\n</body>\n</html>"


@table(
    "line, name",
    {
        "reset": (_RESET, "connection reset"),
        "cut short": ('Put "https://a.example/v2/": unexpected EOF', "unexpected end of data"),
        "EOF": ('Error: Post "https://a.example/v2/app/blobs/uploads/": EOF', "connection closed"),
        "EOF of skopeo": (r'level=fatal msg="writing blob: Head \"https://a.example/v2/x\": EOF"', "connection closed"),
        "EOF of cosign": ("error during command execution: EOF", "connection closed"),
        "broken pipe": ("write tcp 10.0.0.2:5->192.0.2.3:443: write: broken pipe", "connection closed"),
        "closed": ('Put "https://a.example/v2/x": use of closed network connection', "connection closed"),
        "idle": ("http: server closed idle connection", "connection closed"),
        "lost": ("http2: client connection lost", "connection closed"),
        "GOAWAY": ("http2: server sent GOAWAY and closed the connection; LastStreamID=1", "HTTP/2 connection ended"),
        "stream": ("stream error: stream ID 7; INTERNAL_ERROR; received from peer", "HTTP/2 connection ended"),
        "nobody listens": (_REFUSED, "connection refused"),
        "timeout": ("dial tcp 192.0.2.1:443: i/o timeout", "timeout"),
        "slow handshake": ("net/http: TLS handshake timeout", "timeout"),
        "deadline": ("context deadline exceeded (Client.Timeout exceeded while awaiting headers)", "timeout"),
        "no packets": ("read tcp 10.0.0.2:5->192.0.2.3:443: read: connection timed out", "timeout"),
        "429": ("response status code 429: Too Many Requests", "too many requests"),
        "429 without its phrase": ("unexpected http status code: 429", "too many requests"),
        "Docker Hub's": ("toomanyrequests: You have reached your pull rate limit", "too many requests"),
        "regctl's": ("retry limit exceeded", "retry limit"),
        "500": ("received unexpected HTTP status: 500 Internal Server Error", "server error"),
        "500 alone": ('failed commit on ref "layer-sha256:0": unexpected status: 500', "server error"),
        "502": ("unexpected status code 502 Bad Gateway", "server error"),
        "503": ("response status code 503: Service Unavailable", "server error"),
        "503 of nginx": ("503 Service Temporarily Unavailable", "server error"),
        "504": ("504 Gateway Time-out", "server error"),
        "503 as regctl says it": ("failed to send blob: request failed [http 503]", "server error"),
        "HTTP/1.1": ("< HTTP/1.1 502", "server error"),
        "503 with a body of OCI": ("response status code 503: unavailable: the backend is busy", "server error"),
        "without status": ("Error response from registry: unavailable: the backend is busy", "server error"),
        "crane's": ("Error: POST https://a.example/v2/: UNAVAILABLE: the backend is busy", "server error"),
        "unknown error": ("POST https://a.example/v2/: UNKNOWN: unknown error", "server error"),
        "a page": (f"unexpected status code 502 Bad Gateway: {_PAGE.format('502 Bad Gateway')}", "server error"),
        "408": ("unexpected status code 408 Request Timeout: <html>", "error of a proxy"),
        "499": ("received unexpected HTTP status: 499 ", "error of a proxy"),
        "520": (f"unexpected status code 520 : {_PAGE.format('error')}", "error of a proxy"),
        "522": ("received unexpected HTTP status: 522 ", "error of a proxy"),
        "530": ("status code: 530", "error of a proxy"),
        "unknown blob": ("unknown blob", "lost blob"),
        "blob unknown": ("response status code 404: manifest blob unknown: blob unknown to registry", "lost blob"),
        "upload unknown": (
            "response status code 404: blob upload unknown: blob upload unknown to registry",
            "lost blob",
        ),
        "resolver": ("dial tcp: lookup a.example on 127.0.0.53:53: server misbehaving", "resolver"),
        "resolver of glibc": ("Temporary failure in name resolution", "resolver"),
        "no such name": ("dial tcp: lookup a.example on 127.0.0.53:53: no such host", ""),
        "unauthorized": ("401 Unauthorized", ""),
        "401 alone": (f"unexpected status code 401\n{_RESET}", ""),
        "403 of a registry that lost a blob": ("status code 403: denied: unknown blob", ""),
        "denied": ("denied: requested access to the resource is denied", ""),
        "not found": ("manifest unknown", ""),
        "404 beside transient": (f"{_RESET}\nstatus code 404", ""),
        "immutable": ("500 Internal Server Error: the tag is immutable", ""),
        "overwritten": ("tag invalid: the tag exists and cannot be overwritten; status 500", ""),
        "unknown": ("something else", ""),
        "sizes": ("size: 429\nUploading 1.2 MB / 503 MB\nport 500, 502 files in 408 ms", ""),
        "an address": ("https://a.example:503/v2/ and 10.0.0.2:429", ""),
        "a shell's EOF": ("bash: line 1: unexpected EOF while looking for matching `\"'", ""),
        "a word with EOF": ("wrote the EOF marker", ""),
        "final beside transient": (f"{_RESET}\n403 Forbidden", ""),
        "nothing": ("", ""),
    },
)
def test_only_a_failure_that_may_pass_is_transient(line: str, name: str) -> None:
    assert transient_failure(result(stderr=line)) == name


@pytest.mark.parametrize("number", [401, 403, 404, 408, 429, 499, 500, 503, 520])
def test_a_number_alone_is_no_status(number: int) -> None:
    noise = f"digest: sha256:{'a' * 64} size: {number}\nUploading layer 1.2 MB / {number} MB\n"
    assert transient_failure(result(stderr=f"{noise}verification failed")) == ""
    assert transient_failure(result(stderr=f"{noise}connection reset by peer")) == "connection reset"


@table(
    "finished, name",
    {
        "it went well": (result(stderr=_RESET, code=0), ""),
        "it was never started": (result(stderr=_RESET, problem="no such program"), ""),
        "on stdout where stderr is silent": (result(stderr=" \n", stdout=_RESET), "connection reset"),
        "not on stdout where stderr speaks": (result(stderr="bad", stdout=_RESET), ""),
        "among the last five lines": (result(stderr=f"{_RESET}\n\n2\n3\n\n4\n5"), "connection reset"),
        "the time limit": (result(stderr="anything", code=124), "time limit"),
        "before the last five lines": (result(stderr=f"{_RESET}\n2\n3\n4\n5\n6"), ""),
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
    assert retry_after(result(stderr=line)) == seconds
