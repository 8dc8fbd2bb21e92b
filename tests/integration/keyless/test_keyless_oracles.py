"""Our requests beside those of the clouds' own clients, field by field."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import google.auth.transport.requests
import pytest
from azure.containerregistry import ContainerRegistryClient
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientAssertionCredential
from google.auth import identity_pool

from registry_config.credentials.providers.shape import Minted
from support.clouds import ACCOUNT, CLIENT, PROJECT, TENANT
from support.http_server import Answer
from support.keyless import exchanged, request

if TYPE_CHECKING:
    from support.clouds import Clouds
    from support.net import Asked, Net, Player

_ACR = "acme.azurecr.io"
_ENTRA = "login.microsoftonline.com"
_CLOUD = "https://www.googleapis.com/auth/cloud-platform"


@pytest.fixture(autouse=True)
def in_the_net(world: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the clouds' clients ask in this net too."""
    monkeypatch.setenv("HTTPS_PROXY", world.proxy)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(world.authority))


class _Supplier(identity_pool.SubjectTokenSupplier):
    """Gives google-auth an ID token."""

    def __init__(self, token: str) -> None:
        self.token = token

    def get_subject_token(self, context: object, request: object) -> str:  # noqa: ARG002
        return self.token


def _google_auth(clouds: Clouds, *, account: str = "") -> str:
    """The token that Google's own client gets."""
    credentials = identity_pool.Credentials(  # type: ignore[no-untyped-call]
        audience=f"//iam.googleapis.com/{PROJECT}",
        subject_token_type="urn:ietf:params:oauth:token-type:jwt",
        token_url="https://sts.googleapis.com/v1/token",
        subject_token_supplier=_Supplier(clouds.issuer.sign(f"https://iam.googleapis.com/{PROJECT}")),
        service_account_impersonation_url=(
            f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{account}:generateAccessToken"
            if account
            else None
        ),
        scopes=[_CLOUD],
    )
    credentials.refresh(google.auth.transport.requests.Request())  # type: ignore[no-untyped-call]
    return str(credentials.token)


def test_google(world: Net, clouds: Clouds) -> None:
    ours = exchanged(world, clouds, [request("google, direct")]).outcomes[0]
    (our_call,) = world.to("sts.googleapis.com")
    world.asked.clear()
    theirs = _google_auth(clouds)
    (their_call,) = world.to("sts.googleapis.com")

    assert isinstance(ours, Minted)
    assert ours.secret == theirs
    assert (our_call.method, our_call.target) == (their_call.method, their_call.target)
    assert _without(our_call.form, "subject_token") == _without(their_call.form, "subject_token")


def test_google_with_an_account(world: Net, clouds: Clouds) -> None:
    ours = exchanged(world, clouds, [request("google")]).outcomes[0]
    our_calls = [world.to("sts.googleapis.com")[0], world.to("iamcredentials.googleapis.com")[0]]
    world.asked.clear()
    theirs = _google_auth(clouds, account=ACCOUNT)
    their_calls = [world.to("sts.googleapis.com")[0], world.to("iamcredentials.googleapis.com")[0]]

    assert isinstance(ours, Minted)
    assert ours.secret == theirs
    assert [(call.method, call.target) for call in our_calls] == [(call.method, call.target) for call in their_calls]
    assert _without(our_calls[0].form, "subject_token") == _without(their_calls[0].form, "subject_token")
    assert json.loads(our_calls[1].body) == _given(json.loads(their_calls[1].body))
    headers = [call.headers["Authorization"].partition(" ")[0] for call in (our_calls[1], their_calls[1])]
    assert headers == ["Bearer", "Bearer"]


def test_azure(world: Net, clouds: Clouds) -> None:
    exchanged(world, clouds, [request("azure")])
    (ours,) = world.to(_ENTRA)
    world.asked.clear()
    world.players[_ENTRA] = _with_discovery(world, _ENTRA)
    _entra(clouds).get_token("https://containerregistry.azure.net/.default")
    theirs = next(call for call in world.to(_ENTRA) if call.method == "POST")

    assert ours.target == theirs.target
    shared = {name: value for name, value in theirs.form.items() if name in ours.form}
    assert _without(ours.form, "client_assertion") == _without(shared, "client_assertion")
    # What they have besides tells the server about their library, and asks for a field of the answer.
    assert set(theirs.form) - set(ours.form) <= {"client_info"}


def test_the_registry_of_azure(world: Net, clouds: Clouds) -> None:
    exchanged(world, clouds, [request("azure")])
    (ours,) = world.to(_ACR)
    world.asked.clear()
    world.players[_ENTRA] = _with_discovery(world, _ENTRA)
    world.players[_ACR] = _with_challenge(world)
    with (
        ContainerRegistryClient(f"https://{_ACR}", _entra(clouds)) as client,
        # The played registry has no list of repositories; it was asked for the token before.
        pytest.raises(HttpResponseError),
    ):
        list(client.list_repository_names())
    theirs = next(call for call in world.to(_ACR) if call.path == "/oauth2/exchange")

    # The version that they name is not in the registry's documentation of this call.
    assert (ours.method, ours.path, set(theirs.query) - {"api-version"}) == (theirs.method, theirs.path, set())
    # A new token of Entra ID each time.
    assert _without(ours.form, "access_token") == _without(theirs.form, "access_token")
    assert {ours.form["access_token"], theirs.form["access_token"]} <= set(clouds.between)


def _entra(clouds: Clouds) -> ClientAssertionCredential:
    return ClientAssertionCredential(TENANT, CLIENT, lambda: clouds.issuer.sign("api://AzureADTokenExchange"))


def _with_discovery(world: Net, host: str) -> Player:
    """Entra ID as Microsoft's client wants it: with its OpenID configuration."""
    play = world.players[host]
    base = f"https://{host}/{TENANT}"
    document = {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "issuer": f"{base}/v2.0",
        "tenant_discovery_endpoint": f"{base}/v2.0/.well-known/openid-configuration",
        "metadata": [],
    }

    def answer(asked: Asked) -> Answer:
        if asked.method == "GET":
            return Answer(200, json.dumps(document).encode(), {"Content-Type": "application/json"})
        return play(asked)

    return answer


def _with_challenge(world: Net) -> Player:
    """The registry as its client wants it: it says where tokens are to be had."""
    play = world.players[_ACR]
    challenge = f'Bearer realm="https://{_ACR}/oauth2/token",service="{_ACR}",scope="registry:catalog:*"'

    def answer(asked: Asked) -> Answer:
        if asked.path.startswith("/acr/v1/"):
            return Answer(401, b"{}", {"WWW-Authenticate": challenge, "Content-Type": "application/json"})
        return play(asked)

    return answer


def _without(fields: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name not in names}


def _given(fields: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}
