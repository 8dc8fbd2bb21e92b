"""How a command runs on this machine: exit codes, streams, signals, the user's own Docker config."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.artifacts import layout_digest
from support.cli import Machine, lines_of_ours, wait_for
from support.leaks import SHARED_MEMORY, search

if TYPE_CHECKING:
    from support.registry import Pair

SECRET = "canary-5f1d0c9e8b7a6f5e4d3c2b1a"
LOGIN = {"registry": "registry.example.com", "username": "alice", "password": SECRET}
_MIB = 1024 * 1024
_EVERY_BYTE = bytes(range(256))
# Tells where its config is, counts each signal as it is delivered, and ends with 7 when it is told to.
_COUNTS_SIGNALS = """
import os, select, signal, sys, time

read, write = os.pipe()
os.set_blocking(write, False)
signal.set_wakeup_fd(write)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda *_: None)
print(os.environ["DOCKER_CONFIG"], flush=True)
deadline = time.monotonic() + 20
while not os.path.exists("stop") and time.monotonic() < deadline:
    if select.select([read], [], [], 0.05)[0]:
        with open("counted", "ab") as file:
            file.write(os.read(read, 100))
sys.exit(7)
"""


@pytest.fixture
def interruptible(tmp_path: Path) -> Machine:
    """A shell's background job, and so whatever tests it runs, ignores SIGINT, and hands that on."""
    return Machine(tmp_path, prefix=("env", "--default-signal"))


def _script(machine: Machine, name: str, text: str, mode: int = 0o755) -> str:
    path = machine.work / name
    path.write_text(text)
    path.chmod(mode)
    return str(path)


@pytest.mark.parametrize(
    ("script", "code"),
    [("exit 0", 0), ("exit 3", 3), ("exit 70", 70), ("exit 255", 255)]
    + [(f"kill -{number} $$", 128 + number) for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV)],
)
def test_the_exit_code_is_the_commands_own(machine: Machine, script: str, code: int) -> None:
    done = machine.run("sh", "-c", script, registries=[LOGIN])
    error = f"the command failed with exit code {code}" if code else None
    assert (done.code, done.report["exit-code"], done.report["error"]) == (code, code, error)
    assert lines_of_ours(done.stderr) == ([error] if error else [])


@pytest.mark.parametrize(
    ("program", "code", "problem"),
    [
        ("no-such-program", 127, "no such program on this machine; install it, or set --image"),
        ("./no-such-program", 127, "no such program on this machine; install it, or set --image"),
        ("./no-interpreter", 127, "the interpreter that its first line names is not there"),
        ("./not-executable", 126, "cannot be executed (permission denied)"),
        ("./no-format", 126, "cannot be executed (exec format error)"),
        ("/", 126, "cannot be executed (permission denied)"),
    ],
)
def test_a_program_that_does_not_start_is_named(machine: Machine, program: str, code: int, problem: str) -> None:
    _script(machine, "no-interpreter", "#!/no/such/interpreter\n")
    _script(machine, "not-executable", "#!/bin/sh\n", mode=0o644)
    _script(machine, "no-format", "")
    done = machine.run(program, registries=[LOGIN])
    assert (done.code, done.stdout, done.stderr) == (code, b"", f"registry-config: {program}: {problem}\n".encode())
    # What is missing is found before anything runs, but for what an earlier command may make in the working directory.
    ran = program != "no-such-program"
    assert (done.report["exit-code"], done.report["error"]) == (code if ran else None, f"{program}: {problem}")


def test_both_streams_stay_apart_and_keep_every_byte(machine: Machine) -> None:
    (machine.work / "bytes").write_bytes(_EVERY_BYTE * 1000)
    done = machine.run("sh", "-c", "cat bytes; (echo error; cat bytes) >&2; printf end", registries=[LOGIN])
    assert (done.code, done.stdout, done.stderr) == (
        0,
        _EVERY_BYTE * 1000 + b"end",
        b"error\n" + _EVERY_BYTE * 1000,
    )


