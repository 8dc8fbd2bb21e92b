"""What the registries of a job are asked: before its commands whether they will work, after them what is there.

Only a job that asks for it comes here, and only where a registry is asked the HTTP client is imported.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from registry_config.commands import preview
from registry_config.credentials.selection import fitting_credential
from registry_config.errors import EXIT_REFUSED, RegistryConfigError
from registry_config.host.files import read_beginning
from registry_config.oci.entry import PULL, PUSH, Entry, Probe, Row
from registry_config.oci.verdicts import refusing, sentence, warning
from registry_config.reference import mentions_in
from registry_config.tools.references import References, references_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from registry_config.commands import ResolvedCommand
    from registry_config.credentials.reading import Credential
    from registry_config.oci.digests import Proof
    from registry_config.plan import Plan
    from registry_config.reference import Reference
    from registry_config.results import CommandResult


class VerificationError(RegistryConfigError):
    """A registry says that the run cannot work; nothing was run.

    Attributes:
        rows: every verdict.
    """

    exit_code = EXIT_REFUSED

    def __init__(self, rows: tuple[Row, ...], refused: list[Row]) -> None:
        super().__init__("verify", "\n".join(map(sentence, refused)))
        self.rows = rows


class DigestMismatchError(RegistryConfigError):
    """The registry has another digest than the tool reported, and not the reported one."""

    exit_code = 1


class Proven(NamedTuple):
    """The digests of what was pushed, as the registries answer them.

    Attributes:
        digests: each once.
        warnings: what could not be proven, and why.
    """

    digests: tuple[str, ...]
    warnings: tuple[str, ...]


class Surroundings(NamedTuple):
    """What every question needs.

    Attributes:
        environ: for proxies and certificates.
        authorities: the text of each `ca-file`, by its path.
        current: what stands for declared credentials now.
        new_secret: takes each token that a token server gives.
    """

    environ: Mapping[str, str]
    authorities: Mapping[str, str]
    current: Callable[[Iterable[Credential]], tuple[Credential, ...]]
    new_secret: Callable[[str], None]


class Registries:
    """Asks the registries of a job with its credentials; may be called from several threads."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._lock = threading.Lock()

    def verify(self, credentials: Iterable[Credential], plans: Iterable[Plan], action: str) -> tuple[Row, ...]:
        """Ask all registries before anything runs.

        Args:
            credentials: all that were declared.
            plans: name the repositories.
            action: `login`, `pull` or `push`.

        Returns:
            The verdicts that are worth a warning.

        Raises:
            VerificationError: one of them says that the run cannot work.
        """
        from registry_config.oci.verify import verify  # noqa: PLC0415  (brings the HTTP client)

        wanted: dict[str, dict[Probe, bool]] = {}
        for plan in plans if action in {PULL, PUSH} else ():
            for registry, probe, is_known in _probes(plan, action):
                probes = wanted.setdefault(registry, {})
                probes[probe] = probes.get(probe, False) or is_known
        declared = {credential.registry: credential for credential in self._surroundings.current(credentials)}
        entries = [self._entry(one, tuple(wanted.get(registry, ()))) for registry, one in declared.items()]
        rows = tuple(verify(entries, self._surroundings.environ, self._new_secret))
        refused = [row for row in rows if refusing([row], actions_known=_is_known(row, wanted))]
        if refused:
            raise VerificationError(rows, refused)
        return rows

    def existing(self, plan: Plan, command: ResolvedCommand) -> tuple[str, ...]:
        """The digests of what a command writes, where all of it is there already; none where anything is missing."""
        found = []
        for reference, credential in _written(plan, command.arguments, command.credentials):
            digest = self._look_up(reference, credential)
            if not digest:
                return ()
            found.append(digest)
        return tuple(found)

    def prove(self, plan: Plan, results: Iterable[CommandResult], reported: Callable[..., tuple[str, ...]]) -> Proven:
        """Ask for the digest of everything that the commands wrote under a tag.

        Args:
            plan: of the commands.
            results: of the commands, all of which went well.
            reported: gives the digests that the tools of some results reported.

        Raises:
            DigestMismatchError: a registry has another one.
        """
        digests: dict[str, None] = {}
        warnings = []
        asked = False
        for result in results:
            for reference, credential in _written(plan, result.arguments, result.credentials):
                asked = True
                proof = self._prove(reference, credential, reported((result,)))
                if proof.state == "contradicted":
                    raise DigestMismatchError(f"{reference.repository}:{reference.tag}", proof.reason)
                if proof.digest:
                    digests[proof.digest] = None
                if proof.reason:
                    warnings.append(f"digest-from: {reference.repository}:{reference.tag}: {proof.reason}")
        if not asked:
            warnings.append("digest-from: no command is known to write a tag on a declared registry; digest is empty")
        return Proven(tuple(digests), tuple(warnings))

    def _look_up(self, reference: Reference, credential: Credential) -> str:
        from registry_config.oci.digests import EXISTS, look_up  # noqa: PLC0415  (brings the HTTP client)

        entry = self._current_entry(credential)
        environ, secret = self._surroundings.environ, self._new_secret
        found = look_up(entry, reference.path, reference.tag, environ=environ, new_secret=secret)
        return found.digest if found.state == EXISTS else ""

    def _prove(self, reference: Reference, credential: Credential, reported: tuple[str, ...]) -> Proof:
        from registry_config.oci.digests import prove  # noqa: PLC0415  (brings the HTTP client)

        entry = self._current_entry(credential)
        environ, secret = self._surroundings.environ, self._new_secret
        return prove(entry, reference.path, reference.tag, reported, environ=environ, new_secret=secret)

    def _current_entry(self, credential: Credential) -> Entry:
        (current,) = self._surroundings.current((credential,))
        return self._entry(current)

    def _entry(self, credential: Credential, probes: tuple[Probe, ...] = ()) -> Entry:
        return Entry(
            registry=credential.registry,
            host=credential.host,
            username=credential.username,
            secret=credential.secret,
            probes=probes,
            authorities=self._surroundings.authorities.get(credential.ca_file, ""),
            plain_http=credential.plain_http,
            realm=credential.realm,
            job_token=credential.source == "github-token",
        )

    def _new_secret(self, secret: str) -> None:
        with self._lock:
            self._surroundings.new_secret(secret)


