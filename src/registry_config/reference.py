"""Image references: `[host/]path[:tag][@digest]`.

The grammar is that of distribution/reference (`reference/regexp.go`), its rule for what is a host that of Docker:
the first component is one if it holds a dot or a colon or is `localhost`.
"""

from __future__ import annotations

import re
from typing import Final

from registry_config.docker_config import DOCKER_HUB, canonical_host

_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST: Final = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?"
_REFERENCE: Final = re.compile(
    rf"(?:(?P<host>{_HOST})/)?{_COMPONENT}(?:/{_COMPONENT})*(?::\w[\w.-]{{0,127}})?(?:@sha256:[0-9a-f]{{64}})?",
    re.ASCII,
)


def image_repository(reference: str) -> str:
    """The repository's path within its registry, such as `library/alpine`.

    Raises:
        ValueError: not an image reference.
    """
    host = image_host(reference)
    name = reference.partition("@")[0]
    first, _, rest = name.partition("/")
    if rest and (host != DOCKER_HUB or {".", ":"} & set(first)):
        name = rest
    path = re.sub(r":[^:/]*$", "", name)
    return f"library/{path}" if host == DOCKER_HUB and "/" not in path else path


def image_host(reference: str) -> str:
    """The registry that an image is pulled from, in canonical form.

    Raises:
        ValueError: not an image reference.
    """
    match = _REFERENCE.fullmatch(reference)
    if not match:
        raise ValueError("is not an image reference such as ghcr.io/org/tool:1.2")
    first = match["host"] or ""
    if {".", ":"} & set(first) or first == "localhost":
        return canonical_host(first)
    return DOCKER_HUB
