"""The folder of links: made, found again after a killed run, and removed only where it is nobody's."""

from __future__ import annotations

import fcntl
import os
import time
from typing import TYPE_CHECKING

import pytest

from registry_config.host.config_folder import (
    close_config_folder,
    is_ours,
    make_config_folder,
    own_folder,
    remove_leftovers,
    things_in,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from registry_config.host.config_folder import ConfigFolder

_NAME = "registry-config-123-0123456789abcdef"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    (folder / "contexts").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return folder


@pytest.fixture
def made(own: Path) -> Iterator[ConfigFolder]:
    folder = make_config_folder(str(own), things_in(str(own)), "", lambda _: None)
    yield folder
    close_config_folder(folder)


def _left(parent: Path, name: str = _NAME, *, seconds: float = 61, mode: int = 0o700) -> Path:
    folder = parent / name
    folder.mkdir()
    folder.chmod(mode)
    (folder / "config.json").symlink_to("/proc/0/fd/200")
    os.utime(folder, (time.time() - seconds,) * 2)
    return folder


def test_a_leftover_is_removed_with_all_that_tools_made_in_it(tmp_path: Path) -> None:
    folder = _left(tmp_path, seconds=0)
    (folder / "more/folders").mkdir(parents=True)
    os.utime(folder, (time.time() - 61,) * 2)
    remove_leftovers(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_what_may_be_in_use_or_anothers_stays(tmp_path: Path) -> None:
    kept = [
        _left(tmp_path, _NAME[:-1] + "0", seconds=50),
        _left(tmp_path, _NAME[:-1] + "1", mode=0o755),
        _left(tmp_path, "registry-config-123"),
        _left(tmp_path, "another-" + _NAME),
    ]
    (tmp_path / "elsewhere").mkdir()
    real = _left(tmp_path / "elsewhere")
    link = tmp_path / _NAME
    link.symlink_to(real)
    remove_leftovers(str(tmp_path))
    assert all(folder.exists() for folder in (*kept, real, link))


def test_what_a_lock_is_held_of_stays(tmp_path: Path) -> None:
    folder = _left(tmp_path)
    lock = os.open(folder, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    remove_leftovers(str(tmp_path))
    assert folder.exists()
    os.close(lock)
    remove_leftovers(str(tmp_path))
    assert not folder.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_another_users_stays(tmp_path: Path) -> None:
    folder = _left(tmp_path)
    os.chown(folder, 12345, 12345)
    remove_leftovers(str(tmp_path))
    assert folder.exists()


def test_a_folder_is_locked_from_the_start_and_holds_links_to_the_users_own_things(
    own: Path, made: ConfigFolder
) -> None:
    links = {name: os.readlink(f"{made.path}/{name}") for name in os.listdir(made.path)}
    assert links == {".user": str(own), "contexts": f"{own}/contexts"}
    lock = os.open(made.path, os.O_RDONLY)
    with pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(lock)


def test_below_a_folder_of_ours_the_users_own_is_still_the_real_one(own: Path, made: ConfigFolder) -> None:
    assert (is_ours(made.path), own_folder(made.path)) == (True, str(own))
    assert (is_ours(str(own)), own_folder(str(own))) == (False, str(own))
    (own / "manifests").mkdir()
    os.mkdir(f"{made.path}/trust")
    assert dict(things_in(made.path)) == {
        "contexts": f"{own}/contexts",
        "manifests": f"{own}/manifests",
        "trust": f"{made.path}/trust",
    }


def test_where_filling_fails_nothing_stays(own: Path, tmp_path: Path) -> None:
    seen = []

    def fill(folder: ConfigFolder) -> None:
        seen.append(folder.path)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        make_config_folder(str(own), (), str(tmp_path), fill)
    assert (len(seen), [path for path in seen if os.path.exists(path)]) == (1, [])
