"""What verdicts mean for a run, and how they are shown: pure, and quick to import."""

from __future__ import annotations

from registry_config.light_typing import TYPE_CHECKING, Final
from registry_config.oci.entry import DENIED, LOGIN, NO_REPOSITORY, REJECTED, VERIFIED, Row

if TYPE_CHECKING:
    from collections.abc import Iterable

# The heads of the table in log and summary.
HEADS: Final = ("registry", "repository", "action", "verdict", "what to do")
_BAD: Final = frozenset({REJECTED, DENIED, NO_REPOSITORY})


def refusing(rows: Iterable[Row], *, actions_known: bool = True) -> list[Row]:
    """The rows for which nothing is run (exit code 77).

    Args:
        rows: what `verify` gave.
        actions_known: false where nobody knows what the command does with a repository (an unknown tool, a script):
            then only what was said of a login counts.
    """
    return [row for row in rows if row.verdict in _BAD and (actions_known or row.action == LOGIN)]


def warning(rows: Iterable[Row], *, actions_known: bool = True) -> list[Row]:
    """The rows that are worth a warning while the run goes on: whatever is neither verified nor refusing."""
    rows = list(rows)
    refused = refusing(rows, actions_known=actions_known)
    return [row for row in rows if row.verdict != VERIFIED and row not in refused]


def sentence(row: Row) -> str:
    """A row as one line: `ghcr.io/org/app: push denied: …`."""
    text = f"{_place(row)}: {row.action} {row.verdict.replace('-', ' ')}"
    return f"{text}: {row.reason}" if row.reason else text


def lines(rows: Iterable[Row]) -> list[str]:
    """The rows as a table for a log; why a verdict is not good stands in a line of its own elsewhere."""
    cells = [(_place(row), row.action, row.verdict.replace("-", " ")) for row in rows]
    wide = max((len(place) for place, _, _ in cells), default=0)
    return [f"{place:{wide}}  {action:5}  {verdict}" for place, action, verdict in cells]


def records(rows: Iterable[Row]) -> list[dict[str, str]]:
    """The output `verify`, and the key of `--json`."""
    return [row._asdict() for row in rows]


def _place(row: Row) -> str:
    return f"{row.registry.partition('/')[0]}/{row.repository}" if row.repository else row.registry
