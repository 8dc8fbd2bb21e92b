"""`registry-config agent` in this process: its words, its lines for a shell, and what it says when it is refused."""

from __future__ import annotations

import json
import os
import select
import shlex
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from registry_config.cli.agent import run_agent
from registry_config.cli.agent_arguments import parse_agent
from registry_config.errors import InputError
from registry_config.host.agent import PID_VARIABLE
from registry_config.host.config_folder import SHARED_MEMORY
from support.tables import exactly, table

if TYPE_CHECKING:
    from collections.abc import Iterator

# Newer Pythons warn where threads run that an earlier test has left; the child of this fork starts a program and ends.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")

_SECRET = "canary-31415926535897"
# Nobody waits that long; it is for an end that does not come at all.
_SECONDS = 120
_LOGIN = {"registry": "registry.example.com", "username": "alice", "password-env": "PW"}


class _Shell:
    """One person's shell: its folder, its variables, and what a call has said."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.environ = {"HOME": str(folder), "PW": _SECRET}
        self.exported: dict[str, str] = {}
        self._capfd = capfd

    def call(self, *words: str) -> tuple[int, str, list[str]]:
        code = run_agent(list(words), {**self.environ, **self.exported})
        stdout, stderr = self._capfd.readouterr()
        return code, stdout, [line.removeprefix("registry-config: ") for line in stderr.splitlines()]

    def start(self, *options: str, logins: tuple[dict[str, str], ...] = (_LOGIN,)) -> tuple[int, str, list[str]]:
        (self.folder / "registries.yaml").write_text(json.dumps(logins))
        started = self.call("start", "--registries", str(self.folder / "registries.yaml"), *options)
        words = [shlex.split(line) for line in started[1].splitlines()]
        self.exported |= dict(word[1].split("=", 1) for word in words if word[0] == "export")
        return started


@pytest.fixture
def shell(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[_Shell]:
    # A blank has to come out as it went in.
    home = tmp_path / "a home"
    home.mkdir()
    shell = _Shell(home, capfd)
    yield shell
    with suppress(KeyError, ProcessLookupError):
        process = os.pidfd_open(int(shell.exported[PID_VARIABLE]))
        signal.pidfd_send_signal(process, signal.SIGTERM)
        # The next test looks for folders.
        select.select([process], [], [], _SECONDS)
        os.close(process)


def _folders() -> list[str]:
    return [name for name in os.listdir(SHARED_MEMORY) if name.startswith(f"registry-config-{os.getpid()}-")]


def test_an_agent_is_started_shown_and_stopped(shell: _Shell) -> None:
    before = len(os.listdir("/proc/self/fd"))
    code, stdout, said = shell.start("--lifetime", "10m")
    # Nothing of it ends with this process.
    assert len(os.listdir("/proc/self/fd")) <= before
    assert (code, {line.split()[0] for line in stdout.splitlines()}) == (0, {"export"})
    assert shell.exported["BUILDX_CONFIG"] == f"{shell.folder}/.docker/buildx"
    config = Path(shell.exported["DOCKER_CONFIG"])
    assert set(json.loads((config / "config.json").read_bytes())["auths"]) == {"registry.example.com"}
    told = "the agent holds the credentials for registry.example.com until it is stopped, for 10m at most; "
    assert [line.startswith(told) for line in said] == [True]
    assert shell.call("env") == (0, stdout, [])
    assert shell.call("stop") == (0, "", [])
    assert not config.exists()
    gone = f"{PID_VARIABLE}: names no running agent of this user; start one"
    assert [shell.call(word) for word in ("env", "stop")] == [(69, "", [gone])] * 2


def test_what_a_tool_stored_beside_the_config_is_kept_unless_it_holds_a_secret(shell: _Shell) -> None:
    docker = shell.folder / ".docker"
    docker.mkdir()
    shell.start()
    config = Path(shell.exported["DOCKER_CONFIG"])
    (config / "manifests").mkdir()
    (config / "manifests/list").write_text("digest")
    (config / "copy").write_text(f"password={_SECRET}")
    assert shell.call("stop") == (0, "", [])
    assert {path.name: path.is_dir() for path in docker.iterdir()} == {"manifests": True}
    assert (docker / "manifests/list").read_text() == "digest"


def test_where_that_cannot_be_kept_the_agent_ends_all_the_same(shell: _Shell) -> None:
    (shell.folder / ".docker").write_text("a file")
    shell.start()
    config = Path(shell.exported["DOCKER_CONFIG"])
    (config / "manifests").mkdir()
    code, _, said = shell.call("stop")
    assert (code, config.exists()) == (0, False)
    assert [line.startswith("what was stored beside the config cannot be kept (") for line in said] == [True]


_PATH = _LOGIN | {"registry": "quay.io/org"}


@table(
    "login, options, said",
    {
        "path": (_PATH, (), "registries[0].registry (line 1): has a path, "),
        "lifetime": (_LOGIN, ("--lifetime", "0s"), "--lifetime: must be a whole number with s, m or h, "),
        "a lifetime of years": (_LOGIN, ("--lifetime", "9999h"), "--lifetime: must be 8760h (a year) at most"),
        "token": (_LOGIN, ("--github-token-env", "NO"), "--github-token-env: no such variable in the environment; "),
        "option": (
            _LOGIN,
            ("--lifetme", "1h"),
            "command line: an unknown option or extra arguments; did you mean --lifetime?",
        ),
        "stray word": (
            _LOGIN,
            ("stray",),
            "command line: an unknown option or extra arguments; see registry-config agent --help",
        ),
    },
)
def test_a_refused_start_makes_a_bare_eval_fail_and_starts_nothing(
    shell: _Shell, login: dict[str, str], options: tuple[str, ...], said: str
) -> None:
    folders = _folders()
    code, stdout, told = shell.start(*options, logins=(login,))
    assert (code, stdout, _folders()) == (64, "exit 64\n", folders)
    assert [line.startswith(said) for line in told] == [True]


def test_a_skipped_start_prints_nothing_for_the_shell(shell: _Shell) -> None:
    shell.environ["PW"] = ""
    code, stdout, said = shell.start("--on-missing", "skip")
    assert (code, stdout, len(said)) == (0, "", 1)
    assert said[0].endswith("nothing was run (--on-missing skip)")


def test_where_standard_output_was_closed_from_the_start_nothing_is_started(
    shell: _Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = _folders()
    # So Python says it.
    monkeypatch.setattr(sys, "__stdout__", None)
    code, _, said = shell.start()
    assert (code, _folders(), shell.exported) == (69, folders, {})
    assert said[0].startswith("standard output: is closed, so nobody would learn of the agent; ")


@table("target", {"full": "/dev/full", "nobody reads": ""})
def test_where_its_lines_cannot_be_written_no_agent_stays(shell: _Shell, target: str) -> None:
    folders = _folders()
    kept = os.dup(1)
    if target:
        writer = os.open(target, os.O_WRONLY)
    else:
        reader, writer = os.pipe()
        os.close(reader)
    os.dup2(writer, 1)
    os.close(writer)
    try:
        if target:
            assert shell.start()[0] == 69
        else:
            with pytest.raises(BrokenPipeError):
                shell.start()
    finally:
        os.dup2(kept, 1)
        os.close(kept)
    assert _folders() == folders


@table("number", {"missing": {}, "malformed": {PID_VARIABLE: "-1"}})
@pytest.mark.parametrize("word", ["env", "stop"])
def test_without_the_number_of_an_agent_nothing_is_printed_for_the_shell(
    shell: _Shell, word: str, number: dict[str, str]
) -> None:
    shell.exported = number
    code, stdout, said = shell.call(word)
    assert (code, stdout) == (64, "")
    assert said[0].startswith(f"{PID_VARIABLE}: is not ")
    shell.exported = {}


class _Expected(NamedTuple):
    """Options as they are read."""

    registries: str = "list"
    on_missing: str = "fail"
    keep_logins: bool = False
    verify: str = "off"
    lifetime: str = "6h"
    github_token_env: str = ""


@table(
    "words, expected",
    {
        "defaults": ((), _Expected()),
        "all": (
            (
                *("--on-missing", "skip", "--keep-logins", "--verify", "pull"),
                *("--lifetime=5m", "--github-token-env", "TOKEN"),
            ),
            _Expected("list", "skip", True, "pull", "5m", "TOKEN"),  # noqa: FBT003  (in their order)
        ),
    },
)
def test_options_of_start_are_those_of_run_and_its_lifetime(words: tuple[str, ...], expected: _Expected) -> None:
    options = parse_agent(["start", "--registries", "list", *words])
    assert {name: getattr(options, name) for name in expected._fields} == expected._asdict()


@table(
    "words",
    {
        "an option of run": ("start", "--registries", "x", "--image", "secret"),
        "another word": ("env", "secret"),
        "shortened": ("start", "--registries", "x", "--life", "secret"),
    },
)
def test_what_is_no_option_is_refused_and_not_repeated(words: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="an unknown option or extra arguments") as refused:
        parse_agent(words)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("words", [(), ("strat",)])
def test_without_a_word_that_it_knows_it_names_those(words: tuple[str, ...]) -> None:
    message = "command line: agent must be followed by start, env or stop; see --help"
    with pytest.raises(InputError, match=exactly(message)):
        parse_agent(words)


def test_help_names_the_form_that_ends_where_the_start_fails(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=exactly("0")):
        parse_agent(["--help"])
    assert "vars=$(registry-config agent start --registries registries.yaml) || exit" in capsys.readouterr().out
