"""The agent: started, found, ended; read by every tool of its user, by nobody else, and gone when it is gone."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from support.artifacts import layout_digest
from support.cli import Machine, lines_of_ours, tool_path, wait_for
from support.leaks import SHARED_MEMORY, search
from support.rootless import rootless_machine
from support.tables import table
from support.tools import need_docker, need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from support.registry import Pair

_SECRET = "canary-31415926535897"
_LOGIN = {"registry": "registry.example.com", "username": "alice", "password": _SECRET}
_VARIABLES = {"DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "HELM_REGISTRY_CONFIG", "BUILDX_CONFIG"}
_PID = "REGISTRY_CONFIG_AGENT_PID"


class Ended(NamedTuple):
    """What came of one call of `registry-config agent`."""

    code: int
    stdout: str
    said: list[str]


def _call(machine: Machine, *words: str, variables: Mapping[str, str] | None = None) -> Ended:
    done = subprocess.run(
        [*machine.prefix, *machine.program, "agent", *words],
        cwd=machine.work,
        env=machine.environ(variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Ended(done.returncode, done.stdout.decode(), lines_of_ours(done.stderr))


def _start(machine: Machine, logins: Sequence[Mapping[str, str]] = (_LOGIN,), *options: str, **given: str) -> Ended:
    declared = machine.declare(logins, f"registries-{time.monotonic_ns()}.yaml")
    return _call(machine, "start", "--registries", declared, *options, variables=given)


def _exported(stdout: str) -> dict[str, str]:
    """What a shell makes of the lines."""
    script = 'eval "$1"; env -0'
    done = subprocess.run(["sh", "-c", script, "sh", stdout], env={"PATH": os.defpath}, capture_output=True, check=True)
    pairs = (entry.partition("=") for entry in done.stdout.decode().split("\0"))
    return {name: value for name, _, value in pairs if name in {*_VARIABLES, _PID, "DOCKER_AUTH_CONFIG"}}


@contextmanager
def _agent(
    machine: Machine, logins: Sequence[Mapping[str, str]] = (_LOGIN,), *options: str, **given: str
) -> Iterator[dict[str, str]]:
    """The variables of an agent, ended at the end in any case."""
    started = _start(machine, logins, *options, **given)
    assert started.code == 0, started
    exported = _exported(started.stdout)
    try:
        yield exported
    finally:
        with suppress(ProcessLookupError):
            os.kill(int(exported[_PID]), signal.SIGKILL)
        shutil.rmtree(exported["DOCKER_CONFIG"], ignore_errors=True)


def _runs(pid: str | int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _auths(exported: Mapping[str, str]) -> set[str]:
    return set(json.loads(Path(exported["DOCKER_CONFIG"], "config.json").read_bytes())["auths"])


def test_it_starts_is_found_and_ends(machine: Machine) -> None:
    with _agent(machine) as exported:
        assert set(exported) == {*_VARIABLES, _PID}
        for name in ("REGISTRY_AUTH_FILE", "HELM_REGISTRY_CONFIG"):
            assert json.loads(Path(exported[name]).read_bytes())["auths"].keys() == {"registry.example.com"}
        again = _call(machine, "env", variables=exported)
        assert (again.code, _exported(again.stdout), again.said) == (0, exported, [])
        stopped = _call(machine, "stop", variables=exported)
        assert (stopped, _runs(exported[_PID]), os.path.exists(exported["DOCKER_CONFIG"])) == (
            Ended(0, "", []),
            False,
            False,
        )
        for action in ("env", "stop"):
            gone = _call(machine, action, variables=exported)
            assert gone == Ended(69, "", [f"{_PID}: names no running agent of this user; start one"])


def test_the_form_of_the_docs(machine: Machine) -> None:
    path = machine.declare([_LOGIN])
    script = f"""
        vars=$(registry-config agent start --registries {path}) || exit; eval "$vars"
        trap 'registry-config agent stop' EXIT
        cp "$DOCKER_CONFIG/config.json" seen; echo "$DOCKER_CONFIG"
    """
    environ = machine.environ({"PATH": f"{Path(machine.program[0]).parent}:{machine.environ()['PATH']}"})
    done = subprocess.run(["sh", "-c", script], cwd=machine.work, env=environ, capture_output=True, check=False)
    assert (done.returncode, (machine.work / "seen").exists()) == (0, True), done.stderr
    assert not os.path.exists(done.stdout.decode().strip())


def test_every_tool_pushes_to_two_registries(
    machine: Machine, registries: Pair, layout: Path, packed_chart: Path
) -> None:
    script = """
        set -e
        for registry in "$@"; do
            skopeo copy -q --dest-tls-verify=false oci:$LAYOUT:1 docker://$registry/agent/app:1
            crane tag --insecure $registry/agent/app:1 2
            oras tag --plain-http $registry/agent/app:1 3 >/dev/null
            helm push --plain-http $CHART oci://$registry/agent 2>/dev/null
        done
    """
    with _agent(machine, registries.logins) as exported:
        environ = machine.environ(exported | {"LAYOUT": str(layout), "CHART": str(packed_chart)})
        words = ["sh", "-c", script, "sh", *(registry.address for registry in registries)]
        done = subprocess.run(words, cwd=machine.work, env=environ, capture_output=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
    for registry in registries:
        assert [registry.digest("agent/app", tag) for tag in "123"] == [layout_digest(layout)] * 3
        assert registry.digest("agent/app", "1.2.3")
    places = {"home": machine.home, "tmp": machine.temporary, "work": machine.work, "shm": SHARED_MEMORY}
    for login in registries.logins:
        assert search(places, login["password"], login["username"]) == []


def test_a_later_docker_login_fails_and_leaves_the_config_as_it_was(machine: Machine, registries: Pair) -> None:
    need_docker(tool_path())
    login = registries.second.login()
    words = ["docker", "login", "--username", login["username"], "--password-stdin", login["registry"]]
    with _agent(machine) as exported:
        environ, password = machine.environ(exported), login["password"].encode()
        done = subprocess.run(words, env=environ, input=password, capture_output=True, check=False, timeout=60)
        assert (done.returncode, b"invalid cross-device link" in done.stderr) == (1, True), done
        assert _auths(exported) == {"registry.example.com"}
        assert search({"home": machine.home, "shm": SHARED_MEMORY}, login["password"], login["username"]) == []


@table(
    "words",
    {
        "skopeo": ("skopeo", "login", "--tls-verify=false"),
        "oras": ("oras", "login", "--plain-http"),
        "helm": ("helm", "registry", "login", "--plain-http"),
    },
)
def test_a_later_login_that_replaces_the_link_does_not_keep_it_from_being_found_and_ended(
    machine: Machine, registries: Pair, words: tuple[str, ...]
) -> None:
    login = registries.second.login()
    command = [*words, "--username", login["username"], "--password-stdin", login["registry"]]
    need_tools(command[:1], tool_path())
    with _agent(machine) as exported:
        environ, password = machine.environ(exported), login["password"].encode()
        subprocess.run(command, env=environ, input=password, capture_output=True, check=True, timeout=60)
        folder = Path(exported["DOCKER_CONFIG"])
        assert _auths(exported) == {"registry.example.com", login["registry"]}
        assert not (folder / "config.json").is_symlink()
        assert _exported(_call(machine, "env", variables=exported).stdout) == exported
        for name, secret in {"old": _SECRET, "new": login["password"], "harmless": "x"}.items():
            (folder / name).write_text(secret)
        assert _call(machine, "stop", variables=exported) == Ended(0, "", [])
        assert (_runs(exported[_PID]), folder.exists()) == (False, False)
    assert os.listdir(machine.home / ".docker") == ["harmless"]


@table("text", {"no JSON": "{", "a list": "[]"})
def test_it_ends_also_where_nobody_can_tell_what_a_tool_has_put_in_the_place_of_its_config(
    machine: Machine, text: str
) -> None:
    with _agent(machine) as exported:
        folder = Path(exported["DOCKER_CONFIG"])
        (folder / "config.json").unlink()
        (folder / "config.json").write_text(text)
        (folder / "beside").write_text("x")
        said = ["what was stored beside the config cannot be kept (the config is not JSON any more)"]
        assert _call(machine, "stop", variables=exported) == Ended(0, "", said)
        assert (_runs(exported[_PID]), folder.exists()) == (False, False)
    assert not (machine.home / ".docker/beside").exists()


def test_to_end_it_nothing_but_its_own_config_is_read(machine: Machine) -> None:
    """What podman's is like nobody has asked: its folder may be closed to this user, as where root has used podman."""
    with _agent(machine) as exported:
        podmans = Path(exported["DOCKER_CONFIG"], ".config/containers/auth.json")
        podmans.parent.mkdir(parents=True)
        podmans.write_text("{")
        assert _call(machine, "stop", variables=exported) == Ended(0, "", [])
        assert not _runs(exported[_PID])


