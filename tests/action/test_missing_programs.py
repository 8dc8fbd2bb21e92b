"""A program that is not there is found before anything runs, unless something that runs before may bring it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.action import Action
    from support.cli import Machine


def test_a_missing_program_is_found_before_anything_runs_unless_something_may_bring_it(
    action: Action, machine: Machine
) -> None:
    (machine.work / "made").write_text("#!/bin/sh\necho made\n")
    (machine.work / "made").chmod(0o755)
    cases = {
        "skopeo --version\nabsent": (127, "", ""),
        "sh -c 'echo before'\nabsent": (127, "127", "before\n"),
        "cp made other\n./other": (0, "0", "made\n"),
    }
    for command, (code, exit_code, stdout) in cases.items():
        done = action.run(machine, {"registries": "[]", "command": command})
        assert (done.last.code, done.outputs["exit-code"], done.outputs["stdout"]) == (code, exit_code, stdout)
