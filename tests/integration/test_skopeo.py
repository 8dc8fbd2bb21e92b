"""skopeo with one declaration of two registries, and with passwords and users that some quoting could spoil."""

from __future__ import annotations

import json
import string
import subprocess
from typing import TYPE_CHECKING

import pytest

from support.artifacts import layout_digest
from support.cli import lines_of_ours, tool_path
from support.registry import Registry, registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.cli import Machine
    from support.registry import Pair

# Every ASCII sign in each position where some quoting could lose it.
_SIGNS = {f"sign {sign}": f"{sign}pass{sign}word{sign}" for sign in string.punctuation}
AWKWARD_PASSWORDS = _SIGNS | {
    "all signs": string.punctuation,
    "all signs, backwards": string.punctuation[::-1],
    "spaces around": "  pass word  ",
    "tab": "\tpass\tword",
    "colon and space": "key: value",
    "comment": "pass #word",
    "double quotes": '"password"',
    "single quotes": "'password'",
    "shell": "$(id) ${HOME} $HOME `id` && x | y > z",
    "backslashes": "\\n\\t\\\\pass\\u0041",
    "percent": "%41%s%%pass%0a",
    "expression": "${{ secrets.X }}",
    "document": "---",
    "null": "null",
    "number": "0123456",
    "list": "[pass, word]",
    "mapping": "{pass: word}",
    "key of a cloud": '{"private_key": "p4ssw0rd", "n": 1}',
    "two lines": "first line\nsecond line",
    "carriage return inside": "first\r\nsecond",
    "German": "pässwörd",
    "Greek and Chinese": "κωδικός密码",
    "beyond the first plane": "key🔑word",
    "line separator": "pass\u2028word",
    "no-break space": "\u00a0password\u00a0",
    "workflow command": "::set-output name=x::y",
    "short": "ab",
    "72 bytes": "x" * 72,
}
_AWKWARD_USERS = (
    "robot$ci",
    "robot$project+ci",
    "a+b",
    "first.last@example.com",
    "two words",
    "ümlaut",
    "50%41",
    "x'y",
)
_PLAIN_PASSWORD = "plain-password"
_NO_TLS = ("--src-tls-verify=false", "--dest-tls-verify=false")


@pytest.fixture(scope="module")
def awkward(tmp_path_factory: pytest.TempPathFactory, layout: Path) -> Iterator[Registry]:
    """A registry with a user for each awkward password, and with awkward users; `app:1` is in it."""
    users = {"plain": _PLAIN_PASSWORD} | dict.fromkeys(_AWKWARD_USERS, _PLAIN_PASSWORD)
    users |= {f"user{n}": password for n, password in enumerate(AWKWARD_PASSWORDS.values())}
    with registry(tmp_path_factory.mktemp("awkward"), users) as running:
        target = f"docker://{running.address}/app:1"
        copy = ["skopeo", "copy", "-q", "--dest-tls-verify=false", "--dest-creds", f"plain:{_PLAIN_PASSWORD}"]
        subprocess.run([*copy, f"oci:{layout}:1", target], check=True, env={"PATH": tool_path()})
        yield running


def _copy(source: str, target: str) -> tuple[str, ...]:
    return ("skopeo", "copy", "--quiet", *_NO_TLS, source, target)


def _tags(registry: Registry) -> tuple[str, ...]:
    return ("skopeo", "list-tags", "--tls-verify=false", f"docker://{registry.address}/app")


def test_one_declaration_pushes_copies_between_two_registries_and_pulls(
    machine: Machine, registries: Pair, layout: Path
) -> None:
    first, second = (f"docker://{one.address}/skopeo/app:1" for one in registries)
    steps = ((f"oci:{layout}:1", first), (first, second), (second, f"oci:{machine.work}/pulled:1"))
    ended = [machine.run(*_copy(*step), registries=registries.logins) for step in steps]
    assert [(done.code, done.stdout, done.stderr) for done in ended] == [(0, b"", b"")] * 3
    digests = [one.digest("skopeo/app", "1") for one in registries]
    assert [layout_digest(machine.work / "pulled"), *digests] == [layout_digest(layout)] * 3
    assert all(
        " 201 " in line for one in registries for line in one.requests() if "PUT /v2/skopeo/app/manifests" in line
    )


@pytest.mark.parametrize(
    ("declared", "asked", "hint"),
    [
        ("wrong password", 0, "which is among them: check the user, the password, and what they may do there"),
        ("first alone", 1, "which is not among them: add an entry for it"),
    ],
    ids=["wrong password", "registry not declared"],
)
def test_a_refusal_is_explained_with_the_registries_given_and_the_one_asked(
    machine: Machine, registries: Pair, declared: str, asked: int, hint: str
) -> None:
    entries = {
        "wrong password": [registries.first.login() | {"password": "not-alices-password"}, registries.second.login()],
        "first alone": [registries.first.login()],
    }[declared]
    done = machine.run(*_tags(registries[asked]), registries=entries)
    given = sorted(entry["registry"] for entry in entries)
    assert (done.code, done.stdout, lines_of_ours(done.stderr)) == (
        1,
        b"",
        [
            "the command failed with exit code 1",
            f"credentials were given for {', '.join(given)}",
            f"the tool asked {registries[asked].address}, {hint}",
        ],
    )
    assert done.report["error"] == "the command failed with exit code 1"


@pytest.mark.parametrize("way", ["password", "password-env", "password-file"])
@pytest.mark.parametrize("name", AWKWARD_PASSWORDS)
def test_an_awkward_password_arrives_whole(machine: Machine, awkward: Registry, name: str, way: str) -> None:
    password = AWKWARD_PASSWORDS[name]
    file = machine.root / "password"
    file.write_bytes(password.encode() + b"\n")
    value = {"password": password, "password-env": "AWKWARD", "password-file": str(file)}[way]
    entry = {"registry": awkward.address, "username": f"user{list(AWKWARD_PASSWORDS).index(name)}", way: value}
    done = machine.run(*_tags(awkward), registries=[entry], variables={"AWKWARD": password})
    assert (done.code, json.loads(done.stdout)) == (0, {"Repository": f"{awkward.address}/app", "Tags": ["1"]})


@pytest.mark.parametrize("user", _AWKWARD_USERS)
def test_an_awkward_user_arrives_whole(machine: Machine, awkward: Registry, user: str) -> None:
    entry = {"registry": awkward.address, "username": user, "password": _PLAIN_PASSWORD}
    done = machine.run(*_tags(awkward), registries=[entry])
    assert (done.code, done.stderr) == (0, b"")
