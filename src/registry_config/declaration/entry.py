"""One entry of `registries:` as it is written: its keys, their texts, and where each stands."""

from __future__ import annotations

import yaml

from registry_config.declaration.yaml_text import line_of, quote_it
from registry_config.errors import InputError, did_you_mean
from registry_config.light_typing import Final

SOURCE_KEYS: Final = ("password", "password-env", "password-file", "provider", "credential-helper")
KEYS: Final = ("registry", "username", *SOURCE_KEYS, "for", "optional", "realm", "ca-file", "plain-http")
# A shorter beginning stands for too much.
_MIN_BEGUN: Final = 4
_NULLS: Final = ("", "~", "null", "Null", "NULL")


class Entry:
    """A mapping whose keys are known ones, each at most once.

    Attributes:
        index: in the list, from 0.
        nodes: value of each key that is written.
    """

    def __init__(self, index: int, node: yaml.Node) -> None:
        """Look at the keys of a node.

        Raises:
            InputError: no mapping, an unknown key, or a key that is there twice.
        """
        self.index = index
        self.nodes: dict[str, yaml.Node] = {}
        self._line = line_of(node)
        if not isinstance(node, yaml.MappingNode):
            raise InputError(self.place(), "must be a mapping", "write 'registry: HOST' and so on")
        for key_node, value in node.value:
            place = place_of(index, line_of(key_node))
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else ""
            if key not in KEYS and key not in _provider_settings():
                raise _unknown_key(place, key, _settings_of(node))
            if key in self.nodes:
                raise InputError(place, f"key '{key}' appears twice", "keep one of them")
            self.nodes[key] = value

    def __contains__(self, key: str) -> bool:
        return key in self.nodes

    @property
    def lines(self) -> tuple[tuple[str, int], ...]:
        """On which line the value of each key begins; the entry itself is the key ''."""
        return (("", self._line), *((key, line_of(node)) for key, node in self.nodes.items()))

    @property
    def provider_settings(self) -> tuple[str, ...]:
        """Its keys that belong to a provider, as written."""
        return tuple(key for key in self.nodes if key not in KEYS)

    def place(self, key: str = "") -> str:
        """The entry, or one of its keys, as messages name it."""
        return place_of(self.index, line_of(self.nodes[key]) if key in self.nodes else self._line, key)

    def text(self, key: str) -> str:
        """The text of a key; empty where it says 'nothing'.

        Raises:
            InputError: it is no text.
        """
        return text_of(self.place(key), self.nodes[key], quote_it() if key == "password" else "write one value")

    def name(self, key: str) -> str:
        """The text of a key that names something and is no password; empty where the key is not there.

        Raises:
            InputError: it is no text, or an empty one.
        """
        if key not in self.nodes:
            return ""
        text = self.text(key)
        if not text.strip():
            raise InputError(self.place(key), "is empty", "write its value, or leave the key out")
        return text

    def flag(self, key: str) -> bool:
        """The value of a key that is `true` or `false`; false where it is not there.

        Raises:
            InputError: it is neither.
        """
        text = self.text(key) if key in self.nodes else "false"
        if text not in {"true", "false"}:
            raise InputError(self.place(key), "must be true or false", "write true, or leave the key out")
        return text == "true"


def place_of(index: int, line: int, key: str = "") -> str:
    """An entry, or one of its keys, as messages name it; entries count from 0, lines from 1."""
    return f"registries[{index}]{'.' if key else ''}{key} (line {line})"


def text_of(place: str, node: yaml.Node, remedy: str = "write one value") -> str:
    """The text of a node; empty where it says 'nothing'.

    Args:
        place: where it stands.
        node: the value of a key.
        remedy: what to do where it is no text.

    Raises:
        InputError: it is no text.
    """
    if not isinstance(node, yaml.ScalarNode):
        raise InputError(place, "must be text", remedy)
    return "" if is_null(node) else str(node.value)


def is_null(node: yaml.ScalarNode) -> bool:
    """Whether a plain scalar says 'nothing': `${{ toJSON(secrets.NAME) }}` of a missing secret is `null`."""
    return not node.style and node.value in _NULLS


def _provider_settings() -> tuple[str, ...]:
    from registry_config.declaration.providers import SETTINGS  # noqa: PLC0415  (a list of passwords has none of them)

    return SETTINGS


def _settings_of(entry: yaml.MappingNode) -> tuple[str, ...]:
    """The settings of the provider that an entry names; none where it names none that is known."""
    from registry_config.declaration.providers import PROVIDERS  # noqa: PLC0415  (for what is refused)

    written = {key.value: value.value for key, value in entry.value if isinstance(key, yaml.ScalarNode)}
    name = written.get("provider")
    provider = PROVIDERS.get(name) if isinstance(name, str) else None
    return tuple(key for key in (*provider.required, *provider.optional) if key not in KEYS) if provider else ()


def _unknown_key(place: str, key: str, settings: tuple[str, ...]) -> InputError:
    known = (*KEYS, *settings)
    right = did_you_mean(key, known) or did_you_mean(key, _provider_settings()) or _begun(key, known)
    if right:
        return InputError(place, f"unknown key '{key}'", f"did you mean '{right}'?")
    return InputError(place, "unknown key", f"known keys are {', '.join(known)}")


def _begun(key: str, known: tuple[str, ...]) -> str | None:
    """The known key that begins like this, as `username` does like `user`: so it is no secret and may be shown."""
    return next((name for name in known if len(key) >= _MIN_BEGUN and name.startswith(key)), None)
