"""Redaction of texts and of streams; test_properties.py tries it on what nobody thought of."""

from __future__ import annotations

import re
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
        "white space at its end": ((b"secret0 ",), b"<secret0 >", b"<*** >"),
        "white space at its beginning": ((b"\tsecret0",), b"<\tsecret0>", b"<\t***>"),
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


_LONG = b"0123456789abcdefghijklmnopqrstuvwxyz"


@table(
    "data, shown",
    {
        "sixteen characters": (b"<456789abcdefghij>", b"<***>"),
        "fifteen": (b"<456789abcdefghi>", b"<456789abcdefghi>"),
        "at the start": (b"<0123456789abcdef>", b"<***>"),
        "at the end": (b"<klmnopqrstuvwxyz>", b"<***>"),
        "wrapped": (b"0123456789ab\ncdefghijklmn\nopqrstuvwxyz\n", b"***\n***\n***\n"),
        "a short rest": (b"0123456789abcdefghijklmnopqrstuv\nwxyz\n", b"***\n***\n"),
        "indented": (b"  0123456789ab\r\n  cdefghijklmn\r\n\r\n\topq", b"  ***\r\n  ***\r\n\r\n\t***"),
        "coloured": (b"\x1b[31m0123\x1b[0m456\x1b[1;38;5;9m789abcdefg\x1b[m", b"\x1b[31m***\x1b[m"),
        "coloured at each character": (b"\x1b[m\x1b[K".join(b"%c" % c for c in _LONG), b"***"),
        "in the title of a window": (b"\x1b]0;" + _LONG + b"\x07", b"\x1b]0;***\x07"),
        "around the title of a window": (b"0123456789ab\x1b]0;title\x07cdefghijklmn", b"***"),
        "around another control string": (b"0123456789ab\x1bPx\x1b\\cdef\x1b_y\x1b\\ghijklmn", b"***"),
        "in a control string without an end": (b"\x1b_" + _LONG + b"\n", b"\x1b_***\n"),
        "after an escape that does not end": (b"\x1b[0123456789abcdefghi", b"\x1b[***"),
        "control characters": (b"\0".join(b"%c" % c for c in _LONG), b"***"),
        "of UTF-8": (b"01234567\xc2\x9b89abcdefghij", b"***"),
        "dumped by curl": (b"0000: 0123456789abcd\n0040: efghij\n", b"0000: ***\n***\n"),
        "dumped by curl, from anywhere": (b"004d: X: 0123456789abcdefg\n008d: hij\n", b"004d: X: ***\n***\n"),
        "a backslash before each character": (b"".join(b"\\%c" % c for c in _LONG[:16]) + b" ]]", b"\\*** ]]"),
        "backslashes and colours": (b"\x1b[31m".join(b"\\%c" % c for c in _LONG[:16]), b"\\***"),
        "a backslash in the middle": (rb"01234567\89abcdef", rb"01234567\89abcdef"),
        "another character": (b"01234567.89abcdef", b"01234567.89abcdef"),
    },
)
def test_a_part_of_a_long_form_is_hidden_from_sixteen_characters_on(data: bytes, shown: bytes) -> None:
    assert Redactor([_LONG]).data(data) == shown


@table(
    "pieces, shown",
    {
        "a rest in the next line": (
            [b"0123456789abcdefghij\n", b"klm\n", b"no\n"],
            [b"***\n", b"***\n", b"***\n", b""],
        ),
        "a beginning that a line ends": ([b"0123\n", b"456789abcdefghij\n"], [b"0123\n", b"***\n", b""]),
        "a longer one waits": ([b"01234567\n", b"89abcdefghij\n"], [b"", b"***\n***\n", b""]),
        "a prompt after a secret": ([_LONG + b"? "], [b"***? ", b""]),
        "white space after a secret waits": ([_LONG, b" ", b"\x1b[0m", b"x"], [b"***", b"", b"", b" \x1b[0mx", b""]),
        "a control string in pieces": (
            [b"01234567\x1bP", b"x", b"y\x1b", b"\\89abcdefghi"],
            [b"", b"", b"", b"***", b""],
        ),
        "an escape in pieces": ([b"01234567\x1b", b"[0", b"m89abcdefghi"], [b"", b"", b"***", b""]),
        "each byte alone": (
            [b"%c" % c for c in b"<" + _LONG + b">"],
            [b"<", *[b""] * 15, b"***", *[b""] * 20, b">", b""],
        ),
        "from the middle": ([b"%c" % c for c in _LONG[10:]], [b"a", b"b", b"c", *[b""] * 12, b"***", *[b""] * 10, b""]),
        "each byte of a trace": (
            [b"%c" % c for c in b"".join(b"\\%c" % c for c in _LONG) + b"\n"],
            [b"\\", b"", b"0\\", b"1", b"\\", *[b""] * 26, b"***", *[b""] * 41, b"\n"],
        ),
        "a prompt that looks like a part": ([b"xyz", b"!"], [b"xyz", b"!", b""]),
        "more white space than a run may hold": (
            [b"01234567", b" " * 20_000, b"89abcdefghij"],
            [b"", b"01234567" + b" " * 20_000, b"", b"***"],
        ),
        "much after a secret": ([_LONG, b" " * 20_000], [b"***", b" " * 20_000, b""]),
    },
)
def test_a_stream_of_parts(pieces: list[bytes], shown: list[bytes]) -> None:
    stream = Redactor([_LONG]).stream()
    assert [*map(stream.feed, pieces), stream.finish()] == shown


