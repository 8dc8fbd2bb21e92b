"""Where a registry has several credentials, a command gets the one whose path fits, or is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from registry_config.credentials.reading import Credential
from registry_config.credentials.selection import select
from registry_config.docker_config import render
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
_HUB = _credential("docker.io")


@table(
    "credentials, words, chosen",
    {
        "one credential for a whole host needs no reference": ((_ALL, _OTHER), ("tool",), {_ALL, _OTHER}),
        "the only one of a host, for another path": ((_A,), ("crane", "ls", "quay.io/org-b/app"), set()),
        "the only one of a host, without a reference": ((_A,), ("tool",), set()),
        "the only one of a host, for its path": ((_A,), ("crane", "ls", "quay.io/org-a/app"), {_A}),
        "the path of the reference": ((_A, _B), ("helm", "push", "a.tgz", "oci://quay.io/org-b"), {_B}),
        "with a tag": ((_A, _B), ("crane", "push", "a", "quay.io/org-a/app:1"), {_A}),
        "with a digest": ((_A, _B), ("crane", "pull", "quay.io/org-a/app@sha256:00", "x"), {_A}),
        "a longer name is another organisation": ((_A, _B, _ALL), ("crane", "ls", "quay.io/org-abc/app"), {_ALL}),
        "the longest path": ((_A, _DEEP), ("oras", "push", "quay.io/org-a/team/app:1"), {_DEEP}),
        "the rest for the one without a path": ((_A, _ALL), ("oras", "push", "quay.io/org-c/app:1"), {_ALL}),
        "the one without a path where nothing is named": ((_A, _ALL), ("helm", "dependency", "build"), {_ALL}),
        "none where no reference names the host": ((_A, _B, _OTHER), ("oras", "push", "ghcr.io/x/y:1"), {_OTHER}),
        "none for a path that nobody declared": ((_A, _B), ("oras", "pull", "quay.io/org-c/app:1"), set()),
        "two references, one credential": ((_A, _B), ("oras", "cp", "quay.io/org-a/x:1", "quay.io/org-a/y:1"), {_A}),
        "a public source beside": ((_A, _B), ("oras", "cp", "quay.io/public/x:1", "quay.io/org-a/y:1"), {_A}),
        "in a script": ((_A, _B), ("sh", "-e", "-c", "crane ls quay.io/org-b/app | wc -l"), {_B}),
        "within an option": ((_A, _B), ("tool", "--to=quay.io/org-b/app"), {_B}),
        "another host that ends alike": ((_A, _B), ("tool", "my.quay.io/org-a/app"), set()),
        "upper case in the host": ((_A, _B), ("crane", "ls", "Quay.IO/org-b/app"), {_B}),
        "Docker Hub by another name": ((_HUB_A, _HUB_B), ("crane", "ls", "index.docker.io/org-b/app"), {_HUB_B}),
        "Docker Hub's short form": ((_HUB_A, _HUB_B), ("docker", "push", "org-a/app:1"), {_HUB_A}),
        "the short form after a transport": ((_HUB_A, _HUB_B), ("tool", "docker://org-b/app:1"), {_HUB_B}),
        "the short form beside the rest": ((_HUB_A, _HUB), ("docker", "push", "org-a/app:1"), {_HUB_A}),
        "the rest of Docker Hub": ((_HUB_A, _HUB), ("docker", "push", "other/app:1"), {_HUB}),
        "paths of files are no references": (
            (_HUB_A, _HUB),
            ("helm", "push", "dist/app.tgz", "oci://docker.io/org-a"),
            {_HUB_A},
        ),
        "a file in a folder of an organisation's name": (
            (_HUB_A, _HUB_B),
            ("helm", "push", "org-b/app.tgz", "oci://docker.io/org-a"),
            {_HUB_A},
        ),
    },
)
def test_a_host_gets_the_credential_that_fits(
    credentials: tuple[Credential, ...], words: tuple[str, ...], chosen: set[Credential]
) -> None:
    assert set(select(credentials, words)) == chosen


@table(
    "words, values, chosen",
    {
        "a value names the reference": (("ko", "build", "."), ("x", "quay.io/org-b/app"), {_B}),
        "the words count before a value": (("crane", "ls", "quay.io/org-a/app"), ("quay.io/org-b/app",), {_A}),
        "a value where no word fits": (("crane", "ls", "quay.io/org-c/app"), ("quay.io/org-b/app",), {_B}),
    },
)
def test_values_of_variables_name_references_too(
    words: tuple[str, ...], values: tuple[str, ...], chosen: set[Credential]
) -> None:
    assert set(select((_A, _B), words, values)) == chosen


@table(
    "credentials, words",
    {
        "two paths": ((_A, _B), ("crane", "copy", "quay.io/org-a/x", "quay.io/org-b/x")),
        "a path and the rest": ((_A, _ALL), ("crane", "copy", "quay.io/other/x", "quay.io/org-a/x")),
        "a script, whatever it runs": (
            (_A, _B),
            ("sh", "-c", "skopeo copy docker://quay.io/org-a/x docker://quay.io/org-b/x"),
        ),
    },
)
def test_two_that_fit_are_refused(credentials: tuple[Credential, ...], words: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as refused:
        select(credentials, words)
    assert str(refused.value) == (
        "command: names references that several credentials for quay.io fit, and most tools take one at random; "
        "run one command for each; a copy takes two commands, over a local folder "
        "(crane pull --format=oci FROM folder, then crane push folder TO), or skopeo, which chooses by path"
    )


@table(
    "credentials, words, keys",
    {
        "a copy": (
            (_A, _B, _OTHER),
            ("quay.io/org-a/x", "quay.io/org-b/x"),
            {"quay.io/org-a", "quay.io/org-b", "ghcr.io"},
        ),
        "one of them": ((_A, _B), ("quay.io/org-b/x",), {"quay.io/org-b"}),
        "the rest keeps the host's key": ((_A, _ALL), ("quay.io/org-a/x", "quay.io/x/x"), {"quay.io/org-a", "quay.io"}),
        "all of a host where nothing is named": ((_A, _B), ("build", "."), {"quay.io/org-a", "quay.io/org-b"}),
    },
)
def test_a_tool_that_chooses_by_path_gets_a_key_for_each(
    credentials: tuple[Credential, ...], words: tuple[str, ...], keys: set[str]
) -> None:
    logins = [credential.login for credential in select(credentials, words, by_path=True)]
    assert set(json.loads(render(logins))["auths"]) == keys


def test_any_other_tool_gets_the_key_of_the_host() -> None:
    (login,) = [credential.login for credential in select((_A, _B), ("quay.io/org-a/x",))]
    assert list(json.loads(render([login]))["auths"]) == ["quay.io"]
