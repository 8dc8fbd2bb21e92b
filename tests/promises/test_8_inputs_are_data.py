"""Promise 8: inputs are data; nothing typed is evaluated by a shell unless `shell` was set.

That no `${{ }}` stands inside of a script of action.yml: `tests/unit/test_contract.py`.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from support.runner import Runner
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.action import Action
    from support.cli import Machine

_HOSTILE = {
    "substitution": "$(touch started)",
    "backticks": "`touch started`",
    "end of a quotation": "'; touch started; '",
    "end of a double quotation": '"; touch started; "',
    "separator": "; touch started",
    "pipe": "| touch started",
    "background": "& touch started",
    "redirection": ">started",
    "line": "\ntouch started",
    "CR": "\rtouch started",
    "option": "--eval=touch started",
    "expression": "${{ github.token }}",
    "format": "%s%n{0}{a.b}",
    "assignment": "BASH_ENV=started",
    "NUL as text": "\\0touch started",
}
_LOGIN = {"registry": "registry.example.com", "username": "alice", "password": "password-0123456789"}
# All that ends a word or a line for some shell, at once.
_ANY_OF = "".join(_HOSTILE.values())
# Where a text from elsewhere may come to stand, the command apart.
_INPUTS = (
    *("registries", "registries-file", "image", "working-directory", "exclude", "targets", "max-parallel", "retries"),
    *("env", "secret-env", "on-missing", "shell", "summary", "github-token"),
)


@pytest.mark.parametrize("name", _INPUTS)
@table("text", {name: _HOSTILE[name] for name in ("substitution", "end of a quotation", "line")} | {"all": _ANY_OF})
def test_no_input_is_evaluated(action: Action, machine: Machine, name: str, text: str) -> None:
    inputs = {"registries": json.dumps([_LOGIN]), "command": "true"}
    if name == "registries-file":
        del inputs["registries"]
    ran = action.prepare(machine, inputs | {name: text}, {}).run(Runner())
    assert (ran.code in {0, 64}, (machine.work / "started").exists()) == (True, False)


@table("text", _HOSTILE)
def test_a_variable_is_one_word_whatever_it_holds(action: Action, machine: Machine, text: str) -> None:
    inputs = {"registries": "[]", "command": "printf '<%s>' ${TEXT} \"a${TEXT}b\"", "env": "TEXT"}
    done = action.run(machine, inputs, {"TEXT": text})
    assert (done.last.code, done.outputs["stdout"]) == (0, f"<{text}><a{text}b>")
    assert not (machine.work / "started").exists()


@table("text", _HOSTILE)
def test_a_quoted_word_is_itself_but_never_goes_on_in_the_next_line(
    action: Action, machine: Machine, text: str
) -> None:
    quoted = "'" + text.replace("'", "'\\''") + "'"
    done = action.run(machine, {"registries": "[]", "command": f"printf '<%s>' {quoted}"})
    assert (done.last.code, done.outputs["stdout"]) == ((64, "") if "\n" in text else (0, f"<{text}>"))
    assert not (machine.work / "started").exists()


@table("text", _HOSTILE)
def test_words_of_the_command_line_are_passed_on_untouched(machine: Machine, text: str) -> None:
    done = machine.run("printf", "<%s>", text, "*", "~", "$HOME", registries=[_LOGIN])
    assert (done.code, done.stdout.decode()) == (0, f"<{text}><*><~><$HOME>")
    assert not (machine.work / "started").exists()


@table(
    "command, problem",
    {
        "pipe": (
            "echo a | touch started",
            "command (line 1, column 8): '|' needs a shell; quote it, or set shell: bash",
        ),
        "substitution": (
            "echo $(touch started)",
            (
                "command (line 1, column 6): '$' needs a shell, except in ${NAME}; write ${NAME} and name it in env, "
                "quote it, or set shell: bash"
            ),
        ),
    },
)
def test_what_would_need_a_shell_is_refused(action: Action, machine: Machine, command: str, problem: str) -> None:
    done = action.run(machine, {"registries": "[]", "command": command})
    assert (done.last.code, [a.message for a in done.last.step.annotations]) == (64, [problem])


_NAMES = {"a variable of bash": ("BASH_ENV", "ENV"), "of Python": ("PYTHONSTARTUP", "PYTHONPATH")}


def _traps(machine: Machine, names: tuple[str, ...]) -> Mapping[str, str]:
    """Variables that make bash (by a file) and Python (by a folder) run code that is not ours."""
    (machine.work / "evil.sh").write_text("touch started; exit 99\n")
    for name in ("yaml.py", "sitecustomize.py"):
        (machine.work / name).write_text("raise SystemExit(99)\n")
    file = str(machine.work / "evil.sh")
    return {name: file if name in {"BASH_ENV", "ENV"} else str(machine.work) for name in names}


@table(
    "names, program", {"bash": (("BASH_ENV",), ("bash", "-c", ":")), "Python": (("PYTHONPATH",), ("python3", "-c", ""))}
)
def test_the_traps_catch_a_program_that_is_not_careful(
    machine: Machine, names: tuple[str, ...], program: tuple[str, ...]
) -> None:
    """Without this the test below would prove nothing."""
    environ = machine.environ(_traps(machine, names))
    assert subprocess.run(program, env=environ, cwd=machine.work, check=False).returncode != 0


@table("names", _NAMES)
def test_no_variable_of_the_job_runs_code_before_the_command(
    action: Action, machine: Machine, names: tuple[str, ...]
) -> None:
    places = _traps(machine, names)
    done = action.run(machine, {"registries": "[]", "command": "printf a"}, places)
    assert (done.last.code, done.outputs["stdout"]) == (0, "a")
    assert not (machine.work / "started").exists()
