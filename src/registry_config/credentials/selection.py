"""Which credential a command gets where a registry has several, each for a path of its own (`quay.io/org-a`).

docker, oras-go and go-containerregistry reduce such a key to its host and pick one at random; skopeo and a few others
choose by path. So a config never holds more than one credential for a host, under the bare host: the one whose path
fits the references that the command names.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from registry_config.errors import InputError
from registry_config.reference import references_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from registry_config.credentials.reading import Credential


def select(
    credentials: Sequence[Credential], words: Iterable[str], values: Iterable[str] = ()
) -> tuple[Credential, ...]:
    """At most one credential for each host.

    Args:
        credentials: what was declared.
        words: the words of the command that is to be run, or its script.
        values: of the variables that it gets, which may name references too.

    Returns:
        For a host with one credential, that one. For a host with several, the one whose path fits the references to
        this host in `words` (the one without a path fits any); none where the command names no such reference.

    Raises:
        InputError: the command names references that different credentials fit.
    """
    chosen = []
    texts = (*words, *values)
    by_host = sorted(credentials, key=lambda credential: credential.host)
    for host, group in groupby(by_host, key=lambda credential: credential.host):
        candidates = tuple(group)
        if len(candidates) == 1:
            chosen.append(candidates[0])
            continue
        fitting = {found for path in _paths(host, texts) if (found := fitting_credential(candidates, path))}
        if len(fitting) > 1:
            problem = f"names references that several credentials for {host} fit, and most tools take one at random"
            raise InputError("command", problem, "run one command for each")
        chosen.extend(fitting)
    return tuple(chosen)


def fitting_credential(candidates: Iterable[Credential], path: str) -> Credential | None:
    """The credential with the longest path that is `path` or a beginning of it, by whole components."""
    fitting = [c for c in candidates if not c.path or path == c.path or path.startswith(f"{c.path}/")]
    return max(fitting, key=lambda credential: len(credential.path), default=None)


def _paths(host: str, words: Iterable[str]) -> set[str]:
    """The repositories, or beginnings of repositories, of this host that stand in the words."""
    return {reference.path for word in words for reference in references_in(word) if reference.host == host}
