"""How encoders write a character, one row for each way; what several of them make of a text, one inside the other.

GitHub's masker knows part of these (its encoders: `ValueEncoders.cs` of actions/runner); a tool's debug log, a JSON
error body, a shell's trace or a URL holds the others.
"""

from __future__ import annotations

import functools
import json
import re

from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

# RFC 3986 section 2.3.
_UNRESERVED: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
# What every row leaves as it is.
_PLAIN: Final = r"[A-Za-z0-9]*"
_ANSI_C: Final = {
    "\a": "\\a",
    "\b": "\\b",
    "\x1b": "\\E",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}

_YAML: Final = {
    **_ANSI_C,
    "\x1b": "\\e",
    '"': '\\"',
    "\\": "\\\\",
    "\x85": "\\N",
    "\xa0": "\\_",
    "\u2028": "\\L",
    "\u2029": "\\P",
}


class Row(NamedTuple):
    """One way to write a character.

    Attributes:
        name: for messages and tests.
        write: what becomes of a character.
        source: who writes it so.
        outer: whether text of the other rows is often written so once more.
    """

    name: str
    write: Callable[[str], str]
    source: str
    outer: bool = False


def _plain_json(character: str) -> str:
    return json.dumps(character, ensure_ascii=False)[1:-1]


def _python_json(character: str) -> str:
    return json.dumps(character)[1:-1]


def _go_json(character: str) -> str:
    return f"\\u{ord(character):04x}" if character in "<>&\u2028\u2029" else _plain_json(character)


def _dotnet_json(character: str) -> str:
    if character in "<>&'+`\"":
        return f"\\u{ord(character):04X}"
    return re.sub(r"\\u(....)", lambda match: f"\\u{match[1].upper()}", _python_json(character))


def _percent(safe: str, escape: str = "%{:02X}", encoding: str = "utf-8") -> Callable[[str], str]:
    """Percent-encoding that keeps the unreserved characters of RFC 3986 section 2.3, and those of `safe`."""
    kept = frozenset(_UNRESERVED + safe)

    def write(character: str) -> str:
        if character in kept:
            return character
        return "".join(map(escape.format, character.encode(encoding, "ignore"))) or character

    return write


def _form(escape: str, *, tilde: bool = True) -> Callable[[str], str]:
    percent = _percent("*" if not tilde else "", escape)
    return lambda character: (
        "+" if character == " " else "%7E" if not tilde and character == "~" else percent(character)
    )


def _map(table: dict[str, str]) -> Callable[[str], str]:
    return lambda character: table.get(character, character)


def _entity(form: str, others: str | None = None) -> Callable[[str], str]:
    """Numeric entities for all but letters and digits, or for `others` and what is not ASCII."""

    def write(character: str) -> str:
        if character.isascii() and (character.isalnum() if others is None else character not in others):
            return character
        return form.format(ord(character))

    return write


_HTML: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_HTML_ALL: Final = {**_HTML, '"': "&quot;"}


def _named_entity(character: str) -> str:
    if character.isascii():
        return _HTML_ALL.get(character, character)
    from html.entities import codepoint2name  # noqa: PLC0415  (a large table; most secrets are ASCII)

    name = codepoint2name.get(ord(character))
    return f"&{name};" if name else character


def _backslash(characters: str) -> Callable[[str], str]:
    return lambda character: f"\\{character}" if character in characters else character


def _quotemeta(character: str) -> str:
    return f"\\{character}" if character.isascii() and not character.isalnum() and character != "_" else character


def _ansi_c(*, ascii_only: bool) -> Callable[[str], str]:
    def write(character: str) -> str:
        if character in _ANSI_C or character in "'\\":
            return _ANSI_C.get(character, f"\\{character}")
        if character.isprintable() and (character.isascii() or not ascii_only):
            return character
        return "".join(f"\\{byte:03o}" for byte in character.encode())

    return write


