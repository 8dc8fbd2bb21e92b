"""Writes the tables that repeat what is said elsewhere: inputs and outputs of action.yml, messages of the code.

A page asks by two comments, such as `<!-- inputs of action.yml -->` and `<!-- end -->`; what is between is replaced.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml
from messages import page

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[1]
_BLOCK: Final = re.compile(r"(<!-- (inputs|outputs|messages) of (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def pages() -> Iterator[Path]:
    """The pages that may ask for a table."""
    yield ROOT / "README.md"
    yield from sorted((ROOT / "docs").rglob("*.md"))


def filled(text: str) -> str:
    """A page with its tables as action.yml has them today."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{_table(found[3], found[2])}\n{found[4]}", text)


def _table(file: str, kind: str) -> str:
    if kind == "messages":
        return page()
    # Every value stays a text, as the runner leaves it.
    action: dict[str, Any] = yaml.load((ROOT / file).read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506
    rows = _input_rows(action["inputs"]) if kind == "inputs" else _output_rows(action["outputs"])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _input_rows(entries: dict[str, dict[str, str]]) -> Iterator[tuple[str, ...]]:
    yield from (("input", "default", "meaning"), ("---", "---", "---"))
    for name, entry in entries.items():
        default = f"`{entry['default']}`" if entry.get("default") else ""
        if entry.get("required") == "true":
            default = "required"
        yield f"`{name}`", default, _cell(entry["description"])


def _output_rows(entries: dict[str, dict[str, str]]) -> Iterator[tuple[str, ...]]:
    yield from (("output", "meaning"), ("---", "---"))
    for name, entry in entries.items():
        yield f"`{name}`", _cell(entry["description"])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    for path in pages():
        before = path.read_text(encoding="utf-8")
        after = filled(before)
        if after != before:
            path.write_text(after, encoding="utf-8")
            sys.stdout.write(f"{path.relative_to(ROOT)}\n")