def test_a_line_is_seen_before_the_command_ends(machine: Machine) -> None:
    os.mkfifo(machine.work / "go")
    with machine.start("sh", "-c", "echo first; read word < go; echo $word", registries=[LOGIN]) as process:
        assert process.stdout
        assert process.stdout.readline() == b"first\n"
        (machine.work / "go").write_text("second\n")
        assert process.stdout.read() == b"second\n"
    assert process.returncode == 0


@pytest.mark.parametrize("at", [1, 5, 16, len(SECRET) - 1])
@pytest.mark.parametrize("stream", [1, 2])
def test_a_secret_in_two_writes_with_a_pause_between_is_hidden(machine: Machine, at: int, stream: int) -> None:
    script = f'(printf "<%s" "$HEAD"; sleep 0.2; printf "%s>\\n" "$REST") >&{stream}'
    halves = {"HEAD": SECRET[:at], "REST": SECRET[at:]}
    done = machine.run("sh", "-c", script, registries=[LOGIN], variables=halves)
    assert (done.code, done.stdout + done.stderr) == (0, b"<***>\n")


def test_the_beginning_of_a_secret_is_shown_when_the_rest_does_not_follow(machine: Machine) -> None:
    done = machine.run("sh", "-c", f"printf '%s' '{SECRET[:5]}'; sleep 0.1; echo other", registries=[LOGIN])
    assert (done.code, done.stdout) == (0, SECRET[:5].encode() + b"other\n")


def test_a_line_of_100_mib_passes_in_bounded_memory(machine: Machine) -> None:
    script = f"head -c {100 * _MIB} /dev/zero | tr '\\0' a; printf $TOKEN; grep VmHWM /proc/$PPID/status >&2"
    options, variables = ["--secret-env", "TOKEN"], {"TOKEN": SECRET}
    done = machine.run("sh", "-c", script, registries=[LOGIN], options=options, variables=variables)
    kibibytes = int(done.stderr.split()[1])
    assert (done.code, len(done.stdout), done.stdout[-5:]) == (0, 100 * _MIB + 3, b"aa***")
    assert kibibytes * 1024 < 64 * _MIB
    note = "[the beginning was cut: only the last 64 KiB are kept]\n"
    assert done.report["stdout"] == note + "a" * (64 * 1024 - 3) + "***"


def test_standard_input_is_the_commands(machine: Machine) -> None:
    done = machine.run("cat", registries=[LOGIN], stdin=_EVERY_BYTE * 1000)
    assert (done.code, done.stdout) == (0, _EVERY_BYTE * 1000)


def test_standard_input_is_empty_when_it_held_the_declaration(machine: Machine) -> None:
    declared = json.dumps([LOGIN]).encode()
    done = machine.run("sh", "-c", "cat; readlink /proc/self/fd/0", registries="-", stdin=declared)
    assert (done.code, done.stdout) == (0, b"/dev/null\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_is_handed_to_the_command_once_and_the_folder_goes(
    interruptible: Machine, number: signal.Signals
) -> None:
    with interruptible.start(sys.executable, "-c", _COUNTS_SIGNALS, registries=[LOGIN]) as process:
        assert process.stdout
        folder = Path(process.stdout.readline().decode().strip())
        assert sorted(entry.name for entry in folder.iterdir()) == [".user", "config.json", "inherited.json"]
        process.send_signal(number)
        _expect_counted(interruptible, number)
        stdout, stderr = process.communicate(timeout=10)
    assert (stdout, lines_of_ours(stderr)) == (b"", ["the command failed with exit code 7"])
    assert (process.returncode, folder.exists()) == (7, False)


def _expect_counted(machine: Machine, number: signal.Signals) -> None:
    """Wait for the signal, and long enough for a second one; let the command end."""
    counted = machine.work / "counted"
    wait_for(counted.exists)
    time.sleep(0.3)
    assert list(counted.read_bytes()) == [number]
    (machine.work / "stop").touch()


def test_a_signal_ends_a_command_that_does_not_care_and_what_it_started(interruptible: Machine) -> None:
    script = "sleep 60 & echo $! $DOCKER_CONFIG; wait"
    with interruptible.start("sh", "-c", script, registries=[LOGIN]) as process:
        assert process.stdout
        child, folder = process.stdout.readline().decode().split()
        process.terminate()
        process.wait(timeout=5)
        wait_for(lambda: not _runs(int(child)))
    assert (process.returncode, Path(folder).exists()) == (128 + signal.SIGTERM, False)


