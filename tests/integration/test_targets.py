"""One artifact to many registries: each gets its own verdict, and a failure at one costs the others nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from registry_config.github.inputs import variable
from support.artifacts import layout_digest
from support.proxy import gate, slow
from support.registry import Registry, registry
from support.runner import file_commands

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.cli import Machine
    from support.registry import Pair

_PUSH = ("skopeo", "copy", "--dest-tls-verify=false")
_COUNT = 10


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Registry]]:
    folder = tmp_path_factory.mktemp("many")
    with ExitStack() as stack:
        yield [
            stack.enter_context(registry(folder / str(n), {f"user{n}": f"password-of-registry-{n}"}))
            for n in range(_COUNT)
        ]


def _puts(one: Registry) -> int:
    return sum('"PUT /v2/' in line for line in one.requests())


def _targets(addresses: list[str]) -> list[str]:
    return [word for address in addresses for word in ("--target", f"{address}/app")]


def test_one_chart_goes_to_ten_registries(machine: Machine, many: list[Registry], packed_chart: Path) -> None:
    done = machine.run(
        *("helm", "push", "--plain-http", str(packed_chart), "oci://{target}"),
        registries=[one.login() for one in many],
        options=_targets([one.address for one in many]),
    )
    assert done.code == 0, done.stderr
    digests = {one.digest("app/app", "1.2.3") for one in many}
    assert len(digests) == 1
    assert [(row["target"], row["exit-code"], row["digest"]) for row in done.report["results"]] == [
        (f"{one.address}/app", 0, *digests) for one in many
    ]
    assert done.report["digest"] == digests.pop()


def test_a_registry_that_dies_leaves_the_others_their_results(
    machine: Machine, many: list[Registry], layout: Path, tmp_path: Path
) -> None:
    """The last registry is ended while the first targets are being pushed."""
    ended = threading.Event()
    with ExitStack() as stack:
        dying = stack.enter_context(registry(tmp_path / "dying", {"mallory": "password-of-the-dying"}))

        def end_it() -> None:
            while _puts(many[0]) == before and not ended.wait(0.01):
                pass
            stack.close()

        before = _puts(many[0])
        killer = threading.Thread(target=end_it)
        killer.start()
        done = machine.run(
            *(*_PUSH, f"oci:{layout}:1", "docker://{target}:dying"),
            registries=[one.login() for one in (*many[:9], dying)],
            options=[*_targets([one.address for one in (*many[:9], dying)]), "--max-parallel", "1"],
        )
        ended.set()
        killer.join()
    assert done.code == 1
    assert [row["exit-code"] for row in done.report["results"]] == [0] * 9 + [1]
    assert done.report["results"][-1]["reason"].startswith("the command failed with exit code 1; ")
    assert "nothing answers at the registry's address" in done.report["results"][-1]["reason"]
    assert {one.digest("app", "dying") for one in many[:9]} == {layout_digest(layout)}


def test_a_registry_that_answers_503_twice_is_tried_three_times(
    machine: Machine, registries: Pair, layout: Path, tmp_path: Path
) -> None:
    with gate(tmp_path / "gate", registries.first.address) as front:
        front.close()

        def open_after_two() -> None:
            deadline = time.monotonic() + 60
            while front.pings() < 2 and time.monotonic() < deadline:
                time.sleep(0.02)
            front.open()

        opener = threading.Thread(target=open_after_two)
        opener.start()
        done = machine.run(
            *(*_PUSH, f"oci:{layout}:1", "docker://{target}:retried"),
            registries=[registries.first.login() | {"registry": front.address}],
            options=["--target", f"{front.address}/app", "--retries", "3"],
        )
        opener.join()
    assert done.code == 0, done.stderr
    assert done.report["results"][0]["attempts"] == 3
    assert done.stderr.count(b"failed (server error); running it again in") == 2
    assert registries.first.digest("app", "retried") == layout_digest(layout)


def test_a_refusal_is_tried_once(machine: Machine, registries: Pair, layout: Path) -> None:
    before = len(registries.first.requests("skopeo"))
    done = machine.run(
        *(*_PUSH, f"oci:{layout}:1", "docker://{target}:refused"),
        registries=[registries.first.login() | {"password": "not-the-password"}],
        options=["--target", f"{registries.first.address}/app", "--retries", "3"],
    )
    assert done.code == 1
    assert done.report["results"][0]["attempts"] == 1
    # Of one attempt: the ping, and the refused question for the first blob.
    assert len(registries.first.requests("skopeo")) - before <= 2


def test_fail_fast_stops_the_others(machine: Machine) -> None:
    done = machine.run(
        *("sh", "-c", "case {target} in a.b/1) exit 7;; *) sleep 30;; esac"),
        options=["--target", "a.b/1", "--target", "a.b/2", "--target", "a.b/3", "--max-parallel", "2", "--fail-fast"],
    )
    assert done.code == 7
    assert [row["exit-code"] for row in done.report["results"]] == [7, 143, None]
    assert done.report["results"][2]["reason"] == "not started, because another target failed"


def test_with_fail_fast_a_target_that_is_refused_before_it_runs_is_the_reason(machine: Machine) -> None:
    inputs = {"registries": "[]", "command": "cat {target}-*.tgz", "targets": "a\nb"}
    inputs |= {"max-parallel": "1", "fail-fast": "true"}
    output = machine.root / "output"
    environ = {variable(name): text for name, text in inputs.items()} | {"GITHUB_OUTPUT": str(output)}
    done = subprocess.run(
        [*machine.program, "action"],
        cwd=machine.work,
        env=machine.environ(environ),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 64, done
    assert [row["reason"] for row in json.loads(file_commands(output.read_bytes())["results"])] == [
        (
            "command (line 1, column 5): no file in the working directory matches 'a-*.tgz'; "
            "check path and working-directory, or quote it to pass it on as it is"
        ),
        "not started, because another target failed",
    ]
    # Of what never began there is no output to show.
    assert b"::group::" not in done.stdout


def test_a_working_directory_that_is_not_there_is_refused_before_any_target_begins(machine: Machine) -> None:
    done = machine.run(*("echo", "{target}"), options=["--target", "a.b/1", "--target", "a.b/2", "-C", "no-such"])
    assert (done.code, done.report["results"]) == (64, [])
    assert done.report["error"].startswith("--working-directory: is not a folder that exists")


def test_without_it_the_exit_code_is_that_of_the_first_failing_in_the_order_given(machine: Machine) -> None:
    done = machine.run(
        *("sh", "-c", "case {target} in a.b/1) exit 0;; a.b/2) sleep 0.5; exit 5;; *) exit 6;; esac"),
        options=["--target", "a.b/1", "--target", "a.b/2", "--target", "a.b/3"],
    )
    assert done.code == 5
    assert [row["exit-code"] for row in done.report["results"]] == [0, 5, 6]


def test_two_tags_of_one_repository_take_turns(machine: Machine) -> None:
    """Registries refuse some of what is pushed to one repository at the same time."""
    done = machine.run(
        *("sh", "-c", "mkdir turn && sleep 0.3 && rmdir turn"),
        "{target}",
        options=["--target", "a.b:5000/app:1", "--target", "a.b:5000/app:2", "--target", "a.b:5000/app@sha256:00"],
    )
    assert [row["exit-code"] for row in done.report["results"]] == [0, 0, 0]


def test_the_output_of_a_target_is_kept_together(machine: Machine) -> None:
    done = machine.run(
        *("sh", "-c", "for n in 1 2 3 4 5; do echo {target} $n; sleep 0.02; done"),
        options=[word for n in range(6) for word in ("--target", f"a.b/{n}")],
    )
    lines = done.stdout.decode().splitlines()
    assert len(lines) == 30
    assert [len({line.split()[0] for line in lines[at : at + 5]}) for at in range(0, 30, 5)] == [1] * 6


def test_a_dry_run_says_what_it_would_do_and_does_nothing(machine: Machine) -> None:
    done = machine.run(*("touch", "{target}"), options=["--target", "a.b", "--target", "c.d", "--dry-run"])
    assert (done.code, done.stdout) == (0, b"touch a.b\ntouch c.d\n")
    assert list(machine.work.iterdir()) == []
    assert (done.report["ran"], done.report["exit-code"]) == (False, None)


def test_targets_that_differ_are_told(machine: Machine) -> None:
    done = machine.run(
        *("sh", "-c", "echo Digest: sha256:$(echo {target} | sha256sum | cut -c 1-64)"),
        options=["--target", "a.b", "--target", "c.d"],
    )
    assert (done.report["digest"], len(done.report["digests"])) == ("", 2)
    assert b"registry-config: the targets report different digests" in done.stderr


def test_targets_in_parallel_take_less_time_than_in_a_row(
    machine: Machine, many: list[Registry], layout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The registries are as far away as a cloud's: every answer takes 100 ms."""

    def seconds(tag: str, parallel: int) -> float:
        started = time.monotonic()
        done = machine.run(
            *(*_PUSH, f"oci:{layout}:1", f"docker://{{target}}:{tag}"),
            registries=[one.login() | {"registry": address} for one, address in zip(many, far, strict=True)],
            options=[*_targets(far), "--max-parallel", str(parallel)],
        )
        assert done.code == 0, done.stderr
        return time.monotonic() - started

    with ExitStack() as stack:
        far = [stack.enter_context(slow(one.address, 0.1)) for one in many]
        in_a_row, in_parallel = seconds("row", 1), seconds("parallel", 10)
    with capsys.disabled():
        ratio = in_parallel / in_a_row
        sys.stdout.write(f"\nten in a row {in_a_row:.2f} s, in parallel {in_parallel:.2f} s: {ratio:.2f}\n")
    # How much less is for scripts/benchmark: a busy machine has no say in whether this passes.
    assert in_parallel < in_a_row
