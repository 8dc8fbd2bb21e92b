"""The OCI tools that the action is tried with: what each is told, what it reads, where it works. One row a tool.

The tests hold every row against the real tool, `scripts/docs` makes docs/tools.md of them.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import version as package_version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from support.cli import tool_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.registry import Registry

_FOLDER = Path(__file__).parents[1]
PYTHON_CLIENT = _FOLDER / "tools" / "oras_client.py"
RESULTS = _FOLDER / "tools" / "results.json"
# Names a file that takes up what the tests found out; see scripts/docs.
RESULTS_VARIABLE = "REGISTRY_CONFIG_TOOL_RESULTS"

DOCKER_CONFIG = "DOCKER_CONFIG"
AUTH_FILE = "REGISTRY_AUTH_FILE"
HELM_CONFIG = "HELM_REGISTRY_CONFIG"
VARIABLES = (DOCKER_CONFIG, AUTH_FILE, HELM_CONFIG)
HOME_FILE = "~/.docker/config.json"


class Tool(NamedTuple):
    """A tool.

    In a command `{where}` is the beginning of a reference, `{host}` its registry, `{flags}` becomes `plain` over plain
    HTTP and `secure` over TLS; `{layout}` and `{chart}` are artifacts, `{short}` is a folder
    with a short path, `{fresh}` one that is not there yet.

    Attributes:
        title: its name for people.
        push: a command that pushes.
        pull: a command that pulls, run after it.
        example: what a workflow's `command` says.
        plain: flags for a registry that speaks plain HTTP.
        secure: flags for one on loopback that speaks TLS; None: it cannot be made to.
        reads: each variable of ours that leads it to the config, even where it is the only one.
        namespaced: where not root it starts itself again in a user namespace and reads `REGISTRY_AUTH_FILE` alone.
        prepare: commands before them, with the right credentials.
        host: whether it works with the tools of this machine; otherwise it reads the home folder alone.
        image: whether it is tried in an image.
        remark: what a user has to know.
        inputs: further inputs of the example.
        env: variables of the example's step.
    """

    title: str
    push: str
    pull: str
    example: str
    plain: str = ""
    secure: str | None = ""
    reads: tuple[str, ...] = (DOCKER_CONFIG,)
    namespaced: bool = False
    prepare: tuple[str, ...] = ()
    host: bool = True
    image: bool = False
    remark: str = ""
    inputs: tuple[str, ...] = ()
    env: tuple[str, ...] = ()


_LIBRARY = (DOCKER_CONFIG, AUTH_FILE)
_SIGN = "--key cosign.key --use-signing-config=false --tlog-upload=false --yes"
_PODMAN = "podman --root {short}/root --runroot {short}/run --storage-driver vfs"
_BUILDAH = "buildah --root {short}/root --runroot {short}/run --storage-driver vfs"
_KO_REPOSITORIES = "KO_DOCKER_REPO={where}/app KO_DEFAULTBASEIMAGE={where}/base:1"
_KO = f"env -C ko {_KO_REPOSITORIES} ko build --bare --sbom=none {{flags}} {{more}}."
_CUE = "env -C {folder} CUE_CACHE_DIR={fresh} CUE_REGISTRY={where}{flags} cue mod"

TOOLS: Mapping[str, Tool] = {
    "helm": Tool(
        "Helm 3",
        "helm push {chart} oci://{where} {flags}",
        "helm pull oci://{where}/app --version 1.2.3 {flags}",
        "helm push dist/*.tgz oci://ghcr.io/org/charts",
        "--plain-http",
        reads=(DOCKER_CONFIG, HELM_CONFIG),
        image=True,
        remark="3.8 and newer; without `--plain-http` it tries plain HTTP by itself, but sends no credentials: a "
        "401 that is none",
    ),
    "helm4": Tool(
        "Helm 4",
        "helm4 push {chart} oci://{where} {flags}",
        "helm4 pull oci://{where}/app --version 1.2.3 {flags}",
        "helm push dist/*.tgz oci://ghcr.io/org/charts",
        "--plain-http",
        reads=(DOCKER_CONFIG, HELM_CONFIG),
        image=True,
    ),
    "oras": Tool(
        "ORAS",
        "oras push {flags} {where}/app:1 file.txt:text/plain",
        "oras pull {flags} --output pulled {where}/app:1",
        "oras push ghcr.io/org/files:1.2.3 checksums.txt:text/plain",
        "--plain-http",
        image=True,
    ),
    "oras-py": Tool(
        "ORAS for Python",
        "{python} {client} push {where}/app:1 {flags}",
        "{python} {client} pull {where}/app:1 {flags}",
        "python push.py ghcr.io/org/files:1.2.3",
        "--insecure",
        reads=(),
        host=False,
        image=True,
        remark=f"knows only `{HOME_FILE}`: set `image`; a registry without token server needs `auth_backend='basic'`",
        inputs=("image: ghcr.io/org/python-with-oras:1",),
    ),
    "crane": Tool(
        "crane",
        "crane push {layout} {where}/app:1 {flags}",
        "crane pull {where}/app:1 --format oci pulled {flags}",
        "crane copy ghcr.io/org/app:1.2.3 docker.io/org/app:1.2.3",
        "--insecure",
        reads=_LIBRARY,
        image=True,
    ),
    "cosign": Tool(
        "cosign",
        "cosign sign {where}/app@{digest} {sign} {flags}",
        "cosign verify {where}/app@{digest} --key cosign.pub --insecure-ignore-tlog=true {flags}",
        "cosign sign --yes --key env://COSIGN_KEY ghcr.io/org/app@${DIGEST}",
        "--allow-http-registry",
        reads=_LIBRARY,
        prepare=("crane push {insecure} {layout} {where}/app:1", "cosign generate-key-pair"),
        image=True,
        remark="signing without a key needs a writable home",
        inputs=("env: DIGEST", "secret-env: |", "  COSIGN_KEY", "  COSIGN_PASSWORD"),
        env=(
            "DIGEST: ${{ steps.push.outputs.digest }}",
            "COSIGN_KEY: ${{ secrets.COSIGN_KEY }}",
            "COSIGN_PASSWORD: ${{ secrets.COSIGN_PASSWORD }}",
        ),
    ),
    "cosign copy": Tool(
        "cosign copy",
        "cosign copy {flags} {where}/app:1 {where}/copy:1",
        "cosign save {flags} --dir pulled {where}/copy:1",
        "cosign copy ghcr.io/org/app:1.2.3 harbor.example.com/org/app:1.2.3",
        "--allow-http-registry",
        reads=_LIBRARY,
        prepare=("crane push {insecure} {layout} {where}/app:1",),
        image=True,
    ),
    "regctl": Tool(
        "regctl",
        "regctl --verbosity ERROR {flags} image copy ocidir://{layout}:1 {where}/app:1",
        "regctl --verbosity ERROR {flags} image copy {where}/app:1 ocidir://pulled:1",
        "regctl image copy ghcr.io/org/app:1.2.3 docker.io/org/app:1.2.3",
        "--host reg={host},tls=disabled",
        image=True,
    ),
    "skopeo": Tool(
        "skopeo",
        "skopeo copy {flags} oci:{layout}:1 docker://{where}/app:1",
        "skopeo copy {flags} docker://{where}/app:1 oci:pulled:1",
        "skopeo copy --all docker://ghcr.io/org/app:1.2.3 docker://docker.io/org/app:1.2.3",
        "--src-tls-verify=false --dest-tls-verify=false",
        reads=_LIBRARY,
        image=True,
        remark="`REGISTRY_AUTH_FILE` comes first",
    ),
    "buildah": Tool(
        "buildah",
        f"{_BUILDAH} push {{flags}} localhost/app:1 docker://{{where}}/app:1",
        f"{_BUILDAH} pull {{flags}} --policy always docker://{{where}}/app:1",
        "buildah push localhost/app docker://ghcr.io/org/app:1.2.3",
        "--tls-verify=false",
        reads=_LIBRARY,
        namespaced=True,
        prepare=(f"{_BUILDAH} from --name made scratch", f"{_BUILDAH} commit made localhost/app:1"),
        remark="where not root it reads `REGISTRY_AUTH_FILE` alone; `pull` takes an image that is there without asking",
    ),
    "podman": Tool(
        "Podman",
        f"{_PODMAN} push {{flags}} localhost/app:1 docker://{{where}}/app:1",
        f"{_PODMAN} pull {{flags}} docker://{{where}}/app:1",
        "podman push localhost/app ghcr.io/org/app:1.2.3",
        "--tls-verify=false",
        reads=_LIBRARY,
        namespaced=True,
        prepare=(f"{_PODMAN} import {{chart}} localhost/app:1",),
        remark="where not root it reads `REGISTRY_AUTH_FILE` alone",
    ),
    "conftest": Tool(
        "Conftest",
        "conftest push {flags} {where}/policy:1 policy",
        "conftest pull {flags} --policy pulled oci://{where}/policy:1",
        "conftest push ghcr.io/org/policy:1.2.3",
        "--tls=false",
        secure=None,
        image=True,
        remark="speaks plain HTTP with every address on loopback",
    ),
    "ko": Tool(
        "ko",
        _KO.replace("{more}", ""),
        _KO.replace("{more}", "--push=false "),
        "ko build --bare ./cmd/app",
        "--insecure-registry",
        reads=_LIBRARY,
        prepare=("crane push {insecure} {layout} {where}/base:1",),
        remark="AWS credentials of the environment come before the config on ECR",
        inputs=("env: KO_DOCKER_REPO=ghcr.io/org/app",),
    ),
    "cue": Tool(
        "CUE",
        f"{_CUE.replace('{folder}', 'module')} publish v0.0.1",
        f"{_CUE.replace('{folder}', 'consumer')} get test.example/m@v0.0.1",
        "cue mod publish v1.2.3",
        "+insecure",
        "+secure",
        remark="`CUE_REGISTRY` names the registry",
        inputs=("env: CUE_REGISTRY=ghcr.io/org/cue",),
    ),
}


class Three(NamedTuple):
    """Registries of one declaration; the last speaks TLS, with a certificate of a private authority."""

    first: Registry
    second: Registry
    secure: Registry

    @property
    def logins(self) -> list[dict[str, str]]:
        """The declaration."""
        return [one.login() for one in self]


def words(tool: Tool, command: str, registry: Registry, repository: str, **values: object) -> list[str]:
    """The words of one of a tool's commands, told to use this registry."""
    given = {
        "host": registry.address,
        "where": f"{registry.address}/{repository}",
        "flags": tool.secure if registry.authority else tool.plain.format(host=registry.address),
        "insecure": "" if registry.authority else "--insecure",
        "sign": _SIGN,
        "python": sys.executable,
        "client": PYTHON_CLIENT,
    }
    return command.format(**(given | values)).split()


