"""Several users of one registry, each for a part of it: which command gets which login, in the real program.

Reported of Docker Hub and Quay (docker/login-action#516, moby/moby#29331, ko-build/ko, containers/skopeo#773).
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import pytest

from support.artifacts import oci_layout
from support.cli import lines_of_ours
from support.registry import registry
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from support.cli import Machine

_PASSWORDS = {"alice": "alices-password-31415926535897", "bob": "bobs-password-27182818284590"}
# Prints the keys of the config as a tool of this name finds it.
_KEYS = """\
#!/usr/bin/env python3
import json, os
print(*sorted(json.load(open(os.environ["REGISTRY_AUTH_FILE"]))["auths"]))
"""


def _tool(machine: Machine, name: str) -> str:
    program = machine.root / name
    program.write_text(_KEYS)
    program.chmod(0o755)
    return str(program)


def _entry(host: str, user: str = "alice") -> dict[str, str]:
    return {"registry": host, "username": user, "password": _PASSWORDS[user]}


def _keys(
    machine: Machine, entries: Sequence[dict[str, str]], words: Sequence[str], options: Sequence[str] = ()
) -> list[str]:
    done = machine.run(_tool(machine, words[0]), *words[1:], registries=entries, options=options)
    assert done.code == 0, done.stderr
    return done.stdout.decode().split()


_QUAY = [_entry("quay.io/org-a"), _entry("quay.io/org-b", "bob")]
_HUB = [_entry("docker.io/org-a"), _entry("index.docker.io/org-b", "bob")]
_WIDE = [_entry("quay.io"), _entry("quay.io/org-a", "bob")]
_HUB_KEYS = ["docker.io", "https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io"]


@table(
    "entries, words, keys",
    {
        "the only entry, another path": (_QUAY[:1], ("crane", "ls", "quay.io/org-b/app"), []),
        "the only entry, no reference": (_QUAY[:1], ("crane", "version"), []),
        "the only entry, its path": (_QUAY[:1], ("crane", "ls", "quay.io/org-a/app"), ["quay.io"]),
        "host in capitals": (_QUAY, ("crane", "ls", "Quay.IO/org-b/app"), ["quay.io"]),
        "short form": (_HUB, ("docker", "push", "org-a/app:1"), _HUB_KEYS),
        "short form, another organisation": (_HUB, ("docker", "push", "org-c/app:1"), []),
        "no reference at all": (_WIDE, ("helm", "dependency", "build"), ["quay.io"]),
    },
)
def test_a_command_gets_the_login_of_the_path_that_it_names(
    entries: list[dict[str, str]], words: tuple[str, ...], keys: list[str], machine: Machine
) -> None:
    assert _keys(machine, entries, words) == keys


def test_a_reference_in_a_variable_selects(machine: Machine) -> None:
    words = ("ko", "build", ".")
    assert _keys(machine, _QUAY, words) == []
    assert _keys(machine, _QUAY, words, ("-e", "KO_DOCKER_REPO=quay.io/org-b")) == ["quay.io"]


@pytest.mark.parametrize("tool", ["skopeo", "podman", "buildah"])
def test_a_tool_that_chooses_by_path_gets_a_key_for_each(tool: str, machine: Machine) -> None:
    words = (tool, "copy", "docker://quay.io/org-a/app:1", "docker://quay.io/org-b/app:1")
    assert _keys(machine, _QUAY, words) == ["quay.io/org-a", "quay.io/org-b"]


def test_for_any_other_tool_the_remedy_is_one_that_works_for_a_copy(machine: Machine) -> None:
    done = machine.run("crane", "copy", "quay.io/org-a/app:1", "quay.io/org-b/app:1", registries=_QUAY)
    assert (done.code, done.report["ran"]) == (64, False)
    assert (
        "over a local folder (crane pull --format=oci FROM folder, then crane push folder TO)" in done.stderr.decode()
    )


def _users(log: str, path: str) -> set[str]:
    """Who asked for something below a path, by the registry's own log; it names users where it answers 404."""
    return set(re.findall(rf"auth\.user\.name=(\S+) .*vars\.name={path}/", log))


def test_the_real_skopeo_copies_from_one_user_to_another(machine: Machine, tmp_path: Path) -> None:
    # Root's skopeo remembers at which address and path of any run it has seen a layer, and asks there first.
    oci_layout(tmp_path / "layout", text=os.urandom(8).hex())
    with registry(tmp_path / "registry", _PASSWORDS) as running:
        entries = [_entry(f"{running.address}/org-a"), _entry(f"{running.address}/org-b", "bob")]
        plain = ("--src-tls-verify=false", "--dest-tls-verify=false")
        a, b = (f"docker://{running.address}/{path}/app:1" for path in ("org-a", "org-b"))
        for words in ((f"oci:{tmp_path}/layout:1", a), (a, b)):
            done = machine.run("skopeo", "copy", *plain, *words, registries=entries)
            assert done.code == 0, done.stderr
        log = running.log.read_text()
    assert (_users(log, "org-a"), _users(log, "org-b")) == ({"alice"}, {"bob"})


def test_the_real_crane_copies_over_a_folder_as_the_message_says(machine: Machine, tmp_path: Path) -> None:
    oci_layout(tmp_path / "layout")
    with registry(tmp_path / "registry", _PASSWORDS) as running:
        entries = [_entry(f"{running.address}/org-a"), _entry(f"{running.address}/org-b", "bob")]
        a, b = (f"{running.address}/{path}/app:1" for path in ("org-a", "org-b"))
        for words in (
            ("push", str(tmp_path / "layout"), a),
            ("pull", "--format=oci", a, "folder"),
            ("push", "folder", b),
        ):
            done = machine.run("crane", *words, "--insecure", registries=entries)
            assert done.code == 0, done.stderr
        log = running.log.read_text()
    assert (_users(log, "org-a"), _users(log, "org-b")) == ({"alice"}, {"bob"})


@table(
    "name",
    {
        name: name
        for name in (
            *("index.docker.io/v1", "index.docker.io/v1/", "https://index.docker.io/v1", "https://index.docker.io"),
            *("https://docker.io", "docker.io/", "https://registry-1.docker.io/v2/", "hub.docker.com", "Docker.io"),
        )
    },
)
def test_every_usual_spelling_of_docker_hub_is_docker_hub(name: str, machine: Machine) -> None:
    assert _keys(machine, [_entry(name)], ("crane", "version")) == _HUB_KEYS


def test_a_list_of_hosts_shares_one_login(machine: Machine) -> None:
    (machine.root / "list").write_text(
        "- registry: [us.icr.io, UK.icr.io/]\n  username: iamapikey\n  password-env: KEY\n"
    )
    done = machine.run(
        _tool(machine, "oras"), registries=str(machine.root / "list"), variables={"KEY": "a-key-for-two-hosts"}
    )
    assert done.stdout.decode().split() == ["uk.icr.io", "us.icr.io"]


def test_upper_case_in_a_path_is_named(machine: Machine) -> None:
    done = machine.run("true", registries=[_entry("ghcr.io/MyOrg")])
    assert done.code == 64
    (line,) = lines_of_ours(done.stderr)
    assert "has upper-case letters in its path, which must be lower case" in line
    assert json.dumps(done.report).count("MyOrg") == 0
