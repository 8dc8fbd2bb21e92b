"""What skopeo and docker say of the same credentials: docs/verify.md shows where they say that all is well."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from registry_config.oci.entry import Probe
from registry_config.oci.verify import verify
from support.cli import tool_path
from support.tools import need_docker

if TYPE_CHECKING:
    from support.places import Place, Places

_PAGE = Path(__file__).parents[3] / "docs/verify.md"
_REGISTRIES = {
    "no authentication": "open",
    "Basic": "htpasswd",
    "Bearer, wrong credentials are refused": "strict",
    "Bearer, wrong credentials get an anonymous token": "degrading",
}
_CREDENTIALS = {"right": ("alice", ""), "wrong": ("alice", "wrong-password-1"), "pull only": ("bob", "")}
# A registry without token server knows users, but not what each may do.
_CASES = [
    (registry, credential)
    for registry in _REGISTRIES
    for credential in _CREDENTIALS
    if credential != "pull only" or registry.startswith("Bearer")
]
_PUSH = Probe("team/app", "push")


def _rows(title: str) -> list[tuple[str, ...]]:
    """The rows of the page's table below a heading."""
    section = _PAGE.read_text().split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    lines = re.findall(r"^\| (.*) \|$", section, re.MULTILINE)
    return [tuple(line.split(" | ")) for line in lines[2:]]


def _says(program: str, place: Place, user: str, password: str, home: Path) -> str:
    entry = place.entry(user=user, password=password)
    options = ("--tls-verify=false",) if program == "skopeo" else ()
    command = (program, "login", *options, "--username", entry.username, "--password-stdin", entry.host)
    environ = {"HOME": str(home), "DOCKER_CONFIG": str(home), "PATH": "/usr/local/bin:/usr/bin:/bin"}
    environ["REGISTRY_AUTH_FILE"] = str(home / "auth.json")
    done = subprocess.run(command, input=entry.secret.encode(), env=environ, capture_output=True, check=False)
    assert (done.returncode == 0) == (b"Login Succeeded" in done.stdout), done.stderr
    return "Login Succeeded" if done.returncode == 0 else "refused"


@pytest.mark.parametrize(("registry", "credential"), _CASES)
def test_the_page_says_what_each_says(
    places: Places, told: list[str], tmp_path: Path, registry: str, credential: str
) -> None:
    need_docker(tool_path())
    place: Place = getattr(places, _REGISTRIES[registry])
    user, password = _CREDENTIALS[credential]
    opinions = [_says(program, place, user, password, tmp_path) for program in ("docker", "skopeo")]
    rows = verify([place.entry(_PUSH, user=user, password=password)], {}, told.append)
    ours = [row.verdict for row in rows] + ["-"] * (2 - len(rows))
    (row,) = (row for row in _rows("What a login says") if row[:2] == (registry, credential))
    assert list(row) == [
        registry,
        credential,
        *opinions,
        *(f"`{verdict}`" if verdict != "-" else verdict for verdict in ours),
    ]


def test_the_page_has_every_row_once() -> None:
    assert [row[:2] for row in _rows("What a login says")] == _CASES


def test_where_they_say_that_all_is_well_and_we_do_not() -> None:
    said = [row for row in _rows("What a login says") if row[1] == "wrong" and "Login Succeeded" in row]
    assert len(said) == 2
    assert all(row[4] == "`not-provable`" for row in said)
