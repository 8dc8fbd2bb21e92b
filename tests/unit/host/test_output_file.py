"""The file of a script's own outputs: new, private, removed, and not read where the script put something else there."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from registry_config.host.output_file import output_file, read_output
from registry_config.script_outputs import MAX_BYTES
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable


def test_each_attempt_has_a_file_of_its_own_that_is_empty_private_and_removed(tmp_path: Path) -> None:
    with output_file(str(tmp_path)) as first, output_file(str(tmp_path)) as second:
        assert first != second
        for path in (first, second):
            status = os.stat(path)
            assert (status.st_size, stat.S_IMODE(status.st_mode), Path(path).parent) == (0, 0o600, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_the_script_wrote_is_read_up_to_one_byte_more_than_may_be_taken(tmp_path: Path) -> None:
    with output_file(str(tmp_path)) as path:
        assert read_output(path) == b""
        Path(path).write_bytes(b"name=value\n")
        assert read_output(path) == b"name=value\n"
        Path(path).write_bytes(b"x" * (MAX_BYTES + 10))
        assert len(read_output(path)) == MAX_BYTES + 1


def _folder(path: Path, _: Path) -> None:
    path.mkdir()


def _pipe(path: Path, _: Path) -> None:
    os.mkfifo(path)


def _link(path: Path, other: Path) -> None:
    path.symlink_to(other)


def _second_name(path: Path, other: Path) -> None:
    path.hardlink_to(other)


def _nothing(_: Path, __: Path) -> None:
    pass


@table(
    "make",
    {"a folder": _folder, "a pipe": _pipe, "a link": _link, "another file's name": _second_name, "nothing": _nothing},
)
def test_something_else_in_its_place_is_neither_read_nor_waited_for(
    tmp_path: Path, make: Callable[[Path, Path], None]
) -> None:
    """A script could have us show a file that it may not read itself, as in a container."""
    other = tmp_path / "other"
    other.write_bytes(b"password=canary\n")
    path = tmp_path / "output"
    make(path, other)
    before = len(os.listdir("/proc/self/fd"))
    assert read_output(str(path)) == b""
    assert len(os.listdir("/proc/self/fd")) <= before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "output"
    path.write_bytes(b"name=value\n")
    os.chown(path, 65534, 65534)
    assert read_output(str(path)) == b""


@table("make", {"a folder": _folder, "a link": _link, "nothing": _nothing})
def test_what_a_script_put_in_its_place_is_removed_with_all_that_is_in_it(
    tmp_path: Path, make: Callable[[Path, Path], None]
) -> None:
    """The folder of the config would keep it, as something that a tool has stored for the user."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "kept").touch()
    folder = tmp_path / "config"
    folder.mkdir()
    with output_file(str(folder)) as path:
        os.unlink(path)
        make(Path(path), other)
        if os.path.isdir(path) and not os.path.islink(path):
            Path(path, "more").touch()
    assert (list(folder.iterdir()), [one.name for one in other.iterdir()]) == ([], ["kept"])
