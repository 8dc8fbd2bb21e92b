"""The one grammar of references: `[host/]path[:tag][@digest]`, as Docker reads it.

The rules are those of distribution/reference (`regexp.go`, `normalize.go`): the first component is a host if it holds
a dot, a colon or an upper-case letter, or is `localhost`; everything else is on Docker Hub, where a name of one
component is below `library/`. Hosts are compared without case.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCKER_HUB: Final = "docker.io"
# Every name under which people write Docker Hub down; hub.docker.com is its web page.
DOCKER_HUB_NAMES: Final = frozenset((DOCKER_HUB, "index.docker.io", "registry-1.docker.io", "hub.docker.com"))

_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\])(?::[0-9]{{1,5}})?"
_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH: Final = rf"{_COMPONENT}(?:/{_COMPONENT})*"
_TAG: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST: Final = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,}"
_MAX_PORT: Final = 65535
# RFC 1035 section 2.3.4.
_MAX_HOST: Final = 253
# distribution/reference, `NameTotalLengthMax`.
_MAX_NAME: Final = 255


class Reference(NamedTuple):
    """What a reference names.

    Attributes:
        host: canonical, such as `ghcr.io`, `localhost:5000` or `docker.io`.
        path: of the repository within its registry, such as `library/alpine`.
        tag: empty where there is none.
        digest: likewise.
    """

    host: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def repository(self) -> str:
        """Host and path."""
        return f"{self.host}/{self.path}"


def parse_reference(text: str) -> Reference:
    """Read a reference.

    Raises:
        ValueError: it is none; the message says what is wrong and never repeats the text.
    """
    host, path_and_more = _split_host(text)
    name, at, digest = path_and_more.partition("@")
    path, colon, tag = name.partition(":")
    if host == DOCKER_HUB and "/" not in path:
        path = f"library/{path}"
    if path != path.lower():
        raise ValueError("has upper-case letters in its path; write them in lower case")
    whole = (not at or re.fullmatch(_DIGEST, digest)) and (not colon or re.fullmatch(_TAG, tag))
    if not whole or not _is_path(path) or len(host) + 1 + len(path) > _MAX_NAME:
        raise ValueError("is not an image reference such as ghcr.io/org/tool:1.2")
    return Reference(host, path, tag, digest)


def references_in(text: str) -> Iterator[Reference]:
    """The references, or beginnings of references, that stand in a word of a command, a script or a variable."""
    for word in re.findall(r"[A-Za-z0-9\[][\w.\-/:@\[\]]*", text, re.ASCII):
        _, _, behind_scheme = word.rpartition("://")
        try:
            yield parse_reference((behind_scheme or word).rstrip("/:@."))
        except ValueError:
            continue


def repository_of(target: str) -> str:
    """Host and path of a target, which may be the beginning of a reference; the text itself where it is neither."""
    name = target.partition("@")[0].rstrip("/")
    try:
        return parse_reference(name).repository
    except ValueError:
        return name


def canonical_host(address: str) -> str:
    """The registry that an address names: bare lower-case `host[:port]`, Docker Hub as `docker.io`.

    Args:
        address: what a person typed, such as `GHCR.io`, `localhost:5000` or any name of Docker Hub, which may have a
            scheme, `/v1/`, `/v2/` or a slash at its end.

    Raises:
        ValueError: not a host; the message says what is wrong and never repeats the address.
    """
    host, path = registry_and_path(address)
    if path:
        raise ValueError("must be a host without a path, such as 'ghcr.io'")
    return host


def registry_and_path(text: str) -> tuple[str, str]:
    """A registry as declared: its canonical host, and the path its credential is for (empty for all of it).

    Raises:
        ValueError: not a host, or a path that no reference could have; the text is not repeated.
    """
    address = text.strip()
    scheme, separator, rest = address.partition("://")
    host, _, path = (rest if separator else address).partition("/")
    path = path.rstrip("/")
    is_hub = host.lower() in DOCKER_HUB_NAMES
    # People copy Docker Hub's own `https://index.docker.io/v1/`; for any other registry a scheme is a misunderstanding.
    if separator and not (is_hub and scheme.lower() in {"https", "http"}):
        raise ValueError("must be a host without a scheme, such as 'ghcr.io'")
    if is_hub:
        return DOCKER_HUB, _declared_path("" if path in {"v1", "v2"} else path)
    return _checked_host(host.lower()), _declared_path(path)


def _split_host(text: str) -> tuple[str, str]:
    """The canonical host, and what follows it (`splitDockerDomain` of `normalize.go`)."""
    first, slash, rest = text.partition("/")
    if not slash or not ({".", ":"} & set(first) or first == "localhost" or first.lower() != first):
        return DOCKER_HUB, text
    host = first.lower()
    return (DOCKER_HUB if host in DOCKER_HUB_NAMES else _checked_host(host)), rest


def _is_path(path: str) -> bool:
    return bool(re.fullmatch(_PATH, path))


def _declared_path(path: str) -> str:
    if path != path.lower():
        raise ValueError("has upper-case letters in its path; write them in lower case")
    if path and not _is_path(path):
        raise ValueError("has a path that no image reference could have")
    return path


def _checked_host(host: str) -> str:
    if len(host) > _MAX_HOST or not re.fullmatch(_HOST, host):
        raise ValueError("is not a host name, with a port or without")
    name, _, port = host.rpartition(":")
    if host.endswith("]"):
        name, port = host, ""
    if name and port and not 0 < int(port) <= _MAX_PORT:
        raise ValueError("has a port outside of 1 to 65535")
    if host.startswith("["):
        _check_ipv6(host.rpartition("]")[0][1:])
    # The grammar reads `name/image` as a path on Docker Hub, so such a host could never be asked for.
    if not {".", ":"} & set(host) and host != "localhost":
        raise ValueError("has no dot and no port, so no image reference can name it")
    return host


def _check_ipv6(address: str) -> None:
    import ipaddress  # noqa: PLC0415  (a rare form; the import would cost every start a millisecond)

    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        raise ValueError("is not an IPv6 address in brackets") from None