@pytest.mark.parametrize("other", [b"ij" + b"Y" * 20, b"ijYYYY"])
def test_a_rest_in_the_next_line_is_hidden_where_it_may_be_the_beginning_of_another(other: bytes) -> None:
    stream = Redactor([_LONG, other]).stream()
    assert [stream.feed(b"0123456789abcdefgh\nij"), stream.feed(b"X\n"), stream.finish()] == [b"***\n***", b"X\n", b""]


def test_each_run_of_forms_that_have_their_middle_in_common_is_hidden() -> None:
    digits = "0123456789"
    forms = [f"{digits[n:]}{'x' * n}common{'y' * n}{digits[n:]}".encode() for n in range(9)]
    redactor = Redactor(forms)
    runs = {form[at : at + 16] for form in forms for at in range(len(form) - 15)}
    assert {run for run in runs if redactor.data(b"<" + run + b">") != b"<***>"} == set()


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
    key = b"".join(b"%04d%c" % (n, 33 + n % 90) for n in range(1000))
    data = b"before " + key + b" after " + key[1:-1] + b", " + key[:15] + b", " + key[20:36] + b"\n"
    stream = Redactor([key]).stream()
    shown = b"".join(stream.feed(data[at : at + size]) for at in range(0, len(data), size)) + stream.finish()
    # Where a piece ends in the first three characters of a part, these are out already.
    assert re.fullmatch(rb"before \*{3} after .{0,3}\*{3}, " + re.escape(key[:15]) + rb", .{0,3}\*{3}\n", shown)


@table(
    "between, shown",
    {
        "nothing but ends of lines": (b"", b"***\n"),
        "a word": (b"word\n", b"***\nword\n"),
        "too few characters of one": (b"0123456789abcde\n", b"***\n0123456789abcde\n"),
        "a part of one": (b"<fghijklmnopqrstuv>\n", b"***\n<***>\n"),
        "a rest": (b"uvwxyz\n", b"***\n***\n"),
        "what another one goes on with": (b"PQRST12-----\n", b"***\n***-----\n"),
        "a beginning of what follows": (b"-----+++++\n", b"***\n-----***\n"),
        "a short form": (b"a YTpi b\n", b"***\na *** b\n"),
    },
)
def test_in_a_list_of_secrets_what_is_no_secret_is_found_as_elsewhere(between: bytes, shown: bytes) -> None:
    forms = [_LONG, b"jklmnopqrPQRST12", b"+++++0123456789abcd", b"YTpi"]
    line = _LONG[:-6] if between.startswith(b"uv") else _LONG[:-8] if between.startswith(b"PQ") else _LONG[:20]
    repeated = 1000
    seen = Redactor(forms).data((line + b"\n" + between) * repeated + line + b"\nend")
    assert seen == shown * repeated + b"***\nend"


@table(
    "unit",
    {
        "JSON": b'"%s", "%s", "none"; ',
        "an assignment": b"TOKEN=%s\r\nOTHER=<%s>\r\n",
        "a URL": b"https://user:%s@registry.example.com/v2/ %s&\n",
        "a mark between two": b"%s:%s,\n",
        "a mark that belongs to a secret": b"(%s=%s)\n",
    },
)
@pytest.mark.parametrize("other", [_LONG, _LONG[:20], _LONG[5:25], _LONG[:15], b"+++++0123456789abcd", b"nothing"])
def test_marks_around_secrets_stay_in_a_list_as_elsewhere(unit: bytes, other: bytes) -> None:
    redactor = Redactor([_LONG, b"+++++0123456789abcd", b"0123456789=abcdefghi"])
    line = b"- " + unit % (_LONG[:22], other)
    assert redactor.data(line * 1000) == redactor.data(line) * 1000
    assert redactor.data(line).count(b"***") >= 1
