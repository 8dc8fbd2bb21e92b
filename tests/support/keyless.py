"""Entries of every provider, and a round of exchanges as a run makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from registry_config.credentials.providers.exchange import exchange_all
from registry_config.credentials.providers.shape import IdTokenSource, Minted, Request
from support.clouds import ACCOUNT, CLIENT, CONNECTION, IDENTITY, PROJECT, ROLE, TENANT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from registry_config.errors import RegistryConfigError
    from support.clouds import Clouds
    from support.net import Net

# For each provider: the host of the entry, the host that its registry is asked at, and the entry's keys.
ENTRIES = {
    "aws": ("public.ecr.aws", "public.ecr.aws", {"role-to-assume": ROLE}),
    "google": (
        "europe-docker.pkg.dev",
        "europe-docker.pkg.dev",
        {"workload-identity-provider": PROJECT, "service-account": ACCOUNT},
    ),
    "google, direct": ("us-docker.pkg.dev", "us-docker.pkg.dev", {"workload-identity-provider": PROJECT}),
    "azure": ("acme.azurecr.io", "acme.azurecr.io", {"client-id": CLIENT, "tenant-id": TENANT}),
    "docker-hub": ("docker.io", "registry-1.docker.io", {"username": "acme", "connection-id": CONNECTION}),
    "quay": ("quay.io", "quay.io", {"username": "acme+pusher"}),
    "jfrog": ("acme.jfrog.io", "acme.jfrog.io", {"oidc-provider-name": "github-acme"}),
    "cloudsmith": (
        "docker.cloudsmith.io",
        "docker.cloudsmith.io",
        {"namespace": "acme", "service-slug": "pusher-x1"},
    ),
    "chainguard": ("cgr.dev", "cgr.dev", {"identity": IDENTITY}),
}


def request(name: str, position: int = 0, **settings: str) -> Request:
    """The request of an entry of `ENTRIES`."""
    host, _, keys = ENTRIES[name]
    provider = name.partition(",")[0]
    return Request(f"registries[{position}] (line {position + 1})", host, provider, {**keys, **settings})


class Round(NamedTuple):
    """What came of a round, and which secrets were told of, in order."""

    outcomes: list[Minted | RegistryConfigError]
    told: list[tuple[str, str]]


def exchanged(net: Net, clouds: Clouds, requests: Sequence[Request]) -> Round:
    """Ask the providers of a net."""
    told: list[tuple[str, str]] = []
    source = IdTokenSource(*clouds.issuer.variables.values())
    outcomes = exchange_all(requests, source, net.variables, lambda *secret: told.append(secret))
    return Round(outcomes, told)