def _runs(process: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2][:4]
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["^C", "SIGTERM"])
def test_at_a_terminal_too_a_signal_arrives_once(interruptible: Machine, number: signal.Signals) -> None:
    master, slave = pty.openpty()
    machine = Machine(interruptible.root, prefix=("setsid", "--ctty", *interruptible.prefix))
    command = (sys.executable, "-c", _COUNTS_SIGNALS)
    with machine.start(*command, registries=[LOGIN], stdin=slave, stdout=slave, stderr=slave) as process:
        os.close(slave)
        shown = b""
        while b"\n" not in shown:
            shown += os.read(master, 1000)
        if number == signal.SIGINT:
            # Two signals at once count as one: ours, if there were one, has to come later.
            process.send_signal(signal.SIGSTOP)
            os.write(master, b"\x03")
            wait_for((machine.work / "counted").exists)
            process.send_signal(signal.SIGCONT)
        else:
            process.send_signal(number)
        _expect_counted(machine, number)
        process.wait(timeout=10)
    os.close(master)
    assert (process.returncode, Path(shown.decode().strip()).exists()) == (7, False)


@pytest.mark.parametrize("daemon", ["sleep 60", "while :; do echo more; sleep 0.1; done"], ids=["silent", "noisy"])
def test_a_daemon_that_keeps_the_pipes_does_not_hold_us(machine: Machine, daemon: str) -> None:
    script = f"({daemon}) & echo $! > pid; echo done"
    started = time.monotonic()
    done = machine.run("sh", "-c", script, registries=[LOGIN])
    seconds = time.monotonic() - started
    with suppress(ProcessLookupError):  # writing to the closed pipe has ended the noisy one
        os.kill(int((machine.work / "pid").read_text()), signal.SIGKILL)
    assert (done.code, done.stdout.replace(b"more\n", b"")) == (0, b"done\n")
    assert seconds < 5


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_command_whose_reader_goes_away_ends_as_in_a_pipeline(machine: Machine, stream: str) -> None:
    script = {"stdout": "exec yes", "stderr": "exec yes >&2"}[stream]
    with machine.start("sh", "-c", script, registries=[LOGIN]) as process:
        pipe = process.stdout if stream == "stdout" else process.stderr
        assert pipe
        assert pipe.readline() == b"y\n"
        pipe.close()
        assert process.wait(timeout=5) == 128 + signal.SIGPIPE


def test_with_nobody_to_hear_the_verdict_the_exit_code_and_the_report_stay(machine: Machine) -> None:
    options = ["--json", str(machine.root / "report.json")]
    with machine.start("sh", "-c", "read word; exit 7", registries=[LOGIN], options=options, stdin=-1) as process:
        assert process.stdin
        assert process.stderr
        process.stderr.close()
        process.stdin.close()
        assert process.wait(timeout=10) == 7
    assert json.loads((machine.root / "report.json").read_bytes())["exit-code"] == 7


def test_the_command_starts_in_the_working_directory_that_was_named(machine: Machine) -> None:
    (machine.work / "below").mkdir()
    done = machine.run("pwd", registries=[LOGIN], options=["-C", "below"])
    assert (done.code, done.stdout) == (0, f"{machine.work}/below\n".encode())
    done = machine.run("pwd", registries=[LOGIN], options=["-C", "absent"])
    assert (done.code, done.stdout, done.stderr, done.report["ran"]) == (
        64,
        b"",
        b"registry-config: --working-directory: is not a folder that exists; make it first, or correct the path\n",
        False,
    )


