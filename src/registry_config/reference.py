"""The one grammar of references: `[host/]path[:tag][@digest]`, as Docker reads it.

The rules are those of distribution/reference (`regexp.go`, `normalize.go`, `reference.go`): the first component is a
host if it holds a dot or a colon or is `localhost`; everything else is on Docker Hub, where a name of one component is
below `library/`. Hosts are compared without case. Three things are stricter here, since no tool could use them: a port
is at most 65535, a label of a host at most 63 characters (RFC 1035), and a first component that Docker takes for a host
because of its upper-case letters alone is refused.
"""

from __future__ import annotations

import re
from contextlib import suppress

from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCKER_HUB: Final = "docker.io"
# Every name under which people write Docker Hub down; hub.docker.com is its web page.
DOCKER_HUB_NAMES: Final = frozenset((DOCKER_HUB, "index.docker.io", "registry-1.docker.io", "hub.docker.com"))

_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:]+\])(?::[0-9]{{1,5}})?"
_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH: Final = rf"{_COMPONENT}(?:/{_COMPONENT})*"
_TAG: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
# opencontainers/go-digest knows these three, each with its length.
_DIGEST: Final = r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}"
# Docker keeps such names for the IDs of images.
_IMAGE_ID: Final = r"[0-9a-f]{64}"
_MAX_PORT: Final = 65535
# RFC 1035 section 2.3.4.
_MAX_HOST: Final = 253
# distribution/reference, `RepositoryNameTotalLengthMax`.
_MAX_PATH: Final = 255
_UPPER_CASE: Final = "has upper-case letters in its path, which must be lower case"
_NO_REFERENCE: Final = "is not an image reference such as ghcr.io/org/tool:1.2"
_NO_HOST: Final = "is not a host name, with a port or without"
# In a command, a script or the value of a variable: not in the middle of a path or an option.
_WORD: Final = r"(?<![\w./~$-])[A-Za-z0-9\[][\w.\-/:@\[\]]*"
# Where a reference without a host may stand. With `oci://` helm means a host; `ocidir://` is a folder of regctl's.
_SHORT_SCHEMES: Final = frozenset(("", "docker"))
_FOLDER_SCHEMES: Final = frozenset(("ocidir", "file", "git", "ssh", "s3", "gs"))
_FILE_NAME: Final = r"[^:@]*\.[a-z][a-z0-9]*"


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


class Mention(NamedTuple):
    """A reference, or the beginning of one, that stands in a text.

    Attributes:
        reference: what it names.
        has_host: whether the host was written; without it the word may be something else, such as a file's path.
    """

    reference: Reference
    has_host: bool


def parse_reference(text: str) -> Reference:
    """Read a reference.

    Raises:
        ValueError: it is none; the message says what is wrong and never repeats the text.
    """
    if re.fullmatch(_IMAGE_ID, text):
        raise ValueError("is the ID of an image, not its name")
    if "://" in text:
        raise ValueError("must be without a scheme, such as ghcr.io/org/tool:1.2")
    host, path_and_more = _split_host(text)
    name, at, digest = path_and_more.partition("@")
    path, colon, tag = name.partition(":")
    if host == DOCKER_HUB and "/" not in path:
        path = f"library/{path}"
    if path != path.lower() and _is_path(path.lower()):
        raise ValueError(_UPPER_CASE)
    whole = (not at or re.fullmatch(_DIGEST, digest)) and (not colon or re.fullmatch(_TAG, tag))
    if not whole or not _is_path(path):
        raise ValueError(_NO_REFERENCE)
    return Reference(host, path, tag, digest)


def mentions_in(text: str) -> Iterator[Mention]:
    """The references, or beginnings of references, that stand in a word of a command, a script or a variable.

    A word without a slash is not taken for one (`push`, `alpine`), nor is a path without a host that ends like a file's
    name (`dist/app.tgz`). The one component of `docker.io/org` stays as it is: it may be an organisation's.
    """
    for word in re.findall(_WORD, text, re.ASCII):
        scheme, _, rest = word.rpartition("://")
        rest = rest.rstrip("/:@.")
        first, slash, _ = rest.partition("/")
        has_host = _names_host(first)
        is_short = not has_host and scheme in _SHORT_SCHEMES and not re.fullmatch(_FILE_NAME, rest)
        if not slash or scheme in _FOLDER_SCHEMES or not (has_host or is_short):
            continue
        # A digest that is cut short by the rest of a script, or wrong, is the tool's business.
        with suppress(ValueError):
            reference = parse_reference(rest.partition("@")[0])
            # helm and ko name no more than an organisation, which is below no `library/`.
            written = rest.partition("/")[2].partition(":")[0]
            yield Mention(reference._replace(path=written) if has_host and "/" not in written else reference, has_host)


def references_in(text: str) -> Iterator[Reference]:
    """The references of `mentions_in`."""
    return (mention.reference for mention in mentions_in(text))


def repository_of(target: str) -> str:
    """Host and path of a target, which may be the beginning of a reference, with a scheme or without.

    Where it is neither, the text itself without its scheme.
    """
    name = target.rpartition("://")[2].partition("@")[0].rstrip("/")
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
    host = checked_host(host)
    # The grammar reads `name/image` as a path on Docker Hub, so such a host could never be asked for.
    if not _names_host(host):
        raise ValueError("has no dot and no port, so no image reference can name it")
    return host, _declared_path(path)


def checked_host(text: str) -> str:
    """A host with a port or without, in lower case, whatever it serves.

    Raises:
        ValueError: it is none; the message says what is wrong and never repeats the text.
    """
    host = text.lower()
    if len(host) > _MAX_HOST or not re.fullmatch(_HOST, host):
        raise ValueError(_NO_HOST)
    name, _, port = host.rpartition(":")
    if host.endswith("]"):
        name, port = host, ""
    if name and port and not 0 < int(port) <= _MAX_PORT:
        raise ValueError("has a port outside of 1 to 65535")
    if host.startswith("["):
        _check_ipv6(host.rpartition("]")[0][1:])
    return host


def _split_host(text: str) -> tuple[str, str]:
    """The canonical host, and what follows it (`splitDockerDomain` of `normalize.go`)."""
    first, slash, rest = text.partition("/")
    if slash and _names_host(first):
        host = first.lower()
        return (DOCKER_HUB if host in DOCKER_HUB_NAMES else checked_host(host)), rest
    if slash and _is_path(first.lower()) and first != first.lower():
        raise ValueError(_UPPER_CASE)
    return DOCKER_HUB, text


def _names_host(first: str) -> bool:
    """Whether the first component of a reference is a host."""
    return bool({".", ":"} & set(first)) or first.lower() == "localhost"


def _is_path(path: str) -> bool:
    return len(path) <= _MAX_PATH and bool(re.fullmatch(_PATH, path))


def _declared_path(path: str) -> str:
    if path != path.lower() and _is_path(path.lower()):
        raise ValueError(_UPPER_CASE)
    if path and not _is_path(path):
        raise ValueError("has a path that no image reference could have")
    return path


def _check_ipv6(address: str) -> None:
    import ipaddress  # noqa: PLC0415  (a rare form; the import would cost every start a millisecond)

    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        raise ValueError("is not an IPv6 address in brackets") from None
