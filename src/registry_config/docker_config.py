"""Credentials rendered as Docker's `config.json`, and the environment that makes every tool find it.

The rules come from reading and running the tools: a key without scheme or path is found by all of them, `auth`
is the only field that all of them understand, and Docker Hub needs four keys.
"""

from __future__ import annotations

import binascii
import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DOCKER_HUB: Final = "docker.io"
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

_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\])(?::[0-9]{{1,5}})?")
# The grammar of distribution/reference (`reference/regexp.go`).
_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH: Final = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_MAX_PORT: Final = 65535


def canonical_host(address: str) -> str:
    """The registry that `address` names: bare lower-case `host[:port]`, Docker Hub as `docker.io`.

    Args:
        address: what a person typed, such as `GHCR.io`, `localhost:5000` or an alias of Docker Hub.

    Raises:
        ValueError: not a host; the message says what is wrong and never repeats the address.
    """
    host = address.strip().lower()
    if host in DOCKER_HUB_KEYS:
        return DOCKER_HUB
    if "://" in host:
        raise ValueError("must be a host without a scheme, such as 'ghcr.io'")
    if "/" in host:
        raise ValueError("must be a host without a path, such as 'ghcr.io'")
    if not _HOST.fullmatch(host):
        raise ValueError("is not a host name, with a port or without")
    _check_address_and_port(host)
    # The reference grammar reads `name/image` as a path on Docker Hub, so such a host could never be asked for.
    if not {".", ":"} & set(host) and host != "localhost":
        raise ValueError("has no dot and no port, so no image reference can name it")
    return host


def registry_and_path(text: str) -> tuple[str, str]:
    """A registry as declared: its canonical host, and the path its credential is for (empty for all of it).

    Raises:
        ValueError: not a host, or a path that no reference could have; the text is not repeated.
    """
    address = text.strip()
    host, slash, path = address.partition("/")
    if "://" in address or address.lower() in DOCKER_HUB_KEYS:
        host, slash, path = address, "", ""
    canonical = canonical_host(host)
    if slash and not _PATH.fullmatch(path):
        raise ValueError("has a path that no image reference could have")
    return canonical, path


def _check_address_and_port(host: str) -> None:
    name, _, port = host.rpartition(":")
    if host.endswith("]"):
        name, port = host, ""
    if name and port and not 0 < int(port) <= _MAX_PORT:
        raise ValueError("has a port outside of 1 to 65535")
    if name.startswith("["):
        import ipaddress  # noqa: PLC0415  (a rare form; the import would cost every start a millisecond)

        try:
            ipaddress.IPv6Address(name[1:-1])
        except ValueError:
            raise ValueError("is not an IPv6 address in brackets") from None


def config_keys(host: str) -> tuple[str, ...]:
    """The keys of `auths` under which tools look for a canonical host."""
    return DOCKER_HUB_KEYS if host == DOCKER_HUB else (host,)


def auth_value(username: str, secret: str) -> str:
    """The `auth` field: padded standard base64 of `username:secret` (RFC 7617, RFC 4648 section 4)."""
    return binascii.b2a_base64(f"{username}:{secret}".encode(), newline=False).decode("ascii")


def render(logins: Iterable[tuple[str, str, str]], settings: Mapping[str, object] | None = None) -> str:
    """A `config.json` holding these logins.

    Args:
        logins: canonical host, user and secret of each.
        settings: further top-level keys to keep, such as those of the user's own file; its `auths` stay beside ours.
    """
    document = dict(settings or {})
    kept = document.get("auths")
    auths: dict[str, object] = dict(kept) if isinstance(kept, dict) else {}
    for host, username, secret in logins:
        entry = {"auth": auth_value(username, secret)}
        auths.update(dict.fromkeys(config_keys(host), entry))
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
