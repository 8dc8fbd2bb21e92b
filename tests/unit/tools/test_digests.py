"""Digests that tools report, in lines as the tools wrote them."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from registry_config.tools.digests import MAX_FILE_BYTES, digests_in_files, reported_digests
from support.results import result
from support.tables import table

if TYPE_CHECKING:
    from pathlib import Path

    from registry_config.results import CommandResult

_A = f"sha256:{'a' * 64}"
_B = f"sha256:{'b' * 64}"
_C = f"sha256:{'c' * 64}"


def _done(line: str, stdout: str = "", stderr: str = "") -> CommandResult:
    return result(*line.split(), stdout=stdout, stderr=stderr, code=0)


_HELM = f"Pushed: ghcr.io/org/charts/app:1.2.3\nDigest: {_A}\n"
_ORAS = f"Pushed [registry] ghcr.io/org/app:1\nArtifactType: application/x\nDigest: {_A}\n"
_CRANE = f"2025/01/02 03:04:05 existing blob: {_C}\n2025/01/02 03:04:05 a.io/app:1: digest: {_A} size: 424\n"
_DOCKER = (
    f"The push refers to repository [ghcr.io/org/app]\n5f70bf18a086: Layer already exists\n1: digest: {_A} size: 942\n"
)
_FLUX = f"► pushing artifact to ghcr.io/org/app:1\n✔ artifact successfully pushed to ghcr.io/org/app@{_A}\n"
_KO = (
    f"2026/01/02 03:04:05 Using base a.io/base:1@{_C} for test.example/k\n"
    f"2026/01/02 03:04:05 a.io/ko:sha256-x.sbom: digest: {_C} size: 333\n2026/01/02 03:04:05 Published a.io/ko@{_A}\n"
)
_DESCRIPTOR = json.dumps({"reference": f"a.io/org/f@{_A}", "digest": _A, "files": [{"digest": _C}]}, indent=2)
_PULLED = json.dumps({"reference": f"a.io/org/f@{_A}", "files": [{"digest": _C, "reference": f"a.io/org/f@{_C}"}]})
_VERIFIED = json.dumps([{"critical": {"image": {"docker-manifest-digest": _A}, "identity": {}}, "optional": {}}])
_FEATURES = json.dumps({"one": {"publishedTags": ["1"], "digest": _A}, "two": {"digest": _B}})
_IMAGETOOLS = (
    f"#1 [internal] pushing a.io/app\n#1 0.000 copying {_C} from a.io/x to a.io/app\n"
    f"#1 0.020 pushing {_A} to a.io/app:1\n#1 DONE 0.0s\n"
)
_BUILDX = (
    f"#12 exporting manifest {_C} done\n#12 exporting attestation manifest {_C} done\n"
    f"#12 pushing manifest for a.io/app:1@{_A} 0.1s done\n#12 pushing manifest for a.io/app:2@{_A}\n#12 DONE 0.3s\n"
)


@table(
    "done, digests",
    {
        "helm 3, on stderr": (_done("helm push", stderr=_HELM), (_A,)),
        "helm 4, on stdout": (_done("helm4 push", stdout=_HELM), (_A,)),
        "helm by its path": (_done("/opt/bin/helm push", stderr=_HELM), (_A,)),
        "oras": (_done("oras push", stdout=_ORAS), (_A,)),
        "oras, not on stderr": (_done("oras push", stderr=_ORAS), ()),
        "oras as JSON": (_done("oras push --format json a.io/org/f:1 f", stdout=_DESCRIPTOR), (_A,)),
        "oras pull as JSON": (_done("oras pull --format json a.io/org/f:1", stdout=_PULLED), (_A,)),
        "oras discover as JSON is no report": (_done("oras discover --format json a.io/f:1", stdout=_DESCRIPTOR), ()),
        "crane push": (_done("crane push", stdout=f"ghcr.io/org/app@{_A}\n", stderr=_CRANE), (_A,)),
        "crane copy": (_done("crane copy", stderr=_CRANE), (_A,)),
        "crane manifest is no report": (_done("crane manifest", stdout=f'{{"digest": "{_A}"}}\n'), ()),
        "crane digest is no report": (_done("crane digest", stdout=f"{_A}\n"), ()),
        "docker push": (_done("docker push", stdout=_DOCKER), (_A,)),
        "docker pull": (_done("docker pull", stdout=f"1: Pulling from org/app\nDigest: {_A}\nStatus: done\n"), (_A,)),
        "docker manifest push": (_done("docker manifest push --purge a.io/app:1", stdout=f"{_A}\n"), (_A,)),
        "docker images is no report": (_done("docker images", stdout=f"{_A}\n"), ()),
        "buildx imagetools": (_done("docker buildx imagetools create -t a.io/app:1 a.io/x", stderr=_IMAGETOOLS), (_A,)),
        "buildx by its own name": (_done("docker-buildx build --push .", stderr=_BUILDX), (_A,)),
        "buildx build": (_done("docker buildx build --push -t a.io/app:1 -t a.io/app:2 .", stderr=_BUILDX), (_A,)),
        "buildx build of several images": (
            _done("docker buildx bake --push", stderr=f"{_BUILDX}#9 pushing manifest for a.io/b:1@{_B} 0.1s done\n"),
            (_A, _B),
        ),
        "ko build": (_done("ko build ./cmd", stdout=f"ko.local/app@{_A}\n"), (_A,)),
        "ko resolve": (_done("ko resolve -f x", stdout=f"spec:\n  - image: a.io/ko@{_A}\n---\n"), (_A,)),
        "ko resolve names other images too": (
            _done("ko resolve -f x", stdout=f"image: a.io/ko@{_A}\nimage: a.io/base@{_C}\n", stderr=_KO),
            (_A,),
        ),
        "flux push": (_done("flux push artifact", stderr=_FLUX), (_A,)),
        "flux pull": (_done("flux pull artifact", stderr=f"✔ artifact content extracted\n✔ Digest: {_A}\n"), (_A,)),
        "flux as JSON": (_done("flux push artifact oci://a.io/m:1 -o json", stdout=_DESCRIPTOR), (_A,)),
        "cosign verify": (_done("cosign verify --key cosign.pub a.io/app:1", stdout=f"\n{_VERIFIED}\n"), (_A,)),
        "cosign upload": (_done("cosign upload blob -f x a.io/x:1", stdout=f"a.io/x@{_A}\n"), (_A,)),
        "conftest": (_done("conftest push a.io/p:1", stdout=f"2026/01/02 pushed bundle with digest: {_A}\n"), (_A,)),
        "devcontainer": (_done("devcontainer features publish -r a.io src", stdout=_FEATURES), (_A, _B)),
        "a shell may have run any tool": (_done("sh", stdout=_ORAS, stderr=f"Digest: {_B}\n"), {_A, _B}),
        "a shell may have run docker images too": (_done("sh", stdout=f"{_C}\n{_DESCRIPTOR}\n"), ()),
        "another tool's line": (_done("ko build", stdout=f"Digest: {_A}\n"), ()),
        "upper case": (_done("oras push", stdout=f"Digest: sha256:{'A' * 64}\n"), ()),
        "too short": (_done("oras push", stdout=f"Digest: {_A[:-1]}\n"), ()),
        "too long": (_done("oras push", stdout=f"Digest: {_A}a\n"), ()),
        "indented": (_done("oras push", stdout=f"  Digest: {_A}\n"), ()),
        "the same twice": (_done("oras push", stdout=f"Digest: {_A}\nDigest: {_B}\nDigest: {_A}\n"), (_A, _B)),
        "none": (_done("oras push", stdout="Error: nothing\n"), ()),
        "no JSON": (_done("flux push artifact", stdout='{"digest": "' + _A), ()),
        "deep JSON": (_done("flux push artifact", stdout="[" * 60_000), ()),
        "JSON of another shape": (_done("cosign verify x", stdout=f'{{"a": ["{_A}", 1, null]}}'), ()),
    },
)
def test_a_digest_is_found_where_its_tool_writes_it(done: CommandResult, digests: tuple[str, ...] | set[str]) -> None:
    found = reported_digests([done])
    assert (set(found) if isinstance(digests, set) else found) == digests


def test_digests_of_all_commands_are_collected_once_each() -> None:
    commands = [
        _done("helm push", stderr=f"Digest: {_B}\n"),
        _done("oras push", stdout=f"Digest: {_A}\n"),
        _done("crane push", stdout=f"ghcr.io/x@{_B}\n"),
    ]
    assert reported_digests(commands) == (_B, _A)
    assert reported_digests([]) == ()


@table(
    "line, digests",
    {
        "skopeo": ("skopeo copy --digestfile digest oci:x docker://a.io/x:1", (_A,)),
        "skopeo, with =": ("skopeo copy --digestfile=digest oci:x docker://a.io/x:1", (_A,)),
        "buildah": ("buildah push --digestfile digest x docker://a.io/x:1", (_A,)),
        "podman": ("podman push --digestfile digest x docker://a.io/x:1", (_A,)),
        "buildx": ("docker buildx build --push --metadata-file build.json .", (_B,)),
        "bake": ("docker buildx bake --push --metadata-file bake.json", (_A, _B)),
        "crane": ("crane push --image-refs refs x a.io/x:1", (_A, _B)),
        "ko": ("ko build --image-refs=refs .", (_A, _B)),
        "not the ID of a local image": ("docker buildx build --iidfile digest .", ()),
        "not there": ("skopeo copy --digestfile nowhere oci:x docker://a.io/x:1", ()),
        "a folder": ("skopeo copy --digestfile folder oci:x docker://a.io/x:1", ()),
        "beyond the limit": ("skopeo copy --digestfile long oci:x docker://a.io/x:1", ()),
        "of another tool": ("oras push --digestfile digest a.io/x:1", ()),
        "no value": ("skopeo copy --digestfile", ()),
    },
)
def test_a_file_that_the_command_names_is_read(tmp_path: Path, line: str, digests: tuple[str, ...]) -> None:
    (tmp_path / "digest").write_text(_A)
    (tmp_path / "build.json").write_text(json.dumps({"containerimage.digest": _B, "containerimage.config.digest": _C}))
    (tmp_path / "bake.json").write_text(
        json.dumps({name: {"containerimage.digest": digest} for name, digest in (("x", _A), ("y", _B))})
    )
    (tmp_path / "refs").write_text(f"a.io/x@{_A}\na.io/y@{_B}\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "long").write_text(" " * MAX_FILE_BYTES + _A)

    def read(path: str, limit: int) -> bytes:
        with open(os.path.join(tmp_path, path), "rb") as file:
            return file.read(limit)

    found = digests_in_files(line.split(), read)
    assert found == digests
    printed = _done("oras push", stdout=_ORAS)
    assert reported_digests([printed._replace(file_digests=found)]) == tuple(dict.fromkeys((_A, *digests)))


@pytest.mark.parametrize("line", ["cosign verify", "oras push", "sh -c x", "helm push"])
def test_what_a_tool_printed_is_never_too_much(line: str) -> None:
    for text in ("a.a." * 16_384, f"{_A}@" * 900, "#1 " * 21_000, "pushed to " * 6_500, "[" * 65_536, "- " * 32_768):
        assert reported_digests([_done(line, stdout=text, stderr=text)]) == ()
