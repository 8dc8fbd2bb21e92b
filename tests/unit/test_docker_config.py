"""The keys that hosts are written under, and the document itself."""

from __future__ import annotations

import json

from registry_config.docker_config import (
    Login,
    auth_value,
    config_keys,
    environment,
    render,
)
from support.tables import table

_HUB = ("https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io")


@table(
    "host, path, keys",
    {
        "Docker Hub under four": ("docker.io", "", _HUB),
        "another as it is": ("ghcr.io", "", ("ghcr.io",)),
        "with its port": ("localhost:5000", "", ("localhost:5000",)),
        "for a path": ("quay.io", "org/team", ("quay.io/org/team",)),
        "for a path on Docker Hub": ("docker.io", "org", ("docker.io/org",)),
    },
)
def test_a_login_is_written_under_every_key_that_tools_look_for(host: str, path: str, keys: tuple[str, ...]) -> None:
    assert config_keys(host, path) == keys


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
        "two users of one registry": (
            [("quay.io", "a", "b", "org-a"), ("quay.io", "c", "d", "org-b"), ("quay.io", "e", "f")],
            None,
            '{"auths":{"quay.io":{"auth":"ZTpm"},"quay.io/org-a":{"auth":"YTpi"},"quay.io/org-b":{"auth":"Yzpk"}}}',
        ),
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
    logins: list[tuple[str, ...]], settings: dict[str, object] | None, document: str
) -> None:
    assert render([Login(*login) for login in logins], settings) == document


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


def test_no_representation_shows_a_secret() -> None:
    shown = [repr(Login("quay.io", "alice", "hunter2")), repr(Login("quay.io", "alice", "hunter2", "org"))]
    assert shown == ["Login('quay.io', 'alice', ***)", "Login('quay.io/org', 'alice', ***)"]
