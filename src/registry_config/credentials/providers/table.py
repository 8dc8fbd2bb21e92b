"""All providers, by name. Each is a module of this shape; cheap to import, since a declaration is checked with it."""

from __future__ import annotations

from registry_config.credentials.providers import (
    aws,
    azure,
    chainguard,
    cloudsmith,
    docker_hub,
    google,
    jfrog,
    quay,
)
from registry_config.light_typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from registry_config.credentials.providers.asking import Asking
    from registry_config.credentials.providers.shape import Minted, Request


class Provider(Protocol):
    """A module of this room: one provider."""

    @property
    def NAME(self) -> str:  # noqa: N802  (a constant of the module)
        """As messages call it."""

    @property
    def HOSTS(self) -> str:  # noqa: N802  (likewise)
        """Which registries it is for, in words."""

    @property
    def CAUSES(self) -> Sequence[tuple[str, str]]:  # noqa: N802  (likewise)
        """A part of what the provider says when it refuses, in lower case, and its likely cause with a remedy.

        The last one has an empty part and fits all.
        """

    def is_own_host(self, host: str, /) -> bool:
        """Whether a registry may be given this provider's credential."""

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


PROVIDERS: Final[Mapping[str, Provider]] = {
    "aws": aws,
    "azure": azure,
    "chainguard": chainguard,
    "cloudsmith": cloudsmith,
    "docker-hub": docker_hub,
    "google": google,
    "jfrog": jfrog,
    "quay": quay,
}
