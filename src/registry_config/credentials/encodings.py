"""Every form in which a secret may turn up, in one table: masks, redaction and the tests' search all read it.

GitHub's masker knows part of these (its encoders: `ValueEncoders.cs` of actions/runner); a tool's debug log, a JSON
error body or a URL holds the others.
"""

from __future__ import annotations

import binascii
import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from registry_config.credentials.reading import Credential

# RFC 3986 section 2.3.
_UNRESERVED: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
# A shorter secret cannot be hidden without hiding half of the log.
MIN_SECRET: Final = 6
# A shorter line of a key, or cut of its base64, is no secret by itself and would be found in innocent text.
MIN_PIECE: Final = 8
# Not str.splitlines: what it takes for further ends of lines may stand inside of a secret line.
_LINE_END: Final = re.compile(r"[\r\n]+")
_PEM_MARKER: Final = re.compile(r"-----(?:BEGIN|END) [A-Z0-9 ]+-----")
# Members of a JSON key that are secret; its other members (type, project, e-mail) are not.
_SECRET_MEMBER: Final = re.compile(r"private_key|secret|token|password|passwd|credential", re.IGNORECASE)


def _go_json(text: str) -> str:
    escaped = json.dumps(text, ensure_ascii=False)[1:-1]
    for sign in "<>&\u2028\u2029":
        escaped = escaped.replace(sign, f"\\u{ord(sign):04x}")
    return escaped


def _python_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _plain_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _slash_json(text: str) -> str:
    return _plain_json(text).replace("/", "\\/")


def _dotnet_json(text: str) -> str:
    escaped = json.dumps(text)[1:-1].replace('\\"', "\\u0022")
    return escaped.translate({ord(sign): f"\\u{ord(sign):04X}" for sign in "<>&'+`"})


def _percent(safe: str, escape: str = "%{:02X}") -> Callable[[str], str]:
    """Percent-encoding that keeps the unreserved signs of RFC 3986 section 2.3, and those of `safe`."""
    kept = frozenset(_UNRESERVED + safe.encode())
    table = [chr(byte) if byte in kept else escape.format(byte) for byte in range(256)]
    return lambda text: "".join(map(table.__getitem__, text.encode()))


def _form_encoded(text: str) -> str:
    return _percent(" ")(text).replace(" ", "+")


def _entities(apostrophe: str, quotation: str) -> Callable[[str], str]:
    table = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "'": apostrophe, '"': quotation})
    return lambda text: text.translate(table)


# Name, encoder, source of the rule.
TEXT_FORMS: Final[tuple[tuple[str, Callable[[str], str], str], ...]] = (
    ("raw", str, "the secret itself"),
    ("JSON", _plain_json, "RFC 8259 section 7"),
    ("JSON, ASCII only", _python_json, "Python json.dumps"),
    ("JSON, HTML-safe", _go_json, "Go encoding/json, Marshal"),
    ("JSON, escaped slash", _slash_json, "PHP json_encode, JSON_UNESCAPED_UNICODE"),
    ("JSON, ASCII only, escaped slash", lambda text: _python_json(text).replace("/", "\\/"), "PHP json_encode"),
    ("JSON, all but letters", _dotnet_json, ".NET System.Text.Json, its default encoder"),
    ("percent, all", _percent(""), "RFC 3986 section 2.1; JavaScript-like encoders keep fewer"),
    ("percent, lower case", _percent("", "%{:02x}"), "RFC 3986 section 2.1 allows either case"),
    ("percent, path", _percent("/"), "Python urllib.parse.quote"),
    ("percent, user info", _percent("$&+,;="), "Go net/url, UserPassword"),
    ("percent, path segment", _percent("$&+=:@"), "Go net/url, PathEscape"),
    ("percent, component", _percent("!'()*"), "ECMA-262 encodeURIComponent"),
    ("percent, form", _form_encoded, "WHATWG URL, application/x-www-form-urlencoded; Go QueryEscape"),
    ("Python repr", lambda text: repr(text)[1:-1], "Python %r"),
    ("XML", _entities("'", '"'), "XML 1.0 section 2.4"),
    ("HTML, decimal", _entities("&#39;", "&#34;"), "Go html.EscapeString"),
    ("HTML, named", _entities("&#x27;", "&quot;"), "Python html.escape"),
    ("shell quoted", lambda text: text.replace("'", "'\"'\"'"), "Python shlex.quote"),
    ("shell quoted, escaped", lambda text: text.replace("'", "'\\''"), "POSIX shells' own quoting"),
)


def forms(username: str, secret: str) -> frozenset[bytes]:
    """Every byte string that must not be seen because of this secret; `username` may be empty."""
    return frozenset(_forms(username, secret))


def all_forms(credentials: Iterable[Credential], others: Iterable[str] = ()) -> frozenset[bytes]:
    """The forms of all credentials and of further secrets that have no user."""
    found: set[bytes] = set()
    for credential in credentials:
        found |= forms(credential.username, credential.secret)
    for secret in others:
        found |= forms("", secret)
    return frozenset(found)


def is_short(secret: str) -> bool:
    """Whether a secret can be hidden in its base64 form only."""
    return len(secret.encode()) < MIN_SECRET


def _forms(username: str, secret: str) -> Iterator[bytes]:
    if username:
        pair = f"{username}:{secret}"
        auth = _base64(pair.encode()).rstrip(b"=")
        yield from _both_alphabets(auth)
        yield _percent("")(auth.decode("ascii")).encode()
        # Encoded once more, as in a Kubernetes secret that holds a config.json.
        yield from _base64_cuts(auth)
        yield from _base64_cuts(pair.encode())
    if is_short(secret):
        return
    for piece in _pieces(secret):
        for _, encode, _ in TEXT_FORMS:
            yield encode(piece).encode()
        yield from _base64_cuts(piece.encode())


def _pieces(secret: str) -> Iterator[str]:
    """The secret, and those parts of it that are secret by themselves."""
    yield secret
    members = list(_json_members(secret))
    lines = [line for text in members or [secret] if _LINE_END.search(text) for line in _LINE_END.split(text)]
    for piece in (*members, *(line.strip() for line in lines)):
        if len(piece) >= MIN_PIECE and not _PEM_MARKER.fullmatch(piece):
            yield piece


def _json_members(secret: str) -> Iterator[str]:
    """The secret members of a JSON key, so that its braces and its e-mail stay readable."""
    if not secret.lstrip().startswith("{"):
        return
    try:
        document = json.loads(secret)
    except (ValueError, RecursionError):
        return
    for name, value in document.items():
        if isinstance(value, str) and _SECRET_MEMBER.search(name):
            yield value


def _base64_cuts(data: bytes) -> Iterator[bytes]:
    """The base64 text that stays the same whatever precedes and follows: whole groups at each alignment."""
    for offset in range(3):
        whole = data[offset : offset + (len(data) - offset) // 3 * 3]
        cut = _base64(whole)
        if len(cut) >= MIN_PIECE:
            yield from _both_alphabets(cut)


def _base64(data: bytes) -> bytes:
    return binascii.b2a_base64(data, newline=False)


def _both_alphabets(text: bytes) -> tuple[bytes, bytes]:
    """Standard and URL-safe alphabet (RFC 4648 sections 4 and 5)."""
    return text, text.translate(bytes.maketrans(b"+/", b"-_"))
