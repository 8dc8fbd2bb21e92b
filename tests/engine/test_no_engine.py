"""Where no engine can be had: said at once, in our words. These tests need no engine."""

from __future__ import annotations

import os
import socket
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from registry_config.engine.session import DaggerSession
from registry_config.errors import UnavailableError
from support.cli import Machine
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HOST = "_EXPERIMENTAL_DAGGER_RUNNER_HOST"
_CLI = "_EXPERIMENTAL_DAGGER_CLI_BIN"
_LOGIN = {"registry": "registry.example.com", "username": "alice", "password-env": "TOKEN"}
_TOKEN = {"TOKEN": "token-of-some-length"}
_CORRECT = "start it, or correct the address"
_START = "start Docker, or point _EXPERIMENTAL_DAGGER_RUNNER_HOST at an engine"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def _program(machine: Machine, name: str, script: str) -> str:
    """A program in a folder that is the whole PATH."""
    folder = machine.root / "bin"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!{sys.executable} -SE\nimport os, sys, time\n{script}\n")
    (folder / name).chmod(0o755)
    return str(folder / name)


@contextmanager
def _mute(folder: Path) -> Iterator[str]:
    """Address of an engine that takes connections and says nothing."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "engine.sock"))
        listening.listen()
        yield f"unix://{folder}/engine.sock"


@pytest.fixture
def mute(tmp_path: Path) -> Iterator[str]:
    with _mute(tmp_path) as address:
        yield address


@pytest.fixture(scope="module", autouse=True)
def patience(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Future[tuple[str, float]]]:
    """What comes of waiting for an engine that says nothing, and how long it takes; the other tests run meanwhile."""
    machine = Machine(tmp_path_factory.mktemp("patience"))

    def wait(address: str) -> tuple[str, float]:
        environ = {"PATH": os.defpath, _HOST: address, _CLI: _program(machine, "dagger", "time.sleep(60)")}
        began = time.monotonic()
        session = DaggerSession(environ, lambda _: None)
        session.start()
        with pytest.raises(UnavailableError) as caught:
            session.connect()
        return str(caught.value), time.monotonic() - began

    with _mute(machine.root) as address, ThreadPoolExecutor(1) as pool:
        yield pool.submit(wait, address)


@table(
    "host, message",
    {
        "no socket": ("unix:///no/such/socket", f"(no such file or directory); {_CORRECT}"),
        "nobody listens": ("tcp://127.0.0.1:1", f"(connection refused); {_CORRECT}"),
        "no port": ("tcp://127.0.0.1", f"(connection refused); {_CORRECT}"),
        "no number": ("tcp://127.0.0.1:x", f"(port could not be cast to integer value as 'x'); {_CORRECT}"),
        "an open bracket": ("unix://[", f"(invalid ipv6 url); {_CORRECT}"),
    },
)
def test_an_address_without_an_engine_is_told_at_once(machine: Machine, host: str, message: str) -> None:
    began = time.monotonic()
    done = machine.run("true", registries=[_LOGIN], options=["--image", "alpine"], variables={**_TOKEN, _HOST: host})
    expected = f"engine: none answers at {_HOST} {message}"
    assert (done.code, done.stdout, done.stderr.decode()) == (69, b"", f"registry-config: {expected}\n")
    assert (done.report["ran"], done.report["error"]) == (False, expected)
    assert time.monotonic() - began < 20


@table(
    "programs, message",
    {
        "no Docker": ({}, "there is no Docker on this machine to run the Dagger engine"),
        "no daemon": ({"docker": "sys.exit(1)"}, "docker is here but its daemon does not answer"),
        "a daemon that hangs": ({"docker": "time.sleep(60)"}, "docker is here but its daemon does not answer"),
        "podman does not work either": ({"podman": "sys.exit(1)"}, "podman is here but its daemon does not answer"),
    },
)
def test_a_machine_without_docker_is_told(machine: Machine, programs: dict[str, str], message: str) -> None:
    (machine.root / "bin").mkdir()
    for name, script in programs.items():
        _program(machine, name, script)
    began = time.monotonic()
    done = machine.run(
        "true",
        registries=[_LOGIN],
        options=["--image", "alpine"],
        variables={**_TOKEN, "PATH": str(machine.root / "bin")},
    )
    expected = f"engine: {message}; {_START}"
    assert (done.code, done.stdout, done.stderr.decode()) == (69, b"", f"registry-config: {expected}\n")
    assert time.monotonic() - began < 15


@table(
    "script, said",
    {
        "its last words": (r"sys.stderr.write('1\n2\n3\nthe last words\n'); sys.exit(1)", " (2\n3\nthe last words)"),
        "for a terminal": (
            r"sys.stderr.write('\x1b[95m1 :\x1b[0m \x1b[31m! no\x1b[0m\n\nError: no [traceparent:13d9-0a13]\n')",
            " (1 : ! no\nError: no)",
        ),
        "nothing": ("", ": the Dagger CLI ended"),
    },
)
def test_what_the_session_says_last_is_passed_on(machine: Machine, mute: str, script: str, said: str) -> None:
    variables = {**_TOKEN, _HOST: mute, _CLI: _program(machine, "dagger", script)}
    done = machine.run("true", registries=[_LOGIN], options=["--image", "alpine"], variables=variables)
    expected = f"engine: no Dagger engine answers{said}; {_START}"
    assert (done.code, done.stderr.decode()) == (69, f"registry-config: {expected}\n")


def test_after_a_signal_nobody_waits_long_for_a_session_that_hangs(machine: Machine, mute: str) -> None:
    script = r"""print('{"port": 1, "session_token": "token"}', flush=True); time.sleep(60)"""
    environ = {"PATH": os.defpath, _HOST: mute, _CLI: _program(machine, "dagger", script)}
    session = DaggerSession(environ, lambda _: None)
    session.start()
    session.connect()
    began = time.monotonic()
    session.close(soon=True)
    assert time.monotonic() - began < 7


def test_the_session_gets_our_settings_and_no_credential(machine: Machine, mute: str) -> None:
    script = r"open(os.environ['SEEN'], 'w').write('\n'.join([*sys.argv[1:], *map('='.join, os.environ.items())]))"
    given = {
        **_TOKEN,
        _HOST: mute,
        _CLI: _program(machine, "dagger", script),
        "SEEN": str(machine.root / "seen"),
        "OTHER": "secret-of-the-command",
        "DAGGER_CLOUD_TOKEN": "token-of-dagger-cloud",
        "DAGGER_LEAVE_OLD_ENGINE": "",
        "GITHUB_OUTPUT": "/no/such",
    }
    options = ["--image", "alpine", "--secret-env", "OTHER"]
    done = machine.run("true", registries=[_LOGIN], options=options, variables=given)
    words = (machine.root / "seen").read_text().splitlines()
    environ = dict(word.split("=", 1) for word in words if "=" in word)
    assert (done.code, words[:3]) == (69, ["session", "--label", "dagger.io/sdk.name:python"])
    settings = {
        "DAGGER_PROGRESS": "plain",
        "DO_NOT_TRACK": "1",
        "DAGGER_NO_NAG": "1",
        "DAGGER_NO_UPDATE_CHECK": "1",
        # What the user sets, stays.
        "DAGGER_LEAVE_OLD_ENGINE": "",
        "DAGGER_CLOUD_TOKEN": "token-of-dagger-cloud",
    }
    withdrawn = {"TOKEN", "OTHER", "GITHUB_OUTPUT"}
    assert {k: environ.get(k) for k in (*settings, *withdrawn)} == settings | dict.fromkeys(withdrawn)


def test_an_engine_that_does_not_answer_is_given_up_within_30_seconds(patience: Future[tuple[str, float]]) -> None:
    message, seconds = patience.result()
    assert message == f"engine: no Dagger engine answers within 25 s; {_START}"
    assert 24 < seconds < 30
