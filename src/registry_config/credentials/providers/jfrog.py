"""JFrog Artifactory: an OIDC integration of the platform, whose identity mapping decides user and lifetime.

Source: jfrog/setup-jfrog-cli, `src/oidc-utils.ts`; JFrog REST API, "Exchange OIDC token".
"""

from __future__ import annotations

import time

from registry_config.credentials.providers.shape import Minted, lasts_until
from registry_config.credentials.web_token import claims, expiry
from registry_config.declaration.sources import check_username
from registry_config.http.messages import json_body
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from registry_config.credentials.providers.asking import Asking
    from registry_config.credentials.providers.shape import Request

NAME: Final = "JFrog"
HOSTS: Final = "any registry"
CAUSES: Final = (
    ("audience", "the integration 'oidc-provider-name' must have this aud, or set 'audience' to the one it has"),
    ("mapping", "no identity mapping of the integration fits these claims; the first one by priority counts"),
    ("provider", "'oidc-provider-name' must be the name of an OIDC integration of this platform"),
    ("", "compare these with the identity mappings of 'oidc-provider-name', see docs/keyless.md"),
)


def is_own_host(host: str) -> bool:
    """See `table.Provider`. Anybody may run one."""
    return bool(host)


def audience(request: Request) -> str:
    """See `table.Provider`."""
    return request.settings.get("audience", "")


def scope(request: Request) -> str:
    """See `table.Provider`."""
    return request.host


def exchange(request: Request, id_token: str, ask: Asking) -> Minted:
    """See `table.Provider`."""
    settings = request.settings
    url = (settings.get("url") or f"https://{request.host}").rstrip("/")
    body = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
        "subject_token": id_token,
        "provider_name": settings["oidc-provider-name"],
    }
    if request.id_token is None:
        body["provider_type"] = "GitHub"
    further = {"identity_mapping_name": "identity-mapping-name", "project_key": "project-key", "audience": "audience"}
    body |= {field: settings[key] for field, key in further.items() if settings.get(key)}
    asked_at = time.time()
    answer = ask.request("POST", f"{url}/access/api/v1/oidc/token", body=json_body(body)).fields()
    secret = ask.learn(ask.text(answer.get("access_token"), "access_token"))
    return Minted(
        _username(answer.get("username"), secret, ask),
        secret,
        lasts_until(asked_at, answer.get("expires_in")) or expiry(secret),
    )


def _username(named: object, secret: str, ask: Asking) -> str:
    """The user of the answer, or the one whom the token's `sub` names (`jfrt@…/users/NAME` or the name itself)."""
    subject = claims(secret).get("sub")
    name = named if isinstance(named, str) and named else subject
    if name is subject and isinstance(name, str) and (name.startswith("jfrt@") or "/users/" in name):
        name = name.rpartition("/")[2]
    try:
        if isinstance(name, str):
            check_username(name)
            return ask.text(name, "username")
    except ValueError:
        pass
    raise ask.unusable(
        "names no user that a registry could take", "set 'identity-mapping-name' to a mapping with a user name"
    )
