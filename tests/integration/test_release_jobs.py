"""Files and targets in a matrix, time limits, retries of any failure, outputs of a script."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support.cli import lines_of_ours
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.cli import Done, Machine

_CHECK = "check the pattern, and that the files are made before"
_RENAME = "use names of letters, digits and . _ / + @ -, or no shell"


def _files(machine: Machine, *names: str) -> None:
    for name in names:
        path = machine.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def _rows(done: Done, *keys: str) -> list[tuple[object, ...]]:
    return [tuple(row[key] for key in keys) for row in done.report["results"]]


def test_a_command_runs_once_for_each_pair_of_file_and_target(machine: Machine) -> None:
    _files(machine, "dist/b.tgz", "dist/a.tgz", "dist/-c.tgz", "other.txt")
    options = ["--file", "dist/*.tgz", "--file", "dist/a*", "--target", "x.example/y", "--target", "z.example/y"]
    done = machine.run("cp", "{file}", "dist/{target}", options=[*options[:4], "--dry-run", *options[4:]])
    files = ("dist/-c.tgz", "dist/a.tgz", "dist/b.tgz")
    pairs = [(file, target) for file in files for target in ("x.example/y", "z.example/y")]
    assert done.stdout.decode().splitlines() == [f"cp {file} dist/{target}" for file, target in pairs]
    done = machine.run("echo", "{target}", "{file}", options=options)
    assert _rows(done, "file", "target", "state", "exit-code") == [(*pair, "done", 0) for pair in pairs]
    assert sorted(done.stdout.decode().splitlines()) == sorted(f"{target} {file}" for file, target in pairs)


def test_files_alone_need_no_targets(machine: Machine) -> None:
    _files(machine, "a", "{target}", "-n")
    done = machine.run("printf", "%s.", "{file}", options=["--file", "*", "--max-parallel", "1"])
    assert (done.code, done.stdout) == (0, b"./-n.a.{target}.")


@table(
    "options, words, message",
    {
        "no match": (
            ["--file", "*.tgz"],
            ("echo", "{file}"),
            f"--file (number 1): no file in the working directory matches '*.tgz'; {_CHECK}",
        ),
        "no place": (
            ["--file", "*"],
            ("echo", "x"),
            "--file: the command does not contain {file}; write {file} where the file goes",
        ),
        "no files": ([], ("echo", "{file}"), "command: contains {file}, but there are no files; add --file"),
        "a name that a shell reads": (
            ["--file", "*", "--shell", "sh"],
            ("echo {file}",),
            f"--file (number 1): matches a file whose name means more to a shell than a name; {_RENAME}",
        ),
        "no duration": (
            ["--timeout", "5"],
            ("true",),
            "--timeout: must be a whole number with s, m or h, such as 90s, 10m or 1h",
        ),
        "no retries": (["--retry-on", "any"], ("true",), "--retry-on: needs --retries; set --retries, or leave it out"),
        "another choice": (
            ["--retry-on", "all", "--retries", "1"],
            ("true",),
            "--retry-on: must be 'transient' or 'any'",
        ),
    },
)
def test_what_cannot_be_meant_is_refused(
    machine: Machine, options: list[str], words: tuple[str, ...], message: str
) -> None:
    _files(machine, "a $(touch b)")
    done = machine.run(*words, options=options)
    assert (done.code, lines_of_ours(done.stderr)) == (64, [message])
    assert [path.name for path in machine.work.iterdir()] == ["a $(touch b)"]


def test_the_time_limit_ends_the_tool_and_what_it_started(machine: Machine) -> None:
    script = "sleep 300 & echo $!; trap 'echo ended; exit 3' TERM; wait"
    done = machine.run(script, options=["--shell", "sh", "--timeout", "1s"])
    child, said = done.stdout.decode().splitlines()
    assert (done.code, said) == (124, "ended")
    assert done.report["error"] == "the command failed with exit code 124, at the time limit"
    assert not _runs(child)


def test_an_attempt_that_hangs_is_tried_again(machine: Machine) -> None:
    script = "[ -e tried ] && echo second && exit; touch tried; sleep 300"
    done = machine.run(script, options=["--shell", "sh", "--timeout", "1s", "--retries", "1"])
    assert (done.code, done.stdout, done.report["results"][0]["attempts"]) == (0, b"second\n", 2)
    assert b"attempt 1 failed (time limit)" in done.stderr


@table(
    "stderr, attempts",
    {
        "an unknown failure": ("something went wrong", 2),
        "401": ("unexpected status code 401 Unauthorized", 1),
        "403": ("response status code 403: denied: no", 1),
    },
)
def test_any_failure_but_a_refusal_is_tried_again_where_that_is_asked_for(
    machine: Machine, stderr: str, attempts: int
) -> None:
    script = f"echo x >>runs; echo '{stderr}' >&2; exit 5"
    done = machine.run(script, options=["--shell", "sh", "--retries", "1", "--retry-on", "any"])
    assert (done.code, (machine.work / "runs").read_text().count("x")) == (5, attempts)


def test_a_program_that_is_not_there_is_never_tried_again(machine: Machine) -> None:
    done = machine.run("absent", options=["--retries", "2", "--retry-on", "any"])
    assert (done.code, b"attempt" in done.stderr) == (127, False)


def _outputs(done: Done) -> Mapping[str, str]:
    outputs: Mapping[str, str] = done.report["outputs"]
    return outputs


def test_a_script_has_outputs_of_its_own(machine: Machine) -> None:
    script = """
        echo "tag=1.2" >>"$GITHUB_OUTPUT"
        printf 'notes<<END\\none\\ntwo\\nEND\\n' >>"$GITHUB_OUTPUT"
        echo "leak=$TOKEN" >>"$GITHUB_OUTPUT"
    """
    variables = {"TOKEN": "password-of-the-test", "GITHUB_OUTPUT": "/nowhere"}
    done = machine.run(script, options=["--shell", "sh", "--secret-env", "TOKEN"], variables=variables)
    assert (done.code, _outputs(done)) == (0, {"tag": "1.2", "notes": "one\ntwo"})
    assert lines_of_ours(done.stderr) == ["outputs (line 6): the value of leak contains a secret; it is left out"]


def test_outputs_come_back_after_a_failure_and_from_the_last_attempt_alone(machine: Machine) -> None:
    script = """
        cat "$GITHUB_OUTPUT"
        echo "n=$(ls | wc -l)" >>"$GITHUB_OUTPUT"
        echo first=yes >>"$GITHUB_OUTPUT"
        [ -e tried ] && exit 5
        touch tried
        echo 'HTTP 503: Service Unavailable' >&2
        exit 1
    """
    done = machine.run(script, options=["--shell", "sh", "--retries", "1"])
    assert (done.code, done.stdout, _outputs(done)) == (5, b"", {"n": "1", "first": "yes"})


def test_each_run_of_several_has_its_own_outputs(machine: Machine) -> None:
    script = 'echo "where={target}" >>"$GITHUB_OUTPUT"'
    done = machine.run(script, options=["--shell", "sh", "--target", "a.b/c", "--target", "d.e/f"])
    assert _outputs(done) == {}
    assert [row["outputs"] for row in done.report["results"]] == [{"where": "a.b/c"}, {"where": "d.e/f"}]


@table(
    "script",
    {
        "a link": 'rm "$GITHUB_OUTPUT"; ln -s "$PWD/secret" "$GITHUB_OUTPUT"',
        "a pipe": 'rm "$GITHUB_OUTPUT"; mkfifo "$GITHUB_OUTPUT"',
        "a second name": 'rm "$GITHUB_OUTPUT"; ln "$PWD/secret" "$GITHUB_OUTPUT" || touch "$GITHUB_OUTPUT"',
        "nothing": 'rm "$GITHUB_OUTPUT"',
    },
)
def test_something_else_in_the_place_of_the_file_gives_no_outputs(machine: Machine, script: str) -> None:
    (machine.work / "secret").write_text("a=of another file\n")
    done = machine.run(script, options=["--shell", "sh"])
    assert (done.code, _outputs(done)) == (0, {})


def test_a_command_without_a_shell_has_no_file_for_outputs(machine: Machine) -> None:
    done = machine.run("sh", "-c", 'echo "${GITHUB_OUTPUT-none}"', variables={"GITHUB_OUTPUT": "/nowhere"})
    assert (done.stdout, json.dumps(done.report["outputs"])) == (b"none\n", "{}")


def _runs(pid: str) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
