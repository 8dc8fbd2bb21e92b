"""The file of certificates that a command is to trust: what the machine trusts, the private ones, and no key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from registry_config.errors import UnavailableError
from registry_config.host.ca_bundle import bundle_variables, write_bundle
from support.tables import exactly, table

if TYPE_CHECKING:
    from pathlib import Path

_NAME = "registry-config-ca.pem"


def _certificate(text: str) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "config"
    made.mkdir()
    return made


def test_it_holds_what_is_trusted_anyway_and_of_the_private_ones_the_certificates_alone(
    tmp_path: Path, folder: Path
) -> None:
    system = tmp_path / "system.pem"
    system.write_text(f"{_certificate('c3lzdGVt')}\n")
    key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----"
    private = [f"# ours\n{_certificate('b25l')}\n{key}\n{_certificate('dHdv')}", _certificate("dGhyZWU=")]
    write_bundle(str(folder), private, {"SSL_CERT_FILE": str(system)})
    wanted = [_certificate(text) for text in ("c3lzdGVt", "b25l", "dHdv", "dGhyZWU=")]
    assert (folder / _NAME).read_text() == "\n".join((*wanted, ""))


def test_where_the_machine_trusts_nothing_the_private_ones_are_there(tmp_path: Path, folder: Path) -> None:
    write_bundle(str(folder), [_certificate("b25l")], {"SSL_CERT_FILE": str(tmp_path / "missing")})
    assert (folder / _NAME).read_text().strip() == _certificate("b25l")


def test_a_file_that_is_there_already_is_not_written_to(tmp_path: Path, folder: Path) -> None:
    """It could be a link that somebody has put there."""
    other = tmp_path / "other"
    other.write_text("as it was")
    (folder / _NAME).symlink_to(other)
    problem = f"this machine: the certificates of ca-file cannot be written to {folder} (file exists); free some space"
    with pytest.raises(UnavailableError, match=exactly(problem)):
        write_bundle(str(folder), [_certificate("b25l")], {})
    assert other.read_text() == "as it was"


@table(
    "program, names",
    {
        "Go": ("/usr/bin/crane", {"SSL_CERT_FILE"}),
        "asks a daemon": ("docker", set()),
    },
)
def test_a_known_program_gets_the_variables_that_it_reads(program: str, names: set[str]) -> None:
    assert bundle_variables(program, "/f") == dict.fromkeys(names, f"/f/{_NAME}")


def test_a_program_that_nobody_knows_gets_all_of_them() -> None:
    found = bundle_variables("my-tool", "/f")
    assert set(found.values()) == {f"/f/{_NAME}"}
    assert set(found) > {"SSL_CERT_FILE"}
