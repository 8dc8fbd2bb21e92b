"""docs/tools.md, made of the table of tools and of what their tests found out; run as a program, it prints it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from support.oci_tools import HOME_FILE, RESULTS, TOOLS, Tool

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HEAD = """\
# Tools

Made by `scripts/docs`, which tries each tool with the action; not to be edited. Each row is a test of a real push and a
real pull by one declaration of three registries: with the right password, over plain HTTP and over TLS with a private
authority (`SSL_CERT_FILE` in the tool's environment), with a wrong password, and with another registry's entry alone.
The registries' logs show that no tool offered a credential to a registry that it is not for. One row alone:
`pytest tests/tools -k helm4`.

*Reads* names the variables of which each alone leads the tool to the config; the action sets all three. In an image the
config lies in `~/.docker/config.json` as well. A dash: not tried. skopeo, buildah and Podman are those of Debian 12.

| tool | version | on the runner | in an image | private CA | reads | remark |
| --- | --- | --- | --- | --- | --- | --- |
"""
_STEPS = """
## A step for each

The entry for `ghcr.io` takes the job's own token, which needs `permissions: packages: write`.
"""


def example(tool: Tool) -> str:
    """A step of a workflow that uses the tool."""
    inputs = ("registries: |", "  - registry: ghcr.io", *tool.inputs, f"command: {tool.example}")
    lines = ["- uses: org/registry-config-action@v1", "  with:", *(f"    {line}" for line in inputs)]
    if tool.env:
        lines += ["  env:", *(f"    {line}" for line in tool.env)]
    return "\n".join(lines) + "\n"


def render(results: Mapping[str, Mapping[str, Any]]) -> str:
    """The page; what was not found out is a dash."""
    rows = "".join(f"| {' | '.join(_row(name, results.get(name, {})))} |\n" for name in TOOLS)
    steps = "".join(f"\n### {tool.title}\n\n```yaml\n{example(tool)}```\n" for tool in TOOLS.values())
    return f"{_HEAD}{rows}{_STEPS}{steps}"


def _row(name: str, found: Mapping[str, Any]) -> Iterator[str]:
    tool = TOOLS[name]
    yield tool.title
    yield str(found.get("version", "-"))
    for fact in ("host", "image"):
        yield {True: "works", False: "no", None: "-"}[found.get(fact)]
    yield "works" if found.get("tls") else "-"
    yield ", ".join(f"`{variable}`" for variable in found.get("reads", ())) or f"`{HOME_FILE}`"
    yield tool.remark


if __name__ == "__main__":
    sys.stdout.write(render(json.loads(RESULTS.read_text())))
