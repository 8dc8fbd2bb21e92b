"""Which questions registries are asked about a job, and what their answers mean for it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import pytest

from registry_config.commands import ResolvedCommand
from registry_config.declaration.inputs import Inputs, Origin
from registry_config.errors import EXIT_REFUSED
from registry_config.job import prepare
from registry_config.oci.entry import Row
from registry_config.preflight import (
    DigestMismatchError,
    Proven,
    Registries,
    Surroundings,
    VerificationError,
    warnings_of,
)
from registry_config.results import CommandResult, Tail
from support.artifacts import chart
from support.http_server import Answer, Asked, http_server
from support.played_registry import PASSWORD, USER, Manner, PlayedRegistry, net
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from registry_config.credentials.reading import Credential
    from registry_config.plan import Plan

_THERE, _OTHER, _THIRD = (f"sha256:{digit * 64}" for digit in "123")


def _registries(
    current: Callable[[Iterable[Credential]], tuple[Credential, ...]] = tuple,
    redact: Callable[[str], str] = str,
) -> Registries:
    return Registries(Surroundings({}, {}, current, lambda _: None, redact))


class _Host(NamedTuple):
    """A registry with one user, and what it was asked."""

    address: str
    asked: list[Asked]

    @property
    def uploads(self) -> list[str]:
        return [one.path.split("/blobs/")[0] for one in self.asked if one.method == "POST"]

    @property
    def manifests(self) -> list[str]:
        return [urlsplit(one.path).path for one in self.asked if "/manifests/" in one.path]


@contextmanager
def _host(answer: Callable[[Asked], Answer]) -> Iterator[_Host]:
    with http_server(answer) as server:
        yield _Host(server.address, server.asked)


@contextmanager
def _played(*may: str) -> Iterator[_Host]:
    """Its user may do what is named; everything else is denied."""
    with _host(PlayedRegistry(Manner(may=may)).answer) as host:
        yield host


@contextmanager
def _answering(references: dict[str, tuple[int, str]]) -> Iterator[_Host]:
    """A registry that lets everybody in, with a status and a digest for each reference; of others it has none."""

    def answer(asked: Asked) -> Answer:
        if asked.path == "/v2/":
            return Answer(200)
        status, digest = references.get(asked.path.removeprefix("/v2/").replace("/manifests/", ":"), (404, ""))
        return Answer(status, headers={"Docker-Content-Digest": digest})

    with _host(answer) as host:
        yield host


def _plans(host: _Host, *commands: str, path: str = "", env: tuple[str, ...] = (), shell: str = "") -> list[Plan]:
    """A plan for each command."""
    entry = f"{{registry: '{host.address}{path}', username: {USER}, password: {PASSWORD}}}"
    return [
        plan
        for command in commands
        for plan in prepare(
            Inputs(
                registries=f"[{entry}]",
                command=command.replace("HOST", host.address),
                env=tuple(one.replace("HOST", host.address) for one in env),
                shell=shell,
            ),
            Origin(),
            {},
        ).plans
    ]


def _verdicts(rows: Iterable[Row]) -> list[tuple[str, str, str]]:
    return [(row.repository, row.action, row.verdict) for row in rows]


_LOGIN = ("", "login", "verified")
_COPY = "skopeo copy docker://HOST/team/app:1.0 docker://HOST/team/copy:2"


@table(
    "action, rows",
    {
        "login": ("login", []),
        "pull": ("pull", [("team/app", "pull", "verified")]),
        "push": ("push", [("team/app", "pull", "verified"), ("team/copy", "push", "verified")]),
    },
)
def test_as_much_is_asked_as_was_wanted(action: str, rows: list[tuple[str, str, str]]) -> None:
    with _played("pull", "push") as host:
        (plan,) = _plans(host, _COPY)
        found, refused = _registries().verify(plan.credentials, [plan], action)
        assert (_verdicts(found), refused) == ([_LOGIN, *rows], ())
        assert host.uploads == ["/v2/team/copy"] * (action == "push")


def test_one_repository_is_asked_about_once_for_all_commands() -> None:
    with _played("pull", "push") as host:
        plans = _plans(host, _COPY, f"{_COPY}\n{_COPY.replace(':2', ':3')}")
        # As for a job whose credential is for the commands and for their image.
        credentials = (*plans[0].credentials, *plans[0].credentials)
        rows, _ = _registries().verify(credentials, plans, "push")
        assert _verdicts(rows) == [_LOGIN, ("team/app", "pull", "verified"), ("team/copy", "push", "verified")]


def test_what_is_pulled_is_asked_for_by_its_tag_or_digest() -> None:
    with _answering({"team/app:1": (200, _THERE), f"team/app:{_OTHER}": (200, _OTHER)}) as host:
        plans = _plans(host, "skopeo inspect docker://HOST/team/app:1", f"crane pull HOST/team/app:1@{_OTHER} x.tar")
        rows, _ = _registries().verify(plans[0].credentials, plans, "pull")
        assert [row.verdict for row in rows if row.action == "pull"] == ["verified"] * 2
        assert {path.rpartition("/")[2] for path in host.manifests} == {"1", _OTHER}


@table(
    "command, env, shell, asked",
    {
        "a script's words": ("x HOST/team/a:1 y HOST/team/b", (), "sh", {"team/a", "team/b"}),
        "a variable": ("unknown-tool", ("TO=HOST/team/a",), "", {"team/a"}),
        "several in a variable": ("unknown-tool", ("TO=HOST/team/a HOST/team/b",), "", {"team/a", "team/b"}),
        "an option's value": ("unknown-tool --to=HOST/team/a:1", (), "", {"team/a"}),
        "what the shell makes": ("x HOST/team/$NAME HOST/team/b", (), "sh", {"team/b"}),
        "the host alone": ("unknown-tool HOST", (), "", set()),
        "a name without a host": ("unknown-tool team/a:1", (), "", set()),
        "another host": ("unknown-tool other.example.com/team/a:1", (), "", set()),
    },
)
def test_of_what_nobody_knows_every_reference_is_asked_about_that_is_whole(
    command: str, env: tuple[str, ...], shell: str, asked: set[str]
) -> None:
    with _played("pull") as host:
        (plan,) = _plans(host, command, env=env, shell=shell)
        rows, refused = _registries().verify(plan.credentials, [plan], "push")
        # Nobody knows that it pushes there, so the denial stops nothing.
        assert ({row.repository for row in rows[1:]}, refused) == (asked, ())
        assert {(row.action, row.verdict) for row in rows[1:]} <= {("push", "denied")}


@table(
    "commands, refusing",
    {
        "known": (["crane push layout HOST/team/app:1"], True),
        "a script": (["unknown-tool HOST/team/app:1"], False),
        "a script, then known": (["unknown-tool HOST/team/app:1", "crane push layout HOST/team/app:1"], True),
        "known, then a script": (["crane push layout HOST/team/app:1", "unknown-tool HOST/team/app:1"], True),
    },
)
def test_a_denial_refuses_where_one_command_is_known_to_need_it(commands: list[str], *, refusing: bool) -> None:
    with _played("pull") as host:
        plans = _plans(host, *commands)
        rows, refused = _registries().verify(plans[0].credentials, plans, "push")
        assert _verdicts(rows) == [_LOGIN, ("team/app", "push", "denied")]
        assert refused == (rows[1:] if refusing else ())


def test_a_denial_refuses_where_another_tag_is_known_to_be_needed() -> None:
    with _played() as host:
        plans = _plans(host, "unknown-tool HOST/team/app:1", "crane pull HOST/team/app:2 x.tar")
        rows, refused = _registries().verify(plans[0].credentials, plans, "pull")
        # Rows name no tag, and what denies one of them denies the other.
        assert _verdicts(refused) == [("team/app", "pull", "denied")] * 2 == _verdicts(rows[1:])


@table(
    "word, asked", {"a file or an image": ("team/app:1.0", []), "an image": ("docker.io/team/app:1.0", ["team/app"])}
)
def test_a_word_without_a_host_is_not_asked_about_at_docker_hub(tmp_path: Path, word: str, asked: list[str]) -> None:
    with net(tmp_path, {"registry-1.docker.io": PlayedRegistry(Manner())}) as world:
        around = Surroundings(world.environ, {"ca": world.authorities}, tuple, lambda _: None, str)
        (plan,) = _plans(_Host("docker.io", world.asked), f"unknown-tool {word}")
        credentials = [one._replace(ca_file="ca") for one in plan.credentials]
        rows, _ = Registries(around).verify(credentials, [plan], "pull")
        assert _verdicts(rows) == [_LOGIN, *((repository, "pull", "verified") for repository in asked)]


def test_a_repository_is_asked_about_with_the_credential_of_its_path_alone() -> None:
    with _played("pull", "push") as host:
        (plan,) = _plans(host, "crane push layout HOST/team/app:1\ncrane push layout HOST/other/app:1", path="/team")
        rows, _ = _registries().verify(plan.credentials, [plan], "push")
        assert _verdicts(rows) == [_LOGIN, ("team/app", "push", "verified")]
        assert {row.registry for row in rows} == {f"{host.address}/team"}


def test_registries_are_shown_the_credential_of_this_moment_and_quoted_redacted() -> None:
    """The declared one may stand for one that a provider gives."""

    def current(credentials: Iterable[Credential]) -> tuple[Credential, ...]:
        return tuple(one._replace(username="bob", secret="a-password-of-today") for one in credentials)

    def redact(text: str) -> str:
        return text.replace("that-is-secret", "***")

    manner = Manner(may=("pull",), message="you are that-is-secret")
    with _host(PlayedRegistry(manner).answer) as host:
        (plan,) = _plans(host, "crane push layout HOST/team/app:1")
        rows, refused = _registries(redact=redact).verify(plan.credentials, [plan], "push")
        assert ["you are ***" in row.reason for row in rows] == [False, True]
        assert refused == rows[1:]
        rows, refused = _registries(current).verify(plan.credentials, [plan], "push")
        assert (_verdicts(rows), refused) == ([("", "login", "rejected")], rows)


def test_a_refusal_says_every_reason_and_keeps_every_verdict() -> None:
    login = Row("r.example", "", "login", "verified")
    denied = [Row("r.example", f"team/{name}", "push", "denied", "no") for name in "ab"]
    error = VerificationError((login, *denied), tuple(denied))
    assert str(error) == "verify: r.example/team/a: push denied: no\nr.example/team/b: push denied: no"
    assert (error.exit_code, error.rows) == (EXIT_REFUSED, (login, *denied))


def test_a_run_that_goes_on_is_told_of_every_verdict_that_is_not_good() -> None:
    rows = [
        Row("r.example", "", "login", "not-provable", "anybody is let in"),
        Row("r.example", "team/a", "push", "verified"),
        Row("r.example", "team/b", "push", "denied", "no"),
    ]
    assert warnings_of(rows) == (
        "verify: r.example: login not provable: anybody is let in",
        "verify: r.example/team/b: push denied: no",
    )


def _command(plan: Plan) -> ResolvedCommand:
    (command,) = plan.commands
    return ResolvedCommand(tuple(word.text for word in command), plan.credentials)


@table(
    "command, existing",
    {
        "all of it": ("oras push HOST/team/app:1,2 x", (_THERE, _OTHER)),
        "one of two": ("oras push HOST/team/app:1,3 x", ()),
        "none": ("oras push HOST/team/app:3 x", ()),
        "one of which nobody knows": ("oras push HOST/team/app:1,4 x", ()),
        "without a tag": ("oras push HOST/team/app x", ()),
        "at another registry": ("oras push 127.0.0.1:1/team/app:1 x", ()),
        "what is read": ("oras pull HOST/team/app:1", ()),
        "of an unknown tool": ("unknown-tool HOST/team/app:1", ()),
    },
)
def test_a_command_is_done_where_all_that_it_writes_is_there(command: str, existing: tuple[str, ...]) -> None:
    there = {"team/app:1": (200, _THERE), "team/app:2": (200, _OTHER), "team/app:4": (403, "")}
    with _answering(there) as host:
        (plan,) = _plans(host, command)
        assert _registries().existing(plan, _command(plan)) == existing


def test_what_is_there_is_asked_with_the_credential_of_this_moment() -> None:
    """That of the plan stands for one that is obtained again when it runs out."""

    def current(credentials: Iterable[Credential]) -> tuple[Credential, ...]:
        return tuple(one._replace(secret=PASSWORD) for one in credentials)

    with _played("pull") as host:
        (plan,) = _plans(host, "oras push HOST/team/app:1.0 x")
        (credential,) = plan.credentials
        command = _command(plan)._replace(credentials=(credential._replace(secret="a-stand-in"),))
        result = CommandResult(command.arguments, 0, Tail(), Tail(), credentials=command.credentials)
        (digest,) = _registries(current).existing(plan, command)
        assert _registries(current).prove(plan, [result], lambda _: ()) == Proven((digest,), ())
        # It is no credential itself.
        assert _registries().existing(plan, command) == ()


def test_a_packed_chart_is_there_under_its_name_and_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chart(tmp_path, "web", "4.5.6")
    monkeypatch.chdir(tmp_path)
    with _answering({"charts/web:4.5.6": (200, _THERE)}) as host:
        (plan,) = _plans(host, "helm push web-4.5.6.tgz oci://HOST/charts")
        assert _registries().existing(plan, _command(plan)) == (_THERE,)


def _prove(
    host: _Host, *commands: str, reported: tuple[str, ...] = (), exists: tuple[str, ...] = ()
) -> tuple[Proven, list[str]]:
    """What comes of commands that went well, and for which of them the tool's own digests were wanted."""
    plans = _plans(host, *commands)
    results = [
        CommandResult(*_command(plan)[:1], 0, Tail(), Tail(), credentials=plan.credentials, file_digests=exists)
        for plan in plans
    ]
    wanted: list[str] = []

    def digests(of: tuple[CommandResult, ...]) -> tuple[str, ...]:
        wanted.extend(one.program for one in of)
        return reported

    if exists:
        results[0] = results[0]._replace(exists=True)
    return _registries(redact=lambda text: text.upper()).prove(plans[0], results, digests), wanted


