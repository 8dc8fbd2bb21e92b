"""Answers and bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from registry_config.http.messages import Answer, Body, form, json_body
from registry_config.http.tls import check_authorities
from support.authority import certificate

if TYPE_CHECKING:
    from pathlib import Path


def test_headers_are_found_by_any_case_and_all_of_them() -> None:
    answer = Answer(401, (("WWW-Authenticate", "a"), ("Www-authenticate", "b")))
    assert answer.all("www-authenticate") == ["a", "b"]
    assert answer.header("WWW-AUTHENTICATE") == "a"
    assert answer.header("Location") == ""


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"\xff", b"{", b"[" * 100_000, b'{"a":' * 100_000])
def test_a_body_that_is_no_json_object_has_no_fields(body: bytes) -> None:
    assert Answer(200, (), body).fields() == {}


def test_fields_and_bodies() -> None:
    assert Answer(200, (), b'{"token": "x"}').fields() == {"token": "x"}
    assert form([("a", "b c&d"), ("a", "é")]) == Body(b"a=b+c%26d&a=%C3%A9", "application/x-www-form-urlencoded")
    assert json_body({"a": [1]}) == Body(b'{"a": [1]}', "application/json")


def test_authorities_are_certificates(tmp_path: Path) -> None:
    pem = certificate(tmp_path).authority.read_text()
    check_authorities(pem)
    check_authorities(f"Főtanúsítvány\n{pem}\n{pem}")
    for text in ("", "nothing", pem.replace("CERTIFICATE", "PRIVATE KEY"), pem[:200], "é"):
        with pytest.raises(ValueError, match=r"\Aholds no certificate in PEM form\Z"):
            check_authorities(text)
