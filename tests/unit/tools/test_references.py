"""Which references a command reads and which it writes."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from registry_config.tools.references import references_of
from registry_config.tools.table import TOOLS
from registry_config.tools.words import split_words
from support.artifacts import chart
from support.cli import tool_path
from support.tables import table
from support.tools import need_docker, need_tools

if TYPE_CHECKING:
    from pathlib import Path

_D = f"sha256:{'a' * 64}"


def _named(line: str, **variables: str) -> tuple[list[str], list[str]] | None:
    found = references_of(line.split(), variables)
    if found is None:
        return None
    reads, writes = (
        [
            one.repository + (f":{one.tag}" if one.tag else "") + (f"@{one.digest}" if one.digest else "")
            for one in references
        ]
        for references in found
    )
    return reads, writes


@table(
    "line, reads, writes",
    {
        "helm pull": ("helm pull oci://ghcr.io/org/c --version 1.2+3", ["ghcr.io/org/c:1.2_3"], []),
        "helm install": ("helm install app oci://ghcr.io/org/c -n x", ["ghcr.io/org/c"], []),
        "helm upgrade": ("helm upgrade -i app oci://ghcr.io/org/c --set a=b", ["ghcr.io/org/c"], []),
        "helm of a local chart": ("helm template ./chart", [], []),
        "helm lint": ("helm lint chart", [], []),
        "helm dependency": ("helm dependency build chart", [], []),
        "oras push": ("oras push --artifact-type a/b ghcr.io/o/f:1 x.txt:text/plain", [], ["ghcr.io/o/f:1"]),
        "oras push of two tags": ("oras push ghcr.io/o/f:1,2 x", [], ["ghcr.io/o/f:1", "ghcr.io/o/f:2"]),
        "oras push without tag": ("oras push ghcr.io/o/f x", [], ["ghcr.io/o/f"]),
        "oras push to a layout": ("oras push --oci-layout dir:1 x", [], []),
        "oras pull": ("oras pull -o out ghcr.io/o/f:1", ["ghcr.io/o/f:1"], []),
        "oras cp": ("oras cp -r a.io/x:1 b.io/y:2", ["a.io/x:1"], ["b.io/y:2"]),
        "oras copy by digest": (f"oras copy a.io/x@{_D} b.io/y:2", [f"a.io/x@{_D}"], ["b.io/y:2"]),
        "oras copy from a layout": ("oras copy --from-oci-layout d:1 b.io/y:2", [], ["b.io/y:2"]),
        "oras copy to a layout": ("oras copy --to-oci-layout a.io/x:1 d:1", ["a.io/x:1"], []),
        "oras attach": ("oras attach --artifact-type a/b a.io/x:1 f", ["a.io/x:1"], ["a.io/x"]),
        "oras tag": ("oras tag a.io/x:1 2 3", ["a.io/x:1"], ["a.io/x:2", "a.io/x:3"]),
        "oras manifest push": ("oras manifest push a.io/x:1 m.json", [], ["a.io/x:1"]),
        "oras resolve": ("oras resolve a.io/x:1", ["a.io/x:1"], []),
        "oras login": ("oras login a.io -u x", [], []),
        "crane push": ("crane push layout ghcr.io/o/a", [], ["ghcr.io/o/a:latest"]),
        "crane pull": ("crane pull a.io/x b.io/y:1 out.tar", ["a.io/x:latest", "b.io/y:1"], []),
        "crane copy": ("crane --insecure cp alpine b.io/y", ["docker.io/library/alpine:latest"], ["b.io/y:latest"]),
        "crane copy of all tags": ("crane copy a.io/x b.io/y -a", ["a.io/x"], ["b.io/y"]),
        "crane tag": ("crane tag a.io/x:1 2", ["a.io/x:1"], ["a.io/x:2"]),
        "crane append": ("crane append -b a.io/x:1 -f l.tar -t b.io/y:2", ["a.io/x:1"], ["b.io/y:2"]),
        "crane append to a file": ("crane append -b a.io/x:1 -f l.tar -o o.tar", ["a.io/x:1"], []),
        "crane mutate": ("crane mutate a.io/x:1 -t b.io/y:2 -l a=b", ["a.io/x:1"], ["b.io/y:2"]),
        "crane mutate by digest": ("crane mutate a.io/x:1 -l a=b", ["a.io/x:1"], ["a.io/x"]),
        "crane flatten": ("crane flatten a.io/x:1", ["a.io/x:1"], ["a.io/x:1"]),
        "crane index append": (
            "crane index append -m a.io/x:1 -m a.io/x:2 -t a.io/x:3",
            ["a.io/x:1", "a.io/x:2"],
            ["a.io/x:3"],
        ),
        "crane digest": ("crane digest --full-ref a.io/x:1", ["a.io/x:1"], []),
        "crane ls": ("crane ls a.io/x", ["a.io/x"], []),
        "skopeo copy": ("skopeo copy --all docker://a.io/x docker://b.io/y:2", ["a.io/x:latest"], ["b.io/y:2"]),
        "skopeo copy from a layout": ("skopeo copy -q oci:l:1 docker://b.io/y:2", [], ["b.io/y:2"]),
        "skopeo inspect": ("skopeo inspect --format x docker://a.io/x:1", ["a.io/x:1"], []),
        "skopeo sync": ("skopeo sync --src docker --dest docker a.io/o/x:1 b.io/y", ["a.io/o/x:1"], ["b.io/y/x:1"]),
        "regctl image copy": ("regctl -v info image copy a.io/x:1 b.io/y:2", ["a.io/x:1"], ["b.io/y:2"]),
        "regctl from a layout": (
            "regctl --host reg=b.io,tls=disabled image copy ocidir://l:1 b.io/y:2",
            [],
            ["b.io/y:2"],
        ),
        "regctl image mod": ("regctl image mod a.io/x:1 --create 2", ["a.io/x:1"], ["a.io/x:2"]),
        "regctl image mod elsewhere": ("regctl image mod a.io/x:1 --create b.io/y:2", ["a.io/x:1"], ["b.io/y:2"]),
        "regctl image mod --replace": ("regctl image mod a.io/x:1 --replace", ["a.io/x:1"], ["a.io/x:1"]),
        "regctl artifact put": ("regctl artifact put --subject a.io/x:1 -f y", ["a.io/x:1"], ["a.io/x"]),
        "regctl index create": ("regctl index create a.io/x:i --ref a.io/x:1", ["a.io/x:1"], ["a.io/x:i"]),
        "regctl tag ls": ("regctl tag ls a.io/x", ["a.io/x"], []),
        "docker push": ("docker push org/app:1", [], ["docker.io/org/app:1"]),
        "docker push -a": ("docker push -a ghcr.io/org/app", [], ["ghcr.io/org/app"]),
        "docker pull": ("docker pull alpine", ["docker.io/library/alpine:latest"], []),
        "docker manifest create": (
            "docker manifest create a.io/l:1 a.io/x:1 -a a.io/y:1",
            ["a.io/x:1", "a.io/y:1"],
            [],
        ),
        "docker manifest push": ("docker manifest push --purge a.io/l:1", [], ["a.io/l:1"]),
        "docker build": ("docker build -t a.io/x:1 .", [], []),
        "docker build --push": ("docker build --push -t a.io/x:1 --tag=a.io/x:2 .", [], ["a.io/x:1", "a.io/x:2"]),
        "docker buildx build": ("docker buildx build --platform a,b --push -t a.io/x:1 .", [], ["a.io/x:1"]),
        "docker imagetools create": (
            "docker buildx imagetools create -t a.io/x:1 a.io/y:1",
            ["a.io/y:1"],
            ["a.io/x:1"],
        ),
        "buildah push": ("buildah push x docker://a.io/x:1", [], ["a.io/x:1"]),
        "buildah push to a file": ("buildah push x oci-archive:x.tar", [], []),
        "podman push": ("podman --root r push -q a.io/x:1", [], ["a.io/x:1"]),
        "podman manifest push": ("podman manifest push --all l docker://a.io/x:1", [], ["a.io/x:1"]),
        "podman pull": ("podman pull a.io/x b.io/y", ["a.io/x:latest", "b.io/y:latest"], []),
        "cosign sign": (f"cosign sign --key k a.io/x@{_D}", [f"a.io/x@{_D}"], ["a.io/x"]),
        "cosign attest": ("cosign attest --yes --predicate p a.io/x:1", ["a.io/x:1"], ["a.io/x"]),
        "cosign verify": ("cosign verify --key k a.io/x:1 b.io/y:1", ["a.io/x:1", "b.io/y:1"], []),
        "cosign copy": ("cosign copy -f a.io/x:1 b.io/y:1", ["a.io/x:1"], ["b.io/y:1"]),
        "cosign generate-key-pair": ("cosign generate-key-pair", [], []),
        "flux push": ("flux push artifact oci://a.io/m:1 --path=. --source=x --revision=y", [], ["a.io/m:1"]),
        "flux tag": ("flux tag artifact oci://a.io/m:1 --tag latest", ["a.io/m:1"], ["a.io/m:latest"]),
        "conftest push": ("conftest push a.io/p policy", [], ["a.io/p:latest"]),
        "conftest pull": ("conftest pull oci://a.io/p:1", ["a.io/p:1"], []),
        "notation sign": ("notation sign a.io/x:1", ["a.io/x:1"], ["a.io/x"]),
        "after two dashes": ("oras push -- a.io/x:1 -f", [], ["a.io/x:1"]),
        "by its path": ("/opt/bin/oras pull a.io/x:1", ["a.io/x:1"], []),
        "the same twice": ("oras copy a.io/x:1 a.io/x:1", ["a.io/x:1"], ["a.io/x:1"]),
    },
)
def test_a_tool_s_words_are_told_apart(line: str, reads: list[str], writes: list[str]) -> None:
    assert _named(line) == (reads, writes)


@pytest.mark.parametrize(
    "line",
    [
        "sh -c crane",
        "make push",
        "my-tool push a.io/x:1",
        "tofu init",
        "oras serve a.io/x:1",
        "oras push",
        "oras push a.io/X:1 f",
        "oras copy a.io/x:1",
        "docker compose push",
        "docker buildx bake --push",
        "docker buildx build -o type=registry,name=a.io/x .",
        "docker build --push --cache-to type=registry,ref=a.io/c -t a.io/x:1 .",
        "skopeo sync --src yaml --dest docker sync.yml b.io/y",
        "skopeo sync --scoped --src docker --dest docker a.io/x b.io/y",
        "helm push app-1.tgz oci://ghcr.io/org",
        "ko build ./cmd/app",
        # An option that is not known takes the next word, and then one is missing.
        "oras copy --new-option a.io/x:1 b.io/y:1",
    ],
)
def test_where_nobody_knows_nothing_is_claimed(line: str) -> None:
    assert _named(line) is None


@table(
    "line, writes",
    {
        "bare": ("ko build --bare .", ["ghcr.io/org/app:latest"]),
        "with tags": ("ko build --bare -t 1,2 --sbom=none .", ["ghcr.io/org/app:1", "ghcr.io/org/app:2"]),
        "not pushed": ("ko build --bare --push=false .", []),
        "for the daemon": ("ko build -L ./cmd", []),
    },
)
def test_ko_writes_to_the_repository_of_its_variable(line: str, writes: list[str]) -> None:
    assert _named(line, KO_DOCKER_REPO="ghcr.io/org/app") == ([], writes)


def test_a_chart_is_pushed_under_its_name_and_version(tmp_path: Path) -> None:
    packed = chart(tmp_path, "my-chart", "1.2.3+build")
    asked: list[str] = []

    def read(path: str, limit: int) -> bytes:
        asked.append(path)
        return packed.read_bytes()[:limit]

    found = references_of(("helm4", "push", "--plain-http", "dist/a.tgz", "oci://ghcr.io/org/charts/"), {}, read)
    assert found is not None
    assert (found.reads, [(one.repository, one.tag) for one in found.writes]) == (
        (),
        [("ghcr.io/org/charts/my-chart", "1.2.3_build")],
    )
    assert (found.written_tags, asked) == (found.writes, ["dist/a.tgz"])


def test_what_has_no_tag_of_its_own_is_no_tagged_reference() -> None:
    found = references_of(["cosign", "sign", "a.io/x:1"])
    assert found is not None
    assert (found.written_tags, [one.path for one in found.writes]) == ((), ["x"])


@table(
    "words, plain, options",
    {
        "value behind it": ("--a b c", ("c",), (("a", "b"),)),
        "value with =": ("--a=b c", ("c",), (("a", "b"),)),
        "switch": ("--s c", ("c",), (("s", ""),)),
        "switch with =": ("--s=false c", ("c",), (("s", "false"),)),
        "short": ("-a b c", ("c",), (("a", "b"),)),
        "short, together": ("-ab c", ("c",), (("a", "b"),)),
        "short with =": ("-a=b c", ("c",), (("a", "b"),)),
        "short switches together": ("-st c", ("c",), (("s", ""), ("t", ""))),
        "a switch and a value": ("-sab", (), (("s", ""), ("a", "b"))),
        "dash": ("- x", ("-", "x"), ()),
        "two dashes": ("-- --a", ("--a",), ()),
        "nothing behind it": ("--a", (), (("a", ""),)),
        "nothing behind a short one": ("-a", (), (("a", ""),)),
    },
)
def test_options_are_read_as_pflag_reads_them(
    words: str, plain: tuple[str, ...], options: tuple[tuple[str, str], ...]
) -> None:
    assert split_words(words.split(), "s t") == (plain, options)


_HELP = {
    "oras": "push|pull|copy|attach|tag|manifest push|manifest fetch|manifest index create|blob push|discover|resolve",
    "helm": "push|pull|install|upgrade|template|show all",
    "helm4": "push|pull|install|upgrade|template|show all",
    "crane": "push|pull|copy|tag|append|mutate|digest|export|flatten|rebase|index append|index filter|validate",
    "regctl": "image copy|image import|image export|image mod|manifest get|manifest put|artifact put|index create"
    "|repo copy",
    "skopeo": "copy|inspect|sync|list-tags|delete",
    "buildah": "push|pull|manifest push|from",
    "podman": "push|pull|manifest push",
    "docker": "push|pull|manifest push|manifest create|build",
    "conftest": "push|pull",
    "ko": "build",
    "cosign": "sign|attest|copy|verify|verify-attestation|save|load|upload blob|tree|clean",
}


def _switches_in(text: str) -> set[str]:
    """The options without a value in a help of cobra's, or of cosign's."""
    found = re.findall(r"^\s+(?:-(\w), )?--([\w.-]+)(?:\s{2,}\S|$)", text, re.MULTILINE)
    found += re.findall(r"^\s+(?:-(\w), )?--([\w.-]+)=(?:true|false):", text, re.MULTILINE)
    return {name for pair in found for name in pair if name}


@pytest.mark.parametrize("program", _HELP)
def test_every_switch_of_the_real_tool_is_known(program: str) -> None:
    """A switch that is not known would swallow a reference."""
    grammar = TOOLS[program.rstrip("4")].grammar
    assert grammar
    need_tools([program], tool_path())
    if program == "docker":
        need_docker(tool_path())
    told: set[str] = set()
    for command in _HELP[program].split("|"):
        words = [program, *command.split(), "--help"]
        said = subprocess.run(
            words, env={"PATH": tool_path(), "HOME": "/"}, capture_output=True, text=True, check=False
        )
        # cosign has its description on the next line.
        told |= _switches_in(said.stdout + said.stderr)
    if program == "cosign":
        told = {name for name in told if re.fullmatch(r"\w|[\w-]+", name)}
    assert told
    assert told - set(grammar.switches.split()) == set()