def _c_string(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isascii() and character.isprintable():
        return character
    return _ANSI_C.get(character, "").replace("\\E", "\\33") or "".join(f"\\{byte:o}" for byte in character.encode())


def _bytes_repr(apostrophe: str) -> Callable[[str], str]:
    return lambda character: apostrophe if character == "'" else repr(character.encode())[2:-1]


def _backslashreplace(character: str) -> str:
    return character.encode("ascii", "backslashreplace").decode("ascii")


def _yaml(character: str) -> str:
    """In quotation marks, by YAML 1.2 section 5.7."""
    if character in _YAML:
        return _YAML[character]
    if character.isascii() and character.isprintable():
        return character
    code = ord(character)
    if code <= 0xFF:  # noqa: PLR2004  (two digits)
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"  # noqa: PLR2004


def _go_quoted(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x80:  # noqa: PLR2004  (ASCII)
        return _ANSI_C.get(character, f"\\x{code:02x}").replace("\\E", "\\x1b")
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004


ROWS: Final[tuple[Row, ...]] = (
    Row("raw", str, "the secret itself"),
    Row("JSON", _plain_json, "RFC 8259 section 7"),
    Row("JSON, ASCII only", _python_json, "Python json.dumps", outer=True),
    Row("JSON, HTML-safe", _go_json, "Go encoding/json, Marshal"),
    Row("JSON, escaped slash", lambda c: _plain_json(c).replace("/", "\\/"), "PHP json_encode, JSON_UNESCAPED_UNICODE"),
    Row("JSON, ASCII only, escaped slash", lambda c: _python_json(c).replace("/", "\\/"), "PHP json_encode"),
    Row("JSON, all but letters", _dotnet_json, ".NET System.Text.Json, its default encoder"),
    Row("percent, all", _percent(""), "RFC 3986 section 2.1; JavaScript-like encoders keep fewer", outer=True),
    Row("percent, lower case", _percent("", "%{:02x}"), "RFC 3986 section 2.1 allows either case", outer=True),
    Row("percent, path", _percent("/"), "Python urllib.parse.quote"),
    Row("percent, path, lower case", _percent("/", "%{:02x}"), "nginx, .NET UrlPathEncode"),
    Row("percent, user info", _percent("$&+,;="), "Go net/url, UserPassword"),
    Row("percent, user info, WHATWG", _percent("!$%&'()*+,"), "WHATWG URL, as of Node.js and Rust"),
    Row("percent, path segment", _percent("$&+=:@"), "Go net/url, PathEscape"),
    Row("percent, component", _percent("!'()*"), "ECMA-262 encodeURIComponent"),
    Row("percent, component, lower case", _percent("!'()*", "%{:02x}"), ".NET WebUtility"),
    Row("percent, whole URI", _percent("!'()*;,/?:@&=+$#"), "ECMA-262 encodeURI"),
    Row("percent, query, WHATWG", _percent("!$%&()*+,/:;=?@[\\]^`{|}"), "WHATWG URL, as of Node.js and Rust"),
    Row("percent, Latin-1", _percent("", encoding="latin-1"), "HTML 4 forms"),
    Row("percent, form", _form("%{:02X}"), "Go QueryEscape, Python quote_plus"),
    Row("percent, form, lower case", _form("%{:02x}"), ".NET HttpUtility.UrlEncode"),
    Row("percent, form, WHATWG", _form("%{:02X}", tilde=False), "WHATWG URL, application/x-www-form-urlencoded"),
    Row("Python repr", lambda c: "'" if c == "'" else repr(c)[1:-1], "Python %r"),
    Row(
        "Python repr, apostrophe", lambda c: "\\'" if c == "'" else repr(c)[1:-1], "Python %r, of both quotation marks"
    ),
    Row("Python repr of bytes", _bytes_repr("'"), "Python %r of bytes"),
    Row("Python repr of bytes, apostrophe", _bytes_repr("\\'"), "Python %r of bytes, of both quotation marks"),
    Row("Python ascii", lambda c: "'" if c == "'" else ascii(c)[1:-1], "Python %a"),
    Row(
        "Python ascii, apostrophe",
        lambda c: "\\'" if c == "'" else ascii(c)[1:-1],
        "Python %a, of both marks; %r of a text that was written so",
        outer=True,
    ),
    Row("Python backslashes", _backslashreplace, "Python's standard error where the locale is not UTF-8"),
    Row("YAML, ASCII only", _yaml, "PyYAML"),
    Row("Go quoted", _go_quoted, "Go strconv.Quote, %q"),
    Row("C string", _c_string, "strace"),
    Row("XML", _map(_HTML), "XML 1.0 section 2.4"),
    Row("XML, all five", _map({**_HTML, "'": "&apos;", '"': "&quot;"}), "XML 1.0 section 4.6"),
    Row("HTML, decimal", _map({**_HTML, "'": "&#39;", '"': "&#34;"}), "Go html.EscapeString"),
    Row("HTML, quotation", _map({**_HTML, "'": "&#39;", '"': "&quot;"}), "Jinja, lodash, Ruby CGI"),
    Row("HTML, named", _map({**_HTML, "'": "&#x27;", '"': "&quot;"}), "Python html.escape", outer=True),
    Row("HTML, names for all", _named_entity, "PHP htmlentities"),
    Row("entities, decimal", _entity("&#{};"), "an encoder that keeps letters and digits only"),
    Row("entities, hexadecimal", _entity("&#x{:X};"), "OWASP encoders, .NET"),
    Row("entities, hexadecimal, lower case", _entity("&#x{:x};"), "OWASP encoders, Java"),
    Row("entities beyond ASCII", _entity("&#{};", "&<>"), "Python xmlcharrefreplace"),
    Row("shell quoted", _map({"'": "'\"'\"'"}), "Python shlex.quote"),
    Row("shell quoted, escaped", _map({"'": "'\\''"}), "POSIX shells' own quoting, set -x"),
    Row("shell quoted, with an exclamation mark", _map({"'": "'\\''", "!": "'\\!'"}), "git, GIT_TRACE"),
    Row("shell double-quoted", _backslash('$`"\\'), "bash declare -p, export -p", outer=True),
    Row("shell, each character", _backslash(" \t!\"$&'()*,;<>?[\\]^`{|}"), "bash printf %q"),
    Row("shell, each character but the comma", _backslash(" \t!\"$&'()*;<>?[\\]^`{|}"), "older bash"),
    Row("shell, more characters", _backslash(" \t!\"$&'()*;<>?[\\]^`{|}~#="), "zsh ${(q)}"),
    Row("shell ANSI-C", _ansi_c(ascii_only=False), "bash declare -p, where control characters are"),
    Row("shell ANSI-C, ASCII only", _ansi_c(ascii_only=True), "bash printf %q in the C locale"),
    Row("shell pattern", _backslash("\\.+*?[{|^$()"), "bash set -x, of [[ … =~ ]]"),
    Row("pattern", _quotemeta, "Perl quotemeta, sed scripts"),
    Row("doubled apostrophe", _map({"'": "''"}), "YAML 1.2 section 7.3.2, SQL"),
    Row("doubled quotation mark", _map({'"': '""'}), "RFC 4180 section 2"),
    Row("doubled dollar sign", _map({"$": "$$"}), "docker compose config, make"),
)


def in_url(text: str) -> str:
    """A text as most encoders write it in a URL."""
    write = _percent("")
    return re.sub(r"[^A-Za-z0-9]", lambda match: write(match[0]), text)


@functools.lru_cache(maxsize=4096)
def written_ways(character: str) -> tuple[str, ...]:
    """A character as each row writes it, and as each outer row writes that once more."""
    once = [row.write(character) for row in ROWS]
    twice = ["".join(map(row.write, text)) for row in ROWS if row.outer for text in once]
    return (*once, *twice)


def all_ways(text: str, *, nested: bool) -> set[str]:
    """A text as all rows write it; with `nested` also as two of them do, one inside the other."""
    if re.fullmatch(_PLAIN, text):
        return {text}
    special = sorted(set(re.sub(_PLAIN, "", text)))
    count = None if nested else len(ROWS)
    columns = [written_ways(character)[:count] for character in special]
    codes = list(map(ord, special))
    return {text.translate(dict(zip(codes, way, strict=True))) for way in set(zip(*columns, strict=True))}
