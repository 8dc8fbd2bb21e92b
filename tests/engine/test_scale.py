"""Many runs at once on one engine, many targets in one step, an engine at the other end of a TCP connection."""

from __future__ import annotations

import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from support.artifacts import oci_layout
from support.cli import Machine, lines_of_ours, wait_for
from support.engine import Bench
from support.front import front
from support.registry import Registry, free_port, registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.cli import Done
    from support.engine import Engine, Tools
    from support.registry import Pair

_RUNS = 10
_TARGETS = 100
_UNIX = "unix://"
# Of one run among ten, or of a hundred targets, on a machine that others use too.
_SECONDS = 600
pytestmark = pytest.mark.timeout(2 * _SECONDS)


def _users(count: int) -> dict[str, str]:
    return {f"user{number}": f"password-of-user-{number}-27182818284" for number in range(count)}


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Registry]:
    """One registry that ten people use; nginx before it writes down who."""
    users = _users(_RUNS)
    with registry(tmp_path / "shared", users) as running, front(tmp_path / "front", running.address) as nginx:
        yield Registry(nginx.address, users, nginx.log)


def test_ten_runs_at_once_get_each_their_own_credential(
    engine: Engine, tools: Tools, registries: Pair, shared: Registry, tmp_path: Path
) -> None:
    """Command, image and files are the same for all; then all run once more, each with another's credential."""
    benches = [
        Bench(
            Machine(tmp_path / f"run{number}", variables=engine.variables, seconds=_SECONDS), engine, tools, registries
        )
        for number in range(_RUNS)
    ]
    for bench in benches:
        oci_layout(bench.machine.work / "layout")

    def push(number: int, user: int) -> Done:
        repository = f"{engine.inside(shared)}/repository-{number}"
        return benches[number].run(
            *("crane", "push", "--insecure", "layout", "{target}:1"),
            registries=[engine.login(shared, f"user{user}")],
            options=["--target", repository],
        )

    with ThreadPoolExecutor(_RUNS) as pool:
        first = list(pool.map(push, range(_RUNS), range(_RUNS)))
    assert [done.code for done in first] == [0] * _RUNS, first
    assert [_users_at(shared, number) for number in range(_RUNS)] == [[f"user{number}"] for number in range(_RUNS)]
    with ThreadPoolExecutor(_RUNS) as pool:
        second = list(pool.map(push, range(_RUNS), reversed(range(_RUNS))))
    assert [done.code for done in second] == [0] * _RUNS, second
    assert [_users_at(shared, number) for number in range(_RUNS)] == [
        [f"user{number}", f"user{_RUNS - 1 - number}"] for number in range(_RUNS)
    ]


def test_a_wrong_password_beside_right_ones_is_refused(
    engine: Engine, tools: Tools, registries: Pair, shared: Registry, tmp_path: Path
) -> None:
    """What the engine knows of a good run is of no use to the next one."""
    bench = Bench(Machine(tmp_path / "user", variables=engine.variables), engine, tools, registries)
    oci_layout(bench.machine.work / "layout")
    push = ("crane", "push", "--insecure", "layout", f"{engine.inside(shared)}/repository:1")
    good = engine.login(shared, "user0")
    assert bench.run(*push, registries=[good]).code == 0
    wrong = bench.run(*push, registries=[good | {"password": "not-the-password-of-user-0"}])
    assert (wrong.code, b"401" in wrong.stderr) == (1, True), wrong
    assert bench.run(*push).code == 1


def test_a_hundred_targets_in_one_step(
    engine: Engine, tools: Tools, registries: Pair, shared: Registry, tmp_path: Path
) -> None:
    machine = Machine(tmp_path / "user", variables=engine.variables, seconds=_SECONDS)
    bench = Bench(machine, engine, tools, registries)
    oci_layout(bench.machine.work / "layout")
    targets = [f"{bench.engine.inside(shared)}/repository-{number}" for number in range(_TARGETS)]
    done = bench.run(
        *("crane", "push", "--insecure", "layout", "{target}:1"),
        registries=[bench.engine.login(shared)],
        options=["--max-parallel", "10", *(word for target in targets for word in ("--target", target))],
    )
    assert [(row["target"], row["exit-code"]) for row in done.report["results"]] == [(one, 0) for one in targets]
    assert [_pushes(shared, number) for number in range(_TARGETS)] == [1] * _TARGETS


def test_an_engine_is_reached_by_tcp(bench: Bench, tmp_path: Path) -> None:
    address = bench.engine.variables.get("_EXPERIMENTAL_DAGGER_RUNNER_HOST", "")
    if not address.startswith(_UNIX):
        pytest.skip("NO TCP IS TESTED: the engine is not at a Unix socket")
    with _tcp(address.removeprefix(_UNIX), tmp_path / "socat.log") as (port, log):
        done = bench.run("id", "-u", variables={"_EXPERIMENTAL_DAGGER_RUNNER_HOST": f"tcp://127.0.0.1:{port}"})
        assert (done.code, done.stdout, lines_of_ours(done.stderr)) == (0, b"0\n", [])
        assert "accepting connection" in log.read_text()


@contextmanager
def _tcp(path: str, log: Path) -> Iterator[tuple[int, Path]]:
    """Lead a port of this machine's loopback to a Unix socket."""
    program = shutil.which("socat")
    assert program, "socat is missing: scripts/setup installs it"
    port = free_port()
    listen = f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork"
    with log.open("wb") as output:
        process = subprocess.Popen([program, "-d", "-d", listen, f"UNIX-CONNECT:{path}"], stderr=output)
    try:
        wait_for(lambda: b"listening on" in log.read_bytes())
        yield port, log
    finally:
        process.terminate()
        process.wait(10)


def _users_at(one: Registry, number: int) -> list[str]:
    """Who was at a repository, by the access log of nginx, in their order; without anonymous requests."""
    line = re.compile(rf'- (\S+) \[[^\]]*\] "[A-Z]+ /v2/repository-{number}/')
    found = (match[1] for match in map(line.search, one.requests()) if match)
    return list(dict.fromkeys(user for user in found if user != "-"))


def _pushes(one: Registry, number: int) -> int:
    """How often a manifest was taken."""
    return sum(f'"PUT /v2/repository-{number}/manifests/1 HTTP/1.1" 201 ' in line for line in one.requests())
