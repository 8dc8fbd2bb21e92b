"""Which plans wait for one another, and that a plan which waits keeps nobody else from running."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from registry_config.declaration.inputs import Inputs, Origin
from registry_config.job import prepare
from registry_config.turns import Turns, written
from support.tables import table

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from registry_config.plan import Plan

_SECONDS = 20
_REGISTRIES = "[{registry: ghcr.io, username: alice, password: password-of-alice}]"


def _plans(command: str, targets: tuple[str, ...] = (), files: tuple[str, ...] = (), shell: str = "") -> list[Plan]:
    inputs = Inputs(registries=_REGISTRIES, command=command, targets=targets, files=files, shell=shell)
    return list(prepare(inputs, Origin(), {}).plans)


def _files(folder: Path, *names: str) -> None:
    (folder / "dist").mkdir()
    for name in names:
        (folder / "dist" / name).write_text("x")


@table(
    "command, targets, shell, repositories",
    {
        "helm appends the chart's name": (
            "helm lint {file}\nhelm4 push {file} oci://{target}",
            ("GHCR.io/org/charts", "docker.io/org"),
            "",
            [
                {"ghcr.io/org/charts/app"},
                {"docker.io/library/org/app"},
                {"ghcr.io/org/charts/app"},
                {"docker.io/library/org/app"},
                {"ghcr.io/org/charts/my-app"},
                {"docker.io/library/org/my-app"},
            ],
        ),
        "nobody knows what another tool appends": (
            "helm lint {file}\noras push {target}:1 {file}",
            ("ghcr.io/org/charts",),
            "",
            [{"ghcr.io/org/charts"}] * 3,
        ),
        "without targets the words tell": (
            "helm push {file} oci://ghcr.io/org/charts",
            (),
            "",
            [{"ghcr.io/org/charts/app"}] * 2 + [{"ghcr.io/org/charts/my-app"}],
        ),
        "those of a script too": (
            "oras push ghcr.io/org/files:1 {file}; oras push docker.io/org/files:1 {file}",
            (),
            "bash",
            [{"ghcr.io/org/files"}] * 3,
        ),
        "nothing is written": ("sha256sum {file}", (), "", [set()] * 3),
    },
)
def test_what_a_plan_writes_to(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    command: str,
    targets: tuple[str, ...],
    shell: str,
    repositories: list[set[str]],
) -> None:
    monkeypatch.chdir(tmp_path)
    _files(tmp_path, "app-1.0.0.tgz", "app-v1.1.0.tgz", "my-app-2.0.0.tgz")
    assert [written(plan) for plan in _plans(command, targets, ("dist/*.tgz",), shell)] == repositories


def test_plans_of_different_repositories_run_at_the_same_time_past_one_that_waits() -> None:
    """The second plan waits for the first, which ends only when the third and the fourth have run beside it."""
    plans = _plans("true {target}", ("ghcr.io/a:1", "ghcr.io/a:2", "ghcr.io/b:1", "ghcr.io/c:1"))
    both = threading.Barrier(2)
    order: list[int] = []

    def run(position: int, _: Plan) -> None:
        if position in {0, 3}:
            both.wait(_SECONDS)
        order.append(position)

    _work(Turns(plans), run, workers=2)
    assert sorted(order) == [0, 1, 2, 3]
    assert order.index(2) < order.index(0) < order.index(1)


def test_two_of_one_repository_never_run_at_the_same_time() -> None:
    plans = _plans("true {target}", tuple(f"ghcr.io/a:{tag}" for tag in range(20)))
    running = threading.Lock()
    overlaps: list[int] = []

    def run(position: int, _: Plan) -> None:
        if not running.acquire(blocking=False):
            overlaps.append(position)
            return
        threading.Event().wait(0.005)
        running.release()

    _work(Turns(plans), run, workers=4)
    assert overlaps == []


def _work(turns: Turns, run: object, workers: int) -> None:
    threads = [threading.Thread(target=turns.work, args=(run,)) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_SECONDS)
    assert not any(thread.is_alive() for thread in threads)
