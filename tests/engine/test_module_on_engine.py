"""The Dagger module as a person calls it, and the example modules that depend on it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.cli import tool_path
from support.engine import Image, answers, publish_images
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from support.engine import Engine, Tools
    from support.registry import Pair, Registry

# An image with Python for modules, where the engine cannot pull the one of pyproject.toml.
BASE_IMAGE = "REGISTRY_CONFIG_TEST_MODULE_IMAGE"
_ROOT = Path(__file__).parents[2]
# The first load of a module installs its packages.
_TIMEOUT = 280
_HUB = ("https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io")
_IMAGE = "helm and oras"


@dataclass(frozen=True)
class Modules:
    """A copy of this project as modules, and a way to call them.

    Attributes:
        root: where the copy lies.
        variables: the environment of a call.
    """

    root: Path
    variables: Mapping[str, str]

    def call(self, *words: str, module: str = ".", **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `dagger call` in the folder of a module, with these further variables; standard error is its log."""
        return subprocess.run(
            [self.variables["_EXPERIMENTAL_DAGGER_CLI_BIN"], "call", "--progress=plain", *words],
            cwd=self.root / module,
            env={**self.variables, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )

    def output(self, *words: str, module: str = ".", **variables: str) -> str:
        """What a call prints that has to succeed, and that shows none of the passwords in its log."""
        ended = self.call(*words, module=module, **variables)
        assert ended.returncode == 0, ended.stderr
        assert [form for form in _forms(variables.values()) if form in ended.stderr] == []
        return ended.stdout


@pytest.fixture(scope="module")
def modules(engine: Engine, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Modules:
    folder = tmp_path_factory.mktemp("modules")
    for name in ("dagger.json", "pyproject.toml", "uv.lock", "README.md", "LICENSE"):
        shutil.copy(_ROOT / name, folder)
    for name in ("src", "examples/dagger"):
        shutil.copytree(_ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "sdk", ".venv"))
    if image := os.environ.get(BASE_IMAGE):
        for path in folder.rglob("pyproject.toml"):
            path.write_text(re.sub(r"(?m)^base-image = .*$", f'base-image = "{image}"', path.read_text()))
    # The engine takes the folder with .git for the root of the project.
    (folder / ".git").mkdir()
    publish_images(engine, tools.registry, {_IMAGE: Image(("helm", "oras"), passwd="root:x:0:0:root:/root:/bin/sh\n")})
    # An image in an argument is pulled with the logins of whoever calls.
    home = tmp_path_factory.mktemp("home")
    login = tools.login
    (home / ".docker").mkdir()
    auths = {login["registry"]: _auth(login["username"], login["password"])}
    (home / ".docker/config.json").write_text(_document(auths))
    return Modules(folder, {"PATH": tool_path(), "HOME": str(home), "DO_NOT_TRACK": "1", **engine.variables})


def _auth(username: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{username}:{password}".encode()).decode()}


def _document(auths: Mapping[str, dict[str, str]]) -> str:
    return json.dumps({"auths": auths}, separators=(",", ":"), sort_keys=True)


def _forms(passwords: Iterable[str]) -> list[str]:
    return [form for p in passwords for form in (p, base64.b64encode(p.encode()).decode().rstrip("=")[:-1])]


def _login(address: str, username: str, variable: str) -> tuple[str, ...]:
    return ("with-registry-auth", f"--address={address}", f"--username={username}", f"--secret=env:{variable}")


def _service(name: str, registry: Registry) -> tuple[str, ...]:
    return ("with-service", f"--name={name}", f"--service=tcp://{registry.address}")


_ALICE = _login("ghcr.io", "alice", "ONE")
_BOB = _login("index.docker.io", "bob", "TWO")
_PASSWORDS = {"ONE": "first-password", "TWO": "second-password"}
_GHCR = {"ghcr.io": _auth("alice", "first-password")}
_BOTH = _GHCR | dict.fromkeys(_HUB, _auth("bob", "second-password"))


@table(
    "words, auths",
    {
        "none": ((), {}),
        "one": (_ALICE, _GHCR),
        "two": ((*_ALICE, *_BOB), _BOTH),
        "overridden": ((*_ALICE, *_login("GHCR.io", "eve", "TWO")), {"ghcr.io": _auth("eve", "second-password")}),
        "removed": ((*_ALICE, *_BOB, "without-registry-auth", "--address=docker.io"), _GHCR),
    },
)
def test_a_call_gives_the_document(
    modules: Modules, words: tuple[str, ...], auths: Mapping[str, dict[str, str]]
) -> None:
    assert modules.output(*words, "as-secret", "plaintext", **_PASSWORDS) == _document(auths)


@table(
    "words, seen",
    {
        "mount-secret": (("mount-secret", "--path=/x/config.json"), "400 0 0"),
        "secret-mount": (
            ("secret-mount", "--path=/x/config.json", "--owner=1234:1235", "--mode=292", "mount"),
            "444 1234 1235",
        ),
    },
)
def test_a_call_mounts_the_document(modules: Modules, tools: Tools, words: tuple[str, ...], seen: str) -> None:
    script = "stat -c '%a %u %g' /x/config.json; sha256sum </x/config.json; cat /x/config.json"
    container = f"--container={tools.reference(_IMAGE)}"
    printed = modules.output(*_ALICE, *words, container, "with-exec", f"--args=sh,-c,{script}", "stdout", **_PASSWORDS)
    digest = hashlib.sha256(_document(_GHCR).encode()).hexdigest()
    assert printed == f"{seen}\n{digest}  -\n***"


def test_a_call_pulls_with_the_declared_credential_alone(modules: Modules, tools: Tools, tmp_path: Path) -> None:
    address, username, password = (tools.login[key] for key in ("registry", "username", "password"))
    words = ("container", f"--image={tools.reference(_IMAGE)}", "entrypoint")
    variables = {"HOME": str(tmp_path), "PULLER": password}
    refused = modules.call(*words, **variables)
    assert (refused.returncode, "authorization failed: no basic auth credentials" in refused.stderr) == (1, True)
    assert modules.output(*_login(address, username, "PULLER"), *words, **variables) == ""


def test_a_call_runs_each_time_and_hides_what_the_tool_prints_of_a_secret(modules: Modules, tools: Tools) -> None:
    script = (
        "cat /proc/sys/kernel/random/uuid; sha256sum <$DOCKER_CONFIG/config.json;"
        " sha256sum <~/.docker/config.json; cat $DOCKER_CONFIG/parts/*"
    )
    words = (*_ALICE, "run", f"--container={tools.reference(_IMAGE)}", f"--args=sh,-c,{script}", "stdout")
    first, second = (modules.output(*words, **_PASSWORDS).splitlines() for _ in range(2))
    digest = hashlib.sha256(_document(_GHCR).encode()).hexdigest()
    assert first[1:] == second[1:] == [f"{digest}  -", f"{digest}  -", "******"]
    assert first[0] != second[0]


def test_a_refusal_names_the_reason_and_no_secret(modules: Modules) -> None:
    ended = modules.call(*_login("https://ghcr.io", "alice", "ONE"), "as-secret", "plaintext", **_PASSWORDS)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "must be a host without a scheme, such as 'ghcr.io'" in ended.stderr
    assert "first-password" not in ended.stderr


def test_the_helm_example_pushes_a_chart(modules: Modules, tools: Tools, registries: Pair, tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: app\nversion: 1.2.3\n")
    first = registries.first
    user, password = next(iter(first.users.items()))
    address = f"first:{first.address.rpartition(':')[2]}"
    start = (f"--tool={tools.reference(_IMAGE)}", *_service("first", first), *_login(address, user, "ONE"))
    push = ("push", f"--chart={tmp_path}", f"--target={address}/charts", "--plain-http")
    digest = modules.output(*start, *push, module="examples/dagger/helm", ONE=password)
    assert digest == first.digest("charts/app", "1.2.3")
    refused = modules.call(
        *start, "without-registry-auth", f"--address={address}", *push, module="examples/dagger/helm", ONE=password
    )
    assert (refused.returncode, "basic credential not found" in refused.stderr) == (1, True)


def test_the_release_example_pushes_to_several_registries_once(
    modules: Modules, tools: Tools, registries: Pair, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("made for a test\n")
    words, targets, variables = [f"--tool={tools.reference(_IMAGE)}"], [], {}
    for name, registry in zip(("first", "second"), registries, strict=True):
        user, variables[name.upper()] = next(iter(registry.users.items()))
        address = f"{name}:{registry.address.rpartition(':')[2]}"
        words += [*_service(name, registry), *_login(address, user, name.upper())]
        targets.append(f"{address}/released/app:1")
    push = ("push", f"--files={tmp_path}", f"--targets={','.join(targets)}", "--plain-http")
    printed = modules.output(*words, *push, module="examples/dagger/release", **variables)
    digests = [registry.digest("released/app", "1") for registry in registries]
    assert len(set(digests)) == 1
    expected = [f"{target.removesuffix(':1')}@{digest}" for target, digest in zip(targets, digests, strict=True)]
    assert printed.splitlines() == expected
    assert [answers(registry, "PUT /v2/released/app/manifests/1") for registry in registries] == [["201"], ["201"]]
