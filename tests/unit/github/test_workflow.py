"""GitHub's protocol: what we say to the runner, and that a tool cannot say it."""

from __future__ import annotations

import fcntl
import os
import re
import threading
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

import pytest

from registry_config.credentials.redaction import Redactor
from registry_config.github.workflow import SafeOutput, Workflow, safe_lines
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_MEBIBYTE = 1024 * 1024


@table(
    "data, shown",
    {
        "text": (b"a: b::c \xc3\xa4\ttab", b"a: b::c \xc3\xa4\ttab\n"),
        "empty line": (b"\n", b"\n"),
        "command": (b"::error::x", b": :error::x\n"),
        "command after white space": (b" \t::error::x", b" \t: :error::x\n"),
        "command after wide white space": ("\u3000\u00a0::error::x".encode(), "\u3000\u00a0: :error::x\n".encode()),
        "command after bytes that are no text": (b"\xc3::error::x", b"\xc3: :error::x\n"),
        "UTF-16": (b"\xff\xfe:\0:\0a", b": :a\n"),
        "command after a byte order mark": (b"\xef\xbb\xbf::stop-commands::x", b"\xef\xbb\xbf: :stop-commands::x\n"),
        "three colons": (b":::x", b": ::x\n"),
        "in the middle": (b"see ::error::x", b"see ::error::x\n"),
        "old command": (b"a ##[error]x ##[group]", b"a # #[error]x # #[group]\n"),
        "old command after more signs": (b"###[error]x", b"## #[error]x\n"),
        "lone CR": (b"progress\r::error::x\rend", b"progress\n: :error::x\nend\n"),
        "CRLF": (b"a\r\n::b::\r\n", b"a\n: :b::\n"),
        "CR twice": (b"a\r\r\nb", b"a\n\nb\n"),
        "colours": (b"\x1b[31mred\x1b[0m \x1b[1;38;5;9mbold\x1b[m", b"red bold\n"),
        "colour before a command": (b"\x1b[31m::error::x", b": :error::x\n"),
        "colour inside of a command": (b":\x1b[0m:error::x", b": :error::x\n"),
        "colour inside of an old command": (b"#\x1b[0m#[error]x", b"# #[error]x\n"),
        "title of a window": (b"\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b", b"ab\n"),
        "other escapes": (b"a\x1b(Bb\x1b=c\x1bMd", b"abcd\n"),
        "escape at the end": (b"a\x1b", b"a\n"),
        "sequence without an end": (b"a\x1b[31", b"a\n"),
        "control characters": (b"\0a\x07b\x08c\x7fd\x0be\x0cf", b"abcdef\n"),
        "control character before a command": (b"\x08::error::x", b": :error::x\n"),
        "control characters of UTF-8": ("a\u0085b\u009bc".encode(), b"abc\n"),
        "several lines": (b"a\n::b::\n\nc", b"a\n: :b::\n\nc\n"),
    },
)
def test_no_line_is_a_command_whatever_it_holds(data: bytes, shown: bytes) -> None:
    assert safe_lines(data) == shown


def test_a_secret_that_an_escape_kept_apart_is_hidden_once_it_is_joined() -> None:
    assert safe_lines(b"pass\x1b[0mword", Redactor([b"password"]).data) == b"***\n"