def test_the_keeper_has_nothing_of_its_caller(machine: Machine) -> None:
    holds = Machine(machine.root, prefix=("sh", "-c", 'exec "$@" 7</etc/passwd 9>&1', "sh"))
    given = {"RUNNER_TRACKING_ID": "github_1", "JENKINS_NODE_COOKIE": "cookie", "PW": _SECRET}
    with _agent(holds, [_without_password()], **given) as exported:
        process = Path("/proc", exported[_PID])
        assert sorted(process.joinpath("environ").read_bytes().rstrip(b"\0").split(b"\0")) == [
            b"JENKINS_NODE_COOKIE=cookie",
            b"RUNNER_TRACKING_ID=github_1",
        ]
        assert _SECRET.encode() not in process.joinpath("cmdline").read_bytes()
        memory = "/memfd:registry-config (deleted)"
        held = sorted(["/dev/null"] * 3 + [exported["DOCKER_CONFIG"]] + [memory] * 2)
        # The pipe is closed when it has read that it is to stay.
        wait_for(lambda: sorted(os.readlink(file) for file in process.joinpath("fd").iterdir()) == held)
        fields = process.joinpath("stat").read_text().rpartition(")")[2].split()
        assert (fields[3], os.readlink(process / "cwd")) == (exported[_PID], "/")
        (limit,) = (line for line in process.joinpath("limits").read_text().splitlines() if "core file" in line)
        assert limit.split()[4] == "0"


