"""The action as GitHub's runner runs it: its inputs, its outputs, and what the log and the page of the run show."""

from __future__ import annotations

import base64
import json
import re
import shlex
import signal
from typing import TYPE_CHECKING

import pytest

from registry_config.declaration.inputs import PREFIX, RUNNER_FILES
from registry_config.version import VERSION
from support.cli import wait_for
from support.leaks import search
from support.runner import Annotation, Runner, file_commands
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from support.action import Action
    from support.cli import Machine

_PASSWORD = "p/a+s&s<w>o='r\"d'é-%41-0123456789"
_ENTRY = "- {registry: registry.example.com, username: alice, password-env: PASSWORD}"
_VARIABLES = {"PASSWORD": _PASSWORD}
_EMPTY = "the password for registry.example.com is empty: the variable PASSWORD is set to nothing"
_ANCHOR = "registries (line 3): anchors and aliases ('&', '*') are not supported"
_REMEDY_OF_FORKS = "secrets are empty in pull requests from forks and by Dependabot: set on-missing: skip"
_FOREIGN = "which another's commit may have written (pull_request_target)"
_OTHER_SERVER = "the job's token is not for ghcr.io on this GitHub server"
_DONE = """\
### Registry config: the command succeeded in N s

<details><summary>Commands</summary><code>echo a</code><br><code>echo 'b&#124;&#60;c&#62;'</code></details>
"""
_FAILED = """\
### Registry config: the command failed in N s

**Failed:** the command failed with exit code 1

<details><summary>Commands</summary><b>failed:</b> <code>false</code></details>
"""


def _error(message: str) -> Annotation:
    return Annotation("error", message, "registry-config")


def _without_times(text: str) -> str:
    return re.sub(r"\d+\.\d+", "N", text)


@pytest.fixture
def work(machine: Machine) -> Path:
    return machine.work


@table(
    "inputs, stdout",
    {
        "words as a shell would split them": ({"command": "printf '%s|' a 'b  c' d\\ e"}, "a|b  c|d e|"),
        "several commands, a comment, a long one": (
            {"command": "echo a\n# no\n\necho \\\n  b\nprintf c\n"},
            "a\nb\nc",
        ),
        "globs": ({"command": "echo *.tgz sub/?.txt '*'"}, "app-1.tgz app-2.tgz sub/a.txt *\n"),
        "globs in another folder": ({"command": "echo *", "working-directory": "sub"}, "a.txt\n"),
        "shell": ({"command": "x=$(echo a | tr a b)\necho $x\nfalse\necho no", "shell": "sh"}, "b\n"),
        "variables": (
            {"command": "printf '%s ' ${A} ${B} '${A}'\nprintenv A B", "env": "A=a $(id) *\nB"},
            "a $(id) * of the step ${A} a $(id) *\nof the step\n",
        ),
        "secret variable": ({"command": "printenv TOKEN", "secret-env": "TOKEN"}, "***\n"),
        "bytes as they are": ({"command": "printf 'a\\r::b\\033[0m\\n\\n'"}, "a\r::b\x1b[0m\n\n"),
    },
)
def test_a_command_runs_as_the_inputs_say(
    action: Action, machine: Machine, work: Path, inputs: Mapping[str, str], stdout: str
) -> None:
    (work / "sub").mkdir()
    for name in ("app-1.tgz", "app-2.tgz", "sub/a.txt"):
        (work / name).touch()
    variables = {"B": "of the step", "TOKEN": "token-0123456789", **_VARIABLES}
    done = action.run(machine, {"registries": _ENTRY, **inputs}, variables)
    assert done.outputs["stdout"] == stdout


@table(
    "command, code, problem",
    {
        "its own": ("sh -c 'exit 3'", 3, "command 2 of 3 failed with exit code 3: sh -c 'exit 3'"),
        "signal": ("sh -c 'kill -9 $$'", 137, "command 2 of 3 failed with exit code 137: sh -c 'kill -9 $$'"),
        "no such program": (
            "no-such-program",
            127,
            "no-such-program: no such program on this machine; install it, or set image",
        ),
    },
)
def test_a_failing_command_fails_the_step_and_its_exit_code_is_an_output(
    action: Action, machine: Machine, command: str, code: int, problem: str
) -> None:
    done = action.run(machine, {"registries": "[]", "command": f"echo a\n{command}\necho b"})
    results = json.loads(done.outputs["results"])
    # A program that is not there is warned of first, as the line before it could have installed it.
    *_, last = done.last.step.annotations
    assert (done.last.code, last) == (code, _error(problem))
    assert {**done.outputs, "results": ""} == {
        "exit-code": str(code),
        "stdout": "a\n",
        "digest": "",
        "digests": "[]",
        "results": "",
        "skipped": "false",
        "verify": "[]",
        "outputs": "{}",
    }
    assert [(result["exit-code"], result["attempts"], result["reason"]) for result in results] == [(code, 1, problem)]


