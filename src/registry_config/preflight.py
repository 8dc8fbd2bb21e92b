"""What the registries of a job are asked: before its commands whether they will work, after them what is there.

Only a job that asks for it comes here, and only where a registry is asked the HTTP client is imported.
"""

from __future__ import annotations

from functools import partial

from registry_config.audience import called
from registry_config.commands import preview
from registry_config.credentials.selection import fitting_credential
from registry_config.errors import EXIT_REFUSED, RegistryConfigError
from registry_config.host.files import find_files, read_beginning
from registry_config.light_typing import TYPE_CHECKING, NamedTuple, TypeAlias
from registry_config.oci.entry import PULL, PUSH, Entry, Probe, Row
from registry_config.oci.verdicts import refusing, sentence, warning
from registry_config.reference import mentions_in
from registry_config.tools.references import References, references_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from registry_config.commands import ResolvedCommand
    from registry_config.credentials.reading import Credential
    from registry_config.declaration.registries import Purpose
    from registry_config.oci.digests import Proof
    from registry_config.plan import Plan
    from registry_config.reference import Reference
    from registry_config.results import CommandResult

    _Key: TypeAlias = tuple[str, frozenset[Purpose]]


class VerificationError(RegistryConfigError):
    """A registry says that the run cannot work; nothing was run.

    Attributes:
        rows: every verdict.
    """

    exit_code = EXIT_REFUSED

    def __init__(self, rows: tuple[Row, ...], refused: tuple[Row, ...]) -> None:
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
        error: one of them is not what the tool reported.
    """

    digests: tuple[str, ...]
    warnings: tuple[str, ...]
    error: DigestMismatchError | None = None


class Surroundings(NamedTuple):
    """What every question needs.

    Attributes:
        environ: for proxies and certificates.
        authorities: the text of each `ca-file`, by its path.
        current: what stands for declared credentials now.
        new_secret: takes each token that a token server gives.
        redact: hides secrets in what a registry says.
    """

    environ: Mapping[str, str]
    authorities: Mapping[str, str]
    current: Callable[[Iterable[Credential]], tuple[Credential, ...]]
    new_secret: Callable[[str], None]
    redact: Callable[[str], str]


class Registries:
    """Asks the registries of a job with its credentials; may be called from several threads."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings

    def verify(
        self, credentials: Iterable[Credential], plans: Iterable[Plan], action: str
    ) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
        """Ask all registries before anything runs.

        Args:
            credentials: all that were declared; each is asked about once.
            plans: name the repositories.
            action: `login`, `pull` or `push`.

        Returns:
            Every verdict, and those that say that the run cannot work.
        """
        from registry_config.oci.verify import verify  # noqa: PLC0415  (brings the HTTP client)

        wanted: dict[_Key, dict[Probe, bool]] = {}
        for plan in plans if action in {PULL, PUSH} else ():
            for key, probe, is_known in _probes(plan, action):
                probes = wanted.setdefault(key, {})
                probes[probe] = probes.get(probe, False) or is_known
        around = self._surroundings
        # One that is for the command and for its image is given twice.
        current = around.current({_key(one): one for one in credentials}.values())
        entries = [self._entry(one, tuple(wanted.get(_key(one), ()))) for one in current]
        said = verify(entries, around.environ, around.new_secret)
        rows = tuple(row._replace(reason=around.redact(row.reason)) for row in said)
        refused = tuple(row for row in rows if refusing([row], actions_known=_is_known(row, wanted)))
        return rows, refused

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
        """
        redact = self._surroundings.redact
        digests: dict[str, None] = {}
        warnings = []
        asked = False
        error = None
        for result in results:
            if result.exists:
                # The registry has just answered.
                asked = True
                digests.update(dict.fromkeys(result.file_digests))
                continue
            for reference, credential in _written(plan, result.arguments, result.credentials):
                asked = True
                proof = self._prove(reference, credential, reported((result,)))
                if proof.digest:
                    digests[proof.digest] = None
                name, reason = f"{reference.repository}:{reference.tag}", redact(proof.reason)
                if proof.state == "contradicted":
                    error = error or DigestMismatchError(name, reason)
                elif reason:
                    warnings.append(f"{called('digest-from')}: {name}: {reason}")
        if not asked:
            problem = "no command is known to write a tag on a declared registry; digest is empty"
            warnings.append(f"{called('digest-from')}: {problem}")
        return Proven(tuple(digests), tuple(warnings), error)

    def _look_up(self, reference: Reference, credential: Credential) -> str:
        from registry_config.oci.digests import EXISTS, look_up  # noqa: PLC0415  (brings the HTTP client)

        entry = self._current_entry(credential)
        environ, secret = self._surroundings.environ, self._surroundings.new_secret
        found = look_up(entry, reference.path, reference.tag, environ=environ, new_secret=secret)
        return found.digest if found.state == EXISTS else ""

    def _prove(self, reference: Reference, credential: Credential, reported: tuple[str, ...]) -> Proof:
        from registry_config.oci.digests import prove  # noqa: PLC0415  (brings the HTTP client)

        entry = self._current_entry(credential)
        environ, secret = self._surroundings.environ, self._surroundings.new_secret
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


def warnings_of(rows: Iterable[Row]) -> tuple[str, ...]:
    """The verdicts of a run that goes on which are not good, each in a line."""
    return tuple(f"verify: {sentence(row)}" for row in warning(rows, actions_known=False))


def _probes(plan: Plan, action: str) -> Iterator[tuple[_Key, Probe, bool]]:
    """The credential, the question, and whether it is known that the command needs a yes."""

    def found(pattern: str) -> list[str]:
        # What the image or an earlier command brings is not there yet.
        return find_files(pattern, plan.working_directory) or [pattern]

    for command in preview(plan, found):
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
                yield _key(credential), Probe(reference.path, what, named), is_known


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


def _key(credential: Credential) -> _Key:
    """What a credential is told by, whatever stands in it."""
    return credential.registry, credential.purposes


def _is_known(row: Row, wanted: Mapping[_Key, Mapping[Probe, bool]]) -> bool:
    """Whether it is known that the command needs what a row is about."""
    asked = (row.registry, row.repository, row.action)
    same = [
        is_known
        for (registry, _), probes in wanted.items()
        for probe, is_known in probes.items()
        if (registry, probe.repository, probe.action) == asked
    ]
    return not same or any(same)
