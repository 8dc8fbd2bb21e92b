"""From inputs to a plan: credentials read, the command split, everything checked, and what is kept from the child."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from registry_config.credentials.encodings import encodings
from registry_config.credentials.reading import Credential
from registry_config.declaration.command import Word
from registry_config.declaration.inputs import RUNNER_FILES, Inputs, Origin
from registry_config.declaration.registries_file import open_without_links
from registry_config.errors import InputError
from registry_config.job import Job, prepare
from registry_config.plan import ImageSettings, Plan
from support.tables import exactly, table

if TYPE_CHECKING:
    from pathlib import Path

    from registry_config.declaration.registries import Purpose

_BOTH: frozenset[Purpose] = frozenset(("image", "command"))
_NOWHERE = Origin()
_LOGIN = "- registry: a.example\n  username: alice\n"
_LIST = f"{_LOGIN}  password: first-secret\n"
_ENV = f"{_LOGIN}  password-env: TOKEN\n"


def _prepare(
    registries: str = _LIST,
    environ: dict[str, str] | None = None,
    origin: Origin = _NOWHERE,
    **inputs: Any,
) -> Job:
    given = Inputs(registries=registries, command="tool")._replace(**inputs)
    return prepare(given, origin, environ or {})


def _plan(job: Job) -> Plan:
    (plan,) = job.plans
    return plan


def test_everything_that_a_run_needs_is_in_the_plan() -> None:
    job = _prepare(
        registries=(
            "- registry: ghcr.io\n"
            "- {registry: b.example, username: bob, password-env: TOKEN, for: command}\n"
            "- {registry: b.example, username: eve, password: third-secret, for: image}\n"
        ),
        environ={"TOKEN": "second-secret", "S": "fourth-secret"},
        origin=Origin(actor="octocat"),
        hidden_variables=("MINE",),
        github_token="first-secret",
        command="tool ${A} *\nother",
        env=("A=1 2",),
        secret_env=("S",),
        working_directory="sub",
    )
    assert _plan(job).commands == (
        (
            Word("tool", None, "command (line 1, column 1)"),
            Word("1 2", None, "command (line 1, column 6)"),
            Word("*", "*", "command (line 1, column 11)"),
        ),
        (Word("other", None, "command (line 2, column 1)"),),
    )
    assert _plan(job).credentials == (
        Credential("ghcr.io", "octocat", "first-secret", _BOTH, source="github-token"),
        Credential("b.example", "bob", "second-secret", frozenset(("command",)), source="password-env"),
    )
    assert (_plan(job).working_directory, _plan(job).variables) == ("sub", {"A": "1 2"})
    assert _plan(job).secret_variables == {"S": "fourth-secret"}
    assert job.forms == (
        encodings("octocat", "first-secret", single=True)
        | encodings("bob", "second-secret", single=True)
        | encodings("eve", "third-secret", single=True)
        | encodings("", "fourth-secret", single=True)
    )
    assert job.hidden_variables == {*RUNNER_FILES, "TOKEN", "MINE"}
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
        excluded_files=("list.yaml",),
    )
    assert job.image == ImageSettings(
        reference="a.example/tool:1",
        credentials=(Credential("a.example", "bob", "second-secret", frozenset(("image",)), source="password-file"),),
        use_entrypoint=True,
        home="/h",
        exclude=("*.log",),
        excluded_files=(f"{tmp_path}/sub/password", f"{tmp_path}/list.yaml"),
    )
    assert _plan(job).credentials == (Credential("a.example", "alice", "first-secret", frozenset(("command",))),)


def test_a_file_of_registries_is_never_sent_to_an_engine(folder: Path) -> None:
    job = _prepare("", registries_file="sub/list", image="tool")
    assert job.image
    assert job.image.excluded_files == (f"{folder}/sub/list",)


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
        "script": (
            {"command": "a | b\nc", "shell": "bash"},
            [["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", "a | b\nc"]],
        ),
        "script of the command line": ({"argv": ("a | b",), "shell": "/bin/sh"}, [["/bin/sh", "-e", "-c", "a | b"]]),
    },
)
def test_the_command_is_words_text_or_a_script(inputs: dict[str, Any], words: list[list[str]]) -> None:
    assert [[word.text for word in command] for command in _plan(_prepare(**inputs)).commands] == words


def test_a_password_variable_that_the_command_is_to_get_stays() -> None:
    job = _prepare(_ENV, {"TOKEN": "first-secret"}, secret_env=("TOKEN",))
    assert job.hidden_variables == set(RUNNER_FILES)
    assert _plan(job).secret_variables == {"TOKEN": "first-secret"}


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
    assert (job.forms, _plan(job).secret_variables) == (frozenset(), {"S": ""})


def test_a_short_password_is_warned_of_by_its_own_place() -> None:
    job = _prepare(
        "- {registry: a.example, username: u, password: short, for: image}\n"
        "- {registry: a.example, username: u, password: long enough, for: command}\n"
        "- {registry: b.example, username: u, password: pw}\n"
    )
    warning = "a password of fewer than 6 characters can be hidden in its base64 form only"
    assert job.warnings == (f"registries[0] (line 1): {warning}", f"registries[2] (line 3): {warning}")


def test_a_short_secret_variable_is_warned_of() -> None:
    job = _prepare("[]", {"PIN": "12345", "LONG": "long enough", "NONE": ""}, secret_env=("PIN", "LONG", "NONE"))
    assert job.warnings == ("secret-env: the value of PIN has fewer than 6 characters and cannot be hidden",)


@pytest.mark.parametrize(
    ("inputs", "environ", "server", "warned"),
    [
        ({}, {}, "https://github.com", True),
        ({"image": "tool"}, {"SIGSTORE_ID_TOKEN": "x"}, "https://github.com", True),
        ({}, {"SIGSTORE_ID_TOKEN": "x"}, "https://github.com", False),
        ({}, {}, "", False),
    ],
)
def test_a_signature_without_a_key_in_a_job_that_gets_no_id_token_is_warned_of(
    inputs: dict[str, str], environ: dict[str, str], server: str, *, warned: bool
) -> None:
    warning = (
        "command: cosign has no key, and the job may not ask GitHub for an ID token; "
        "add 'permissions: id-token: write' to the job, or give cosign a key"
    )
    job = _prepare("[]", environ, Origin(server=server), command="cosign sign a.example/x", **inputs)
    assert job.warnings == ((warning,) if warned else ())


@table(
    "registries, reason",
    {
        "variable": (
            _ENV,
            (
                "registries[0].password-env (line 3): "
                "the password for a.example is empty: the variable TOKEN is set to nothing"
            ),
        ),
        "text": (
            f"{_LOGIN}  password: ''\n",
            "registries[0].password (line 3): the password for a.example is empty",
        ),
    },
)
def test_an_empty_password_skips_or_fails_as_asked(registries: str, reason: str) -> None:
    environ = {"TOKEN": ""}
    job = _prepare(registries, environ, on_missing="skip")
    assert (job.skip_reason, _plan(job).credentials) == (f"{reason}; nothing was run (on-missing: skip)", ())
    # The log's first line names what was declared.
    assert job.registries == ("a.example",)
    with pytest.raises(InputError, match=exactly(f"{reason}; give it a value, or set on-missing: skip")):
        _prepare(registries, environ)


def test_skipping_still_finds_what_is_wrong_elsewhere() -> None:
    registries = f"{_ENV}- registry: b.example\n  username: u\n  password-env: NOT_THERE\n"
    message = (
        "registries[1].password-env (line 6): no such variable in the environment; "
        "set it under env of the step; the key takes its name, not the password itself"
    )
    with pytest.raises(InputError, match=exactly(message)):
        _prepare(registries, {"TOKEN": ""}, on_missing="skip")


@table(
    "origin, remedy",
    {
        "no secrets are given": (
            Origin(lacks_secrets=True),
            "secrets are empty in pull requests from forks and by Dependabot: set on-missing: skip",
        ),
        "elsewhere": (Origin(), "give it a value, or set on-missing: skip"),
    },
)
def test_an_empty_password_says_where_it_comes_from(origin: Origin, remedy: str) -> None:
    problem = "the password for a.example is empty: the variable TOKEN is set to nothing"
    with pytest.raises(InputError, match=exactly(f"registries[0].password-env (line 3): {problem}; {remedy}")):
        _prepare(_ENV, {"TOKEN": ""}, origin)


def _from_file(path: str, origin: Origin = _NOWHERE) -> Job:
    return _prepare("", None, origin, registries_file=path)


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
    os.mkfifo(workspace / "pipe")
    with (workspace / "large").open("wb") as file:
        file.truncate(17 * 1024 * 1024)
    (workspace / "file").write_text(f"{_LOGIN}  password-file: /etc/hostname\n")
    monkeypatch.chdir(workspace)
    return workspace


@pytest.mark.parametrize("path", ["list", "sub/list", "./sub/../list", "../list", "{folder}/list"])
def test_a_file_of_registries_is_read(path: str, folder: Path) -> None:
    job = _from_file(path.format(folder=folder), Origin(event="push"))
    assert _plan(job).credentials == (Credential("a.example", "alice", "first-secret", _BOTH),)


@table(
    "path, message",
    {
        "link": ("link", "registries-file: is or passes a link; give the real path"),
        "through a linked folder": ("linked/list", "registries-file: is or passes a link; give the real path"),
        "link to outside": ("outside/list", "registries-file: is or passes a link; give the real path"),
        "missing": ("nowhere", "registries-file: cannot be read (no such file or directory); check the path"),
        "folder": ("sub", "registries-file: cannot be read (is a directory); check the path"),
        "pipe": ("pipe", "registries-file: is not an ordinary file; name a file that holds the list"),
        "device without an end": (
            "/dev/zero",
            "registries-file: is not an ordinary file; name a file that holds the list",
        ),
        "too large": ("large", "registries-file: is larger than 16 MiB, so not a list of registries; check the path"),
        "with a password-file in it": (
            "file",
            "registries[0].password-file (line 3): is not allowed in a registries-file; use password-env",
        ),
    },
)
@pytest.mark.usefixtures("folder")
def test_a_file_that_may_be_another_than_it_seems_is_refused(path: str, message: str) -> None:
    with pytest.raises(InputError, match=exactly(message)):
        _from_file(path)


def test_a_link_that_is_put_there_meanwhile_is_not_followed(folder: Path) -> None:
    """After the path was looked at, its last name or a folder before it may become a link."""
    os.close(open_without_links(f"{folder}/sub/list"))
    for path in ("link", "linked/list", "outside/list"):
        with pytest.raises(OSError, match=r"Not a directory|Too many levels of symbolic links"):
            open_without_links(f"{folder}/{path}")


@pytest.mark.parametrize(
    "event", ["pull_request_target", "workflow_run", "issue_comment", "issues", "discussion_comment"]
)
@pytest.mark.parametrize("named", [True, False], ids=["workspace named", "workspace not named"])
def test_a_file_that_others_may_have_written_is_refused(event: str, folder: Path, *, named: bool) -> None:
    origin = Origin(event=event, workspace=str(folder) if named else "")
    problem = f"lies in the workspace, which another's commit may have written ({event})"
    for path in ("list", "sub/list", f"{folder}/list", "../workspace/list"):
        with pytest.raises(
            InputError, match=exactly(f"registries-file: {problem}; use registries, or a file from elsewhere")
        ):
            _from_file(path, origin)
    assert _plan(_from_file("../list", origin)).credentials[0].secret == "first-secret"


def test_no_representation_shows_a_secret() -> None:
    job = _prepare(env=("A=plain",), environ={"S": "other-secret"}, secret_env=("S",))
    assert job.redactor.text(repr(job)) == repr(job)
