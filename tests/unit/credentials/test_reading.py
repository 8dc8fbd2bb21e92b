"""Declarations turned into credentials. What is refused stands in test_malformed_inputs.py as well."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from registry_config.credentials.reading import (
    Credential,
    JobToken,
    MissingSecretError,
    password_variables,
    read_credential,
)
from registry_config.declaration.providers import ProviderSettings
from registry_config.declaration.registries import Declaration, Purpose
from registry_config.declaration.sources import Source, SourceKind
from registry_config.errors import InputError
from support.tables import exactly, table

if TYPE_CHECKING:
    from pathlib import Path

_BOTH: frozenset[Purpose] = frozenset(("image", "command"))
_NO_TOKEN = JobToken("", None, "")


def _declare(kind: SourceKind, value: str = "", username: str | None = "alice") -> Declaration:
    return Declaration(0, 1, "a.example", username, Source(kind, value), _BOTH)


@table(
    "text, secret",
    {
        "as it is": ("pass", "pass"),
        "LF": ("pass\n", "pass"),
        "CRLF": ("pass\r\n", "pass"),
        "one of two": ("pass\n\n", "pass\n"),
        "CR alone stays": ("pass\r", "pass\r"),
        "spaces stay": (" pass ", " pass "),
        "inner ones stay": ("a\nb\n", "a\nb"),
        "NUL-free UTF-8": ("密🔑\n", "密🔑"),
    },
)
@pytest.mark.parametrize("kind", ["password", "password-env", "password-file"])
def test_one_newline_at_the_end_is_taken_off_wherever_the_password_is(
    kind: SourceKind, text: str, secret: str, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_bytes(text.encode())
    value = {"password": text, "password-env": "TOKEN", "password-file": str(file)}[kind]
    credential = read_credential(_declare(kind, value), {"TOKEN": text}, _NO_TOKEN)
    assert credential == Credential("a.example", "alice", secret, _BOTH, source=kind)


def test_a_password_file_may_be_reached_through_a_link_and_hold_a_mebibyte(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("x" * 1024 * 1024)
    (tmp_path / "link").symlink_to("key")
    credential = read_credential(_declare("password-file", str(tmp_path / "link")), {}, _NO_TOKEN)
    assert credential.secret == "x" * 1024 * 1024


def test_reading_a_password_file_leaves_no_descriptor_open(tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(InputError):
            read_credential(_declare("password-file", str(path)), {}, _NO_TOKEN)
    assert os.listdir("/proc/self/fd") == before


@table("server", {"outside of GitHub": "", "github.com": "https://github.com"})
def test_the_job_token_stands_in_with_the_actor_as_user(server: str) -> None:
    credential = read_credential(_declare("github-token", username=None), {}, JobToken("octocat", "tok", server))
    assert credential == Credential("a.example", "octocat", "tok", _BOTH, source="github-token")


@table(
    "token, message",
    {
        "another server": (
            JobToken("octocat", "tok", "https://ghe.example"),
            "the job's token is not for ghcr.io on this GitHub server; give username and password",
        ),
        "none offered": (
            _NO_TOKEN,
            "'username' and a password are missing; give them, or --github-token-env NAME",
        ),
        "no actor": (
            JobToken("", "tok", ""),
            "GITHUB_ACTOR is not set; give username and password",
        ),
    },
)
def test_the_job_token_is_refused_where_it_is_of_no_use(token: JobToken, message: str) -> None:
    with pytest.raises(InputError, match=exactly(f"registries[0] (line 1): {message}")) as caught:
        read_credential(_declare("github-token", username=None), {}, token)
    assert not isinstance(caught.value, MissingSecretError)


@pytest.mark.parametrize("text", ["", "\n", "\r\n"])
@table(
    "kind, place, problem",
    {
        "password": ("password", ".password", "the password for a.example is empty"),
        "password-env": (
            "password-env",
            ".password-env",
            "the password for a.example is empty: the variable TOKEN is set to nothing",
        ),
        "password-file": ("password-file", ".password-file", "the password for a.example is empty"),
        "github-token": ("github-token", "", "the job's token for a.example is empty"),
    },
)
def test_an_empty_password_is_told_apart_from_one_that_is_not_there(
    kind: SourceKind, place: str, problem: str, text: str, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_bytes(text.encode())
    value = {"password": text, "password-env": "TOKEN", "password-file": str(file)}.get(kind, "")
    remedy = "give it a value, or set on-missing: skip"
    with pytest.raises(MissingSecretError, match=exactly(f"registries[0]{place} (line 1): {problem}; {remedy}")):
        read_credential(_declare(kind, value), {"TOKEN": text}, JobToken("octocat", text, ""))


def test_an_empty_password_before_a_comment_says_so() -> None:
    declaration = _declare("password")._replace(source=Source("password", "", is_cut=True))
    with pytest.raises(MissingSecretError, match="is empty: what follows '#' is a comment;"):
        read_credential(declaration, {}, _NO_TOKEN)


def test_what_is_wrong_with_a_password_is_said_of_the_line_of_its_own_key() -> None:
    declaration = _declare("password-env", "TOKEN")._replace(lines=(("password-env", 7),))
    with pytest.raises(InputError, match=r"\Aregistries\[0\]\.password-env \(line 7\): no such variable"):
        read_credential(declaration, {}, _NO_TOKEN)


def test_what_is_declared_of_a_registry_goes_with_its_credential() -> None:
    declaration = _declare("password", "secret")._replace(
        path="org", realm="auth.example:5000", ca_file="ca.pem", optional=True, plain_http=False
    )
    credential = read_credential(declaration, {}, _NO_TOKEN)
    assert credential == Credential(
        host="a.example",
        username="alice",
        secret="secret",
        purposes=_BOTH,
        path="org",
        source="password",
        ca_file="ca.pem",
        realm="auth.example:5000",
        optional=True,
    )
    assert read_credential(_declare("password", "secret")._replace(plain_http=True), {}, _NO_TOKEN).plain_http


def test_only_variables_that_hold_passwords_are_listed() -> None:
    declarations = [_declare("password", "A"), _declare("password-env", "B"), _declare("password-file", "C")]
    exchanged = _declare("provider", "aws")._replace(provider=ProviderSettings("aws", (("id-token-env", "E"),)))
    assert password_variables([*declarations, _declare("password-env", "D"), exchanged]) == ("B", "D", "E")


def test_no_representation_shows_a_secret() -> None:
    shown = [repr(Credential("a.example", "alice", "hunter2", _BOTH)), repr(JobToken("alice", "hunter2", ""))]
    assert shown == ["Credential('a.example', 'alice', ***)", "JobToken('alice', ***)"]
