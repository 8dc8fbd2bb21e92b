"""Hosts, the keys they are written under, and the document itself."""

from __future__ import annotations

import json

import pytest

from registry_config.docker_config import (
    auth_value,
    canonical_host,
    config_keys,
    environment,
    registry_and_path,
    render,
)
from support.tables import exactly, table

_HUB = ("https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io")
_NO_HOST = "is not a host name, with a port or without"
_NO_SCHEME = "must be a host without a scheme, such as 'ghcr.io'"
_NO_PATH = "must be a host without a path, such as 'ghcr.io'"
_NO_DOT = "has no dot and no port, so no image reference can name it"
_BAD_PORT = "has a port outside of 1 to 65535"
_NO_IPV6 = "is not an IPv6 address in brackets"


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("ghcr.io", "ghcr.io"),
        ("GHCR.io", "ghcr.io"),
        (" ghcr.io\n", "ghcr.io"),
        ("localhost", "localhost"),
        ("localhost:5000", "localhost:5000"),
        ("registry:1", "registry:1"),
        ("a.b:65535", "a.b:65535"),
        ("127.0.0.1:5000", "127.0.0.1:5000"),
        ("[::1]", "[::1]"),
        ("[2001:DB8::1]:5000", "[2001:db8::1]:5000"),
        ("[::ffff:127.0.0.1]:80", "[::ffff:127.0.0.1]:80"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        (f"{'a' * 63}.io", f"{'a' * 63}.io"),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "123456789012.dkr.ecr.eu-west-1.amazonaws.com"),
        ("docker.io:443", "docker.io:443"),
        *((alias, "docker.io") for alias in (*_HUB, "Docker.IO", "HTTPS://INDEX.docker.io/v1/")),
    ],
)
def test_a_host_is_reduced_to_its_bare_lower_case_form(typed: str, host: str) -> None:
    assert canonical_host(typed) == host


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        *((typed, _NO_SCHEME) for typed in ("https://ghcr.io", "oci://a.b", "https://index.docker.io/v1", "x://")),
        *((typed, _NO_PATH) for typed in ("ghcr.io/", "ghcr.io/org", "index.docker.io/v1/", "/")),
        *(
            (typed, _NO_HOST)
            for typed in ("", " ", "a b.io", "a_b.io", "-a.io", "a-.io", "a..b", ".a.b", "a.b.", "*.a.b")
        ),
        *(
            (typed, _NO_HOST)
            for typed in ("a.b:", ":5000", "a.b:x", "a.b:-1", "a.b:123456", "a.b:1:2", "u:p@a.b", "é.io")
        ),
        *(
            (typed, _NO_HOST)
            for typed in ("::1", "[::1", "::1]", "[]", "[g::]", "[fe80::1%eth0]", "[::1]5000", "a.b\0")
        ),
        *((typed, _NO_HOST) for typed in (f"{'a' * 64}.io", "a.b:\u0661", "a\n.b")),
        *((typed, _BAD_PORT) for typed in ("a.b:0", "a.b:65536", "localhost:99999", "[::1]:0", "a.b:00000")),
        *((typed, _NO_IPV6) for typed in ("[1:2]", "[:::]", "[127.0.0.1]", "[1.2:3]:80")),
        *((typed, _NO_DOT) for typed in ("ghcr", "a", "token0123456789")),
    ],
)
def test_what_is_no_host_is_refused(typed: str, problem: str) -> None:
    with pytest.raises(ValueError, match=exactly(problem)):
        canonical_host(typed)


@table(
    "typed, host, path",
    {
        "host alone": (" GHCR.io ", "ghcr.io", ""),
        "path": ("GHCR.io/org/app_x.y--z", "ghcr.io", "org/app_x.y--z"),
        "path after a port": ("localhost:5000/org", "localhost:5000", "org"),
        "path on Docker Hub": ("index.docker.io/org", "docker.io", "org"),
        "Docker Hub's own URL": ("https://index.docker.io/v1/", "docker.io", ""),
    },
)
def test_a_registry_may_be_narrowed_to_a_path(typed: str, host: str, path: str) -> None:
    assert registry_and_path(typed) == (host, path)


