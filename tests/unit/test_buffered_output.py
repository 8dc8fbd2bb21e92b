"""What targets wrote, kept in a memory file and not without a limit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from registry_config.buffered_output import BufferedOutput

if TYPE_CHECKING:
    from collections.abc import Callable


class _Seen:
    def __init__(self) -> None:
        self.pieces: list[tuple[str, bytes]] = []
        self.engine_log = self.stdout
        self.title: Callable[[str], None] = print
        self.detail: Callable[[str], None] = print

    def stdout(self, data: bytes) -> None:
        self.pieces.append(("stdout", data))

    def stderr(self, data: bytes) -> None:
        self.pieces.append(("stderr", data))


def _replayed(buffered: BufferedOutput) -> list[tuple[str, bytes]]:
    seen = _Seen()
    buffered.replay(seen)
    return seen.pieces


@settings(deadline=None, max_examples=100, database=None)
@given(st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=40)), max_size=60))
def test_what_fits_comes_back_in_its_order(pieces: list[tuple[bool, bytes]]) -> None:
    buffered = BufferedOutput(print)
    for is_error, data in pieces:
        (buffered.stderr if is_error else buffered.stdout)(data)
    assert _replayed(buffered) == [("stderr" if is_error else "stdout", data) for is_error, data in pieces]


def test_of_what_does_not_fit_the_beginning_and_the_end_are_kept_and_the_rest_is_counted() -> None:
    buffered = BufferedOutput(print, head=100, tail=200)
    lines = [f"line {number:4}\n".encode() for number in range(1000)]
    for line in lines:
        buffered.stdout(line)
    shown = _replayed(buffered)
    at = [stream for stream, _ in shown].index("stderr")
    before, after = [data for _, data in shown[:at]], [data for _, data in shown[at + 1 :]]
    assert (before, after) == (lines[: len(before)], lines[-len(after) :])
    assert (len(before) * 15 in range(85, 101), len(after) * 15 in range(100, 201)) == (True, True)
    left_out = sum(map(len, lines)) - sum(map(len, before + after))
    assert shown[at][1] == f"\n[registry-config: {left_out} bytes of output left out here]\n".encode()


def test_it_is_kept_in_a_file_without_a_name_that_is_closed_afterwards() -> None:
    buffered = BufferedOutput(print)
    buffered.stdout(b"x" * 200_000)
    assert _open_files().count("/memfd:registry-config-output (deleted)") == 1
    assert sum(len(data) for _, data in _replayed(buffered)) == 200_000
    assert _open_files().count("/memfd:registry-config-output (deleted)") == 0
    assert _replayed(buffered) == []


def _open_files() -> list[str]:
    paths = [Path("/proc/self/fd", name) for name in os.listdir("/proc/self/fd")]
    return [os.readlink(path) for path in paths if path.is_symlink()]
