"""Every provider gives its credential, to the right audience, asked once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from registry_config.credentials.providers.shape import Minted
from registry_config.credentials.providers.table import PROVIDERS
from registry_config.errors import ProviderRefusedError
from support.identity import HOST as GITHUB
from support.identity import LIFE_SECONDS
from support.keyless import ENTRIES, exchanged, request

if TYPE_CHECKING:
    from support.clouds import Clouds
    from support.net import Net


def test_each_provider_has_an_entry_here() -> None:
    assert {name.partition(",")[0] for name in ENTRIES} == set(PROVIDERS)


@pytest.mark.parametrize("name", ENTRIES)
def test_a_provider_gives_user_and_password(name: str, world: Net, clouds: Clouds) -> None:
    outcome = exchanged(world, clouds, [request(name)]).outcomes[0]

    assert isinstance(outcome, Minted), outcome
    assert (outcome.username, outcome.secret) == clouds.passwords[ENTRIES[name][1]]


@pytest.mark.parametrize("name", ENTRIES)
def test_the_expiry_is_known(name: str, world: Net, clouds: Clouds) -> None:
    clouds.life = 1800
    before = time.time()

    outcome = exchanged(world, clouds, [request(name)]).outcomes[0]

    assert isinstance(outcome, Minted), outcome
    # A federated token of Google ends with the ID token; these web tokens were made with the fixture, for an hour.
    life = LIFE_SECONDS if name == "google, direct" else 1800
    life = 3600 if name in ("docker-hub", "azure", "quay", "chainguard") else life
    life = 7200 if name == "cloudsmith" else life
    assert outcome.expires is not None
    assert before + life - 10 <= outcome.expires <= time.time() + life


def test_every_secret_on_the_way_is_told_of(world: Net, clouds: Clouds) -> None:
    requests = [request(name, position) for position, name in enumerate(ENTRIES)]

    told = exchanged(world, clouds, requests).told

    assert clouds.between
    assert set(clouds.secrets) <= set(told)


def test_github_is_asked_once_for_each_audience(world: Net, clouds: Clouds) -> None:
    # Quay, JFrog and Cloudsmith take GitHub's own audience; both entries of Google share one.
    exchanged(world, clouds, [request(name, position) for position, name in enumerate(ENTRIES)])

    audiences = [asked.query.get("audience", "") for asked in world.to(GITHUB)]
    assert sorted(audiences) == sorted(set(audiences))
    assert len(audiences) == 6
    assert all(asked.query["api-version"] == "2.0" for asked in world.to(GITHUB))


def test_entries_that_can_share_a_credential_do(world: Net, clouds: Clouds) -> None:
    first, second = request("google", 0), request("google", 1)._replace(host="asia-docker.pkg.dev")

    outcomes = exchanged(world, clouds, [first, second]).outcomes

    assert outcomes[0] == outcomes[1]
    assert len(world.to("sts.googleapis.com")) == 1


def test_two_registries_of_azure_do_not_share_one(world: Net, clouds: Clouds) -> None:
    world.players["other.azurecr.io"] = world.players["acme.azurecr.io"]
    first, second = request("azure", 0), request("azure", 1)._replace(host="other.azurecr.io")

    outcomes = exchanged(world, clouds, [first, second]).outcomes

    assert isinstance(outcomes[0], Minted)
    # The played registry knows its own name alone.
    assert isinstance(outcomes[1], ProviderRefusedError)
    assert outcomes[1].place == "registries[1] (line 2)"


def test_the_token_of_another_ci_is_used_as_it_is(world: Net, clouds: Clouds) -> None:
    token = clouds.issuer.sign("https://identity.docker.com")

    outcome = exchanged(world, clouds, [request("docker-hub")._replace(id_token=token)]).outcomes[0]

    assert isinstance(outcome, Minted), outcome
    assert not world.to(GITHUB)


def test_the_lifetime_that_is_asked_for_arrives(world: Net, clouds: Clouds) -> None:
    requests = [
        request("docker-hub", 0, **{"token-lifetime": "600"}),
        request("google", 1, **{"token-lifetime": "1200"}),
    ]

    exchanged(world, clouds, requests)

    assert world.to("identity.docker.com")[0].form["expires_in"] == "600"
    assert b'"1200s"' in world.to("iamcredentials.googleapis.com")[0].body


def test_nothing_goes_anywhere_but_to_the_provider(world: Net, clouds: Clouds) -> None:
    exchanged(world, clouds, [request("jfrog")])

    assert set(world.connected) == {f"{GITHUB}:443", "acme.jfrog.io:443"}
