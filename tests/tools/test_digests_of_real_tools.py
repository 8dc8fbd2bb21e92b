"""What real tools report of a push, a copy, a signature's check: the one digest that the registry has."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from support.cli import tool_path
from support.oci_tools import TOOLS, words
from support.tables import table
from support.tools import need_docker

if TYPE_CHECKING:
    from pathlib import Path

    from support.cli import Machine
    from support.oci_tools import Three


class Push(NamedTuple):
    """A command, and where what it pushed is to be found.

    Attributes:
        line: the command; `{host}`, `{where}` and the artifacts' names are replaced.
        repository: below `{where}`.
        tag: of what was pushed.
        prepare: commands before it.
    """

    line: str
    repository: str = "app"
    tag: str = "1"
    prepare: tuple[str, ...] = ()


_CRANE = ("crane push --insecure {layout} {where}/app:1",)
_DOCKER_LIST = (*_CRANE, "docker manifest create --insecure {where}/app:list {where}/app:1")
_SIGN = (*_CRANE, "cosign generate-key-pair", f"{TOOLS['cosign'].push} --allow-http-registry")
_BUILT = TOOLS["buildah"].prepare
_PODMAN = TOOLS["podman"].prepare


@table(
    "push",
    {
        "helm 3": Push("helm push {chart} oci://{where} --plain-http", tag="1.2.3"),
        "helm 4": Push("helm4 push {chart} oci://{where} --plain-http", tag="1.2.3"),
        "oras": Push("oras push --plain-http {where}/app:1 file.txt"),
        "oras as JSON": Push("oras push --plain-http --format json {where}/app:1 file.txt"),
        "oras pull as JSON": Push(
            "oras pull --plain-http --format json -o out {where}/app:1",
            prepare=("oras push --plain-http {where}/app:1 file.txt",),
        ),
        "oras cp": Push("oras cp --from-plain-http --to-plain-http {where}/app:1 {where}/b:2", "b", "2", _CRANE),
        "crane": Push("crane push --insecure {layout} {where}/app:1"),
        "crane copy": Push("crane copy --insecure {where}/app:1 {where}/b:2", "b", "2", _CRANE),
        "crane, into a file": Push("crane push --insecure --image-refs refs {layout} {where}/app:1"),
        "skopeo": Push("skopeo copy --dest-tls-verify=false --digestfile d oci:{layout}:1 docker://{where}/app:1"),
        "buildah": Push(
            TOOLS["buildah"].push.replace("push {flags}", "push {flags} --digestfile={work}/d"), prepare=_BUILT
        ),
        "podman": Push(TOOLS["podman"].push.replace("push {flags}", "push {flags} --digestfile d"), prepare=_PODMAN),
        "conftest": Push("conftest push --tls=false {where}/app:1 policy"),
        "cosign verify": Push(TOOLS["cosign"].pull, prepare=_SIGN),
        "cosign upload": Push("cosign upload blob --allow-http-registry -f file.txt {where}/app:1"),
        "docker manifest push": Push(
            "docker manifest push --insecure {where}/app:list", tag="list", prepare=_DOCKER_LIST
        ),
        "a wrapper": Push("env crane push --insecure {layout} {where}/app:1"),
    },
)
def test_the_digest_of_the_registry_is_reported(
    machine: Machine, three: Three, artifacts: dict[str, object], short: Path, push: Push
) -> None:
    if "docker" in push.line:
        need_docker(tool_path())
    repository, first = uuid4().hex, three.first
    values = artifacts | {"short": short, "work": machine.work}

    def run(line: str) -> str:
        # Which row it is matters for the flags alone, and these lines have none of their own.
        tool = TOOLS.get(line.split(maxsplit=1)[0], TOOLS["crane"])
        given = words(tool, line, first, repository, **values)
        done = machine.run(*given, registries=[first.login()])
        assert (done.code, done.report["error"]) == (0, None), done.stderr.decode()
        return str(done.report["digest"])

    for line in push.prepare:
        run(line)
    assert run(push.line) == first.digest(f"{repository}/{push.repository}", push.tag)
