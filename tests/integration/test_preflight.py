"""`--verify` on `run`, `check` and a dry run: what registries say decides, before anything runs, whether it does."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from registry_config.docker_config import auth_value
from support.cli import lines_of_ours
from support.http_server import Answer, Asked, http_server
from support.places import opaque_registry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from support.cli import Machine
    from support.places import Place, Places

_WRONG = "wrong-password-1"
_COPY = ("skopeo", "copy", "--dest-tls-verify=false")

# Registry, user, another password than the user's, what is asked: exit code, verdicts.
_CASES = [
    ("htpasswd", "alice", "", "login", 0, ["verified"]),
    ("htpasswd", "alice", "", "push", 0, ["verified", "verified"]),
    ("htpasswd", "alice", _WRONG, "login", 77, ["rejected"]),
    ("htpasswd", "alice", _WRONG, "push", 77, ["rejected"]),
    ("htpasswd", "carol", "", "push", 77, ["rejected"]),
    ("strict", "alice", "", "login", 0, ["verified"]),
    ("strict", "alice", "", "push", 0, ["verified", "verified"]),
    ("strict", "alice", _WRONG, "push", 77, ["rejected"]),
    ("strict", "bob", "", "push", 77, ["verified", "denied"]),
    ("strict", "carol", "", "push", 77, ["rejected"]),
    ("degrading", "alice", "", "push", 0, ["verified", "verified"]),
    ("degrading", "alice", _WRONG, "push", 77, ["not-provable", "denied"]),
    ("degrading", "bob", "", "push", 77, ["not-provable", "denied"]),
    ("open", "alice", _WRONG, "push", 0, ["not-provable", "verified"]),
]


def _place(places: Places, name: str) -> Place:
    place: Place = getattr(places, name)
    return place


def _verdicts(document: Mapping[str, Any]) -> list[str]:
    return [row["verdict"] for row in document["verify"]]


@pytest.fixture
def script(machine: Machine) -> tuple[str, Path]:
    """A command that leaves a mark, and where."""
    return "touch ran", machine.work / "ran"


@pytest.mark.parametrize("case", _CASES)
def test_a_push_is_run_where_the_registry_lets_it(
    machine: Machine, places: Places, layout: Path, case: tuple[str, str, str, str, int, list[str]]
) -> None:
    name, user, password, action, code, verdicts = case
    place = _place(places, name)
    target = f"{place.registry.address}/run/{user}{len(password)}{action}"
    stored = place.stored()
    done = machine.run(
        *(*_COPY, f"oci:{layout}:1", f"docker://{target}:1"),
        registries=[place.login(user, password)],
        options=("--verify", action),
    )
    assert (done.code, _verdicts(done.report)) == (code, verdicts), done.stderr
    login, *others = done.report["verify"]
    assert (login["registry"], login["repository"], login["action"]) == (place.registry.address, "", "login")
    assert [(row["repository"], row["action"]) for row in others] == [
        (target.partition("/")[2], "push") for _ in others
    ]
    assert [bool(row["reason"]) for row in done.report["verify"]] == [verdict != "verified" for verdict in verdicts]
    assert (done.report["ran"], done.report["exit-code"]) == ((True, 0) if code == 0 else (False, None))
    assert (place.stored() != stored) == (code == 0)
    told = lines_of_ours(done.stderr)
    for row in done.report["verify"]:
        place_of_row = f"{place.registry.address}/{row['repository']}" if row["repository"] else row["registry"]
        shown = [line for line in told if line.startswith("verify: ") and line.split()[1] == place_of_row]
        assert any(line.split()[2:] == [row["action"], *row["verdict"].split("-")] for line in shown), told
    if code:
        bad = [row for row in done.report["verify"] if row["verdict"] in {"rejected", "denied"}]
        assert all(row["reason"] in done.report["error"] for row in bad)
        assert all(bad[0]["reason"] in "\n".join(told) for row in bad)


@pytest.mark.parametrize("action", ["pull", "push"])
def test_what_is_read_is_asked_for_a_pull_alone(machine: Machine, places: Places, layout: Path, action: str) -> None:
    source, target = places.strict, places.htpasswd
    from_there = f"{source.registry.address}/team/source:1"
    subprocess.run(
        (*_COPY, "--dest-creds", "alice:alices-password-31415926", *(f"oci:{layout}:1", f"docker://{from_there}")),
        check=True,
        capture_output=True,
    )
    marks = [place.mark() for place in (source, target)]
    done = machine.run(
        *(*_COPY, "--src-tls-verify=false", f"docker://{from_there}"),
        f"docker://{target.registry.address}/team/copy{action}:1",
        registries=[source.login("bob"), target.login()],
        options=("--verify", action),
    )
    assert done.code == 0, done.stderr
    rows = [(row["registry"], row["repository"], row["action"], row["verdict"]) for row in done.report["verify"]]
    pull = (source.registry.address, "team/source", "pull", "verified")
    push = (target.registry.address, f"team/copy{action}", "push", "verified")
    assert [row for row in rows if row[2] != "login"] == ([pull, push] if action == "push" else [pull])
    assert [sum(line.startswith("POST") for line in mark.asked()) for mark in marks] == [0, int(action == "push")]


@pytest.mark.parametrize("options", [("--shell", "sh"), ()])
def test_with_a_script_or_an_unknown_tool_a_denial_is_a_warning(
    machine: Machine, places: Places, script: tuple[str, Path], options: tuple[str, ...]
) -> None:
    address = places.strict.registry.address
    words = (f"touch ran; echo {address}/team/app:1",) if options else ("touch", "ran", f"{address}/team/app:1")
    (machine.work / address / "team").mkdir(parents=True)
    done = machine.run(*words, registries=[places.strict.login("bob")], options=("--verify", "push", *options))
    assert (done.code, _verdicts(done.report)) == (0, ["verified", "denied"]), done.stderr
    assert script[1].exists()
    (reason,) = (row["reason"] for row in done.report["verify"] if row["verdict"] == "denied")
    assert f"verify: {address}/team/app: push denied: {reason}" in lines_of_ours(done.stderr)


def test_a_wrong_password_ends_a_script_all_the_same(
    machine: Machine, places: Places, script: tuple[str, Path]
) -> None:
    done = machine.run(
        f"{script[0]}; echo {places.strict.registry.address}/$NAME",
        registries=[places.strict.login("alice", _WRONG)],
        options=("--verify", "push", "--shell", "sh"),
    )
    assert (done.code, _verdicts(done.report)) == (77, ["rejected"])
    assert not script[1].exists()


def test_off_sends_nothing(machine: Machine, places: Places, script: tuple[str, Path]) -> None:
    marks = [place.mark() for place in places]
    logins = [place.login() for place in places]
    done = machine.run(*script[0].split(), registries=logins)
    assert (done.code, done.report["verify"], script[1].exists()) == (0, [], True)
    check = _check(machine, *script[0].split(), registries=logins)
    assert (check.code, check.document["verify"]) == (0, [])
    assert [mark.total() for mark in marks] == [0] * len(places)


@pytest.mark.parametrize(
    ("words", "options", "code"),
    [
        (("no-such-program",), (), 127),
        (("true", "*.nothing"), ("-C", "."), 0),
        (("true",), ("-C", "no-such-folder"), 64),
        (("skopeo", "list-tags", "docker://127.0.0.1:1/${NAME"), ("--shell", "no-such-shell"), 64),
    ],
)
def test_what_is_wrong_here_is_told_before_anybody_is_asked(
    machine: Machine, places: Places, words: tuple[str, ...], options: tuple[str, ...], code: int
) -> None:
    mark = places.htpasswd.mark()
    done = machine.run(*words, registries=[places.htpasswd.login()], options=("--verify", "login", *options))
    assert done.code == code, done.stderr
    assert (mark.total() > 0) == (code == 0)


def test_on_missing_skip_asks_nothing(machine: Machine, places: Places, script: tuple[str, Path]) -> None:
    marks = [place.mark() for place in places]
    empty = {**places.htpasswd.login(), "password": ""}
    for options in (("--on-missing", "skip"), ("--on-missing", "skip", "--dry-run")):
        done = machine.run(
            *script[0].split(),
            registries=[empty, places.strict.login()],
            options=("--verify", "push", *options),
        )
        assert (done.code, done.report["skipped"], done.report["verify"]) == (0, True, [])
    check = _check(
        machine,
        *script[0].split(),
        registries=[empty, places.strict.login()],
        options=("--verify", "push", "--on-missing", "skip"),
    )
    assert (check.code, check.document["verify"]) == (0, [])
    assert not script[1].exists()
    assert [mark.total() for mark in marks] == [0] * len(places)


@pytest.mark.parametrize(
    ("words", "options", "code"), [(("no-such-program",), (), 127), (("true",), ("-C", "no-such"), 64)]
)
def test_on_missing_skip_still_finds_what_is_wrong_elsewhere(
    machine: Machine, words: tuple[str, ...], options: tuple[str, ...], code: int
) -> None:
    empty = {"registry": "a.example", "username": "alice", "password": ""}
    for front in (machine.run, partial(_check, machine)):
        assert front(*words, registries=[empty], options=("--on-missing", "skip", *options)).code == code


class _Checked(NamedTuple):
    """What came of `check`; `document` is what `--json` wrote."""

    code: int
    stdout: str
    stderr: str
    document: dict[str, Any]


def _check(
    machine: Machine, *command: str, registries: Sequence[Mapping[str, str]], options: Sequence[str] = ()
) -> _Checked:
    path, file = machine.declare(registries), machine.root / "check.json"
    words = [*machine.program, "check", "--registries", path, "--json", str(file), *options, "--", *command]
    ended = subprocess.run(words, cwd=machine.work, env=machine.environ(), capture_output=True, timeout=60, check=False)
    document = json.loads(file.read_text()) if file.exists() else {}
    return _Checked(ended.returncode, ended.stdout.decode(), ended.stderr.decode(), document)


@pytest.mark.parametrize(
    "case",
    [
        ("alice", "", 0, ["verified", "verified"]),
        ("bob", "", 77, ["verified", "denied"]),
        ("alice", _WRONG, 77, ["rejected"]),
    ],
)
def test_check_and_a_dry_run_ask_as_well(
    machine: Machine, places: Places, layout: Path, case: tuple[str, str, int, list[str]]
) -> None:
    user, password, code, verdicts = case
    place = places.strict
    words = (*_COPY, f"oci:{layout}:1", f"docker://{place.registry.address}/dry/app:1")
    stored = place.stored()
    logins = [place.login(user, password)]
    dry = machine.run(*words, registries=logins, options=("--verify", "push", "--dry-run"))
    assert (dry.code, _verdicts(dry.report), dry.report["ran"]) == (code, verdicts, False), dry.stderr
    checked = _check(machine, *words, registries=logins, options=("--verify", "push"))
    assert (checked.code, _verdicts(checked.document)) == (code, verdicts), checked.stderr
    assert checked.document["verify"] == dry.report["verify"]
    for row in checked.document["verify"]:
        wanted = [row["action"], *row["verdict"].split("-")]
        assert any(line.split()[1:] == wanted for line in checked.stdout.splitlines()), checked.stdout
        if code and row["reason"]:
            assert row["reason"] in checked.stderr
    assert place.stored() == stored


def test_ten_registries_are_asked_at_the_same_time(machine: Machine) -> None:
    """None of them answers its first request before all ten have got theirs."""
    together = threading.Barrier(10)

    def answer(asked: Asked, seen: set[str], name: str) -> Answer:
        if name not in seen:
            seen.add(name)
            together.wait(30)
        if asked.authorization:
            return Answer(200)
        return Answer(401, headers={"WWW-Authenticate": 'Basic realm="test"'})

    seen: set[str] = set()

    def by_name(name: str, asked: Asked) -> Answer:
        return answer(asked, seen, name)

    with ExitStack() as stack:
        servers = [stack.enter_context(http_server(partial(by_name, str(number)))) for number in range(10)]
        logins = [
            {"registry": one.address, "username": "alice", "password": f"password-of-registry-{number}"}
            for number, one in enumerate(servers)
        ]
        done = machine.run("true", registries=logins, options=("--verify", "login"))
    assert (done.code, _verdicts(done.report)) == (0, ["verified"] * 10), done.stderr
    assert [row["registry"] for row in done.report["verify"]] == [one.address for one in servers]
    for number, one in enumerate(servers):
        assert {asked.authorization for asked in one.asked if asked.authorization} == {
            f"Basic {auth_value('alice', f'password-of-registry-{number}')}"
        }


def test_the_tokens_of_token_servers_are_redacted(machine: Machine) -> None:
    token = "an-opaque-token-of-a-token-server-4711"
    with opaque_registry(token) as address:
        done = machine.run(
            f"echo the token is {token}",
            registries=[{"registry": address, "username": "alice", "password": "alices-password-31415926"}],
            options=("--verify", "login", "--shell", "sh"),
        )
    assert done.code == 0, done.stderr
    assert done.stdout == b"the token is ***\n"
    assert token not in json.dumps(done.report)


def test_what_a_registry_says_of_a_password_is_redacted(machine: Machine) -> None:
    password = "a-password-that-a-registry-repeats-1"
    body = json.dumps({"errors": [{"code": "UNAUTHORIZED", "message": f"wrong password {password}\n::error::x"}]})

    def answer(asked: Asked) -> Answer:
        del asked
        return Answer(401, body.encode(), {"WWW-Authenticate": 'Basic realm="test"'})

    with http_server(answer) as server:
        done = machine.run(
            "true",
            registries=[{"registry": server.address, "username": "alice", "password": password}],
            options=("--verify", "login"),
        )
    assert (done.code, _verdicts(done.report)) == (77, ["rejected"])
    assert password.encode() not in done.stderr
    assert password not in json.dumps(done.report)
    assert "wrong password" in done.report["verify"][0]["reason"]


@pytest.mark.parametrize("targets", [(), ("--target", "one", "--target", "two")])
def test_a_terminal_shows_what_is_waited_for_and_whole_lines(
    machine: Machine, places: Places, targets: tuple[str, ...]
) -> None:
    place = places.open
    command = ("echo", "it ran", "{target}") if targets else ("echo", "it ran")
    words = machine.words(*command, registries=[place.login()], options=("--verify", "login", *targets))
    code, seen = machine.at_terminal(words, machine.environ({"TERM": "xterm"}))
    assert code == 0, seen
    lines = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line).strip("\r") for line in seen.decode().splitlines()]
    address = place.registry.address
    assert f"registry-config: verify: {address}  login  not provable" in lines, lines
    assert sum(line.endswith(("it ran", "it ran one", "it ran two")) for line in lines) == (2 if targets else 1), lines
    waited = [line for line in lines if f"waiting for {address}" in line]
    assert bool(waited) == (not targets), lines
