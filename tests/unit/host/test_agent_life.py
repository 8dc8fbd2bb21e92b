"""An agent in this process: what it shows, when it ends, what is left of it, and which processes are taken for one."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from registry_config.credentials.kept_logins import NO_USER_CONFIG, read_user_config
from registry_config.credentials.reading import Credential
from registry_config.errors import InputError, UnavailableError
from registry_config.host.agent import PID_VARIABLE, Agent, StartedAgent, find_agent, start_agent, stop_agent
from registry_config.host.config_folder import SHARED_MEMORY
from support.tables import exactly, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from registry_config.credentials.kept_logins import UserConfig

# Newer Pythons warn where threads run that an earlier test has left; the child of this fork starts a program and ends.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")

_CREDENTIAL = Credential("registry.example.com", "alice", "canary-31415926535897", frozenset(("command",)))
_NAME = "registry-config-123-0123456789abcdef"
_NONE = f"{PID_VARIABLE}: names no running agent of this user; start one"
# Nobody waits that long; it is for an end that does not come at all.
_SECONDS = 120


@contextmanager
def _started(home: Path, user: UserConfig = NO_USER_CONFIG) -> Iterator[StartedAgent]:
    started = start_agent((_CREDENTIAL,), user, {"HOME": str(home)}, 3600)
    try:
        yield started
    finally:
        # Whatever a test has made of it.
        with suppress(ProcessLookupError):
            os.kill(started.agent.pid, signal.SIGKILL)


def _ends(process: int) -> bool:
    return bool(select.select([process], [], [], _SECONDS)[0])


def _auths(folder: str) -> set[str]:
    return set(json.loads(Path(folder, "config.json").read_bytes())["auths"])


def _folders() -> set[str]:
    return {name for name in os.listdir(SHARED_MEMORY) if name.startswith(f"registry-config-{os.getpid()}-")}


def test_an_agent_shows_what_was_declared_and_the_logins_that_are_kept(tmp_path: Path) -> None:
    docker = tmp_path / ".docker"
    (docker / "contexts").mkdir(parents=True)
    hosts = ("registry.example.com", "other.example.com")
    (docker / "config.json").write_text(json.dumps({"auths": {host: {"auth": "Ym9iOmJvYg=="} for host in hosts}}))
    user = read_user_config({"HOME": str(tmp_path)}, keep=True)
    with _started(tmp_path, user) as started:
        folder = started.agent.folder
        shown = json.loads(Path(folder, "config.json").read_bytes())["auths"]
        assert set(shown) == set(hosts)
        assert shown["registry.example.com"]["auth"] != shown["other.example.com"]["auth"] == "Ym9iOmJvYg=="
        assert os.readlink(f"{folder}/contexts") == f"{docker}/contexts"
        started.kill()


@table(
    "environ, extra",
    {
        "elsewhere": ({"BUILDX_CONFIG": "/of/another"}, {}),
        "with an inline config": ({"DOCKER_AUTH_CONFIG": "{}"}, {"DOCKER_AUTH_CONFIG": ""}),
    },
)
def test_its_variables_lead_to_it_and_to_the_users_own_builders(
    tmp_path: Path, environ: dict[str, str], extra: dict[str, str]
) -> None:
    """Also for one who asks from another environment than that of its start."""
    (tmp_path / ".builders").symlink_to("/home/alice/.docker/buildx")
    folder = str(tmp_path)
    assert Agent(4711, folder, "/proc/4711/fd/200").variables(environ) == {
        "DOCKER_CONFIG": folder,
        "REGISTRY_AUTH_FILE": f"{folder}/config.json",
        "HELM_REGISTRY_CONFIG": f"{folder}/config.json",
        "BUILDX_CONFIG": "/home/alice/.docker/buildx",
        PID_VARIABLE: "4711",
        **extra,
    }


def test_an_agent_that_is_kept_is_found_until_it_is_stopped(tmp_path: Path) -> None:
    with _started(tmp_path) as started:
        agent = started.agent
        started.keep()
        process = os.pidfd_open(agent.pid)
        found = find_agent({PID_VARIABLE: str(agent.pid)})
        assert found == agent
        seen: list[set[str]] = []
        stop_agent(found, lambda: seen.append(_auths(agent.folder)))
        assert (seen, _ends(process), os.path.exists(agent.folder)) == ([{"registry.example.com"}], True, False)
        os.close(process)
        with pytest.raises(UnavailableError, match=exactly(_NONE)):
            find_agent({PID_VARIABLE: str(agent.pid)})


def test_an_agent_that_nobody_keeps_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    with _started(tmp_path) as started:
        process = os.pidfd_open(started.agent.pid)
        # As the end of this process would do.
        os.close(started.pipe)
        assert (_ends(process), os.path.exists(started.agent.folder)) == (True, False)
        os.close(process)
        os.close(started.folder.lock)


def test_an_agent_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with _started(tmp_path) as started:
        process = os.pidfd_open(started.agent.pid)
        started.kill()
        assert (_ends(process), os.path.exists(started.agent.folder)) == (True, False)
        os.close(process)
    assert len(os.listdir("/proc/self/fd")) <= before


def test_killing_an_agent_that_has_ended_removes_its_folder(tmp_path: Path) -> None:
    with _started(tmp_path) as started:
        process = os.pidfd_open(started.agent.pid)
        os.kill(started.agent.pid, signal.SIGKILL)
        assert (_ends(process), os.path.exists(started.agent.folder)) == (True, True)
        os.close(process)
        started.kill()
        assert not os.path.exists(started.agent.folder)


@table("python", {"is missing": "/no/such/python", "ends at once": "/bin/false"})
def test_where_the_keeper_does_not_run_there_is_no_agent_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: str
) -> None:
    monkeypatch.setattr(sys, "executable", python)
    before, folders = len(os.listdir("/proc/self/fd")), _folders()
    message = "agent: its process cannot be started, or is not ready in time; run again"
    with pytest.raises(UnavailableError, match=exactly(message)):
        start_agent((_CREDENTIAL,), NO_USER_CONFIG, {"HOME": str(tmp_path)}, 3600)
    assert (len(os.listdir("/proc/self/fd")) <= before, _folders() - folders) == (True, set())


@table(
    "number, problem",
    {
        "none": ("", 'is not set; run eval "$(registry-config agent start …)" first'),
        "words": ("agent", "is not the number of a process; leave it as agent start has set it"),
        "a line more": ("4711\n", "is not the number of a process; leave it as agent start has set it"),
        "other digits": ("\u0664", "is not the number of a process; leave it as agent start has set it"),
    },
)
def test_what_is_no_number_of_a_process_is_a_bad_input(number: str, problem: str) -> None:
    with pytest.raises(InputError, match=exactly(f"{PID_VARIABLE}: {problem}")):
        find_agent({PID_VARIABLE: number})


@table("number", {"of nobody": 999_999_999, "of this very process": os.getpid()})
def test_a_number_of_another_process_or_of_none_names_no_agent(number: int) -> None:
    with pytest.raises(UnavailableError, match=exactly(_NONE)):
        find_agent({PID_VARIABLE: str(number)})
    called: list[str] = []
    with pytest.raises(UnavailableError, match=exactly(_NONE)):
        stop_agent(Agent(number, f"/dev/shm/{_NAME}", "/proc/self/fd/0"), lambda: called.append("end"))  # noqa: S108
    assert called == []


class _Likeness(NamedTuple):
    """A process that looks like a keeper in all but what differs.

    Attributes:
        name: of its folder.
        words: after its mark; `FOLDER` stands for the folder, `HELD` for the descriptor of what it holds.
        memory: name of the memory file that it holds.
        private: whether the folder has the link of ours to the user's own.
        owner: of the folder; 0 for this user.
        user: that the process runs as; 0 for this user.
    """

    name: str = _NAME
    words: tuple[str, ...] = ("/", "FOLDER", "HELD", "4", "0")
    memory: str = "registry-config"
    private: bool = True
    owner: int = 0
    user: int = 0


@contextmanager
def _process_like(likeness: _Likeness, parent: Path) -> Iterator[Agent]:
    folder = parent / likeness.name
    folder.mkdir(0o700)
    if likeness.private:
        (folder / ".user").symlink_to("/home/alice/.docker")
    held = os.memfd_create(likeness.memory)
    standing_for = {"FOLDER": str(folder), "HELD": str(held)}
    words = [standing_for.get(word, word) for word in likeness.words]
    shell = ["sh", "-c", "echo; read line", "registry_config.host.keeper", *words]
    pipe = subprocess.PIPE
    with subprocess.Popen(shell, stdin=pipe, stdout=pipe, user=likeness.user or None, pass_fds=(held,)) as process:
        os.close(held)
        # Only when it runs its words can be read.
        assert process.stdout
        assert process.stdout.readline() == b"\n"
        if likeness.owner:
            os.lchown(folder, likeness.owner, likeness.owner)
        yield Agent(process.pid, str(folder), f"/proc/{process.pid}/fd/{held}")
        assert process.poll() is None
        process.kill()


def test_a_process_is_an_agent_by_its_words_its_folder_and_what_it_holds(tmp_path: Path) -> None:
    """What the next tests change one thing of."""
    with _process_like(_Likeness(), tmp_path) as agent:
        assert find_agent({PID_VARIABLE: str(agent.pid)}) == agent


_DIFFERENT = {
    "it holds another memory file": _Likeness(memory="registry-config-output"),
    "it holds no memory file": _Likeness(words=("/", "FOLDER", "0")),
    "it holds nothing": _Likeness(words=("/", "FOLDER", "999")),
    "its folder has no name of ours": _Likeness(name="registry-config-123"),
    "its folder is none of ours": _Likeness(private=False),
    "its words end before its folder": _Likeness(words=("/",)),
    "its words end after its folder": _Likeness(words=("/", "FOLDER")),
    "its words name no descriptor": _Likeness(words=("/", "FOLDER", "two hundred")),
    "its words name no folder": _Likeness(words=("/", "/no/such/folder", "HELD")),
    "another user's folder": _Likeness(owner=65534),
    "another user's process": _Likeness(user=65534),
}


@table("likeness", _DIFFERENT)
def test_a_process_that_differs_in_one_thing_is_no_agent_and_is_left_alone(tmp_path: Path, likeness: _Likeness) -> None:
    if (likeness.owner or likeness.user) and os.geteuid():
        pytest.skip("only root can be another user too")
    called: list[str] = []
    with _process_like(likeness, tmp_path) as agent:
        with pytest.raises(UnavailableError, match=exactly(_NONE)):
            find_agent({PID_VARIABLE: str(agent.pid)})
        with pytest.raises(UnavailableError, match=exactly(_NONE)):
            stop_agent(agent, lambda: called.append("end"))
    assert called == []


def test_an_agent_that_is_another_one_by_now_is_left_alone(tmp_path: Path) -> None:
    with _process_like(_Likeness(), tmp_path) as agent, pytest.raises(UnavailableError, match=exactly(_NONE)):
        stop_agent(agent._replace(folder=f"{tmp_path}/registry-config-123-fedcba9876543210"), lambda: None)


def test_an_agent_that_is_killed_while_it_is_stopped_leaves_no_folder(tmp_path: Path) -> None:
    with _started(tmp_path) as started:
        started.keep()
        stop_agent(started.agent, lambda: os.kill(started.agent.pid, signal.SIGKILL))
        assert not os.path.exists(started.agent.folder)


def test_where_its_last_use_fails_an_agent_ends_all_the_same(tmp_path: Path) -> None:
    """Nobody would try once more, as after the end of a shell."""

    def fail() -> None:
        raise RuntimeError

    with _started(tmp_path) as started:
        started.keep()
        with pytest.raises(RuntimeError):
            stop_agent(started.agent, fail)
        assert not os.path.exists(started.agent.folder)
        with pytest.raises(UnavailableError, match=exactly(_NONE)):
            find_agent({PID_VARIABLE: str(started.agent.pid)})
