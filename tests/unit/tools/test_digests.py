"""Digests that tools report, in lines as the tools wrote them."""

from __future__ import annotations

from registry_config.results import CommandResult, Tail
from registry_config.tools.digests import reported_digests
from support.tables import table

_A = f"sha256:{'a' * 64}"
_B = f"sha256:{'b' * 64}"


def _finished(program: str, stdout: str = "", stderr: str = "") -> CommandResult:
    tails = Tail(), Tail()
    for tail, text in zip(tails, (stdout, stderr), strict=True):
        tail.write(text.encode())
    return CommandResult((program, "push"), 0, *tails)


_HELM = f"Pushed: ghcr.io/org/charts/app:1.2.3\nDigest: {_A}\n"
_ORAS = f"Pushed [registry] ghcr.io/org/app:1\nArtifactType: application/x\nDigest: {_A}\n"
_CRANE = (
    f"2025/01/02 03:04:05 existing blob: sha256:{'c' * 64}\n2025/01/02 03:04:05 a.io/app:1: digest: {_A} size: 424\n"
)
_DOCKER = (
    f"The push refers to repository [ghcr.io/org/app]\n5f70bf18a086: Layer already exists\n1: digest: {_A} size: 942\n"
)
_FLUX = f"► pushing artifact to ghcr.io/org/app:1\n✔ artifact successfully pushed to ghcr.io/org/app@{_A}\n"


@table(
    "finished, digests",
    {
        "helm, on stderr": (_finished("helm", stderr=_HELM), (_A,)),
        "helm by its path": (_finished("/opt/bin/helm", stderr=_HELM), (_A,)),
        "helm of another name": (_finished("helm4", stderr=_HELM), (_A,)),
        "helm, not on stdout": (_finished("helm", stdout=_HELM), ()),
        "oras": (_finished("oras", stdout=_ORAS), (_A,)),
        "oras, not on stderr": (_finished("oras", stderr=_ORAS), ()),
        "crane push": (_finished("crane", stdout=f"ghcr.io/org/app@{_A}\n"), (_A,)),
        "crane copy": (_finished("crane", stderr=_CRANE), (_A,)),
        "crane manifest is no report": (_finished("crane", stdout=f'{{"digest": "{_A}"}}\n'), ()),
        "docker push": (_finished("docker", stdout=_DOCKER), (_A,)),
        "docker pull": (_finished("docker", stdout=f"1: Pulling from org/app\nDigest: {_A}\nStatus: done\n"), (_A,)),
        "ko": (_finished("ko", stdout=f"ko.local/app@{_A}\n"), (_A,)),
        "flux push": (_finished("flux", stderr=_FLUX), (_A,)),
        "flux pull": (_finished("flux", stderr=f"✔ artifact content extracted\n✔ Digest: {_A}\n"), (_A,)),
        "a shell may have run any tool": (_finished("sh", stdout=_ORAS, stderr=f"Digest: {_B}\n"), (_B, _A)),
        "another tool's line": (_finished("ko", stdout=f"Digest: {_A}\n"), ()),
        "upper case": (_finished("oras", stdout=f"Digest: sha256:{'A' * 64}\n"), ()),
        "too short": (_finished("oras", stdout=f"Digest: {_A[:-1]}\n"), ()),
        "too long": (_finished("oras", stdout=f"Digest: {_A}a\n"), ()),
        "indented": (_finished("oras", stdout=f"  Digest: {_A}\n"), ()),
        "the same twice": (_finished("oras", stdout=f"Digest: {_A}\nDigest: {_B}\nDigest: {_A}\n"), (_A, _B)),
        "none": (_finished("oras", stdout="Error: nothing\n"), ()),
    },
)
def test_a_digest_is_found_where_its_tool_writes_it(finished: CommandResult, digests: tuple[str, ...]) -> None:
    assert reported_digests([finished]) == digests


def test_digests_of_all_commands_are_collected_once_each() -> None:
    commands = [
        _finished("helm", stderr=f"Digest: {_B}\n"),
        _finished("oras", stdout=f"Digest: {_A}\n"),
        _finished("crane", stdout=f"ghcr.io/x@{_B}\n"),
    ]
    assert reported_digests(commands) == (_B, _A)
    assert reported_digests([]) == ()