def test_what_a_workflow_says_passes_the_redactor_once_it_is_known(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    environ = {"GITHUB_OUTPUT": str(tmp_path / "output"), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    workflow = Workflow(environ)
    workflow.mask([b"password"], Redactor([b"password"]))
    workflow.annotate("error", "a password b")
    workflow.line("a password b")
    with workflow.group("a password b"):
        pass
    workflow.output("name", "a password b")
    workflow.summary("a password b")
    first, *said = capfd.readouterr().out.splitlines()
    written = [(tmp_path / name).read_text() for name in ("output", "summary")]
    assert first == "::add-mask::password"
    assert [text.count("a *** b") for text in ("\n".join(said), *written)] == [3, 1, 1]
    assert [text for text in (*said, *written) if "password" in text] == []


class _SlowReader:
    """A pipe as standard output, read in small bites, while its writers wait."""

    def __init__(self, *, blocking: bool) -> None:
        self._reading, self.writing = os.pipe()
        fcntl.fcntl(self._reading, fcntl.F_SETPIPE_SZ, 4096)
        os.set_blocking(self.writing, blocking)
        self.seen = bytearray()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while data := os.read(self._reading, 1000):
            self.seen += data

    def close(self) -> None:
        self._thread.join()
        os.close(self._reading)


@table("blocking", {"a pipe that blocks": True, "one that does not": False})
def test_lines_of_all_writers_stay_whole(*, blocking: bool) -> None:
    """A line torn apart by another thread's would let a tool forge a command: its own text would begin a line."""
    reader = _SlowReader(blocking=blocking)
    with open(reader.writing, "w") as stdout, redirect_stdout(stdout):
        workflow, output = Workflow({}), SafeOutput(Redactor([]))
        long = b"x" * 20000 + b"::error::forged\n"

        def repeat(write: Callable[[], None]) -> None:
            for _ in range(20):
                write()

        writers = [
            threading.Thread(target=repeat, args=[write])
            for write in (
                lambda: output.stdout(long),
                lambda: output.engine_log(long),
                lambda: workflow.line("y" * 20000),
            )
        ]
        for thread in writers:
            thread.start()
        for thread in writers:
            thread.join()
        output.flush()
    reader.close()
    lines = bytes(reader.seen).splitlines()
    assert set(lines) == {long.rstrip(), b"y" * 20000, b"::group::Dagger", b"::endgroup::"}
    assert (lines.count(long.rstrip()), lines.count(b"y" * 20000)) == (40, 20)


def test_masks_come_in_one_order_and_never_over_several_lines(capfd: pytest.CaptureFixture[str]) -> None:
    Workflow({}).mask([b"b%", b"a", b"c\nd", b"e\rf", "ü".encode()])
    assert capfd.readouterr().out == "::add-mask::a\n::add-mask::b%25\n::add-mask::ü\n"


@pytest.mark.parametrize("level", ["error", "warning", "notice"])
def test_an_annotation_is_one_line(level: str, capfd: pytest.CaptureFixture[str]) -> None:
    Workflow({}).annotate(level, "100%\r\n::error::x")
    assert capfd.readouterr().out == f"::{level} title=registry-config::100%25%0D%0A::error::x\n"


def test_a_line_of_ours_is_no_command_and_keeps_its_order(capfd: pytest.CaptureFixture[str]) -> None:
    workflow = Workflow({})
    with workflow.group("of\n##[error]ours"):
        workflow.line("::error::ü\udc80")
    assert capfd.readouterr().out == "::group::of ##[error]ours\n: :error::ü?\n::endgroup::\n"


@table("value", {"plain": "x", "empty": "", "lines": "a\nb\n", "what would end it": "x\nghadelimiter_\nskipped=true"})
def test_an_output_is_what_was_given_between_random_delimiters(value: str, tmp_path: Path) -> None:
    file = tmp_path / "output"
    workflow = Workflow({"GITHUB_OUTPUT": str(file)})
    workflow.output("first", value)
    workflow.output("second", "2")
    match = re.fullmatch(r"first<<(\S+)\n(.*)\n\1\nsecond<<(\S+)\n2\n\3\n", file.read_text(), re.DOTALL)
    assert match
    assert match[2] == value
    assert match[1] != match[3]


def test_nothing_is_written_where_the_runner_named_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Workflow({}).output("a", "b")
    Workflow({"GITHUB_OUTPUT": "", "GITHUB_STEP_SUMMARY": ""}).summary("text")
    assert list(tmp_path.iterdir()) == []


def test_files_of_the_runner_are_remembered_from_the_start(tmp_path: Path) -> None:
    environ = {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    workflow = Workflow(environ)
    environ.clear()
    workflow.summary("one\r\n")
    workflow.summary("two\n")
    assert (tmp_path / "summary").read_bytes() == b"one\r\ntwo\n"


def test_a_summary_over_a_mebibyte_is_cut_between_two_characters(tmp_path: Path) -> None:
    Workflow({"GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}).summary("x" + "ä" * _MEBIBYTE)
    assert (tmp_path / "summary").read_text() == "x" + "ä" * (_MEBIBYTE // 2 - 1)


@table(
    "pieces, shown",
    {
        "a line at once": ([b"a\n"], ["a\n", ""]),
        "a line in pieces": ([b"a", b"b\nc"], ["", "ab\n", "c\n"]),
        "a command in pieces": ([b":", b":error::x", b"\n"], ["", "", ": :error::x\n", ""]),
        "CRLF in pieces": ([b"a\r", b"\nb\r\n"], ["", "a\nb\n", ""]),
        "lone CR": ([b"a\rb", b"\rc"], ["a\n", "b\n", "c\n"]),
        "CR at the end": ([b"a\r"], ["", "a\n"]),
        "an escape in pieces": ([b"\x1b", b"[31mred\n"], ["", "red\n", ""]),
        "a secret that escapes keep apart, in pieces": ([b"pass\x1b[", b"0mword\n"], ["", "***\n", ""]),
        "a line without an end": ([b"x" * 65537, b"::y\n"], ["x" * 65537 + "\n", ": :y\n", ""]),
        "a long line that still ends": ([b"x" * 65536, b"y\n"], ["", "x" * 65536 + "y\n", ""]),
    },
)
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_output_of_a_tool_goes_out_in_whole_lines(
    name: str, pieces: list[bytes], shown: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    output = SafeOutput(Redactor([b"password"]))
    seen = []
    for piece in pieces:
        getattr(output, name)(piece)
        seen.append(capfd.readouterr().out)
    output.flush()
    assert [*seen, capfd.readouterr().out] == shown


def test_lines_of_the_two_streams_are_not_mixed(capfd: pytest.CaptureFixture[str]) -> None:
    output = SafeOutput(Redactor([]))
    output.stdout(b"one ")
    output.stderr(b"two ")
    output.stdout(b"1\n")
    output.stderr(b"2\n:")
    output.stdout(b":")
    output.flush()
    output.flush()
    assert capfd.readouterr() == ("one 1\ntwo 2\n:\n:\n", "")
