"""What is left out with an optional entry that has no secret, and what runs all the same."""

from __future__ import annotations

import pytest

from registry_config.declaration.inputs import Inputs, Origin
from registry_config.job import Job, prepare
from support.tables import table

_HERE = "{registry: here.example, username: u, password: long-enough}"


def _prepare(command: str, *targets: str, registry: str = "gone.example", on_missing: str = "fail") -> Job:
    entry = f"{{registry: {registry}, username: u, password-env: GONE, optional: true}}"
    given = Inputs(registries=f"[{entry}, {_HERE}]", command=command, targets=targets, on_missing=on_missing)
    return prepare(given, Origin(), {"GONE": ""})


def _lines(job: Job) -> list[list[str]]:
    return [[" ".join(word.text for word in command) for command in plan.commands] for plan in job.plans]


@table(
    "word, registry, runs",
    {
        "its host": ("docker://gone.example/app:1", "gone.example", False),
        "its host, in capitals": ("docker://GONE.example/app:1", "gone.example", False),
        "in an option": ("--to=gone.example/app", "gone.example", False),
        "its host, without a repository": ("gone.example", "gone.example", False),
        "another port": ("gone.example:5000/app", "gone.example", True),
        "a longer name": ("not-gone.example/app", "gone.example", True),
        "a name below it": ("gone.example.com/app", "gone.example", True),
        "its path": ("gone.example/org/app", "gone.example/org", False),
        "the path itself": ("gone.example/org:1", "gone.example/org", False),
        "a path that begins alike": ("gone.example/org-b/app", "gone.example/org", True),
        "the rest of its host": ("gone.example/app", "gone.example/org", True),
        "no host, so perhaps a file": ("library/app", "docker.io", True),
        "Docker Hub by its host": ("docker.io/library/app", "docker.io", False),
    },
)
def test_a_command_that_names_it_does_not_run(word: str, registry: str, *, runs: bool) -> None:
    job = _prepare(f"tool {word}\ntool here.example/app", registry=registry)
    assert _lines(job) == [[f"tool {word}", "tool here.example/app"] if runs else ["tool here.example/app"]]
    assert job.skipped == ()


def test_of_its_targets_nothing_runs_and_their_places_are_kept() -> None:
    targets = ("gone.example/a", "here.example/b", "gone.example", "here.example/c")
    job = _prepare("tool {target}\ntool --no-target", *targets)
    assert _lines(job) == [[f"tool here.example/{name}", "tool --no-target"] for name in "bc"]
    assert [(position, plan.target) for position, plan in job.skipped] == [(0, targets[0]), (2, targets[2])]
    assert job.skip_reason == ""


@pytest.mark.parametrize("on_missing", ["fail", "skip"])
def test_where_nothing_is_left_that_is_told(on_missing: str) -> None:
    job = _prepare("tool gone.example/a", on_missing=on_missing)
    assert (job.plans, len(job.skipped)) == ((), 1)
    assert job.skip_reason == "nothing was run: gone.example is optional and has no secret"
    assert job.registries == ("here.example",)
    (notice,) = job.notices
    assert notice.startswith("registries[0] (line 1): the optional entry for gone.example has no secret; ")