def _without_password() -> dict[str, str]:
    return {"registry": "registry.example.com", "username": "alice", "password-env": "PW"}


@table("number", {"SIGTERM": signal.SIGTERM, "SIGHUP": signal.SIGHUP, "SIGINT": signal.SIGINT})
def test_a_signal_ends_it_and_its_folder(machine: Machine, number: signal.Signals) -> None:
    with _agent(machine) as exported:
        os.mkdir(Path(exported["DOCKER_CONFIG"], "manifests"))
        os.kill(int(exported[_PID]), number)
        wait_for(lambda: not _runs(exported[_PID]))
        assert not os.path.exists(exported["DOCKER_CONFIG"])


def test_after_its_lifetime_it_ends_by_itself(machine: Machine) -> None:
    with _agent(machine, (_LOGIN,), "--lifetime", "1s") as exported:
        wait_for(lambda: not _runs(exported[_PID]) and not os.path.exists(exported["DOCKER_CONFIG"]), 30)


@table("text", {"no unit": "90", "zero": "0s", "fraction": "1.5h", "words": "an hour", "days": "1d", "empty": ""})
def test_a_lifetime_is_a_duration(machine: Machine, text: str) -> None:
    problem = "--lifetime: must be a whole number with s, m or h, such as 90s, 10m or 1h"
    assert _start(machine, (_LOGIN,), "--lifetime", text) == Ended(64, "exit 64\n", [problem])


