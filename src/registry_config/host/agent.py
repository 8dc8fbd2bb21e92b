"""A config for more than one command: a keeper that outlives the process which started it, found again and ended."""

from __future__ import annotations

import os
import re
import select
import signal
import time
from contextlib import suppress

from registry_config.audience import called
from registry_config.credentials.kept_logins import docker_folder
from registry_config.docker_config import CONFIG_NAME, environment, render
from registry_config.errors import InputError, UnavailableError
from registry_config.host.config_folder import (
    BUILDERS_LINK,
    ConfigFolder,
    close_config_folder,
    is_ours,
    make_config_folder,
    own_folder,
    things_in,
)
from registry_config.host.keeper import remove_folder
from registry_config.host.keeper_process import Held, start_keeper
from registry_config.host.memory_config import MEMORY_NAME, builders, sealed
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from registry_config.credentials.kept_logins import UserConfig
    from registry_config.credentials.reading import Credential

PID_VARIABLE: Final = "REGISTRY_CONFIG_AGENT_PID"
_PID: Final = re.compile(r"[1-9][0-9]{0,8}")
_KEEP: Final = b"k"
_START_SECONDS: Final = 30.0
_END_SECONDS: Final = 10.0
_MARK: Final = b"registry_config.host.keeper"
_PLACE: Final = "agent"


def login_hint() -> str:
    """What to do instead of a login while the agent runs."""
    return (
        "a later docker login fails (invalid cross-device link): declare that registry here, "
        f"or log in before the agent starts and set {called('keep-logins')}"
    )


class Agent(NamedTuple):
    """A keeper that runs on its own.

    Attributes:
        pid: of its process.
        folder: of links that lead to what it holds.
        config: what it holds, whatever a tool has put in the place of the link to that.
    """

    pid: int
    folder: str
    config: str

    def variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """What makes tools find it, and this program too.

        Args:
            environ: of the process that asks, for a variable that only counts where it is set.
        """
        found = environment(self.folder) | {"BUILDX_CONFIG": os.readlink(f"{self.folder}/{BUILDERS_LINK}")}
        # It would come before the config.
        stray = {"DOCKER_AUTH_CONFIG": ""} if "DOCKER_AUTH_CONFIG" in environ else {}
        return found | stray | {PID_VARIABLE: str(self.pid)}


class StartedAgent(NamedTuple):
    """An agent that ends with this process, unless it is told to stay.

    Attributes:
        agent: the same as others find it.
        folder: with its lock.
        pipe: the end of it is the agent's.
    """

    agent: Agent
    folder: ConfigFolder
    pipe: int

    def keep(self) -> None:
        """Let it outlive this process."""
        os.write(self.pipe, _KEEP)
        os.close(self.pipe)
        os.close(self.folder.lock)

    def kill(self) -> None:
        """End it."""
        with suppress(ProcessLookupError):
            os.kill(self.agent.pid, signal.SIGKILL)
        os.close(self.pipe)
        close_config_folder(self.folder)


def start_agent(
    credentials: tuple[Credential, ...], user: UserConfig, environ: Mapping[str, str], seconds: float
) -> StartedAgent:
    """Start an agent, whose config can be read from then on.

    Args:
        credentials: what its config holds.
        user: what the user's own config holds.
        environ: tells where the user's own folders are.
        seconds: until it ends by itself.

    Raises:
        UnavailableError: this machine has no memory files, no room for a folder, or no process to spare.
    """
    text = render([c.login for c in credentials], user.shown_beside({c.host for c in credentials}))
    shown = docker_folder(environ)
    own = own_folder(shown)
    started: list[tuple[int, int]] = []

    def fill(folder: ConfigFolder) -> None:
        os.symlink(builders(own, environ)["BUILDX_CONFIG"], f"{folder.path}/{BUILDERS_LINK}")
        started.append(_start_detached(Held(folder.path, descriptor, folder.lock), environ, seconds))
        os.symlink(_held(started[-1][0], descriptor), f"{folder.path}/{CONFIG_NAME}")

    with sealed(text.encode()) as descriptor:
        folder = make_config_folder(own, things_in(shown), environ.get("TMPDIR", ""), fill)
        pid, pipe = started.pop()
        # Of a folder that could not be finished.
        for _, unused in started:
            os.close(unused)
        return StartedAgent(Agent(pid, folder.path, _held(pid, descriptor)), folder, pipe)


