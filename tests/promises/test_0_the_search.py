"""The search that the promises rest on finds a secret in whatever form it stands, and nothing in other text."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest

from support.leaks import search

if TYPE_CHECKING:
    from pathlib import Path

_USER = "robot$ci"
_AWKWARD = "cän&ary \"q\"/+<'t'>\\ %41$X\u2028;=?#é"
_FORMS: dict[str, bytes] = {
    "plain": _AWKWARD.encode(),
    "base64": b"Basic " + base64.b64encode(f"{_USER}:{_AWKWARD}".encode()),
    "base64, not padded": b"x" + base64.b64encode(b"12" + _AWKWARD.encode()).rstrip(b"="),
    "base64, URL-safe": base64.urlsafe_b64encode(b"1" + _AWKWARD.encode() + b"2"),
    "base64, cut": base64.b64encode(b"12" + _AWKWARD.encode())[4:],
    "base64, wrapped": base64.encodebytes(_AWKWARD.encode() * 3)[40:140],
    "base64 in base64": base64.b64encode(base64.b64encode(_AWKWARD.encode())),
    "base64, percent": quote(base64.b64encode(_AWKWARD.encode()), safe="").encode(),
    "percent": re.sub("%..", lambda found: found[0].lower(), quote(_AWKWARD, safe="")).encode(),
    "form": quote_plus(_AWKWARD).encode(),
    "JSON": json.dumps(_AWKWARD).encode(),
    "JSON, beyond the first plane": json.dumps(f"\U0001f511{_AWKWARD}").encode(),
    "JSON in JSON": json.dumps(json.dumps(_AWKWARD)).encode(),
    "repr": repr(_AWKWARD.encode()).encode(),
    "HTML": html.escape(_AWKWARD).encode(),
    "shell": shlex.quote(_AWKWARD).encode(),
}


@pytest.mark.parametrize("form", _FORMS)
def test_the_search_finds_a_secret_in_each_form(form: str, tmp_path: Path) -> None:
    data = b"before\n" + _FORMS[form] + b"\nafter"
    (tmp_path / "file").write_bytes(data)
    found = search({"bytes": data, "folder": tmp_path}, _AWKWARD)
    assert [place.partition(": ")[0] for place in found] == ["bytes", "folder/file"]


def test_the_search_finds_names_links_and_lines_and_nothing_in_other_text(tmp_path: Path) -> None:
    key = "-----BEGIN KEY-----\nfirst-line-of-it\nab\n-----END KEY-----\n"
    (tmp_path / "link").symlink_to("first-line-of-it")
    (tmp_path / "first-line-of-it").mkdir()
    found = search({"": tmp_path, "line": b"a first-line-of-it b", "marker": b"-----BEGIN KEY-----\nab"}, key)
    assert sorted(found) == ["/first-line-of-it (name): plain", "/link (link): plain", "line: plain"]
    short = {"pair": base64.b64encode(b"u:pw"), "word": b"pw"}
    assert search(short, "pw", "u") == ["pair: base64"]
