"""A run's credentials: obtained in order, told of, refreshed when they run out."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from registry_config.credentials.keyless import HelperRequest, Keyless, KeylessEntry, Surroundings, Wanted, runs_out
from registry_config.credentials.providers.shape import IdTokenSource
from registry_config.credentials.reading import Credential
from registry_config.credentials.redaction import Redactor
from registry_config.errors import ProviderRefusedError, UnavailableError
from support.http_server import Answer
from support.keyless import request

if TYPE_CHECKING:
    from pathlib import Path

    from registry_config.declaration.registries import Purpose
    from support.clouds import Clouds
    from support.net import Net

_BOTH: frozenset[Purpose] = frozenset(("image", "command"))


class Run:
    """A run's view: what was said, warned of and told."""

    def __init__(self, world: Net, clouds: Clouds, *entries: KeylessEntry, timeout: float | None = None) -> None:
        self.said: list[str] = []
        self.warned: list[str] = []
        self.told: list[tuple[str, str]] = []
        self.entries = entries
        around = Surroundings(
            environ=world.variables,
            helper_environ={"PATH": str(world.authority.parent)},
            new_secret=lambda *secret: self.told.append(secret),
            redactor=Redactor(()),
            say=self.said.append,
            warn=self.warned.append,
            limit=("timeout", timeout) if timeout else None,
        )
        self.keyless = Keyless(Wanted(entries, IdTokenSource(*clouds.issuer.variables.values())), around)

    def current(self) -> list[tuple[str, str]]:
        """User and secret for each entry."""
        found = self.keyless.current(entry.placeholder for entry in self.entries)
        return [(credential.username, credential.secret) for credential in found]


def _entry(name: str, **changed: str) -> KeylessEntry:
    asked = request(name)._replace(**changed)  # type: ignore[arg-type]
    return KeylessEntry(Credential(asked.host, "", "", _BOTH), asked)


def _helper(folder: Path) -> KeylessEntry:
    file = folder / "docker-credential-test"
    answer = json.dumps({"Username": "robot", "Secret": "helpers-secret-16180339"})
    log = folder / "asked"
    file.write_text(f"#!{sys.executable} -IS\nopen({str(log)!r}, 'a').write('x')\nprint('''{answer}''')\n")
    file.chmod(0o755)
    host = "registry.example.com"
    return KeylessEntry(Credential(host, "", "", _BOTH), HelperRequest("registries[1] (line 4)", host, "test"))


def test_placeholders_become_credentials(world: Net, clouds: Clouds, tmp_path: Path) -> None:
    run = Run(world, clouds, _entry("google"), _helper(tmp_path))
    run.keyless.obtain()

    assert run.current() == [clouds.passwords["europe-docker.pkg.dev"], ("robot", "helpers-secret-16180339")]
    assert ("robot", "helpers-secret-16180339") in run.told


def test_a_credential_with_a_password_stays_as_it_is(world: Net, clouds: Clouds) -> None:
    run = Run(world, clouds, _entry("google"))
    run.keyless.obtain()
    own = Credential("ghcr.io", "me", "password", _BOTH)

    assert run.keyless.current([own]) == (own,)


def test_helpers_come_last(world: Net, clouds: Clouds, tmp_path: Path) -> None:
    world.players["sts.googleapis.com"] = lambda _: Answer(400)
    run = Run(world, clouds, _helper(tmp_path), _entry("google"))

    with pytest.raises(ProviderRefusedError):
        run.keyless.obtain()

    assert not (tmp_path / "asked").exists()


def test_a_secret_is_told_of_before_anything_is_said(world: Net, clouds: Clouds) -> None:
    order: list[str] = []
    around = Surroundings(
        environ=world.variables,
        helper_environ={},
        new_secret=lambda *_: order.append("secret"),
        redactor=Redactor(()),
        say=lambda _: order.append("line"),
        warn=lambda _: order.append("line"),
    )
    source = IdTokenSource(*clouds.issuer.variables.values())
    Keyless(Wanted((_entry("google"), _entry("google, direct")), source), around).obtain()

    assert order.count("line") == 3
    assert "secret" not in order[order.index("line") :]


def test_the_expiry_is_said(world: Net, clouds: Clouds) -> None:
    run = Run(world, clouds, _entry("google"))
    run.keyless.obtain()

    assert len(run.said) == 1
    assert run.said[0].startswith("europe-docker.pkg.dev: credential from google, expires 20")
    assert run.warned == []


def test_a_life_shorter_than_the_time_limit_is_warned_of(world: Net, clouds: Clouds) -> None:
    run = Run(world, clouds, _entry("google"), timeout=7200)
    run.keyless.obtain()

    assert len(run.warned) == 1
    assert "europe-docker.pkg.dev: its credential expires in" in run.warned[0]


