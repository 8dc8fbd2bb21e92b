"""The certificates that entries name by `ca-file`: read before anything runs, and refused by the entry's own place."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from registry_config.credentials.authorities import read_authorities
from registry_config.declaration.registries import parse_registries
from registry_config.errors import InputError
from support.authority import certificate
from support.tables import exactly, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from registry_config.declaration.registries import Declaration

_PLACE = "registries[0].ca-file (line 4)"


def _declared(*files: str) -> tuple[Declaration, ...]:
    return parse_registries(
        "".join(
            f"- registry: host-{number}.example\n  username: u\n  password: long-enough\n"
            + (f"  ca-file: {file}\n" if file else "")
            for number, file in enumerate(files)
        )
    )


def _read(*files: str) -> Mapping[str, str]:
    return read_authorities(_declared(*files))


def test_each_file_is_read_whole(tmp_path: Path) -> None:
    one, two = (certificate(tmp_path / name).authority for name in ("one", "two"))
    assert _read(str(one), "", str(two), str(one)) == {str(path): path.read_text() for path in (one, two)}


def test_a_name_beside_a_certificate_may_be_in_any_encoding(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(b"# Autorit\xe9\n" + certificate(tmp_path / "made").authority.read_bytes())
    assert "BEGIN CERTIFICATE" in _read(str(path))[str(path)]


@table(
    "content",
    {
        "nothing": b"",
        "a password": b"canary-31415926535897\n",
        "a certificate in name alone": b"-----BEGIN CERTIFICATE-----\nY2FuYXJ5\n-----END CERTIFICATE-----\n",
        "binary": b"\x30\x82\x01\x00canary",
    },
)
def test_what_holds_no_certificate_is_refused_and_not_repeated(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(content)
    problem = f"{_PLACE}: holds no certificate in PEM form; name a file with certificates in PEM form"
    with pytest.raises(InputError, match=exactly(problem)):
        _read(str(path))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=exactly(f"{_PLACE}: cannot be read (no such file or directory); check the path")
    ):
        _read(str(tmp_path / "missing"))


def test_a_folder_is_refused_and_not_kept_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(InputError, match=exactly(f"{_PLACE}: cannot be read (is a directory); check the path")):
        _read(str(tmp_path))
    assert len(os.listdir("/proc/self/fd")) <= before


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="holds no certificate"):
        _read(str(tmp_path / "pipe"))