def test_the_last_line_of_a_command_is_shown_though_the_next_one_is_refused(action: Action, machine: Machine) -> None:
    done = action.run(machine, {"registries": "[]", "command": "printf abc\necho no-such-file-*"})
    (annotation,) = done.last.step.annotations
    assert done.log == [
        *(f"registry-config {VERSION}: no registry", "[command]printf abc", "abc"),
        f"##[error]{annotation.message}",
    ]


@table(
    "inputs, variables, problem",
    {
        "no registries": ({}, {}, "registries: is empty; write [] to run without any registry"),
        "unknown key": (
            {"registries": "- registry: ghcr.io\n  pasword: x"},
            {},
            "registries[0] (line 2): unknown key 'pasword'; did you mean 'password'?",
        ),
        "no such variable": (
            {"registries": _ENTRY},
            {"PASSWORT": _PASSWORD},
            "registries[0].password-env (line 1): no such variable in the environment; did you mean 'PASSWORT'?",
        ),
        "empty password": (
            {"registries": _ENTRY},
            {"PASSWORD": ""},
            f"registries[0].password-env (line 1): {_EMPTY}; give it a value, or set on-missing: skip",
        ),
        "empty password in a pull request from a fork": (
            {"registries": _ENTRY},
            {"PASSWORD": "", "GITHUB_ACTOR": "dependabot[bot]"},
            f"registries[0].password-env (line 1): {_EMPTY}; {_REMEDY_OF_FORKS}",
        ),
        "both": (
            {"registries": "[]", "registries-file": "x"},
            {},
            "registries-file: cannot be combined with registries; give one of them",
        ),
        "no command": ({"registries": "[]", "command": " \n"}, {}, "command: is empty; write the command to run"),
        "command for a shell": (
            {"registries": "[]", "command": "echo a\ntouch started | cat"},
            {},
            "command (line 2, column 15): '|' needs a shell; quote it, or set shell: bash",
        ),
        "boolean": ({"registries": "[]", "summary": "yes"}, {}, "summary: must be true or false"),
        "entrypoint without image": (
            {"registries": "[]", "use-entrypoint": "true"},
            {},
            "use-entrypoint: needs image; set image, or leave it out",
        ),
        "secret in env": (
            {"registries": _ENTRY, "env": f"A=x{_PASSWORD}y"},
            _VARIABLES,
            "env: the value of A contains a secret; use secret-env",
        ),
        "file of another's commit": (
            {"registries-file": "registries.yaml"},
            {"GITHUB_EVENT_NAME": "pull_request_target"},
            f"registries-file: lies in the workspace, {_FOREIGN}; use registries, or a file from elsewhere",
        ),
        "slip of YAML": (
            {"registries": "- registry: a.example\n  username: a\n  password: *x"},
            {},
            f"{_ANCHOR}; write the value as ${{{{ toJSON(secrets.NAME) }}}}, or use password-env",
        ),
        "slip of YAML in a file, where no expression is": (
            {"registries-file": "slip.yaml"},
            {},
            f"{_ANCHOR}; write the value in single quotes, each ' in it twice, or use password-env",
        ),
        "job's token on another server": (
            {"registries": "- registry: ghcr.io"},
            {"GITHUB_SERVER_URL": "https://github.example.com"},
            f"registries[0] (line 1): {_OTHER_SERVER}; give username and password",
        ),
    },
)
def test_a_bad_input_is_an_annotation_that_names_the_place_and_nothing_is_started(
    action: Action, machine: Machine, inputs: Mapping[str, str], variables: Mapping[str, str], problem: str
) -> None:
    (machine.work / "slip.yaml").write_text("- registry: a.example\n  username: a\n  password: *x\n")
    done = action.run(machine, {"command": "touch started", **inputs}, variables, token="ghs_0123456789")
    assert (done.last.code, done.last.step.annotations, done.log) == (64, [_error(problem)], [f"##[error]{problem}"])
    assert done.outputs == {
        "exit-code": "",
        "stdout": "",
        "digest": "",
        "digests": "[]",
        "results": "[]",
        "skipped": "false",
        "verify": "[]",
        "outputs": "{}",
    }
    assert "nothing was run" in done.summary or inputs.get("summary")
    assert not (machine.work / "started").exists()


