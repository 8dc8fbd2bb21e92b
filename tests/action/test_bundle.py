"""What a release tag has beside the sources, and the one file for other CIs: run where nothing can be installed."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.act import copy_project
from support.action import ROOT, Action, Done, installers, runner_path
from support.artifacts import oci_layout
from support.pythons import SUPPORTED, folder_with, path_without
from support.runner import Annotation, file_commands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.cli import Machine
    from support.registry import Pair

_MEGABYTE = 10**6
_NOTHING = {"registries": "[]", "command": "true"}
# A network in which nothing can be reached, loopback included.
_OFFLINE = ("unshare", "--net") if os.getuid() == 0 else ("unshare", "--net", "--map-root-user")
_MUST_NOT_BE_IN = (
    "requests",
    "idna",
    "certifi",
    "charset_normalizer",
    "github",
    "nacl",
    "cryptography",
    "dagger",
    "tests",
)
_PLANTED = ("yaml.py", "sitecustomize.py", "usercustomize.py", "registry_config.py", "tenacity.py")


def _bundle(project: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, **installers()}
    program = [sys.executable, str(project / "scripts/bundle.py"), *map(str, words)]
    return subprocess.run(program, env=environ, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as a release tag has it."""
    folder = copy_project(tmp_path_factory.mktemp("released"))
    done = _bundle(folder, folder / "dist", "--file", folder / "registry-config")
    assert (done.returncode, done.stderr) == (0, "")
    return folder


@pytest.fixture
def job(released: Path, tmp_path: Path) -> Action:
    """A release of the action, in a job of its own without network."""
    (tmp_path / "runner").mkdir()
    return Action(released, tmp_path / "runner", {}, _OFFLINE)


def _start(done: Done) -> list[str]:
    return file_commands(done.setup.files["GITHUB_OUTPUT"])["start"].splitlines()


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_two_builds_are_equal_byte_for_byte(released: Path, tmp_path: Path) -> None:
    again = copy_project(tmp_path)
    assert _bundle(again, again / "dist", "--file", again / "registry-config").returncode == 0
    assert _files(again / "dist") == _files(released / "dist")
    assert (again / "registry-config").read_bytes() == (released / "registry-config").read_bytes()


@pytest.mark.parametrize("package", ["tenacity", "ahocorasick-rs"])
def test_a_package_with_another_hash_than_the_lock_has_is_refused(tmp_path: Path, package: str) -> None:
    project = copy_project(tmp_path)
    lock = (project / "uv.lock").read_text()
    begin = lock.index(f'name = "{package}"\nversion')
    end = lock.index("[[package]]", begin)
    (project / "uv.lock").write_text(
        lock[:begin] + re.sub("sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}", lock[begin:end]) + lock[end:]
    )
    done = _bundle(project, project / "dist")
    assert (done.returncode, (project / "dist").exists()) == (1, False)
    assert f"Hash mismatch for `{package}" in done.stderr


def test_it_holds_what_is_imported_with_its_licences_and_nothing_else(released: Path) -> None:
    names = set(_files(released / "dist"))
    packages = {name.partition("/")[0] for name in names} - {"licenses"}
    licensed = {name.split("/")[1].rpartition("-")[0].lower() for name in names if name.startswith("licenses/")}
    assert licensed == {{"yaml": "pyyaml"}.get(package, package) for package in packages}
    assert not packages & set(_MUST_NOT_BE_IN)
    told = re.findall(
        r"^\| without `image`, from a release \| (\d) \((.+?)\) \|", (ROOT / "SECURITY.md").read_text(), re.MULTILINE
    )
    names_told = {name.replace("-", "_") for name in re.findall(r"`(.+?)`", told[0][1])}
    assert (int(told[0][0]), names_told) == (len(licensed), licensed)
    assert [name for name in names if name.endswith((".pyc", ".pyi", ".pth"))] == []
    compiled = {name for name in names if ".so" in name}
    assert compiled == {
        f"ahocorasick_rs/ahocorasick_rs.cpython-{version.replace('.', '')}-{machine}-linux-gnu.so"
        for version in SUPPORTED
        for machine in ("x86_64", "aarch64")
    }
    assert sum(map(len, _files(released / "dist").values())) < 12 * _MEGABYTE


