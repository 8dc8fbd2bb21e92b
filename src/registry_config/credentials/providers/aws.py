"""AWS: a role session from STS, without a signature; then ECR's token, by the session's keys.

Sources: STS API reference, AssumeRoleWithWebIdentity; ECR and ECR Public API references, GetAuthorizationToken.
"""

from __future__ import annotations

import binascii
import time

from registry_config.credentials.providers.aws_hosts import EcrHost, ecr_host
from registry_config.credentials.providers.reasons import reason_of
from registry_config.credentials.providers.shape import Minted
from registry_config.credentials.providers.sigv4 import Keys, signed_headers
from registry_config.credentials.web_token import moment
from registry_config.http.messages import Body, form
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from registry_config.credentials.providers.asking import Asking
    from registry_config.credentials.providers.shape import Request
    from registry_config.http.messages import Answer

NAME: Final = "AWS"
HOSTS: Final = "ECR, such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com, and public.ecr.aws"
CAUSES: Final = (
    (
        "no openidconnect provider",
        "create the identity provider for this iss in the role's own account (aws iam create-open-id-connect-provider)",
    ),
    ("incorrect token audience", "add this aud to the client IDs of the identity provider in IAM, or set 'audience'"),
    (
        "not authorized to perform sts:assumerolewithwebidentity",
        (
            "likely the role's trust policy does not allow this sub or aud (a new repository has its owner's and its "
            "own id in sub, and 'environment' changes it), or 'role-to-assume' names no role"
        ),
    ),
    ("maxsessionduration", "lower 'role-duration-seconds', or raise the role's limit"),
    ("expiredtoken", "the ID token is older than five minutes; is the clock of this machine right?"),
    ("ecr:getauthorizationtoken", "allow the role ecr:GetAuthorizationToken on *"),
    ("ecr-public:getauthorizationtoken", "allow the role ecr-public:GetAuthorizationToken on *"),
    ("sts:getservicebearertoken", "allow the role sts:GetServiceBearerToken on *, which the public registry needs"),
    ("signature", "is the clock of this machine right?"),
    ("", "compare these with the role's trust policy, see docs/keyless.md"),
)
_TRANSIENT_CODES: Final = ("Throttling", "IDPCommunicationError", "RequestLimitExceeded", "TooManyRequests")
# A 400 that parallel jobs run into: STS had five seconds to get the issuer's keys.
_TRANSIENT_WORDS: Final = "retrieve verification key"
_JSON: Final = "application/x-amz-json-1.1"


def is_own_host(host: str) -> bool:
    """See `table.Provider`."""
    return ecr_host(host) is not None


def audience(request: Request) -> str:
    """See `table.Provider`."""
    default = "sts.amazonaws.com.cn" if _host(request).is_china else "sts.amazonaws.com"
    return request.settings.get("audience") or default


def scope(request: Request) -> str:
    """See `table.Provider`. A token opens every registry of its region."""
    return _host(request).token_server


def exchange(request: Request, id_token: str, ask: Asking) -> Minted:
    """See `table.Provider`."""
    host = _host(request)
    return _authorization(host, _session(request, host, id_token, ask), ask)


def _host(request: Request) -> EcrHost:
    host = ecr_host(request.host)
    assert host is not None  # noqa: S101  (a declaration with another host was refused)
    return host


def _session(request: Request, host: EcrHost, id_token: str, ask: Asking) -> Keys:
    settings = request.settings
    fields = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", settings["role-to-assume"]),
        ("RoleSessionName", settings.get("role-session-name") or "registry-config"),
        ("WebIdentityToken", id_token),
    ]
    if settings.get("role-duration-seconds"):
        fields.append(("DurationSeconds", settings["role-duration-seconds"]))
    url = (settings.get("sts-endpoint") or f"https://{host.sts(settings.get('region', ''))}").rstrip("/")
    answer = ask.request("POST", f"{url}/", body=form(fields), again=_again, words=_reason)

    def field(name: str) -> str:
        return ask.learn(ask.text(_xml_text(answer, name), name))

    return Keys(field("AccessKeyId"), field("SecretAccessKey"), field("SessionToken"))


def _authorization(host: EcrHost, keys: Keys, ask: Asking) -> Minted:
    service, target = (
        ("ecr-public", "SpencerFrontendService") if host.is_public else ("ecr", "AmazonEC2ContainerRegistry_V20150921")
    )
    body = Body(b"{}", _JSON)
    headers = signed_headers(
        host.token_server,
        {"Content-Type": body.type, "X-Amz-Target": f"{target}.GetAuthorizationToken"},
        body.data,
        keys,
        region=host.region,
        service=service,
        moment=time.time(),
    )
    answer = ask.request("POST", f"https://{host.token_server}/", headers, body, again=_again, words=_reason)
    data = answer.fields().get("authorizationData")
    entry = data[0] if isinstance(data, list) and data else data
    if not isinstance(entry, dict):
        raise ask.unusable("has no 'authorizationData'")
    token = ask.learn(ask.text(entry.get("authorizationToken"), "authorizationToken"))
    try:
        username, colon, secret = binascii.a2b_base64(token).decode("ascii").partition(":")
    except ValueError:
        username = colon = secret = ""
    if not (username and colon and secret):
        raise ask.unusable("has an 'authorizationToken' of another form")
    return Minted(username, ask.text(secret, "authorizationToken"), moment(entry.get("expiresAt")))


def _again(answer: Answer) -> bool:
    from registry_config.http.client import transient  # noqa: PLC0415  (slow, and loaded by now)

    reason = _reason(answer)
    return transient(answer) or any(code in reason for code in (*_TRANSIENT_CODES, _TRANSIENT_WORDS))


def _reason(answer: Answer) -> str:
    """STS writes XML; ECR writes JSON, but what stands before it may write XML too."""
    parts = (_xml_text(answer, "Code"), _xml_text(answer, "Message"))
    return ": ".join(filter(None, parts)) or reason_of(answer)


def _xml_text(answer: Answer, name: str) -> str:
    """The text of the first element of this name, whatever its namespace."""
    from xml.etree.ElementTree import ParseError, fromstring  # noqa: PLC0415  (here alone)

    try:
        root = fromstring(answer.body)  # noqa: S314  (1 MiB at most, over TLS; expat limits what entities grow to)
    except ParseError:
        return ""
    return next((element.text or "" for element in root.iter() if element.tag.rpartition("}")[2] == name), "")
