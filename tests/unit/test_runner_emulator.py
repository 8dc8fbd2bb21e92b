"""The emulator of GitHub's runner, against what the runner's source says."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from support.runner import Annotation, Command, Runner, file_commands, parse
from support.tables import exactly, table

_DISABLED = "The `set-env` command is disabled."
_BAD_TOKEN = (
    "You cannot use a endToken that is an empty string, the string 'pause-logging', or another workflow command."
)


@table(
    "line, command",
    {
        "alone": ("::endgroup::", Command("endgroup")),
        "data": ("::error::a::b", Command("error", "a::b")),
        "white space before": (" \t\u00a0\u3000\u2028::error::x", Command("error", "x")),
        "other sign before": ("x::error::y", None),
        "separator of units before": ("\x1f::error::y", None),
        "byte order mark before": ("\ufeff::error::y", None),
        "three colons": (":::error::x", None),
        "no second colons": ("::error:x", None),
        "unknown": ("::nonsense::x", None),
        "white space in the name": (":: error::x", None),
        "other case": ("::Set-Output NAME=a::x", Command("set-output", "x", {"name": "a"})),
        "properties": (
            "::error  title=a%2Cb%3A%25,line=1,,empty=,=c, file=f=g::x",
            Command("error", "x", {"title": "a,b:%", "line": "1", " file": "f=g"}),
        ),
        "escapes": ("::error::a%0Ab%0D%250A%3A", Command("error", "a\nb\r%0A%3A")),
        "old": ("##[error]x", Command("error", "x")),
        "old in the middle": ("abc##[group]x", Command("group", "x")),
        "old with properties": (
            "a ##[set-output name=a%3B%5D;x=%2C]y%0A%5D",
            Command("set-output", "y\n]", {"name": "a;]", "x": "%2C"}),
        ),
        "old without an end": ("##[error x", None),
        "old, unknown first": ("##[x]##[error]y", None),
        "old behind an unknown new one": ("::x::##[error]y", Command("error", "y")),
    },
)
def test_a_line_is_a_command_where_the_runner_takes_it_for_one(line: str, command: Command | None) -> None:
    assert parse(line) == command


@table(
    "data, log",
    {
        "ends of lines": (b"a\nb\r\nc\rd\n\ne", ["a", "b", "c", "d", "", "e"]),
        "nothing": (b"", []),
        "end of a line alone": (b"\n", [""]),
        "byte order mark": (b"\xef\xbb\xbfa", ["a"]),
        "bytes that are no text": (b"\xffa\xc3", ["\ufffda\ufffd"]),
        "UTF-16": (b"\xff\xfea\0\n\0b\0", ["a", "b"]),
        "marker of the runner": (b"x ##[start-action a]##[end-action]", [r"x ##[\start-action a]##[\end-action]"]),
        "groups": (b"::group::a\n::endgroup::b", ["##[group]a", "##[endgroup]"]),
        "debug": (b"::debug::a", []),
        "echo": (b"::echo::on\n::save-state::x\n::ECHO:: Off", ["::save-state::x", "::ECHO:: Off"]),
    },
)
def test_the_log_shows(data: bytes, log: list[str]) -> None:
    shown = [line for line in Runner().step(data).log if not line.startswith(("##[warning]", "##[error]"))]
    assert shown == log


def test_a_debug_log_echoes_commands_but_no_mask() -> None:
    data = b"::add-mask::secret\n::debug::a secret%0Ab\n::set-output name=a::b"
    assert [line for line in Runner(debug=True).step(data).log if "deprecated" not in line] == [
        "::add-mask::***",
        "##[debug]a ***",
        "##[debug]b",
        "::set-output name=a::b",
    ]


def test_standard_error_is_taken_first() -> None:
    step = Runner().step(b"::add-mask::secret\nsecret\n", b"secret\n")
    assert (step.log, step.masks) == (["secret", "***"], ["secret"])


def test_a_lone_carriage_return_starts_a_command() -> None:
    step = Runner().step(b"safe\r::set-output name=digest::x\n")
    assert step.outputs == {"digest": "x"}


def test_a_mask_lasts_to_the_end_of_the_job() -> None:
    runner = Runner()
    runner.step(b"::add-mask::secret\n")
    assert runner.step(b"a secret").log == ["a ***"]
    assert runner.summary(b"a\r\nsecret") == "a\n***\n"
    assert runner.summary(b"x" * (1024 * 1024 + 1)) == ""


def test_an_annotation_is_masked_and_cut_but_its_title_is_not() -> None:
    step = Runner().step(b"::add-mask::secret\n::error title=secret,file=f::secret%0A" + b"x" * 5000 + b"\n::notice::")
    message = "***\n" + "x" * 4092
    assert step.annotations == [Annotation("error", message, "secret"), Annotation("notice", "")]
    assert step.log == [f"##[error]{message}"]


@table(
    "data, complaints",
    {
        "set-env": (
            b"::set-env name=a::b",
            ["Unable to process command '::set-env name=a::b' successfully.", _DISABLED],
        ),
        "output without a name": (
            b"::set-output name=::b",
            [
                "The `set-output` command is deprecated and will be disabled soon.",
                "Unable to process command '::set-output name=::b' successfully.",
                "Required field 'name' is missing in ##[set-output] command.",
            ],
        ),
        "token that is a command": (b"::stop-commands::Group", [_BAD_TOKEN]),
        "empty token": (b"::stop-commands::\n::error::x", [_BAD_TOKEN]),
    },
)
def test_a_command_that_cannot_be_carried_out_fails_the_step(data: bytes, complaints: list[str]) -> None:
    step = Runner().step(data)
    assert ([annotation.message for annotation in step.annotations], step.failed) == (complaints, True)


def test_stopped_commands_go_on_after_their_token_only() -> None:
    data = b"::stop-commands::Token-1\n::error::a\n::add-mask::b\n::token-2::\n::tokeN-1::c\n::error::d"
    step = Runner().step(data)
    assert step.log == [
        "::stop-commands::***",
        "::error::a",
        "::add-mask::b",
        "::token-2::",
        "::tokeN-1::c",
        "##[error]d",
    ]
    assert [command.name for command in step.commands] == ["stop-commands", "token-1", "error"]


_TOKEN = "p/a+s&s<w>o='r\"d'é"
_ALNUM = "abcdefghijklmnopqrstuvwxyz"


@table(
    "text, shown",
    {
        "plain": (_TOKEN, "***"),
        "twice, and overlapping itself": (f"{_TOKEN}{_TOKEN} {_TOKEN}", "*** ***"),
        "percent": (quote(_TOKEN, safe=""), "***"),
        "JSON": (json.dumps(_TOKEN, ensure_ascii=False), '"***"'),
        "XML": ("p/a+s&amp;s&lt;w&gt;o=&apos;r&quot;d&apos;é", "***"),
        "expression": (_TOKEN.replace("'", "''"), "***"),
        "quoted for a program": (_TOKEN.replace('"', '\\"'), "***"),
        "PowerShell, before the sign": ("p/a+s& s<w>o", "*** s<w>o"),
        "PowerShell, after the sign": ("+ s<w>o='r\"d'é", "+ ***"),
        "other case": (_TOKEN.upper(), _TOKEN.upper()),
    },
)
def test_a_masked_token_is_hidden_in_the_forms_the_runner_knows(text: str, shown: str) -> None:
    assert _masked(_TOKEN, text) == shown


@pytest.mark.parametrize("user", ["", "a:", "ab:", "abc:"])
@pytest.mark.parametrize("length", [12, 13, 14])
def test_padded_base64_is_hidden_but_for_the_bytes_it_shares_with_its_neighbours(user: str, length: int) -> None:
    shown = _masked(_ALNUM[:length], base64.b64encode(f"{user}{_ALNUM[:length]}".encode()).decode())
    assert shown.endswith("***")
    assert len(base64.b64decode(shown[:-3][: len(shown[:-3]) // 4 * 4])) <= len(user) + 2


def test_base64_without_padding_is_not_hidden() -> None:
    unpadded = base64.b64encode(b"abcdefghijklm").decode().rstrip("=")
    assert _masked("abcdefghijklm", unpadded) == unpadded


def test_each_line_of_a_mask_is_one_without_the_white_space_around() -> None:
    assert _masked("{%0D%0A  key  %0A}", "a { key } b") == "a *** *** *** b"


@table(
    "value, text, shown",
    {
        "quotes around more than 8 signs": ('"abcdefg"', "abcdefg", "***"),
        "quotes around 8 signs with them": ('"abcdef"', "abcdef", "abcdef"),
        "ampersand and plus": ("abcd&+efghijk", "abcd&+ fghijk", "*** ***"),
        "short section": ("abc&defghi", "abc& defghi", "abc& ***"),
        "ASCII-only JSON": ("passwörd", "passw\\u00f6rd", "passw\\u00f6rd"),
        "one sign": ("a", "banana", "b***n***n***"),
        "places that touch": ("ab", "ababx", "***x"),
        "line separator in JSON": ("abc\u2028\x85\x01\x7f", "abc\\u2028\\u0085\\u0001\x7f", "***"),
    },
)
def test_the_masks_of(value: str, text: str, shown: str) -> None:
    assert _masked(value, text) == shown


def test_a_mask_of_white_space_is_refused() -> None:
    step = Runner().step(b"::add-mask:: \t\n")
    assert step.log == ["##[warning]Can't add secret mask for empty string in ##[add-mask] command."]


@table(
    "data, pairs",
    {
        "plain": (b"a=b\n\nc=d=e<<f", {"a": "b", "c": "d=e<<f"}),
        "heredoc": (b"a<<E=F\nb\n c=d\n\nE=F\ne=f\n", {"a": "b\n c=d\n", "e": "f"}),
        "empty heredoc": (b"a<<E\nE\n", {"a": ""}),
        "heredoc with one empty line": (b"a<<E\n\nE", {"a": ""}),
        "CRLF stays": (b"a<<E\nb\r\nE\n", {"a": "b\r"}),
        "delimiter that comes too early": (b"a<<E\nb\nE\nskipped=true\n", {"a": "b", "skipped": "true"}),
        "byte order mark": (b"\xef\xbb\xbfa=b", {"a": "b"}),
        "last one counts": (b"a=b\na=c", {"a": "c"}),
    },
)
def test_a_file_of_outputs_holds(data: bytes, pairs: dict[str, str]) -> None:
    assert file_commands(data) == pairs


@table(
    "data, problem",
    {
        "no sign": (b"a", "Invalid format 'a'"),
        "no name": (b"=a", "Invalid format '=a'. Name must not be empty"),
        "no delimiter": (b"a<<", "Invalid format 'a<<'. Name must not be empty and delimiter must not be empty"),
        "delimiter with a carriage return": (b"a<<E\nb\nE\r\n", "Invalid value. Matching delimiter not found 'E'"),
        "no end": (b"a<<E\nb", "Invalid value. EOF marker missing new line."),
    },
)
def test_a_file_of_outputs_is_refused_for(data: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=exactly(problem)):
        file_commands(data)


def _masked(value: str, text: str) -> str:
    runner = Runner()
    runner.step(f"::add-mask::{value}\n".encode())
    return runner.masker.mask(text)