@pytest.fixture
def docker_folder(machine: Machine) -> Path:
    """A user's Docker folder with a context, a plug-in, logins and settings."""
    folder = machine.home / ".docker"
    for path in ("contexts/meta/remote/meta.json", "cli-plugins/docker-hello"):
        (folder / path).parent.mkdir(parents=True)
        (folder / path).write_text(path)
    own = {
        "auths": {"registry.example.com": {"auth": "b2xkOm9sZA=="}, "https://other.example.com/v2/": {"auth": "eDp5"}},
        "credsStore": "pass",
        "credHelpers": {"helped.example.com": "gcloud"},
        "currentContext": "remote",
        "HttpHeaders": {"X-Meta": "1"},
        "plugins": {"hello": {"on": "yes"}},
    }
    (folder / "config.json").write_text(json.dumps(own))
    return folder


_KEPT = {"currentContext": "remote", "HttpHeaders": {"X-Meta": "1"}, "plugins": {"hello": {"on": "yes"}}}
# base64 of `alice:` and the secret.
_OURS = {"registry.example.com": {"auth": "YWxpY2U6Y2FuYXJ5LTVmMWQwYzllOGI3YTZmNWU0ZDNjMmIxYQ=="}}


_KEPT_LOGINS = {
    "auths": _OURS | {"https://other.example.com/v2/": {"auth": "eDp5"}},
    "credHelpers": {"helped.example.com": "gcloud"},
}


@pytest.mark.parametrize(
    ("options", "logins"),
    [((), {"auths": _OURS}), (("--keep-logins",), _KEPT_LOGINS)],
    ids=["hidden", "keep-logins"],
)
def test_of_the_users_own_config_all_but_the_credentials_stays(
    machine: Machine, docker_folder: Path, options: tuple[str, ...], logins: dict[str, object]
) -> None:
    script = 'cd "$DOCKER_CONFIG" && cat config.json > "$OLDPWD/seen" && ls && cat contexts/*/*/* cli-plugins/*'
    before = (docker_folder / "config.json").read_bytes()
    done = machine.run("sh", "-c", script, registries=[LOGIN], options=options)
    assert (done.code, done.stdout) == (
        0,
        b"cli-plugins\nconfig.json\ncontexts\ninherited.json\ncontexts/meta/remote/meta.jsoncli-plugins/docker-hello",
    )
    assert json.loads((machine.work / "seen").read_bytes()) == _KEPT | logins
    assert (docker_folder / "config.json").read_bytes() == before


def test_the_users_own_folder_is_where_docker_config_says(machine: Machine, docker_folder: Path) -> None:
    elsewhere = docker_folder.rename(machine.home / "elsewhere")
    script = 'cat "$DOCKER_CONFIG"/cli-plugins/*; echo; echo "$BUILDX_CONFIG"'
    done = machine.run("sh", "-c", script, registries=[LOGIN], variables={"DOCKER_CONFIG": str(elsewhere)})
    assert (done.code, done.stdout) == (0, f"cli-plugins/docker-hello\n{elsewhere}/buildx\n".encode())


@pytest.mark.parametrize(("own", "seen"), [({}, "{home}/.docker/buildx"), ({"BUILDX_CONFIG": "/own"}, "/own")])
def test_the_variables_lead_to_one_document_and_builders_stay_where_they_were(
    machine: Machine, own: dict[str, str], seen: str
) -> None:
    names = ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "HELM_REGISTRY_CONFIG", "BUILDX_CONFIG", "DOCKER_AUTH_CONFIG")
    stray = {"DOCKER_AUTH_CONFIG": "{}", "REGISTRY_AUTH_FILE": "/stray", "HELM_REGISTRY_CONFIG": "/stray"}
    script = "; ".join(f'echo "${{{name}-unset}}"' for name in names) + '; cmp "$DOCKER_CONFIG/config.json" '
    script += '"$REGISTRY_AUTH_FILE" && cmp "$REGISTRY_AUTH_FILE" "$HELM_REGISTRY_CONFIG"'
    done = machine.run("sh", "-c", script, registries=[LOGIN], variables=stray | own)
    folder, *others = done.stdout.decode().splitlines()
    assert re.fullmatch(rf"{SHARED_MEMORY}/registry-config-\d+-[0-9a-f]{{16}}", folder)
    auth_file = "inherited.json" if os.geteuid() else "config.json"
    assert (done.code, others) == (
        0,
        [f"{folder}/{auth_file}", f"{folder}/config.json", seen.format(home=machine.home), "unset"],
    )


