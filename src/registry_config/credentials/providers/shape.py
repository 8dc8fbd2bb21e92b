"""What every provider is given, what it gives, and the shape of its module."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

from registry_config.credentials.web_token import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from registry_config.credentials.providers.asking import Asking

    # Told of each secret as soon as it is there: its user, empty for a secret without one, and the secret.
    NewSecret = Callable[[str, str], None]


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


class Provider(Protocol):
    """A module of this room: one provider."""

    @property
    def NAME(self) -> str:  # noqa: N802  (a constant of the module)
        """As messages call it."""

    @property
    def CAUSES(self) -> Sequence[tuple[str, str]]:  # noqa: N802  (likewise)
        """A part of what the provider says when it refuses, in lower case, and its likely cause with a remedy.

        The last one has an empty part and fits all.
        """

    def audience(self, request: Request, /) -> str:
        """Whom the ID token is for; empty for GitHub's own choice."""

    def scope(self, request: Request, /) -> str:
        """What of the host the credential depends on: entries that agree in it and in all settings share one."""

    def exchange(self, request: Request, id_token: str, ask: Asking, /) -> Minted:
        """Turn an ID token into a credential.

        Raises:
            ProviderRefusedError: the provider refuses.
            UnavailableError: there is no answer, or none that can be used.
        """
