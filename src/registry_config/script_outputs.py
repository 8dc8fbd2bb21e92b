"""What a script wrote to the `GITHUB_OUTPUT` of its own: `NAME=VALUE` lines, and values of several lines.

The format is that of the runner's `FileCommandManager.cs`: `NAME<<DELIMITER`, the lines of the value, `DELIMITER`.
"""

from __future__ import annotations

import re

from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from registry_config.credentials.redaction import Redactor

VARIABLE: Final = "GITHUB_OUTPUT"
MAX_BYTES: Final = 1024 * 1024
_NAME: Final = r"[A-Za-z_][A-Za-z0-9_-]*"


class ScriptOutputs(NamedTuple):
    """The outputs of a script.

    Attributes:
        values: by name; the last value of a name counts.
        warnings: what could not be taken, in words that may be shown.
    """

    values: dict[str, str]
    warnings: tuple[str, ...] = ()


NOTHING: Final = ScriptOutputs({})


def parse_outputs(data: bytes, redactor: Redactor) -> ScriptOutputs:
    """Read the file that a script has written.

    Args:
        data: of the file; one byte more than the limit tells that it is too large.
        redactor: finds names and values that hold a secret, which are left out.
    """
    if len(data) > MAX_BYTES:
        return ScriptOutputs({}, ("outputs: the script wrote more than 1 MiB; none of them is taken",))
    values: dict[str, str] = {}
    warnings = []
    # str.splitlines would also split at U+2028 and the like, which untrusted text may hold.
    lines = data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    for line, name, value in _assignments(lines):
        if value is None:
            warnings.append(
                f"outputs (line {line}): the line that ends this value is missing; all from here is left out"
            )
        elif not re.fullmatch(_NAME, name):
            warnings.append(f"outputs (line {line}): is not NAME=VALUE; the line is left out")
        elif redactor.holds(name.encode()):
            warnings.append(f"outputs (line {line}): its name contains a secret; it is left out")
        elif redactor.holds(value.encode()):
            warnings.append(f"outputs (line {line}): the value of {name} contains a secret; it is left out")
        else:
            values[name] = value
    return ScriptOutputs(values, tuple(warnings))


def _assignments(lines: list[str]) -> Iterator[tuple[int, str, str | None]]:
    """Number of the first line, name and value of each; an empty name, or no value, where there is none."""
    at = 0
    while at < len(lines):
        line, first = lines[at], at + 1
        at += 1
        if not line.strip():
            continue
        name, is_long, delimiter = line.partition("<<")
        if is_long and "=" not in name and delimiter:
            try:
                # What is left of the lines is not copied for it: with many values that would take minutes.
                end = lines.index(delimiter, at)
            except ValueError:
                yield first, name, None
                return
            yield first, name, "\n".join(lines[at:end])
            at = end + 1
        else:
            name, is_short, value = line.partition("=")
            yield first, name if is_short else "", value
