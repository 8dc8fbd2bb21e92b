"""helm, oras, crane, regctl and cosign push, copy and pull with one declaration of two registries."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from support.artifacts import layout_digest
from support.registry import registry

if TYPE_CHECKING:
    from pathlib import Path

    from support.cli import Done, Machine
    from support.registry import Pair


class Tool(NamedTuple):
    """What a tool is told: to push to the first registry, to bring that to the second, to pull it from there.

    Attributes:
        repository: where the artifact is afterwards, in both registries.
        reported: at which of the three steps the tool says the digest.
    """

    push: str
    bring: str
    pull: str
    repository: str = "crane/app"
    tag: str = "1"
    reported: tuple[bool, bool, bool] = (False, False, False)


_REGCTL = "regctl --verbosity ERROR --host reg={first},tls=disabled --host reg={second},tls=disabled image copy"
TOOLS = {
    "helm": Tool(
        "helm push {chart} oci://{first}/helm --plain-http",
        "helm push {chart} oci://{second}/helm --plain-http",
        "helm pull oci://{second}/helm/app --version 1.2.3 --plain-http",
        repository="helm/app",
        tag="1.2.3",
        reported=(True, True, True),
    ),
    "oras": Tool(
        "oras push --plain-http {first}/oras/app:1 file.txt:text/plain",
        "oras copy --from-plain-http --to-plain-http {first}/oras/app:1 {second}/oras/app:1",
        "oras pull --plain-http --output pulled {second}/oras/app:1",
        repository="oras/app",
        reported=(True, True, True),
    ),
    "crane": Tool(
        "crane push {layout} {first}/crane/app:1",
        "crane copy {first}/crane/app:1 {second}/crane/app:1",
        "crane pull {second}/crane/app:1 --format oci pulled",
        reported=(True, True, False),
    ),
    "regctl": Tool(
        f"{_REGCTL} ocidir://{{layout}}:1 {{first}}/regctl/app:1",
        f"{_REGCTL} {{first}}/regctl/app:1 {{second}}/regctl/app:1",
        f"{_REGCTL} {{second}}/regctl/app:1 ocidir://pulled:1",
        repository="regctl/app",
    ),
    "cosign": Tool(
        "crane push {layout} {first}/cosign/app:1",
        "cosign copy --allow-http-registry {first}/cosign/app:1 {second}/cosign/app:1",
        "cosign save --allow-http-registry --dir pulled {second}/cosign/app:1",
        repository="cosign/app",
        reported=(True, False, False),
    ),
}


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_pushes_to_one_registry_copies_to_the_other_and_pulls(
    machine: Machine, registries: Pair, layout: Path, packed_chart: Path, name: str
) -> None:
    tool = TOOLS[name]
    (machine.work / "file.txt").write_text("text")
    words = {"chart": packed_chart, "layout": layout} | {k: v.address for k, v in registries._asdict().items()}
    steps = [text.format(**words).split() for text in (tool.push, tool.bring, tool.pull)]
    ended = [machine.run(*step, registries=registries.logins) for step in steps]
    assert [(done.code, done.report["error"]) for done in ended] == [(0, None)] * 3
    first, second = (one.digest(tool.repository, tool.tag) for one in registries)
    assert first == second
    assert [done.report["digest"] for done in ended] == [first if told else "" for told in tool.reported]
    if name in {"crane", "regctl"}:
        assert [first, layout_digest(machine.work / "pulled")] == [layout_digest(layout)] * 2


def test_several_tools_of_one_script_report_all_their_digests(
    machine: Machine, registries: Pair, layout: Path, packed_chart: Path
) -> None:
    first, second = (one.address for one in registries)
    script = (
        f"helm push {packed_chart} oci://{first}/script --plain-http && crane push {layout} {second}/script/image:1"
    )
    done = machine.run(script, registries=registries.logins, options=["--shell", "bash"])
    pushed = {registries.first.digest("script/app", "1.2.3"), registries.second.digest("script/image", "1")}
    assert (done.code, done.report["digest"]) == (0, "")
    assert set(done.report["digests"]) == pushed


def test_cosign_signs_in_one_registry_and_verifies_what_was_copied_to_the_other(
    machine: Machine, registries: Pair, layout: Path
) -> None:
    first, second = (f"{one.address}/signed/app" for one in registries)
    image = f"{{}}@{layout_digest(layout)}"
    quiet = "--allow-http-registry --new-bundle-format=false"
    sign = f"cosign sign -y {quiet} --key cosign.key --tlog-upload=false --use-signing-config=false"
    verify = f"cosign verify {quiet} --key cosign.pub --insecure-ignore-tlog=true"

    def run(line: str) -> Done:
        return machine.run(*line.split(), registries=registries.logins, variables={"COSIGN_PASSWORD": ""})

    steps = [
        f"crane push {layout} {first}:1",
        "cosign generate-key-pair",
        f"{sign} {image.format(first)}",
        f"cosign copy --allow-http-registry {first}:1 {second}:1",
        f"{verify} {image.format(second)}",
    ]
    assert [run(step).code for step in steps] == [0, 0, 0, 0, 0]


def test_tools_log_in_over_tls_with_a_private_authority(machine: Machine, tmp_path: Path, layout: Path) -> None:
    with registry(tmp_path / "tls", {"alice": "alices-password-tls"}, tls=True) as running:
        targets = [f"{running.address}/{name}:1" for name in ("skopeo", "crane")]
        lines = [
            f"skopeo copy -q oci:{layout}:1 docker://{targets[0]}",
            f"crane push {layout} {targets[1]}",
            f"oras pull {targets[0]}",
        ]
        trust = {"SSL_CERT_FILE": str(running.authority)}
        ended = [machine.run(*line.split(), registries=[running.login()], variables=trust) for line in lines]
        assert [done.code for done in ended] == [0, 0, 0]
        assert [running.digest(name, "1") for name in ("skopeo", "crane")] == [layout_digest(layout)] * 2
