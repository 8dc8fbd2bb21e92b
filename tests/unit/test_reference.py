"""The grammar of references, held against the cases that distribution/reference tries on its own parser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry_config.reference import (
    Mention,
    Reference,
    canonical_host,
    checked_host,
    mentions_in,
    parse_reference,
    registry_and_path,
    repository_of,
)
from support.tables import exactly, table

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHA256 = f"sha256:{'be178c0543eb17f5' * 4}"
_SHA512 = f"sha512:{'f' * 128}"
_ID = "1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a"
_LONG = "thisisthesongthatneverendsitgoesonandonandonthisisthesongthatnev"

# What `ParseNormalizedNamed` makes of a name (normalize_test.go, regexp_test.go, reference_test.go).
_NORMALIZED = {
    "fooo/bar": Reference("docker.io", "fooo/bar"),
    "index.docker.io/fooo/bar": Reference("docker.io", "fooo/bar"),
    "INDEX.Docker.io/fooo/bar": Reference("docker.io", "fooo/bar"),
    "ubuntu": Reference("docker.io", "library/ubuntu"),
    "library/ubuntu": Reference("docker.io", "library/ubuntu"),
    "docker.io/foo": Reference("docker.io", "library/foo"),
    "index.docker.io/library/ubuntu-12.04-base": Reference("docker.io", "library/ubuntu-12.04-base"),
    "library/foo/bar": Reference("docker.io", "library/foo/bar"),
    "store/foo/bar": Reference("docker.io", "store/foo/bar"),
    "127.0.0.1:8000/private/moonbase": Reference("127.0.0.1:8000", "private/moonbase"),
    "127.0.0.1:8000/privatebase": Reference("127.0.0.1:8000", "privatebase"),
    "example.com/private/moonbase": Reference("example.com", "private/moonbase"),
    "example.com:8000/privatebasee": Reference("example.com:8000", "privatebasee"),
    "192.168.0.1": Reference("docker.io", "library/192.168.0.1"),
    "192.168.0.1:80": Reference("docker.io", "library/192.168.0.1", "80"),
    "192.168.0.2:25000/debian": Reference("192.168.0.2:25000", "debian"),
    "[fc00::1]:5000/docker/docker": Reference("[fc00::1]:5000", "docker/docker"),
    "[fc00:1:2:3:4:5:6:7]:5000/library/debian": Reference("[fc00:1:2:3:4:5:6:7]:5000", "library/debian"),
    "[2001:db8::1]/repo": Reference("[2001:db8::1]", "repo"),
    "[2001:db8::1]:5000/repo:tag": Reference("[2001:db8::1]:5000", "repo", "tag"),
    f"docker.io/{_ID}": Reference("docker.io", f"library/{_ID}"),
    _ID[:-4]: Reference("docker.io", f"library/{_ID[:-4]}"),
    _LONG: Reference("docker.io", f"library/{_LONG}"),
    "docker---rules/docker": Reference("docker.io", "docker---rules/docker"),
    "dock__er/docker": Reference("docker.io", "dock__er/docker"),
    "jess/t": Reference("docker.io", "jess/t"),
    "test_com/foo": Reference("docker.io", "test_com/foo"),
    "foo_bar.com:8080": Reference("docker.io", "library/foo_bar.com", "8080"),
    "foo/foo_bar.com:8080": Reference("docker.io", "foo/foo_bar.com", "8080"),
    "test-com:8080/foo": Reference("test-com:8080", "foo"),
    "test:5000/repo": Reference("test:5000", "repo"),
    "xn--n3h.com:18080/foo": Reference("xn--n3h.com:18080", "foo"),
    "sub-dom1.foo.com/bar/baz/quux:some-long-tag": Reference("sub-dom1.foo.com", "bar/baz/quux", "some-long-tag"),
    "b.gcr.io/test.example.com/my-app:test.example.com": Reference(
        "b.gcr.io", "test.example.com/my-app", "test.example.com"
    ),
    "example.com/some_separator__underscore/myimage": Reference("example.com", "some_separator__underscore/myimage"),
    "registry.io/foo/project--id.module--name.ver---sion--name": Reference(
        "registry.io", "foo/project--id.module--name.ver---sion--name"
    ),
    "Asdf.com/foo/bar": Reference("asdf.com", "foo/bar"),
    "lowercase:Uppercase": Reference("docker.io", "library/lowercase", "Uppercase"),
    "localhost/tool": Reference("localhost", "tool"),
    "localhosts/tool": Reference("docker.io", "localhosts/tool"),
    "localhost:8080": Reference("docker.io", "library/localhost", "8080"),
    f"localhost:8080/name@{_SHA256}": Reference("localhost:8080", "name", "", _SHA256),
    f"localhost:8080@{_SHA256}": Reference("docker.io", "library/localhost", "8080", _SHA256),
    f"registry.com:8080/myapp:tag2@{_SHA256}": Reference("registry.com:8080", "myapp", "tag2", _SHA256),
    f"xn--7o8h.com/myimage:xn--7o8h.com@{_SHA512}": Reference("xn--7o8h.com", "myimage", "xn--7o8h.com", _SHA512),
    f"{'a/' * 127}a": Reference("docker.io", f"{'a/' * 127}a"),
    f"a:{'1' * 128}": Reference("docker.io", "library/a", "1" * 128),
}
_REFUSED: dict[str, Iterable[str]] = {
    "is not an image reference such as ghcr.io/org/tool:1.2": (
        *("", " ", ":justtag", f"@{_SHA256}", "-docker", "-docker/docker"),
        *("docker///docker", "docker.io/docker///docker", "[fc00::1]", "[fc00::1]:5000", "[2001:db8::1]:tag"),
        *("docker-/docker", "-docker-/docker", "____/____", "_docker/_docker", "docker_/docker_", "docker/"),
        *("a/dock..er", "a/dock_.er", "a/dock-.er", "a/a/a/a/", "a//a/a", "aa/asdf$$^/aa"),
        *("a^a", "a-/a/a/a", "foo.com/a-/a/a", "foo/bar-", "foo/-bar", "foo.com/", "example.com/..dots/myimage"),
        *("example.com/__underscore/myimage", "example.com/nodouble..dots/myimage", "a\n", "a b"),
        *("registry.com:8080/myapp@sha256:badbadbadbad", "registry.com:8080/myapp:invalid~tag", "r.io/myapp@bad"),
        *(f"repo@sha256:{'f' * 34}", f"validname@invaliddigest:{'f' * 64}", f"a@{_SHA256}0", f"a@{_SHA256.upper()}"),
        *("alpine:", "alpine:-1", "alpine:\u0661", f"alpine:{'1' * 129}", f"{'a/' * 128}a", "a@b@c"),
    ),
    "has upper-case letters in its path, which must be lower case": (
        *("docker/Docker", "docker.io/docker/Docker", "Uppercase:tag", "test:5000/Uppercase/lowercase:tag"),
        # Docker takes these for hosts; no user means that, and no such host can be declared.
        *("Docker/docker", "FOO/bar", "Foo/FarB"),
    ),
    "is not a host name, with a port or without": (
        *("-docker.io/docker/docker", "docker./docker", ".docker/docker", "do..cker/docker", "do__cker:8080/docker"),
        *("foo_bar.com:8080/app", "bad_hostname.com:8080/myapp:tag", "test.com:http/a", "ab-.com/a", "ab.-com/a"),
        *("fc00::1:5000/debian", "[fe80::1%eth0]:5000/debian", "[2001:db8:3:4::192.0.2.33]:5000/debian"),
        *("[fd00:1:2::3]75050/a", "[fd00:1:2::3]::75050/a", "192.168.1.1:750050/a", f"{'a.' * 126}io/x"),
        *("localhost:http/name", f"{'a' * 64}.io/x"),
    ),
    "is not an IPv6 address in brackets": ("[fd00123123123]:5000/a", "[1:2]/b"),
    "has a port outside of 1 to 65535": ("192.168.1.1:75050/a", "a.example:0/b"),
    "is the ID of an image, not its name": (_ID,),
    "must be without a scheme, such as ghcr.io/org/tool:1.2": (
        "https://github.com/docker/docker",
        "oci://ghcr.io/org/tool",
    ),
}


@table("text, reference", {text: (text, reference) for text, reference in _NORMALIZED.items()})
def test_a_reference_is_read_as_docker_reads_it(text: str, reference: Reference) -> None:
    assert parse_reference(text) == reference


@table(
    "text, problem",
    {repr(text[:60]): (text, problem) for problem, texts in _REFUSED.items() for text in texts},
)
def test_what_docker_refuses_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=exactly(problem)):
        parse_reference(text)


_component = st.from_regex(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*", fullmatch=True).filter(lambda c: len(c) < 40)
_path = st.lists(_component, min_size=2, max_size=4).map("/".join)
_host = st.sampled_from(
    ["ghcr.io", "GHCR.io", "localhost", "localhost:5000", "reg:1", "[::1]:80", "127.0.0.1", "A.b.C"]
)
_tag = st.one_of(st.just(""), st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True))


@settings(max_examples=200, deadline=None, database=None)
@given(_host, _path, _tag, st.sampled_from(["", _SHA256, _SHA512]))
def test_what_is_put_together_comes_apart_again(host: str, path: str, tag: str, digest: str) -> None:
    text = f"{host}/{path}" + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")
    assert parse_reference(text) == Reference(host.lower(), path, tag, digest)
    # Docker Hub's short form: the same, unless its first component would be a host.
    short = text.partition("/")[2]
    if not {".", ":"} & set(path.partition("/")[0]) and path.partition("/")[0] != "localhost":
        assert parse_reference(short) == Reference("docker.io", path, tag, digest)


@settings(max_examples=300, deadline=None, database=None)
@given(st.text("aB0./:@_-[]%", max_size=30))
def test_a_reference_written_out_in_full_is_the_same(text: str) -> None:
    try:
        found = parse_reference(text)
    except ValueError as error:
        assert len(text) < 4 or text not in str(error)  # noqa: PT017  (either way is fine)
        return
    full = found.repository + (f":{found.tag}" if found.tag else "") + (f"@{found.digest}" if found.digest else "")
    assert parse_reference(full) == found


@table(
    "text, mentions",
    {
        "short": ("org-a/app:1", [Mention(Reference("docker.io", "org-a/app", "1"), has_host=False)]),
        "docker://": ("docker://org-a/app", [Mention(Reference("docker.io", "org-a/app"), has_host=False)]),
        "a host": ("Quay.io/org/app:1", [Mention(Reference("quay.io", "org/app", "1"), has_host=True)]),
        "a scheme": ("oci://quay.io/org", [Mention(Reference("quay.io", "org"), has_host=True)]),
        "an organisation of Docker Hub": (
            "docker.io/org oci://docker.io/org",
            [Mention(Reference("docker.io", "org"), has_host=True)] * 2,
        ),
        "an option's value": ("--to=quay.io/org/app", [Mention(Reference("quay.io", "org/app"), has_host=True)]),
        "a script": (
            'crane cp "quay.io/a/b:$TAG" reg:5000/c/d | cat',
            [
                Mention(Reference("quay.io", "a/b"), has_host=True),
                Mention(Reference("reg:5000", "c/d"), has_host=True),
            ],
        ),
        "a digest cut short": ("quay.io/org/app@sha256:00", [Mention(Reference("quay.io", "org/app"), has_host=True)]),
        "a slash behind": ("quay.io/org/", [Mention(Reference("quay.io", "org"), has_host=True)]),
        "words alone": ("docker push alpine quay.io localhost:5000", []),
        "paths": ("./org-a/app ../org-a/app /srv/org-a/app ~/org-a/app $X/org-a/app", []),
        "files": ("dist/app.tgz org-a/values.yaml", []),
        "folders of tools": ("ocidir://org-a/app oci:org-a/app dir:org-a/app file://org-a/app", []),
        "helm's oci:// is followed by a host": ("oci://org-a/app", []),
        "upper case in a path": ("quay.io/Org/app", []),
    },
)
def test_the_references_in_a_text_are_found(text: str, mentions: list[Mention]) -> None:
    assert list(mentions_in(text)) == mentions


@table(
    "target, repository",
    {
        "tag": ("ghcr.io/org/app:1", "ghcr.io/org/app"),
        "Docker Hub": ("docker.io/org/app:1", "docker.io/org/app"),
        "the same by another name": ("index.docker.io/org/app:2", "docker.io/org/app"),
        "short": ("org/app:3", "docker.io/org/app"),
        "slash behind": ("ghcr.io/org/", "ghcr.io/org"),
        "skopeo's scheme": ("docker://ghcr.io/org/app:1", "ghcr.io/org/app"),
        "helm's scheme": ("oci://GHCR.io/org", "ghcr.io/org"),
        "none": ("{x}", "{x}"),
    },
)
def test_targets_of_one_repository_are_told_to_be_the_same(target: str, repository: str) -> None:
    assert repository_of(target) == repository


_HUB = ("https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io", "hub.docker.com")
_NO_HOST = "is not a host name, with a port or without"
_NO_SCHEME = "must be a host without a scheme, such as 'ghcr.io'"
_NO_PATH = "must be a host without a path, such as 'ghcr.io'"
_NO_DOT = "has no dot and no port, so no image reference can name it"
_BAD_PORT = "has a port outside of 1 to 65535"
_NO_IPV6 = "is not an IPv6 address in brackets"
_UPPER = "has upper-case letters in its path, which must be lower case"


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("ghcr.io", "ghcr.io"),
        ("GHCR.io", "ghcr.io"),
        (" ghcr.io\n", "ghcr.io"),
        ("ghcr.io/", "ghcr.io"),
        ("localhost", "localhost"),
        ("localhost:5000", "localhost:5000"),
        ("registry:1", "registry:1"),
        ("a.b:65535", "a.b:65535"),
        ("127.0.0.1:5000", "127.0.0.1:5000"),
        ("[::1]", "[::1]"),
        ("[2001:DB8::1]:5000", "[2001:db8::1]:5000"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        (f"{'a' * 63}.io", f"{'a' * 63}.io"),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "123456789012.dkr.ecr.eu-west-1.amazonaws.com"),
        ("docker.io:443", "docker.io:443"),
        *((alias, "docker.io") for alias in (*_HUB, "Docker.IO", "HTTPS://INDEX.docker.io/v1/", "docker.io/")),
        *((f"{name}/{version}", "docker.io") for name in _HUB[1:] for version in ("v1", "v1/", "v2", "v2/")),
        *((f"https://{name}{rest}", "docker.io") for name in _HUB[1:] for rest in ("", "/", "/v1", "/v2/")),
    ],
)
def test_a_host_is_reduced_to_its_bare_lower_case_form(typed: str, host: str) -> None:
    assert canonical_host(typed) == host


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        *((typed, _NO_SCHEME) for typed in ("https://ghcr.io", "oci://a.b", "oci://docker.io", "x://")),
        *((typed, _NO_PATH) for typed in ("ghcr.io/org", "docker.io/org", "https://docker.io/org")),
        *(
            (typed, _NO_HOST)
            for typed in ("", " ", "/", "a b.io", "a_b.io", "-a.io", "a-.io", "a..b", ".a.b", "a.b.", "*.a.b")
        ),
        *(
            (typed, _NO_HOST)
            for typed in ("a.b:", ":5000", "a.b:x", "a.b:-1", "a.b:123456", "a.b:1:2", "u:p@a.b", "é.io")
        ),
        *(
            (typed, _NO_HOST)
            for typed in ("::1", "[::1", "::1]", "[]", "[g::]", "[fe80::1%eth0]", "[::1]5000", "a.b\0")
        ),
        *((typed, _NO_HOST) for typed in (f"{'a' * 64}.io", "a.b:\u0661", "a\n.b", f"{'a.' * 126}io")),
        *((typed, _NO_HOST) for typed in ("[127.0.0.1]", "[1.2:3]:80", "[::ffff:127.0.0.1]:80")),
        *((typed, _BAD_PORT) for typed in ("a.b:0", "a.b:65536", "localhost:99999", "[::1]:0", "a.b:00000")),
        *((typed, _NO_IPV6) for typed in ("[1:2]", "[:::]")),
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
        "path with a slash behind": ("ghcr.io/org/", "ghcr.io", "org"),
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
            for typed in ("ghcr.io//x", "ghcr.io/a_", "ghcr.io/a:1", "ghcr.io/a b", f"ghcr.io/{'a/' * 128}a")
        },
        "upper case": ("ghcr.io/Org", _UPPER),
        "scheme": ("https://ghcr.io/org", _NO_SCHEME),
        "no host": ("org/app", _NO_DOT),
        "no host at all": ("/org", _NO_HOST),
    },
)
def test_a_path_that_no_reference_has_is_refused(typed: str, problem: str) -> None:
    with pytest.raises(ValueError, match=exactly(problem)):
        registry_and_path(typed)


def test_a_host_of_something_else_keeps_its_name_and_may_have_no_dot() -> None:
    assert [checked_host(text) for text in ("Auth.docker.io", "registry-1.docker.io", "keycloak")] == [
        "auth.docker.io",
        "registry-1.docker.io",
        "keycloak",
    ]
