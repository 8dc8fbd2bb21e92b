"""What a registry says of a reference: whether it is there, and under which digest.

Slow to import: import it where a registry is asked.
"""

from __future__ import annotations

import hashlib
from contextlib import closing

from registry_config.http.client import Client
from registry_config.http.messages import HttpError, TooLargeError
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple
from registry_config.oci.access import NOT_FOUND, OK, Access, unanswered
from registry_config.oci.client import described, digest_of
from registry_config.oci.entry import Settled

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from registry_config.oci.entry import Entry

EXISTS: Final = "exists"
ABSENT: Final = "absent"
UNKNOWN: Final = "unknown"

PROVEN: Final = "proven"
MOVED: Final = "moved"
CONTRADICTED: Final = "contradicted"

_SECONDS: Final = 60.0


class Found(NamedTuple):
    """What a registry says of one reference.

    Attributes:
        state: `exists`, `absent` (it says 404) or `unknown`.
        digest: with `exists`; empty where the registry does not name it and it cannot be computed.
        reason: why the state is unknown, or the digest empty.
    """

    state: str
    digest: str = ""
    reason: str = ""


class Proof(NamedTuple):
    """A pushed tag, compared with what the tool reported.

    Attributes:
        state: `proven`; `absent` or `unknown`: no digest, which is worth a warning; `moved`: the registry has another
            one, and has the reported one too or does not say, which is worth a warning; `contradicted`: it has another
            one, and not the reported one, which fails the step (exit code 1).
        digest: as the registry answers it; empty with `absent` and `unknown`.
        reason: empty with `proven`.
    """

    state: str
    digest: str = ""
    reason: str = ""


def look_up(
    entry: Entry, repository: str, reference: str, *, environ: Mapping[str, str], new_secret: Callable[[str], None]
) -> Found:
    """Ask a registry for a reference, with the entry's credential.

    Args:
        entry: registry and credential.
        repository: its path in the registry.
        reference: tag or digest.
        environ: for proxies and certificates.
        new_secret: told every token of a token server.
    """
    with closing(_Session(entry, environ, new_secret)) as session:
        return session.look_up(repository, reference)


def prove(  # noqa: PLR0913  (three say what was pushed, two are named)
    entry: Entry,
    repository: str,
    tag: str,
    reported: Collection[str],
    *,
    environ: Mapping[str, str],
    new_secret: Callable[[str], None],
) -> Proof:
    """Compare the digests that a tool reported for a tag with the registry's.

    Args:
        entry: registry and credential.
        repository: its path in the registry.
        tag: what was pushed.
        reported: digests that the tool printed for it; may be empty.
        environ: for proxies and certificates.
        new_secret: told every token of a token server.
    """
    with closing(_Session(entry, environ, new_secret)) as session:
        found = session.look_up(repository, tag)
        if found.state != EXISTS or not found.digest:
            state = ABSENT if found.state == ABSENT else UNKNOWN
            return Proof(state, "", found.reason or f"the registry has no {repository}:{tag}")
        if not reported or found.digest in reported:
            return Proof(PROVEN, found.digest)
        there = {session.look_up(repository, digest).state for digest in sorted(reported)}
    said = f"the registry has {found.digest} under {repository}:{tag}, the tool reported {', '.join(sorted(reported))}"
    if there == {ABSENT}:
        return Proof(CONTRADICTED, found.digest, f"{said}, which is not there")
    return Proof(MOVED, found.digest, f"{said}: the tag has moved since, or it names an index")


class _Session:
    """One registry, asked for several references."""

    def __init__(self, entry: Entry, environ: Mapping[str, str], new_secret: Callable[[str], None]) -> None:
        self._client = Client(environ, seconds=_SECONDS, authorities=entry.authorities, plain_http=entry.plain_http)
        self._access = Access(self._client, entry, new_secret)
        self._greeted = False

    def close(self) -> None:
        self._client.close()

    def look_up(self, repository: str, reference: str) -> Found:
        try:
            if not self._greeted:
                self._access.greet()
                self._greeted = True
            return self._found(repository, reference)
        except Settled as settled:
            return Found(UNKNOWN, "", f"{settled.problem}; {settled.remedy}" if settled.remedy else settled.problem)
        except HttpError as error:
            return Found(UNKNOWN, "", "; ".join(unanswered(error)[1:]))

    def _found(self, repository: str, reference: str) -> Found:
        answer, headers = self._access.manifest(repository, reference)
        if answer.status == NOT_FOUND:
            return Found(ABSENT)
        if answer.status != OK:
            return Found(UNKNOWN, "", f"the registry answered {described(answer)}")
        if digest := digest_of(answer):
            return Found(EXISTS, digest)
        try:
            answer = self._access.registry.manifest("GET", repository, reference, headers)
        except TooLargeError:
            return Found(EXISTS, "", "the registry names no digest, and the manifest is too long to compute one")
        if answer.status != OK:
            return Found(EXISTS, "", f"the registry names no digest, and answered {described(answer)} to a GET")
        return Found(EXISTS, digest_of(answer) or f"sha256:{hashlib.sha256(answer.body).hexdigest()}")
