"""Docker Hub: an OIDC connection of the organization.

Source: docker/oidc-action; docker/login-action, `src/dockerhub.ts`.
"""

from __future__ import annotations

import time

from registry_config.credentials.providers.shape import Minted, lasts_until
from registry_config.http.messages import form
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from registry_config.credentials.providers.asking import Asking
    from registry_config.credentials.providers.shape import Request

NAME: Final = "Docker Hub"
HOSTS: Final = "docker.io and dhi.io"
CAUSES: Final = (
    (
        "",
        (
            "likely no ruleset of the connection 'connection-id' allows this sub; Docker Home lists what it refused "
            "under the connection's Failures"
        ),
    ),
)
_URL: Final = "https://identity.docker.com/oauth/token"


def is_own_host(host: str) -> bool:
    """See `table.Provider`."""
    return host in ("docker.io", "dhi.io")


def audience(_: Request) -> str:
    """See `table.Provider`."""
    return "https://identity.docker.com"


def scope(_: Request) -> str:
    """See `table.Provider`. A token opens docker.io and dhi.io, as far as the connection does."""
    return ""


def exchange(request: Request, id_token: str, ask: Asking) -> Minted:
    """See `table.Provider`."""
    lifetime = request.settings.get("token-lifetime") or "3600"
    fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
        ("subject_token", id_token),
        ("connection_id", request.settings["connection-id"]),
        ("expires_in", lifetime),
    ]
    asked_at = time.time()
    answer = ask.request("POST", _URL, body=form(fields)).fields()
    secret = ask.text(answer.get("access_token"), "access_token")
    return Minted(request.settings["username"], secret, lasts_until(asked_at, answer.get("expires_in", lifetime)))
