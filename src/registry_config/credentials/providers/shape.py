"""What every provider is given, and what it gives."""

from __future__ import annotations

import re

from registry_config.credentials.web_token import moment
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    # Told of each secret as soon as it is there: its user, empty for a secret without one, and the secret.
    NewSecret = Callable[[str, str], None]


NO_PERMISSION: Final = (
    "add 'permissions: id-token: write' to the job; a pull request from a fork never gets it, and a reusable workflow "
    "gets it only if the job that calls it has it too"
)


class IdTokenSource(NamedTuple):
    """Where GitHub gives ID tokens to this job: `ACTIONS_ID_TOKEN_REQUEST_URL` and `ACTIONS_ID_TOKEN_REQUEST_TOKEN`."""

    url: str = ""
    request_token: str = ""

    def __repr__(self) -> str:
        return "IdTokenSource(…)"

    @property
    def is_there(self) -> bool:
        """Whether the job has the permission."""
        return bool(self.url and self.request_token)


class Request(NamedTuple):
    """An entry whose credential comes from a provider.

    Attributes:
        place: of the entry, as messages name it.
        host: of the registry, canonical.
        provider: its name, such as `aws`.
        settings: the provider's keys as written; durations in seconds.
        id_token: the token of `id-token-env`; None where GitHub is asked for one.
        authorities: text of the entry's `ca-file`.
    """

    place: str
    host: str
    provider: str
    settings: Mapping[str, str]
    id_token: str | None = None
    authorities: str = ""

    def __repr__(self) -> str:
        return f"Request({self.place!r}, {self.host!r}, {self.provider!r}, …)"


class Minted(NamedTuple):
    """What a provider gave.

    Attributes:
        username: for the registry.
        secret: likewise.
        expires: in seconds since 1970; None where nobody says.
    """

    username: str
    secret: str
    expires: float | None = None

    def __repr__(self) -> str:
        return f"Minted({self.username!r}, ***, {self.expires!r})"


def lasts_until(start: float, seconds: object) -> float | None:
    """The moment that `expires_in` of an answer means; some servers write it as text."""
    if isinstance(seconds, str) and re.fullmatch(r"[0-9]{1,9}", seconds):
        seconds = int(seconds)
    life = moment(seconds)
    return None if life is None else start + life
