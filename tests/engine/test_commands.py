"""Commands in a tool image: what they push, what they print, and how they end."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

from registry_config.engine.session import DaggerSession
from support.artifacts import chart, oci_layout
from support.cli import lines_of_ours, wait_for
from support.engine import after_progress, answers, without_masks
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.engine import Bench


def test_helm_pushes_to_two_registries_and_pulls(bench: Bench) -> None:
    made = chart(bench.machine.work / "dist").read_bytes()
    first, second = map(bench.engine.inside, bench.registries)
    push = [f"helm push dist/*.tgz oci://{host}/helm --plain-http" for host in (first, second)]
    step = bench.action("\n".join(push), registries=bench.logins)
    digest, other = (registry.digest("helm/app", "1.2.3") for registry in bench.registries)
    said = [line for host in (first, second) for line in (f"Pushed: {host}/helm/app:1.2.3", f"Digest: {digest}")]
    shown = [line for line in without_masks(step.log) if line.startswith(("Pushed:", "Digest:"))]
    assert (step.code, shown, other) == (0, said, digest), step.log
    assert (step.outputs["exit-code"], step.outputs["stdout"], step.outputs["digest"]) == ("0", "", digest)
    tag = "PUT /v2/helm/app/manifests/1.2.3"
    assert [answers(registry, tag) for registry in bench.registries] == [["201"], ["201"]]

    pull = f"helm pull oci://{second}/helm/app --version 1.2.3 --plain-http"
    done = bench.run(*pull.split(), registries=bench.logins)
    assert (done.code, done.stdout, done.stderr.decode()) == (
        0,
        b"",
        f"Pulled: {second}/helm/app:1.2.3\nDigest: {digest}\n",
    )
    assert (done.report["digest"], done.report["error"]) == (digest, None)
    assert (bench.machine.work / "app-1.2.3.tgz").read_bytes() == made


def test_the_same_push_again_is_a_push_again(bench: Bench) -> None:
    chart(bench.machine.work)
    host = bench.engine.inside(bench.registries.first)
    # Pulled with a login of the user's own: what runs in such an image the engine keeps beyond the session.
    user, password = next(iter(bench.tools.registry.users.items()))
    auth = base64.b64encode(f"{user}:{password}".encode()).decode()
    config = bench.machine.home / ".docker/config.json"
    config.parent.mkdir()
    config.write_text(json.dumps({"auths": {bench.tools.registry.address: {"auth": auth}}}))
    push = ("helm", "push", "app-1.2.3.tgz", f"oci://{host}/twice", "--plain-http")
    options = ["--image", bench.tools.reference("shell")]
    codes = [bench.machine.run(*push, registries=bench.logins, options=options).code for _ in range(2)]
    sent = answers(bench.registries.first, "PUT /v2/twice/app/manifests/1.2.3")
    assert (codes, sent) == ([0, 0], ["201", "201"])


def test_a_push_with_a_wrong_password_fails_once_and_is_explained(bench: Bench) -> None:
    chart(bench.machine.work)
    host = bench.engine.inside(bench.registries.first)
    wrong = bench.engine.login(bench.registries.first) | {"password": "wrong-password"}
    push = ("helm", "push", "app-1.2.3.tgz", f"oci://{host}/wrong", "--plain-http")
    done = bench.run(*push, registries=[wrong])
    assert (done.code, lines_of_ours(done.stderr)) == (
        1,
        [
            "the command failed with exit code 1",
            f"credentials were given for {host}",
            f"the tool asked {host}, which is among them: check the user, the password, and what they may do there",
        ],
    )
    # helm asks without the password, is told to give one, and does.
    asked = [line for line in bench.registries.first.requests("Helm/") if "/v2/wrong/" in line]
    assert [line.partition(' HTTP/1.1" ')[2][:3] for line in asked] == ["401", "401"]


def test_each_target_is_pushed_once(bench: Bench) -> None:
    oci_layout(bench.machine.work / "layout")
    hosts = [bench.engine.inside(registry) for registry in bench.registries]
    targets = {"targets": "\n".join(f"{host}/targets:1" for host in hosts)}
    step = bench.action("crane push layout {target}", targets, registries=bench.logins)
    sent = [answers(registry, "PUT /v2/targets/manifests/1") for registry in bench.registries]
    assert (step.code, sent) == (0, [["201"], ["201"]]), step.log


_FAILED = "the command failed with exit code"
_LEFT = "the command ended as by a signal: the files that it wrote stayed in the image"
_STOPPED = "the run was stopped: the files that its commands wrote stayed in the image"
_NO_PROGRAM = "no such program in the image"


@table(
    "command, stdout, code, ours",
    {
        "done": ("echo out; echo error >&2", b"out\n", 0, ["error"]),
        "its own code": ("echo out; exit 3", b"out\n", 3, [f"{_FAILED} 3"]),
        "a high code": ("exit 255", b"", 255, [f"{_FAILED} 255"]),
        "the code of ours": ("exit 127", b"", 127, [f"{_FAILED} 127"]),
        "killed": ("touch lost; kill -9 $$", b"", 137, [_LEFT, f"{_FAILED} 137"]),
        "terminated": ("echo out; kill $$", b"out", 143, [_LEFT, f"{_FAILED} 143"]),
        "nothing on standard input": ("cat; echo end", b"end\n", 0, []),
        "unusual bytes": (r"printf 'a\000\033[1mb\r\n\n'; printf '\303\251'", b"a\0\x1b[1mb\r\n\n\xc3\xa9", 0, []),
        "ten megabytes": ("head -c 10000000 /dev/zero | tr '\\0' a", b"a" * 10_000_000, 0, []),
    },
)
def test_a_command_ends_as_it_does_elsewhere(
    bench: Bench, command: str, stdout: bytes, code: int, ours: list[str]
) -> None:
    done = bench.run(command, options=["--shell", "sh"])
    assert (done.code, done.stdout == stdout, done.report["exit-code"]) == (code, True, code)
    assert [line.removeprefix("registry-config: ") for line in done.stderr.decode().splitlines()] == ours
    assert list(bench.machine.work.iterdir()) == []


@table(
    "image, program, code, problem",
    {
        "not in PATH": (
            "shell",
            "nosuch",
            127,
            f"{_NO_PROGRAM}; its entrypoint is helm: name it in the command or set --use-entrypoint",
        ),
        "not in PATH, no entrypoint": (
            "no passwd, root",
            "sh",
            127,
            f"{_NO_PROGRAM}; check its spelling, or use an image that has it",
        ),
        "not at this path": (
            "shell",
            "./nosuch",
            127,
            f"{_NO_PROGRAM}, or not the interpreter that its first line names",
        ),
        "no interpreter": (
            "shell",
            "./script",
            127,
            f"{_NO_PROGRAM}, or not the interpreter that its first line names",
        ),
        "not executable": ("shell", "/etc/passwd", 126, "cannot be executed in the image (permission denied)"),
        "no program": ("shell", "./empty", 126, "cannot be executed in the image (exec format error)"),
        "a folder": ("shell", "/bin", 126, "cannot be executed in the image (permission denied)"),
    },
)
def test_a_program_that_does_not_start_is_named(
    bench: Bench, image: str, program: str, code: int, problem: str
) -> None:
    for name, text in {"script": "#!/no/such/interpreter\n", "empty": ""}.items():
        (bench.machine.work / name).write_text(text)
        (bench.machine.work / name).chmod(0o755)
    done = bench.run(program, image=image)
    message = f"{program}: {problem}"
    assert (done.code, done.stdout, done.stderr.decode()) == (code, b"", f"registry-config: {message}\n")
    assert (done.report["exit-code"], done.report["error"]) == (code, message)


@table(
    "shell, remedy",
    {
        "bash": ("bash", "use an image that has it, or set --shell sh"),
        "sh": ("sh", "use an image that has it"),
    },
)
def test_a_shell_that_is_not_there_is_named(bench: Bench, shell: str, remedy: str) -> None:
    image = "shell" if shell == "bash" else "no passwd, root"
    done = bench.run("true", image=image, options=["--shell", shell])
    assert (done.code, lines_of_ours(done.stderr)) == (127, [f"{shell}: {_NO_PROGRAM}; {remedy}"])


def test_a_time_limit_says_what_stays(bench: Bench) -> None:
    step = bench.action("touch first\nsh -c 'touch second; sleep 30'", {"timeout": "2s"})
    assert (step.code, _names(bench)) == (124, ["first"])
    warning = "the time limit ended the command: the files that it wrote stayed in the image"
    assert f"::warning title=registry-config::{warning}" in without_masks(step.log)


@table(
    "instead",
    {
        "nothing": "true",
        "a pipe": 'mkfifo "$GITHUB_OUTPUT"',
        "a folder": 'mkdir "$GITHUB_OUTPUT"',
        "a link": 'echo name=value > /tmp/other; ln -s /tmp/other "$GITHUB_OUTPUT"',
        "a link to nothing": 'ln -s nosuch "$GITHUB_OUTPUT"',
    },
)
def test_what_is_no_file_any_more_has_no_outputs(bench: Bench, instead: str) -> None:
    done = bench.run(f'rm "$GITHUB_OUTPUT"; {instead}', options=["--shell", "sh"])
    assert (done.code, done.stderr, done.report["outputs"]) == (0, b"", {})


def test_a_file_of_digests_that_is_a_pipe_holds_nobody(bench: Bench) -> None:
    (bench.machine.work / "podman").write_text("#!/bin/sh\nmkfifo digest\n")
    (bench.machine.work / "podman").chmod(0o755)
    done = bench.run("./podman", "push", "--digestfile", "digest", "a.example/app:1")
    assert (done.code, done.report["digest"]) == (0, "")


def test_outputs_are_those_of_the_last_attempt(bench: Bench) -> None:
    chart(bench.machine.work)
    mark = f"oci://{bench.engine.inside(bench.registries.first)}/attempts"
    script = f"""
