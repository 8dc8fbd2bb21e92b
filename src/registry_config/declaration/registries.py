"""The `registries:` text, turned into checked declarations; no credential is read here.

PyYAML is used for its syntax only: everything is text, and its messages, which quote the offending line with the
token in it, are never shown.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import yaml

from registry_config.errors import InputError, did_you_mean
from registry_config.reference import registry_and_path

if TYPE_CHECKING:
    from collections.abc import Iterator

Purpose = Literal["image", "command"]
SourceKind = Literal["password", "password-env", "password-file", "github-token"]

GITHUB_REGISTRY: Final = "ghcr.io"
_SOURCES: Final[tuple[SourceKind, ...]] = ("password", "password-env", "password-file")
_KEYS: Final = ("registry", "username", *_SOURCES, "for")
_NULLS: Final = ("", "~", "null", "Null", "NULL")
# A Google key is two levels deep; a bomb of brackets is not.
_MAX_DEPTH: Final = 12
_QUOTE_IT: Final = "write the value as ${{ toJSON(secrets.NAME) }}, or use password-env"
# libyaml where the wheel has it, the same grammar in Python elsewhere.
_LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class Source(NamedTuple):
    """Where a password comes from: the text itself, a variable's name, a file's path, or the job's token."""

    kind: SourceKind
    value: str = ""

    def __repr__(self) -> str:
        return f"Source({self.kind!r}, …)"


class Declaration(NamedTuple):
    """One checked entry of `registries:`; a path narrows it to a part of the registry."""

    position: int
    line: int
    host: str
    username: str | None
    source: Source
    purposes: frozenset[Purpose]
    path: str = ""

    @property
    def registry(self) -> str:
        """Host and path, as messages name it."""
        return f"{self.host}/{self.path}" if self.path else self.host

    def place(self, key: str = "") -> str:
        """The entry, or one of its keys, as messages name it."""
        return _place(self.position, self.line, key)


def parse_registries(text: str) -> tuple[Declaration, ...]:
    """Read the YAML list of registries.

    Raises:
        InputError: with the entry, the key and the line, never with what was typed.
    """
    root = _compose(text.removeprefix("\ufeff"))
    if root is None or (isinstance(root, yaml.ScalarNode) and _is_null(root)):
        raise InputError("registries", "is empty", "write [] to run without any registry on purpose")
    if not isinstance(root, yaml.SequenceNode):
        raise InputError(f"registries (line {_line(root)})", "must be a list", "begin each entry with '- registry:'")
    declarations = tuple(_declaration(i, node, text) for i, node in enumerate(root.value))
    _refuse_duplicates(declarations)
    return declarations


