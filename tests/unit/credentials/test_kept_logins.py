"""The user's own logins: where they are found, in which form they are kept, and what of them is secret."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from registry_config.credentials.kept_logins import UserConfig, docker_folder, host_of, read_user_config
from registry_config.errors import InputError
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_BOB = base64.b64encode(b"bob:bobs-password").decode()
_EVE = base64.b64encode(b"eve:eves-password").decode()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def _write(path: Path, document: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))


def _read(home: Path, variables: Mapping[str, str] | None = None, *, keep: bool = True) -> UserConfig:
    own = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home / "run")}
    return read_user_config(own | dict(variables or {}), keep=keep)


def _docker(home: Path, document: object) -> UserConfig:
    _write(home / ".docker/config.json", document)
    return _read(home)


_PLACES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "Docker": (".docker/config.json", {}),
    "Docker elsewhere": ("elsewhere/config.json", {"DOCKER_CONFIG": "{home}/elsewhere"}),
    "podman": ("run/containers/auth.json", {}),
    "podman at home": (".config/containers/auth.json", {}),
    "podman at home elsewhere": ("xdg/containers/auth.json", {"XDG_CONFIG_HOME": "{home}/xdg"}),
    "podman elsewhere": ("auth.json", {"REGISTRY_AUTH_FILE": "{home}/auth.json"}),
    "Helm": (".config/helm/registry/config.json", {}),
    "Helm at home elsewhere": ("xdg/helm/registry/config.json", {"XDG_CONFIG_HOME": "{home}/xdg"}),
    "Helm's home elsewhere": ("helm/registry/config.json", {"HELM_CONFIG_HOME": "{home}/helm"}),
    "Helm elsewhere": ("helm.json", {"HELM_REGISTRY_CONFIG": "{home}/helm.json"}),
}


@table("place, variables", _PLACES)
def test_logins_are_found_where_the_tools_keep_them(home: Path, place: str, variables: Mapping[str, str]) -> None:
    _write(home / place, {"auths": {"two.example.com": {"auth": _BOB}}})
    given = {name: value.format(home=home) for name, value in variables.items()}
    kept = _read(home, given)
    assert kept.shown_beside(["one.example.com"]) == {"auths": {"two.example.com": {"auth": _BOB}}}
    assert [(c.username, c.secret) for c in kept.credentials] == [("bob", "bobs-password")]
    assert kept.hidden_beside([]) == frozenset()
    hidden = _read(home, given, keep=False)
    assert hidden.shown_beside([]) == {}
    assert hidden.hidden_beside([]) == {"two.example.com"}
    assert hidden.credentials == ()
    assert hidden.hidden_beside(["two.example.com"]) == frozenset()


_ENTRIES: Mapping[str, tuple[Mapping[str, object], Mapping[str, object], list[str]]] = {
    "auth": ({"auth": _BOB, "email": "bob@example.com"}, {"auth": _BOB}, ["bobs-password"]),
    "auth without padding": ({"auth": _BOB.rstrip("=")}, {"auth": _BOB}, ["bobs-password"]),
    "user and password": (
        {"username": "bob", "password": "bobs-password"},
        {"username": "bob", "password": "bobs-password"},
        ["bobs-password"],
    ),
    "identity token": (
        {"auth": "MDA6", "identitytoken": "an-identity-token"},
        {"auth": "MDA6", "identitytoken": "an-identity-token"},
        ["an-identity-token"],
    ),
    "registry token": ({"registrytoken": "a-token"}, {"registrytoken": "a-token"}, ["a-token"]),
    "auth, and another password": (
        {"auth": _BOB, "username": "bob", "password": "another-password"},
        {"auth": _BOB, "username": "bob", "password": "another-password"},
        ["bobs-password", "another-password"],
    ),
}


@table("entry, kept, secrets", _ENTRIES)
def test_an_entry_is_kept_and_its_secrets_are_known(
    home: Path, entry: Mapping[str, object], kept: Mapping[str, object], secrets: list[str]
) -> None:
    user = _docker(home, {"auths": {"two.example.com": entry}})
    assert user.shown_beside([])["auths"] == {"two.example.com": kept}
    assert list(dict.fromkeys((*(c.secret for c in user.credentials), *user.secrets))) == secrets
    assert "bobs-password" not in repr(user)


@table(
    "entry",
    {
        "no base64": {"auth": "a"},
        "no colon": {"auth": "Ym9i"},
        "no user": {"auth": base64.b64encode(b":password").decode()},
        "not UTF-8": {"auth": base64.b64encode(b"bob:\xff\xff").decode()},
        "no mapping": "bob",
    },
)
def test_an_entry_that_breaks_the_file_for_tools_is_named_and_left_out(home: Path, entry: Any) -> None:
    user = _docker(home, {"auths": {"two.example.com": entry, "three.example.com": {"auth": _EVE}}})
    assert user.shown_beside([])["auths"] == {"three.example.com": {"auth": _EVE}}
    assert user.warnings == ("keep-logins: Docker's login for two.example.com is malformed; it is left out",)


def test_helpers_are_kept_for_hosts_that_are_not_declared(home: Path) -> None:
    helpers = {"gcr.io": "gcloud", "one.example.com": "ours", "https://index.docker.io/v1/": "hub"}
    user = _docker(home, {"credHelpers": helpers})
    shown = user.shown_beside(["one.example.com"])
    names = ("https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io")
    assert shown == {"auths": {}, "credHelpers": {"gcr.io": "gcloud", **dict.fromkeys(names, "hub")}}


def test_a_store_becomes_a_helper_of_each_registry_that_is_named(home: Path) -> None:
    """As `credsStore` it would be asked for the declared ones too."""
    auths = {"two.example.com": {}, "three.example.com": {"auth": _EVE}, "one.example.com": {}}
    user = _docker(home, {"auths": auths, "credsStore": "pass"})
    shown = user.shown_beside(["one.example.com"])
    assert shown == {"auths": {"three.example.com": {"auth": _EVE}}, "credHelpers": {"two.example.com": "pass"}}
    (warning,) = user.warnings
    assert warning.startswith("keep-logins: of Docker's credential store (credsStore) the registries are kept that")
    assert _read(home, keep=False).hidden_beside([]) == {"one.example.com", "two.example.com", "three.example.com"}


def test_of_two_logins_for_one_registry_dockers_is_kept_and_that_is_said(home: Path) -> None:
    _write(home / ".docker/config.json", {"auths": {"https://index.docker.io/v1/": {"auth": _BOB}}})
    _write(home / "run/containers/auth.json", {"auths": {"docker.io": {"auth": _EVE}, "quay.io": {"auth": _EVE}}})
    user = _read(home)
    assert user.shown_beside([])["auths"] == {"https://index.docker.io/v1/": {"auth": _BOB}, "quay.io": {"auth": _EVE}}
    problem = "podman and Docker have different logins for docker.io; that of Docker is kept"
    assert user.warnings == (f"keep-logins: {problem}",)
    assert {c.secret for c in user.credentials} == {"bobs-password", "eves-password"}


def test_what_is_secret_in_a_login_that_is_not_kept_is_known_too(home: Path) -> None:
    """A tool finds it where it stands."""
    _write(home / ".docker/config.json", {"auths": {"quay.io": {"auth": _BOB}}})
    _write(home / "run/containers/auth.json", {"auths": {"quay.io": {"auth": _EVE, "identitytoken": "a-token"}}})
    user = _read(home)
    assert user.shown_beside([])["auths"] == {"quay.io": {"auth": _BOB}}
    assert {*(c.secret for c in user.credentials), *user.secrets} == {"bobs-password", "eves-password", "a-token"}


def test_the_same_login_in_two_documents_is_no_matter(home: Path) -> None:
    _write(home / ".docker/config.json", {"auths": {"quay.io": {"auth": _BOB}}})
    _write(home / "run/containers/auth.json", {"auths": {"quay.io": {"auth": _BOB}}})
    assert (_read(home).warnings, len(_read(home).logins)) == ((), 1)
    linked = home / "linked.json"
    linked.symlink_to(home / ".docker/config.json")
    assert _read(home, {"REGISTRY_AUTH_FILE": str(linked)}).warnings == ()


def test_podmans_login_for_a_path_is_none_for_the_whole_registry(home: Path) -> None:
    """docker, oras and crane would take one of its kind at random."""
    _write(home / "run/containers/auth.json", {"auths": {"quay.io/org-a": {"auth": _BOB}}})
    assert _read(home).shown_beside([])["auths"] == {"quay.io/org-a": {"auth": _BOB}, "quay.io": {}}
    assert _read(home).shown_beside(["quay.io"])["auths"] == {}


def test_settings_of_docker_stay_and_what_is_secret_in_them_is_known(home: Path) -> None:
    settings = {
        "HttpHeaders": {"X-Token": "Bearer a-token-of-some-length", "User-Agent": "Docker-Client/18.09.7 (linux)"},
        "proxies": {"default": {"httpProxy": "http://eve:eves-password@proxy.example.com:3128", "noProxy": "a:b"}},
        "currentContext": "remote",
    }
    _write(home / ".docker/config.json", settings | {"auths": {}})
    user = _read(home, keep=False)
    assert user.shown_beside([]) == settings
    assert user.secrets == ("Bearer a-token-of-some-length", "a-token-of-some-length", "eves-password")


@table(
    "text",
    {
        "cut": "{",
        "list": "[]",
        "deep": "[" * 100_000,
        "number": "1",
        "half a character": '{"HttpHeaders": {"X": "\\ud800"}}',
    },
)
@table("place", {"Docker": ".docker/config.json", "podman": "run/containers/auth.json"})
def test_a_broken_document_matters_only_where_it_is_to_be_kept(home: Path, place: str, text: str) -> None:
    _write(home / place, text)
    owner = "Docker" if "docker" in place else "podman"
    with pytest.raises(InputError) as refused:
        _read(home)
    assert str(refused.value) == f"keep-logins: your own config of {owner} cannot be read as JSON; fix it"
    assert _read(home, keep=False).logins == ()


@table("text", {"empty": "", "newline": "\n", "nothing in it": "{}", "other types": '{"auths": 1, "credHelpers": []}'})
def test_a_document_without_logins(home: Path, text: str) -> None:
    assert _docker(home, text).shown_beside([]) == {"auths": {}}


def test_a_device_or_pipe_is_no_document(home: Path) -> None:
    assert _read(home, {"REGISTRY_AUTH_FILE": "/dev/zero"}, keep=False).logins == ()
    with pytest.raises(InputError, match="podman"):
        _read(home, {"REGISTRY_AUTH_FILE": "/dev/zero"})


@table(
    "key, host",
    {
        "host": ("Quay.io", "quay.io"),
        "port": ("localhost:5000", "localhost:5000"),
        "scheme and path": ("https://quay.io/v2/", "quay.io"),
        "Hub": ("https://index.docker.io/v1/access-token", "docker.io"),
        "path": ("quay.io/org", "quay.io"),
        "no host": ("?", "?"),
    },
)
def test_a_key_means_a_host(key: str, host: str) -> None:
    assert host_of(key) == host


def test_without_a_home_there_is_still_a_folder() -> None:
    assert docker_folder({"HOME": "/home/bob"}) == "/home/bob/.docker"
    assert docker_folder({"DOCKER_CONFIG": "/own/"}) == "/own"
    assert docker_folder({}).endswith("/.docker")
