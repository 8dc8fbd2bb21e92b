"""What holds for any input, tried on inputs that nobody thought of."""

from __future__ import annotations

import base64
import json
import re
import shlex
from contextlib import suppress

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from registry_config.credentials.encodings import encodings
from registry_config.credentials.redaction import Redactor
from registry_config.declaration.command import parse_commands
from registry_config.declaration.registries import parse_registries
from registry_config.docker_config import Login, config_keys, render
from registry_config.errors import RegistryConfigError
from registry_config.github.workflow import safe_lines
from registry_config.reference import canonical_host
from support.leaks import search

moderately = settings(max_examples=150, deadline=None, database=None)
_secrets = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=8, max_size=30)


@moderately
@given(st.text(min_size=1, max_size=12), _secrets, st.binary(max_size=12), st.binary(max_size=12))
def test_no_decoder_finds_a_secret_in_what_is_shown(username: str, secret: str, before: bytes, after: bytes) -> None:
    with suppress(UnicodeEncodeError):
        pair = f"{username}:{secret}".encode()
        text = b"\n".join(
            (
                before + secret.encode() + after,
                base64.b64encode(before + secret.encode() + after),
                base64.urlsafe_b64encode(before + pair + after),
                json.dumps({"password": secret}).encode(),
            )
        )
        assume(not search({"around": before + b"\n" + after}, secret, username))
        assert search({"shown": Redactor(encodings(username, secret)).data(text)}, secret, username) == []


_labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
_hosts = st.one_of(
    st.builds(
        lambda labels, port: ".".join(labels) + port,
        st.lists(_labels, min_size=2, max_size=4),
        st.sampled_from(["", ":1", ":5000", ":65535"]),
    ),
    st.sampled_from(config_keys("docker.io")),
    # As hexadecimal groups: some versions of Python write an IPv4 address at the end, which Docker's grammar has not.
    st.ip_addresses(v=6).map(lambda address: f"[{address.packed.hex(':', 2)}]:443"),
)


@moderately
@given(st.one_of(_hosts, _hosts.map(str.upper), _hosts.map(lambda host: f" {host}\n"), st.text()))
def test_a_canonical_host_is_its_own_canonical_host(address: str) -> None:
    try:
        host = canonical_host(address)
    except ValueError as error:
        assert len(address.strip()) < 4 or address.strip() not in str(error)  # noqa: PT017  (either way is fine)
        return
    assert canonical_host(host) == host
    assert all(canonical_host(key) == host for key in config_keys(host))


_users = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=":"), min_size=1, max_size=12)
_passwords = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


@moderately
@given(st.dictionaries(_hosts, st.tuples(_users, _passwords), max_size=4))
def test_what_is_rendered_decodes_to_what_was_given(logins: dict[str, tuple[str, str]]) -> None:
    expected = {key: pair for host, pair in logins.items() for key in config_keys(canonical_host(host))}
    document = json.loads(render([Login(canonical_host(host), *pair) for host, pair in logins.items()]))
    assert list(document) == ["auths"]
    assert {
        key: tuple(base64.b64decode(entry.pop("auth"), validate=True).decode().split(":", 1))
        for key, entry in document["auths"].items()
    } == expected
    assert not any(document["auths"].values())


@moderately
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_a_password_written_by_to_json_is_read_as_it_was(password: str) -> None:
    # YAML 1.1 refuses these characters unless they are escaped (section 5.1), and such a list is refused as a whole.
    assume(not set(password) & {*map(chr, range(0x7F, 0xA0)), "\ufffe", "\uffff", "\ufeff"})
    written = json.dumps(password, ensure_ascii=False)
    # GitHub's toJSON escapes the ends of lines that JavaScript knows.
    written = written.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    text = f"- registry: a.example\n  username: u\n  password: {written}\n"
    assert parse_registries(text)[0].source.value == password


@moderately
@given(st.text("ab'\" \t\\=-./:é{}", max_size=25))
def test_words_are_those_of_a_shell(text: str) -> None:
    # bash counts from a to b.
    assume(not re.search(r"\{-?[ab]+\.\.-?[ab]+\}", text))
    assume((len(text) - len(text.rstrip("\\"))) % 2 == 0)
    # A line that was to go on.
    assume(not re.search(r"\\[ \t]+$", text))
    try:
        words = shlex.split(text)
    except ValueError:
        words = []
    if not words:
        with pytest.raises(RegistryConfigError):
            parse_commands(text, {})
        return
    commands = parse_commands(text, {}, has_entrypoint=True)
    assert [[word.text for word in command] for command in commands] == [words]


@moderately
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n")), min_size=1))
def test_what_a_shell_quotes_is_one_word(arguments: list[str]) -> None:
    quoted = " ".join(f"'{a}'" if "'" not in a else shlex.quote(a) for a in arguments)
    ((_, *words),) = parse_commands(f"tool {quoted}", {})
    assert [(word.text, word.pattern) for word in words] == [(argument, None) for argument in arguments]


@moderately
@given(st.text("a:# []\t\r\n\x1b\x9b;m0\x08é\u3000", max_size=40))
def test_no_line_of_a_tool_is_a_command_of_the_runner(text: str) -> None:
    shown = safe_lines(text.encode()).decode()
    assert [line for line in shown.split("\n") if line.lstrip().startswith("::") or "##[" in line] == []
    assert not set(shown) & set("\r\x1b\x08\x9b")


@moderately
@given(st.text(max_size=60))
@example("- {registry: a.example, username: u, password: {[: ]}}")
@example("- &a [*a]")
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(RegistryConfigError):
        parse_registries(text)
    with suppress(RegistryConfigError):
        parse_commands(text, {})
