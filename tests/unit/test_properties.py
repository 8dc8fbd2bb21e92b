"""What holds for any input, tried on inputs that nobody thought of."""

from __future__ import annotations

import base64
import json
import re
import shlex
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from registry_config.credentials.encodings import forms
from registry_config.credentials.redaction import Redactor
from registry_config.declaration.command import parse_commands
from registry_config.declaration.registries import parse_registries
from registry_config.docker_config import Login, config_keys, render
from registry_config.errors import RegistryConfigError
from registry_config.github.workflow import safe_lines
from registry_config.reference import canonical_host
from support.leaks import search

moderately = settings(max_examples=150, deadline=None, database=None)
# Few letters, so that forms begin, end and hold each other often.
_letters = st.text("ab", min_size=4, max_size=12).map(str.encode)
_related = st.one_of(
    st.sets(_letters, max_size=5),
    st.text("abc", min_size=8, max_size=20).flatmap(
        lambda whole: st.sets(
            st.tuples(st.integers(0, len(whole) - 4), st.integers(4, len(whole))).map(
                lambda cut: whole[cut[0] : max(cut[1], cut[0] + 4)].encode()
            ),
            min_size=1,
            max_size=6,
        )
    ),
)
_outputs = st.text("abc\n", max_size=60).map(str.encode)
_secrets = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=8, max_size=30)


@st.composite
def _flows(draw: st.DrawFn) -> tuple[set[bytes], list[bytes]]:
    """Forms, and an output that holds some of them, in pieces."""
    secret = draw(_related)
    parts = draw(st.lists(st.one_of(_outputs, st.sampled_from(sorted(secret))) if secret else _outputs, max_size=6))
    data = b"".join(parts)
    cuts = sorted(draw(st.sets(st.integers(0, len(data)), max_size=8)) | {0, len(data)})
    return secret, [data[start:end] for start, end in pairwise(cuts)]


@moderately
@given(_flows())
@example(({b"aaaaaaaa", b"aaaaaaaab"}, [b"aaaaaaaa", b"a", b"b"]))
@example(({b"abab", b"babababa"}, [b"abab", b"ab", b"aba"]))
def test_a_stream_shows_the_same_wherever_it_is_split(flow: tuple[set[bytes], list[bytes]]) -> None:
    secret, pieces = flow
    redactor = Redactor(secret)
    stream = redactor.stream()
    shown = b"".join(map(stream.feed, pieces)) + stream.finish(cut=False)
    assert shown == redactor.data(b"".join(pieces))


@moderately
@given(_flows())
def test_exactly_the_bytes_of_forms_are_hidden(flow: tuple[set[bytes], list[bytes]]) -> None:
    """Held against the definition: every byte of every occurrence, each run of overlapping ones as one mask."""
    secret, pieces = flow
    data = b"".join(pieces)
    found = sorted((at, at + len(form)) for form in secret for at in range(len(data)) if data.startswith(form, at))
    shown, done = b"", 0
    for start, end in found:
        if start >= done:
            shown += data[done:start] + b"***"
        done = max(done, end)
    assert Redactor(secret).data(data) == shown + data[done:]


@moderately
@given(_flows())
def test_no_form_remains_even_where_the_end_cut_it(flow: tuple[set[bytes], list[bytes]]) -> None:
    secret, pieces = flow
    stream = Redactor(secret).stream()
    shown = b"".join(map(stream.feed, pieces)) + stream.finish()
    assert [form for form in secret if form in shown] == []


@moderately
@given(_related, st.lists(st.text("abc", max_size=9).map(lambda text: f"{text}\n".encode())))
def test_complete_lines_without_a_secret_are_never_held(secret: set[bytes], lines: list[bytes]) -> None:
    assume(not any(form in line for form in secret for line in lines))
    stream = Redactor(secret).stream()
    assert [stream.feed(line) for line in lines] == lines
    assert stream.finish() == b""


@moderately
@given(_flows())
def test_no_more_is_held_than_the_beginning_of_a_form(flow: tuple[set[bytes], list[bytes]]) -> None:
    secret, pieces = flow
    stream = Redactor(secret).stream()
    given_so_far, shown = b"", b""
    for piece in pieces:
        given_so_far += piece
        shown += stream.feed(piece)
        open_from = min(
            (at for at in range(len(given_so_far)) if any(_may_become(given_so_far[at:], form) for form in secret)),
            default=len(given_so_far),
        )
        assert shown == _one_shot_until(secret, given_so_far, open_from)


def _may_become(tail: bytes, form: bytes) -> bool:
    return len(tail) < len(form) and form.startswith(tail)


def _one_shot_until(secret: set[bytes], data: bytes, until: int) -> bytes:
    """What is shown of `data[:until]`, given that forms which begin there may end later."""
    found = sorted((at, at + len(form)) for form in secret for at in range(until) if data.startswith(form, at))
    shown, done = b"", 0
    for start, end in found:
        if start >= done:
            shown += data[done:start] + b"***"
        done = max(done, end)
    return shown + data[done:until]


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
        assert search({"shown": Redactor(forms(username, secret)).data(text)}, secret, username) == []


_labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
_hosts = st.one_of(
    st.builds(
        lambda labels, port: ".".join(labels) + port,
        st.lists(_labels, min_size=2, max_size=4),
        st.sampled_from(["", ":1", ":5000", ":65535"]),
    ),
    st.sampled_from(config_keys("docker.io")),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]:443"),
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
    shown = b"".join(safe_lines(text.encode())).decode()
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
