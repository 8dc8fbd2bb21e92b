"""Slips of a hand that writes YAML, and of one that copies passwords: each is told by its own sentence and line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.cli import lines_of_ours
from support.tables import table

if TYPE_CHECKING:
    from support.cli import Machine

_SECRET = "hunter2-hunter2"


def _said(machine: Machine, text: str, variables: dict[str, str] | None = None) -> tuple[int, list[str]]:
    """The exit code of a run with this list, and what the program says."""
    path = machine.root / "list.yaml"
    path.write_bytes(text.encode())
    done = machine.run("true", registries=str(path), variables=variables)
    assert _SECRET.encode() not in done.stdout + done.stderr
    return done.code, lines_of_ours(done.stderr)


_HEAD = "- registry: reg.example.com\n  username: alice\n"


@table(
    "text, line, sentence",
    {
        "tab": (f"{_HEAD}\tpassword: {_SECRET}\n", 3, "a tab in the indentation"),
        "indent": (f"{_HEAD}   password: {_SECRET}\n", 3, "the indentation does not fit the lines above"),
        "missing colon": (f"{_HEAD}  password {_SECRET}\n  for: image\n", 3, "a line without ': '"),
        "missing space": (f"{_HEAD}  password:{_SECRET}\n  for: image\n", 3, "a line without ': '"),
        "open quote": (f'{_HEAD}  password: "{_SECRET}\n  for: image\n', 3, "a quote that is not closed"),
        "colon in a value": (f"{_HEAD}  password: {_SECRET}: x\n", 3, "a value with ': ' in it"),
        "first character": (
            f"{_HEAD}  password: @{_SECRET}\n",
            3,
            "a value begins with a character that has a meaning",
        ),
        "NUL": (f"{_HEAD}  password: {_SECRET}\0\n", 3, "contains a NUL character"),
        "control character": (f"{_HEAD}  password: {_SECRET}\x07\n", 3, "contains a control character"),
    },
)
def test_each_slip_is_told_with_its_line(text: str, line: int, sentence: str, machine: Machine) -> None:
    code, (said,) = _said(machine, text)
    assert code == 64
    assert said.startswith(f"registries (line {line}): {sentence}")


def test_a_variable_that_is_missing_is_told_with_the_line_of_its_key(machine: Machine) -> None:
    code, (said,) = _said(machine, f"{_HEAD}\n  # the robot's\n  password-env: NOT_THERE\n")
    assert code == 64
    assert said.startswith("registries[0].password-env (line 5): no such variable in the environment")


def test_an_empty_secret_is_told_with_its_registry_and_variable(machine: Machine) -> None:
    code, (said,) = _said(machine, f"{_HEAD}  password-env: REG_TOKEN\n", {"REG_TOKEN": ""})
    assert code == 64
    assert "the password for reg.example.com is empty: the variable REG_TOKEN is set to nothing" in said


@pytest.mark.parametrize(("name", "near"), [("NOPE", "HOME"), ("PW", "PWD"), ("PATHS", "PATH")])
def test_no_variable_of_the_system_is_offered(name: str, near: str, machine: Machine) -> None:
    code, (said,) = _said(machine, f"{_HEAD}  password-env: {name}\n")
    assert code == 64
    assert f"'{near}'" not in said


def test_a_placeholder_for_a_password_is_told_to_be_one(machine: Machine) -> None:
    code, (said,) = _said(machine, f"{_HEAD}  password: ${{PW}}\n", {"PW": _SECRET})
    assert code == 64
    assert "no variable is replaced here; name the variable with password-env" in said


@table(
    "written, variables, warning",
    {
        "comment": (f"password: {_SECRET} #1", {}, "password (line 3): what follows '#' is a comment"),
        "blank": (
            "password-env: PW",
            {"PW": f"{_SECRET} "},
            "password-env (line 3): the password has white space around",
        ),
        "newlines": ("password-env: PW", {"PW": f"{_SECRET}\n\n"}, "the password has white space around it"),
        "byte order mark": (
            "password-env: PW",
            {"PW": f"\ufeff{_SECRET}"},
            "the password begins with a byte order mark",
        ),
        "quotes": ("password-env: PW", {"PW": f"'{_SECRET}'"}, "the password has quotes around it"),
    },
)
def test_what_is_probably_no_part_of_a_password_is_warned_of_before_the_run(
    written: str, variables: dict[str, str], warning: str, machine: Machine
) -> None:
    code, (said,) = _said(machine, f"{_HEAD}  {written}\n", variables)
    assert code == 0
    assert warning in said


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_an_ordinary_password_is_not_warned_of(end: str, machine: Machine) -> None:
    assert _said(machine, f"{_HEAD}  password-env: PW\n", {"PW": f"{_SECRET}{end}"}) == (0, [])


def test_ten_megabytes_are_refused_without_being_read(machine: Machine) -> None:
    entries = "".join(f"- registry: r{n}.example.com\n  username: a\n  password-env: PW\n" for n in range(190_000))
    assert len(entries) > 10_000_000
    assert _said(machine, entries) == (
        64,
        ["registries: is larger than 1 MiB; give a list of registries, and keys by password-file"],
    )
