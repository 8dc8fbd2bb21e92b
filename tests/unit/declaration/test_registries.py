"""The list of registries: which YAML means what. What is refused stands in test_malformed_inputs.py."""

from __future__ import annotations

import json

import pytest

from registry_config.declaration.registries import Declaration, Purpose, Source, decode, parse_registries
from registry_config.errors import InputError
from support.tables import exactly, table

_BOTH: frozenset[Purpose] = frozenset(("image", "command"))
_LOGIN = "- registry: a.example\n  username: alice\n"
_PEM = "-----BEGIN KEY-----\nQUJD\n-----END KEY-----\n"


def test_every_key_of_every_entry_is_read() -> None:
    text = """\
# comment
- registry: GHCR.io

- registry: index.docker.io
  username: hub
  password: "p\\"w"
- {registry: "localhost:5000", username: robot$ci, password-env: TOKEN, for: command}
-
  for: image
  password-file: /run/secrets/x
  username: "*"
  registry: localhost:5000
"""
    assert parse_registries(text) == (
        Declaration(0, 2, "ghcr.io", None, Source("github-token"), _BOTH),
        Declaration(1, 4, "docker.io", "hub", Source("password", 'p"w'), _BOTH),
        Declaration(2, 7, "localhost:5000", "robot$ci", Source("password-env", "TOKEN"), frozenset(("command",))),
        Declaration(3, 9, "localhost:5000", "*", Source("password-file", "/run/secrets/x"), frozenset(("image",))),
    )


@table(
    "written, password",
    {
        "plain": ("pass", "pass"),
        "number": ("0123", "0123"),
        "float": ("1e3", "1e3"),
        "boolean": ("yes", "yes"),
        "date": ("2020-01-01", "2020-01-01"),
        "single quotes": ("'it''s'", "it's"),
        "double quotes": ('"a\\tb\\u00e4\\x41"', "a\tbäA"),
        "quoted null": ('"null"', "null"),
        "quoted tilde": ("'~'", "~"),
        "null": ("null", ""),
        "tilde": ("~", ""),
        "nothing": ("", ""),
        "quoted nothing": ('""', ""),
        "null in capitals": ("NULL", ""),
        "block": ("|\n    a\n    b", "a\nb\n"),
        "block, stripped": ("|-\n    a\n    b", "a\nb"),
        "folded": (">-\n    a\n    b", "a b"),
        "several lines": ("a\n    b", "a b"),
        "colon inside": ("a:b", "a:b"),
        "sharp inside": ("a#b", "a#b"),
        "expression": ("${{ secrets.X }}", "${{ secrets.X }}"),
        "toJSON of awkward signs": (
            json.dumps("'\"\\ : # & * ! | > % @ `\n\t\u2028"),
            "'\"\\ : # & * ! | > % @ `\n\t\u2028",
        ),
        "toJSON of a key": (json.dumps(_PEM), _PEM),
        "key of a cloud": (
            '{"type": "x", "private_key": "a\\nb", "n": [1, true]}',
            '{"type":"x","private_key":"a\\nb","n":[1,true]}',
        ),
        "key of a cloud over lines": ('{\n    "é": "ü",\n    "n": 1\n  }', '{"é":"ü","n":1}'),
        "empty JSON": ("{}", "{}"),
    },
)
def test_a_password_is_the_text_that_was_meant(written: str, password: str) -> None:
    expected = (Declaration(0, 1, "a.example", "alice", Source("password", password), _BOTH),)
    assert parse_registries(f"{_LOGIN}  password: {written}\n") == expected


def test_a_key_of_a_cloud_is_cut_out_at_the_right_place_after_wide_characters() -> None:
    text = '\ufeff# 密🔑é\r\n- registry: a.example\r\n  username: ü🔑\r\n  password: {"k": "密"}\r\n'
    (declaration,) = parse_registries(text)
    assert declaration == Declaration(0, 2, "a.example", "ü🔑", Source("password", '{"k":"密"}'), _BOTH)


@table(
    "text",
    {
        "list": "[]",
        "with a comment": "# none\n[]\n",
        "one document": "---\n[]\n",
        "ended document": "---\n[]\n...\n",
        "byte order mark": "\ufeff[]",
        "CRLF": "[]\r\n",
    },
)
def test_an_empty_list_means_none_on_purpose(text: str) -> None:
    assert parse_registries(text) == ()


def test_a_json_list_is_a_list() -> None:
    entries = [{"registry": "a.example", "username": "u", "password": "p/\u2028"}]
    assert parse_registries(json.dumps(entries)) == (
        Declaration(0, 1, "a.example", "u", Source("password", "p/\u2028"), _BOTH),
    )


def test_one_registry_may_have_a_login_for_the_image_and_another_for_the_command() -> None:
    text = "".join(f"{_LOGIN}  password: p\n  for: {purpose}\n" for purpose in ("image", "command"))
    assert [sorted(d.purposes) for d in parse_registries(text)] == [["image"], ["command"]]


def test_a_place_names_entry_key_and_line() -> None:
    declaration = Declaration(2, 7, "a.b", "u", Source("password", "p"), _BOTH)
    assert (declaration.place(), declaration.place("for")) == ("registries[2] (line 7)", "registries[2].for (line 7)")


def test_a_source_shows_its_kind_alone() -> None:
    assert repr(Source("password", "hunter2")) == "Source('password', …)"


@table("data", {"plain": b"- \xc3\xa4", "byte order mark": b"\xef\xbb\xbf- \xc3\xa4"})
def test_a_file_is_utf_8_with_a_byte_order_mark_or_without(data: bytes) -> None:
    assert decode(data, "x") == "- ä"


@table(
    "data, message",
    {
        "UTF-16, little end first": (b"\xff\xfea\0", "x: is UTF-16; save it as UTF-8"),
        "UTF-16, big end first": (b"\xfe\xff\0a", "x: is UTF-16; save it as UTF-8"),
        "Latin-1": (b"ab\xe4", "x: is not UTF-8 (byte 2); save it as UTF-8"),
        "cut short": (b"a\xe2\x82", "x: is not UTF-8 (byte 1); save it as UTF-8"),
    },
)
def test_another_encoding_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=exactly(message)):
        decode(data, "x")
