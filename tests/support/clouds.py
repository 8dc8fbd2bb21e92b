"""Identity providers, played by their documentation. They verify the ID token, and give a credential of their own.

What AWS does is moto's in most tests; only its public registry, which moto does not know, is played here.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from typing import TYPE_CHECKING

import jwt

from support.http_server import Answer
from support.identity import HOST as GITHUB
from support.identity import OWNER, Issuer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.net import Asked

PROJECT = "projects/123456789/locations/global/workloadIdentityPools/ci/providers/github"
ACCOUNT = "pusher@acme.iam.gserviceaccount.com"
TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT = "66666666-7777-8888-9999-000000000000"
CONNECTION = "0f0e0d0c-0b0a-0908-0706-050403020100"
IDENTITY = "8b7e/4c2a"
ROLE = "arn:aws:iam::123456789012:role/pusher"
KEY_OF_TESTS = "a key that only the tests know, of 32 bytes or more"
_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_TYPE = "urn:ietf:params:oauth:token-type:"


class Clouds:
    """All providers, and what they gave.

    Attributes:
        issuer: whose tokens they trust.
        passwords: for each host of a registry user and password, as they stay for these clouds.
        between: tokens and keys on the way there.
        life: seconds that what they give is good for.
    """

    def __init__(self, life: int = 3600) -> None:
        self.issuer = Issuer()
        self.life = life
        self.between: list[str] = []
        self.passwords = {
            "europe-docker.pkg.dev": ("oauth2accesstoken", self._new("ya29.account")),
            "us-docker.pkg.dev": ("oauth2accesstoken", self._new("ya29.federated")),
            "acme.azurecr.io": ("00000000-0000-0000-0000-000000000000", self.web_token()),
            "registry-1.docker.io": ("acme", self._new("dckr_oidc")),
            "quay.io": ("acme+pusher", self.web_token()),
            "acme.jfrog.io": ("pusher", self.web_token(sub="jfac@01/users/pusher")),
            "docker.cloudsmith.io": ("pusher-x1", self._new("cs")),
            "cgr.dev": ("user", self.web_token()),
            "public.ecr.aws": ("AWS", self._new("ecr-public")),
        }

    @property
    def players(self) -> Mapping[str, Callable[[Asked], Answer]]:
        """What answers for each host."""
        return {
            GITHUB: self.issuer.play,
            "sts.googleapis.com": self._google,
            "iamcredentials.googleapis.com": self._google_account,
            "login.microsoftonline.com": self._entra,
            "acme.azurecr.io": self._azure_registry,
            "identity.docker.com": self._docker_hub,
            "quay.io": self._quay,
            "acme.jfrog.io": self._jfrog,
            "api.cloudsmith.io": self._cloudsmith,
            "issuer.enforce.dev": self._chainguard,
            "sts.us-east-1.amazonaws.com": self._aws,
            "api.ecr-public.us-east-1.amazonaws.com": self._ecr_public,
        }

    @property
    def secrets(self) -> list[tuple[str, str]]:
        """User and secret of everything that must never be seen."""
        known = [*self.issuer.given, self.issuer.request_token, *self.between]
        return [*self.passwords.values(), *(("", secret) for secret in known)]

    def _new(self, kind: str) -> str:
        return f"{kind}-{secrets.token_urlsafe(24)}"

    def web_token(self, **claims: object) -> str:
        """A token as some providers give it."""
        # What differs comes first: a registry's htpasswd compares 72 bytes.
        document = {"jti": secrets.token_urlsafe(24), "exp": int(time.time()) + self.life, **claims}
        return jwt.encode(document, KEY_OF_TESTS, "HS256")

    def _between(self, kind: str) -> str:
        self.between.append(self._new(kind))
        return self.between[-1]

    def _trusts(self, token: str, audience: str) -> bool:
        try:
            self.issuer.verify(token, audience)
        except jwt.InvalidTokenError:
            return False
        return True

    def _google(self, asked: Asked) -> Answer:
        fields = asked.form
        wanted = {
            "grant_type": _EXCHANGE,
            "audience": f"//iam.googleapis.com/{PROJECT}",
            "requested_token_type": f"{_TYPE}access_token",
            "subject_token_type": f"{_TYPE}jwt",
        }
        scopes = {f"https://www.googleapis.com/auth/{name}" for name in ("cloud-platform", "iam")}
        if fields.get("scope") not in scopes:
            return _json(400, error="invalid_scope")
        if asked.path != "/v1/token" or any(fields.get(name) != value for name, value in wanted.items()):
            return _json(400, error="invalid_request", error_description="bad request")
        if not self._trusts(fields.get("subject_token", ""), f"https://iam.googleapis.com/{PROJECT}"):
            return _json(400, error="invalid_grant", error_description="The audience in ID Token does not match")
        token = self.passwords["us-docker.pkg.dev"][1]
        return _json(200, access_token=token, expires_in=self.life, token_type="Bearer")

    def _google_account(self, asked: Asked) -> Answer:
        if asked.headers.get("Authorization") != f"Bearer {self.passwords['us-docker.pkg.dev'][1]}":
            return _json(401, error={"code": 401, "message": "bad token", "status": "UNAUTHENTICATED"})
        if asked.path != f"/v1/projects/-/serviceAccounts/{ACCOUNT}:generateAccessToken":
            message = "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist)."
            return _json(403, error={"code": 403, "message": message, "status": "PERMISSION_DENIED"})
        ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + self.life))
        return _json(200, accessToken=self.passwords["europe-docker.pkg.dev"][1], expireTime=ends)

    def _entra(self, asked: Asked) -> Answer:
        fields = asked.form
        wanted = {
            "grant_type": "client_credentials",
            "client_id": CLIENT,
            "scope": "https://containerregistry.azure.net/.default",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        }
        if asked.path != f"/{TENANT}/oauth2/v2.0/token" or any(fields.get(n) != v for n, v in wanted.items()):
            return _json(400, error="invalid_request", error_description="AADSTS90014: a field is missing")
        if not self._trusts(fields.get("client_assertion", ""), "api://AzureADTokenExchange"):
            problem = "AADSTS700213: No matching federated identity record found for presented assertion subject"
            return _json(401, error="invalid_client", error_description=problem)
        return _json(200, access_token=self._between("entra"), expires_in=3599, token_type="Bearer")

    def _azure_registry(self, asked: Asked) -> Answer:
        fields = asked.form
        ours = {"grant_type": "access_token", "service": "acme.azurecr.io"}
        if asked.path != "/oauth2/exchange" or any(fields.get(name) != value for name, value in ours.items()):
            return Answer(404)
        if fields.get("access_token") not in self.between:
            error = {"code": "UNAUTHORIZED", "message": "authentication required", "detail": None}
            return _json(401, errors=[error])
        return _json(200, refresh_token=self.passwords["acme.azurecr.io"][1])

    def _docker_hub(self, asked: Asked) -> Answer:
        fields = asked.form
        wanted = {
            "grant_type": _EXCHANGE,
            "subject_token_type": f"{_TYPE}id_token",
            "connection_id": CONNECTION,
        }
        if asked.path != "/oauth/token" or any(fields.get(name) != value for name, value in wanted.items()):
            return _json(400, message="bad request")
        if not 300 <= int(fields["expires_in"]) <= 21600:
            return _json(400, message="expires_in is out of range")
        if not self._trusts(fields.get("subject_token", ""), "https://identity.docker.com"):
            return Answer(401)
        return _json(200, access_token=self.passwords["registry-1.docker.io"][1])

    def _quay(self, asked: Asked) -> Answer:
        user, _, token = _basic(asked).partition(":")
        if asked.path != "/oauth2/federation/robot/token" or user != "acme+pusher":
            return _json(401, error="Invalid robot")
        if not self._trusts(token, OWNER):
            return _json(401, error="Token does not match robot")
        return _json(200, token=self.passwords["quay.io"][1])

    def _jfrog(self, asked: Asked) -> Answer:
        document = json.loads(asked.body)
        wanted = {
            "grant_type": _EXCHANGE,
            "subject_token_type": f"{_TYPE}id_token",
            "provider_name": "github-acme",
        }
        if asked.path != "/access/api/v1/oidc/token" or any(document.get(n) != v for n, v in wanted.items()):
            return _json(400, errors=[{"status": 400, "message": "Invalid provider"}])
        if not self._trusts(document.get("subject_token", ""), OWNER):
            return _json(400, errors=[{"status": 400, "message": "Invalid audience"}])
        token = self.passwords["acme.jfrog.io"][1]
        return _json(
            200, access_token=token, expires_in=self.life, token_type="Bearer", scope="applied-permissions/user"
        )

    def _cloudsmith(self, asked: Asked) -> Answer:
        document = json.loads(asked.body)
        if asked.path != "/openid/acme/" or document.get("service_slug") != "pusher-x1":
            return _json(404, detail="Not found.")
        if not self._trusts(document.get("oidc_token", ""), OWNER):
            return _json(401, detail="Invalid token.")
        return _json(201, token=self.passwords["docker.cloudsmith.io"][1])

    def _chainguard(self, asked: Asked) -> Answer:
        token = asked.headers.get("Authorization", "").removeprefix("Bearer ")
        if asked.path != "/sts/exchange" or asked.query != {"aud": "cgr.dev", "identity": IDENTITY}:
            return _json(400, code=3, message="bad request")
        if not self._trusts(token, "cgr.dev"):
            return _json(401, code=16, message="token verification failed")
        return _json(200, token=self.passwords["cgr.dev"][1])

    def _aws(self, asked: Asked) -> Answer:
        if not self._trusts(asked.form.get("WebIdentityToken", ""), "sts.amazonaws.com"):
            return aws_error(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
        keys = "".join(
            f"<{name}>{self._between(name)}</{name}>" for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")
        )
        body = (
            '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            f"<AssumeRoleWithWebIdentityResult><Credentials>{keys}</Credentials></AssumeRoleWithWebIdentityResult>"
            "</AssumeRoleWithWebIdentityResponse>"
        )
        return Answer(200, body.encode(), {"Content-Type": "text/xml"})

    def _ecr_public(self, asked: Asked) -> Answer:
        if asked.headers.get("X-Amz-Target") != "SpencerFrontendService.GetAuthorizationToken":
            return _json(400, __type="UnknownOperationException")
        if asked.headers.get("X-Amz-Security-Token") not in self.between:
            return _json(400, __type="UnrecognizedClientException", message="The security token is invalid.")
        user, password = self.passwords["public.ecr.aws"]
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        return _json(200, authorizationData={"authorizationToken": token, "expiresAt": time.time() + self.life})


def aws_error(status: int, code: str, message: str) -> Answer:
    """An error as STS writes it."""
    body = (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    )
    return Answer(status, body.encode(), {"Content-Type": "text/xml"})


def _basic(asked: Asked) -> str:
    return base64.b64decode(asked.headers.get("Authorization", "").removeprefix("Basic ")).decode()


def _json(status: int, **fields: object) -> Answer:
    return Answer(status, json.dumps(fields).encode(), {"Content-Type": "application/json"})
