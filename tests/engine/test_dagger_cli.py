"""The Dagger CLI is fetched once, and only the release that we know is taken. These tests need no engine."""

from __future__ import annotations

import hashlib
import io
import socket
import subprocess
import sys
import tarfile
import threading
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from registry_config.engine.dagger_cli import find_cli, need_program
from registry_config.errors import UnavailableError
from support.tables import exactly, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_PROGRAM = b"#!/bin/sh\necho dagger\n"
_REMEDY = "allow the download, or name one in _EXPERIMENTAL_DAGGER_CLI_BIN"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """Address under which `tmp_path/site` is served."""
    (tmp_path / "site").mkdir()
    with HTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path / "site"))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _archive(path: Path, name: str = "dagger") -> str:
    """Write an archive with one program; gives its digest."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(_PROGRAM)
        archive.addfile(entry, io.BytesIO(_PROGRAM))
    path.write_bytes(buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()


@pytest.fixture
def fetched(tmp_path: Path, site: str) -> tuple[Path, str, str]:
    """A program that was fetched, the address it was fetched from, where nothing is any more, and its digest."""
    digest = _archive(tmp_path / "site/dagger.tar.gz")
    program, address = tmp_path / "cache/registry-config/dagger", f"{site}/dagger.tar.gz"
    need_program(address, digest, str(program))
    (tmp_path / "site/dagger.tar.gz").unlink()
    return program, address, digest


def test_the_known_release_is_taken(fetched: tuple[Path, str, str]) -> None:
    program, address, digest = fetched
    for _ in range(2):
        assert (program.read_bytes(), program.stat().st_mode & 0o777) == (_PROGRAM, 0o700)
        assert sorted(program.parent.iterdir()) == [program, program.with_name("dagger.tar.gz")]
        inode = program.stat().st_ino
        need_program(address, digest, str(program))
        assert program.stat().st_ino == inode


@table(
    "member, file, problem",
    {
        "another digest": ("other", "known.tar.gz", "what was downloaded is not the release that we know"),
        "not there": ("dagger", "other.tar.gz", "cannot be fetched (HTTP Error 404: File not found)"),
        "no such member": ("other", "dagger.tar.gz", "cannot be fetched (\"filename 'dagger' not found\")"),
    },
)
def test_anything_else_is_refused(tmp_path: Path, site: str, member: str, file: str, problem: str) -> None:
    _archive(tmp_path / "site/known.tar.gz", "other-than-before")
    digest = _archive(tmp_path / "site/dagger.tar.gz", member)
    with pytest.raises(UnavailableError, match=exactly(f"Dagger CLI: {problem}; {_REMEDY}")):
        need_program(f"{site}/{file}", digest, str(tmp_path / "cache/dagger"))
    assert not (tmp_path / "cache/dagger").exists()


def test_a_server_that_does_not_speak_http_is_told(tmp_path: Path) -> None:
    def answer() -> None:
        with listening.accept()[0] as connection:
            connection.recv(1024)
            connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer)
        thread.start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/dagger.tar.gz"
        with pytest.raises(
            UnavailableError, match=exactly(f"Dagger CLI: cannot be fetched (the answer is not HTTP); {_REMEDY}")
        ):
            need_program(address, "0" * 64, str(tmp_path / "cache/dagger"))
        thread.join()


def test_one_that_is_named_is_used_as_it_is(tmp_path: Path) -> None:
    assert find_cli({"_EXPERIMENTAL_DAGGER_CLI_BIN": "/named", "XDG_CACHE_HOME": str(tmp_path)}) == "/named"
    assert list(tmp_path.iterdir()) == []


def _replace(program: Path) -> None:
    program.unlink()
    program.write_bytes(_PROGRAM.replace(b"dagger", b"others"))
    program.chmod(0o700)


def _link(program: Path) -> None:
    program.rename(program.with_name("elsewhere"))
    program.symlink_to("elsewhere")


_CHANGES: Mapping[str, Callable[[Path], object]] = {
    "another of the same size": _replace,
    "a longer one": lambda program: program.write_bytes(_PROGRAM + b"#"),
    "none": Path.unlink,
    "a link": _link,
    "one that others can write to": lambda program: program.chmod(0o777),
    "one that cannot be executed": lambda program: program.chmod(0o600),
}


@table("change", _CHANGES)
def test_what_was_fetched_before_is_compared_each_time(
    fetched: tuple[Path, str, str], change: Callable[[Path], object]
) -> None:
    """With the archive, whose digest we know; so nothing is fetched again."""
    program, address, digest = fetched
    change(program)
    need_program(address, digest, str(program))
    assert (program.read_bytes(), program.is_symlink()) == (_PROGRAM, False)
    assert program.stat().st_mode & 0o777 == 0o700


def test_an_archive_that_was_changed_is_fetched_again(tmp_path: Path, fetched: tuple[Path, str, str]) -> None:
    program, address, digest = fetched
    # Whoever changes the program can change the archive as well, but not what its digest is to be.
    _replace(program)
    _archive(program.with_name("dagger.tar.gz"), "other")
    with pytest.raises(UnavailableError, match="404"):
        need_program(address, digest, str(program))
    _archive(tmp_path / "site/dagger.tar.gz")
    need_program(address, hashlib.sha256((tmp_path / "site/dagger.tar.gz").read_bytes()).hexdigest(), str(program))
    assert program.read_bytes() == _PROGRAM


@table("kind", {"others can write to it": "open", "a link": "link"})
def test_a_folder_that_is_not_ours_alone_is_refused(tmp_path: Path, fetched: tuple[Path, str, str], kind: str) -> None:
    program, address, digest = fetched
    folder = program.parent
    if kind == "open":
        folder.chmod(0o777)
    else:
        folder.rename(tmp_path / "elsewhere")
        folder.symlink_to(tmp_path / "elsewhere")
    problem = f"Dagger CLI: {folder} is not a folder that only this user can write to; remove it"
    with pytest.raises(UnavailableError, match=exactly(problem)):
        need_program(address, digest, str(program))


def test_the_cache_is_that_of_the_user(tmp_path: Path) -> None:
    """Found out by what is said where nothing can be fetched."""
    asked = [sys.executable, "-c", _FIND, str(tmp_path)]
    done = subprocess.run(asked, capture_output=True, check=False, env={"https_proxy": "http://127.0.0.1:1"})
    assert done.stdout.startswith(b"Dagger CLI: cannot be fetched")
    assert (tmp_path / "registry-config").stat().st_mode & 0o777 == 0o700


_FIND = """
import sys
from registry_config.engine.dagger_cli import find_cli
try:
    find_cli({"XDG_CACHE_HOME": sys.argv[1]})
except Exception as error:
    print(error)
"""
