"""Chainguard: an assumable identity. Its own program, chainctl, asks the same server.

Source: chainguard-dev/sdk, `sts/`.
"""

from __future__ import annotations

from urllib.parse import urlencode

from registry_config.credentials.providers.shape import Minted
from registry_config.credentials.web_token import expiry
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from registry_config.credentials.providers.asking import Asking
    from registry_config.credentials.providers.shape import Request

NAME: Final = "Chainguard"
HOSTS: Final = "cgr.dev"
CAUSES: Final = (
    (
        "",
        "likely the identity 'identity' does not exist, or does not take this iss and sub (chainctl iam identities ls)",
    ),
)
_AUDIENCE: Final = "cgr.dev"


def is_own_host(host: str) -> bool:
    """See `table.Provider`."""
    return host == "cgr.dev"


def audience(request: Request) -> str:
    """See `table.Provider`."""
    return request.settings.get("audience") or _AUDIENCE


def scope(_: Request) -> str:
    """See `table.Provider`. There is one registry."""
    return ""


def exchange(request: Request, id_token: str, ask: Asking) -> Minted:
    """See `table.Provider`."""
    query = urlencode({"aud": _AUDIENCE, "identity": request.settings["identity"]})
    url = f"https://issuer.enforce.dev/sts/exchange?{query}"
    answer = ask.request("GET", url, {"Authorization": f"Bearer {id_token}"}).fields()
    secret = ask.text(answer.get("token"), "token")
    return Minted("user", secret, expiry(secret))