def test_two_side_by_side(machine: Machine) -> None:
    other = _LOGIN | {"registry": "other.example.com"}
    with _agent(machine) as first, _agent(machine, [other]) as second:
        assert (_auths(first), _auths(second)) == ({"registry.example.com"}, {"other.example.com"})
        assert _call(machine, "stop", variables=first).code == 0
        assert (_runs(first[_PID]), _runs(second[_PID]), _auths(second)) == (False, True, {"other.example.com"})


def test_one_below_the_other(machine: Machine) -> None:
    """The user's own folder is still the real one, and `keep-logins` takes the first one's logins."""
    (machine.home / ".docker/contexts").mkdir(parents=True)
    other = _LOGIN | {"registry": "other.example.com"}
    with _agent(machine) as first:
        with _agent(machine, [other], **first) as second:
            assert (_auths(second), second["BUILDX_CONFIG"]) == ({"other.example.com"}, first["BUILDX_CONFIG"])
            links = Path(second["DOCKER_CONFIG"])
            assert os.readlink(links / "contexts") == f"{machine.home}/.docker/contexts"
            (links / "manifests").mkdir()
            assert _call(machine, "stop", variables=second).code == 0
            assert (machine.home / ".docker/manifests").is_dir()
        with _agent(machine, [other], "--keep-logins", **first) as third:
            assert _auths(third) == {"registry.example.com", "other.example.com"}


def test_what_a_command_stores_below_an_agent_is_there_for_the_next_step(machine: Machine) -> None:
    with _agent(machine) as exported:
        done = machine.run("sh", "-c", 'mkdir "$DOCKER_CONFIG/manifests"', registries=[], variables=exported)
        assert (done.code, Path(exported["DOCKER_CONFIG"], "manifests").is_dir()) == (0, True)
    assert (machine.home / ".docker/manifests").is_dir()


def test_an_inline_config_of_the_environment_does_not_come_before_it(machine: Machine) -> None:
    with _agent(machine, DOCKER_AUTH_CONFIG="{}") as exported:
        assert exported["DOCKER_AUTH_CONFIG"] == ""


_REFUSED: Mapping[str, tuple[Sequence[Mapping[str, str]], tuple[str, ...], int, str]] = {
    "unknown key": ([_LOGIN | {"passwrd": "x"}], (), 64, "unknown key 'passwrd'"),
    "missing variable": ([_without_password()], (), 64, "no such variable in the environment"),
    "a path": ([_LOGIN | {"registry": "quay.io/org"}], (), 64, "registries[0].registry (line 1): has a path"),
    "unknown option": ([_LOGIN], ("--image", "x"), 64, "an unknown option or extra arguments"),
    "no token": ([_LOGIN], ("--github-token-env", "NOPE"), 64, "--github-token-env: no such variable"),
}


@table("logins, options, code, problem", _REFUSED)
def test_a_bad_declaration_starts_nothing_and_fails_a_bare_eval(
    machine: Machine, logins: Sequence[Mapping[str, str]], options: tuple[str, ...], code: int, problem: str
) -> None:
    words = [*machine.program, "agent", "start", "--registries", machine.declare(logins), *options]
    with subprocess.Popen(
        words, env=machine.environ(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
    ) as process:
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout, problem in stderr.decode()) == (code, f"exit {code}\n".encode(), True)
    assert list(SHARED_MEMORY.glob(f"registry-config-{process.pid}-*")) == []
    shell = subprocess.run(["sh", "-c", 'eval "$1"; echo still here', "sh", stdout], capture_output=True, check=False)
    assert (shell.returncode, shell.stdout) == (code, b"")


def test_at_a_terminal_the_shell_is_not_left(machine: Machine) -> None:
    words = [*machine.program, "agent", "start", "--registries", "/no/such/file"]
    master, slave = os.openpty()
    done = subprocess.run(words, env=machine.environ(), stdin=slave, capture_output=True, check=False, timeout=60)
    os.close(master)
    os.close(slave)
    assert (done.returncode, done.stdout) == (64, b"return 64 2>/dev/null || false\n")
    shell = subprocess.run(
        ["sh", "-c", 'eval "$1" || echo failed', "sh", done.stdout], capture_output=True, check=False
    )
    assert b"failed" in shell.stdout or shell.returncode == 64


