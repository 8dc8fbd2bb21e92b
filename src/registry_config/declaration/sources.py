"""Where the password of an entry comes from: exactly one of the keys for it, checked; nothing is read here."""

from __future__ import annotations

import json
import re

import yaml

from registry_config.audience import either
from registry_config.declaration.entry import SOURCE_KEYS, Entry
from registry_config.declaration.yaml_text import quote_it
from registry_config.errors import InputError
from registry_config.light_typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from registry_config.declaration.providers import ProviderSettings

SourceKind = Literal["password", "password-env", "password-file", "github-token", "provider", "credential-helper"]

# Those that nothing is read for, as somebody is to be asked.
KEYLESS_KINDS: Final[tuple[SourceKind, ...]] = ("provider", "credential-helper")
GITHUB_REGISTRY: Final = "ghcr.io"
# Beside a credential helper nothing else has a meaning.
_HELPER_KEYS: Final = ("registry", "credential-helper", "for", "optional")
_HELPER_PREFIX: Final = "docker-credential-"
_HELPER_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._-]*"
# Nobody's password; the other two may be.
_PLACEHOLDER: Final = r"\$\{[A-Za-z_][A-Za-z0-9_]*\}"
_VARIABLE: Final = r"\$[A-Z_][A-Z0-9_]*|\$\{\{.*\}\}"
_COMMENT: Final = r"[ \t]+#"


class Source(NamedTuple):
    """Where a password comes from.

    Attributes:
        kind: the key it is written with; `github-token` for an entry that has none.
        value: the password itself, a variable's name, a file's path, the name of a provider or of a helper.
        is_cut: whether YAML took the end of the line for a comment.
    """

    kind: SourceKind
    value: str = ""
    is_cut: bool = False

    def __repr__(self) -> str:
        return f"Source({self.kind!r}, …)"


def check_username(username: str) -> None:
    """Refuse a user name that some tool could not use.

    Raises:
        ValueError: empty, with a colon (RFC 7617 forbids it) or a control character in it, or a variable's name.
    """
    if not username:
        raise ValueError("is empty")
    if ":" in username:
        raise ValueError("must not contain ':' (user and password are joined by it)")
    if not username.isprintable():
        raise ValueError("must not contain a control character")
    if re.fullmatch(_PLACEHOLDER, username):
        raise ValueError("is taken as it is written, '$' included: no variable is replaced here")


def read_source(entry: Entry, host: str, text: str) -> tuple[Source, ProviderSettings | None]:
    """Where the password of an entry comes from, for one of its hosts.

    Args:
        entry: the entry.
        host: canonical.
        text: the whole list, of which a JSON document is cut out.

    Raises:
        InputError: none, several, or one that cannot be right.
    """
    given = [kind for kind in SOURCE_KEYS if kind in entry]
    # The job's token in place of a forgotten provider would be another identity than the one that was meant.
    if entry.provider_settings and "provider" not in given and "credential-helper" not in given:
        key = entry.provider_settings[0]
        raise InputError(entry.place(key), "needs 'provider'", "remove it, or name the provider it belongs to")
    if not given and "username" not in entry:
        if host == GITHUB_REGISTRY:
            return Source("github-token"), None
        problem = "'username' and a password are missing"
        remedy = either(
            "add them: only ghcr.io goes without, with the job's own token",
            "add them: only ghcr.io goes without, with --github-token-env",
        )
        raise InputError(entry.place(), problem, remedy)
    if len(given) != 1:
        problem = " and ".join(f"'{kind}'" for kind in given) or "no password"
        raise InputError(entry.place(), problem, "give exactly one of " + ", ".join(SOURCE_KEYS))
    if given[0] == "credential-helper":
        return _helper(entry), None
    if given[0] == "provider":
        return _provider(entry, host)
    if "username" not in entry:
        raise InputError(entry.place(), "'username' is missing", "add it: the password alone is no login")
    return _password(entry, given[0], text), None


def _helper(entry: Entry) -> Source:
    other = next((key for key in entry.nodes if key not in _HELPER_KEYS), "")
    if other:
        problem = "cannot be combined with 'credential-helper'"
        raise InputError(entry.place(other), problem, "the helper gives user and password")
    name = entry.name("credential-helper")
    if name.startswith(_HELPER_PREFIX):
        problem = "is the name of the program, not of the helper"
        remedy = f"write what follows {_HELPER_PREFIX}, such as ecr-login"
        raise InputError(entry.place("credential-helper"), problem, remedy)
    if not re.fullmatch(_HELPER_NAME, name):
        problem = "is not the name of a helper"
        raise InputError(entry.place("credential-helper"), problem, "write NAME of docker-credential-NAME, no path")
    return Source("credential-helper", name)


def _provider(entry: Entry, host: str) -> tuple[Source, ProviderSettings | None]:
    from registry_config.declaration.providers import read_provider  # noqa: PLC0415  (for entries with a provider)

    if "plain-http" in entry:
        problem = "cannot be combined with 'provider'"
        raise InputError(entry.place("plain-http"), problem, "a token goes over https only: remove it")
    given = {key: entry.text(key) for key in entry.provider_settings}
    name = entry.name("provider")
    settings = read_provider(name, given, has_user="username" in entry, place=entry.place)
    if name != "github":
        return Source("provider", name), settings
    if host != GITHUB_REGISTRY:
        problem = f"'github' is for {GITHUB_REGISTRY} only"
        raise InputError(entry.place("provider"), problem, "the job's token must not go to another registry")
    return Source("github-token"), None


def _password(entry: Entry, key: str, text: str) -> Source:
    node = entry.nodes[key]
    place = entry.place(key)
    if key == "password" and isinstance(node, yaml.MappingNode):
        return Source("password", _json_key(place, node, text))
    value = entry.text(key)
    if key == "password" and re.fullmatch(_PLACEHOLDER, value):
        problem = "is taken as it is written, '$' included: no variable is replaced here"
        raise InputError(place, problem, "name the variable with password-env")
    if key == "password-env" and not value.strip():
        raise InputError(place, "is empty", "write the name of a variable, not the password itself")
    if key == "password-file" and not value:
        raise InputError(place, "is empty", "write the path of a file, not the password itself")
    kinds: dict[str, SourceKind] = {kind: kind for kind in ("password", "password-env", "password-file")}
    return Source(kinds[key], value, is_cut=key == "password" and _is_cut(node, text))


def _json_key(place: str, node: yaml.MappingNode, text: str) -> str:
    """A JSON document (a cloud's key) pasted as the value, in one line; YAML took it for a mapping."""
    written = text[node.start_mark.index : node.end_mark.index]
    try:
        return json.dumps(json.loads(written), ensure_ascii=False, separators=(",", ":"))
    except ValueError:
        raise InputError(place, "is a mapping, not text", quote_it()) from None


def source_warnings(entry: Entry, source: Source) -> Iterator[str]:
    """What the user should know of a password that YAML may have read in another way than was meant."""
    place = entry.place("password")
    if source.is_cut:
        yield f"{place}: what follows '#' is a comment, not part of the password; quote the password if it is"
    if source.kind == "password" and re.fullmatch(_VARIABLE, source.value):
        yield f"{place}: is taken as it is written, '$' included; for a variable's value use password-env"


def _is_cut(node: yaml.Node, text: str) -> bool:
    """Whether YAML ended an unquoted value at a '#'."""
    return (
        isinstance(node, yaml.ScalarNode) and not node.style and bool(re.match(_COMMENT, text[node.end_mark.index :]))
    )
