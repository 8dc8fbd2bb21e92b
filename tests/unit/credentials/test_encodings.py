"""Every form of a secret, held against encoders that share nothing with the package."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
import string
import sys
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_from_bytes, quote_plus, urlencode
from xml.sax.saxutils import escape

import pytest
import yaml

from registry_config.credentials import character_tables
from registry_config.credentials.character_tables import ROWS, all_ways
from registry_config.credentials.encodings import all_encodings, encodings, is_short
from registry_config.credentials.reading import Credential
from registry_config.credentials.redaction import Redactor
from support.leaks import search
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable

    from registry_config.credentials.character_tables import Row

_AWKWARD = {
    "letters": "passwordpassword",
    "all signs": string.punctuation,
    "a sign at each end": "/+='\"pass&<>word\\%~ ",
    "controls": "pass\tword\nand\rmore\x7f",
    "wide": "pässwörd密码🔑\u2028",
    "letters of Latin-1": "pässwörd-mit-ümlauten-für-ñandús",
    "six bytes": "pa/s+d",
}
_ENCODERS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "json.dumps": json.dumps,
    "json.dumps, wide": lambda text: json.dumps(text, ensure_ascii=False),
    "json.dumps, slashes": lambda text: json.dumps(text, ensure_ascii=False).replace("/", "\\/"),
    "quote": quote,
    "quote, all": lambda text: quote(text, safe=""),
    "quote_plus": quote_plus,
    "urlencode": lambda text: urlencode({"password": text}),
    "encodeURIComponent": lambda text: quote(text, safe="!~*'()"),
    "Go's user info": lambda text: quote(text, safe="$&+,;="),
    "every byte but the unreserved in lower case": lambda text: "".join(
        f"%{byte:02x}" if chr(byte) not in string.ascii_letters + string.digits + "-._~" else chr(byte)
        for byte in text.encode()
    ),
    "html.escape": html.escape,
    "xml escape": escape,
    "repr": repr,
    "shlex.quote": shlex.quote,
    "yaml.dump": lambda text: str(yaml.dump(text, width=sys.maxsize)),
}


@pytest.mark.parametrize("secret", _AWKWARD.values(), ids=_AWKWARD)
@pytest.mark.parametrize("encode", _ENCODERS.values(), ids=_ENCODERS)
def test_a_secret_is_hidden_as_any_encoder_writes_it(encode: Callable[[str], str], secret: str) -> None:
    shown = Redactor(encodings("", secret)).data(f"before {encode(secret)} after".encode())
    assert search({"shown": shown}, secret) == []
    assert shown.startswith(b"before ")
    assert shown.endswith(b" after")


@table("secret", {"of base64": "tok/en+with==signs/of+base64", **_AWKWARD})
@table("write", {"JSON": json.dumps, "a URL": lambda text: f"https://alice:{quote(text, safe='')}@example.com/"})
def test_base64_of_what_holds_a_secret_written_in_another_way_is_hidden(
    secret: str, write: Callable[[str], str]
) -> None:
    """As in a secret of Kubernetes that holds a `.git-credentials` or a document."""
    written = base64.b64encode(write(secret).encode())
    assert search({"shown": Redactor(encodings("alice", secret)).data(written)}, secret) == []


@pytest.mark.parametrize("secret", [*_AWKWARD.values(), "8 bytes!", "7bytes!"], ids=[*_AWKWARD, "eight", "seven"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_of_a_secret_or_a_pair_is_hidden_at_any_alignment(encode: Callable[[bytes], bytes], secret: str) -> None:
    redactor = Redactor(encodings("alice", secret))
    for before in ("", "a", "ab", "abc", '{"password":"', "alice:", "\nalice:", "//alice:", '{"auths":"alice:'):
        for after in ("", "x", "xy", "xyz"):
            shown = redactor.data(encode(f"{before}{secret}{after}".encode()))
            assert search({f"{before!r}, {after!r}": shown}, secret, "alice") == []
            assert b"***" in shown


@pytest.mark.parametrize("secret", ["p", "pw", "short", *_AWKWARD.values()])
def test_the_pair_is_hidden_however_it_is_padded_or_quoted(secret: str) -> None:
    pair = f"alice:{secret}".encode()
    encoded = (
        base64.b64encode(pair),
        base64.urlsafe_b64encode(pair),
        quote_from_bytes(base64.b64encode(pair), "").encode(),
    )
    text = b" ".join((*encoded, *(value.rstrip(b"=") for value in encoded)))
    assert search({"shown": Redactor(encodings("alice", secret)).data(text)}, secret, "alice") == []


def test_a_short_secret_has_the_form_of_the_pair_alone() -> None:
    pair = {b"YWxpY2U6c2hvcnQ", b"YWxpY2U6c2hvcn", b"FsaWNlOnNob3J0", b"hbGljZTpzaG9yd"}
    assert pair <= encodings("alice", "short")
    assert all(b"short" not in form for form in encodings("alice", "short"))
    assert encodings("", "short") == frozenset()


def test_the_pair_has_both_alphabets_even_where_it_is_short() -> None:
    found = encodings("a", "~~?")
    assert {b"YTp+fj8", b"YTp-fj8", b"YTp%2Bfj8", b"YTp%2bfj8", b"YTp%252Bfj8", b"YTp&#43;fj8"} <= found


@table("secret, short", {"five": ("12345", True), "six": ("123456", False), "three of two bytes": ("äöü", False)})
def test_short_is_under_six_bytes(secret: str, *, short: bool) -> None:
    assert is_short(secret) is short


_PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\nqhkiG9w0BAQEFA\nabc\n-----END PRIVATE KEY-----\n"
_KEY = {
    "type": "service_account",
    "client_email": "me@example.com",
    "private_key": _PEM,
    "token_uri": "https://oauth2.example.com/token",
    "nested": {"inner": [{"client_secret": "secret-in-a-list"}, {"secret_name": "not-that-one"}]},
    "numbers": {"password": 1234567890123},
    "secrets": {
        "ANY_NAME": "secret-by-its-place",
        "webhook": "https://hooks.example.com/T0123456789/B012345678901234567890",
        "ISSUER": "https://issuer.example.com/realm",
        "CONTACT": "them@example.com",
    },
    "document": json.dumps({"auths": {"registry.example.com": {"auth": "c2VjcmV0OnNlY3JldA"}}}),
}
_DOCUMENT = json.dumps(_KEY, indent=1)
_PUBLIC = (
    "service_account me@example.com https://oauth2.example.com/token nested inner not-that-one ANY_NAME",
    "auths registry.example.com -----BEGIN PRIVATE KEY-----",
    "https://issuer.example.com/realm them@example.com",
)
_MASKED_PEM = "-----BEGIN PRIVATE KEY-----\n***\n***\n***\n-----END PRIVATE KEY-----\n"


@table(
    "secret, text, shown",
    {
        "a line of a key": (_PEM, "x qhkiG9w0BAQEFA y", "x *** y"),
        "its markers stay": (_PEM, "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----"),
        "a line under eight characters stays": (_PEM, "abc", "abc"),
        "the whole key": (_PEM, _PEM, _MASKED_PEM),
        "a line with CRLF": (_PEM.replace("\n", "\r\n"), "MIIEvQIBADANBg\r\n", "***\r\n"),
        "the whole key with CRLF": (_PEM, _PEM.replace("\n", "\r\n"), _MASKED_PEM.replace("\n", "\r\n")),
        "the whole key indented": (_PEM, _PEM.replace("\n", "\n  "), _MASKED_PEM.replace("\n", "\n  ")),
        "lines of seven, indented": ("abcdefg\nhijklmn\nopqrstu\n", " abcdefg\n hijklmn\n opqrstu", " ***\n ***\n ***"),
        "lines of seven, CRLF": ("abcdefg\nhijklmn\nopqrstu", "abcdefg\r\nhijklmn\r\nopqrstu", "***\r\n***\r\n***"),
        "an indented line": (_PEM.replace("\n", "\n  "), "MIIEvQIBADANBg", "***"),
        "a line that holds a vertical tab": ("first line\nabcd\x0befgh\n", "abcd\x0befgh", "***"),
        "member of a JSON key": (
            _DOCUMENT,
            json.dumps({"k": _PEM}),
            r'{"k": "-----BEGIN PRIVATE KEY-----***-----END PRIVATE KEY-----\n"}',
        ),
        "line of a member": (_DOCUMENT, "MIIEvQIBADANBg", "***"),
        "a nested member": (_DOCUMENT, "secret-in-a-list", "***"),
        "a number": (_DOCUMENT, "1234567890123", "***"),
        "all below a name": (_DOCUMENT, "secret-by-its-place", "***"),
        "a URL that holds a token": (_DOCUMENT, "https://hooks.example.com/T0123456789/B012345678901234567890", "***"),
        "a member of a document in it": (_DOCUMENT, "c2VjcmV0OnNlY3JldA", "***"),
        "what is public stays": (_DOCUMENT, "\n".join(_PUBLIC), "\n".join(_PUBLIC)),
        "what is public stays where it stands": (
            _DOCUMENT,
            '{\n "type": "service_account",\n "client_email": "me@example.com",\n}',
            '{\n "type": "service_account",\n "client_email": "me@example.com",\n}',
        ),
        "two members of one name": ('{"token": "first-of-two", "token": "second-of-two"}', "first-of-two", "***"),
        "as the document writes it": (r'{"token": "t\u006f\/ken-0123"}', r"t\u006f\/ken-0123 to/ken-0123", "*** ***"),
        "no secret member": ('{"a": "0123456789abc"}', '{"a": "0123456789abc"}', "***"),
        "no JSON after all": ("{password}", "{password}", "***"),
        "a JSON list in braces": ('{"a": ' + "[" * 99999, "x", "x"),
    },
)
def test_parts_of_a_secret_are_secret_where_they_can_stand_alone(secret: str, text: str, shown: str) -> None:
    assert Redactor(encodings("", secret)).text(text) == shown


@pytest.mark.parametrize("width", [64, 76])
def test_a_whole_document_is_hidden_in_base64_whatever_is_public_in_it(width: int) -> None:
    encoded = base64.b64encode(_DOCUMENT.encode()).decode()
    wrapped = "\n".join(encoded[at : at + width] for at in range(0, len(encoded), width))
    shown = Redactor(encodings("_json_key", _DOCUMENT)).text(wrapped)
    assert set(shown) <= set("*\n=")


def test_all_encodings_are_those_of_each_credential_and_further_secret() -> None:
    one = Credential("a.example", "alice", "password1", frozenset())
    two = Credential("b.example", "bob", "password2", frozenset())
    expected = encodings("alice", "password1") | encodings("bob", "password2") | encodings("", "password3")
    assert all_encodings([one, two], ["password3"]) == expected
    assert all_encodings([one, two], ["password3"], single=True) <= expected


@table(
    "written",
    {
        "Latin-1": "pässwörd-é".encode("latin-1"),
        "decomposed": "pa\u0308sswo\u0308rd-e\u0301".encode(),
        "Latin-1, percent": b"p%E4ssw%F6rd-%E9",
        "Latin-1, base64": base64.b64encode("jürgen:pässwörd-é".encode("latin-1")),
        "decomposed, base64": base64.b64encode("ju\u0308rgen:pa\u0308sswo\u0308rd-e\u0301".encode()),
    },
)
def test_accents_are_hidden_in_each_of_their_spellings(written: bytes) -> None:
    assert Redactor(encodings("jürgen", "pässwörd-é")).data(b"<" + written.rstrip(b"=") + b">") == b"<***>"


# What each row is for: a secret in it, as a program that is not ours wrote it; Python's own where it has an encoder.
_S = "a/'\"&<>+\\ é~!*():@,;=$[x]#?\u2028"
_WRITTEN = {
    "raw": _S,
    "JSON": "tab\\t\\u0001/é\u2028",
    "JSON, ASCII only": "tab\\t\\u0001/\\u00e9\\u2028",
    "JSON, HTML-safe": "a\\u003cb\\u003ec\\u0026d/é\\u2028",
    "JSON, escaped slash": "tab\\t\\/é\u2028",
    "JSON, ASCII only, escaped slash": "tab\\t\\/\\u00e9\\u2028",
    "JSON, all but letters": "\\u0022\\u0026\\u0027\\u002B\\u003C\\u003E\\u0060\\u00E9\\\\",
    "percent, all": "%2F%27%22%26%3C%3E%2B%5C%20%C3%A9~%21%2A%28%29%3A%40%2C%3B%3D%24",
    "percent, lower case": "%2f%27%22%26%3c%3e%2b%5c%20%c3%a9~%21%2a%28%29%3a%40%2c%3b%3d%24",
    "percent, path": "a/b%27%22%2B%20",
    "percent, path, lower case": "a/b%27%22%2b%20",
    "percent, user info": "a%2F%27&+,;=$%40%3A%21",
    "percent, user info, WHATWG": "a%2F'!*()%40$&+,%3B%3D%%5B",
    "percent, path segment": "a%2F&+=:@$%2C%3B%21",
    "percent, component": "a%2F'!*()%26%2B",
    "percent, component, lower case": "a%2f'!*()%26%2b",
    "percent, whole URI": "a/b'!*();,?:@&=+$#%22%C3%A9",
    "percent, query, WHATWG": "a/b%27!*;?:@&=+$%23%22[\\]%`%C3%A9",
    "percent, Latin-1": "a%2Fb%E9%2B",
    "percent, form": "a%2F+b~%2A%C3%A9",
    "percent, form, lower case": "a%2f+b~%2a%c3%a9",
    "percent, form, WHATWG": "a%2F+b%7E*%C3%A9",
    "Python repr": "a'b\\n\\x0bé\\u2028\\\\",
    "Python repr, apostrophe": "a\\'\"b\\n\\x01é\\u2028\\\\",
    "Python repr of bytes": "a'b\\n\\x01\\xc3\\xa9",
    "Python repr of bytes, apostrophe": "a\\'\"b\\n\\x01\\xc3\\xa9",
    "Python ascii": "a'b\\n\\x01\\xe9\\u2028\\\\",
    "Python ascii, apostrophe": "a\\'\"b\\n\\x01\\xe9\\u2028\\\\",
    "Python backslashes": "a'\"b\n\\xe9\\u2028\\c",
    "YAML, ASCII only": "a'\\\"b\\n\\xE9\\P\\U0001F511\\\\c",
    "Go quoted": 'a\\"b\\n\\x01\\v\\x7fé\\u2028',
    "C string": 'a\\"b\\n\\1\\v\\177\\303\\251',
    "XML": "a&lt;&gt;&amp;'\"",
    "XML, all five": "a&lt;&gt;&amp;&apos;&quot;",
    "HTML, decimal": "a&lt;&gt;&amp;&#39;&#34;",
    "HTML, quotation": "a&lt;&gt;&amp;&#39;&quot;",
    "HTML, named": "a&lt;&gt;&amp;&#x27;&quot;",
    "HTML, names for all": "a&lt;&eacute;'&quot;",
    "entities, decimal": "a&#60;&#233;&#39;&#43;b",
    "entities, hexadecimal": "a&#x3C;&#xE9;&#x27;&#x2B;b",
    "entities, hexadecimal, lower case": "a&#x3c;&#xe9;&#x27;&#x2b;b",
    "entities beyond ASCII": "a+b'&#233;c",
    "shell quoted": "a b'\"'\"'c",
    "shell quoted, escaped": "a b'\\''c!d",
    "shell quoted, with an exclamation mark": "a b'\\''c'\\!'d",
    "shell double-quoted": "a b\\$c\\`d\\\"e\\\\f'g!",
    "shell, each character": "a\\ b\\'c\\,d\\$e~f#g=h/i",
    "shell, each character but the comma": "a\\ b\\'c,d\\$e~f#g=h/i",
    "shell, more characters": "a\\ b\\'c,d\\$e\\~f\\#g\\=h/i",
    "shell ANSI-C": "a\\'b\\nc\\001dé\"",
    "shell ANSI-C, ASCII only": "a\\'b\\nc\\001d\\303\\251\"",
    "shell pattern": "a b'c\\$d\\.e\\*f\\?g\\[h]i\\{j}k\\|l\\^m\\(n\\)o\\+p\\\\q",
    "pattern": "a\\ b\\'c\\,d\\$e\\~f\\#g\\=h\\/i\\%j_",
    "doubled apostrophe": "a''b\"c",
    "doubled quotation mark": 'a\'b""c',
    "doubled dollar sign": "a$$b'c\\d",
}
_READ = {
    "raw": _S,
    **dict.fromkeys(("JSON", "JSON, ASCII only"), "tab\t\x01/é\u2028"),
    "JSON, HTML-safe": "a<b>c&d/é\u2028",
    **dict.fromkeys(("JSON, escaped slash", "JSON, ASCII only, escaped slash"), "tab\t/é\u2028"),
    "JSON, all but letters": "\"&'+<>`é\\",
    **dict.fromkeys(("percent, all", "percent, lower case"), "/'\"&<>+\\ é~!*():@,;=$"),
    **dict.fromkeys(("percent, path", "percent, path, lower case"), "a/b'\"+ "),
    "percent, user info": "a/'&+,;=$@:!",
    "percent, user info, WHATWG": "a/'!*()@$&+,;=%[",
    "percent, path segment": "a/&+=:@$,;!",
    **dict.fromkeys(("percent, component", "percent, component, lower case"), "a/'!*()&+"),
    "percent, whole URI": "a/b'!*();,?:@&=+$#\"é",
    "percent, query, WHATWG": "a/b'!*;?:@&=+$#\"[\\]%`é",
    "percent, Latin-1": "a/bé+",
    **dict.fromkeys(("percent, form", "percent, form, lower case", "percent, form, WHATWG"), "a/ b~*é"),
    "Python repr": "a'b\n\x0bé\u2028\\",
    "Python repr, apostrophe": "a'\"b\n\x01é\u2028\\",
    "Python repr of bytes": "a'b\n\x01é",
    "Python repr of bytes, apostrophe": "a'\"b\n\x01é",
    "Python ascii": "a'b\n\x01é\u2028\\",
    "Python ascii, apostrophe": "a'\"b\n\x01é\u2028\\",
    "Python backslashes": "a'\"b\né\u2028\\c",
    "YAML, ASCII only": "a'\"b\né\u2029🔑\\c",
    "Go quoted": 'a"b\n\x01\x0b\x7fé\u2028',
    "C string": 'a"b\n\x01\x0b\x7fé',
    **dict.fromkeys(("XML", "XML, all five", "HTML, decimal", "HTML, quotation", "HTML, named"), "a<>&'\""),
    "HTML, names for all": "a<é'\"",
    **dict.fromkeys(("entities, decimal", "entities, hexadecimal", "entities, hexadecimal, lower case"), "a<é'+b"),
    "entities beyond ASCII": "a+b'éc",
    "shell quoted": "a b'c",
    **dict.fromkeys(("shell quoted, escaped", "shell quoted, with an exclamation mark"), "a b'c!d"),
    "shell double-quoted": "a b$c`d\"e\\f'g!",
    **dict.fromkeys(
        ("shell, each character", "shell, each character but the comma", "shell, more characters"), "a b'c,d$e~f#g=h/i"
    ),
    **dict.fromkeys(("shell ANSI-C", "shell ANSI-C, ASCII only"), "a'b\nc\x01dé\""),
    "shell pattern": "a b'c$d.e*f?g[h]i{j}k|l^m(n)o+p\\q",
    "pattern": "a b'c,d$e~f#g=h/i%j_",
    **dict.fromkeys(("doubled apostrophe", "doubled quotation mark"), "a'b\"c"),
    "doubled dollar sign": "a$b'c\\d",
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_row_hides_what_no_other_row_does(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    """With it the secret is hidden as it is written that way; without it, it is not."""
    secret, written = _READ[row.name], _WRITTEN[row.name]
    assert written in all_ways(secret, nested=False)
    others = tuple(other for other in ROWS if other is not row)
    monkeypatch.setattr(character_tables, "ROWS", others)
    character_tables.written_ways.cache_clear()
    try:
        assert written not in all_ways(secret, nested=True)
    finally:
        character_tables.written_ways.cache_clear()


def test_every_row_of_the_table_has_its_own_name_and_source() -> None:
    assert ([row.name for row in ROWS], all(row.source for row in ROWS)) == (list(_WRITTEN), True)


@table(
    "written",
    {
        "JSON in JSON": json.dumps(json.dumps(_S)),
        "a URL in JSON": json.dumps(f"https://{quote(_S, safe='')}@example.com"),
        "percent twice": quote(quote(_S, safe=""), safe=""),
        "percent twice, lower case": re.sub(
            "%..(..)?", lambda match: match[0].lower(), quote(quote(_S, safe=""), safe="")
        ),
        "HTML in JSON": json.dumps(html.escape(_S)),
        "JSON in HTML": html.escape(json.dumps(_S)),
    },
)
def test_ways_inside_one_another_are_hidden(written: str) -> None:
    assert search({"": Redactor(encodings("", _S)).data(written.encode())}, _S) == []
    assert search({"": written.encode()}, _S) != []


def test_a_python_text_in_a_python_text_is_hidden_to_its_end() -> None:
    secret = "0123456789\"abcdefghij'0123456789ab"
    assert Redactor(encodings("", secret)).text(repr(ascii(secret))) == r"'\'***\''"