def trust(registry: Registry) -> dict[str, str]:
    """Variables that make tools trust the registry's private authority."""
    return dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), str(registry.authority)) if registry.authority else {}


def refused_users(log: str) -> set[str]:
    """Whose credential a registry got and did not accept; with users of its own it accepts no other registry's."""
    return set(re.findall(r'error authenticating user \\"([^"\\]+)', log))


def locked_versions() -> dict[str, str]:
    """Versions of the tools that scripts/setup builds."""
    lines = (_FOLDER.parent / "scripts" / "tools.txt").read_text().splitlines()
    return {line.split()[0]: line.split()[2] for line in lines if not line.startswith("#")}


def version(name: str) -> str:
    """The version of the tool that is tried."""
    program = name.partition(" ")[0]
    if locked := locked_versions().get(program):
        return locked.removeprefix("v")
    if name == "oras-py":
        return package_version("oras")
    said = subprocess.run([program, "--version"], env={"PATH": tool_path()}, capture_output=True, text=True, check=True)
    found = re.search(r"\d+\.\d+\.\d+", said.stdout)
    assert found
    return found[0]


def note(name: str, **facts: Any) -> None:
    """Keep what a test found out about a tool, where `scripts/docs` asked for it."""
    if path := os.environ.get(RESULTS_VARIABLE):
        file = Path(path)
        known = json.loads(file.read_text()) if file.exists() else {}
        known = {one: known[one] for one in known if one in TOOLS}
        known[name] = known.get(name, {}) | facts
        file.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
