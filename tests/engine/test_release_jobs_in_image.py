"""Retries, time limits, files and outputs of a script, in an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.engine import answers
from support.tables import table

if TYPE_CHECKING:
    from support.engine import Bench

_FAIL = "echo HTTP 503: Service Unavailable >&2; exit 1"


def test_only_the_command_that_failed_runs_again_from_where_the_last_good_one_ended(bench: Bench) -> None:
    registry = bench.registries.first
    wget = f"wget -q -O /dev/null http://{bench.engine.inside(registry)}/v2/twice"
    commands = f"""
        sh -c '{wget}/first 2>/dev/null || true; echo made >/tmp/state; echo first'
        sh -c '{wget}/second 2>/dev/null || true; cat /tmp/state; echo x >>/tmp/state; ls tried >/dev/null || true'
        sh -c '{wget}/third 2>/dev/null || true; echo half >tried; wc -l </tmp/state; {_FAIL}'
    """
    step = bench.action(commands, {"retries": "1"})
    requests = [len(answers(registry, f"GET /v2/twice/{name}")) for name in ("first", "second", "third")]
    assert (step.code, requests) == (1, [1, 1, 2]), step.log
    # The second attempt of the third command found what the second command had left, and nothing of the first attempt.
    assert step.outputs["stdout"] == "first\nmade\n2\n"
    assert (bench.machine.work / "tried").read_text() == "half\n"


def test_the_time_limit_ends_the_exec(bench: Bench) -> None:
    registry = bench.registries.first
    url = f"http://{bench.engine.inside(registry)}/v2/slow"
    script = f"while :; do wget -q -O /dev/null {url}/goes-on || true; sleep 0.2; done"
    done = bench.run(script, options=["--shell", "sh", "--timeout", "3s"])
    assert (done.code, done.report["error"]) == (124, "the command failed with exit code 124, at the time limit")
    before = len(answers(registry, "GET /v2/slow/goes-on"))
    done = bench.run("true")
    assert (done.code, before > 0) == (0, True)
    assert len(answers(registry, "GET /v2/slow/goes-on")) <= before + 1


def test_a_script_has_outputs_of_its_own(bench: Bench) -> None:
    script = """
        cat "$GITHUB_OUTPUT"; echo tag=1.2 >>"$GITHUB_OUTPUT"; echo "leak=$TOKEN" >>"$GITHUB_OUTPUT"; exit 3
    """
    variables = {"TOKEN": "password-of-the-test"}
    done = bench.run(script, options=["--shell", "sh", "--secret-env", "TOKEN"], variables=variables)
    assert (done.code, done.stdout, done.report["outputs"]) == (3, b"", {"tag": "1.2"})
    assert b"the value of leak contains a secret; it is left out" in done.stderr
    assert list(bench.machine.work.iterdir()) == []


@table("image", {"root": "shell", "a user by name": "user by name", "a user by number": "user by number"})
def test_whoever_the_image_runs_as_may_write_outputs(bench: Bench, image: str) -> None:
    done = bench.run('id -u; echo "a=$(id -u)" >>"$GITHUB_OUTPUT"', image=image, options=["--shell", "sh"])
    assert (done.code, done.report["outputs"]) == (0, {"a": done.stdout.decode().strip()})


def test_a_command_runs_for_each_file(bench: Bench) -> None:
    for name in ("a.txt", "b.txt"):
        (bench.machine.work / name).write_text(f"of {name}\n")
    done = bench.run("cat", "{file}", options=["--file", "*.txt"])
    assert sorted(done.stdout.decode().splitlines()) == ["of a.txt", "of b.txt"]
    assert [(row["file"], row["state"]) for row in done.report["results"]] == [("a.txt", "done"), ("b.txt", "done")]
