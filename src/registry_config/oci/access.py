"""A login: whether the credential is good, and how the registry wants to see it afterwards."""

from __future__ import annotations

import re

from registry_config.http import messages
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple
from registry_config.oci.advice import kind_of
from registry_config.oci.challenge import usable
from registry_config.oci.client import Registry, described
from registry_config.oci.entry import DENIED, NOT_PROVABLE, REJECTED, UNKNOWN, Settled
from registry_config.oci.token import Credential, TokenServer, check_realm

if TYPE_CHECKING:
    from collections.abc import Callable

    from registry_config.http.client import Client
    from registry_config.http.messages import Answer
    from registry_config.oci.challenge import Challenge
    from registry_config.oci.entry import Entry

OK: Final = 200
UNAUTHORIZED: Final = 401
FORBIDDEN: Final = 403
NOT_FOUND: Final = 404
_BAD_REQUEST: Final = 400
_REFUSED_SCOPE: Final = frozenset({_BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND})
# Their token servers refuse a bad credential also where they would give an anonymous token
# (research of their sources and of public reports; Docker Hub and GHCR by the latter).
_REFUSE_BAD_CREDENTIALS: Final = frozenset({"docker.io", "ghcr.io", "quay.io", "registry.gitlab.com"})
# What a token server says in a 400 that is about the credential.
_OF_THE_CREDENTIAL: Final = re.compile(r"unauthori[sz]ed|denied|invalid_grant|credential|password", re.IGNORECASE)
# What servers of Go and nginx say to plain HTTP.
_SPEAKS_TLS: Final = re.compile(rb"HTTP request (?:was sent )?to (?:an )?HTTPS")


class Outcome(NamedTuple):
    """What came of a login.

    Attributes:
        verdict: as in `Row`.
        problem: what was seen; empty for `verified`.
        remedy: what to do, where it does not depend on the registry.
    """

    verdict: str
    problem: str = ""
    remedy: str = ""


class Access:
    """One registry, asked with one credential.

    Args:
        client: of this entry alone.
        entry: the registry and its credential.
        new_secret: told every token that a token server gives.
    """

    def __init__(self, client: Client, entry: Entry, new_secret: Callable[[str], None]) -> None:
        self.registry = Registry(client, entry)
        self._client = client
        self._entry = entry
        self._credential = Credential(entry.username, entry.secret)
        self._new_secret = new_secret
        self._tokens: TokenServer | None = None
        self._open = False

    @property
    def kind(self) -> str:
        """Which registry this is, as far as its host or its token server shows."""
        return kind_of(self._entry.host, self._tokens.path if self._tokens else "")

    def greet(self) -> None:
        """Find out what the registry asks for, with at most two requests.

        Raises:
            HttpError: the registry gave no answer.
            Settled: it cannot be used.
        """
        answer = self.registry.ping()
        if answer.status == OK:
            # Some let everybody in here and ask in the repositories alone; those see the credential now.
            answer = self.registry.ping(self._credential.basic())
            self._open = answer.status != UNAUTHORIZED
            if self._open:
                return
        if answer.status != UNAUTHORIZED:
            raise _no_registry(answer)
        challenge = usable(answer.all("WWW-Authenticate"))
        if challenge is None:
            problem = "the registry asks for a credential, but neither as Basic nor as Bearer"
            raise Settled(UNKNOWN, problem, "check that the host is that of the registry")
        self._follow(challenge)

    def login(self) -> None:
        """Ask whether the credential is good, after `greet`, with at most three requests more.

        Raises:
            HttpError: a server gave no answer.
            Settled: any other verdict than `verified`.
        """
        if self._open:
            problem = "the registry lets everybody in, so it says nothing about the credential"
            raise Settled(NOT_PROVABLE, problem)
        if self._tokens:
            self._bearer(self._tokens)
        else:
            self._basic()

    def authorization(self, scope: str, *, anonymous: bool = False) -> dict[str, str]:
        """The header for a repository.

        Args:
            scope: what is needed, such as `repository:app:pull`.
            anonymous: as if there were no credential.

        Raises:
            HttpError: the token server gave no answer.
            Settled: it gave no token for this scope.
        """
        credential = None if anonymous else self._credential
        if self._tokens is None:
            return credential.basic() if credential else {}
        answer, token = self._tokens.ask(credential, scope)
        if token:
            return _bearer(token)
        if answer.status in _REFUSED_SCOPE:
            raise Settled(DENIED, f"the token server answered {described(answer)}")
        raise Settled(UNKNOWN, f"the token server answered {described(answer)}, without a token", _LATER)

    def manifest(self, repository: str, reference: str) -> tuple[Answer, dict[str, str]]:
        """Ask for a manifest by HEAD, with the credential.

        Returns:
            The answer, and the headers that say who asks.

        Raises:
            HttpError: a server gave no answer.
            Settled: there is no token to ask with.
        """
        scope = f"repository:{repository}:pull"
        headers = self.authorization(scope)
        answer = self.registry.manifest("HEAD", repository, reference, headers)
        if answer.status == UNAUTHORIZED and self.follows(answer):
            headers = self.authorization(scope)
            answer = self.registry.manifest("HEAD", repository, reference, headers)
        return answer, headers

    def follows(self, answer: Answer) -> bool:
        """Whether a registry that let everybody in has a challenge for a repository; from then on it counts.

        Raises:
            Settled: it names a token server that is not asked.
        """
        challenge = usable(answer.all("WWW-Authenticate"))
        if not self._open or self._tokens or challenge is None or challenge.scheme != "bearer":
            return False
        self._follow(challenge)
        return True

    def _follow(self, challenge: Challenge) -> None:
        if challenge.scheme == "bearer":
            check_realm(self._entry.url(), challenge.parameters["realm"], self._entry.realm)
            self._tokens = TokenServer(self._client, challenge, self._new_secret)

    def _basic(self) -> None:
        answer = self.registry.ping(self._credential.basic())
        if answer.status == UNAUTHORIZED:
            raise Settled(REJECTED, f"the registry answered {described(answer)}")
        if answer.status != OK:
            raise _no_registry(answer)

    def _bearer(self, tokens: TokenServer) -> None:
        answer, token = tokens.ask(self._credential)
        if _refuses(answer):
            raise Settled(REJECTED, f"the token server answered {described(answer)}")
        if not token:
            raise Settled(UNKNOWN, f"the token server answered {described(answer)}, without a token", _LATER)
        answer = self.registry.ping(_bearer(token))
        if answer.status == UNAUTHORIZED:
            # The reference implementation ends a login here too, so registries make sure that this works.
            problem = f"the token server gave a token, but the registry answered {described(answer)} to it"
            raise Settled(REJECTED, problem)
        if answer.status != OK:
            raise _no_registry(answer)
        if self._entry.host not in _REFUSE_BAD_CREDENTIALS and not tokens.refuses_everybody_else():
            problem = "the token server gives tokens to anybody, so this one proves nothing about the credential"
            raise Settled(NOT_PROVABLE, problem)


