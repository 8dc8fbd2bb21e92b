"""docs/retries.md, made of the table of transient failures and of what tools did; run as a program, it prints it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from registry_config.tools.transient import TRANSIENT
from support.oci_tools import TOOLS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from registry_config.tools.transient import Transient

PAGE = Path(__file__).parents[2] / "docs" / "retries.md"
RESULTS = Path(__file__).parents[1] / "tools" / "retries.json"
# Set it, and the test of real tools tries every tool with every fault and keeps what it saw in the file.
RESULTS_VARIABLE = "REGISTRY_CONFIG_RETRY_RESULTS"

_HEAD = """\
# What counts as transient

Made by `scripts/docs`; not to be edited. `retries` runs the command that failed again after one of these failures, and
after no other. The last five lines of what the tool printed decide, since what it got over by itself may stand before
them; a page of HTML counts as its title. A number counts as a status only behind a word such as `status`, `HTTP` or
`code`: sizes and ports are numbers too. A command that the time limit ended is run again.

Where one of these lines also says 401, 403, 404, `unauthorized`, `denied`, `forbidden`, `not found`, `no such host`, or
that a tag is immutable, the failure is final; so is every failure that is not in this table. Only a registry that lost
an upload answers 404 as well, and that is transient.

The waits grow from one second to at most 60, with jitter. A `Retry-After` that the tool shows is kept, up to two
minutes; helm, oras, conftest, regctl, skopeo, buildah and podman wait for it by themselves before they give up.

| failure | statuses | words | where they were seen |
| --- | --- | --- | --- |
"""
_TRIED = """
## What was tried

Each tool pushed through a proxy that broke the same request again and again in one of these ways, until the first
retry was announced; the second attempt passed. A cell is what the tool's words were taken for. {without}

| what the proxy did | {tools} |
| --- |{rules}
"""
_DASH = "A dash: the\ntool does not speak HTTP/2, or (regctl) shows nothing but a 404."
_FINAL = """
A 401, a 403 and a 404 on the same request were tried once, by each of these tools, with `retries: 2`.
"""


def render(seen: Mapping[str, Mapping[str, str]]) -> str:
    """The page."""
    tools = [name for name in TOOLS if any(name in row for row in seen.values())]
    tried = _TRIED.format(
        tools=" | ".join(TOOLS[name].title for name in tools),
        rules=" --- |" * len(tools),
        without=_DASH if any(len(row) < len(tools) for row in seen.values()) else "",
    ).replace(" \n", "\n")
    return f"{_HEAD}{''.join(map(_row, TRANSIENT))}{tried}{''.join(_seen(seen, tools))}{_FINAL}"


def _row(row: Transient) -> str:
    words = ", ".join(f"`{_shown(phrase)}`" for phrase in row.phrases)
    return f"| {row.name} | {', '.join(map(str, row.statuses))} | {words} | {row.seen} |\n"


def _shown(phrase: str) -> str:
    """An expression without its boundaries, as a cell of a table takes it."""
    return phrase.replace(r"\b", "").replace("|", r"\|")


def _seen(seen: Mapping[str, Mapping[str, str]], tools: list[str]) -> Iterator[str]:
    for fault, by_tool in seen.items():
        yield f"| {fault} | {' | '.join(by_tool.get(name, '-') for name in tools)} |\n"


if __name__ == "__main__":
    sys.stdout.write(render(json.loads(RESULTS.read_text())))
