"""The Dagger CLI is fetched once, and only the release that we know is taken. These tests need no engine."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
import threading
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from typing import TYPE_CHECKING

import pytest

from registry_config.engine.dagger_cli import fetch, find_cli
from registry_config.errors import UnavailableError
from support.tables import exactly, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PROGRAM = b"#!/bin/sh\necho dagger\n"
_REMEDY = "allow the download, or name one by _EXPERIMENTAL_DAGGER_CLI_BIN"


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


def _archive(path: Path, name: str) -> str:
    """Write an archive with one program; gives its digest."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(_PROGRAM)
        archive.addfile(entry, io.BytesIO(_PROGRAM))
    path.write_bytes(buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def test_the_known_release_is_taken(tmp_path: Path, site: str) -> None:
    digest = _archive(tmp_path / "site/dagger.tar.gz", "dagger")
    program = tmp_path / "cache/registry-config/dagger"
    fetch(f"{site}/dagger.tar.gz", digest, str(program))
    assert (program.read_bytes(), program.stat().st_mode & 0o777) == (_PROGRAM, 0o700)
    assert list(program.parent.iterdir()) == [program]


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
        fetch(f"{site}/{file}", digest, str(tmp_path / "cache/dagger"))
    assert list((tmp_path / "cache").iterdir()) == []


def test_one_that_is_named_or_was_fetched_before_is_used(tmp_path: Path) -> None:
    assert find_cli({"_EXPERIMENTAL_DAGGER_CLI_BIN": "/named"}) == "/named"
    cached = tmp_path / "registry-config/dagger-0.21.8"
    cached.parent.mkdir(mode=0o700)
    cached.touch(0o700)
    assert find_cli({"XDG_CACHE_HOME": str(tmp_path)}) == str(cached)


@table("folder, mode", {"the program": (0o700, 0o777), "its folder": (0o777, 0o700)})
def test_one_that_others_could_have_written_is_fetched_again(tmp_path: Path, folder: int, mode: int) -> None:
    cached = tmp_path / "registry-config/dagger-0.21.8"
    cached.parent.mkdir()
    cached.touch()
    cached.chmod(mode)
    cached.parent.chmod(folder)
    asked = [sys.executable, "-c", _FIND, str(tmp_path)]
    done = subprocess.run(asked, capture_output=True, check=False, env={"https_proxy": "http://127.0.0.1:1"})
    assert done.stdout.startswith(b"Dagger CLI: cannot be fetched")


_FIND = """
import sys
from registry_config.engine.dagger_cli import find_cli
try:
    find_cli({"XDG_CACHE_HOME": sys.argv[1]})
except Exception as error:
    print(error)
"""
