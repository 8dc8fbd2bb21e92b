"""Tools of the table in an image: each pushes and pulls by one declaration of two registries."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.artifacts import chart, oci_layout
from support.cli import lines_of_ours
from support.engine import Bench, Engine, Image, Tools, publish_images
from support.oci_tools import PYTHON_CLIENT, TOOLS, note, refused_users, words

if TYPE_CHECKING:
    from support.engine import Step

_IN_IMAGE = [name for name, tool in TOOLS.items() if tool.image]
_PROGRAMS = ("helm", "helm4", "oras", "crane", "cosign", "regctl", "conftest", "skopeo")


def _libraries(program: str, *folders: str) -> tuple[str, ...]:
    """What a program of this machine and its modules in C are linked with."""
    modules = (str(path) for one in folders for path in Path(one).rglob("*.so"))
    said = subprocess.run(["ldd", program, *modules], capture_output=True, text=True, check=False).stdout
    return tuple(re.findall(r"(/\S+\.so[.\d]*) \(0x", said))


@pytest.fixture(scope="module")
def image(engine: Engine, tools: Tools) -> str:
    site, modules = sysconfig.get_path("platlib"), sysconfig.get_path("platstdlib")
    libraries = sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix})
    python, skopeo = os.path.realpath(sys.executable), shutil.which("skopeo")
    assert skopeo
    linked = {*_libraries(python, f"{libraries}/lib-dynload", site, modules), *_libraries(skopeo)}
    everything = Image(
        _PROGRAMS,
        variables=(("PYTHONPATH", site), ("PYTHONHOME", sys.base_prefix)),
        libraries=(python, "/etc/containers/policy.json", *sorted(linked)),
        folders=(libraries, site),
        passwd="root:x:0:0:root:/root:/bin/sh\n",
    )
    publish_images(engine, tools.registry, {"oci tools": everything})
    return tools.reference("oci tools")


def _run(bench: Bench, image: str, name: str, logins: list[dict[str, str]]) -> Step:
    """The tool's commands in one step, all with the first registry."""
    tool, work = TOOLS[name], bench.machine.work
    digest = oci_layout(work / "layout")
    chart(work)
    for path, text in {
        "file.txt": "text",
        "policy/main.rego": "package main\n",
        "client.py": PYTHON_CLIENT.read_text(),
    }.items():
        (work / path).parent.mkdir(exist_ok=True)
        (work / path).write_text(text)
    registry = replace(bench.registries.first, address=bench.engine.inside(bench.registries.first))
    given = {"layout": "layout", "chart": "app-1.2.3.tgz", "client": "client.py"}
    given |= {"python": os.path.realpath(sys.executable), "digest": digest}
    commands = (*tool.prepare, tool.push, tool.pull)
    lines = [" ".join(words(tool, command, registry, _repository(name), **given)) for command in commands]
    return bench.action("\n".join(lines), {"env": "COSIGN_PASSWORD="}, image=image, registries=logins)


def _repository(name: str) -> str:
    return "in-image/" + name.replace(" ", "-")


def _seen(bench: Bench, name: str) -> list[set[tuple[str, str]]]:
    """Method and status of each request for a manifest of this tool, at both registries."""
    pattern = rf'"(\w+) /v2/{_repository(name)}/\S+/manifests/\S+ HTTP/[\d.]+" (\d+)'
    return [set(re.findall(pattern, registry.log.read_text())) for registry in bench.registries]


@pytest.mark.parametrize("name", _IN_IMAGE)
def test_it_pushes_and_pulls_in_an_image(bench: Bench, image: str, name: str) -> None:
    step = _run(bench, image, name, bench.logins)
    assert step.code == 0, step.log
    first, second = _seen(bench, name)
    assert (first >= {("PUT", "201"), ("GET", "200")}, second) == (True, set())
    assert "alice" not in refused_users(bench.registries.second.log.read_text())
    note(name, image=True)


@pytest.mark.parametrize("name", ["helm", "oras", "crane", "cosign", "regctl", "skopeo"])
def test_it_fails_in_an_image_with_the_entry_of_another_registry(bench: Bench, image: str, name: str) -> None:
    before = [len(log.log.read_text()) for log in bench.registries]
    step = _run(bench, image, name, bench.logins[1:])
    new = [one.log.read_text()[start:] for one, start in zip(bench.registries, before, strict=True)]
    assert step.code not in (0, 64), step.log
    assert [refused_users(log) for log in new] == [set(), set()]
    assert '" 401 ' in new[0]


@pytest.mark.parametrize("login", ["crane auth login {} -u a -p b", "oras login --plain-http {} -u {} -p {}"])
def test_a_login_in_the_command_is_explained(bench: Bench, image: str, login: str) -> None:
    ((user, password),) = bench.registries.first.users.items()
    line = login.format(bench.engine.inside(bench.registries.first), user, password)
    done = bench.run(*line.split(), image=image, registries=bench.logins[1:])
    assert lines_of_ours(done.stderr) == [
        "the command failed with exit code 1",
        "the command tries to store a login: none is needed here, leave it out",
    ]
