"""Which token server may be given a registry's credential."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_config.oci.entry import Entry, Settled
from registry_config.oci.token import check_realm


@pytest.mark.parametrize(
    ("registry", "realm", "allowed"),
    [
        ("https://ghcr.io/v2/", "https://ghcr.io/token", ""),
        ("https://ghcr.io/v2/", "https://GHCR.io:443/token?x=y", ""),
        ("https://r.test:5000/v2/", "https://r.test:5000/auth", ""),
        ("http://r.test:5000/v2/", "http://r.test:5000/auth", ""),
        ("https://registry-1.docker.io/v2/", "https://auth.docker.io/token", ""),
        ("https://registry.gitlab.com/v2/", "https://gitlab.com/jwt/auth", ""),
        ("https://r.test/v2/", "https://auth.test/token", "auth.test"),
        ("https://r.test/v2/", "https://auth.test:8443/token", "AUTH.test:8443"),
        ("http://127.0.0.1:5000/v2/", "http://127.0.0.1:5001/token", "127.0.0.1:5001"),
        ("http://[::1]:5000/v2/", "http://[::1]:5001/token", "[::1]:5001"),
        ("http://r.test/v2/", "https://auth.test/token", "auth.test"),
    ],
)
def test_it_may(registry: str, realm: str, allowed: str) -> None:
    check_realm(registry, realm, allowed)


@pytest.mark.parametrize(
    ("registry", "realm", "allowed", "words"),
    [
        ("https://r.test/v2/", "https://auth.test/token", "", "`realm: auth.test`"),
        ("https://r.test/v2/", "https://auth.test:8443/token", "auth.test", "`realm: auth.test:8443`"),
        ("https://r.test/v2/", "https://r.test:8443/token", "", "`realm: r.test:8443`"),
        ("https://r.test/v2/", "https://r.test.evil.test/token", "", "`realm: r.test.evil.test`"),
        ("https://r.test/v2/", "https://a.r.test/token", "", "`realm: a.r.test`"),
        ("https://r.test/v2/", "http://r.test/token", "", "is not"),
        ("https://r.test/v2/", "http://r.test:443/token", "r.test:443", "is not"),
        ("https://r.test/v2/", "https://r.test@evil.test/token", "", "is not one"),
        ("https://r.test/v2/", "https://r.test\\@evil.test/token", "", "is not one"),
        ("https://r.test/v2/", "https://evil.test\\.r.test/token", "", "not its own host"),
        ("https://r.test/v2/", "/token", "", "is not one"),
        ("https://r.test/v2/", "https:///token", "", "is not one"),
        ("https://r.test/v2/", "https://r.test:0x50/token", "", "is not one"),
        ("https://r.test/v2/", "javascript:alert(1)", "", "is not one"),
        ("https://auth.docker.io/v2/", "https://registry-1.docker.io/token", "", "`realm: registry-1.docker.io`"),
        ("https://registry-1.docker.io/v2/", "https://auth.docker.io:8443/token", "", "auth.docker.io:8443"),
        ("http://127.0.0.1:5000/v2/", "http://localhost:5000/token", "", "`realm: localhost:5000`"),
        ("http://[::1]:5000/v2/", "http://[::1]:5001/token", "[::1]", "`realm: [::1]:5001`"),
    ],
)
def test_it_may_not(registry: str, realm: str, allowed: str, words: str) -> None:
    with pytest.raises(Settled) as refused:
        check_realm(registry, realm, allowed)
    assert refused.value.verdict == "unknown"
    assert words in f"{refused.value.problem} {refused.value.remedy}"


@given(st.text(max_size=60) | st.text("htps:/@[].r\\test0123456789#?", max_size=60))
def test_no_text_gets_through_but_one_of_the_same_origin(realm: str) -> None:
    try:
        check_realm("https://r.test/v2/", realm, "")
    except Settled:
        return
    assert realm.lower().startswith(
        ("https://r.test/", "https://r.test?", "https://r.test#", "https://r.test:443")
    ) or (realm.lower() == "https://r.test")


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        (Entry("x", "ghcr.io", "a", "b"), "https://ghcr.io/v2/"),
        (Entry("x", "docker.io", "a", "b"), "https://registry-1.docker.io/v2/"),
        (Entry("x", "r.test:5000", "a", "b"), "https://r.test:5000/v2/"),
        (Entry("x", "r.test:5000", "a", "b", plain_http=True), "http://r.test:5000/v2/"),
        (Entry("x", "localhost:5000", "a", "b"), "http://localhost:5000/v2/"),
        (Entry("x", "127.0.0.7:5000", "a", "b"), "http://127.0.0.7:5000/v2/"),
        (Entry("x", "[::1]:5000", "a", "b"), "http://[::1]:5000/v2/"),
        (Entry("x", "localhost:5000", "a", "b", authorities="PEM"), "https://localhost:5000/v2/"),
        (Entry("x", "localhost.test:5000", "a", "b"), "https://localhost.test:5000/v2/"),
    ],
)
def test_where_a_registry_is_asked(entry: Entry, url: str) -> None:
    assert entry.url() == url
