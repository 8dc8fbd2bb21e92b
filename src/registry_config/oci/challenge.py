"""What a registry asks for: the challenges of `WWW-Authenticate` (RFC 9110, section 11.6.1).

Registries send several headers, or several challenges in one, separated by the same comma as their parameters.
"""

from __future__ import annotations

import re

from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_SEPARATOR: Final = re.compile(r"[ \t,]*")
_PARAMETER: Final = re.compile(rf'({_WORD})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|({_WORD}))(?=[ \t]*(?:,|$))', re.DOTALL)
# A bare value may hold what is no token, such as the slashes of a URL: registries leave quotes out where they may not.
_BARE_PARAMETER: Final = re.compile(rf"({_WORD})[ \t]*=()[ \t]*([^\",\s]+)(?=[ \t]*(?:,|$))")
_SCHEME: Final = re.compile(rf"({_WORD})(?=[ \t,]|$)")
# What Negotiate and its like send instead of parameters.
_TOKEN68: Final = re.compile(r"[ \t]+[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))")


class Challenge(NamedTuple):
    """One way to authenticate.

    Attributes:
        scheme: in lower case.
        parameters: by their names in lower case; of a repeated one the first.
    """

    scheme: str
    parameters: Mapping[str, str]


def challenges(headers: Iterable[str]) -> list[Challenge]:
    """All challenges of all headers, in their order; a header is read as far as it is well-formed."""
    return [challenge for header in headers for challenge in _of_one(header)]


def usable(headers: Iterable[str]) -> Challenge | None:
    """The challenge to answer: Bearer before Basic, everything else passed over."""
    known = challenges(headers)
    bearer = (challenge for challenge in known if challenge.scheme == "bearer" and challenge.parameters.get("realm"))
    basic = (challenge for challenge in known if challenge.scheme == "basic")
    return next(bearer, None) or next(basic, None)


def _of_one(header: str) -> list[Challenge]:
    found: list[tuple[str, dict[str, str]]] = []
    position = _skip(header, 0)
    while position < len(header):
        parameter = _PARAMETER.match(header, position) or _BARE_PARAMETER.match(header, position)
        scheme = _SCHEME.match(header, position)
        if parameter and found:
            name, quoted, bare = parameter.groups()
            value = bare if bare is not None else re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)
            found[-1][1].setdefault(name.lower(), value)
            position = parameter.end()
        elif scheme:
            found.append((scheme[1].lower(), {}))
            opaque = _TOKEN68.match(header, scheme.end())
            position = opaque.end() if opaque else scheme.end()
        else:
            break
        position = _skip(header, position)
    return [Challenge(scheme, parameters) for scheme, parameters in found]


def _skip(header: str, position: int) -> int:
    match = _SEPARATOR.match(header, position)
    return match.end() if match else position
