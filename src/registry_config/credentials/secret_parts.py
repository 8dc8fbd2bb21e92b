"""What of a secret is secret: not the markers of a PEM key, nor the public members of a JSON document."""

from __future__ import annotations

import re

from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# A shorter line is no secret by itself and would be found in innocent text.
_MIN_PART: Final = 8
# What `encodings.MIN_SECRET` says of a whole secret.
_MIN_WHOLE: Final = 6
# The redactor hides parts of a text from this length on.
_COVERED: Final = 16
# Not str.splitlines: what it takes for further ends of lines may stand inside of a secret line.
_LINE_END: Final = r"[\r\n]+"
_PEM_MARKER: Final = r"-----(?:BEGIN|END) [A-Z0-9 ]+-----"


def secret_parts(secret: str, *, lines: bool) -> Iterator[str]:
    """The parts that must not be seen; the whole secret where nothing in it is public.

    Args:
        secret: the secret.
        lines: also each line that a part of a part would cover.
    """
    for text in _members(secret) or [secret]:
        # The patterns are compiled for the few secrets that need them.
        blocks = [block.strip() for block in re.split(_PEM_MARKER, text)] if "-----" in text else [text]
        for block in blocks:
            if len(block) >= _MIN_PART or block == text:
                yield block
            # Tools and terminals drop white space at its ends.
            if len(block.strip().encode()) >= _MIN_WHOLE:
                yield block.strip()
            if "\n" in block or "\r" in block:
                for line in map(str.strip, re.split(_LINE_END, block)):
                    if len(line) >= _MIN_PART and (lines or len(line.encode()) < _COVERED):
                        yield line


def _members(secret: str) -> list[str]:
    if not secret.lstrip().startswith(("{", "[")):
        return []
    from registry_config.credentials.json_members import json_members  # noqa: PLC0415  (few secrets are documents)

    return json_members(secret)