def warnings_of(rows: Iterable[Row]) -> list[str]:
    """The verdicts that are neither good nor a refusal, each in a line."""
    return [f"verify: {sentence(row)}" for row in warning(rows, actions_known=False)]


def _probes(plan: Plan, action: str) -> Iterator[tuple[str, Probe, bool]]:
    """The registry, the question, and whether it is known that the command needs a yes."""
    for command in preview(plan, lambda pattern: [pattern]):
        known = _references(plan, command.arguments)
        if known:
            reads = [(reference, PULL) for reference in known.reads]
            writes = [(reference, PUSH) for reference in known.writes if action == PUSH]
            questions = [(reference, what, True) for reference, what in (*reads, *writes)]
        else:
            questions = [(reference, action, False) for reference in _mentioned(plan, command.arguments)]
        for reference, what, is_known in questions:
            if credential := _credential_for(reference, command.credentials):
                named = (reference.digest or reference.tag) if what == PULL else ""
                yield credential.registry, Probe(reference.path, what, named), is_known


def _mentioned(plan: Plan, arguments: tuple[str, ...]) -> list[Reference]:
    """Whole references with their hosts in the words of a script or of an unknown tool, and in variables."""
    words = [word for text in (*arguments, *plan.variables.values()) for word in text.split() if "$" not in word]
    return [one.reference for word in words for one in mentions_in(word) if one.has_host and one.reference.path]


def _written(
    plan: Plan, arguments: tuple[str, ...], credentials: tuple[Credential, ...]
) -> Iterator[tuple[Reference, Credential]]:
    known = _references(plan, arguments)
    for reference in known.written_tags if known else ():
        if credential := _credential_for(reference, credentials):
            yield reference, credential


def _references(plan: Plan, arguments: tuple[str, ...]) -> References | None:
    return references_of(arguments, plan.variables, partial(read_beginning, plan.working_directory))


def _credential_for(reference: Reference, credentials: tuple[Credential, ...]) -> Credential | None:
    return fitting_credential([one for one in credentials if one.host == reference.host], reference.path)


def _is_known(row: Row, wanted: Mapping[str, Mapping[Probe, bool]]) -> bool:
    asked = (row.repository, row.action)
    probes = wanted.get(row.registry, {}).items()
    same = [is_known for probe, is_known in probes if (probe.repository, probe.action) == asked]
    return not same or any(same)
