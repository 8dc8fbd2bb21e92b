"""AWS on moto, which checks our signatures, with boto3 beside us."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from registry_config.credentials.providers import aws as provider
from registry_config.credentials.providers.asking import Asking
from registry_config.credentials.providers.aws_hosts import ecr_host
from registry_config.credentials.providers.shape import Minted, Request
from registry_config.errors import ProviderRefusedError
from support.aws import PASSWORD, REGION, REGISTRY, Aws, aws
from support.keyless import exchanged
from support.net import Net, net

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from registry_config.credentials.providers.sigv4 import Keys
    from support.clouds import Clouds

_STS = f"sts.{REGION}.amazonaws.com"
_ECR = f"api.ecr.{REGION}.amazonaws.com"


@pytest.fixture(scope="session")
def moto() -> Iterator[Aws]:
    with aws() as running:
        yield running


@pytest.fixture
def world(tmp_path: Path, clouds: Clouds, moto: Aws) -> Iterator[Net]:
    moto.reset()
    with net(tmp_path, {**clouds.players, **moto.players}) as running:
        yield running


def _request(role: str, **settings: str) -> Request:
    return Request("registries[0] (line 1)", REGISTRY, "aws", {"role-to-assume": role, **settings})


def _ask(world: Net) -> Asking:
    ask = Asking("registries[0] (line 1)", world.variables, lambda *_: None)
    ask.about(provider.NAME, provider.CAUSES)
    return ask


def _session(world: Net, role: str) -> Keys:
    """The keys that we get of STS."""
    host = ecr_host(REGISTRY)
    assert host is not None
    return provider._session(_request(role), host, "an ID token", _ask(world))  # noqa: SLF001  (moto wants it apart)


def _token(world: Net, keys: Keys) -> Minted:
    """What we get of ECR with these keys."""
    host = ecr_host(REGISTRY)
    assert host is not None
    return provider._authorization(host, keys, _ask(world))  # noqa: SLF001  (moto wants it apart)


def test_a_registry_gives_user_and_password(world: Net, clouds: Clouds, moto: Aws) -> None:
    outcome = exchanged(world, clouds, [_request(moto.role("pusher"))]).outcomes[0]

    assert isinstance(outcome, Minted), outcome
    assert (outcome.username, outcome.secret) == ("AWS", PASSWORD)


def test_the_signature_is_taken(world: Net, moto: Aws) -> None:
    keys = _session(world, moto.role("pusher", "ecr:GetAuthorizationToken"))
    moto.check_signatures()

    assert _token(world, keys).secret == PASSWORD


@pytest.mark.parametrize(
    ("part", "code"), [("secret_access_key", "SignatureDoesNotMatch"), ("session_token", "InvalidClientTokenId")]
)
def test_a_wrong_key_is_refused(part: str, code: str, world: Net, moto: Aws) -> None:
    keys = _session(world, moto.role("pusher", "ecr:GetAuthorizationToken"))
    moto.check_signatures()

    with pytest.raises(ProviderRefusedError) as refused:
        _token(world, keys._replace(**{part: "another"}))

    assert code in refused.value.problem


def test_a_role_without_the_permission(world: Net, moto: Aws) -> None:
    keys = _session(world, moto.role("puller"))
    moto.check_signatures()

    with pytest.raises(ProviderRefusedError) as refused:
        _token(world, keys)

    assert "AccessDenied" in refused.value.problem
    assert refused.value.remedy == "allow the role ecr:GetAuthorizationToken on *"
    assert len(world.to(_ECR)) == 1


def test_sts_is_asked_as_boto_asks(world: Net, clouds: Clouds, moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    role = moto.role("pusher")
    exchanged(world, clouds, [_request(role, **{"role-duration-seconds": "900"})])
    ours = world.to(_STS)[0]
    world.asked.clear()
    client = boto3.client("sts", **_boto(world, monkeypatch), config=Config(signature_version=UNSIGNED))
    client.assume_role_with_web_identity(
        RoleArn=role,
        RoleSessionName="registry-config",
        WebIdentityToken=ours.form["WebIdentityToken"],
        DurationSeconds=900,
    )
    theirs = world.to(_STS)[0]

    assert ours.form == theirs.form
    assert (ours.method, ours.target) == (theirs.method, theirs.target)
    assert "Authorization" not in ours.headers
    assert "Authorization" not in theirs.headers


def test_ecr_is_asked_as_boto_asks(world: Net, clouds: Clouds, moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    exchanged(world, clouds, [_request(moto.role("pusher"))])
    ours = world.to(_ECR)[0]
    world.asked.clear()
    client = boto3.client(
        "ecr",
        **_boto(world, monkeypatch),
        aws_access_key_id="ASIAEXAMPLE",
        aws_secret_access_key="secret",
        aws_session_token="session",
    )
    client.get_authorization_token()
    theirs = world.to(_ECR)[0]

    assert (ours.method, ours.target, ours.body) == (theirs.method, theirs.target, theirs.body)
    for name in ("X-Amz-Target", "Content-Type"):
        assert ours.headers[name] == theirs.headers[name]
    covered = [
        headers["Authorization"].split("SignedHeaders=")[1].split(",")[0] for headers in (ours.headers, theirs.headers)
    ]
    assert covered[0] == covered[1]


def test_the_settings_arrive(world: Net, clouds: Clouds, moto: Aws) -> None:
    world.players["sts.us-west-2.amazonaws.com"] = moto.players[_STS]
    settings = {"region": "us-west-2", "audience": "our-own", "role-session-name": "release"}

    exchanged(world, clouds, [_request(moto.role("pusher"), **settings)])

    asked = world.to("sts.us-west-2.amazonaws.com")[0]
    assert asked.form["RoleSessionName"] == "release"
    assert clouds.issuer.verify(asked.form["WebIdentityToken"], "our-own")
    assert world.to(_ECR)


def test_another_server_for_sts(world: Net, clouds: Clouds, moto: Aws) -> None:
    world.players["sts.example.com"] = moto.players[_STS]

    exchanged(world, clouds, [_request(moto.role("pusher"), **{"sts-endpoint": "https://sts.example.com"})])

    assert world.to("sts.example.com")[0].target == "/"
    assert not world.to(_STS)


def test_one_token_for_all_registries_of_a_region(world: Net, clouds: Clouds, moto: Aws) -> None:
    first = _request(moto.role("pusher"))
    second = first._replace(place="registries[1] (line 2)", host=f"210987654321.dkr.ecr.{REGION}.amazonaws.com")

    outcomes = exchanged(world, clouds, [first, second]).outcomes

    assert outcomes[0] == outcomes[1]
    assert len(world.to(_ECR)) == 1


def test_a_wrong_clock_is_seen(world: Net, clouds: Clouds, moto: Aws) -> None:
    # moto's tokens expired in 2015.
    outcome = exchanged(world, clouds, [_request(moto.role("pusher"))]).outcomes[0]

    assert isinstance(outcome, Minted)
    assert outcome.expires is not None
    assert outcome.expires < time.time()


def _boto(world: Net, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The arguments, and the environment, with which boto asks in this net."""
    monkeypatch.setenv("HTTPS_PROXY", world.proxy)
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "regional")
    return {"region_name": REGION, "verify": str(world.authority)}