def decode(data: bytes, place: str) -> str:
    """The text of a file of registries.

    Raises:
        InputError: when the file is not UTF-8.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(place, "is UTF-16", "save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(place, f"is not UTF-8 (byte {error.start})", "save it as UTF-8") from None


def _compose(text: str) -> yaml.Node | None:
    try:
        _refuse_extras(text)
        return yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        place = f"registries (line {mark.line + 1})" if mark else "registries"
        raise InputError(place, "not valid YAML", _QUOTE_IT) from None
    except UnicodeEncodeError:
        raise InputError("registries", "is not UTF-8", "save it as UTF-8") from None


def _refuse_extras(text: str) -> None:
    """Refuse what gives YAML text a meaning beyond the words seen: tags, anchors, aliases, deep nesting."""
    depth = 0
    documents = 0
    for event in yaml.parse(text, Loader=_LOADER):
        place = f"registries (line {event.start_mark.line + 1})" if event.start_mark else "registries"
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise InputError(place, "anchors and aliases ('&', '*') are not taken", _QUOTE_IT)
        if getattr(event, "tag", None):
            raise InputError(place, "tags ('!') are not taken", _QUOTE_IT)
        documents += isinstance(event, yaml.DocumentStartEvent)
        if documents > 1:
            raise InputError(place, "a second document ('---')", "write one list")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise InputError(place, "nested too deeply", "an entry is a flat mapping")


def _declaration(index: int, node: yaml.Node, text: str) -> Declaration:
    line = _line(node)
    if not isinstance(node, yaml.MappingNode):
        raise InputError(_place(index, line), "must be a mapping", "write 'registry: HOST' and so on")
    values = dict(_pairs(index, node))
    host, path = _host(index, line, values.get("registry"))
    return Declaration(
        position=index,
        line=line,
        host=host,
        username=_username(index, values.get("username")),
        source=_source(index, line, host, values, text),
        purposes=_purposes(index, values.get("for")),
        path=path,
    )


def _pairs(index: int, node: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node]]:
    seen = set()
    for key_node, value in node.value:
        place = _place(index, _line(key_node))
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else ""
        if key not in _KEYS:
            raise _unknown_key(place, key)
        if key in seen:
            raise InputError(place, f"key '{key}' stands twice")
        seen.add(key)
        yield key, value


def _unknown_key(place: str, key: str) -> InputError:
    right = did_you_mean(key, _KEYS)
    if right:
        return InputError(place, f"unknown key '{key}'", f"did you mean '{right}'?")
    return InputError(place, "unknown key", f"known are {', '.join(_KEYS)}")


def _host(index: int, line: int, node: yaml.Node | None) -> tuple[str, str]:
    if node is None:
        raise InputError(_place(index, line), "'registry' is missing", "add 'registry: HOST'")
    place = _place(index, _line(node), "registry")
    text = _text(place, node)
    if not text.strip():
        raise InputError(place, "is empty", "write the registry's host, for Docker Hub docker.io")
    try:
        return registry_and_path(text)
    except ValueError as error:
        raise InputError(place, str(error)) from None


def _username(index: int, node: yaml.Node | None) -> str | None:
    if node is None:
        return None
    place = _place(index, _line(node), "username")
    text = _text(place, node)
    try:
        check_username(text)
    except ValueError as error:
        raise InputError(place, str(error)) from None
    return text


def check_username(username: str) -> None:
    """Refuse a user name that some tool could not use.

    Raises:
        ValueError: empty, or with a colon (RFC 7617 forbids it) or a control character in it.
    """
    if not username:
        raise ValueError("is empty")
    if ":" in username:
        raise ValueError("must not contain ':' (user and password are joined by it)")
    if not username.isprintable():
        raise ValueError("must not contain a control character")


def _source(index: int, line: int, host: str, values: dict[str, yaml.Node], text: str) -> Source:
    given = [kind for kind in _SOURCES if kind in values]
    if not given and "username" not in values:
        if host == GITHUB_REGISTRY:
            return Source("github-token")
        problem = "'username' and a password are missing"
        raise InputError(_place(index, line), problem, f"only {GITHUB_REGISTRY} takes the job's own token")
    if len(given) != 1:
        problem = " and ".join(f"'{kind}'" for kind in given) or "no password"
        raise InputError(_place(index, line), problem, "give exactly one of " + ", ".join(_SOURCES))
    if "username" not in values:
        raise InputError(_place(index, line), "'username' is missing")
    kind = given[0]
    node = values[kind]
    place = _place(index, _line(node), kind)
    if kind == "password" and isinstance(node, yaml.MappingNode):
        return Source(kind, _json_key(place, node, text))
    value = _text(place, node)
    if kind != "password" and not value:
        raise InputError(place, "is empty", "write the name, not the password itself")
    return Source(kind, value)


def _json_key(place: str, node: yaml.MappingNode, text: str) -> str:
    """A JSON document (a cloud's key) pasted as the value, in one line; YAML took it for a mapping."""
    written = text.removeprefix("\ufeff")[node.start_mark.index : node.end_mark.index]
    try:
        return json.dumps(json.loads(written), ensure_ascii=False, separators=(",", ":"))
    except ValueError:
        raise InputError(place, "is a mapping and not a text", _QUOTE_IT) from None


def _purposes(index: int, node: yaml.Node | None) -> frozenset[Purpose]:
    if node is None:
        return frozenset(("image", "command"))
    place = _place(index, _line(node), "for")
    match _text(place, node):
        case "image":
            return frozenset(("image",))
        case "command":
            return frozenset(("command",))
    raise InputError(place, "must be 'image' or 'command'", "leave it out for both")


def _refuse_duplicates(declarations: tuple[Declaration, ...]) -> None:
    seen: dict[tuple[str, str, Purpose], Declaration] = {}
    for declaration in declarations:
        for purpose in declaration.purposes:
            first = seen.setdefault((declaration.host, declaration.path, purpose), declaration)
            if first is not declaration:
                problem = f"the same registry as registries[{first.position}] (line {first.line})"
                raise InputError(declaration.place(), problem, "keep one of them")


def _text(place: str, node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise InputError(place, "must be a text", _QUOTE_IT)
    return "" if _is_null(node) else str(node.value)


def _is_null(node: yaml.ScalarNode) -> bool:
    """Whether a plain scalar says 'nothing': `${{ toJSON(secrets.NAME) }}` of a missing secret is `null`."""
    return not node.style and node.value in _NULLS


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _place(index: int, line: int, key: str = "") -> str:
    return f"registries[{index}]{'.' if key else ''}{key} (line {line})"
