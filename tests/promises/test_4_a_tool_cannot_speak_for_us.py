"""Promise 4: nothing that a tool prints, and no name that it makes up, is a command to GitHub's runner.

`tests/action/test_action.py` has a table of known tricks, each with what the log shows of it; here they are mixed.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from support.runner import COMMANDS, Runner
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.action import Action
    from support.cli import Machine

_PIECES = (
    *(f"::{name}::x" for name in sorted(COMMANDS)),
    *(f"##[{name}]x" for name in sorted(COMMANDS)),
    *(
        ":",
        "::",
        "#",
        "##",
        "[",
        "]",
        "%0A",
        "%0D",
        "text",
        " ",
        "\t",
        "\r",
        "\n",
        "\r\n",
        "\x0b",
        "\x0c",
        "\x1c",
        "\0",
    ),
    *("\x1b[0m", "\x1b[", "\x1b", "\x1b]0;x\x07", "\x9b0m", "\x85", "\xa0", "\u2028", "\ufeff", "\u200b", "x" * 70000),
)
_BYTES = (
    *(piece.encode() for piece in _PIECES),
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xc2",
    b"\xe2\x80",
    b"\xef\xbb\xbf",
    b"\x80",
)
# The runner obeys a mark at the start of a stream, and reads all that follows in that encoding.
_ENCODINGS = ("utf-8", "utf-16", "utf-8-sig", "utf-32")
_PROBLEM = "the command failed with exit code 3"


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("stream", ["stdout", "stderr", "both"])
def test_no_mixture_of_tricks_is_a_command(action: Action, machine: Machine, stream: str, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  (the same each time)
    encoding = _ENCODINGS[seed % len(_ENCODINGS)]
    wide = "\n".join(chance.choices(_PIECES, k=100)).encode(encoding)
    (machine.work / "forged").write_bytes(wide + b"".join(chance.choices(_BYTES, k=3000)))
    into = {"stdout": "", "stderr": " >&2", "both": "; cat forged >&2"}[stream]
    inputs = {"registries": "[]", "command": f"cat forged{into}; exit 3", "shell": "sh"}
    done = action.run(machine, inputs, runner=Runner(debug=True))
    assert [(command.name, command.data) for command in done.last.step.commands] == [("error", _PROBLEM)]
    assert (done.last.step.outputs, done.last.step.failed, done.last.code) == ({}, False, 3)


_FORGED = "::error::forged"
_TEXTS = {
    "program": {"command": f"'{_FORGED}'"},
    "program with a line end": {"command": "sh '\n::error::forged'", "shell": ""},
    "argument in a dry run": {"command": f"echo '{_FORGED}' '##[error]forged'", "dry-run": "true"},
    "pattern": {"command": f"echo {_FORGED}*"},
    "file that a pattern finds": {"command": "echo *"},
    "working directory": {"command": "true", "working-directory": f"{_FORGED}\n{_FORGED}"},
    "unknown input value": {"command": "true", "on-missing": f"x\n{_FORGED}"},
    "variable": {"command": "printenv A", "env": f"A={_FORGED}"},
    "bad target": {"command": "echo {target}", "targets": f"{_FORGED}\n"},
    "registry": {"command": "true", "registries": f"- registry: '{_FORGED}'"},
    "key": {"command": "true", "registries": '- "\\n::error::forged": x'},
    "user": {"command": "true", "registries": f"- {{registry: a.example.com, username: '{_FORGED}', password: x}}"},
    "script": {"command": f"echo '{_FORGED}'\nexit 3", "shell": "sh"},
    "password": {"command": "true", "registries": "- {registry: a.example, username: u, password: '::error::forged'}"},
    "password-env": {"command": "true", "registries": "- {registry: a.example, username: u, password-env: '::x::y'}"},
    "digest": {"command": "echo 'Digest: sha256:::error::forged'"},
}


@table("inputs", _TEXTS)
def test_no_text_that_we_repeat_is_a_command(action: Action, machine: Machine, inputs: Mapping[str, str]) -> None:
    (machine.work / "::error::forged\n::error::forged").touch()
    done = action.run(machine, {"registries": "[]"} | dict(inputs), runner=Runner(debug=True))
    spoken = [command for command in done.last.step.commands if command.name != "add-mask"]
    assert [command for command in spoken if command.properties.get("title") != "registry-config"] == []
    assert [command for command in spoken if command.data == "forged"] == []


def test_an_output_cannot_end_early_and_set_another(action: Action, machine: Machine) -> None:
    """Its delimiter is random; what a tool prints is one value."""
    forged = "x\nghadelimiter\nEOF\ndigest=forged\nexit-code<<EOF\n0\nEOF"
    (machine.work / "forged").write_text(forged)
    done = action.run(machine, {"registries": "[]", "command": "cat forged"})
    assert (done.outputs["stdout"], done.outputs["digest"], done.outputs["exit-code"]) == (forged, "", "0")


_FILES = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY")


def test_the_tool_is_not_told_where_the_runners_files_are(action: Action, machine: Machine) -> None:
    done = action.run(machine, {"registries": "[]", "command": "env"})
    names = {line.partition("=")[0] for line in done.outputs["stdout"].splitlines()}
    assert (done.last.code, names & set(_FILES), "PATH" in names) == (0, set(), True)


def test_a_script_gets_a_file_of_outputs_that_is_not_the_runners(action: Action, machine: Machine) -> None:
    script = 'env; echo forged=1 >> "$GITHUB_OUTPUT"'
    done = action.run(machine, {"registries": "[]", "command": script, "shell": "sh"})
    names = {line.partition("=")[0] for line in done.outputs["stdout"].splitlines()}
    assert (done.last.code, names & set(_FILES), "forged" in done.outputs) == (0, {"GITHUB_OUTPUT"}, False)
