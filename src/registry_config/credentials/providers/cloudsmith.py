"""Cloudsmith: a service account of the organization.

Source: Cloudsmith documentation, "OpenID Connect"; cloudsmith-io/cloudsmith-cli-action.
"""

from __future__ import annotations

import time
from urllib.parse import quote

from registry_config.credentials.providers.shape import Minted
from registry_config.credentials.web_token import expiry
from registry_config.http.messages import json_body
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from registry_config.credentials.providers.asking import Asking
    from registry_config.credentials.providers.shape import Request

NAME: Final = "Cloudsmith"
HOSTS: Final = "cloudsmith.io, such as docker.cloudsmith.io"
CAUSES: Final = (
    (
        "",
        (
            "likely no OIDC provider of 'namespace' has this iss and these claims and lists 'service-slug' among its "
            "service accounts"
        ),
    ),
)
# As documented; the token says so itself where it is a JSON Web Token.
_LIFE_SECONDS: Final = 7200


def is_own_host(host: str) -> bool:
    """See `table.Provider`."""
    return host.endswith(".cloudsmith.io")


def audience(request: Request) -> str:
    """See `table.Provider`."""
    return request.settings.get("audience", "")


def scope(_: Request) -> str:
    """See `table.Provider`. A token opens every repository of the service account."""
    return ""


def exchange(request: Request, id_token: str, ask: Asking) -> Minted:
    """See `table.Provider`."""
    url = f"https://api.cloudsmith.io/openid/{quote(request.settings['namespace'], safe='')}/"
    service = request.settings["service-slug"]
    asked_at = time.time()
    body = json_body({"oidc_token": id_token, "service_slug": service})
    answer = ask.request("POST", url, body=body).fields()
    secret = ask.text(answer.get("token"), "token")
    return Minted(service, secret, expiry(secret) or asked_at + _LIFE_SECONDS)
