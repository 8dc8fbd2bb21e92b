"""Every byte string that must not be seen because of a secret: masks, redaction and the scan of files all use these."""

from __future__ import annotations

import binascii
import json

from registry_config.credentials.character_tables import all_ways, in_url
from registry_config.credentials.secret_parts import secret_parts
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from registry_config.credentials.reading import Credential

# A shorter secret cannot be hidden without hiding half of the log.
MIN_SECRET: Final = 6
# A shorter cut of base64 stands in innocent text.
_MIN_CUT: Final = 7
# Text this long is written in each way, but not in two ways at once.
_LONG: Final = 4096


def encodings(username: str, secret: str, *, single: bool = False) -> frozenset[bytes]:
    """Every byte string that must not be seen because of this secret.

    Args:
        username: its user; may be empty.
        secret: the secret.
        single: those that a line of a log is searched for as a whole, as GitHub does it: each line of a key, and no
            ways to write a character that stand inside another, such as JSON in JSON.
    """
    found: set[bytes] = set()
    for user, text in _spellings(username, secret):
        if user:
            found |= _pair_encodings(f"{user}:{text}".encode(), nested=not single)
        if not is_short(secret):
            found |= _secret_encodings(text, single=single)
    if not secret.isascii():
        found |= _legacy_encodings(username, secret)
    return frozenset(found)


def all_encodings(
    credentials: Iterable[Credential], others: Iterable[str] = (), *, single: bool = False
) -> frozenset[bytes]:
    """The encodings of all credentials and of further secrets that have no user."""
    found: set[bytes] = set()
    for credential in credentials:
        found |= encodings(credential.username, credential.secret, single=single)
    for secret in others:
        found |= encodings("", secret, single=single)
    return frozenset(found)


def is_short(secret: str) -> bool:
    """Whether a secret can be hidden in its base64 form only."""
    return len(secret.encode()) < MIN_SECRET


def _spellings(username: str, secret: str) -> set[tuple[str, str]]:
    """As it is, and with its accents composed and decomposed, as some systems write it."""
    if username.isascii() and secret.isascii():
        return {(username, secret)}
    from unicodedata import normalize  # noqa: PLC0415  (a table of its own; most secrets are ASCII)

    composed = (normalize("NFC", username), normalize("NFC", secret))
    return {(username, secret), composed, (normalize("NFD", username), normalize("NFD", secret))}


def _pair_encodings(pair: bytes, *, nested: bool) -> set[bytes]:
    """What a `config.json` and HTTP Basic hold, and the same once more, as in a Kubernetes secret."""
    found = set(_base64_cuts(pair))
    for text in _both_alphabets(_base64(pair).rstrip(b"=")):
        found |= {way.encode() for way in all_ways(text.decode("ascii"), nested=nested and len(text) < _LONG)}
        found |= set(_base64_cuts(text))
    return found


def _secret_encodings(secret: str, *, single: bool) -> set[bytes]:
    found: set[bytes] = set()
    parts = set(secret_parts(secret, lines=single))
    for part in parts:
        found |= {way.encode() for way in all_ways(part, nested=not single and len(part) < _LONG)}
        # What documents and URLs in a secret of Kubernetes hold.
        for written in {part, json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1], in_url(part)}:
            found.update(_base64_cuts(written.encode()))
    if secret not in parts:
        # In base64 nobody can tell its public parts.
        found.update(_base64_cuts(secret.encode()))
    return found


def _legacy_encodings(username: str, secret: str) -> set[bytes]:
    """In Latin-1, which HTTP Basic was until RFC 7617."""
    try:
        pair, raw = f"{username}:{secret}".encode("latin-1"), secret.encode("latin-1")
    except UnicodeEncodeError:
        return set()
    found = {*_base64_cuts(pair), *_both_alphabets(_base64(pair).rstrip(b"="))} if username else set()
    if not is_short(secret) and len(raw) >= MIN_SECRET:
        found |= {raw, *_base64_cuts(raw)}
    return found


def _base64_cuts(data: bytes) -> Iterator[bytes]:
    """The characters of base64 that stay the same whatever precedes and follows, at each alignment.

    And with the one that ends it where nothing follows.
    """
    for ahead, first in enumerate((0, 2, 3)):
        text = _base64(bytes(ahead) + data)[first:].rstrip(b"=")
        for cut in {text, text[: (ahead + len(data)) * 8 // 6 - first]}:
            if len(cut) >= _MIN_CUT:
                yield from _both_alphabets(cut)


def _base64(data: bytes) -> bytes:
    return binascii.b2a_base64(data, newline=False)


def _both_alphabets(text: bytes) -> tuple[bytes, bytes]:
    """Standard and URL-safe alphabet (RFC 4648 sections 4 and 5)."""
    return text, text.translate(bytes.maketrans(b"+/", b"-_"))
