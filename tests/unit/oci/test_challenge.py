"""Challenges as registries send them, and as they could."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_config.oci.challenge import Challenge, challenges, usable

_NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=8)
_VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
_CHALLENGES = st.builds(
    Challenge,
    st.sampled_from(["bearer", "basic", "digest", "negotiate"]),
    st.dictionaries(_NAMES, _VALUES, min_size=1, max_size=4),
)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], []),
        ([""], []),
        (['Basic realm="x"'], [("basic", {"realm": "x"})]),
        (["Basic"], [("basic", {})]),
        (["BASIC realm=x"], [("basic", {"realm": "x"})]),
        (
            ['Bearer realm="https://a/token",service="b c",scope="repository:a:pull,push repository:b:pull"'],
            [
                (
                    "bearer",
                    {"realm": "https://a/token", "service": "b c", "scope": "repository:a:pull,push repository:b:pull"},
                )
            ],
        ),
        (['Bearer scope=x , realm = "r"'], [("bearer", {"scope": "x", "realm": "r"})]),
        (["Bearer realm=https://a/token,service=b"], [("bearer", {"realm": "https://a/token", "service": "b"})]),
        (['Basic realm="a, b", Bearer realm="c"'], [("basic", {"realm": "a, b"}), ("bearer", {"realm": "c"})]),
        (['Bearer realm="c"', 'Basic realm="a"'], [("bearer", {"realm": "c"}), ("basic", {"realm": "a"})]),
        (["Negotiate, Basic realm=a"], [("negotiate", {}), ("basic", {"realm": "a"})]),
        (["Negotiate YWJj==, NTLM, Basic realm=a"], [("negotiate", {}), ("ntlm", {}), ("basic", {"realm": "a"})]),
        ([r'Basic realm="say \"hi\", \\o"'], [("basic", {"realm": r'say "hi", \o'})]),
        (['Bearer realm="first",realm="second",scope="a",scope="b"'], [("bearer", {"realm": "first", "scope": "a"})]),
        ([',, Basic realm="x" ,,'], [("basic", {"realm": "x"})]),
        (['realm="x", Basic realm="y"'], []),
        (['Bearer realm="never closed, Basic realm=y'], [("bearer", {})]),
        (['Bearer realm="a"b, Basic realm=y'], [("bearer", {})]),
    ],
)
def test_what_is_read(headers: list[str], expected: list[tuple[str, dict[str, str]]]) -> None:
    assert challenges(headers) == [Challenge(*one) for one in expected]


@pytest.mark.parametrize(
    ("headers", "scheme"),
    [
        ([], None),
        (["Negotiate"], None),
        (["Bearer"], None),
        (['Bearer service="a"', "Basic"], "basic"),
        (["Basic realm=a", "Bearer realm=b"], "bearer"),
        (["Negotiate abc=, Basic realm=a"], "basic"),
    ],
)
def test_which_one_is_answered(headers: list[str], scheme: str | None) -> None:
    found = usable(headers)
    assert (found.scheme if found else None) == scheme


@given(st.lists(st.lists(_CHALLENGES, min_size=1, max_size=3), max_size=3))
def test_all_that_is_well_formed_comes_back(headers: list[list[Challenge]]) -> None:
    written = [", ".join(_written(one) for one in header) for header in headers]
    assert challenges(written) == [one for header in headers for one in header]


@given(st.text(max_size=200) | st.text('Bearer="\\, \t=realm', max_size=200))
def test_nothing_breaks_it(header: str) -> None:
    for found in challenges([header]):
        assert found.scheme
        assert found.scheme == found.scheme.lower()


@given(st.integers(1, 12))
def test_it_takes_no_longer_than_a_header_is_long(power: int) -> None:
    """A quoted value of backslashes that never ends is where careless patterns take exponential time."""
    assert challenges(['Bearer realm="' + "\\" * 2**power]) == [Challenge("bearer", {})]


def _written(challenge: Challenge) -> str:
    escaped = {name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in challenge.parameters.items()}
    return f"{challenge.scheme} " + ",".join(f'{name}="{value}"' for name, value in escaped.items())