@table(
    "typed, problem",
    {
        **{
            typed: (typed, "has a path that no image reference could have")
            for typed in (
                "ghcr.io/",
                "ghcr.io//x",
                "ghcr.io/Org",
                "ghcr.io/a_",
                "ghcr.io/org/",
                "ghcr.io/a:1",
                "ghcr.io/a b",
            )
        },
        "scheme": ("https://ghcr.io/org", _NO_SCHEME),
        "no host": ("org/app", _NO_DOT),
        "no host at all": ("/org", _NO_HOST),
    },
)
def test_a_path_that_no_reference_has_is_refused(typed: str, problem: str) -> None:
    with pytest.raises(ValueError, match=exactly(problem)):
        registry_and_path(typed)


@table(
    "host, keys",
    {
        "Docker Hub under four": ("docker.io", _HUB),
        "another as it is": ("ghcr.io", ("ghcr.io",)),
        "with its port": ("localhost:5000", ("localhost:5000",)),
    },
)
def test_a_login_is_written_under_every_key_that_tools_look_for(host: str, keys: tuple[str, ...]) -> None:
    assert config_keys(host) == keys


@table(
    "username, secret, auth",
    {
        "padded twice": ("alice", "pw", "YWxpY2U6cHc="),
        "standard alphabet": ("u", "\u00ff\u00fe?>", "dTrDv8O+Pz4="),
        "colons in the password": ("a", "b:c", "YTpiOmM="),
        "UTF-8": ("ü", "密", "w7w65a+G"),
    },
)
def test_auth_is_padded_base64_of_the_pair(username: str, secret: str, auth: str) -> None:
    assert auth_value(username, secret) == auth


@table(
    "logins, settings, document",
    {
        "none": ([], None, '{"auths":{}}'),
        "one": ([("ghcr.io", "a", "b")], None, '{"auths":{"ghcr.io":{"auth":"YTpi"}}}'),
        "Docker Hub": (
            [("docker.io", "a", "b")],
            {},
            json.dumps({"auths": {key: {"auth": "YTpi"} for key in sorted(_HUB)}}, separators=(",", ":")),
        ),
        "settings and logins of the user's own beside": (
            [("b.io", "a", "b")],
            {"proxies": {"x": 1}, "auths": {"a.io": {"auth": "own"}, "b.io": {"auth": "own"}}},
            '{"auths":{"a.io":{"auth":"own"},"b.io":{"auth":"YTpi"}},"proxies":{"x":1}}',
        ),
        "auths that are no mapping": ([("b.io", "a", "b")], {"auths": []}, '{"auths":{"b.io":{"auth":"YTpi"}}}'),
    },
)
def test_the_document_holds_exactly_the_logins(
    logins: list[tuple[str, str, str]], settings: dict[str, object] | None, document: str
) -> None:
    assert render(logins, settings) == document


def test_the_environment_names_the_folder_and_the_file() -> None:
    assert environment("/dev/shm/x") == {  # noqa: S108  (a name only)
        "DOCKER_CONFIG": "/dev/shm/x",  # noqa: S108
        "REGISTRY_AUTH_FILE": "/dev/shm/x/config.json",  # noqa: S108
        "HELM_REGISTRY_CONFIG": "/dev/shm/x/config.json",  # noqa: S108
    }


def test_podman_may_get_a_path_of_its_own() -> None:
    assert environment("/x", "/y/inherited.json") == {
        "DOCKER_CONFIG": "/x",
        "REGISTRY_AUTH_FILE": "/y/inherited.json",
        "HELM_REGISTRY_CONFIG": "/x/config.json",
    }
