"""A remedy fits where it is shown: a command line is told its options, and nothing of expressions, steps or runners.

What the action says to the same mistakes stands in tests/action/test_action.py and in support/malformed.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.cli import lines_of_ours
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.cli import Machine

_SECRET = "hunter2-hunter2"
_HEAD = "- registry: reg.example.com\n  username: alice\n"
_LOGIN = [{"registry": "reg.example.com", "username": "alice", "password-env": "REG_TOKEN"}]
_QUOTE = "write the value in single quotes, each ' in it twice, or use password-env"


@table(
    "text, sentence",
    {
        "an anchor": (f"{_HEAD}  password: *{_SECRET}\n", _QUOTE),
        "a tag": (f"{_HEAD}  password: !{_SECRET}\n", _QUOTE),
        "a first character": (f"{_HEAD}  password: '@{_SECRET}\n", f"close it, or {_QUOTE}"),
        "a colon": (f"{_HEAD}  password: {_SECRET}: x\n", _QUOTE),
        "a list": (f"{_HEAD}  password: [{_SECRET}]\n", _QUOTE),
        "the key of the input": (
            f"registries:\n  - password: {_SECRET}\n",
            "leave the key 'registries' out: the list is all there is",
        ),
        "a variable that is not set": (
            f"{_HEAD}  password-env: NOT_THERE\n",
            "set and export it first; the key takes its name, not the password itself",
        ),
        "nothing but a host": ("- registry: reg.example.com\n", "only ghcr.io goes without, with --github-token-env"),
    },
)
def test_a_list_in_a_file_needs_no_expression(text: str, sentence: str, machine: Machine) -> None:
    path = machine.root / "list.yaml"
    path.write_text(text)
    done = machine.run("true", registries=str(path))
    (said,) = lines_of_ours(done.stderr)
    assert (done.code, said.partition("; ")[2].endswith(sentence)) == (64, True), said


@table(
    "options, command, code, sentence",
    {
        "no program": ([], ["nosuchtool"], 127, "no such program on this machine; install it, or set --image"),
        "a whole command in one word": (
            [],
            ["crane ls a/b | cat"],
            127,
            "write each word by itself after --, or set --shell bash for a script",
        ),
        "no program in a script": (["--shell", "bash"], ["nosuchtool"], 127, "install it, or set --image"),
        "a secret in a word": ([], ["echo", _SECRET], 64, "name its variable in --secret-env, and let the tool read"),
        "a secret in a variable": (
            ["-e", f"A={_SECRET}"],
            ["true"],
            64,
            "--env: the value of A contains a secret; use",
        ),
        "a choice": (["--verify", "psh"], ["true"], 64, "--verify: must be 'off', 'login', 'pull' or 'push'"),
        "the second target": (
            ["--target", "a/b", "--target", "a/b"],
            ["echo", "{target}"],
            64,
            "--target (number 2): is a duplicate",
        ),
        "two that exclude each other": (["--skip-existing", "--shell", "sh"], ["x"], 64, "combined with --shell"),
        "a port that is missing": (
            [],
            ["sh", "-c", "echo 'GET https://reg.example.com:5000/v2/: unauthorized' >&2; exit 1"],
            1,
            "the tool asked reg.example.com:5000, and the entry is for reg.example.com: write the port there too",
        ),
    },
)
def test_a_remedy_names_options(
    options: Sequence[str], command: Sequence[str], code: int, sentence: str, machine: Machine
) -> None:
    done = machine.run(*command, registries=_LOGIN, options=options, variables={"REG_TOKEN": _SECRET})
    assert done.code == code
    assert sentence in "\n".join(lines_of_ours(done.stderr))
    assert sentence in str(done.report["error"]) or sentence in str(done.report["results"])


def test_an_empty_password_may_be_skipped_by_an_option(machine: Machine) -> None:
    done = machine.run("true", registries=_LOGIN, variables={"REG_TOKEN": ""})
    (said,) = lines_of_ours(done.stderr)
    assert said.endswith("give it a value, or set --on-missing skip")


def test_off_github_nobody_is_told_to_give_a_job_permissions(machine: Machine) -> None:
    role = "arn:aws:iam::123456789012:role/push"
    entry = {"registry": "123456789012.dkr.ecr.eu-west-1.amazonaws.com", "provider": "aws", "role-to-assume": role}
    done = machine.run("true", registries=[entry])
    (said,) = lines_of_ours(done.stderr)
    assert done.code == 77
    assert said.endswith("name a variable with an ID token of your CI as id-token-env, or use another source")


def test_in_a_job_of_github_the_permission_is_named(machine: Machine) -> None:
    role = "arn:aws:iam::123456789012:role/push"
    entry = {"registry": "123456789012.dkr.ecr.eu-west-1.amazonaws.com", "provider": "aws", "role-to-assume": role}
    done = machine.run("true", registries=[entry], variables={"GITHUB_SERVER_URL": "https://github.com"})
    assert "add 'permissions: id-token: write' to the job" in done.stderr.decode()