def test_the_digest_of_everything_written_is_the_registrys_each_once() -> None:
    references = {"team/a:1": (200, _THERE), "team/a:2": (200, _OTHER), "team/b:1": (200, _THERE)}
    with _answering(references) as host:
        commands = ("oras push HOST/team/a:1,2 x", "crane push layout HOST/team/b:1", "oras pull HOST/team/c:1")
        proven, wanted = _prove(host, *commands)
        assert (proven, wanted) == (Proven((_THERE, _OTHER), ()), ["oras", "oras", "crane"])


def test_what_was_there_already_is_not_asked_for_again() -> None:
    with _answering({}) as host:
        proven, _ = _prove(host, "oras push HOST/team/a:1 x", exists=(_THERE, _OTHER))
        assert (proven, host.asked) == (Proven((_THERE, _OTHER), ()), [])


@pytest.mark.parametrize("command", ["unknown-tool HOST/team/a:1", "oras pull HOST/team/a:1", "oras push HOST/a x"])
def test_where_nothing_is_known_to_be_written_there_is_no_digest_and_a_warning(command: str) -> None:
    with _answering({"team/a:1": (200, _THERE)}) as host:
        proven, _ = _prove(host, command)
        said = "digest-from: no command is known to write a tag on a declared registry; digest is empty"
        assert (proven, host.asked) == (Proven((), (said,)), [])


