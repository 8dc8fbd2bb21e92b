"""Whatever bytes a tool writes, in whatever pieces: the runner takes none of its lines for a command."""

from __future__ import annotations

import os
from contextlib import redirect_stdout

from hypothesis import example, given
from hypothesis import strategies as st

from registry_config.credentials.redaction import Redactor
from registry_config.github.workflow import SafeOutput, safe_lines
from support.runner import COMMANDS, Annotation, Command, Runner

_SIGNS = [":", "#", "[", "]", "=", ";", "%0A", " ", "\t", "\v", "\f", "\r", "\n", "\r\n", "\0", "\b", "\x1b", "x"]
_WIDE = ["\x85", "\xa0", "\u200d", "\u2003", "\u2028", "\u3000", "\ufeff", "é", "\U0001f511"]
_LONG = ["::", "##[", "\x1b[0m", "\x1b]0;", "\x1b\\"]
_WHOLE = [text for name in sorted(COMMANDS) for text in (f"::{name}::x", f"::{name} name=a::", f"##[{name} name=a]")]
_BYTES = [b"\xc2", b"\x85", b"\xfe", b"\xff", b"\xff\xfe", b":\0:\0", b"\xef\xbb", b"\xbf"]
_FRAGMENTS = st.sampled_from([*map(str.encode, _SIGNS + _WIDE + _LONG + _WHOLE), *_BYTES])
_PIECE = st.lists(_FRAGMENTS, min_size=1, max_size=6).map(b"".join)


@given(st.lists(_PIECE, max_size=12))
@example([b"\xff\xfe", b":\0:\0error:\0:\0"])
@example([b":\xc2\xc2\x85\x85:error::"])
def test_no_line_made_safe_is_a_command(pieces: list[bytes]) -> None:
    _check(safe_lines(b"".join(pieces)))


@given(st.lists(st.tuples(st.booleans(), _PIECE), max_size=12))
def test_no_order_of_pieces_of_two_streams_makes_a_command(pieces: list[tuple[bool, bytes]]) -> None:
    _check(_written(pieces))


def _check(written: bytes) -> None:
    """What we say ourselves is heard, and nothing else."""
    step = Runner(debug=True).step(written + b"::notice::of ours\n")
    assert (step.commands, step.annotations, step.failed) == (
        [Command("notice", "of ours")],
        [Annotation("notice", "of ours")],
        False,
    )
    assert [line for line in step.log if "##[" in line] == ["##[notice]of ours"]


def _written(pieces: list[tuple[bool, bytes]]) -> bytes:
    """What `SafeOutput` writes to our standard output."""
    reading, writing = os.pipe()
    with open(reading, "rb") as pipe:
        with open(writing, "w") as stdout, redirect_stdout(stdout):
            output = SafeOutput(Redactor([]))
            for to_stdout, piece in pieces:
                (output.stdout if to_stdout else output.stderr)(piece)
            output.flush()
        written = pipe.read()
    assert bool(written) == bool(pieces)
    return written
