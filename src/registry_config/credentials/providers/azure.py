"""Azure Container Registry: a token of Entra ID, exchanged by the registry itself for its refresh token.

Sources: Microsoft identity platform, "client credentials flow, third case"; Azure/acr, `docs/AAD-OAuth.md`.
"""

from __future__ import annotations

from urllib.parse import quote

from registry_config.credentials.providers.shape import Minted
from registry_config.credentials.web_token import expiry
from registry_config.http.messages import form
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from registry_config.credentials.providers.asking import Asking
    from registry_config.credentials.providers.shape import Request

NAME: Final = "Azure"
_NO_MATCH: Final = (
    "no federated credential of 'client-id' has this iss, aud and sub: add one (az ad app federated-credential "
    "create); a new repository has its owner's and its own id in sub, and 'environment' changes it"
)
HOSTS: Final = "any registry"
CAUSES: Final = (
    ("aadsts7002138", "a federated credential differs from this sub in upper or lower case only: write it the same"),
    ("aadsts700213", _NO_MATCH),
    ("aadsts700211", "no federated credential of 'client-id' has this iss; look for a slash at its end"),
    ("aadsts700212", "no federated credential of 'client-id' has this aud; set 'audience' to the one it has"),
    ("aadsts70021", _NO_MATCH),
    ("aadsts700016", "'client-id' is not in this tenant: compare it with the app registration or managed identity"),
    ("aadsts90002", "there is no tenant 'tenant-id'"),
    ("aadsts700024", "the ID token is older than five minutes; is the clock of this machine right?"),
    ("not allowed access", "the registry's firewall does not let this machine in"),
    (
        "unauthorized",
        "give the identity AcrPull or AcrPush there; with ABAC Container Registry Repository Reader or Writer",
    ),
    ("", "compare these with the federated credentials of 'client-id', see docs/keyless.md"),
)
# Microsoft's own default for every cloud; a token for its resource manager is refused by many registries.
_SCOPE: Final = "https://containerregistry.azure.net/.default"
_USER: Final = "00000000-0000-0000-0000-000000000000"


def is_own_host(host: str) -> bool:
    """See `table.Provider`. A registry may have a name of its own."""
    return bool(host)


def audience(request: Request) -> str:
    """See `table.Provider`."""
    return request.settings.get("audience") or "api://AzureADTokenExchange"


def scope(request: Request) -> str:
    """See `table.Provider`. Each registry gives a token of its own."""
    return request.host


def exchange(request: Request, id_token: str, ask: Asking) -> Minted:
    """See `table.Provider`."""
    settings = request.settings
    authority = (settings.get("authority-host") or "https://login.microsoftonline.com").rstrip("/")
    fields = [
        ("grant_type", "client_credentials"),
        ("client_id", settings["client-id"]),
        ("scope", _SCOPE),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", id_token),
    ]
    url = f"{authority}/{quote(settings['tenant-id'], safe='')}/oauth2/v2.0/token"
    answer = ask.request("POST", url, body=form(fields)).fields()
    token = ask.learn(ask.text(answer.get("access_token"), "access_token"))
    exchanged = [("grant_type", "access_token"), ("service", request.host), ("access_token", token)]
    answer = ask.request("POST", f"https://{request.host}/oauth2/exchange", body=form(exchanged)).fields()
    secret = ask.text(answer.get("refresh_token"), "refresh_token")
    return Minted(_USER, secret, expiry(secret))
