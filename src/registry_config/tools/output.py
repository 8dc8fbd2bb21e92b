"""The end of what a failed command printed, and the statuses that stand in it."""

from __future__ import annotations

import re

from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from registry_config.results import CommandResult

# Go's errors have the cause at their end.
_MAX_LINE: Final = 2000
_PAGE: Final = re.compile(r"<(?:!doctype html|html)\b.*?(?:</html>|\Z)", re.IGNORECASE | re.DOTALL)
# A number is a status only behind one of these words: sizes, ports and times are numbers as well.
_BEFORE: Final = (
    r"\b(?:status(?:[ _-]?code)?|code|http(?:[ _-]?status(?:[ _-]?code)?)?(?:/[123](?:\.[01])?)?)"
    r"[\"'\s:=(\[]{0,4}"
)


def status(numbers: str, phrases: str = "") -> str:
    """A pattern for HTTP statuses: a number behind a word for it, or the phrase that stands for it (RFC 9110, 15).

    Args:
        numbers: a regular expression of the numbers.
        phrases: one of their phrases.
    """
    number = rf"{_BEFORE}(?:{numbers})\b"
    return rf"(?:{number}|\b(?:{phrases})\b)" if phrases else number


def last_lines(text: str, count: int) -> str:
    """The last lines that are not empty, the end of each; a page of HTML is its title.

    What a tool printed before may tell of an error that it got over by itself.
    """
    lines = [line[-_MAX_LINE:] for line in _without_page(text).splitlines() if line.strip()]
    return "\n".join(lines[-count:])


def error_text(result: CommandResult, count: int) -> str:
    """The last lines of the standard error; of the standard output where a tool writes its errors there."""
    return last_lines(result.stderr.text, count) or last_lines(result.stdout.text, count)


def _without_page(text: str) -> str:
    """Some tools print the page that a proxy answered, after the status, and its last lines say nothing."""
    return _PAGE.sub(_title, text)


def _title(page: re.Match[str]) -> str:
    found = re.search(r"<title>([^<]{0,200})", page[0], re.IGNORECASE)
    return found[1].strip() if found else ""