def test_what_is_not_there_is_a_warning_and_redacted() -> None:
    with _answering({"team/b:1": (200, _THERE)}) as host:
        proven, _ = _prove(host, "oras push HOST/team/a:1 x", "oras push HOST/team/b:1 x")
        said = f"digest-from: {host.address}/team/a:1: THE REGISTRY HAS NO TEAM/A:1"
        assert proven == Proven((_THERE,), (said,))


def test_the_first_digest_that_is_contradicted_fails_the_run_and_all_are_told() -> None:
    with _answering({"team/a:1": (200, _THERE), "team/b:1": (200, _OTHER)}) as host:
        proven, _ = _prove(host, "oras push HOST/team/a:1 x", "oras push HOST/team/b:1 x", reported=(_THIRD,))
        assert (proven.digests, proven.warnings) == ((_THERE, _OTHER), ())
        assert isinstance(proven.error, DigestMismatchError)
        assert proven.error.exit_code == 1
        assert str(proven.error).startswith(f"{host.address}/team/a:1: THE REGISTRY HAS {_THERE.upper()} UNDER")


def test_a_tag_that_has_moved_is_a_warning() -> None:
    with _answering({"team/a:1": (200, _THERE), f"team/a:{_THIRD}": (200, _THIRD)}) as host:
        proven, _ = _prove(host, "oras push HOST/team/a:1 x", reported=(_THIRD,))
        assert (proven.digests, proven.error) == ((_THERE,), None)
        (said,) = proven.warnings
        assert said.startswith(f"digest-from: {host.address}/team/a:1: ")
        assert "THE TAG HAS MOVED" in said
