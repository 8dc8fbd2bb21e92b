"""Where a registry has several credentials, a command gets the one whose path fits, or is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from registry_config.credentials.reading import Credential
from registry_config.credentials.selection import select
from registry_config.errors import InputError
from support.tables import table

if TYPE_CHECKING:
    from registry_config.declaration.registries import Purpose

_BOTH: frozenset[Purpose] = frozenset(("image", "command"))


def _credential(host: str, path: str = "") -> Credential:
    return Credential(host=host, username="u", secret=f"secret of {host}/{path}", purposes=_BOTH, path=path)


_A = _credential("quay.io", "org-a")
_B = _credential("quay.io", "org-b")
_DEEP = _credential("quay.io", "org-a/team")
_ALL = _credential("quay.io")
_OTHER = _credential("ghcr.io")
_HUB_A = _credential("docker.io", "org-a")
_HUB_B = _credential("docker.io", "org-b")


@table(
    "credentials, words, chosen",
    {
        "one credential for a host needs no reference": ((_A, _OTHER), ("tool",), {_A, _OTHER}),
        "the path of the reference": ((_A, _B), ("helm", "push", "a.tgz", "oci://quay.io/org-b"), {_B}),
        "with a tag": ((_A, _B), ("crane", "push", "a", "quay.io/org-a/app:1"), {_A}),
        "with a digest": ((_A, _B), ("crane", "pull", "quay.io/org-a/app@sha256:00", "x"), {_A}),
        "a longer name is another organisation": ((_A, _B, _ALL), ("crane", "ls", "quay.io/org-abc/app"), {_ALL}),
        "the longest path": ((_A, _DEEP), ("oras", "push", "quay.io/org-a/team/app:1"), {_DEEP}),
        "the rest for the one without a path": ((_A, _ALL), ("oras", "push", "quay.io/org-c/app:1"), {_ALL}),
        "none where no reference names the host": ((_A, _B, _OTHER), ("oras", "push", "ghcr.io/x/y:1"), {_OTHER}),
        "none for a path that nobody declared": ((_A, _B), ("oras", "pull", "quay.io/org-c/app:1"), set()),
        "two references, one credential": ((_A, _B), ("oras", "cp", "quay.io/org-a/x:1", "quay.io/org-a/y:1"), {_A}),
        "a public source beside": ((_A, _B), ("oras", "cp", "quay.io/public/x:1", "quay.io/org-a/y:1"), {_A}),
        "in a script": ((_A, _B), ("sh", "-e", "-c", "crane ls quay.io/org-b/app | wc -l"), {_B}),
        "within an option": ((_A, _B), ("tool", "--to=quay.io/org-b/app"), {_B}),
        "another host that ends alike": ((_A, _B), ("tool", "my.quay.io/org-a/app"), set()),
        "Docker Hub by another name": ((_HUB_A, _HUB_B), ("crane", "ls", "index.docker.io/org-b/app"), {_HUB_B}),
    },
)
def test_a_host_gets_the_credential_that_fits(
    credentials: tuple[Credential, ...], words: tuple[str, ...], chosen: set[Credential]
) -> None:
    assert set(select(credentials, words)) == chosen


def test_two_that_fit_are_refused() -> None:
    with pytest.raises(InputError) as refused:
        select((_A, _B), ("crane", "copy", "quay.io/org-a/x", "quay.io/org-b/x"))
    assert str(refused.value) == (
        "command: names references that several credentials for quay.io fit, and most tools take one at random; "
        "run one command for each"
    )
