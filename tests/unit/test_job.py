"""From inputs to a plan: credentials read, the command split, everything checked, and what is kept from the child."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from registry_config.credentials.encodings import forms
from registry_config.credentials.reading import Credential
from registry_config.declaration.command import Word
from registry_config.declaration.inputs import RUNNER_FILES, Inputs
from registry_config.errors import InputError
from registry_config.job import Job, planned, prepare
from registry_config.plan import ImageSettings
from support.tables import exactly, table

if TYPE_CHECKING:
    from pathlib import Path

    from registry_config.declaration.registries import Purpose

_BOTH: frozenset[Purpose] = frozenset(("image", "command"))
_LOGIN = "- registry: a.example\n  username: alice\n"
_LIST = f"{_LOGIN}  password: first-secret\n"
_ENV = f"{_LOGIN}  password-env: TOKEN\n"


def _prepare(
    registries: str = _LIST,
    environ: dict[str, str] | None = None,
    *,
    withdrawn: tuple[str, ...] = (),
    withheld: tuple[str, ...] = (),
    **inputs: Any,
) -> Job:
    given = Inputs(registries=registries, command="tool")._replace(**inputs)
    return prepare(given, environ or {}, withdrawn=withdrawn, withheld=withheld)


def test_everything_that_a_run_needs_is_in_the_plan() -> None:
    job = _prepare(
        registries=(
            "- registry: ghcr.io\n"
            "- {registry: b.example, username: bob, password-env: TOKEN, for: command}\n"
            "- {registry: b.example, username: eve, password: third-secret, for: image}\n"
        ),
        environ={"GITHUB_ACTOR": "octocat", "TOKEN": "second-secret", "S": "fourth-secret", "INPUT_COMMAND": "x"},
        withdrawn=("MINE",),
        github_token="first-secret",
        command="tool ${A} *\nother",
        env=("A=1 2",),
        secret_env=("S",),
        working_directory="sub",
    )
    assert job.plan.commands == (
        (
            Word("tool", None, "command (line 1, column 1)"),
            Word("1 2", None, "command (line 1, column 6)"),
            Word("*", "*", "command (line 1, column 11)"),
        ),
        (Word("other", None, "command (line 2, column 1)"),),
    )
    assert job.plan.credentials == (
        Credential("ghcr.io", "octocat", "first-secret", _BOTH),
        Credential("b.example", "bob", "second-secret", frozenset(("command",))),
    )
    assert (job.plan.working_directory, job.plan.variables) == ("sub", {"A": "1 2"})
    assert job.plan.secret_variables == {"S": "fourth-secret"}
    assert job.forms == (
        forms("octocat", "first-secret")
        | forms("bob", "second-secret")
        | forms("eve", "third-secret")
        | forms("", "fourth-secret")
    )
    assert job.withdrawn == {*RUNNER_FILES, "TOKEN", "INPUT_COMMAND", "MINE"}
    assert (job.warnings, job.skip_reason, job.image) == ((), "", None)
    assert job.redactor.text("1 2 third-secret fourth-secret") == "1 2 *** ***"


def test_an_image_gets_its_own_credentials_and_no_file_that_holds_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/password").write_text("second-secret")
    job = _prepare(
        "- {registry: a.example, username: alice, password: first-secret, for: command}\n"
        "- {registry: a.example, username: bob, password-file: sub/password, for: image}\n",
        image="a.example/tool:1",
        use_entrypoint=True,
        exclude=("*.log",),
        env=("HOME=/h",),
        withheld=("list.yaml",),
    )
    assert job.image == ImageSettings(
        reference="a.example/tool:1",
        credentials=(Credential("a.example", "bob", "second-secret", frozenset(("image",))),),
        use_entrypoint=True,
        home="/h",
        exclude=("*.log",),
        withheld=(f"{tmp_path}/sub/password", f"{tmp_path}/list.yaml"),
    )
    assert job.plan.credentials == (Credential("a.example", "alice", "first-secret", frozenset(("command",))),)


def test_a_file_of_registries_is_never_sent_to_an_engine(folder: Path) -> None:
    job = _prepare("", registries_file="sub/list", image="tool")
    assert job.image
    assert job.image.withheld == (f"{folder}/sub/list",)


@table(
    "engine, warned",
    {
        "plain": ("tcp://engine.example:1234", True),
        "loopback in the name": ("tcp://localhost.example:1234", True),
        "on this machine": ("tcp://localhost:1234", False),
        "on this machine, by address": ("tcp://127.0.0.1:1234", False),
        "on this machine, IPv6": ("tcp://[::1]:1234", False),
        "tunnel": ("ssh://engine.example", False),
        "container": ("docker-container://engine", False),
        "none": ("", False),
    },
)
def test_an_engine_behind_plain_tcp_is_warned_of(engine: str, *, warned: bool) -> None:
    warning = "engine: credentials travel to it unencrypted by plain tcp://; use tls://, ssh:// or kube-pod://"
    environ = {"_EXPERIMENTAL_DAGGER_RUNNER_HOST": engine}
    assert _prepare(environ=environ, image="tool").warnings == ((warning,) if warned else ())
    assert _prepare(environ=environ).warnings == ()


@table(
    "inputs, words",
    {
        "words of the command line": ({"argv": ("a b", "*", "$X")}, [["a b", "*", "$X"]]),
        "text": ({"command": "a 'b c'\nd"}, [["a", "b c"], ["d"]]),
        "script": ({"command": "a | b\nc", "shell": "bash"}, [["bash", "-e", "-c", "a | b\nc"]]),
        "script of the command line": ({"argv": ("a | b",), "shell": "/bin/sh"}, [["/bin/sh", "-e", "-c", "a | b"]]),
    },
)
def test_the_command_is_words_text_or_a_script(inputs: dict[str, Any], words: list[list[str]]) -> None:
    assert [[word.text for word in command] for command in _prepare(**inputs).plan.commands] == words


def test_a_password_variable_that_the_command_is_to_get_stays() -> None:
    job = _prepare(_ENV, {"TOKEN": "first-secret"}, secret_env=("TOKEN",))
    assert job.withdrawn == set(RUNNER_FILES)
    assert job.plan.secret_variables == {"TOKEN": "first-secret"}


@table(
    "value",
    {
        "raw": "x first-secret y",
        "pair": "YWxpY2U6Zmlyc3Qtc2VjcmV0",
        "percent": "first%2Dsecret%2Ffirst-secret",
    },
)
def test_env_must_not_hold_a_secret(value: str) -> None:
    with pytest.raises(InputError, match=exactly("env: the value of A contains a secret; use secret-env")):
        _prepare(env=("B=fine", f"A={value}"))


def test_an_empty_secret_variable_is_none() -> None:
    job = _prepare("[]", {"S": ""}, secret_env=("S",))
    assert (job.forms, job.plan.secret_variables) == (frozenset(), {"S": ""})


def test_a_short_password_is_warned_of_by_its_own_place() -> None:
    job = _prepare(
        "- {registry: a.example, username: u, password: short, for: image}\n"
        "- {registry: a.example, username: u, password: long enough, for: command}\n"
        "- {registry: b.example, username: u, password: pw}\n"
    )
    warning = "a password of fewer than 6 characters can be hidden in its base64 form only"
    assert job.warnings == (f"registries[0] (line 1): {warning}", f"registries[2] (line 3): {warning}")


@table("registries, kind", {"variable": (_ENV, "password-env"), "text": (f"{_LOGIN}  password: ''\n", "password")})
def test_an_empty_password_skips_or_fails_as_asked(registries: str, kind: str) -> None:
    environ = {"TOKEN": ""}
    reason = f"registries[0].{kind} (line 1): is empty"
    job = _prepare(registries, environ, on_missing="skip")
    assert (job.skip_reason, job.plan.credentials) == (f"{reason}; nothing was run (on-missing: skip)", ())
    with pytest.raises(InputError, match=exactly(reason)):
        _prepare(registries, environ)


def test_skipping_still_finds_what_is_wrong_elsewhere() -> None:
    registries = f"{_ENV}- registry: b.example\n  username: u\n  password-env: NOT_THERE\n"
    message = (
        "registries[1].password-env (line 4): no such variable in the environment; "
        "name a variable of the step's env, not the password itself"
    )
    with pytest.raises(InputError, match=exactly(message)):
        _prepare(registries, {"TOKEN": ""}, on_missing="skip")


_FORK = {"pull_request": {"head": {"repo": {"full_name": "a/b"}}, "base": {"repo": {"full_name": "c/b"}}}}
_OWN = {"pull_request": {"head": {"repo": {"full_name": "c/b"}}, "base": {"repo": {"full_name": "c/b"}}}}
_FOREIGN = "; secrets are empty in pull requests from forks and by Dependabot: set on-missing: skip"


@table(
    "event, actor, remedy",
    {
        "fork": (json.dumps(_FORK), "octocat", _FOREIGN),
        "own branch": (json.dumps(_OWN), "octocat", ""),
        "Dependabot": (json.dumps(_OWN), "dependabot[bot]", _FOREIGN),
        "push": ("{}", "octocat", ""),
        "fork that is gone": (json.dumps({"pull_request": {"head": {"repo": None}}}), "octocat", ""),
        "no object": ("[]", "octocat", ""),
        "no JSON": ("{", "octocat", ""),
    },
)
def test_an_empty_password_says_where_it_comes_from(event: str, actor: str, remedy: str, tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text(event)
    environ = {"TOKEN": "", "GITHUB_ACTOR": actor, "GITHUB_EVENT_PATH": str(tmp_path / "event.json")}
    with pytest.raises(InputError, match=exactly(f"registries[0].password-env (line 1): is empty{remedy}")):
        _prepare(_ENV, environ)


def _from_file(path: str, environ: dict[str, str] | None = None) -> Job:
    return _prepare("", environ, registries_file=path)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with lists of registries, and one outside of it."""
    workspace = tmp_path / "workspace"
    (workspace / "sub").mkdir(parents=True)
    for path in (workspace / "list", workspace / "sub/list", tmp_path / "list"):
        path.write_text(f"\ufeff{_LIST}")
    (workspace / "link").symlink_to("list")
    (workspace / "linked").symlink_to("sub")
    (workspace / "outside").symlink_to("..")
    (workspace / "file").write_text(f"{_LOGIN}  password-file: /etc/hostname\n")
    monkeypatch.chdir(workspace)
    return workspace


