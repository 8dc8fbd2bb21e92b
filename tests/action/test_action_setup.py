"""The action's first step: a Python of its own, made by installers that get neither secrets nor the workspace."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.action import Action, Done, runner_path
from support.pythons import path_without
from support.runner import Annotation, file_commands
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.cli import Machine

_NOBODY = 65534
_SECRET = "secret-0123456789"
# Of the step, of act, of the job: all of it reaches the first step.
_JOB = {
    "PASSWORD": _SECRET,
    "INPUT_REGISTRIES": f"- {{registry: a.example.com, username: alice, password: {_SECRET}}}",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": _SECRET,
    "UV_PROJECT_ENVIRONMENT": "/no/such/folder",
    "UV_PYTHON": "2.7",
    "VIRTUAL_ENV": "/no/such/folder",
}
_INPUTS = {"registries": "[]", "command": "true"}
_PLANTED = {
    "pip.py": "raise SystemExit('the workspace was used')",
    "uv.toml": "[[[",
    ".python-version": "2.7",
    "pyproject.toml": "[[[",
    "yaml.py": "raise SystemExit('the workspace was used')",
    "registry_config/__init__.py": "raise SystemExit('the workspace was used')",
}

# The compiled form of each module that the SDK needs.
_IMPORTED = (
    "import sys, dagger; cached = (getattr(m, '__cached__', None) or '' for m in list(sys.modules.values())); "
    "print(*(path for path in cached if '/site-packages/' in path))"
)


def _error(message: str) -> Annotation:
    return Annotation("error", message, "registry-config")


@pytest.fixture
def job(tmp_path: Path, project: Path) -> Action:
    """The action in a job of its own, where nothing is set up."""
    (tmp_path / "runner").mkdir()
    return Action(project, tmp_path / "runner", _JOB)


def _path_without(folder: Path, *programs: str) -> str:
    return path_without(folder, *programs, path=runner_path())


def _recorder(folder: Path, program: str, path: str) -> tuple[str, Path]:
    """PATH on which a program notes its environment and that of who started it, then does what it always does."""
    real = shutil.which(program, path=path)
    assert real, f"{program} is not installed (scripts/setup does)"
    wrapper, seen = folder / "bin" / program, folder / f"{program}.seen"
    wrapper.parent.mkdir(parents=True)
    note = f'cat "/proc/$$/environ" "/proc/$PPID/environ" | tr "\\0" "\\n" >>"{seen}"'
    wrapper.write_text(f'#!/bin/sh\n{note}\nexec "{real}" "$@"\n')
    wrapper.chmod(0o755)
    return os.pathsep.join((str(wrapper.parent), path)), seen


def _with_pip(folder: Path) -> str:
    """PATH without uv, with a python3 that has pip."""
    path = _path_without(folder / "path", "uv")
    base = folder / "base"
    base.mkdir()
    (base / "python3").symlink_to(Path(sys.base_prefix, "bin/python3"))
    for candidate in (path, os.pathsep.join((str(base), path))):
        found = shutil.which("python3", path=candidate)
        asked = [found or "python3", "-m", "pip", "--version"]
        if found and not subprocess.run(asked, capture_output=True, check=False).returncode:
            return candidate
    pytest.skip("no python3 with pip on this machine")


def _run(job: Action, machine: Machine, path: str, **variables: str) -> Done:
    for name, text in _PLANTED.items():
        (machine.work / name).parent.mkdir(exist_ok=True)
        (machine.work / name).write_text(text)
    python = {"PYTHONPATH": str(machine.work)}
    return job.run(machine, _INPUTS, {"PATH": path, **python, **variables})


def _start(done: Done) -> list[str]:
    return file_commands(done.setup.files["GITHUB_OUTPUT"])["start"].splitlines()


def _python(done: Done) -> str:
    return _start(done)[0]


def test_uv_makes_the_environment_once_sees_no_secret_and_prints_nothing(
    job: Action, machine: Machine, tmp_path: Path
) -> None:
    path, seen = _recorder(tmp_path, "uv", runner_path())
    first = _run(job, machine, path)
    calls = seen.read_text()
    second = _run(job, machine, path)
    assert [(done.setup.stdout, done.setup.stderr, done.last.code) for done in (first, second)] == [(b"", b"", 0)] * 2
    assert (_python(second), seen.read_text()) == (_python(first), calls)
    _check_environment(calls)


def test_for_an_image_the_sdk_is_compiled_for_the_mode_it_is_started_in(job: Action, machine: Machine) -> None:
    variables = {"PATH": runner_path(), "_EXPERIMENTAL_DAGGER_RUNNER_HOST": "unix:///no/engine"}
    done = job.run(machine, {**_INPUTS, "image": "alpine"}, variables)
    assert (done.setup.code, done.last.code) == (0, 69)
    python, *options = _start(done)
    assert "-O" in options
    asked = [python, "-I", "-O", "-B", "-c", _IMPORTED]
    files = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    assert len(files) > 500
    # By a process that the set-up leaves behind; another version of Python imports a few others.
    until = time.monotonic() + 120
    while time.monotonic() < until and sum(Path(file).exists() for file in files) <= 0.9 * len(files):
        time.sleep(0.1)
    assert sum(Path(file).exists() for file in files) > 0.9 * len(files)


def test_without_uv_pip_installs_the_pinned_one_sees_no_secret_and_prints_nothing(
    job: Action, machine: Machine, tmp_path: Path
) -> None:
    path, seen = _recorder(tmp_path, "python3", _with_pip(tmp_path))
    done = _run(job, machine, path)
    assert (done.setup.stdout, done.setup.stderr, done.last.code) == (b"", b"", 0)
    pinned = (job.root / "scripts/uv.txt").read_text()
    version = subprocess.run(
        [job.temporary / "registry-config/uv/bin/uv", "--version"], capture_output=True, check=True
    )
    assert f"uv=={version.stdout.split()[1].decode()} " in pinned
    _check_environment(seen.read_text())


def _check_environment(seen: str) -> None:
    names = {line.partition("=")[0] for line in seen.splitlines()}
    assert "PATH" in names
    assert _SECRET not in seen
    assert "/no/such/folder" not in seen
    assert not names & {"PASSWORD", "PYTHONPATH", "UV_PYTHON", "VIRTUAL_ENV"}
    assert not [name for name in names if name.startswith(("GITHUB_", "REGISTRY_CONFIG_", "ACTIONS_", "INPUT_"))]


def test_that_neither_uv_nor_python_is_there_is_told_by_an_annotation(
    job: Action, machine: Machine, tmp_path: Path
) -> None:
    done = _run(job, machine, _path_without(tmp_path / "path", "uv", "python3"))
    assert (done.setup.code, done.run) == (69, None)
    assert done.setup.step.annotations == [
        _error("neither uv nor python3 with pip is on this runner; install one of them")
    ]


def test_packages_that_cannot_be_had_are_told_by_an_annotation(job: Action, machine: Machine, tmp_path: Path) -> None:
    nowhere = {"UV_CACHE_DIR": str(tmp_path / "cache"), "UV_OFFLINE": "1"}
    done = _run(job, machine, runner_path(), **nowhere)
    assert (done.setup.code, done.run) == (69, None)
    assert done.setup.step.annotations == [
        _error("the action's packages could not be installed; the lines above say why")
    ]
    assert done.setup.stderr != b""


def test_two_versions_of_the_action_in_one_job_run_their_own_code(
    job: Action, machine: Machine, project: Path, tmp_path: Path
) -> None:
    other = Action(shutil.copytree(project, tmp_path / "other"), job.temporary, _JOB)
    for action in (job, other):
        python, *options = _start(_run(action, machine, runner_path()))
        shown = subprocess.run([python, "-v", *options, "--help"], capture_output=True, check=True, text=True).stderr
        assert set(re.findall(r"(/\S*)/src/registry_config/", shown)) == {str(action.root)}


def test_an_environment_that_was_not_finished_is_made_anew(job: Action, machine: Machine) -> None:
    first = _run(job, machine, runner_path())
    folder = Path(_python(first)).parents[1]
    (folder / "ready").unlink()
    (folder / "pyvenv.cfg").unlink()
    second = _run(job, machine, runner_path())
    assert (second.setup.stdout, second.setup.stderr, second.last.code) == (b"", b"", 0)


def test_the_environment_lies_in_the_runners_temporary_folder_and_nothing_else_is_written(
    job: Action, machine: Machine, project: Path
) -> None:
    before = sorted(project.rglob("*"))
    _run(job, machine, runner_path())
    assert [path.name for path in job.temporary.iterdir()] == ["registry-config"]
    assert sorted(path for path in project.rglob("*") if "__pycache__" not in path.parts) == [
        path for path in before if "__pycache__" not in path.parts
    ]
    assert list(machine.home.iterdir()) == []


def _open_folder(place: Path) -> None:
    place.mkdir()
    place.chmod(0o777)


def _link(place: Path) -> None:
    place.with_name("other").mkdir(0o700)
    place.symlink_to("other")


def _folder_of_another(place: Path) -> None:
    if os.getuid():
        pytest.skip("only root can give a folder to another user; run the tests as root")
    place.mkdir(0o700)
    os.chown(place, _NOBODY, _NOBODY)


@table(
    "plant",
    {
        "a folder to which others can write": _open_folder,
        "a link": _link,
        "a file": Path.touch,
        "another user's folder": _folder_of_another,
    },
)
def test_what_another_user_can_have_planted_is_refused(
    job: Action, machine: Machine, tmp_path: Path, plant: Callable[[Path], object]
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    place = shared / f"registry-config-{os.getuid()}"
    plant(place)
    before = sorted(shared.rglob("*"))
    done = _run(job, machine, runner_path(), RUNNER_TEMP="", TMPDIR=str(shared))
    assert (done.setup.code, done.run, sorted(shared.rglob("*"))) == (69, None, before)
    assert done.setup.step.annotations == [
        _error(f"{place} is not a folder that only this user can write to; remove it")
    ]


def test_without_a_folder_of_the_runner_it_makes_one_for_this_user_alone(
    job: Action, machine: Machine, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    done = _run(job, machine, runner_path(), RUNNER_TEMP="", TMPDIR=str(shared))
    (made,) = shared.glob("registry-config*")
    assert (done.last.code, made.name, made.stat().st_mode & 0o777) == (0, f"registry-config-{os.getuid()}", 0o700)


def test_a_folder_in_which_everybody_can_replace_things_is_refused(
    job: Action, machine: Machine, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    done = _run(job, machine, runner_path(), RUNNER_TEMP=str(shared))
    assert (done.setup.code, done.run, list(shared.iterdir())) == (69, None, [])
    assert done.setup.step.annotations == [
        _error(f"everybody can replace what lies in {shared}; set RUNNER_TEMP to another")
    ]


@table(
    "variables",
    {
        "a file that bash reads first": {"BASH_ENV": "planted.sh"},
        "a function in the place of a program": {"BASH_FUNC_exec%%": "() { . ./planted.sh; }"},
        "a function in the place of a builtin": {"BASH_FUNC_mapfile%%": "() { . ./planted.sh; }"},
    },
)
def test_no_variable_of_the_job_runs_code_before_ours(
    job: Action, machine: Machine, tmp_path: Path, variables: dict[str, str]
) -> None:
    (machine.work / "planted.sh").write_text(f"touch '{tmp_path}/planted'\n")
    done = _run(job, machine, runner_path(), **variables)
    assert (done.last.code, (tmp_path / "planted").exists()) == (0, False)


def test_no_program_of_the_workspace_makes_the_environment(job: Action, machine: Machine, tmp_path: Path) -> None:
    folder, link = machine.work / ".venv/bin", tmp_path / "link"
    folder.mkdir(parents=True)
    link.symlink_to(folder)
    for name in ("uv", "python3"):
        (folder / name).write_text(f"#!/bin/sh\ntouch '{tmp_path}/planted'\nexit 1\n")
        (folder / name).chmod(0o755)
    path = os.pathsep.join((str(folder), ".venv/bin", str(link), runner_path()))
    done = _run(job, machine, path)
    assert (done.last.code, (tmp_path / "planted").exists()) == (0, False)