@pytest.mark.parametrize(
    ("options", "code", "stderr"),
    [
        ((), 0, b""),
        (
            ("--keep-logins",),
            64,
            b"registry-config: --keep-logins: your own config of Docker cannot be read as JSON; fix it\n",
        ),
    ],
    ids=["hidden", "keep-logins"],
)
def test_a_broken_config_of_the_user_matters_only_when_its_logins_are_to_be_kept(
    machine: Machine, docker_folder: Path, options: tuple[str, ...], code: int, stderr: bytes
) -> None:
    (docker_folder / "config.json").write_text("{")
    done = machine.run("true", registries=[LOGIN], options=options)
    assert (done.code, done.stderr) == (code, stderr)


@pytest.mark.parametrize("place", ["auths", "credHelpers"])
def test_a_refusal_tells_of_the_hidden_login(machine: Machine, registries: Pair, place: str) -> None:
    asked = registries.second.address
    value: dict[str, object] = {"auths": {"auth": "eDp5"}, "credHelpers": {}}
    (machine.home / ".docker").mkdir()
    (machine.home / ".docker/config.json").write_text(json.dumps({place: {asked: value[place] or "pass"}}))
    list_tags = ("skopeo", "list-tags", "--tls-verify=false", f"docker://{asked}/app")
    done = machine.run(*list_tags, registries=[registries.first.login()])
    assert (done.code, lines_of_ours(done.stderr)) == (
        1,
        [
            "the command failed with exit code 1",
            f"credentials were given for {registries.first.address}",
            f"the tool asked {asked}, which is not among them: add an entry for it",
            f"your own Docker config has a login for {asked}, hidden here: --keep-logins would show it",
        ],
    )


def test_a_login_inside_the_command_works_and_is_gone_afterwards(
    machine: Machine, registries: Pair, layout: Path
) -> None:
    second = registries.second.login()
    host, password = second["registry"], second["password"]
    script = f"""
        echo "$DOCKER_CONFIG"
        printf %s "$PASSWORD" | skopeo login --tls-verify=false -u {second["username"]} --password-stdin {host}
        skopeo copy -q --dest-tls-verify=false oci:{layout}:1 docker://{host}/login/app:1
        skopeo copy -q --dest-tls-verify=false oci:{layout}:1 docker://{registries.first.address}/login/app:1
    """
    options = ["--shell", "sh", "--secret-env", "PASSWORD"]
    variables = {"PASSWORD": password}
    done = machine.run(script, registries=[registries.first.login()], options=options, variables=variables)
    folder, *others = done.stdout.decode().splitlines()
    assert (done.code, others, Path(folder).exists()) == (0, ["Login Succeeded!"], False)
    assert [one.digest("login/app", "1") for one in registries] == [layout_digest(layout)] * 2
    places = {"home": machine.home, "tmp": machine.temporary, "work": machine.work, "shm": SHARED_MEMORY}
    assert search(places, password, second["username"]) == []


def test_no_registry_at_all_is_said_by_an_empty_list(machine: Machine) -> None:
    done = machine.run("sh", "-c", 'cat "$DOCKER_CONFIG/config.json"', registries=[])
    assert (done.code, done.stdout, done.stderr) == (0, b'{"auths":{}}', b"")


def test_a_check_is_told_whole_where_standard_output_does_not_wait(machine: Machine) -> None:
    """A pipe takes 64 KiB; what comes after that used to be lost, or to be an internal error."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    targets = [word for number in range(2000) for word in ("--target", f"registry.example.com/org/app:{number}")]
    words = [*machine.program, "check", "--registries", machine.declare([LOGIN]), *targets, "--", "echo", "{target}"]
    with subprocess.Popen(words, env=machine.environ(), stdout=writing, cwd=machine.work) as process:
        os.close(writing)
        with open(reading, "rb") as pipe:
            time.sleep(1)
            told = pipe.read()
    assert (process.returncode, b"echo registry.example.com/org/app:1999\n" in told) == (0, True)
    assert told.endswith(b" in its base64 form\n")