@pytest.mark.parametrize("path", ["list", "sub/list", "./sub/../list", "../list", "{folder}/list"])
def test_a_file_of_registries_is_read(path: str, folder: Path) -> None:
    job = _from_file(path.format(folder=folder), {"GITHUB_EVENT_NAME": "push"})
    assert job.plan.credentials == (Credential("a.example", "alice", "first-secret", _BOTH),)


@table(
    "path, message",
    {
        "link": ("link", "registries-file: is or passes a link; give the real path"),
        "through a linked folder": ("linked/list", "registries-file: is or passes a link; give the real path"),
        "link to outside": ("outside/list", "registries-file: is or passes a link; give the real path"),
        "missing": ("nowhere", "registries-file: cannot be read (no such file or directory)"),
        "folder": ("sub", "registries-file: cannot be read (is a directory)"),
        "with a password-file in it": (
            "file",
            "registries[0].password-file (line 1): is not allowed in a registries-file; use password-env",
        ),
    },
)
@pytest.mark.usefixtures("folder")
def test_a_file_that_may_be_another_than_it_seems_is_refused(path: str, message: str) -> None:
    with pytest.raises(InputError, match=exactly(message)):
        _from_file(path)


@pytest.mark.parametrize("event", ["pull_request_target", "workflow_run", "issue_comment"])
@pytest.mark.parametrize("named", [True, False], ids=["workspace named", "workspace not named"])
def test_a_file_that_others_may_have_written_is_refused(event: str, folder: Path, *, named: bool) -> None:
    environ = {"GITHUB_EVENT_NAME": event} | ({"GITHUB_WORKSPACE": str(folder)} if named else {})
    problem = f"lies in the workspace, which another's commit may have written ({event})"
    for path in ("list", "sub/list", f"{folder}/list", "../workspace/list"):
        with pytest.raises(
            InputError, match=exactly(f"registries-file: {problem}; use registries, or a file from elsewhere")
        ):
            _from_file(path, environ)
    assert _from_file("../list", environ).plan.credentials[0].secret == "first-secret"


@table(
    "inputs, lines",
    {
        "one command": ({"command": "a 'b c' *"}, ("a 'b c' *",)),
        "each target": (
            {"command": "a {target}\nb", "targets": ("x/1", "y/2")},
            ("a x/1", "b", "a y/2", "b"),
        ),
        "a secret in it": ({"argv": ("a", "first-secret")}, ("a ***",)),
    },
)
def test_a_dry_run_says_what_would_be_run(inputs: dict[str, Any], lines: tuple[str, ...]) -> None:
    assert planned(_prepare(**inputs)) == lines


def test_no_representation_shows_a_secret() -> None:
    job = _prepare(env=("A=plain",), environ={"S": "other-secret"}, secret_env=("S",))
    assert job.redactor.text(repr(job)) == repr(job)
