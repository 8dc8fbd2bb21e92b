"""AWS Signature Version 4, as far as ECR's two calls need it: a POST to `/` without a query.

Source: AWS, "Create a signed AWS API request"; botocore's `auth.py` is what the tests compare it with.
"""

from __future__ import annotations

import hashlib
import hmac
import time

from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_ALGORITHM: Final = "AWS4-HMAC-SHA256"


class Keys(NamedTuple):
    """The temporary keys of a role session."""

    access_key_id: str
    secret_access_key: str
    session_token: str

    def __repr__(self) -> str:
        return "Keys(***)"


def signed_headers(  # noqa: PLR0913  (what the signature covers)
    host: str, headers: Mapping[str, str], body: bytes, keys: Keys, *, region: str, service: str, moment: float
) -> dict[str, str]:
    """The headers of a signed POST to `https://host/`.

    Args:
        host: as the Host header has it.
        headers: the request's own, all of which are covered.
        body: of the request.
        keys: of the role session.
        region: such as `us-east-1`.
        service: such as `ecr`.
        moment: seconds since 1970.
    """
    date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(moment))
    scope = f"{date[:8]}/{region}/{service}/aws4_request"
    sent = {**headers, "X-Amz-Date": date, "X-Amz-Security-Token": keys.session_token}
    covered = {name.lower(): " ".join(value.split()) for name, value in {**sent, "Host": host}.items()}
    names = ";".join(sorted(covered))
    lines = "".join(f"{name}:{covered[name]}\n" for name in sorted(covered))
    canonical = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    text = f"{_ALGORITHM}\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{keys.secret_access_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"Credential={keys.access_key_id}/{scope}"
    return {**sent, "Authorization": f"{_ALGORITHM} {credential}, SignedHeaders={names}, Signature={signature}"}