@pytest.mark.parametrize("version", SUPPORTED)
def test_all_that_a_step_without_an_image_imports_is_there(released: Path, tmp_path: Path, version: str) -> None:
    python = folder_with(version, tmp_path / "bin") / "python3"
    program = f"import sys; sys.path[:0] = ['{released}/src', '{released}/dist']; import {', '.join(_host_imports())}"
    words = [str(python), "-I", "-S", "-W", "error", "-X", f"pycache_prefix={tmp_path}", "-c", program]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def _host_imports() -> Sequence[str]:
    """All modules that our own import anywhere, and these, but for those that need the Dagger SDK."""
    names = set()
    for path in (ROOT / "src/registry_config").rglob("*.py"):
        imported = set(_imports(path))
        if not any(name.partition(".")[0] == "dagger" for name in imported) and path.name != "__main__.py":
            module = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")
            names |= {module, *(name for name in imported if not name.startswith("registry_config"))}
    return sorted(names - {"__future__"})


def _imports(path: Path) -> list[str]:
    tree = ast.parse(path.read_text())
    checked = {id(node) for block in ast.walk(tree) if isinstance(block, ast.If) for node in ast.walk(block)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and id(node) not in checked:
            found += [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom) and node.module and id(node) not in checked:
            found.append(node.module)
    return found


@pytest.mark.parametrize("version", SUPPORTED)
def test_a_step_needs_a_python3_and_no_network(job: Action, machine: Machine, tmp_path: Path, version: str) -> None:
    folder = folder_with(version, tmp_path / "bin")
    path = path_without(tmp_path / "path", "uv", "python3", "pip", "pip3", path=runner_path())
    before = {name: content for name, content in _files(job.root).items() if "__pycache__" not in name}
    done = job.run(machine, _NOTHING, {"PATH": f"{folder}:{path}"})
    assert (done.setup.stdout, done.setup.stderr, done.last.code, done.outputs["exit-code"]) == (b"", b"", 0, "0")
    assert Path(_start(done)[0]).resolve() == (folder / "python3").resolve()
    # No environment was made, and nothing else but what Python compiles beside the sources.
    assert [list(folder.iterdir()) for folder in (job.temporary, machine.home, machine.work)] == [[], [], []]
    after = _files(job.root)
    assert {name: content for name, content in after.items() if "__pycache__" not in name} == before


def test_nothing_is_compiled_into_the_workspace(released: Path, machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "runner").mkdir()
    shutil.copytree(released, machine.work / "here", ignore=shutil.ignore_patterns("__pycache__"))
    before = _files(machine.work)
    done = Action(machine.work / "here", tmp_path / "runner", {}, _OFFLINE).run(machine, _NOTHING)
    assert (done.last.code, "-S" in _start(done)) == (0, True)
    assert _files(machine.work) == before


@pytest.mark.parametrize("version", SUPPORTED)
def test_nothing_that_lies_where_python_looks_is_run(
    job: Action, machine: Machine, tmp_path: Path, version: str
) -> None:
    base = folder_with(version, tmp_path / "bin") / "python3"
    subprocess.run([str(base.resolve()), "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    marker = f"open({str(tmp_path / 'planted')!r}, 'w')"
    for folder in (tmp_path / f"venv/lib/python{version}/site-packages", machine.work):
        for name in _PLANTED:
            (folder / name).write_text(marker)
        (folder / "planted.pth").write_text(f"import os; {marker}")
    variables = {"PATH": f"{tmp_path}/venv/bin:{runner_path()}", "PYTHONPATH": str(machine.work)}
    done = job.run(machine, _NOTHING, variables)
    assert (_start(done)[0], done.last.code) == (f"{tmp_path}/venv/bin/python3", 0)
    assert not (tmp_path / "planted").exists()


def test_a_python3_of_the_workspace_is_passed_over(job: Action, machine: Machine, tmp_path: Path) -> None:
    (machine.work / "bin").mkdir()
    (machine.work / "bin/python3").write_text(f"#!/bin/sh\ntouch '{tmp_path}/planted'\necho python3\n")
    (machine.work / "bin/python3").chmod(0o755)
    (tmp_path / "links").mkdir()
    (tmp_path / "links/python3").symlink_to(machine.work / "bin/python3")
    path = os.pathsep.join((str(machine.work / "bin"), "bin", "", str(tmp_path / "links"), runner_path()))
    done = job.run(machine, _NOTHING, {"PATH": path})
    assert (done.last.code, (tmp_path / "planted").exists()) == (0, False)


def test_a_python3_that_does_not_fit_is_passed_over(job: Action, machine: Machine, tmp_path: Path) -> None:
    old, fitting = folder_with("3.9", tmp_path / "old"), folder_with("3.11", tmp_path / "fitting")
    done = job.run(machine, _NOTHING, {"PATH": f"{old}:{fitting}:{runner_path()}"})
    assert (done.last.code, Path(_start(done)[0]).resolve()) == (0, (fitting / "python3").resolve())


def test_where_no_python3_fits_the_packages_are_installed_as_without_it(
    released: Path, machine: Machine, tmp_path: Path
) -> None:
    (tmp_path / "runner").mkdir()
    job = Action(released, tmp_path / "runner", {})
    uv = shutil.which("uv", path=runner_path())
    assert uv
    path = path_without(tmp_path / "path", "python3", path=runner_path())
    done = job.run(machine, _NOTHING, {"PATH": path, "UV_PYTHON_PREFERENCE": "only-system"})
    made = [path.name for path in (job.temporary / "registry-config").iterdir() if path.name.startswith("host-")]
    assert (done.last.code, len(made)) == (0, 1)


def test_an_image_needs_more_than_is_there(released: Path, machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "runner").mkdir()
    nowhere = {"UV_CACHE_DIR": str(tmp_path / "cache"), "UV_OFFLINE": "1"}
    done = Action(released, tmp_path / "runner", {}).run(machine, _NOTHING | {"image": "busybox"}, nowhere)
    assert done.setup.step.annotations == [
        Annotation("error", "the action's packages could not be installed; the lines above say why", "registry-config")
    ]


def test_on_musl_the_set_up_says_what_is_missing(job: Action, machine: Machine, tmp_path: Path) -> None:
    # A bash that names the loader of musl, as each program of such a system does; what follows an ELF file is not read.
    bash = shutil.which("bash", path=runner_path())
    assert bash
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/bash").write_bytes(Path(bash).read_bytes() + b"\0/lib/ld-musl-x86_64.so.1\0")
    (tmp_path / "bin/bash").chmod(0o755)
    path = path_without(tmp_path / "path", "python3", path=runner_path())
    done = job.run(machine, _NOTHING, {"PATH": f"{tmp_path / 'bin'}:{path}"})
    assert (done.setup.code, done.run) == (69, None)
    assert [one.message for one in done.setup.step.annotations] == [
        "this action needs glibc; on this system, as on Alpine, the C library is musl"
    ]


def test_musl_is_told_by_what_the_detection_asks(tmp_path: Path) -> None:
    if not shutil.which("musl-gcc"):
        pytest.skip("musl-gcc was not installed (scripts/test --all-tools)")
    # What scripts/start.py asks of Python, which hands the C library's answer on.
    (tmp_path / "ask.c").write_text(
        "#include <stdio.h>\n#include <unistd.h>\n"
        'int main(void) { char b[64] = ""; confstr(_CS_GNU_LIBC_VERSION, b, 64); return puts(b) < 0; }\n'
    )
    answers = {}
    for compiler in ("musl-gcc", "gcc"):
        subprocess.run([compiler, "-o", tmp_path / compiler, tmp_path / "ask.c"], check=True)
        answers[compiler] = subprocess.run([tmp_path / compiler], capture_output=True, check=True, text=True).stdout
    assert (answers["musl-gcc"], answers["gcc"].partition(" ")[0]) == ("\n", "glibc")
    named = [b"/lib/ld-musl-" in (tmp_path / compiler).read_bytes() for compiler in ("musl-gcc", "gcc")]
    assert named == [True, False]


@pytest.mark.parametrize("version", SUPPORTED)
def test_the_one_file_serves_a_job_of_another_ci(
    released: Path, machine: Machine, registries: Pair, tmp_path: Path, version: str
) -> None:
    program = shutil.copy(released / "registry-config", machine.work)
    (machine.work / "app").mkdir()
    oci_layout(machine.work / "app")
    password = dict(registries.first.users)["alice"]
    reference = f"docker://{registries.first.address}/other-ci/app:{version}"
    # As GitLab runs a job: its variables in the environment, its lines one after the other in a shell.
    script = f"""
        set -eo
        printf '[{{"registry": "%s", "username": "alice", "password-env": "HARBOR_TOKEN"}}]' "$HARBOR" >registries.yaml
        ./registry-config run --registries registries.yaml -- skopeo copy --dest-tls-verify=false oci:app:1 {reference}
    """
    variables = {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_PROJECT_DIR": str(machine.work),
        "HARBOR": registries.first.address,
        "HARBOR_TOKEN": password,
        "PATH": f"{folder_with(version, tmp_path / 'bin')}:{runner_path()}",
    }
    environ = machine.environ(variables)
    done = subprocess.run(["sh", "-c", script], cwd=machine.work, env=environ, capture_output=True, check=False)
    assert (done.returncode, password.encode() in done.stdout + done.stderr) == (0, False), done.stderr.decode()
    assert registries.first.digest("other-ci/app", version)
    (unpacked,) = (machine.home / ".cache/registry-config").iterdir()
    assert not any(password.encode() in content for content in _files(unpacked).values())
    assert Path(program).read_bytes() == (released / "registry-config").read_bytes()


def _one_file(released: Path, machine: Machine, path: str, *words: str) -> subprocess.CompletedProcess[str]:
    program = ["sh", str(released / "registry-config"), *words]
    environ = machine.environ({"PATH": path})
    return subprocess.run(program, cwd=machine.work, env=environ, capture_output=True, text=True, check=False)


def test_the_one_file_has_no_engine_and_says_so(released: Path, machine: Machine) -> None:
    declared = machine.declare([{"registry": "a.example.com", "username": "alice", "password": "password-0123456789"}])
    words = ("run", "--registries", declared, "--image", "busybox", "--", "true")
    done = _one_file(released, machine, runner_path(), *words)
    assert (done.returncode, done.stdout) == (69, "")
    assert "image: the Dagger SDK is not part of this installation" in done.stderr


def test_the_one_file_unpacks_where_nobody_else_can_write_or_nowhere(released: Path, machine: Machine) -> None:
    cache, shared = machine.home / ".cache/registry-config", machine.temporary / f"registry-config-{os.getuid()}"
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    assert _one_file(released, machine, runner_path(), "--help").returncode == 0
    assert (list(cache.iterdir()), len(list(shared.iterdir()))) == ([], 1)
    shutil.rmtree(shared)
    shared.symlink_to(cache)
    refused = _one_file(released, machine, runner_path(), "--help")
    assert (refused.returncode, list(cache.iterdir())) == (1, [])
    assert refused.stderr == f"registry-config: neither {cache} nor {shared} is a folder that only you can write to\n"


@pytest.mark.parametrize("version", ["", "3.9"])
def test_the_one_file_says_which_python_it_needs(
    released: Path, machine: Machine, tmp_path: Path, version: str
) -> None:
    path = "/nowhere"
    there = "there is no python3 on PATH"
    if version:
        path = str(folder_with(version, tmp_path / "bin"))
        there = f"{path}/python3 is Python 3.9"
    environ = machine.environ({"PATH": path})
    program = ["/bin/sh", str(released / "registry-config"), "--help"]
    done = subprocess.run(program, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (69, "")
    assert done.stderr.startswith(f"registry-config: {there}")
    assert "this file needs CPython 3.10 to 3.14 with glibc" in done.stderr
