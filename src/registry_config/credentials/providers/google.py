"""Google Artifact Registry: a federated token from STS, and with a service account that account's token.

Sources: Security Token Service v1, `token`; IAM Service Account Credentials v1, `generateAccessToken`.
"""

from __future__ import annotations

import re
import time
from urllib.parse import quote

from registry_config.credentials.providers.shape import Minted, lasts_until
from registry_config.credentials.web_token import expiry
from registry_config.http.messages import form, json_body
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from registry_config.credentials.providers.asking import Asking
    from registry_config.credentials.providers.shape import Request

NAME: Final = "Google"
_ALLOW: Final = "likely the provider's attribute condition does not allow this sub or repository"
HOSTS: Final = "Artifact Registry, such as europe-docker.pkg.dev, and gcr.io"
CAUSES: Final = (
    (
        "invalid_target",
        (
            "'workload-identity-provider' must be the provider's full name with the project's number, "
            "projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER, and must not be disabled"
        ),
    ),
    ("attribute condition", _ALLOW),
    ("audience", "add this aud to the provider's allowed audiences, or set 'audience' to one of them"),
    ("issuer", "the provider in Google Cloud must have this iss as its issuer"),
    ("127 bytes", "an attribute mapping is longer than 127 bytes: map a shorter claim than this sub"),
    (
        "getaccesstoken",
        (
            "grant roles/iam.workloadIdentityUser on 'service-account' to the principal of this sub or repository; "
            "a change takes up to five minutes"
        ),
    ),
    ("lifetime", "lower 'token-lifetime'; more than 1h needs an exception in the organization's policy"),
    ("invalid_grant", _ALLOW),
    ("", "compare these with the workload identity provider's settings, see docs/keyless.md"),
)
_TOKEN_TYPE: Final = "urn:ietf:params:oauth:token-type:"  # noqa: S105  (no secret)
_CLOUD: Final = "https://www.googleapis.com/auth/cloud-platform"
# Enough for getting the account's token; Google's own clients ask for no more either.
_IAM: Final = "https://www.googleapis.com/auth/iam"
_HOST: Final = re.compile(
    r"[a-z0-9-]+-docker\.pkg\.dev|docker\.[a-z0-9-]+\.rep\.pkg\.dev|(?:[a-z0-9-]+\.)?gcr\.io",
)
# RFC 3339, with or without fractions, always UTC.
_TIME: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?Z")


def is_own_host(host: str) -> bool:
    """See `table.Provider`."""
    return bool(_HOST.fullmatch(host))


def audience(request: Request) -> str:
    """See `table.Provider`."""
    return request.settings.get("audience") or f"https://iam.googleapis.com/{_provider(request)}"


def scope(_: Request) -> str:
    """See `table.Provider`. A token opens every registry that the principal may use."""
    return ""


def exchange(request: Request, id_token: str, ask: Asking) -> Minted:
    """See `table.Provider`."""
    account = request.settings.get("service-account")
    fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("audience", f"//iam.googleapis.com/{_provider(request)}"),
        ("requested_token_type", f"{_TOKEN_TYPE}access_token"),
        ("subject_token_type", f"{_TOKEN_TYPE}jwt"),
        ("subject_token", id_token),
        ("scope", _IAM if account else _CLOUD),
    ]
    asked_at = time.time()
    answer = ask.request("POST", "https://sts.googleapis.com/v1/token", body=form(fields)).fields()
    token = ask.learn(ask.text(answer.get("access_token"), "access_token"))
    if account:
        return _impersonated(request, account, token, ask)
    # It ends with the ID token, whatever the answer says.
    ends = (lasts_until(asked_at, answer.get("expires_in")), expiry(id_token))
    return Minted("oauth2accesstoken", token, min((end for end in ends if end), default=None))


def _impersonated(request: Request, account: str, token: str, ask: Asking) -> Minted:
    name = quote(account, safe="@")
    url = f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{name}:generateAccessToken"
    body = {"scope": [_CLOUD], "lifetime": f"{request.settings.get('token-lifetime') or 3600}s"}
    answer = ask.request("POST", url, {"Authorization": f"Bearer {token}"}, json_body(body)).fields()
    secret = ask.text(answer.get("accessToken"), "accessToken")
    return Minted("oauth2accesstoken", secret, _moment(answer.get("expireTime")))


def _provider(request: Request) -> str:
    return request.settings["workload-identity-provider"]


def _moment(text: object) -> float | None:
    from datetime import datetime, timezone  # noqa: PLC0415  (here alone)

    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    try:
        return datetime.fromisoformat(found[1]).replace(tzinfo=timezone.utc).timestamp() if found else None
    except ValueError:
        return None
