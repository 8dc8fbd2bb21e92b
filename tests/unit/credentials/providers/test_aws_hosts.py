"""Hosts and servers of ECR in every partition, held against botocore's own data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore.endpoint_provider import EndpointProvider

from registry_config.credentials.providers.aws_hosts import ecr_host

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOADER = botocore.session.get_session().get_component("data_loader")
_PARTITIONS = _LOADER.load_data("partitions")
# How a registry's host ends in each partition, plain and by IPv6 too (empty: AWS names none).
_SUFFIXES = {
    "aws": ("amazonaws.com", "on.aws"),
    "aws-cn": ("amazonaws.com.cn", "on.amazonwebservices.com.cn"),
    "aws-eusc": ("amazonaws.eu", ""),
    "aws-iso": ("c2s.ic.gov", ""),
    "aws-iso-b": ("sc2s.sgov.gov", ""),
    "aws-iso-e": ("cloud.adc-e.uk", ""),
    "aws-iso-f": ("csp.hci.ic.gov", ""),
    "aws-us-gov": ("amazonaws.com", "on.aws"),
}


def _regions() -> Iterator[tuple[str, str]]:
    for partition in _PARTITIONS["partitions"]:
        for region in partition["regions"]:
            if not region.endswith("-global"):
                yield partition["id"], region


def _endpoint(service: str, region: str, *, fips: bool = False, dual_stack: bool = False) -> str:
    rules = _LOADER.load_service_model(service, "endpoint-rule-set-1")
    given: dict[str, Any] = {"Region": region, "UseFIPS": fips, "UseDualStack": dual_stack}
    if service == "sts":
        given["UseGlobalEndpoint"] = False
    return str(EndpointProvider(rules, _PARTITIONS).resolve_endpoint(**given).url)


def test_every_partition_is_known() -> None:
    assert {partition["id"] for partition in _PARTITIONS["partitions"]} == set(_SUFFIXES)


@pytest.mark.parametrize("fips", [False, True])
@pytest.mark.parametrize(("partition", "region"), list(_regions()))
def test_servers_of_a_registry(partition: str, region: str, fips: bool) -> None:  # noqa: FBT001
    suffix, _ = _SUFFIXES[partition]

    host = ecr_host(f"123456789012.dkr.ecr{'-fips' if fips else ''}.{region}.{suffix}")

    assert host is not None
    assert f"https://{host.token_server}" == _endpoint("ecr", region, fips=fips)
    assert f"https://{host.sts()}" == _endpoint("sts", region, fips=fips)


@pytest.mark.parametrize("fips", [False, True])
@pytest.mark.parametrize(("partition", "region"), [pair for pair in _regions() if _SUFFIXES[pair[0]][1]])
def test_servers_of_a_registry_by_ipv6(partition: str, region: str, fips: bool) -> None:  # noqa: FBT001
    _, suffix = _SUFFIXES[partition]

    host = ecr_host(f"123456789012.dkr-ecr{'-fips' if fips else ''}.{region}.{suffix}")

    assert host is not None
    assert f"https://{host.token_server}" == _endpoint("ecr", region, fips=fips, dual_stack=True)
    assert f"https://{host.sts()}" == _endpoint("sts", region, fips=fips, dual_stack=True)


@pytest.mark.parametrize(("name", "dual_stack"), [("public.ecr.aws", False), ("ecr-public.aws.com", True)])
def test_servers_of_the_public_registry(name: str, dual_stack: bool) -> None:  # noqa: FBT001
    host = ecr_host(name)

    assert host is not None
    assert host.is_public
    assert f"https://{host.token_server}" == _endpoint("ecr-public", "us-east-1", dual_stack=dual_stack)


def test_a_region_is_for_sts_alone() -> None:
    host = ecr_host("123456789012.dkr.ecr.eu-west-1.amazonaws.com")

    assert host is not None
    assert host.sts("eu-central-1") == "sts.eu-central-1.amazonaws.com"
    assert host.token_server == "api.ecr.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    "name",
    [
        "ghcr.io",
        "12345678901.dkr.ecr.eu-west-1.amazonaws.com",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com.example.org",
        "123456789012.dkr.ecr.eu-west-1.evil.com",
        "123456789012.dkr.ecr.amazonaws.com",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com:443",
        "x.123456789012.dkr.ecr.eu-west-1.amazonaws.com",
        "public.ecr.aws.example.org",
        "amazonaws.com",
    ],
)
def test_no_host_of_ecr(name: str) -> None:
    assert ecr_host(name) is None