def test_where_a_secret_is_empty_it_may_be_skipped(machine: Machine) -> None:
    skipped = _start(machine, [_without_password()], "--on-missing", "skip", PW="")
    assert (skipped.code, skipped.stdout) == (0, "")
    assert skipped.said[-1].endswith("nothing was run (--on-missing skip)")
    assert _start(machine, [_without_password()], PW="").code == 64


def test_entries_for_the_image_are_left_out_and_named(machine: Machine) -> None:
    image = _LOGIN | {"registry": "image.example.com", "for": "image"}
    started = _start(machine, [_LOGIN, image])
    exported = _exported(started.stdout)
    try:
        assert _auths(exported) == {"registry.example.com"}
        assert "registries[1] (line 1): image.example.com is for the image only, so it is left out" in started.said
    finally:
        assert _call(machine, "stop", variables=exported).code == 0


def test_an_optional_entry_without_a_secret_is_left_out_and_named(machine: Machine) -> None:
    optional = {"registry": "other.example.com", "username": "a", "password-env": "PW", "optional": "true"}
    started = _start(machine, [_LOGIN, optional], PW="")
    exported = _exported(started.stdout)
    try:
        assert _auths(exported) == {"registry.example.com"}
        said = "registries[1] (line 1): the optional entry for other.example.com has no secret, so it is left out"
        assert said in started.said
    finally:
        assert _call(machine, "stop", variables=exported).code == 0


_EVAL = "write vars=$(registry-config agent start …), and then eval it"


@table(
    "redirection, said",
    {
        "full": (">/dev/full", f"standard output: cannot be written to (no space left on device); {_EVAL}"),
        "closed": (">&-", f"standard output: is closed, so nobody would learn of the agent; {_EVAL}"),
    },
)
def test_where_the_lines_cannot_be_written_nothing_stays(machine: Machine, redirection: str, said: str) -> None:
    words = [*machine.program, "agent", "start", "--registries", machine.declare([_LOGIN])]
    shell = ["sh", "-c", f'exec "$@" {redirection}', "sh", *words]
    with subprocess.Popen(shell, env=machine.environ(), stderr=subprocess.PIPE) as process:
        _, stderr = process.communicate(timeout=60)
    assert (process.returncode, lines_of_ours(stderr)) == (69, [said])
    assert list(SHARED_MEMORY.glob(f"registry-config-{process.pid}-*")) == []


def test_where_nobody_reads_the_lines_nothing_stays(machine: Machine) -> None:
    words = [*machine.program, "agent", "start", "--registries", machine.declare([_LOGIN])]
    read, write = os.pipe()
    os.close(read)
    with subprocess.Popen(words, env=machine.environ(), stdout=write) as process:
        os.close(write)
        assert process.wait(timeout=60) == 128 + signal.SIGPIPE
    assert list(SHARED_MEMORY.glob(f"registry-config-{process.pid}-*")) == []


@table("text", {"words": "12a", "negative": "-1", "zero": "0", "padded": " 1", "huge": "1" * 20, "several": "1 2"})
@table("action", {"env": "env", "stop": "stop"})
def test_a_malformed_number_is_refused(machine: Machine, action: str, text: str) -> None:
    refused = _call(machine, action, variables={_PID: text})
    problem = f"{_PID}: is not the number of a process; leave it as agent start has set it"
    assert refused == Ended(64, "", [problem])
    assert _call(machine, action).code == 64


def test_no_other_process_is_ever_signalled(machine: Machine) -> None:
    """Not even one whose words look like a keeper's."""
    folder = machine.root / "registry-config-1-0123456789abcdef"
    folder.mkdir(0o700)
    (folder / ".user").symlink_to(machine.home)
    (folder / "config.json").symlink_to("/proc/1/fd/200")
    script = "import time; 'registry_config.host.keeper'; time.sleep(60)"
    words = ("python3", "-I", "-c", script, "/", str(folder), "200", "4", "0")
    for command in (("sleep", "60"), words):
        with subprocess.Popen(command) as other:
            for action in ("env", "stop"):
                assert _call(machine, action, variables={_PID: str(other.pid)}).code == 69
            assert other.poll() is None
            other.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user too")
