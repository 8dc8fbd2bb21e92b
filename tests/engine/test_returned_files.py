"""Which files of an image may come into the working directory, and who its user is. These tests need no engine."""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from registry_config.credentials.redaction import Redactor
from registry_config.engine.image_user import ImageUser, image_user
from registry_config.engine.returned_files import Returned, bring_back
from support.tables import exactly, table

if TYPE_CHECKING:
    from pathlib import Path

_SECRET = "token-of-some-length"


def _bring(tmp_path: Path) -> Returned:
    (tmp_path / "folder").mkdir(exist_ok=True)
    return bring_back(str(tmp_path / "staging"), str(tmp_path / "folder"), Redactor([_SECRET.encode()]))


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    (tmp_path / "staging").mkdir()
    return tmp_path / "staging"


@table(
    "target, comes",
    {
        "beside": ("other", True),
        "below": ("folder/other", True),
        "above, inside": ("../other", True),
        "two above": ("../../other", False),
        "above itself": ("..", True),
        "far above": ("../..", False),
        "absolute": ("/etc/passwd", False),
        "absolute, inside": ("/workspace/other", False),
        "up behind a name": ("deep/../../../other", False),
        "up behind a name, inside": ("deep/../other", False),
        "here": ("./other", True),
        "here and up": ("./../other", True),
        "here and too far up": ("./../.././other", False),
    },
)
def test_a_link_comes_if_it_leads_inside_whatever_its_steps_are(
    tmp_path: Path,
    staging: Path,
    target: str,
    comes: bool,  # noqa: FBT001  (a row of the table)
) -> None:
    (staging / "sub").mkdir()
    (staging / "sub/link").symlink_to(target)
    left = () if comes else ("sub/link (a link that leads out of the working directory)",)
    assert _bring(tmp_path) == Returned(left, ())
    assert (tmp_path / "folder/sub/link").is_symlink() is comes


def test_a_secret_is_found_wherever_it_stands_in_a_large_file(tmp_path: Path, staging: Path) -> None:
    size = 1024 * 1024
    for at in (0, size - 5, size, 3 * size - len(_SECRET)):
        data = bytearray(3 * size)
        data[at : at + len(_SECRET)] = _SECRET.encode()
        (staging / f"at-{at}").write_bytes(data)
    (staging / "almost").write_bytes(_SECRET.encode()[:15])
    returned = _bring(tmp_path)
    assert (returned.left_behind, len(returned.with_secret)) == ((), 4)
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["almost"]
    assert [path.name for path in staging.iterdir()] == []


def test_a_file_whose_folder_is_none_here_stays(tmp_path: Path, staging: Path) -> None:
    (staging / "one/deep").mkdir(parents=True)
    (staging / "one/deep/file").write_text("new")
    (staging / "other").write_text("new")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/one").write_text("before")
    assert _bring(tmp_path) == Returned(("one/deep/file (its folder is a file here)",), ())
    assert (tmp_path / "folder/one").read_text() == "before"
    assert (tmp_path / "folder/other").read_text() == "new"


def test_what_stands_here_stays_until_all_of_the_new_file_has_come(
    tmp_path: Path, staging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_the_disk(_: str, target: str) -> None:
        with open(target, "wb") as file:
            file.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (staging / "file").write_text("new")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_text("before")
    monkeypatch.setattr(shutil, "move", fill_the_disk)
    with pytest.raises(OSError, match="No space left"):
        _bring(tmp_path)
    assert {path.name: path.read_text() for path in (tmp_path / "folder").iterdir()} == {"file": "before"}


def test_what_is_no_file_stays(tmp_path: Path, staging: Path) -> None:
    os.mkfifo(staging / "pipe")
    (staging / "closed").mkdir(mode=0)
    assert _bring(tmp_path) == Returned(("pipe (neither a file nor a link)",), ())


@table(
    "user, home, expected",
    {
        "nothing said": ("", "", ImageUser(0, 0, "/root")),
        "a name": ("tool", "", ImageUser(1234, 1235, "/home/tool")),
        "a number": ("1234", "", ImageUser(1234, 1235, "/home/tool")),
        "a number that nobody has": ("99", "", ImageUser(99, 0, "/")),
        "name and group": ("tool:other", "", ImageUser(1234, 1236, "/home/tool")),
        "name and number": ("tool:7", "", ImageUser(1234, 7, "/home/tool")),
        "two numbers": ("99:98", "", ImageUser(99, 98, "/")),
        "a home of the image": ("tool", "/data", ImageUser(1234, 1235, "/data")),
        "a home that is none": ("homeless", "", ImageUser(1236, 0, "")),
        "a home in /proc": ("", "/proc/self", ImageUser(0, 0, "")),
        "a home without a folder": ("", "relative", ImageUser(0, 0, "")),
    },
)
def test_the_user_of_an_image_is_whom_a_runtime_takes(user: str, home: str, expected: ImageUser) -> None:
    passwd = "# users\nroot:x:0:0::/root:/bin/sh\ntool:x:1234:1235::/home/tool:\nhomeless:x:1236:0::/dev/null:\nx:y\n"
    group = "root:x:0:\nother:x:1236:tool\n"
    assert image_user(user, home, passwd, group) == expected


@table("user", {"user": "nobody", "group": "tool:nobody", "sign": "-1"})
def test_a_name_that_the_image_does_not_know_is_no_user(user: str) -> None:
    problem = "names a user or group that its /etc/passwd or /etc/group does not know"
    with pytest.raises(ValueError, match=exactly(problem)):
        image_user(user, "", "root:x:0:0::/root:\ntool:x:1:1::/:\n", "")