@table(
    "entry, variables",
    {
        "missing secret, as toJSON() writes it": ("{registry: r.example.com, username: u, password: null}", {}),
        "missing secret": ("{registry: r.example.com, username: u, password: }", {}),
        "empty variable": ("{registry: r.example.com, username: u, password-env: TOKEN}", {"TOKEN": ""}),
        "no token of the job": ("{registry: ghcr.io}", {}),
    },
)
def test_on_missing_skip_says_so_and_succeeds(
    action: Action, machine: Machine, entry: str, variables: Mapping[str, str]
) -> None:
    inputs = {"registries": f"[{entry}]", "on-missing": "skip", "command": "touch started"}
    done = action.run(machine, inputs, variables)
    (annotation,) = done.last.step.annotations
    assert (done.last.code, annotation.level, done.outputs["skipped"], done.outputs["exit-code"]) == (
        0,
        "notice",
        "true",
        "",
    )
    said = r"registries\[0\]\S* \(line 1\): the .* for \S+ is empty.*; nothing was run \(on-missing: skip\)"
    assert re.fullmatch(said, annotation.message)
    assert "nothing was run" in done.summary
    assert not (machine.work / "started").exists()


def test_ghcr_io_alone_takes_the_token_of_the_job(action: Action, machine: Machine, work: Path) -> None:
    inputs = {"registries": "- registry: ghcr.io", "command": 'cat "$DOCKER_CONFIG/config.json" >copy', "shell": "sh"}
    done = action.run(machine, inputs, token="ghs_0123456789")
    pair = base64.b64encode(b"octocat:ghs_0123456789").decode()
    assert (done.last.code, json.loads((work / "copy").read_bytes())) == (0, {"auths": {"ghcr.io": {"auth": pair}}})


def test_a_token_given_by_hand_counts_instead_of_that_of_the_job(action: Action, machine: Machine, work: Path) -> None:
    inputs = {"registries": "- registry: ghcr.io", "command": 'cat "$DOCKER_CONFIG/config.json" >copy', "shell": "sh"}
    action.run(machine, inputs | {"github-token": "other-0123456789"}, token="ghs_0123456789")
    assert b"octocat:other-0123456789" in base64.b64decode(
        json.loads((work / "copy").read_bytes())["auths"]["ghcr.io"]["auth"]
    )


@table(
    "inputs, summary",
    {
        "done": ({"command": "echo a\necho 'b|<c>'"}, _DONE),
        "failed": ({"command": "false"}, _FAILED),
        "none wanted": ({"command": "true", "summary": "false"}, ""),
    },
)
def test_the_summary_tells_what_was_run(
    action: Action, machine: Machine, inputs: Mapping[str, str], summary: str
) -> None:
    assert _without_times(action.run(machine, {"registries": "[]", **inputs}).summary) == summary


def test_each_target_has_a_group_and_an_error_of_its_own(action: Action, machine: Machine) -> None:
    script = "printf '##[group]x\\n::error::%s\\n' {target}; test {target} = a.example.com"
    inputs = {"registries": "[]", "command": script, "shell": "sh", "targets": "a.example.com\nb.example.com"}
    done = action.run(machine, inputs | {"max-parallel": "1"})
    problem = "the command failed with exit code 1"
    assert done.last.step.annotations == [_error(f"b.example.com: {problem}")]
    assert [line for line in done.log if line.startswith(("##[", "# #[", ": :"))] == [
        *("##[group]a.example.com", "# #[group]x", ": :error::a.example.com", "##[endgroup]"),
        *("##[group]b.example.com", "# #[group]x", ": :error::b.example.com", "##[endgroup]"),
        f"##[error]b.example.com: {problem}",
    ]


def test_a_dry_run_shows_the_commands_and_runs_none(action: Action, machine: Machine) -> None:
    inputs = {"registries": _ENTRY, "command": "touch started ::error::x", "dry-run": "true"}
    done = action.run(machine, inputs, _VARIABLES)
    assert any(line.endswith("touch started ::error::x") for line in done.log)
    assert (done.last.code, done.last.step.annotations, done.outputs["exit-code"]) == (0, [], "")
    assert not (machine.work / "started").exists()


