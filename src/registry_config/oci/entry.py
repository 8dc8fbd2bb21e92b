"""What is asked, of which registry, with what; and what came of it."""

from __future__ import annotations

from urllib.parse import urlsplit

from registry_config.http.proxies import is_loopback
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple
from registry_config.reference import DOCKER_HUB

if TYPE_CHECKING:
    from collections.abc import Sequence

LOGIN: Final = "login"
PULL: Final = "pull"
PUSH: Final = "push"

VERIFIED: Final = "verified"
REJECTED: Final = "rejected"
DENIED: Final = "denied"
NO_REPOSITORY: Final = "no-repository"
NOT_PROVABLE: Final = "not-provable"
UNKNOWN: Final = "unknown"

# Docker Hub's name in references, and where its API is.
_API_HOSTS: Final = {DOCKER_HUB: "registry-1.docker.io"}


class Probe(NamedTuple):
    """What the command is going to do with a repository.

    Attributes:
        repository: its path in the registry, such as `library/alpine`.
        action: `pull` or `push`.
        reference: tag or digest that is pulled; empty where none is named.
    """

    repository: str
    action: str
    reference: str = ""


class Entry(NamedTuple):
    """A declared registry with its credential.

    Attributes:
        registry: as declared, path included: how rows name it.
        host: in canonical form, `docker.io` for Docker Hub.
        username: of the credential.
        secret: of the credential.
        probes: what the command needs there.
        authorities: text of the entry's `ca-file`; then https is spoken on loopback too.
        plain_http: the entry's `plain-http`.
        realm: the entry's `realm`, `HOST[:PORT]` of its token server.
        job_token: the credential is the token of a GitHub job, which has permissions instead of scopes.
    """

    registry: str
    host: str
    username: str
    secret: str
    probes: Sequence[Probe] = ()
    authorities: str = ""
    plain_http: bool = False
    realm: str = ""
    job_token: bool = False

    def __repr__(self) -> str:
        return f"Entry({self.registry!r}, {self.username!r}, ***)"

    def url(self, path: str = "/v2/") -> str:
        """The address of the API, or of something in it."""
        host = _API_HOSTS.get(self.host, self.host)
        loopback = is_loopback(urlsplit(f"//{host}").hostname or "") and not self.authorities
        return f"{'http' if self.plain_http or loopback else 'https'}://{host}{path}"


class Row(NamedTuple):
    """A verdict.

    Attributes:
        registry: as declared.
        repository: empty for the login.
        action: `login`, `pull` or `push`.
        verdict: `verified`, `rejected`, `denied`, `no-repository`, `not-provable` or `unknown`.
        reason: why, and what to do; empty only for `verified`.
    """

    registry: str
    repository: str
    action: str
    verdict: str
    reason: str = ""


class Settled(Exception):  # noqa: N818  (no error: a verdict, found before the last step)
    """A verdict that ends the questions about a login or a repository.

    Attributes:
        verdict: as in `Row`.
        problem: what was seen.
        remedy: what to do, where it does not depend on the registry; else it is looked up.
    """

    def __init__(self, verdict: str, problem: str = "", remedy: str = "") -> None:
        super().__init__(verdict, problem, remedy)
        self.verdict = verdict
        self.problem = problem
        self.remedy = remedy
