"""Every form of a secret, held against encoders that share nothing with the package."""

from __future__ import annotations

import base64
import html
import json
import shlex
import string
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_from_bytes, quote_plus, urlencode
from xml.sax.saxutils import escape

import pytest

from registry_config.credentials.encodings import TEXT_FORMS, all_forms, forms, is_short
from registry_config.credentials.reading import Credential
from registry_config.credentials.redaction import Redactor
from support.leaks import search
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable

_AWKWARD = {
    "letters": "passwordpassword",
    "all signs": string.punctuation,
    "a sign at each end": "/+='\"pass&<>word\\%~ ",
    "controls": "pass\tword\nand\rmore\x7f",
    "wide": "pässwörd密码🔑\u2028",
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
}


@pytest.mark.parametrize("secret", _AWKWARD.values(), ids=_AWKWARD)
@pytest.mark.parametrize("encode", _ENCODERS.values(), ids=_ENCODERS)
def test_a_secret_is_hidden_as_any_encoder_writes_it(encode: Callable[[str], str], secret: str) -> None:
    shown = Redactor(forms("", secret)).data(f"before {encode(secret)} after".encode())
    assert search({"shown": shown}, secret) == []
    assert shown.startswith(b"before ")
    assert shown.endswith(b" after")


@pytest.mark.parametrize("secret", _AWKWARD.values(), ids=_AWKWARD)
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_of_a_secret_or_a_pair_is_hidden_at_any_alignment(encode: Callable[[bytes], bytes], secret: str) -> None:
    redactor = Redactor(forms("alice", secret))
    # Of seven bytes or fewer some alignments leave a single group of four signs, which innocent text may hold.
    alone = ("", "a", "ab", "abc", '{"password":"') if len(secret.encode()) > 7 else ("",)
    for before in (*alone, "alice:", "\nalice:", "//alice:", '{"auths":"alice:'):
        for after in ("", "x", "xy", "xyz"):
            shown = redactor.data(encode(f"{before}{secret}{after}".encode()))
            assert search({f"{before!r}, {after!r}": shown}, secret, "alice") == []


@pytest.mark.parametrize("secret", ["p", "pw", "short", *_AWKWARD.values()])
def test_the_pair_is_hidden_however_it_is_padded_or_quoted(secret: str) -> None:
    pair = f"alice:{secret}".encode()
    encoded = (
        base64.b64encode(pair),
        base64.urlsafe_b64encode(pair),
        quote_from_bytes(base64.b64encode(pair), "").encode(),
    )
    text = b" ".join((*encoded, *(value.rstrip(b"=") for value in encoded)))
    assert search({"shown": Redactor(forms("alice", secret)).data(text)}, secret, "alice") == []


def test_a_short_secret_has_the_form_of_the_pair_alone() -> None:
    pair = {b"YWxpY2U6c2hvcnQ", b"YWxpY2U6c2hv", b"bGljZTpzaG9y", b"aWNlOnNob3J0"}
    encoded_again = {b"WVd4cFkyVTZjMmh2Y25R", b"V3hwWTJVNmMyaHZj", b"eHBZMlU2YzJodmNu"}
    assert forms("alice", "short") == pair | encoded_again
    assert forms("", "short") == frozenset()


def test_the_pair_has_both_alphabets_even_where_it_is_short() -> None:
    assert forms("a", "~~?") == {b"YTp+fj8", b"YTp-fj8", b"YTp%2Bfj8", b"WVRwK2Zq", b"VHArZmo4"}


@table("secret, short", {"five": ("12345", True), "six": ("123456", False), "three of two bytes": ("äöü", False)})
def test_short_is_under_six_bytes(secret: str, *, short: bool) -> None:
    assert is_short(secret) is short


_PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\nqhkiG9w0BAQEFA\nabc\n-----END PRIVATE KEY-----\n"
_KEY = {"type": "service_account", "client_email": "me@example.com", "private_key": _PEM, "n": {"token": 1}}


@table(
    "secret, text, shown",
    {
        "a line of a key": (_PEM, "x qhkiG9w0BAQEFA y", "x *** y"),
        "its markers stay": (_PEM, "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----"),
        "a line under eight signs stays": (_PEM, "abc", "abc"),
        "the whole key": (_PEM, _PEM, "***"),
        "a line with CRLF": (_PEM.replace("\n", "\r\n"), "MIIEvQIBADANBg\r\n", "***\r\n"),
        "an indented line": (_PEM.replace("\n", "\n  "), "MIIEvQIBADANBg", "***"),
        "a line that holds a vertical tab": ("first line\nabcd\x0befgh\n", "abcd\x0befgh", "***"),
        "member of a JSON key": (json.dumps(_KEY), json.dumps({"k": _PEM}), '{"k": "***"}'),
        "line of a member": (json.dumps(_KEY), "MIIEvQIBADANBg", "***"),
        "e-mail of a JSON key stays": (
            json.dumps(_KEY),
            "me@example.com service_account",
            "me@example.com service_account",
        ),
        "brackets of a JSON key stay": (json.dumps(_KEY, indent=1), "{ }\n", "{ }\n"),
        "the whole JSON key": (json.dumps(_KEY, indent=1), json.dumps(_KEY, indent=1), "***"),
        "no JSON after all": ("{password}", "{password}", "***"),
        "a JSON list in braces": ('{"a": ' + "[" * 99999, "x", "x"),
    },
)
def test_parts_of_a_secret_are_secret_where_they_can_stand_alone(secret: str, text: str, shown: str) -> None:
    assert Redactor(forms("", secret)).text(text) == shown


def test_all_forms_are_those_of_each_credential_and_further_secret() -> None:
    one = Credential("a.example", "alice", "password1", frozenset())
    two = Credential("b.example", "bob", "password2", frozenset())
    expected = forms("alice", "password1") | forms("bob", "password2") | forms("", "password3")
    assert all_forms([one, two], ["password3"]) == expected


def test_every_row_of_the_table_has_its_own_name_and_source() -> None:
    names = [name for name, _, _ in TEXT_FORMS]
    assert (len(set(names)), all(source for _, _, source in TEXT_FORMS)) == (len(names), True)


@pytest.mark.parametrize("row", TEXT_FORMS, ids=lambda row: row[0])
def test_every_row_of_the_table_is_needed(row: tuple[str, Callable[[str], str], str]) -> None:
    """Some secret has this form and no other row gives it."""
    secret = "a/'\"&<>+\\ \u2028é~!*():@,;=$\x7f"
    written = [encode(part) for name, encode, _ in TEXT_FORMS if name != row[0] for part in (secret,)]
    assert row[1](secret) not in written
