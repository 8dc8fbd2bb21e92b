"""Real helpers: small programs that speak Docker's protocol, or fail at it."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

from registry_config.credentials import helper
from registry_config.credentials.helper import ask_helper, find_helper
from registry_config.credentials.redaction import Redactor
from registry_config.errors import ProviderRefusedError, RegistryConfigError, UnavailableError

if TYPE_CHECKING:
    from pathlib import Path

_PLACE = "registries[0] (line 1)"
_SECRET = "helpers-secret-16180339887498"


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    folder = tmp_path / "tools"
    folder.mkdir()
    return folder


def _write(folder: Path, script: str, name: str = "test") -> Path:
    file = folder / f"docker-credential-{name}"
    file.write_text(f"#!{sys.executable} -IS\nimport json, os, sys, time\n{script}\n")
    file.chmod(0o755)
    return file


def _ask(tools: Path, host: str = "registry.example.com", **variables: str) -> helper.Login:
    environ = {"PATH": str(tools), **variables}
    return ask_helper(_PLACE, "test", host, environ, outside=(), redactor=Redactor(()))


def _answer(username: str = "robot", secret: str = _SECRET) -> str:
    return f"print(json.dumps({{'ServerURL': 'x', 'Username': {username!r}, 'Secret': {secret!r}}}))"


@pytest.mark.parametrize(
    ("host", "asked"),
    [("registry.example.com", "registry.example.com"), ("docker.io", "https://index.docker.io/v1/")],
)
def test_a_helper_is_asked_for_the_registry(host: str, asked: str, tools: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    keep = "given = [sys.argv[1:], sys.stdin.read(), os.getcwd(), dict(os.environ)]"
    _write(tools, f"{keep}; open({str(seen)!r}, 'w').write(json.dumps(given)); {_answer()}")

    login = _ask(tools, host, CLOUD_PROFILE="release")

    assert login == ("robot", _SECRET)
    arguments, stdin, folder, environ = json.loads(seen.read_text())
    assert (arguments, stdin, folder) == (["get"], asked, "/")
    assert environ["CLOUD_PROFILE"] == "release"
    assert set(environ) <= {"PATH", "CLOUD_PROFILE", "LC_CTYPE"}


@pytest.mark.parametrize(
    ("script", "error", "problem"),
    [
        ("sys.exit(3)", ProviderRefusedError, "exit code 3"),
        ("print('credentials not found in native keychain'); sys.exit(1)", ProviderRefusedError, "exit code 1"),
        ("os.kill(os.getpid(), 15)", ProviderRefusedError, "signal 15"),
        (_answer("<token>"), ProviderRefusedError, "identity token"),
        ("pass", UnavailableError, "no answer in Docker's protocol"),
        ("print('{')", UnavailableError, "no answer in Docker's protocol"),
        ("print('[]')", UnavailableError, "no answer in Docker's protocol"),
        ("print(json.dumps({'Username': 'robot'}))", UnavailableError, "no answer in Docker's protocol"),
        ("print(json.dumps({'Username': 'r', 'Secret': ''}))", UnavailableError, "no answer in Docker's protocol"),
        ("print(json.dumps({'Username': 5, 'Secret': 'x'}))", UnavailableError, "no answer in Docker's protocol"),
        (
            r"print('{\"Username\": \"r\", \"Secret\": \"\\ud800\"}')",
            UnavailableError,
            "no answer in Docker's protocol",
        ),
        ("print('[' * 100000)", UnavailableError, "no answer in Docker's protocol"),
        (_answer("a:b"), UnavailableError, "must not contain ':'"),
        (_answer(""), UnavailableError, "is empty"),
        ("sys.stdout.write('x' * (1 << 21)); time.sleep(60)", UnavailableError, "no complete answer"),
        ("sys.stderr.write('x' * (1 << 21)); time.sleep(60)", UnavailableError, "no complete answer"),
    ],
)
def test_a_helper_that_gives_nothing(script: str, error: type[RegistryConfigError], problem: str, tools: Path) -> None:
    _write(tools, script)

    with pytest.raises(RegistryConfigError) as raised:
        _ask(tools)

    assert type(raised.value) is error
    assert problem in raised.value.problem
    assert raised.value.place == _PLACE
    assert "native keychain" not in str(raised.value)


def test_its_complaint_is_shown_without_secrets(tools: Path) -> None:
    complain = f"sys.stderr.write('denied for {_SECRET}\\x1b[1m\\n::error::x and known-secret-27182818')"
    _write(tools, f"{_answer()}; {complain}; sys.exit(1)")
    known = Redactor([b"known-secret-27182818"])

    with pytest.raises(ProviderRefusedError) as raised:
        ask_helper(_PLACE, "test", "ghcr.io", {"PATH": str(tools)}, outside=(), redactor=known)

    assert 'denied for *** [1m ::error::x and ***"' in str(raised.value)


def test_a_name_under_which_no_helper_is_found_is_not_repeated(tools: Path) -> None:
    """It may be the password, slipped to another key."""
    with pytest.raises(UnavailableError) as raised:
        ask_helper(_PLACE, _SECRET, "ghcr.io", {"PATH": str(tools)}, outside=(), redactor=Redactor(()))
    message = "the credential helper that it names is not on PATH; install docker-credential-NAME there"
    assert str(raised.value) == f"{_PLACE}: {message}"


def test_a_helper_that_is_too_slow_ends_with_what_it_started(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = tmp_path / "child"
    start = "import subprocess; p = subprocess.Popen(['/bin/sleep', '300'])"
    _write(tools, f"{start}; open({str(child)!r}, 'w').write(str(p.pid)); time.sleep(300)")
    monkeypatch.setattr(helper, "SECONDS", 2.0)

    with pytest.raises(UnavailableError) as raised:
        _ask(tools)

    assert "no complete answer within 2 s" in raised.value.problem
    _gone(int(child.read_text()))


def test_a_helper_that_does_not_read(tools: Path) -> None:
    _write(tools, f"os.close(0); {_answer()}")

    assert _ask(tools).secret == _SECRET


@pytest.mark.parametrize("kind", ["missing", "not executable", "folder", "no program"])
def test_a_helper_that_cannot_be_run(kind: str, tools: Path) -> None:
    file = tools / "docker-credential-test"
    if kind == "not executable":
        file.write_text("#!/bin/sh\n")
    elif kind == "folder":
        file.mkdir()
    elif kind == "no program":
        file.write_text("no program")
        file.chmod(0o755)

    with pytest.raises(UnavailableError) as raised:
        _ask(tools)

    name = "the credential helper that it names" if kind != "no program" else "docker-credential-test"
    assert raised.value.problem.startswith(name)


def test_no_folder_that_a_job_may_have_written_is_searched(tools: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    (workspace / "bin").mkdir(parents=True)
    wrong = _write(workspace / "bin", _answer())
    right = _write(tools, _answer())
    link = tmp_path / "link"
    link.symlink_to(workspace / "bin")
    path = os.pathsep.join(("", ".", "workspace/bin", str(workspace / "bin"), str(link), str(tools)))

    assert find_helper("test", path, (str(workspace),)) == str(right)
    assert find_helper("test", str(workspace / "bin"), (str(workspace),)) == ""
    assert find_helper("test", str(workspace / "bin"), ()) == str(wrong)


def test_a_login_does_not_show_itself() -> None:
    assert _SECRET not in repr(helper.Login("robot", _SECRET))


def _gone(pid: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return
        except FileNotFoundError:
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} is still there")
