"""Hosts of ECR, and which servers give tokens for them, in every partition of AWS.

Sources: `api/client.go` of awslabs/amazon-ecr-credential-helper for the hosts; botocore's `partitions.json` and
`endpoint-rule-set-1.json` of sts, ecr and ecr-public for the servers.
"""

from __future__ import annotations

import re

from registry_config.light_typing import Final, NamedTuple

_PRIVATE: Final = re.compile(r"[0-9]{12}\.dkr[.-]ecr(-fips)?\.([a-z0-9][a-z0-9-]*)\.([a-z0-9.-]+)")
# What a registry's host ends in, what its API's host ends in, and whether that is reached by IPv6 too.
_SUFFIXES: Final = {
    "amazonaws.com": ("amazonaws.com", False),
    "amazonaws.com.cn": ("amazonaws.com.cn", False),
    "amazonaws.eu": ("amazonaws.eu", False),
    "c2s.ic.gov": ("c2s.ic.gov", False),
    "sc2s.sgov.gov": ("sc2s.sgov.gov", False),
    "cloud.adc-e.uk": ("cloud.adc-e.uk", False),
    "csp.hci.ic.gov": ("csp.hci.ic.gov", False),
    "on.aws": ("api.aws", True),
    "on.amazonwebservices.com.cn": ("api.amazonwebservices.com.cn", True),
}
_PUBLIC: Final = {"public.ecr.aws": False, "ecr-public.aws.com": True}
# The public registry has one API for the whole world.
_PUBLIC_REGION: Final = "us-east-1"


class EcrHost(NamedTuple):
    """What a registry's host says.

    Attributes:
        region: where its token comes from.
        suffix: of the hosts of AWS's servers there.
        is_public: the public registry.
        is_fips: it is reached by validated cryptography alone.
        is_dual_stack: it is reached by IPv6 too.
    """

    region: str
    suffix: str
    is_public: bool = False
    is_fips: bool = False
    is_dual_stack: bool = False

    @property
    def is_china(self) -> bool:
        """Whether it is in China, which has an audience of its own."""
        return self.suffix.endswith(".cn")

    @property
    def token_server(self) -> str:
        """The host that gives tokens for the registry."""
        name = "ecr-public" if self.is_public else "ecr"
        api = "" if self.is_dual_stack else "api."
        return f"{api}{name}{'-fips' if self.is_fips else ''}.{self.region}.{self.suffix}"

    def sts(self, region: str = "") -> str:
        """The host of STS, in the registry's own region unless another one is named."""
        there = region or self.region
        # In GovCloud the ordinary name is the validated one.
        plain = not self.is_fips or (there.startswith("us-gov-") and not self.is_dual_stack)
        return f"sts{'' if plain else '-fips'}.{there}.{self.suffix}"


def ecr_host(host: str) -> EcrHost | None:
    """What a host says; None where it is not ECR's."""
    if host in _PUBLIC:
        is_dual_stack = _PUBLIC[host]
        suffix = "api.aws" if is_dual_stack else "amazonaws.com"
        return EcrHost(_PUBLIC_REGION, suffix, is_public=True, is_dual_stack=is_dual_stack)
    match = _PRIVATE.fullmatch(host)
    if not match or match[3] not in _SUFFIXES:
        return None
    suffix, is_dual_stack = _SUFFIXES[match[3]]
    return EcrHost(match[2], suffix, is_fips=bool(match[1]), is_dual_stack=is_dual_stack)
