"""What holds for redaction whatever the secrets and the output are, held against the definition of what is hidden."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from registry_config.credentials.redaction import Redactor

moderately = settings(max_examples=300, deadline=None, database=None)
_RUN = 16
# Few letters, so that forms begin, end and hold each other often.
_forms = st.sets(
    st.one_of(
        st.text("ab", min_size=4, max_size=30).map(str.encode),
        st.text("abcdef", min_size=12, max_size=60).map(str.encode),
    ),
    max_size=6,
)
_between = st.sampled_from(
    [b"", b"", b"", b"\n", b"\r\n    ", b"\x1b[31m", b"\x1b[m\x1b[K", b"\0", b"\n0040: ", b"\n1a7f: ", b" "]
)


@st.composite
def _flows(draw: st.DrawFn, between: st.SearchStrategy[bytes]) -> tuple[set[bytes], bytes, list[bytes]]:
    """Forms, an output that holds parts of them, and the same in pieces."""
    forms: set[bytes] = draw(_forms)
    parts: list[bytes] = []
    for _ in range(draw(st.integers(0, 5))):
        part = draw(st.text("abcdef\n", max_size=14).map(str.encode))
        if draw(st.booleans()) and forms:
            form = draw(st.sampled_from(sorted(forms)))
            start, end = sorted((draw(st.integers(0, len(form))), draw(st.integers(0, len(form)))))
            part = form[start:end] if draw(st.booleans()) else form
        at = draw(st.integers(0, len(part)))
        parts += [part[:at], draw(between), part[at:]]
    data = b"".join(parts)
    cuts = sorted(draw(st.sets(st.integers(0, len(data)), max_size=8)) | {0, len(data)})
    return forms, data, [data[start:end] for start, end in pairwise(cuts)]


def _hidden(forms: set[bytes], data: bytes) -> list[bool]:
    """By the definition: each byte that belongs to a short form, or to sixteen characters in a row of a longer one."""
    needles = {form for form in forms if len(form) < _RUN}
    needles |= {form[at : at + _RUN] for form in forms for at in range(len(form) - _RUN + 1)}
    marks = [False] * len(data)
    for needle in needles:
        for at in range(len(data) - len(needle) + 1):
            if data.startswith(needle, at):
                marks[at : at + len(needle)] = [True] * len(needle)
    return marks


@moderately
@given(_flows(st.just(b"")))
@example(({b"aaaaaabbbbbbaaaaaa"}, b"xaaaaabbbbbbax", []))
def test_exactly_the_characters_of_runs_and_of_short_forms_are_hidden(
    flow: tuple[set[bytes], bytes, list[bytes]],
) -> None:
    forms, data, _ = flow
    data = data.replace(b"\n", b"x")
    marks = _hidden(forms, data)
    kept = bytes(byte for byte, hidden in zip(data, marks, strict=True) if not hidden)
    shown = Redactor(forms).data(data)
    assert shown.replace(b"***", b"") == kept
    groups = "".join("*" if hidden else "x" for hidden in marks)
    assert (shown.count(b"***") > 0) == ("*" in groups)
    assert shown.count(b"***") >= len(re.findall(r"\*+", groups))


@moderately
@given(_flows(_between))
@example(({b"abcdefabcdefabcdefab"}, b"abcdefabcdef\n0040: abcdef", []))
def test_what_a_terminal_or_a_decoder_passes_over_does_not_end_a_run(
    flow: tuple[set[bytes], bytes, list[bytes]],
) -> None:
    forms, data, _ = flow
    longer = {form for form in forms if len(form) >= _RUN}
    shown = Redactor(longer).data(data)
    plain = re.sub(rb"\x1b\[[0-9;]*[A-Za-z]|\r?\n[0-9a-f]{4}: |[\0-\x20]", b"", shown)
    assert not any(_hidden(longer, plain))


@moderately
@given(_flows(_between))
def test_pieces_show_no_run_either_and_nothing_is_lost(flow: tuple[set[bytes], bytes, list[bytes]]) -> None:
    forms, data, pieces = flow
    longer = {form for form in forms if len(form) >= _RUN}
    stream = Redactor(longer).stream()
    shown = b"".join(map(stream.feed, pieces)) + stream.finish(cut=False)
    plain = re.sub(rb"\x1b\[[0-9;]*[A-Za-z]|\r?\n[0-9a-f]{4}: |[\0-\x20]", b"", shown)
    assert not any(_hidden(longer, plain))
    # Between the masks stands what stood there.
    pattern = b".*".join(map(re.escape, shown.split(b"***")))
    assert re.fullmatch(pattern, data, re.DOTALL)


@moderately
@given(_forms, st.lists(st.binary(max_size=9), max_size=5), st.data())
def test_whole_forms_are_hidden_the_same_wherever_they_are_split(
    forms: set[bytes], around: list[bytes], data: st.DataObject
) -> None:
    whole = b"".join(
        text + b"<" + (data.draw(st.sampled_from(sorted(forms))) if forms else b"") + b">" for text in around
    )
    cuts = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=8)) | {0, len(whole)})
    redactor = Redactor(forms)
    stream = redactor.stream()
    shown = b"".join(stream.feed(whole[start:end]) for start, end in pairwise(cuts)) + stream.finish(cut=False)
    assert shown == redactor.data(whole)


@moderately
@given(_flows(_between))
def test_no_form_remains_even_where_the_end_cut_it(flow: tuple[set[bytes], bytes, list[bytes]]) -> None:
    forms, _, pieces = flow
    stream = Redactor(forms).stream()
    shown = b"".join(map(stream.feed, pieces)) + stream.finish()
    assert [form for form in forms if form in shown] == []


@moderately
@given(_forms, st.lists(st.text("abcdef", max_size=9).map(lambda text: f"{text}\n".encode())))
def test_lines_without_a_secret_come_out_at_once(forms: set[bytes], lines: list[bytes]) -> None:
    """But for the last six characters or more of a line that may go on as a secret in the next one."""
    whole = b"".join(lines)
    redactor = Redactor(forms)
    assume(redactor.data(whole) == whole)
    stream = redactor.stream()
    given_so_far = shown = b""
    for line in lines:
        given_so_far += line
        shown += stream.feed(line)
        plain = given_so_far.replace(b"\n", b"")
        begun = any(plain.endswith(form[:n]) for form in forms for n in range(6, len(form)))
        words = {form[n : n + 4] for form in forms for n in range(len(form) - 3) if len(form) >= _RUN}
        begun |= len(plain) >= 6 and words >= {plain[-6:-2], plain[-5:-1], plain[-4:]}
        assert shown == given_so_far or (begun and given_so_far.startswith(shown))
    assert shown + stream.finish(cut=False) == whole
