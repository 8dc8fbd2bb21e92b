"""Which digest a tool says it pushed or pulled. As reported: nothing is asked of the registry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from registry_config.results import CommandResult

_DIGEST: Final = r"(sha256:[0-9a-f]{64})\b"
_DIGEST_LINE: Final = re.compile(rf"^Digest: {_DIGEST}", re.MULTILINE)
_DOCKER_LINE: Final = re.compile(rf"^(?:\S+ )*\S+: digest: {_DIGEST} size: \d+", re.MULTILINE)
_REFERENCE_LINE: Final = re.compile(rf"^[^\s@]+@{_DIGEST}$", re.MULTILINE)
_FLUX_LINE: Final = re.compile(rf"(?:pushed to|pulled from|Digest:?) (?:\S+@)?{_DIGEST}")

# Program, stream, line: each seen in the tool's own output (helm 3 and 4, oras 1.3, crane 0.21, docker 28, ko 0.18).
REPORTS: Final[tuple[tuple[str, str, re.Pattern[str]], ...]] = (
    ("helm", "stderr", _DIGEST_LINE),
    ("oras", "stdout", _DIGEST_LINE),
    ("crane", "stdout", _REFERENCE_LINE),
    ("crane", "stderr", _DOCKER_LINE),
    ("docker", "stdout", _DOCKER_LINE),
    ("docker", "stdout", _DIGEST_LINE),
    ("ko", "stdout", _REFERENCE_LINE),
    ("flux", "stderr", _FLUX_LINE),
)
_PROGRAMS: Final = frozenset(program for program, _, _ in REPORTS)


def reported_digests(finished: Iterable[CommandResult]) -> tuple[str, ...]:
    """Each digest that the commands reported, once, in the order of their appearance.

    A program that is not in the table, such as a shell, may have run any of them: all rows count then.
    """
    found: dict[str, None] = {}
    for command in finished:
        for program, stream, line in REPORTS:
            if command.program not in {program, f"{program}3", f"{program}4"} and command.program in _PROGRAMS:
                continue
            text = (command.stdout if stream == "stdout" else command.stderr).text
            found.update(dict.fromkeys(line.findall(text)))
    return tuple(found)
