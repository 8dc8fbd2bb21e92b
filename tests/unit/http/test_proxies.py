"""Which proxy a request takes, as Go's httpproxy has it (its own table of cases in other words)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_config.http.proxies import is_loopback, proxy_for

_PROXY = "http://proxy.example.test:3128"


@pytest.mark.parametrize(
    ("environ", "scheme", "expected"),
    [
        ({}, "https", ""),
        ({"HTTPS_PROXY": _PROXY}, "https", _PROXY),
        ({"https_proxy": _PROXY}, "https", _PROXY),
        ({"HTTPS_PROXY": "http://upper:1", "https_proxy": "http://lower:1"}, "https", "http://upper:1"),
        ({"HTTPS_PROXY": "", "https_proxy": "http://lower:1"}, "https", "http://lower:1"),
        ({"HTTPS_PROXY": "proxy:3128"}, "https", "http://proxy:3128"),
        ({"HTTPS_PROXY": "https://proxy"}, "https", "https://proxy"),
        ({"HTTPS_PROXY": _PROXY}, "http", ""),
        ({"HTTP_PROXY": _PROXY}, "https", ""),
        ({"ALL_PROXY": _PROXY}, "https", ""),
        ({"HTTP_PROXY": _PROXY}, "http", _PROXY),
        ({"HTTPS_PROXY": _PROXY, "NO_PROXY": "example.test"}, "https", ""),
        ({"HTTPS_PROXY": _PROXY, "no_proxy": "example.test"}, "https", ""),
    ],
)
def test_which_variable_counts(environ: dict[str, str], scheme: str, expected: str) -> None:
    assert proxy_for(environ, scheme, "registry.example.test", None) == expected


@pytest.mark.parametrize(
    ("rule", "host", "port", "excluded"),
    [
        ("*", "anything.test", None, True),
        (" a.test , b.test ", "b.test", None, True),
        ("example.test", "example.test", None, True),
        ("EXAMPLE.test", "Example.TEST", None, True),
        ("example.test", "a.b.example.test", None, True),
        ("example.test", "notexample.test", None, False),
        (".example.test", "example.test", None, False),
        (".example.test", "a.example.test", None, True),
        ("*.example.test", "a.example.test", None, True),
        ("*.example.test", "example.test", None, False),
        ("example.test:5000", "example.test", 5000, True),
        ("example.test:5000", "example.test", None, False),
        ("example.test:443", "example.test", None, True),
        (".example.test:5000", "a.example.test", 5000, True),
        ("192.0.2.1", "192.0.2.1", None, True),
        ("192.0.2.1:5000", "192.0.2.1", 5000, True),
        ("192.0.2.1:5000", "192.0.2.1", 5001, False),
        ("192.0.2.0/24", "192.0.2.77", 5000, True),
        ("192.0.2.0/24", "192.0.3.77", None, False),
        ("192.0.2.0/24", "name.test", None, False),
        ("2001:db8::/32", "2001:db8::1", None, True),
        ("2001:db8::1", "2001:db8::1", None, True),
        ("[2001:db8::1]:5000", "2001:db8::1", 5000, True),
        ("[2001:db8::1]:5000", "2001:db8::1", None, False),
        ("2.1", "192.0.2.1", None, False),
        (",, ,", "example.test", None, False),
        (":5000", "example.test", 5000, False),
        ("a/b", "example.test", None, False),
    ],
)
def test_what_no_proxy_excludes(rule: str, host: str, port: int | None, excluded: bool) -> None:  # noqa: FBT001  (a table's column)
    assert proxy_for({"HTTPS_PROXY": _PROXY, "NO_PROXY": rule}, "https", host, port) == ("" if excluded else _PROXY)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.255.0.9", "::1"])
def test_loopback_has_no_proxy(host: str) -> None:
    assert is_loopback(host)
    assert not proxy_for({"HTTPS_PROXY": _PROXY, "HTTP_PROXY": _PROXY}, "http", host, 5000)


@pytest.mark.parametrize("host", ["", "localhost.test", "127.0.0.1.test", "0.0.0.0", "128.0.0.1", "localhost.", "::"])  # noqa: S104  (not listened on)
def test_what_is_no_loopback(host: str) -> None:
    assert not is_loopback(host)


@given(st.text("*.,:/[]0123456789abc \t", max_size=40), st.text("0123456789.:abc[]", max_size=20))
def test_nothing_breaks_it(rules: str, host: str) -> None:
    assert proxy_for({"HTTPS_PROXY": _PROXY, "NO_PROXY": rules}, "https", host, 5000) in ("", _PROXY)