_FORGED = {
    "output": b"::set-output name=digest::sha256:0",
    "output, old form": b"text ##[set-output name=digest;]sha256:0",
    "output, other case": b"::Set-Output NAME=digest::sha256:0",
    "state": b"::save-state name=x::y",
    "variable, which fails the step": b"::set-env name=PATH::/x",
    "PATH, which fails the step": b"::add-path::/x",
    "mask of a sign": b"::add-mask::e",
    "annotation": b"::error file=a,line=1,title=b::c",
    "white space before": b" \t\x0b\xc2\x85\xc2\xa0\xe2\x80\x83\xe2\x80\xa8\xe3\x80\x80::error::x",
    "matcher": b"::add-matcher::matcher.json",
    "matcher, old form": b"##[remove-matcher owner=x]",
    "stop": b"::stop-commands::0123456789abcdef",
    "stop with a bad token, which ends the step": b"::stop-commands::group",
    "echo": b"::echo::on",
    "group": b"::group::x\n##[group]y\n::endgroup::",
    "debug": b"::debug::x",
    "lone CR": b"text\r::error::x\rtext\r##[error]y",
    "CR before CRLF": b"text\r\r\n::error::x",
    "colour before": b"\x1b[31m::error::x",
    "colour inside": b":\x1b[0m:error::x #\x1b[0m#[error]y",
    "control characters inside": b":\0:error::x\n\x08::error::y",
    "control characters in each other": b":\xc2\xc2\x85\x85:error::x\n\x1b\x1b[0m[0m::error::y",
    "command inside of a command": b"::::error::x\n##[##[error]]y",
    "byte order mark": b"\xef\xbb\xbf::error::x",
    "UTF-16": b"\xff\xfe" + "::error::x\n::error::y".encode("utf-16-le"),
    "UTF-16, other order": b"\xfe\xff" + "::error::x\n::error::y".encode("utf-16-be"),
    "UTF-32": b"\xff\xfe\0\0" + "::error::x\n::error::y".encode("utf-32-le"),
    "end of a long line": b"x" * 65536 + b"::error::x" + b"y" * 65536 + b"::error::z",
    "without an end": b"::error::x",
    "marker of the runner": b"##[start-action x]\n##[end-action]",
}


@table("data", _FORGED)
def test_nothing_that_a_tool_prints_is_a_command(action: Action, machine: Machine, data: bytes) -> None:
    (machine.work / "forged").write_bytes(data)
    command = "cat forged\nsh -c 'cat forged >&2; exit 1'"
    done = action.run(machine, {"registries": "[]", "command": command}, runner=Runner(debug=True))
    problem = "command 2 of 2 failed with exit code 1: sh -c 'cat forged >&2; exit 1'"
    assert [command.name for command in done.last.step.commands] == ["error"]
    assert done.last.step.annotations == [_error(problem)]
    assert (done.log[-1], done.last.step.failed, done.outputs["digest"]) == (f"##[error]{problem}", False, "")
    assert not any("##[" in line for line in done.log[:-1])


def test_a_command_in_two_writes_is_none(action: Action, machine: Machine) -> None:
    script = "for part in : ':error::x' '\r' ::error::y '##' '[error]z'; do printf %s \"$part\"; sleep 0.05; done"
    done = action.run(machine, {"registries": "[]", "command": script, "shell": "sh"})
    assert (done.last.step.commands, done.log[2:]) == ([], [": :error::x", ": :error::y# #[error]z"])


def test_a_tool_finds_no_input_in_any_environment_it_may_read(action: Action, machine: Machine) -> None:
    # act sets these besides.
    variables = {"INPUT_REGISTRIES": _ENTRY, "INPUT_GITHUB-TOKEN": "ghs_0123456789", "INPUT_OTHER": "kept"}
    script = "for id in self $PPID; do tr '\\0' '\\n' </proc/$id/environ >$id.txt; done; mv $PPID.txt parent.txt"
    # Without the input `shell`: a script has a GITHUB_OUTPUT of its own.
    inputs = {"registries": _ENTRY, "command": f"sh -c {shlex.quote(script)}", "secret-env": "GIVEN"}
    done = action.run(machine, inputs, variables | _VARIABLES | {"GIVEN": "given-0123456789"}, token="ghs_0123456789")
    assert done.last.code == 0
    for place in ("self", "parent"):
        text = (machine.work / f"{place}.txt").read_text(errors="surrogateescape")
        names = {line.partition("=")[0].strip("\0") for line in text.splitlines()}
        unwanted = {name for name in names if name.startswith(PREFIX)} | (
            names & {*RUNNER_FILES, "PASSWORD", "INPUT_REGISTRIES", "INPUT_GITHUB-TOKEN"}
        )
        assert (unwanted, "INPUT_OTHER" in names, "PATH" in names) == (set(), True, True)
        assert _PASSWORD not in text
        assert "ghs_" not in text


