"""Whether a credential may pull from a repository, or push to it: asked of the registry, since tokens prove nothing."""

from __future__ import annotations

from registry_config.http import messages
from registry_config.light_typing import TYPE_CHECKING, Final
from registry_config.oci.access import FORBIDDEN, NOT_FOUND, OK, UNAUTHORIZED
from registry_config.oci.advice import QUAY
from registry_config.oci.client import described, error_codes
from registry_config.oci.entry import DENIED, NO_REPOSITORY, NOT_PROVABLE, PULL, UNKNOWN, Settled

if TYPE_CHECKING:
    from registry_config.http.messages import Answer
    from registry_config.oci.access import Access
    from registry_config.oci.entry import Probe

_ACCEPTED: Final = 202
_NO_HEAD: Final = 405
_NO_UPLOADS: Final = frozenset({405, 501})
# A tag that nobody has; where a registry knows the repository it answers MANIFEST_UNKNOWN.
_UNLIKELY: Final = "registry-config-preflight"


def check(access: Access, probe: Probe) -> None:
    """Ask for what a command is going to do, with at most six requests.

    Raises:
        HttpError: a server gave no answer.
        Settled: any other verdict than `verified`.
    """
    if probe.action == PULL:
        _pull(access, probe)
    else:
        _push(access, probe)


def proves_credential(access: Access, probe: Probe) -> bool:
    """Whether everybody else is refused the pull: then it was the credential that got what was just verified.

    That goes for a push too, since nobody may push who may not pull. Asked with two requests.
    """
    if access.kind == QUAY:
        # It refuses wrong credentials at the login, and its budget is spent.
        return False
    try:
        headers = access.authorization(_scope(probe, "pull"), anonymous=True)
        answer = access.registry.manifest("HEAD", probe.repository, probe.reference or _UNLIKELY, headers)
    except Settled as settled:
        return settled.verdict == DENIED
    except messages.HttpError:
        return False
    return answer.status in (UNAUTHORIZED, FORBIDDEN)


def _pull(access: Access, probe: Probe) -> None:
    answer = _manifest(access, probe)
    if answer.status == OK or (answer.status == NOT_FOUND and "MANIFEST_UNKNOWN" in error_codes(answer)):
        return
    raise _refused(answer, PULL)


def _manifest(access: Access, probe: Probe) -> Answer:
    """Ask by HEAD; a 404, which has no body there, once more by GET."""
    reference = probe.reference or _UNLIKELY
    answer, headers = access.manifest(probe.repository, reference)
    if answer.status in (NOT_FOUND, _NO_HEAD):
        answer = access.registry.manifest("GET", probe.repository, reference, headers)
    return answer


def _push(access: Access, probe: Probe) -> None:
    if access.kind == QUAY:
        _must_exist(access, probe)
    headers = access.authorization(_scope(probe, "pull,push"))
    answer = access.registry.open_upload(probe.repository, headers)
    if answer.status == UNAUTHORIZED and access.follows(answer):
        if access.kind == QUAY:
            raise Settled(NOT_PROVABLE, _MAKES)
        headers = access.authorization(_scope(probe, "pull,push"))
        answer = access.registry.open_upload(probe.repository, headers)
    if answer.status != _ACCEPTED:
        raise _refused(answer, "push")
    access.registry.cancel_upload(probe.repository, answer, headers)


def _must_exist(access: Access, probe: Probe) -> None:
    """Quay makes a repository that is missing as soon as a token to push is asked for."""
    try:
        answer = _manifest(access, probe._replace(action=PULL, reference=""))
    except Settled as settled:
        if settled.verdict == DENIED:
            raise Settled(NOT_PROVABLE, _MAKES) from None
        raise
    if answer.status != OK and "MANIFEST_UNKNOWN" not in error_codes(answer):
        refused = _refused(answer, PULL)
        raise refused if refused.verdict == UNKNOWN and answer.status != NOT_FOUND else Settled(NOT_PROVABLE, _MAKES)


_MAKES: Final = "the repository is not there or cannot be read, and Quay would make it if it were asked about a push"


def _refused(answer: Answer, action: str) -> Settled:
    """The verdict on an answer that is no permission."""
    problem = f"the registry answered {described(answer)}"
    if answer.status in (UNAUTHORIZED, FORBIDDEN):
        return Settled(DENIED, problem)
    if answer.status == NOT_FOUND and "NAME_UNKNOWN" in error_codes(answer):
        return Settled(NO_REPOSITORY, problem)
    if action != PULL and answer.status in _NO_UPLOADS:
        return Settled(NOT_PROVABLE, f"{problem}: it takes no uploads in this way")
    return Settled(UNKNOWN, problem)


def _scope(probe: Probe, actions: str) -> str:
    return f"repository:{probe.repository}:{actions}"