if helm pull {mark}/app --version 1.2.3 --plain-http --destination /tmp; then kill -9 $$; fi
helm push app-1.2.3.tgz {mark} --plain-http
echo name=value >> "$GITHUB_OUTPUT"
exit 3
"""
    options = ["--shell", "sh", "--retries", "1", "--retry-on", "any"]
    done = bench.run(script, registries=bench.logins, options=options)
    assert (done.code, done.report["results"][0]["attempts"], done.report["outputs"]) == (137, 2, {})


def test_a_shell_gets_the_whole_text_and_all_variables(bench: Bench) -> None:
    step = bench.action(
        'for word in $A; do echo "$word"; done | tr a-z A-Z\necho "$B ${#C}"\necho "$C"\nfalse\necho after',
        {"shell": "sh", "env": "A=one two\nB", "secret-env": "C"},
        variables={"B": "from the step", "C": "canary-of-the-command"},
    )
    assert (step.code, step.outputs["stdout"]) == (1, "ONE\nTWO\nfrom the step 21\n***\n"), step.log
    assert "canary-of-the-command" not in "\n".join(without_masks(step.log))


def test_commands_run_in_their_order_until_one_fails(bench: Bench) -> None:
    (bench.machine.work / "sub").mkdir()
    step = bench.action(
        "touch b.txt a.txt .hidden.txt sub/c.txt\necho *.txt s?b/[a-c].txt ${NAME}\nfalse\ntouch after",
        {"env": "NAME=$(id) *"},
    )
    assert (step.code, step.outputs["exit-code"]) == (1, "1")
    assert step.outputs["stdout"] == "a.txt b.txt sub/c.txt $(id) *\n", step.log
    assert _names(bench) == [".hidden.txt", "a.txt", "b.txt", "sub", "sub/c.txt"]


_TELLS_WHO = r"""
grep -o '"auth":"[^"]*' "$DOCKER_CONFIG/config.json" | cut -d '"' -f 4 | base64 -d | cut -d : -f 1
cat "$DOCKER_CONFIG"/parts/* 2> /dev/null | grep -o 'password-of' | wc -l
"""


def test_a_command_has_the_credential_that_fits_and_no_other(bench: Bench) -> None:
    logins = [
        {"registry": f"a.example/{name}", "username": name, "password": f"password-of-{name}"}
        for name in ("one", "two")
    ]
    (bench.machine.work / "who.sh").write_text(_TELLS_WHO)
    step = bench.action(
        "\n".join(f"sh who.sh a.example/{name}/app" for name in ("one", "other", "two")), registries=logins
    )
    assert (step.code, step.outputs["stdout"].split()) == (0, ["one", "1", "0", "two", "1"]), step.log


def test_a_pattern_without_a_file_ends_the_run_and_what_was_made_comes_back(bench: Bench) -> None:
    step = bench.action("touch made.txt\nls *.txt\nls *.tgz")
    found = "no file in the working directory matches '*.tgz'"
    message = (
        f"command (line 3, column 4): {found}; check path and working-directory, or quote it to pass it on as it is"
    )
    assert (step.code, after_progress(step.log)) == (64, [f"::error title=registry-config::{message}"])
    assert _names(bench) == ["made.txt"]


def test_the_entrypoint_comes_before_each_command(bench: Bench) -> None:
    step = bench.action("version --template {{.Version}}\nenv HELM_NAMESPACE", {"use-entrypoint": "true"})
    version, namespace = step.outputs["stdout"].partition("default")[:2]
    assert (step.code, version.startswith("v3."), namespace) == (0, True, "default"), step.log


def test_progress_is_folded_and_what_the_tool_wrote_follows(bench: Bench) -> None:
    step = bench.action("echo '::set-output name=a::b'\necho '##[error]c'", registries=bench.logins)
    shown = without_masks(step.log)
    inside: list[str] = []
    outside: list[str] = []
    folded = False
    for line in shown:
        if line in {"::group::Dagger", "::endgroup::"}:
            assert folded is (line == "::endgroup::")
            folded = not folded
        else:
            (inside if folded else outside).append(line)
    printed = [line for line in outside if line in {": :set-output name=a::b", "# #[error]c"}]
    assert printed == [": :set-output name=a::b", "# #[error]c"]
    assert not any(line.startswith(("::set-output", "##[")) for line in outside)
    assert any("withExec echo" in line for line in inside)
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in inside)
    image = bench.tools.reference("shell")
    digest = bench.tools.registry.digest("tools", "shell")
    assert f"{image}@{digest}" in step.summary.replace("&#58;", ":").replace("&#64;", "@")


def test_an_image_given_by_its_digest_is_used(bench: Bench) -> None:
    digest = bench.tools.registry.digest("tools", "shell")
    reference = f"{bench.tools.registry.address}/tools@{digest}"
    step = bench.action("echo there", image=reference)
    assert (step.code, step.outputs["stdout"]) == (0, "there\n")
    assert reference in step.summary.replace("&#58;", ":").replace("&#64;", "@")


def test_a_session_that_is_there_is_joined(bench: Bench) -> None:
    session = DaggerSession(bench.machine.environ(), lambda _: None)
    session.start()
    try:
        port, token = session.connect()
        given = {"DAGGER_SESSION_PORT": str(port), "DAGGER_SESSION_TOKEN": token}
        # Nothing of ours could start another one.
        unusable = {"_EXPERIMENTAL_DAGGER_CLI_BIN": "/no/such", "_EXPERIMENTAL_DAGGER_RUNNER_HOST": "unix:///no/such"}
        for _ in range(2):
            done = bench.run("echo", "there", variables=given | unusable)
            assert (done.code, done.stdout, done.stderr) == (0, b"there\n", b"")
    finally:
        session.close()


# Shows in the registry's access log that it is alive.
_BEATS = "trap '' INT; while :; do wget -q -O /dev/null http://{host}/v2/{name} || sleep 0.1; done"


@table("number", {number.name: number for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)})
def test_a_signal_ends_the_command_in_the_engine(bench: Bench, number: signal.Signals) -> None:
    registry = bench.registries.first
    name = f"beat-{number.name.lower()}"

    def beats() -> int:
        return len(answers(registry, f"GET /v2/{name}"))

    script = _BEATS.format(host=bench.engine.inside(registry), name=name)
    with bench.start(script, options=["--shell", "sh"]) as process:
        wait_for(lambda: beats() > 1, 15)
        process.send_signal(number)
        signalled = time.monotonic()
        _, stderr = process.communicate()
        ended = time.monotonic() - signalled
    assert (process.returncode, ended < 5) == (-9 if number == signal.SIGKILL else 128 + number, True)
    said = [_STOPPED, f"{_FAILED} {128 + number}"]
    assert lines_of_ours(stderr) == ([] if number == signal.SIGKILL else said)
    wait_for(lambda: _is_steady(beats, 1), 10)


def test_a_signal_while_the_engine_does_not_answer_ends_the_run(bench: Bench) -> None:
    path = bench.machine.root / "engine.sock"
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(path))
        mute.listen()
        variables = {**bench.machine.variables, "_EXPERIMENTAL_DAGGER_RUNNER_HOST": f"unix://{path}"}
        machine = type(bench.machine)(bench.machine.root, bench.machine.prefix, variables=variables)
        with machine.start("true", options=["--image", "alpine"]) as process:
            time.sleep(2)
            session = _child(process.pid, b"session")
            process.terminate()
            signalled = time.monotonic()
            stdout, _ = process.communicate()
            ended = time.monotonic() - signalled
    assert (process.returncode, stdout, ended < 5) == (143, b"", True)
    assert not Path(f"/proc/{session}").exists()


def test_an_engine_that_goes_away_ends_the_run_and_nothing_is_sent_again(bench: Bench) -> None:
    registry = bench.registries.first
    url = f"http://{bench.engine.inside(registry)}/v2"
    script = (
        f"wget -q -O /dev/null {url}/begun || true; while :; do wget -q -O /dev/null {url}/goes-on || sleep 0.1; done"
    )
    with bench.start(script, options=["--shell", "sh"]) as process:
        wait_for(lambda: len(answers(registry, "GET /v2/goes-on")) > 1, 30)
        session = _child(process.pid, b"session")
        os.kill(session, signal.SIGKILL)
        stdout, stderr = process.communicate()
    message = "engine: it went away during the run; a push may have happened; look at the registry before you run again"
    assert (process.returncode, stdout, lines_of_ours(stderr)) == (69, b"", [message])
    assert len(answers(registry, "GET /v2/begun")) == 1


def _child(pid: int, word: bytes) -> int:
    """The child of a process that has this word in its command line."""
    children = (
        int(child) for path in Path(f"/proc/{pid}/task").iterdir() for child in (path / "children").read_text().split()
    )
    return next(child for child in children if word in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0"))


def _is_steady(count: Callable[[], int], seconds: float) -> bool:
    before = count()
    time.sleep(seconds)
    return before == count()


def _names(bench: Bench) -> list[str]:
    return sorted(str(path.relative_to(bench.machine.work)) for path in bench.machine.work.rglob("*"))
