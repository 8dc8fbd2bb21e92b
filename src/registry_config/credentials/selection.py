"""Which credentials a command gets, where they are for a part of a registry (`quay.io/org-a`).

docker, oras-go and go-containerregistry reduce such a key to its host and pick one at random. So their config never
holds more than one credential for a host, under the bare host: the one whose path fits the references that the command
names. skopeo, podman and buildah choose by path themselves: they get a key for each path.
"""

from __future__ import annotations

from itertools import groupby

from registry_config.errors import InputError
from registry_config.light_typing import TYPE_CHECKING, Final
from registry_config.reference import mentions_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from registry_config.credentials.reading import Credential

_COPY: Final = (
    "run one command for each; a copy takes two commands, over a local folder "
    "(crane pull --format=oci FROM folder, then crane push folder TO), or skopeo, which chooses by path"
)


def select(
    credentials: Sequence[Credential],
    words: Iterable[str],
    values: Iterable[str] = (),
    *,
    by_path: bool = False,
    place: str = "command",
) -> tuple[Credential, ...]:
    """The credentials that the config of a command holds, at most one for each of its keys.

    A credential with a path is for references below that path and for nothing else. The references in the command's
    words count first, those in its variables where the words name none that fits; with neither, a host's credential
    without a path is taken, if there is one.

    Args:
        credentials: what was declared.
        words: the words of the command that is to be run, or a shell, its options and its script.
        values: of the variables that it gets, which may name references too.
        by_path: whether its tool chooses by path (the longest key that begins a reference).
        place: where the command stands, for messages.

    Returns:
        The credentials that fit, those for a tool which chooses by path marked so.

    Raises:
        InputError: the command names references that different credentials of one host fit, and its tool would take
            any of them.
    """
    chosen: list[Credential] = []
    texts = (tuple(words), tuple(values))
    by_host = sorted(credentials, key=lambda credential: credential.host)
    for host, group in groupby(by_host, key=lambda credential: credential.host):
        candidates = tuple(group)
        fitting = _fitting(candidates, host, texts)
        if not fitting:
            fitting = candidates if by_path else tuple(c for c in candidates if not c.path)
        if len(fitting) > 1 and not by_path:
            problem = f"names references that several credentials for {host} fit, and most tools take one at random"
            raise InputError(place, problem, _COPY)
        chosen.extend(credential._replace(is_keyed_by_path=by_path and bool(credential.path)) for credential in fitting)
    return tuple(chosen)


def fitting_credential(candidates: Iterable[Credential], path: str) -> Credential | None:
    """The credential with the longest path that is `path` or a beginning of it, by whole components."""
    fitting = [c for c in candidates if not c.path or path == c.path or path.startswith(f"{c.path}/")]
    return max(fitting, key=lambda credential: len(credential.path), default=None)


def _fitting(
    candidates: tuple[Credential, ...], host: str, texts: tuple[tuple[str, ...], ...]
) -> tuple[Credential, ...]:
    """Those that the first of the texts asks for which asks for any."""
    narrow = tuple(credential for credential in candidates if credential.path)
    for words in texts if narrow else ():
        found: dict[Credential, None] = {}
        for mention in (mention for word in words for mention in mentions_in(word) if mention.reference.host == host):
            # A word without a host may be a file's path: it asks for no more than what is declared for just this path.
            credential = fitting_credential(candidates if mention.has_host else narrow, mention.reference.path)
            if credential:
                found[credential] = None
        if found:
            return tuple(found)
    return ()
