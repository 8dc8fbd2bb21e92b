"""Our signature, held against botocore's."""

from __future__ import annotations

import time

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from registry_config.credentials.providers import sigv4

_KEYS = sigv4.Keys("ASIAEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "FwoGZXIvYXdzEBYaDK//session==")


class _At(SigV4Auth):  # type: ignore[misc]
    """Botocore's signer at a given moment, which it takes from the request's own context."""

    def __init__(self, moment: float, region: str, service: str) -> None:
        super().__init__(Credentials(*_KEYS), service, region)
        self.moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(moment))

    def of(self, request: AWSRequest) -> str:
        request.context["timestamp"] = self.moment
        self._modify_request_before_signing(request)
        text = self.string_to_sign(request, self.canonical_request(request))
        self._inject_signature_to_request(request, self.signature(text, request))
        return str(request.headers["Authorization"])


@pytest.mark.parametrize("service", ["ecr", "ecr-public"])
@given(
    moment=st.integers(0, 4_000_000_000),
    region=st.sampled_from(["us-east-1", "cn-north-1", "us-gov-west-1"]),
    body=st.binary(max_size=50),
    # White space in a header counts once, and not at its ends.
    value=st.text("abc  \t.;=", min_size=1, max_size=20).filter(str.strip),
)
def test_the_signature_is_botocores(service: str, moment: int, region: str, body: bytes, value: str) -> None:
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": value}
    host = f"api.{service}.{region}.amazonaws.com"
    request = AWSRequest("POST", f"https://{host}/", dict(headers), body)

    ours = sigv4.signed_headers(host, headers, body, _KEYS, region=region, service=service, moment=moment)

    assert ours["Authorization"] == _At(moment, region, service).of(request)
    assert ours["X-Amz-Security-Token"] == _KEYS.session_token


def test_keys_do_not_show_themselves() -> None:
    assert not any(part in repr(_KEYS) for part in _KEYS)