_LATER: Final = "run again later, and tell the people who run the registry if that does not help"


def unanswered(error: messages.HttpError) -> Outcome:
    """The verdict where a server gave no answer."""
    remedies = {
        messages.UntrustedError: "name the certificate of the private authority in the entry's `ca-file`",
        messages.AddressError: "a registry that has no https needs `plain-http: true` in the entry",
        messages.RedirectError: "name the host that answers itself in the entry",
        messages.TooLargeError: "check that the host is that of the registry",
    }
    if isinstance(error, messages.UnreachableError) and "TLS" in error.problem:
        remedy = "a registry that has no https needs `plain-http: true` in the entry"
    else:
        remedy = remedies.get(type(error), "check the host, the network and the proxies (HTTPS_PROXY, NO_PROXY)")
    return Outcome(UNKNOWN, str(error), remedy)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _refuses(answer: Answer) -> bool:
    """Whether a token server refuses the credential; some do so by 400."""
    about_it = answer.status == _BAD_REQUEST and _OF_THE_CREDENTIAL.search(described(answer))
    return answer.status in (UNAUTHORIZED, FORBIDDEN) or bool(about_it)


def _no_registry(answer: Answer) -> Settled:
    """The verdict on an answer at /v2/ that is no login."""
    if answer.status == FORBIDDEN:
        return Settled(DENIED, f"the registry answered {described(answer)}")
    if answer.status == NOT_FOUND and not answer.header("Docker-Distribution-Api-Version"):
        return Settled(UNKNOWN, "there is no registry at this address (404 for /v2/)", "check the host")
    if answer.status == _BAD_REQUEST and _SPEAKS_TLS.search(answer.body):
        remedy = "leave `plain-http` out of the entry; on loopback name the certificate of its authority in `ca-file`"
        return Settled(UNKNOWN, "the registry speaks https only, and was asked by http", remedy)
    return Settled(UNKNOWN, f"the registry answered {described(answer)}", _LATER)