def test_an_id_token_of_ones_own_is_warned_of(world: Net, clouds: Clouds) -> None:
    clouds.life = 1200
    token = clouds.issuer.sign(f"https://iam.googleapis.com/{request('google').settings['workload-identity-provider']}")
    run = Run(world, clouds, _entry("google", id_token=token))
    run.keyless.obtain()

    assert len(run.warned) == 1
    assert "id-token-env" in run.warned[0]


def test_google_without_an_account_is_warned_of(world: Net, clouds: Clouds) -> None:
    run = Run(world, clouds, _entry("google, direct"))
    run.keyless.obtain()

    assert len(run.warned) == 1
    assert "service-account" in run.warned[0]


@pytest.mark.parametrize(("life", "times"), [(290, 3), (3600, 1), (310, 1)])
def test_what_runs_out_is_obtained_again(life: int, times: int, world: Net, clouds: Clouds) -> None:
    clouds.life = life
    run = Run(world, clouds, _entry("google"))
    run.keyless.obtain()
    run.current()
    run.current()

    assert len(world.to("iamcredentials.googleapis.com")) == times


@pytest.mark.parametrize(
    ("life", "age", "expected"),
    [(3600, 2870, False), (3600, 2890, True), (600, 290, False), (600, 310, True), (200, 0, True), (3600, 9999, True)],
)
def test_under_five_minutes_or_a_fifth_of_its_life_is_too_little(life: int, age: int, expected: bool) -> None:  # noqa: FBT001
    assert runs_out(1_000_000, 1_000_000 + life, 1_000_000 + age) is expected


def test_without_an_expiry_nothing_runs_out() -> None:
    assert not runs_out(0, None, 1e12)


def test_a_new_credential_is_told_of_and_used(world: Net, clouds: Clouds) -> None:
    clouds.life = 200
    run = Run(world, clouds, _entry("google"))
    run.keyless.obtain()
    clouds.passwords["europe-docker.pkg.dev"] = ("oauth2accesstoken", "ya29.another-1618033988")

    assert run.current() == [("oauth2accesstoken", "ya29.another-1618033988")]
    assert run.told[-1] == ("oauth2accesstoken", "ya29.another-1618033988")


def test_a_refresh_that_fails_keeps_what_is_valid(world: Net, clouds: Clouds) -> None:
    clouds.life = 200
    run = Run(world, clouds, _entry("google"))
    run.keyless.obtain()
    world.players["iamcredentials.googleapis.com"] = lambda _: Answer(403)

    assert run.current() == [clouds.passwords["europe-docker.pkg.dev"]]
    assert "Google refused" in run.warned[-1]
    assert "is used until 20" in run.warned[-1]


@pytest.mark.parametrize(
    ("answer", "error"),
    [(Answer(403), ProviderRefusedError), (Answer(302, headers={"Location": "/"}), UnavailableError)],
)
def test_a_refresh_that_fails_for_what_has_run_out(
    answer: Answer, error: type[Exception], world: Net, clouds: Clouds
) -> None:
    clouds.life = -1
    run = Run(world, clouds, _entry("google"))
    run.keyless.obtain()
    world.players["iamcredentials.googleapis.com"] = lambda _: answer

    with pytest.raises(error):
        run.current()


def test_with_a_token_of_ones_own_nothing_is_obtained_again(world: Net, clouds: Clouds) -> None:
    clouds.life = 100
    token = clouds.issuer.sign(f"https://iam.googleapis.com/{request('google').settings['workload-identity-provider']}")
    run = Run(world, clouds, _entry("google", id_token=token))
    run.keyless.obtain()
    run.current()

    assert len(world.to("iamcredentials.googleapis.com")) == 1


def test_only_what_a_command_gets_is_obtained_again(world: Net, clouds: Clouds) -> None:
    clouds.life = 200
    first, second = _entry("google"), _entry("docker-hub")
    run = Run(world, clouds, first, second)
    run.keyless.obtain()
    run.keyless.current([second.placeholder])

    assert len(world.to("iamcredentials.googleapis.com")) == 1


def test_an_expiry_in_the_past_is_warned_of(world: Net, clouds: Clouds) -> None:
    clouds.life = -100
    run = Run(world, clouds, _entry("google"))
    run.keyless.obtain()

    assert "clock" in run.warned[0]
    assert run.current() == [clouds.passwords["europe-docker.pkg.dev"]]


def test_nothing_shows_a_secret(world: Net, clouds: Clouds) -> None:
    run = Run(world, clouds, _entry("google"))
    run.keyless.obtain()
    shown = repr((run.keyless._held, run.keyless, run.entries))  # noqa: SLF001  (what a debugger shows)

    assert "oauth2accesstoken" in shown
    assert clouds.passwords["europe-docker.pkg.dev"][1] not in shown