def test_another_user_reads_neither_the_folder_nor_the_memory(machine: Machine) -> None:
    with _agent(machine) as exported:
        folder, pid = exported["DOCKER_CONFIG"], exported[_PID]
        descriptor = os.readlink(f"{folder}/config.json")
        paths = (f"{folder}/config.json", descriptor, f"/proc/{pid}/environ", f"/proc/{pid}/mem")
        script = 'for path; do cat "$path"; done 2>/dev/null; ls "$FOLDER" 2>/dev/null; kill "$PID" 2>/dev/null; true'
        other = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "sh", "-c", script, "sh")
        environ = {"PATH": os.defpath, "PID": pid, "FOLDER": folder}
        done = subprocess.run([*other, *paths], cwd="/", env=environ, capture_output=True, check=False)
        assert (done.returncode, done.stdout, _runs(pid)) == (0, b"", True)
        assert _SECRET not in subprocess.run(["ps", "axeww"], capture_output=True, check=True).stdout.decode()


def test_a_tool_of_an_ordinary_user_reads_it_and_nothing_else_of_the_process_that_started_it() -> None:
    with _ordinary_user() as user, _agent(user, [_without_password()], PW=_SECRET) as exported:
        script = """
            cat "$DOCKER_CONFIG/config.json" | cut -c 1-10
            tr '\\0' '\\n' <"/proc/$REGISTRY_CONFIG_AGENT_PID/environ" | grep -v ^LD_LIBRARY_PATH=
            ls -ld "$DOCKER_CONFIG" | cut -c 1-10
        """
        words = [*user.prefix, "sh", "-c", script]
        done = subprocess.run(words, cwd="/", env=user.environ(exported), capture_output=True, check=False)
        assert done.stdout == b'{"auths":{\ndrwx------\n', done.stderr


@contextmanager
def _ordinary_user() -> Iterator[Machine]:
    try:
        with rootless_machine() as machine:
            yield machine
    except LookupError as error:
        pytest.skip(str(error))


_ROUNDS = 20


def test_killed_at_a_random_moment_nothing_can_be_read(machine: Machine) -> None:
    """Twenty times: the one that starts it, or the keeper itself."""
    words = [*machine.program, "agent", "start", "--registries", machine.declare([_LOGIN])]
    begun = time.monotonic()
    assert _call(machine, "stop", variables=_exported(_start(machine).stdout)).code == 0
    whole = time.monotonic() - begun
    moments = random.Random(31415)  # noqa: S311  (the same moments each time)
    left: list[Path] = []
    for number in range(_ROUNDS):
        with subprocess.Popen(
            words, env=machine.environ(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            time.sleep(moments.uniform(0, whole / 2))
            if number % 2:
                process.kill()
            stdout = process.communicate(timeout=60)[0].decode()
        folders = list(SHARED_MEMORY.glob(f"registry-config-{process.pid}-*"))
        if stdout.count("\n") == len(_VARIABLES) + 1:
            # It was told to stay, or is about to see that nobody told it.
            with suppress(ProcessLookupError):
                os.kill(int(_exported(stdout)[_PID]), signal.SIGKILL)
        left += folders
        _wait_until_closed(folders)
    places = {"home": machine.home, "tmp": machine.temporary, "work": machine.work, "shm": SHARED_MEMORY}
    assert search(places, _SECRET, "alice") == []
    for folder in left:
        assert not folder.exists() or all(path.is_symlink() for path in folder.iterdir())
        shutil.rmtree(folder, ignore_errors=True)


def _readable(folder: Path) -> bool:
    try:
        (folder / "config.json").read_bytes()
    except OSError:
        return False
    return True


def _wait_until_closed(folders: Sequence[Path]) -> None:
    wait_for(lambda: not any(map(_readable, folders)))
