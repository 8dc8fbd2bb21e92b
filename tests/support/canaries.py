"""Secrets made up for one test, in every shape that registries hand out; they stand nowhere else."""

from __future__ import annotations

import json
import random
import re
import secrets
import string
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_BASE64 = string.ascii_letters + string.digits + "+/"
_UNICODE = "äöüßéñçдёжעبक漢字\u2028🔑"

_READ_BY_TOOLS = r"\\(?=[abcefnrtv0-7\\])|'(?=')|\"(?=\")"


class Canary(NamedTuple):
    """A login.

    Attributes:
        username: its user.
        password: as it is declared.
        parts: what of the password must not be found.
    """

    username: str
    password: str
    parts: tuple[str, ...]


def _from(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def _all_signs() -> str:
    signs = list(map(chr, range(0x20, 0x7F)))
    random.SystemRandom().shuffle(signs)
    return "".join(signs)


def _whole(username: str, password: str) -> Canary:
    return Canary(username, password, (password,))


def _json_key() -> Canary:
    lines = [_from(_BASE64, 64) for _ in range(25)]
    pem = "\n".join(("-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----", ""))
    identifier = secrets.token_hex(20)
    key = {"type": "service_account", "private_key_id": identifier, "private_key": pem, "client_email": "ci@example"}
    return Canary("_json_key", json.dumps(key, indent=2), (pem, identifier))


def random_text(kind: str, length: int) -> Canary:
    """A secret of one kind of characters, in which no tool finds anything to read but these characters.

    Two quotation marks look like an empty word of a shell, and of `\\r` the `echo` of dash makes an end of line: what
    is left between such places may be shorter than a part that is hidden.
    """
    alphabets = {
        "letters": string.ascii_letters + string.digits,
        "base64": _BASE64,
        "printable": "".join(map(chr, range(0x20, 0x7F))),
    }
    middle = _wide(length - 2) if kind == "wide" else _from(alphabets[kind], length - 2)
    return _whole("octocat", "x" + re.sub(_READ_BY_TOOLS, "~", middle) + "y")


def _wide(length: int) -> str:
    """Every fourth character is not ASCII: what is left of it by a tool that shows no others is no leak by itself."""
    return "".join(_from(string.ascii_letters if at % 4 else _UNICODE, 1) for at in range(length))


def service_account() -> Canary:
    """The key of a service account of Google's, with all its members."""
    key = json.loads(_json_key().password)
    public = {
        "project_id": "a-project-of-ours",
        "token_uri": "https://oauth2.googleapis.com/token",
        "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
    }
    parts = (key["private_key"], key["private_key_id"])
    return Canary("_json_key", json.dumps(key | public, indent=2), parts)


def _pem() -> Canary:
    lines = [_from(_BASE64, 64) for _ in range(4)]
    return _whole("robot$ci", "\n".join(("-----BEGIN EC PRIVATE KEY-----", *lines, "-----END EC PRIVATE KEY-----")))


SHAPES: Mapping[str, Callable[[], Canary]] = {
    "like GitHub's": lambda: _whole("octocat", f"ghp_{_from(string.ascii_letters + string.digits, 36)}"),
    "base64 alphabet": lambda: _whole("AWS", f"{_from(_BASE64, 20)}+/{_from(_BASE64, 20)}=="),
    "every printable sign": lambda: _whole("robot$ci", _all_signs()),
    "beyond ASCII": lambda: _whole("jürgen", _from(_UNICODE, 12) + _from(string.ascii_letters, 12)),
    "key of several lines": _pem,
    "JSON key": _json_key,
    "5 signs": lambda: _whole("short", _from(string.ascii_letters, 5)),
    "48 KiB": lambda: _whole("large", _from(_BASE64, 48 * 1024)),
}
