"""The command line, through the real program where it is about what a person sees."""

from __future__ import annotations

import re
import subprocess
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from registry_config.cli.arguments import parse, to_inputs
from registry_config.declaration.inputs import Inputs
from registry_config.errors import InputError
from support.cli import Machine, lines_of_ours
from support.tables import exactly, table

if TYPE_CHECKING:
    from pathlib import Path

_ENTRY = {"registry": "a.example", "username": "u", "password": "hunter2-hunter2"}


def test_every_option_becomes_its_input(tmp_path: Path) -> None:
    file = tmp_path / "registries.yaml"
    file.write_bytes(b"\xef\xbb\xbf[]\n")
    words = (
        f"run --registries {file} --github-token-env TOK --shell bash -C sub -e A=1 --env B --secret-env C "
        "--secret-env D --on-missing skip --keep-logins --json out.json --"
    )
    options, argv = parse([*words.split(), "one -- script"])
    assert to_inputs(options, argv, {"TOK": "tok", "REGISTRY_CONFIG_INPUT_ENV": "x"}) == Inputs(  # noqa: S604  (the name of an input)
        registries="[]\n",
        github_token="tok",
        argv=("one -- script",),
        shell="bash",
        working_directory="sub",
        env=("A=1", "B"),
        secret_env=("C", "D"),
        on_missing="skip",
        keep_logins=True,
        hidden_variables=("TOK", "REGISTRY_CONFIG_INPUT_ENV"),
        excluded_files=(str(file), "out.json"),
    )
    assert options.json == "out.json"


def test_every_option_of_an_image_becomes_its_input(tmp_path: Path) -> None:
    file = tmp_path / "registries.yaml"
    file.write_text("[]")
    words = f"run --registries {file} --image a.example/b --use-entrypoint --exclude x --exclude y -- a"
    assert to_inputs(*parse(words.split()), {}) == Inputs(
        registries="[]",
        image="a.example/b",
        use_entrypoint=True,
        exclude=("x", "y"),
        argv=("a",),
        excluded_files=(str(file),),
    )


def test_every_option_of_targets_becomes_its_input(tmp_path: Path) -> None:
    file = tmp_path / "registries.yaml"
    file.write_text("[]")
    words = f"run --registries {file} --target x --target y --max-parallel 2 --fail-fast --retries 3 --dry-run --"
    assert to_inputs(*parse([*words.split(), "{target}"]), {}) == Inputs(
        registries="[]",
        targets=("x", "y"),
        max_parallel=2,
        fail_fast=True,
        retries=3,
        dry_run=True,
        argv=("{target}",),
        excluded_files=(str(file),),
    )


def test_an_option_left_out_has_its_default(tmp_path: Path) -> None:
    file = tmp_path / "registries.yaml"
    file.write_text("[]")
    options, argv = parse(["run", "--registries", str(file), "--", "a"])
    assert to_inputs(options, argv, {}) == Inputs(registries="[]", argv=("a",), excluded_files=(str(file),))


@table(
    "words, argv",
    {
        "none": ([], None),
        "nothing after": (["--"], ()),
        "options of the tool": (["--", "helm", "--version", "-e", "x"], ("helm", "--version", "-e", "x")),
        "further dashes": (["--", "a", "--", "b"], ("a", "--", "b")),
        "empty and wide words": (["--", "", "ä b"], ("", "ä b")),
    },
)
def test_what_follows_two_dashes_is_taken_as_it_is(words: list[str], argv: tuple[str, ...] | None) -> None:
    assert parse(["run", "--registries", "x", *words])[1] == argv


