"""The secret members of a JSON document, such as a key of a service account: not its e-mail, its type and its URLs."""

from __future__ import annotations

import json
import re

from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# A shorter member is no secret by itself and would be found in innocent text.
_MIN_MEMBER: Final = 8
_SECRET_NAME: Final = re.compile(
    r"private_?key|secret|token|password|passwd|passphrase|credential|^auth$|^pass$|^pwd$|api_?key|access_?key|key_?data",
    re.IGNORECASE,
)
# Members that only describe a secret, whatever else their name says.
_PUBLIC_NAME: Final = re.compile(
    r"(?:ur[il]|endpoint|e?mail|user(?:_?name)?|(?:secret|token|key|credentials?|password|display)_?name|login|type|host|server|expir\w*|lifetime|ttl|scopes?)$",
    re.IGNORECASE,
)
_EMAIL: Final = re.compile(r"[^\s@:/]+@[^\s@:/]+\.[^\s@:/]+")
# A URL without a user, a query or a segment that could be a token.
_PUBLIC_URL: Final = re.compile(r"https?://[^\s@?#/]+(?:/(?![^\s@?#/]{20})[^\s@?#/]*)*")
_JSON_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_MOST_NESTED: Final = 8


def json_members(secret: str) -> list[str]:
    """The secret members of a JSON document, those of documents inside it too; empty where there are none."""
    document = _parsed(secret)
    if document is None:
        return []
    members = set(_walk(document, inherited=False, depth=0))
    # As the document writes them, which may be in another way than any encoder does.
    spelled = (token[1:-1] for token in _JSON_STRING.findall(secret) if _parsed_string(token) in members)
    return sorted(members.union(spelled))


def _walk(value: object, *, inherited: bool, depth: int) -> Iterator[str]:
    if depth > _MOST_NESTED:
        return
    if isinstance(value, _Members):
        for name, member in value.pairs:
            secret = bool(_SECRET_NAME.search(name) or inherited) and not _PUBLIC_NAME.search(name)
            yield from _walk(member, inherited=secret, depth=depth + 1)
    elif isinstance(value, list):
        for member in value:
            yield from _walk(member, inherited=inherited, depth=depth + 1)
    elif isinstance(value, str):
        document = _parsed(value)
        if document is not None:
            yield from _walk(document, inherited=inherited, depth=depth + 1)
        if inherited and len(value) >= _MIN_MEMBER and not _is_public(value):
            yield value


def _is_public(value: str) -> bool:
    return bool(_EMAIL.fullmatch(value) or _PUBLIC_URL.fullmatch(value))


class _Members:
    """An object of JSON with all its members, those of one name too."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        self.pairs = pairs


def _parsed(text: str) -> object | None:
    """The document, its numbers as they are written; None where it is none."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        document: object = json.loads(
            text, object_pairs_hook=_Members, parse_int=str, parse_float=str, parse_constant=str
        )
    except (ValueError, RecursionError):
        return None
    return document


def _parsed_string(token: str) -> object:
    try:
        value: object = json.loads(token, strict=False)
    except ValueError:
        return None
    return value