def test_masks_are_the_first_bytes_and_there_are_none_later(action: Action, machine: Machine) -> None:
    entries = json.dumps(
        [
            {"registry": "a.example.com", "username": "alice", "password": _PASSWORD},
            {"registry": "b.example.com", "username": "bob", "password": "short"},
        ]
    )
    done = action.run(
        machine, {"registries": entries, "command": "echo ::add-mask::x", "secret-env": "K"}, {"K": "k" * 9}
    )
    assert done.last.stderr == b""
    kinds = ["mask" if line.startswith(b"::add-mask::") else "text" for line in done.last.stdout.splitlines()]
    assert kinds == sorted(kinds)
    masks = done.last.step.masks
    assert {_PASSWORD, "k" * 9} <= set(masks)
    hosts_and_users = {"alice", "bob", "a.example.com", "b.example.com", "short"}
    assert not hosts_and_users & set(masks)
    assert min(map(len, masks)) >= 6


def test_an_internal_error_is_told_after_what_the_tool_printed_and_quotes_nothing(
    action: Action, machine: Machine
) -> None:
    prepared = action.prepare(machine, {"registries": _ENTRY, "command": "echo a"}, _VARIABLES)
    environ = {**prepared.environ, "GITHUB_OUTPUT": f"/no/such/folder/{_PASSWORD}"}
    ran = prepared._replace(environ=environ).run(Runner())
    _, _, first, told, *lines = ran.step.log
    assert (ran.code, ran.stderr, first) == (70, b"", "a")
    assert told == "registry-config: internal error (FileNotFoundError); please report these lines"
    assert [line for line in lines if not re.fullmatch(r"  \w+\.py:\d+ \w+", line)] == []


@pytest.mark.parametrize("end", ["true", "false"])
@table(
    "password",
    {
        "all kinds of signs": _PASSWORD,
        "GitHub's token": "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "two lines": "first line of it\nsecond line of it",
        "percent": "%0A%0D%25::%3A-0123456789",
        "command": "::set-output name=a::bcdef",
        "JSON key": json.dumps({"type": "x", "private_key": "-----BEGIN KEY-----\nMIIEvQIBADANBg\n-----END KEY-----"}),
    },
)
def test_no_byte_of_ours_but_the_masks_holds_a_secret(
    action: Action, machine: Machine, password: str, end: str
) -> None:
    script = r"""
printf '%s\n' "$K" "$K$K" >&2; printf %s "$K" | base64 -w0; echo; printf 'user:%s' "$K" | base64 -w0
cat "$DOCKER_CONFIG/config.json"; printf 'x%s' "$K" | base64 -w0 | tr -d =; printf '\033[1m%s\033[0m' "$K"
printf %s "$K" | sed 's/./&\x1b[0m/3'; echo "::error::$K"
"""
    inputs = {"registries": _ENTRY, "command": script + end, "shell": "sh", "secret-env": "K"}
    done = action.run(machine, inputs, {"PASSWORD": password, "K": password})
    lines = [line for line in done.last.stdout.splitlines() if not line.startswith(b"::add-mask::")]
    places: dict[str, bytes | Path] = {
        "log": "\n".join(done.log).encode(),
        "debug log": "\n".join(Runner(debug=True).step(done.last.stdout, done.last.stderr).log).encode(),
        "lines": b"\n".join(lines),
        "stderr": done.last.stderr,
        **done.last.files,
    }
    # Of a JSON key its private member alone is secret.
    secret = json.loads(password)["private_key"].splitlines()[1] if password.startswith("{") else password
    assert search(places, secret, "alice") == []
    assert [done.last.files[name] for name in ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE")] == [b"", b"", b""]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"])
def test_a_signal_to_the_step_reaches_the_tool(action: Action, machine: Machine, number: int, code: int) -> None:
    """The runner signals the top process alone, and signals again after 7.5 s."""
    inputs = {"registries": _ENTRY, "command": "touch started; exec sleep 60", "shell": "sh"}
    prepared = action.prepare(machine, inputs, _VARIABLES)
    with prepared.start() as process:
        try:
            wait_for((machine.work / "started").exists)
            process.send_signal(number)
            output, _ = process.communicate(timeout=7)
        finally:
            process.kill()
    assert (process.returncode, f"the command failed with exit code {code}\n".encode() in output) == (code, True)
    assert file_commands(prepared.files["GITHUB_OUTPUT"].read_bytes())["exit-code"] == str(code)
