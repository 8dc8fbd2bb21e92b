"""What a provider says when it refuses becomes a sentence that tells what to correct; it is asked once."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from registry_config.credentials.providers.exchange import all_failures
from registry_config.credentials.providers.shape import NO_PERMISSION, Minted
from registry_config.credentials.providers.table import PROVIDERS
from registry_config.errors import EXIT_REFUSED, EXIT_UNAVAILABLE, ProviderRefusedError, UnavailableError
from support.clouds import aws_error
from support.http_server import Answer
from support.identity import HOST as GITHUB
from support.identity import ISSUER, SUBJECT
from support.keyless import exchanged, request

if TYPE_CHECKING:
    from registry_config.credentials.providers.shape import Request
    from support.clouds import Clouds
    from support.net import Asked, Net

# The host that is asked first, of each provider.
FIRST = {
    "aws": "sts.us-east-1.amazonaws.com",
    "google": "sts.googleapis.com",
    "azure": "login.microsoftonline.com",
    "docker-hub": "identity.docker.com",
    "quay": "quay.io",
    "jfrog": "acme.jfrog.io",
    "cloudsmith": "api.cloudsmith.io",
    "chainguard": "issuer.enforce.dev",
}
_AWS = FIRST["aws"]
_GOOGLE = FIRST["google"]
_ACCOUNT = "iamcredentials.googleapis.com"
_ENTRA = FIRST["azure"]
_ACR = "acme.azurecr.io"


def _oauth(status: int, description: str, error: str = "invalid_grant") -> Answer:
    return Answer(status, json.dumps({"error": error, "error_description": description}).encode())


def _google_error(status: int, message: str) -> Answer:
    return Answer(status, json.dumps({"error": {"code": status, "message": message, "status": "X"}}).encode())


def _plain(status: int, **fields: object) -> Answer:
    return Answer(status, json.dumps(fields).encode())


def _parts_in(text: str, told: list[tuple[str, str]]) -> list[str]:
    """Parts of secrets in a text: an ID token is longer than what a message quotes."""
    parts = {secret[at : at + 16] for _, secret in told for at in range(max(len(secret) - 15, 1))}
    return [part for part in parts if part in text]


def _one_of_each() -> list[Request]:
    return [request(name, position) for position, name in enumerate(FIRST)]


# What the provider answers, at which host; and what the message has to say.
DOCUMENTED = {
    "aws, trust": (
        "aws",
        _AWS,
        aws_error(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"),
        "the role's trust policy does not allow this sub or aud",
    ),
    "aws, no provider": (
        "aws",
        _AWS,
        aws_error(400, "InvalidIdentityToken", f"No OpenIDConnect provider found in your account for {ISSUER}"),
        "create the identity provider for this iss",
    ),
    "aws, audience": (
        "aws",
        _AWS,
        aws_error(400, "InvalidIdentityToken", "Incorrect token audience"),
        "client IDs of the identity provider",
    ),
    "aws, duration": (
        "aws",
        _AWS,
        aws_error(400, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for it"),
        "role-duration-seconds",
    ),
    "aws, old token": ("aws", _AWS, aws_error(400, "ExpiredTokenException", "Token expired"), "older than five"),
    "aws, public": (
        "aws",
        "api.ecr-public.us-east-1.amazonaws.com",
        _plain(400, __type="AccessDeniedException", message="not authorized to perform: sts:GetServiceBearerToken"),
        "allow the role sts:GetServiceBearerToken",
    ),
    "google, name": ("google", _GOOGLE, _oauth(400, "The target service", "invalid_target"), "the project's number"),
    "google, condition": (
        "google",
        _GOOGLE,
        _oauth(400, "The given credential is rejected by the attribute condition."),
        "attribute condition does not allow",
    ),
    "google, audience": (
        "google",
        _GOOGLE,
        _oauth(400, "The audience in ID Token does not match the expected audience."),
        "allowed audiences",
    ),
    "google, issuer": ("google", _GOOGLE, _oauth(400, "The issuer in ID Token does not match"), "as its issuer"),
    "google, length": (
        "google",
        _GOOGLE,
        _oauth(400, "The mapped attribute exceeds the 127 bytes limit."),
        "map a shorter claim",
    ),
    "google, account": (
        "google",
        _ACCOUNT,
        _google_error(403, "Permission 'iam.serviceAccounts.getAccessToken' denied (or it may not exist)."),
        "roles/iam.workloadIdentityUser",
    ),
    "google, lifetime": (
        "google",
        _ACCOUNT,
        _google_error(400, "Request contains an invalid lifetime; it cannot exceed 3600 seconds"),
        "lower 'token-lifetime'",
    ),
    "azure, subject": (
        "azure",
        _ENTRA,
        _oauth(401, "AADSTS700213: No matching federated identity record found", "invalid_client"),
        "no federated credential of 'client-id' has this iss, aud and sub",
    ),
    "azure, case": ("azure", _ENTRA, _oauth(401, "AADSTS7002138: case"), "upper or lower case"),
    "azure, issuer": ("azure", _ENTRA, _oauth(401, "AADSTS700211: No matching"), "has this iss"),
    "azure, client": ("azure", _ENTRA, _oauth(400, "AADSTS700016: Application not found"), "not in this tenant"),
    "azure, tenant": ("azure", _ENTRA, _oauth(400, "AADSTS90002: Tenant not found"), "'tenant-id'"),
    "azure, old token": ("azure", _ENTRA, _oauth(401, "AADSTS700024: not in its valid range"), "older than five"),
    "azure, role": (
        "azure",
        _ACR,
        _plain(401, errors=[{"code": "UNAUTHORIZED", "message": "authentication required"}]),
        "AcrPull or AcrPush",
    ),
    "azure, firewall": (
        "azure",
        _ACR,
        _plain(403, errors=[{"code": "DENIED", "message": "client with IP '192.0.2.1' is not allowed access."}]),
        "firewall",
    ),
    "docker-hub": ("docker-hub", FIRST["docker-hub"], Answer(401), "Docker Home"),
    "quay, robot": ("quay", FIRST["quay"], _plain(401, error="Invalid robot"), "'username' must be a robot"),
    "quay, issuer": (
        "quay",
        FIRST["quay"],
        _plain(401, error=f"issuer {ISSUER} not configured for this robot"),
        "add this iss",
    ),
    "quay, subject": (
        "quay",
        FIRST["quay"],
        _plain(401, error="Token does not match robot"),
        "exactly this sub",
    ),
    "jfrog, audience": (
        "jfrog",
        FIRST["jfrog"],
        _plain(400, errors=[{"status": 400, "message": "Invalid audience"}]),
        "must have this aud",
    ),
    "jfrog, mapping": (
        "jfrog",
        FIRST["jfrog"],
        _plain(401, errors=[{"status": 401, "message": "No identity mapping found"}]),
        "no identity mapping",
    ),
    "cloudsmith": ("cloudsmith", FIRST["cloudsmith"], _plain(401, detail="Invalid token."), "'service-slug'"),
    "chainguard": ("chainguard", FIRST["chainguard"], _plain(401, code=16, message="denied"), "identity 'identity'"),
}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_refusal_says_what_to_correct(name: str, world: Net, clouds: Clouds) -> None:
    entry, host, answer, sentence = DOCUMENTED[name]
    world.players[host] = lambda _: answer

    outcome = exchanged(world, clouds, [request(entry)]).outcomes[0]

    assert isinstance(outcome, ProviderRefusedError), outcome
    assert outcome.exit_code == EXIT_REFUSED
    assert sentence in outcome.remedy
    assert f"HTTP {answer.status}" in outcome.problem
    assert outcome.place == "registries[0] (line 1)"
    assert len(world.to(host)) == 1


@pytest.mark.parametrize("name", FIRST)
def test_a_refusal_shows_what_trust_policies_compare(name: str, world: Net, clouds: Clouds) -> None:
    world.players[FIRST[name]] = lambda _: Answer(403)

    outcome = exchanged(world, clouds, [request(name)]).outcomes[0]

    audience = PROVIDERS[name].audience(request(name)) or "https://github.com/octo"
    assert f"iss {ISSUER}, aud {audience}, sub {SUBJECT}" in str(outcome)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_is_busy_is_asked_again(status: int, world: Net, clouds: Clouds) -> None:
    for host in FIRST.values():
        world.players[host] = lambda _: Answer(status)

    outcomes = exchanged(world, clouds, _one_of_each()).outcomes

    assert all(isinstance(outcome, UnavailableError) for outcome in outcomes), outcomes
    assert {error.exit_code for error in outcomes if isinstance(error, UnavailableError)} == {EXIT_UNAVAILABLE}
    assert [len(world.to(host)) for host in FIRST.values()] == [4] * len(FIRST)


@pytest.mark.parametrize("name", FIRST)
def test_a_busy_server_that_answers_in_the_end(name: str, world: Net, clouds: Clouds) -> None:
    play = world.players[FIRST[name]]
    answers = [Answer(503, headers={"Retry-After": "0"})]
    world.players[FIRST[name]] = lambda asked: answers.pop() if answers else play(asked)

    assert isinstance(exchanged(world, clouds, [request(name)]).outcomes[0], Minted)


@pytest.mark.parametrize(
    "answer",
    [
        aws_error(400, "InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider"),
        aws_error(400, "IDPCommunicationError", "try again"),
        aws_error(400, "Throttling", "Rate exceeded"),
    ],
)
def test_what_aws_means_for_later_is_asked_again(answer: Answer, world: Net, clouds: Clouds) -> None:
    world.players[_AWS] = lambda _: answer

    outcome = exchanged(world, clouds, [request("aws")]).outcomes[0]

    assert isinstance(outcome, UnavailableError), outcome
    assert len(world.to(_AWS)) == 4


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b""),
        Answer(200, b"{}"),
        Answer(200, b"[1, 2]"),
        Answer(200, b"<a><b></a>"),
        Answer(200, b'{"access_token": 5, "token": null, "refresh_token": {}}'),
        Answer(200, b'{"access_token": "a\\nb", "token": "a\\u0000", "refresh_token": "\\ud800"}'),
        Answer(200, b'{"access_token": "", "token": "", "value": ""}'),
        Answer(200, b"\xff\xfe\x00"),
        Answer(204),
        Answer(302, headers={"Location": "https://elsewhere.example.com/"}),
        Answer(307, headers={"Location": "/elsewhere"}),
        Answer(200, b"[" * 100_000),
        Answer(200, b"x" * (1 << 20) + b"x"),
    ],
)
def test_an_answer_that_cannot_be_used(answer: Answer, world: Net, clouds: Clouds) -> None:
    for host in FIRST.values():
        world.players[host] = lambda _: answer

    outcomes = exchanged(world, clouds, _one_of_each()).outcomes

    assert all(isinstance(outcome, UnavailableError) for outcome in outcomes), outcomes
    assert [len(world.to(host)) for host in FIRST.values()] == [1] * len(FIRST)


def test_a_server_that_is_not_there(world: Net, clouds: Clouds) -> None:
    for host in FIRST.values():
        del world.players[host]

    outcomes = exchanged(world, clouds, _one_of_each()).outcomes

    for host, outcome in zip(FIRST.values(), outcomes, strict=True):
        assert isinstance(outcome, UnavailableError), outcome
        assert host in outcome.problem


def test_a_certificate_that_nobody_stands_for(world: Net, clouds: Clouds) -> None:
    token = clouds.issuer.sign("https://identity.docker.com")
    distrustful = world._replace(authority=world.authority.with_name("none.pem"))

    outcome = exchanged(distrustful, clouds, [request("docker-hub")._replace(id_token=token)]).outcomes[0]

    assert isinstance(outcome, UnavailableError), outcome
    assert "x509" in outcome.problem


def test_the_authority_of_the_entry_is_trusted(world: Net, clouds: Clouds) -> None:
    token = clouds.issuer.sign("https://identity.docker.com")
    distrustful = world._replace(authority=world.authority.with_name("none.pem"))
    entry = request("docker-hub")._replace(id_token=token, authorities=world.authority.read_text())

    assert isinstance(exchanged(distrustful, clouds, [entry]).outcomes[0], Minted)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_github_refuses(status: int, world: Net, clouds: Clouds) -> None:
    world.players[GITHUB] = lambda _: Answer(status)

    outcome = exchanged(world, clouds, [request("google"), request("quay", 1)]).outcomes

    assert all(isinstance(error, ProviderRefusedError) and error.remedy == NO_PERMISSION for error in outcome)
    assert [error.place for error in outcome if not isinstance(error, Minted)] == [
        "registries[0] (line 1)",
        "registries[1] (line 2)",
    ]
    assert not world.to(_GOOGLE)


def test_github_answers_rubbish(world: Net, clouds: Clouds) -> None:
    world.players[GITHUB] = lambda _: Answer(200, b'{"value": 7}')

    assert isinstance(exchanged(world, clouds, [request("google")]).outcomes[0], UnavailableError)


@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_provider_that_repeats_what_it_was_sent(status: int, world: Net, clouds: Clouds) -> None:
    """An error page may quote the whole request."""

    def echo(asked: Asked) -> Answer:
        # What is secret comes first, since a message quotes no more than 300 characters.
        token = re.search(r"eyJ[\w.-]+", asked.body.decode())
        secret = token[0] if token else asked.headers.get("Authorization")
        quoted = f"\x1b[31m\r\n::error::{secret} {asked.target} {asked.headers.items()} {asked.body!r}"
        if asked.host == _AWS:
            return aws_error(status, "Echo", quoted.replace("&", "").replace("<", "").replace("\x1b", ""))
        return _plain(status, error="echo", error_description=quoted, message=quoted, detail=quoted)

    for host in FIRST.values():
        world.players[host] = echo

    round_ = exchanged(world, clouds, _one_of_each())

    for outcome in round_.outcomes:
        assert not isinstance(outcome, Minted)
        shown = repr(outcome) + str(outcome)
        assert "echo" in shown.lower()
        assert _parts_in(shown, round_.told) == []
        assert not {"\x1b", "\n", "\r"} & set(str(outcome))


@pytest.mark.parametrize(("name", "host"), [("google", _ACCOUNT), ("azure", _ACR)])
def test_a_later_server_that_repeats_what_it_was_sent(name: str, host: str, world: Net, clouds: Clouds) -> None:
    def echo(asked: Asked) -> Answer:
        return _plain(403, message=f"echo {asked.headers.get('Authorization')} {asked.body!r}")

    world.players[host] = echo

    round_ = exchanged(world, clouds, [request(name)])

    shown = str(round_.outcomes[0])
    assert "echo" in shown
    assert len(round_.told) > 2
    assert _parts_in(shown, round_.told) == []


@pytest.mark.parametrize(
    ("sub", "username", "expected"),
    [
        ("jfrt@01abc/users/pusher", None, "pusher"),
        ("jfac@01abc/users/pusher", None, "pusher"),
        ("pusher", None, "pusher"),
        ("something/else", None, "something/else"),
        ("ignored", "named", "named"),
        (None, None, ""),
        ("a:b", None, ""),
        ("jfrt@01/users/", None, ""),
        ("good", "bad:name", ""),
        ("bad\nname", None, ""),
    ],
)
def test_the_user_of_jfrog(sub: str | None, username: str | None, expected: str, world: Net, clouds: Clouds) -> None:
    token = clouds.web_token(sub=sub)
    fields = {"access_token": token, "expires_in": 60, **({"username": username} if username else {})}
    world.players["acme.jfrog.io"] = lambda _: _plain(200, **fields)

    outcome = exchanged(world, clouds, [request("jfrog")]).outcomes[0]

    if expected:
        assert isinstance(outcome, Minted), outcome
        assert outcome.username == expected
    else:
        assert isinstance(outcome, UnavailableError), outcome
        assert "identity-mapping-name" in outcome.remedy


def test_all_failures_are_told(world: Net, clouds: Clouds) -> None:
    world.players["quay.io"] = lambda _: Answer(401)
    world.players[_GOOGLE] = lambda _: Answer(302, headers={"Location": "/"})

    outcomes = exchanged(world, clouds, [request("quay"), request("google", 1), request("docker-hub", 2)]).outcomes
    error = all_failures([outcome for outcome in outcomes if not isinstance(outcome, Minted)])

    assert error.exit_code == EXIT_REFUSED
    assert "registries[0] (line 1): Quay refused" in str(error)
    assert "registries[1] (line 2): Google cannot be asked" in str(error)


def test_an_id_token_that_is_none(world: Net, clouds: Clouds) -> None:
    outcome = exchanged(world, clouds, [request("docker-hub")._replace(id_token="not a token at all")]).outcomes[0]

    assert isinstance(outcome, ProviderRefusedError), outcome
    assert "no JSON Web Token" in outcome.problem
    assert "not a token" not in str(outcome)


def test_entries_do_not_show_their_secrets(clouds: Clouds) -> None:
    token = clouds.issuer.sign("x")

    assert token not in repr(request("quay")._replace(id_token=token))
    assert token not in repr(Minted("user", token))