def _held(pid: int, descriptor: int) -> str:
    return f"/proc/{pid}/fd/{descriptor}"


def _start_detached(held: Held, environ: Mapping[str, str], seconds: float) -> tuple[int, int]:
    """Start a keeper that is nobody's child; gives its number, and the pipe that it waits at."""
    read, pipe = os.pipe()
    answer, told = os.pipe()
    try:
        child = os.fork()
    except OSError as error:
        reason = (error.strerror or "unknown").lower()
        raise UnavailableError("this machine", f"no process can be started ({reason})", "end others first") from None
    if not child:
        try:
            os.setsid()
            # Its own copy would hide the end of this process from the keeper; that of `told` is closed by its exec.
            os.close(pipe)
            process = start_keeper(held, environ, read, seconds=seconds, ready=told)
            os.write(told, b"%d " % process.pid)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(told)
    os.close(read)
    try:
        return _ready(answer), pipe
    except UnavailableError:
        os.close(pipe)
        raise
    finally:
        os.close(answer)


def _ready(answer: int) -> int:
    """The number of a keeper that has begun its work."""
    said = b""
    deadline = time.monotonic() + _START_SECONDS
    while not (b" " in said and b"r" in said):
        left = max(0.0, deadline - time.monotonic())
        data = os.read(answer, 100) if select.select([answer], [], [], left)[0] else b""
        if not data:
            raise UnavailableError(_PLACE, "its process cannot be started, or is not ready in time", "run again")
        said += data
    return int(said.replace(b"r", b""))


def find_agent(environ: Mapping[str, str]) -> Agent:
    """The agent that the environment names.

    Raises:
        InputError: the variable is missing or malformed.
        UnavailableError: there is no agent of this user by that number.
    """
    text = environ.get(PID_VARIABLE, "")
    if not text:
        raise InputError(PID_VARIABLE, "is not set", 'run eval "$(registry-config agent start …)" first')
    if not _PID.fullmatch(text):
        raise InputError(PID_VARIABLE, "is not the number of a process", "leave it as agent start has set it")
    agent = _agent_of(int(text))
    if agent is None:
        raise UnavailableError(PID_VARIABLE, "names no running agent of this user", "start one")
    return agent


def _agent_of(pid: int) -> Agent | None:
    """What a process is, if it is an agent of this user's: by its owner, its words, and what they name."""
    with suppress(OSError, ValueError, IndexError):
        if os.stat(f"/proc/{pid}").st_uid != os.geteuid():
            return None
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().split(b"\0")
        at = [_MARK in word for word in words].index(True)
        folder, config = os.fsdecode(words[at + 2]), _held(pid, int(words[at + 3]))
        # Not by the link in the folder: skopeo, oras and helm put a file in its place where they log in.
        is_held = os.readlink(config).startswith(f"/memfd:{MEMORY_NAME} ")
        if is_ours(folder) and os.lstat(folder).st_uid == os.geteuid() and is_held:
            return Agent(pid, folder, config)
    return None


def stop_agent(agent: Agent, before_end: Callable[[], None]) -> None:
    """End an agent; its process and its folder are gone then. Nothing else is ever signalled.

    Args:
        agent: which.
        before_end: called while its config can still be read; the agent ends whatever comes of that.

    Raises:
        UnavailableError: it was gone already, or does not end.
    """
    try:
        # What this leads to is one process, whatever its number is used for afterwards.
        process = os.pidfd_open(agent.pid)
    except OSError:
        raise UnavailableError(PID_VARIABLE, "names no running agent of this user", "start one") from None
    try:
        if _agent_of(agent.pid) != agent:
            raise UnavailableError(PID_VARIABLE, "names no running agent of this user", "start one")
        try:
            before_end()
        finally:
            _end(process, agent)
    finally:
        os.close(process)


def _end(process: int, agent: Agent) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(process, number)
        if select.select([process], [], [], _END_SECONDS)[0]:
            break
    else:
        raise UnavailableError(_PLACE, f"process {agent.pid} does not end", f"run kill -KILL {agent.pid}")
    if os.path.exists(agent.folder):
        remove_folder(agent.folder)
