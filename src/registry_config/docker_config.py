"""Credentials rendered as Docker's `config.json`, and the environment that makes every tool find it.

The rules come from reading and running the tools: a key without scheme or path is found by all of them, `auth`
is the only field that all of them understand, and Docker Hub needs four keys.
"""

from __future__ import annotations

import binascii
import json

from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple
from registry_config.reference import DOCKER_HUB

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# docker, go-containerregistry and oras-go look under the first key only, OpenTofu and oras-py under the literal host.
DOCKER_HUB_KEYS: Final = (
    "https://index.docker.io/v1/",
    "docker.io",
    "index.docker.io",
    "registry-1.docker.io",
)
CONFIG_NAME: Final = "config.json"
# Variables that decide where a tool looks for credentials: ours alone to set.
CONFIG_VARIABLES: Final = (
    "DOCKER_CONFIG",
    "REGISTRY_AUTH_FILE",
    "HELM_REGISTRY_CONFIG",
    "BUILDX_CONFIG",
    "DOCKER_AUTH_CONFIG",
)
# Keys of a user's own config that hold, or fetch, credentials.
CREDENTIAL_KEYS: Final = ("auths", "credsStore", "credHelpers")


def config_keys(host: str, path: str = "") -> tuple[str, ...]:
    """The keys of `auths` under which tools look for a canonical host, or for a path of it."""
    if path:
        return (f"{host}/{path}",)
    return DOCKER_HUB_KEYS if host == DOCKER_HUB else (host,)


def auth_value(username: str, secret: str) -> str:
    """The `auth` field: padded standard base64 of `username:secret` (RFC 7617, RFC 4648 section 4)."""
    return binascii.b2a_base64(f"{username}:{secret}".encode(), newline=False).decode("ascii")


class Login(NamedTuple):
    """User and secret for a registry.

    Attributes:
        host: canonical.
        username: whom to log in as.
        secret: password or token.
        path: part of the registry that it is for; empty for all of it. For tools that choose by path only: docker,
            oras-go and go-containerregistry cut the path off such a key.
    """

    host: str
    username: str
    secret: str
    path: str = ""

    def __repr__(self) -> str:
        return f"Login({'/'.join(filter(None, (self.host, self.path)))!r}, {self.username!r}, ***)"


def render(logins: Iterable[Login], settings: Mapping[str, object] | None = None) -> str:
    """A `config.json` holding these logins.

    Args:
        logins: what it holds.
        settings: further top-level keys to keep, such as those of the user's own file; its `auths` stay beside ours.
    """
    document = dict(settings or {})
    kept = document.get("auths")
    auths: dict[str, object] = dict(kept) if isinstance(kept, dict) else {}
    for login in logins:
        entry = {"auth": auth_value(login.username, login.secret)}
        auths.update(dict.fromkeys(config_keys(login.host, login.path), entry))
    document["auths"] = auths
    return json.dumps(document, separators=(",", ":"), sort_keys=True)


def environment(folder: str, auth_file: str | None = None) -> dict[str, str]:
    """The variables that make tools read `folder/config.json`.

    Args:
        folder: absolute path of the folder that holds `config.json`.
        auth_file: another path to the same document, for podman, buildah and skopeo.
    """
    config = f"{folder}/{CONFIG_NAME}"
    return {
        "DOCKER_CONFIG": folder,
        "REGISTRY_AUTH_FILE": auth_file or config,
        "HELM_REGISTRY_CONFIG": config,
    }
