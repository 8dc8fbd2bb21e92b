"""The `registries:` text, turned into checked declarations; no credential is read here."""

from __future__ import annotations

import yaml

from registry_config.declaration.entry import Entry, is_null, place_of, text_of
from registry_config.declaration.sources import Source, check_username, read_source, source_warnings
from registry_config.declaration.yaml_text import compose, line_of
from registry_config.errors import InputError
from registry_config.light_typing import TYPE_CHECKING, Final, Literal, NamedTuple
from registry_config.reference import checked_host, registry_and_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from registry_config.declaration.providers import ProviderSettings

Purpose = Literal["image", "command"]
# A device or a pipe may go on for ever.
MAX_BYTES: Final = 16 * 1024 * 1024


class Declaration(NamedTuple):
    """One registry of one checked entry of `registries:`.

    Attributes:
        position: of the entry, from 0.
        line: of the entry, from 1.
        host: canonical.
        username: None where none is written.
        source: where the password comes from.
        purposes: what it is for.
        path: narrows it to a part of the registry; empty for all of it.
        item: position in the list of hosts where `registry` is one.
        optional: whether the entry is left out where its secret is empty.
        realm: another host that may be given the password, as the registry's token server.
        ca_file: path of the certificate of a private authority; empty for the system's.
        plain_http: whether the registry speaks plain HTTP.
        provider: identity provider in the place of a password.
        lines: on which line each key stands.
        warnings: what the user should know before the run.
    """

    position: int
    line: int
    host: str
    username: str | None
    source: Source
    purposes: frozenset[Purpose]
    path: str = ""
    item: int | None = None
    optional: bool = False
    realm: str = ""
    ca_file: str = ""
    plain_http: bool = False
    provider: ProviderSettings | None = None
    lines: tuple[tuple[str, int], ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def registry(self) -> str:
        """Host and path, as messages name it."""
        return f"{self.host}/{self.path}" if self.path else self.host

    def place(self, key: str = "") -> str:
        """The entry, or one of its keys, as messages name it."""
        if not key and self.item is not None:
            key = f"registry[{self.item}]"
        return place_of(self.position, dict(self.lines).get(key, self.line), key)


class _Host(NamedTuple):
    host: str
    path: str
    item: int | None
    lines: tuple[tuple[str, int], ...]


def parse_registries(text: str) -> tuple[Declaration, ...]:
    """Read the YAML list of registries.

    Raises:
        InputError: with the entry, the key and the line, never with what was typed.
    """
    text = text.removeprefix("\ufeff")
    root = compose(text)
    if root is None or (isinstance(root, yaml.ScalarNode) and is_null(root)):
        raise InputError("registries", "is empty", "write [] to run without any registry")
    if not isinstance(root, yaml.SequenceNode):
        remedy = "begin each entry with '- registry:'"
        if isinstance(root, yaml.MappingNode) and [key.value for key, _ in root.value] == ["registries"]:
            remedy = "leave the key 'registries' out: the list is all there is"
        raise InputError(f"registries (line {line_of(root)})", "must be a list", remedy)
    declarations = tuple(
        declaration for index, node in enumerate(root.value) for declaration in _declarations(Entry(index, node), text)
    )
    _refuse_duplicates(declarations)
    return declarations


def decode(data: bytes, place: str) -> str:
    """The text of a file of registries.

    Args:
        data: of the file; one byte more than the limit tells that it is too large.
        place: where it was named.

    Raises:
        InputError: the file is too large, or not UTF-8.
    """
    if len(data) > MAX_BYTES:
        raise InputError(place, "is larger than 16 MiB, so not a list of registries", "check the path")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(place, "is UTF-16", "save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(place, f"is not UTF-8 (byte {error.start})", "save it as UTF-8") from None


def refuse_in_file(declarations: Iterable[Declaration]) -> None:
    """Refuse what must not stand in a registries-file, since whoever can change the file decides where secrets go.

    Raises:
        InputError: a key that reads another file or a program, or decides where an identity goes.
    """
    for declaration in declarations:
        key = _refused_in_file(declaration)
        if key:
            remedy = "use password-env" if key == "password-file" else "write this entry in registries"
            raise InputError(declaration.place(key), "is not allowed in a registries-file", remedy)


def _refused_in_file(declaration: Declaration) -> str:
    if declaration.source.kind in {"password-file", "credential-helper"}:
        return declaration.source.kind
    if declaration.realm:
        return "realm"
    if declaration.provider:
        from registry_config.declaration.providers import refused_key  # noqa: PLC0415  (for entries with a provider)

        return refused_key(declaration.provider, declaration.host)
    return ""


def _declarations(entry: Entry, text: str) -> Iterator[Declaration]:
    """One for each host of an entry."""
    hosts = tuple(_hosts(entry))
    username = _username(entry)
    for host in hosts:
        source, provider = read_source(entry, host.host, text)
        yield Declaration(
            position=entry.index,
            line=dict(entry.lines)[""],
            host=host.host,
            username=username,
            source=source,
            purposes=_purposes(entry),
            path=host.path,
            item=host.item,
            optional=entry.flag("optional"),
            realm=_realm(entry),
            ca_file=_ca_file(entry),
            plain_http=entry.flag("plain-http"),
            provider=provider,
            lines=(*entry.lines, *host.lines),
            warnings=tuple(source_warnings(entry, source)),
        )


def _hosts(entry: Entry) -> Iterator[_Host]:
    node = entry.nodes.get("registry")
    if node is None:
        raise InputError(entry.place(), "'registry' is missing", "add 'registry: HOST'")
    if not isinstance(node, yaml.SequenceNode):
        yield _Host(*_host(entry.place("registry"), node), None, ())
        return
    if not node.value:
        raise InputError(entry.place("registry"), "is an empty list", "write the registry's host")
    for item, one in enumerate(node.value):
        key = f"registry[{item}]"
        line = line_of(one)
        yield _Host(*_host(place_of(entry.index, line, key), one), item, ((key, line),))


def _host(place: str, node: yaml.Node) -> tuple[str, str]:
    if not isinstance(node, yaml.ScalarNode):
        raise InputError(place, "must be a host", "write a registry's host, or a list of hosts")
    text = text_of(place, node)
    if not text.strip():
        raise InputError(place, "is empty", "write the registry's host, for Docker Hub docker.io")
    try:
        return registry_and_path(text)
    except ValueError as error:
        raise InputError(place, str(error), "write HOST, HOST:PORT or HOST/PATH") from None


def _username(entry: Entry) -> str | None:
    if "username" not in entry:
        return None
    text = entry.text("username")
    try:
        check_username(text)
    except ValueError as error:
        raise InputError(entry.place("username"), str(error), "write the name of the user") from None
    return text


def _realm(entry: Entry) -> str:
    text = entry.name("realm")
    try:
        return checked_host(text.strip()) if text else ""
    except ValueError as error:
        raise InputError(entry.place("realm"), str(error), "write HOST or HOST:PORT") from None


def _ca_file(entry: Entry) -> str:
    path = entry.name("ca-file")
    if path and entry.flag("plain-http"):
        raise InputError(entry.place("ca-file"), "cannot be combined with 'plain-http'", "leave one of them out")
    return path


def _purposes(entry: Entry) -> frozenset[Purpose]:
    if "for" not in entry:
        return frozenset(("image", "command"))
    match entry.text("for"):
        case "image":
            return frozenset(("image",))
        case "command":
            return frozenset(("command",))
    raise InputError(entry.place("for"), "must be 'image' or 'command'", "leave it out for both")


def _refuse_duplicates(declarations: tuple[Declaration, ...]) -> None:
    seen: dict[tuple[str, str, Purpose], Declaration] = {}
    for declaration in declarations:
        for purpose in declaration.purposes:
            first = seen.setdefault((declaration.host, declaration.path, purpose), declaration)
            if first is not declaration:
                raise InputError(declaration.place(), f"the same registry as {first.place()}", "keep one of them")
