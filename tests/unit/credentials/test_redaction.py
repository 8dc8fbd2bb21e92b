"""Redaction of texts and of streams; test_properties.py tries it on what nobody thought of."""

from __future__ import annotations

import threading

import pytest

from registry_config.credentials.redaction import Redactor
from support.tables import table

_FORMS = (b"password", b"passphrase", b"word of honour", b"YTpi")


@table(
    "data, shown",
    {
        "nothing": (b"", b""),
        "innocent": (b"pass the word\xff\0", b"pass the word\xff\0"),
        "one": (b"a password b", b"a *** b"),
        "alone": (b"password", b"***"),
        "two in a row": (b"passwordpassphrase", b"******"),
        "twice": (b"password,password", b"***,***"),
        "overlapping share one mask": (b"<password of honour>", b"<***>"),
        "a beginning": (b"passwor", b"passwor"),
        "a false start": (b"passpasswordword", b"pass***word"),
        "short form": (b"xYTpiy", b"x***y"),
        "other case": (b"Password", b"Password"),
    },
)
def test_every_form_becomes_one_mask(data: bytes, shown: bytes) -> None:
    assert Redactor(_FORMS).data(data) == shown


@table(
    "forms, data, shown",
    {
        "the longest of several": ((b"secret", b"secrets", b"secrets!"), b"secrets!?", b"***?"),
        "the shorter where the longer does not follow": ((b"secret", b"secretary"), b"secretar", b"***ar"),
        "one inside another": ((b"cret", b"secrets"), b"secrets cret", b"*** ***"),
        "of repeated signs": ((b"aaaaaa",), b"aaaaaaaaa", b"***"),
        "none": ((), b"secret", b"secret"),
    },
)
def test_forms_may_hold_each_other(forms: tuple[bytes, ...], data: bytes, shown: bytes) -> None:
    assert Redactor(forms).data(data) == shown


def test_text_that_is_no_utf_8_is_shown_with_replacements() -> None:
    assert Redactor(_FORMS).text("\udcff password ä") == "\ufffd *** ä"


@table(
    "pieces, shown",
    {
        "complete lines pass": ([b"a line\n", b"b\n"], [b"a line\n", b"b\n", b""]),
        "a prompt passes": ([b"Continue? "], [b"Continue? ", b""]),
        "a beginning waits": ([b"a pass", b"e\n"], [b"a ", b"passe\n", b""]),
        "split anywhere": ([b"a pa", b"ss", b"word b"], [b"a ", b"", b"*** b", b""]),
        "a longer one may follow": ([b"word", b" of honour\n"], [b"", b"***\n", b""]),
        "cut short at the end": ([b"a passwo"], [b"a ", b"***"]),
        "cut shorter at the end": ([b"a passw"], [b"a ", b"passw"]),
        "the mask goes out once": ([b"password", b" of honour"], [b"***", b"", b""]),
        "the mask went out, nothing came of the rest": ([b"password", b" of honey"], [b"***", b" of honey", b""]),
    },
)
def test_a_stream_holds_back_only_what_may_be_a_beginning(pieces: list[bytes], shown: list[bytes]) -> None:
    stream = Redactor(_FORMS).stream()
    assert [*map(stream.feed, pieces), stream.finish()] == shown


def test_an_end_that_is_no_cut_keeps_a_beginning() -> None:
    stream = Redactor(_FORMS).stream()
    assert stream.feed(b"a passwo") + stream.finish(cut=False) == b"a passwo"


def test_streams_of_one_redactor_are_apart() -> None:
    redactor = Redactor(_FORMS)
    first, second = redactor.stream(), redactor.stream()
    assert (first.feed(b"pass"), second.feed(b"word\n"), first.feed(b"word\n")) == (b"", b"word\n", b"***\n")


def test_threads_may_share_a_redactor() -> None:
    redactor = Redactor(_FORMS)
    shown: list[bytes] = []
    threads = [threading.Thread(target=lambda: shown.append(redactor.data(b"password " * 2000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shown == [b"*** " * 2000] * 4


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_a_long_key_is_found_in_pieces_of_any_size(size: int) -> None:
    key = bytes(range(33, 127)) * 50
    data = b"before " + key + b" after " + key[:-1] + b"\n"
    stream = Redactor([key]).stream()
    shown = b"".join(stream.feed(data[at : at + size]) for at in range(0, len(data), size)) + stream.finish()
    assert shown == b"before *** after " + key[:-1] + b"\n"