@table(
    "words, message",
    {
        "nothing": ([], "command line: must begin with run, check, agent or action; see --help"),
        "another word": (["push"], "command line: must begin with run, check, agent or action; see --help"),
        "a flag with a value before the command": (["--version=1"], "--version: takes no value; see --help"),
        "no registries": (["run", "--", "a"], "--registries: is missing; see --help"),
        "no value": (["run", "--registries"], "--registries: needs a value; see --help"),
        "a flag with a value": (
            ["run", "--registries", "x", "--keep-logins=hunter2"],
            "--keep-logins: takes no value; see --help",
        ),
        "both names of an option": (
            ["run", "--registries", "x", "-C"],
            "-C/--working-directory: needs a value; see --help",
        ),
        "mistyped": (
            ["run", "--registries", "x", "--keep-login"],
            "command line: an unknown option or extra arguments; did you mean --keep-logins?",
        ),
        "mistyped with a value": (
            ["run", "--registries", "x", "--secretenv=hunter2"],
            "command line: an unknown option or extra arguments; did you mean --secret-env?",
        ),
        "a stray word": (
            ["run", "--registries", "x", "hunter2"],
            "command line: an unknown option or extra arguments; the command to run comes after --",
        ),
        "a beginning is no option": (
            ["run", "--registries", "x", "--secret", "hunter2"],
            "command line: an unknown option or extra arguments; did you mean --secret-env?",
        ),
        "another end, and so an option that is missing": (
            ["run", "--registry", "hunter2"],
            "command line: an unknown option or extra arguments; did you mean --registries?",
        ),
        "words after action": (
            ["action", "--", "a"],
            "command line: action takes no words; it reads its inputs from the environment",
        ),
    },
)
def test_a_wrong_command_line_is_refused(words: list[str], message: str) -> None:
    with pytest.raises(InputError, match=exactly(message)):
        parse(words)


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["check", "-h"], ["action", "--help"]])
def test_help_is_shown_for_everything(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(words)
    shown = capfd.readouterr()
    assert (caught.value.code, shown.err, shown.out.splitlines()[0].split()[:2]) == (
        0,
        "",
        ["usage:", "registry-config"],
    )


def test_the_version_is_that_of_the_package(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--version"])
    assert capfd.readouterr().out == f"registry-config {version('registry-config-action')}\n"


def test_every_option_has_a_line_of_its_own_in_the_help(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["run", "--help"])
    # From 3.13 on the value stands behind the last name alone.
    shown = [
        re.sub(r"^(-\w) \S+, ", r"\1, ", line)
        for line in re.findall(r"^  (-.*?)(?:  |$)", capfd.readouterr().out, re.MULTILINE)
    ]
    for option in (
        "--registries FILE",
        "--github-token-env NAME",
        "--image REF",
        "--use-entrypoint",
        "--exclude GLOB",
        "--shell SHELL",
        "-C, --working-directory DIR",
        "-e, --env NAME[=VALUE]",
        "--secret-env NAME",
        "--on-missing fail|skip",
        "--target REF",
        "--max-parallel N",
        "--fail-fast",
        "--retries N",
        "--dry-run",
        "--keep-logins",
        "--json FILE",
    ):
        assert shown.count(option) == 1


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_program_runs_what_follows_two_dashes(machine: Machine) -> None:
    done = machine.run("printf", "%s,", "-e", "--", "$HOME *", registries=[_ENTRY])
    assert (done.code, done.stdout, done.stderr) == (0, b"-e,--,$HOME *,", b"")
    assert (done.report["ran"], done.report["stdout"]) == (True, "-e,--,$HOME *,")


@pytest.mark.parametrize("path", ["/dev/zero", "-"])
def test_a_list_without_an_end_is_refused(machine: Machine, path: str) -> None:
    words = [*machine.program, "run", "--registries", path, "--", "true"]
    with open("/dev/zero", "rb") as endless:
        done = subprocess.run(words, env=machine.environ(), stdin=endless, capture_output=True, check=False, timeout=60)
    problem = b"registry-config: --registries: is larger than 16 MiB, so not a list of registries; check the path\n"
    assert (done.returncode, done.stderr) == (64, problem)


def test_the_program_reads_registries_from_standard_input_or_from_a_pipe(machine: Machine) -> None:
    done = machine.run("cat", registries="-", stdin=b"[]\n")
    assert (done.code, done.stdout, done.stderr) == (0, b"", b"")
    shown = machine.run("sh", "-c", "cat; echo $A", registries="/dev/stdin", options=("-e", "A=1"), stdin=b"[]\n")
    assert (shown.code, shown.stdout, shown.stderr) == (0, b"1\n", b"")


def test_the_program_runs_one_script_with_a_shell(machine: Machine) -> None:
    done = machine.run("false | true\necho $A | tr 1 2\nfalse\necho never", options=("--shell", "sh", "-eA=1"))
    assert (done.code, done.stdout, done.stderr) == (
        1,
        b"2\n",
        b"registry-config: the command failed with exit code 1\n",
    )


def test_verbose_names_the_variables_that_lead_to_the_config_and_no_others(machine: Machine) -> None:
    done = machine.run("true", registries=[_ENTRY], options=["--verbose"])
    assert "it is found by DOCKER_CONFIG, REGISTRY_AUTH_FILE, HELM_REGISTRY_CONFIG" in lines_of_ours(done.stderr)


def test_the_program_says_what_check_found(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("password-of-hub")
    entries = [
        {"registry": "index.docker.io", "username": "hub", "password-file": str(tmp_path / "password")},
        {"registry": "GHCR.io", "for": "image"},
        {"registry": "b.example", "username": "u", "password-env": "TOKEN", "for": "command"},
        _ENTRY,
    ]
    done = subprocess.run(
        [*machine.program, "check", "--registries", machine.declare(entries), "--github-token-env", "TOKEN"],
        env=machine.environ({"TOKEN": "password-of-b", "GITHUB_ACTOR": "octocat"}),
        capture_output=True,
        check=True,
    )
    assert (done.stdout.decode(), done.stderr) == (_CHECKED, b"")


_CHECKED = """\
docker.io
  declared   registries[0] (line 1)
  user       hub
  password   from a file
  used for   pulling the tool image and the command
  keys       https://index.docker.io/v1/ docker.io index.docker.io registry-1.docker.io
ghcr.io
  declared   registries[1] (line 1)
  user       that of GITHUB_ACTOR
  password   from the variable of --github-token-env
  used for   pulling the tool image
  keys       ghcr.io
b.example
  declared   registries[2] (line 1)
  user       u
  password   from a variable of the environment
  used for   the command
  keys       b.example
a.example
  declared   registries[3] (line 1)
  user       u
  password   written in the list; password-env keeps it out of there
  used for   pulling the tool image and the command
  keys       a.example
the config
  in memory; DOCKER_CONFIG REGISTRY_AUTH_FILE HELM_REGISTRY_CONFIG lead to it
  $HOME/.docker is left alone: its contexts, plug-ins and builders are there, its logins are hidden
not promised
  that other processes of the same user cannot read our memory, or swap
  what a tool writes itself, such as a login inside the command
  in an image: that the engine keeps no variable of --secret-env on its disk while the command runs
  in an image: that anything is encrypted on the way to an engine reached by plain tcp://
  in a workflow: what the runner prints of with: and env: before any code of ours runs
  that a password of fewer than 6 characters is hidden other than in its base64 form
"""


def test_check_can_be_read_where_the_terminal_is_not_utf_8(machine: Machine) -> None:
    entries = [{"registry": "a.example", "username": "łukasz", "password": "password-of-a"}]
    done = subprocess.run(
        [*machine.program, "check", "--registries", machine.declare(entries)],
        env=machine.environ({"PYTHONIOENCODING": "ascii"}),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert "  user       łukasz" in done.stdout.decode().splitlines()


def test_check_refuses_what_a_run_would_refuse(machine: Machine) -> None:
    entries = [{"registry": "a.example", "username": "u", "password-env": "NOT_THERE"}]
    done = subprocess.run(
        [*machine.program, "check", "--registries", machine.declare(entries)],
        env=machine.environ(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (64, b"")
    assert b"no such variable in the environment" in done.stderr
