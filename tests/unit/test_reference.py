"""Image references, and the registry that each is pulled from."""

from __future__ import annotations

import pytest

from registry_config.reference import image_host
from support.tables import exactly

_DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("reference", "host"),
    [
        ("alpine", "docker.io"),
        ("alpine/helm:3.19.0", "docker.io"),
        ("localhost/tool", "localhost"),
        ("localhosts/tool", "docker.io"),
        ("docker.io/library/alpine", "docker.io"),
        ("index.docker.io/alpine", "docker.io"),
        ("GHCR.io/org/tool:V1.2_x-y", "ghcr.io"),
        (f"ghcr.io/org/tool@{_DIGEST}", "ghcr.io"),
        (f"ghcr.io/org/tool:1@{_DIGEST}", "ghcr.io"),
        ("tool:5000", "docker.io"),
        ("registry:5000/tool", "registry:5000"),
        ("127.0.0.1:5000/a/b/c/d", "127.0.0.1:5000"),
        ("[::1]:5000/tool", "[::1]:5000"),
        ("a.example/b__c/d.e/f--g", "a.example"),
        (f"alpine:{'1' * 128}", "docker.io"),
    ],
)
def test_an_image_is_pulled_from_the_host_that_docker_would_ask(reference: str, host: str) -> None:
    assert image_host(reference) == host


@pytest.mark.parametrize(
    "reference",
    [
        "",
        " ",
        "Alpine",
        "alpine:",
        ":1",
        "alpine:-1",
        "alpine:\u0661",
        f"alpine:{'1' * 129}",
        "alpine@sha256:a",
        "a//b",
        "/a",
        "a/",
        "a b",
        "a\n",
        "a_",
        "a___b",
        "a..b",
        "https://ghcr.io/a",
        "oci://ghcr.io/a",
        "ghcr.io/Org/a",
        f"a@{_DIGEST}a",
        "a@b@c",
    ],
)
def test_what_is_no_reference_is_refused(reference: str) -> None:
    with pytest.raises(ValueError, match=exactly("is not an image reference such as ghcr.io/org/tool:1.2")):
        image_host(reference)


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ("a.example:0/b", "has a port outside of 1 to 65535"),
        ("a..example/b", "is not a host name, with a port or without"),
        ("[1:2]/b", "is not an IPv6 address in brackets"),
    ],
)
def test_a_reference_with_a_wrong_host_is_refused(reference: str, problem: str) -> None:
    with pytest.raises(ValueError, match=exactly(problem)):
        image_host(reference)
