"""A whole workflow with an image, run by act on this machine with a real engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.act import ACTION, Act, copy_project
from support.artifacts import chart
from support.leaks import search

if TYPE_CHECKING:
    from pathlib import Path

    from support.engine import Bench


def test_a_step_pushes_with_the_tool_of_an_image_and_tells_the_digest(bench: Bench, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    act = Act(tmp_path / "act", copy_project(project))
    chart(act.repository / "dist")
    (password,) = bench.registries.first.users.values()
    (puller,) = bench.tools.registry.users.values()
    registries = f"""\
- registry: {bench.engine.inside(bench.registries.first)}
  username: alice
  password: ${{{{ toJSON(secrets.ALICE) }}}}
  for: command
- registry: {bench.tools.registry.address}
  username: puller
  password-env: PULLER
  for: image
"""
    inputs = {
        "registries": registries,
        "image": bench.tools.reference("shell"),
        "use-entrypoint": "true",
        "command": f"push --plain-http *.tgz oci://{bench.engine.inside(bench.registries.first)}/act",
        "working-directory": "dist",
    }
    step = {"id": "it", "uses": ACTION, "with": inputs, "env": {"PULLER": "${{ secrets.PULLER }}"}}
    done = act.run(step, secrets={"ALICE": password, "PULLER": puller}, variables=bench.engine.variables)
    assert [event["msg"] for event in done.events if event["level"] == "error"] == []
    outputs = done.steps["it"]["outputs"]
    digest = bench.registries.first.digest("act/app", "1.2.3")
    assert (done.code, outputs["exit-code"], outputs["digest"]) == (0, "0", digest)
    assert f"Digest: <code>{digest.replace(':', '&#58;')}</code>" in done.summaries("it")[0]
    shown = "\n".join(done.lines("it")).encode()
    assert [search({"log": shown, "home": act.home}, secret) for secret in (password, puller)] == [[], []]
