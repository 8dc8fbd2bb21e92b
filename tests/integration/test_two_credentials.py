"""Two users on one registry, each for a path of its own: every push gets the right one, every time."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from support.cli import PROGRAM, tool_path
from support.proxy import gate
from support.registry import registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.cli import Machine
    from support.proxy import Gate

_USERS = {"anna": "password-of-org-a-11235813", "bert": "password-of-org-b-21345589"}
_ROUNDS = 20
_PUT = re.compile(r'127\.0\.0\.1 - (\S+) \[[^]]*\] "PUT /v2/(org-[ab])/\S+/manifests/\S+ HTTP/1.1" 201 ')


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A registry behind nginx, whose access log tells the user of each request."""
    folder = tmp_path_factory.mktemp("shared")
    with registry(folder / "registry", _USERS) as running, gate(folder / "gate", running.address) as front:
        yield front


_PUSHES = {
    "skopeo": "skopeo copy --dest-tls-verify=false oci:{layout}:1 docker://{reference}",
    "crane": "crane push --insecure {layout} {reference}",
    "oras": "oras push --plain-http {reference} --disable-path-validation {chart}",
    "helm": "helm push --plain-http {chart} oci://{reference}",
    "regctl": "regctl image copy --host reg={host},tls=disabled ocidir://{layout}:1 {reference}",
}


@pytest.mark.parametrize("tool", _PUSHES)
def test_pushes_to_two_namespaces_get_the_right_user_each_time(
    machine: Machine, shared: Gate, layout: Path, packed_chart: Path, tool: str
) -> None:
    """One declaration and one run of forty commands; the access log tells who came."""
    assert shutil.which(tool, path=tool_path()), f"{tool} is missing: scripts/setup builds it"
    before = len(_lines(shared))
    lines = [
        _PUSHES[tool].format(
            layout=layout,
            chart=packed_chart,
            host=shared.address,
            reference=f"{shared.address}/org-{org}/{tool}" + ("" if tool == "helm" else f":{n}"),
        )
        for n in range(_ROUNDS)
        for org in "ab"
    ]
    logins = [
        {"registry": f"{shared.address}/org-{org}", "username": user, "password": _USERS[user]}
        for org, user in (("a", "anna"), ("b", "bert"))
    ]
    inputs = {"REGISTRY_CONFIG_INPUT_REGISTRIES": json.dumps(logins), "REGISTRY_CONFIG_INPUT_COMMAND": "\n".join(lines)}
    done = subprocess.run(
        [*PROGRAM, "action"],
        env=machine.environ(inputs),
        cwd=machine.work,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    puts = [match.groups() for line in _lines(shared)[before:] if (match := _PUT.match(line))]
    assert set(puts) == {("anna", "org-a"), ("bert", "org-b")}
    # helm puts a new manifest twice, by its digest and by its tag.
    assert len(puts) >= 2 * _ROUNDS


def _lines(shared: Gate) -> list[str]:
    return shared.log.read_text().splitlines()
