"""`optional: true`: what is for a registry without a secret is left out, everything else runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.cli import lines_of_ours

if TYPE_CHECKING:
    from pathlib import Path

    from support.cli import Done, Machine
    from support.registry import Registry

_COPY = ("skopeo", "copy", "--dest-tls-verify=false")
_MISSING = "missing.example.com"


def _optional(**more: Any) -> dict[str, Any]:
    return {"registry": _MISSING, "username": "alice", "password-env": "MISSING", "optional": True, **more}


@pytest.fixture
def first(registries: tuple[Registry, Registry]) -> Registry:
    return registries[0]


def _run(
    machine: Machine, *words: str, entries: list[dict[str, Any]], options: tuple[str, ...] = (), value: str = ""
) -> Done:
    path = machine.root / "entries.yaml"
    path.write_text(json.dumps(entries))
    return machine.run(*words, registries=str(path), options=options, variables={"MISSING": value})


def test_its_targets_are_skipped_and_the_others_run(
    machine: Machine, registries: tuple[Registry, Registry], layout: Path
) -> None:
    targets = [f"{_MISSING}/app:1", f"{registries[0].address}/optional:1", f"{_MISSING}/b:1", registries[1].address]
    targets[3] += "/optional:1"
    for on_missing in ("fail", "skip"):
        done = _run(
            machine,
            *(*_COPY, f"oci:{layout}:1", "docker://{target}"),
            entries=[_optional(), *(one.login() for one in registries)],
            options=(*(w for target in targets for w in ("--target", target)), "--on-missing", on_missing),
        )
        assert [(row["target"], row["state"], row["exit-code"], row["attempts"]) for row in done.report["results"]] == [
            (targets[0], "skipped", None, 0),
            (targets[1], "done", 0, 1),
            (targets[2], "skipped", None, 0),
            (targets[3], "done", 0, 1),
        ], done.stderr
        assert (done.code, done.report["exit-code"], done.report["skipped"], done.report["error"]) == (
            0,
            0,
            False,
            None,
        )
        (notice,) = (line for line in lines_of_ours(done.stderr) if "has no secret" in line)
        assert notice.endswith(f"the optional entry for {_MISSING} has no secret; what is for {_MISSING} does not run")


def test_the_exit_code_is_that_of_the_others(machine: Machine, first: Registry) -> None:
    done = _run(
        machine,
        *(*_COPY, "oci:nothing:1", "docker://{target}"),
        entries=[_optional(), first.login()],
        options=("--target", f"{_MISSING}/app:1", "--target", f"{first.address}/optional:2"),
    )
    assert (done.code, [row["state"] for row in done.report["results"]]) == (1, ["skipped", "failed"])


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ((*_COPY, "oci:nothing:1", f"docker://{_MISSING}/app:1"), ()),
        ((f"echo {_MISSING}/app:1 > ran",), ("--shell", "sh")),
        (("touch", "ran"), ("--target", f"{_MISSING}/app")),
        (("touch", "{target}"), ("--target", _MISSING)),
    ],
)
def test_where_nothing_is_left_the_run_is_skipped(
    machine: Machine, words: tuple[str, ...], options: tuple[str, ...]
) -> None:
    if "--target" in options and "{target}" not in words:
        words = (*words, "{target}")
    done = _run(machine, *words, entries=[_optional()], options=options)
    assert (done.code, done.report["skipped"], done.report["exit-code"], done.report["ran"]) == (0, True, None, False)
    assert done.report["error"] == f"nothing was run: {_MISSING} is optional and has no secret"
    assert list(machine.work.iterdir()) == []
    count = max(options.count("--target"), 1)
    assert [(row["state"], row["exit-code"]) for row in done.report["results"]] == [("skipped", None)] * count


def test_a_command_that_names_no_such_host_runs(machine: Machine) -> None:
    done = _run(machine, "touch", "ran", entries=[_optional()])
    assert (done.code, done.report["skipped"], (machine.work / "ran").exists()) == (0, False, True)


def test_an_entry_with_a_path_leaves_the_rest_of_its_host(machine: Machine) -> None:
    entry = _optional(registry=f"{_MISSING}/team")
    for name, ran in ((f"{_MISSING}/team/app:1", False), (f"{_MISSING}/teams/app:1", True), (f"{_MISSING}/x", True)):
        done = _run(machine, "echo", name, entries=[entry])
        assert (done.code, done.report["ran"]) == (0, ran), done.stderr


def test_with_its_secret_it_is_an_entry_like_others(machine: Machine) -> None:
    done = _run(machine, "echo", f"{_MISSING}/app:1", entries=[_optional()], value="the-secret-is-there")
    assert (done.code, done.report["ran"]) == (0, True)


def test_a_variable_that_does_not_exist_is_still_an_error(machine: Machine) -> None:
    entry = _optional() | {"password-env": "NO_SUCH_VARIABLE"}
    assert _run(machine, "true", entries=[entry]).code == 64


def test_others_that_are_missing_fail_all_the_same(machine: Machine) -> None:
    entries = [_optional(), {"registry": "b.example.com", "username": "bob", "password": ""}]
    assert _run(machine, "true", entries=entries).code == 64
    skipped = _run(machine, "true", entries=entries, options=("--on-missing", "skip"))
    assert (skipped.code, skipped.report["skipped"]) == (0, True)


def test_several_hosts_of_one_entry_share_its_login(
    machine: Machine, registries: tuple[Registry, Registry], layout: Path
) -> None:
    first = registries[0]
    entry = {**first.login(), "registry": [first.address, "other.example.com"]}
    done = _run(
        machine,
        *(*_COPY, f"oci:{layout}:1", f"docker://{first.address}/optional/hosts:1"),
        entries=[entry],
        options=("--verify", "off"),
    )
    assert done.code == 0, done.stderr
    both = {**_optional(), "registry": [_MISSING, "other.example.com"]}
    for name in both["registry"]:
        assert _run(machine, "echo", f"{name}/app:1", entries=[both]).report["skipped"] is True


def test_each_host_of_a_list_is_asked(machine: Machine, registries: tuple[Registry, Registry]) -> None:
    """The second registry does not know the first one's user."""
    first, second = registries
    entry = {**first.login(), "registry": [first.address, second.address]}
    done = _run(machine, "true", entries=[entry], options=("--verify", "login"))
    rows = [(row["registry"], row["verdict"]) for row in done.report["verify"]]
    assert (done.code, rows) == (77, [(first.address, "verified"), (second.address, "rejected")])
