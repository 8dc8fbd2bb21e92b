"""Quay.io and Red Hat Quay: robot federation.

Source: quay/quay, `endpoints/oauth/robot_identity_federation.py`.
"""

from __future__ import annotations

import time

from registry_config.credentials.providers.shape import Minted
from registry_config.credentials.web_token import expiry
from registry_config.docker_config import auth_value
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from registry_config.credentials.providers.asking import Asking
    from registry_config.credentials.providers.shape import Request

NAME: Final = "Quay"
HOSTS: Final = "any registry"
CAUSES: Final = (
    ("not configured for this robot", "add this iss to the robot's federation (Robot federation in Quay's settings)"),
    (
        "does not match robot",
        "the robot's federation must have exactly this sub, one entry for each ref or environment",
    ),
    ("invalid robot", "'username' must be a robot such as org+robot"),
    ("", "compare these with the robot's federation, see docs/keyless.md"),
)
# What its robots' tokens are given where they do not say it themselves.
_LIFE_SECONDS: Final = 3600


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
    robot = request.settings["username"]
    url = (request.settings.get("url") or f"https://{request.host}").rstrip("/")
    ask.learn(id_token, robot)
    headers = {"Authorization": f"Basic {auth_value(robot, id_token)}"}
    asked_at = time.time()
    answer = ask.request("GET", f"{url}/oauth2/federation/robot/token", headers).fields()
    secret = ask.text(answer.get("token"), "token")
    return Minted(robot, secret, expiry(secret) or asked_at + _LIFE_SECONDS)
