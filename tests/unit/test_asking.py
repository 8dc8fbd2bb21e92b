"""Who is asked before the first command of a job, with what, and who is told of the answers."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from registry_config.asking import Asked, ask, needs_answers
from registry_config.declaration.inputs import Inputs, Origin
from registry_config.job import prepare
from registry_config.observer import retries_only
from registry_config.preflight import VerificationError
from support.http_server import Answer, http_server
from support.http_server import Asked as Request
from support.tables import table

if TYPE_CHECKING:
    from pathlib import Path

    from registry_config.job import Job

_GIVEN = "helpers-secret-16180339887498"
_PASSWORD = "alices-password-31415926"
_HELPER = """\
#!{python} -IS
import json, os, sys
host = sys.stdin.read()
with open({seen!r}, "a") as file:
    file.write(json.dumps([host, sorted(os.environ)]) + "\\n")
print(json.dumps({{"ServerURL": host, "Username": "robot", "Secret": {secret!r}}}))
"""


class _Case:
    """A job, its inputs, and what its observer was told."""

    def __init__(self, registries: list[dict[str, str]], environ: dict[str, str], **inputs: Any) -> None:
        given = Inputs(registries=json.dumps(registries), command="true")._replace(**inputs)
        self.inputs = given
        self.environ = environ
        self.job: Job = prepare(given, Origin(), environ)
        self.told: list[str] = []
        self.secrets: list[tuple[str, str]] = []
        self.shown: list[str] = []

    def ask(self) -> Asked:
        def on_secret(username: str, secret: str) -> None:
            self.secrets.append((username, secret))
            # Whoever masks has to be first.
            self.shown.append(self.job.redactor.text(secret))

        observer = retries_only(self.told.append)._replace(
            on_secret=on_secret,
            on_note=self.told.append,
            on_warning=lambda text: self.told.append(f"warning: {text}"),
        )
        return ask(self.job, self.inputs, self.environ, observer)


@pytest.fixture
def helper(tmp_path: Path) -> Path:
    """A credential helper; gives the file in which it keeps what it was asked."""
    seen = tmp_path / "seen"
    program = tmp_path / "docker-credential-test"
    program.write_text(_HELPER.format(python=sys.executable, seen=str(seen), secret=_GIVEN))
    program.chmod(0o755)
    return seen


def _from_helper(host: str = "a.example", **more: str) -> dict[str, str]:
    return {"registry": host, "credential-helper": "test", **more}


def _login(host: str = "a.example") -> dict[str, str]:
    return {"registry": host, "username": "alice", "password": _PASSWORD}


@table(
    "entry, inputs, needs",
    {
        "a password": (_login(), {}, False),
        "a password to be verified": (_login(), {"verify": "login"}, True),
        "a password in a dry run": (_login(), {"dry_run": True}, False),
        "a password to be verified in a dry run": (_login(), {"dry_run": True, "verify": "pull"}, True),
        "a helper": (_from_helper(), {}, True),
        "a helper in a dry run": (_from_helper(), {"dry_run": True}, False),
        "a helper to be verified in a dry run": (_from_helper(), {"dry_run": True, "verify": "login"}, True),
    },
)
def test_somebody_is_asked_only_where_an_answer_is_needed(
    entry: dict[str, str], inputs: dict[str, Any], *, needs: bool
) -> None:
    case = _Case([entry], {}, **inputs)
    assert needs_answers(case.job, case.inputs) is needs


@table(
    "inputs, asks_registries",
    {
        "nothing": ({}, False),
        "digests of the registry": ({"digest_from": "registry"}, True),
        "what is there": ({"skip_existing": True, "command": "crane push x a.example/app:1"}, True),
    },
)
def test_registries_are_at_hand_where_the_job_will_ask_them(inputs: dict[str, Any], *, asks_registries: bool) -> None:
    case = _Case([_login()], {}, **inputs)
    asked = case.ask()
    assert (asked.keyless, asked.registries is not None, asked.rows, case.told) == (None, asks_registries, (), [])
    credentials = case.job.plans[0].credentials
    assert asked.current(credentials) == credentials


def test_a_helper_gets_no_variable_that_holds_a_secret_of_the_job(helper: Path) -> None:
    environ = {
        "PATH": str(helper.parent),
        "CLOUD_PROFILE": "release",
        "PW": "b-password-27182818",
        "S": "other-secret-1",
    }
    entries = [_from_helper(), {"registry": "b.example", "username": "bob", "password-env": "PW"}]
    case = _Case(entries, environ, secret_env=("S",))
    case.ask()
    ((host, names),) = map(json.loads, helper.read_text().splitlines())
    # Python sets the last one itself.
    assert (host, set(names) - {"LC_CTYPE"}) == ("a.example", {"CLOUD_PROFILE", "PATH"})


def test_what_a_helper_gives_is_masked_then_hidden_and_stands_for_the_entry(helper: Path) -> None:
    case = _Case([_from_helper()], {"PATH": str(helper.parent)})
    (declared,) = case.job.plans[0].credentials
    (current,) = case.ask().current((declared,))
    assert (declared.secret, current.secret, current.username) == ("", _GIVEN, "robot")
    assert (case.secrets, case.shown) == ([("robot", _GIVEN)], [_GIVEN])
    assert case.job.redactor.text(f"it is {_GIVEN}") == "it is ***"


@table("image, hosts", {"here": ("", ["b.example"]), "in an image": ("c.example/tool:1", ["a.example", "b.example"])})
def test_what_is_for_an_image_is_asked_for_where_there_is_one(helper: Path, image: str, hosts: list[str]) -> None:
    entries = [_from_helper(**{"for": "image"}), _from_helper("b.example")]
    _Case(entries, {"PATH": str(helper.parent)}, image=image).ask()
    assert sorted(json.loads(line)[0] for line in helper.read_text().splitlines()) == hosts


def test_a_dry_run_asks_no_helper(helper: Path) -> None:
    assert _Case([_from_helper()], {"PATH": str(helper.parent)}, dry_run=True).ask() == Asked()
    assert not helper.exists()


def test_registries_are_asked_with_what_a_helper_gave_and_their_tokens_are_hidden(helper: Path) -> None:
    token = "a-token-of-the-token-server-4711"

    def answer(asked: Request) -> Answer:
        if asked.path.startswith("/token"):
            good = asked.authorization == "Basic cm9ib3Q6aGVscGVycy1zZWNyZXQtMTYxODAzMzk4ODc0OTg="
            return Answer(200, json.dumps({"token": token}).encode()) if good else Answer(401)
        if asked.authorization == f"Bearer {token}":
            return Answer(200)
        challenge = f'Bearer realm="http://{asked.host}/token",service="registry"'
        return Answer(401, headers={"WWW-Authenticate": challenge})

    with http_server(answer) as server:
        case = _Case([_from_helper(server.address)], {"PATH": str(helper.parent)}, verify="login")
        asked = case.ask()
    assert [(row.registry, row.verdict) for row in asked.rows] == [(server.address, "verified")]
    assert (case.secrets, case.job.redactor.text(token)) == ([("robot", _GIVEN), ("", token)], "***")
    assert f"verify: {server.address}  login  verified" in case.told


@table(
    "status, verdict, told",
    {
        "refused": (401, "rejected", "login rejected: the registry answered 401"),
        "no answer to the question": (418, "unknown", "login unknown: the registry answered 418"),
    },
)
def test_every_verdict_is_told_and_only_a_refusal_ends_the_job(status: int, verdict: str, told: str) -> None:
    def answer(asked: Request) -> Answer:
        return Answer(status if asked.authorization else 401, headers={"WWW-Authenticate": 'Basic realm="x"'})

    with http_server(answer) as server:
        case = _Case([_login(server.address)], {}, verify="login")
        if verdict == "rejected":
            with pytest.raises(VerificationError) as refused:
                case.ask()
            assert f"{server.address}: {told}" in str(refused.value)
            rows, warnings = refused.value.rows, []
        else:
            rows = case.ask().rows
            warnings = [f"warning: verify: {server.address}: {told}"]
        assert [row.verdict for row in rows] == [verdict]
        first, *rest = case.told
        assert first == f"verify: {server.address}  login  {verdict}"
        assert [line[: len(warnings[0])] for line in rest] == warnings
