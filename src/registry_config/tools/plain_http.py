"""A registry that speaks plain HTTP, and the option with which each tool does as well."""

from __future__ import annotations

from registry_config.light_typing import TYPE_CHECKING, Final
from registry_config.tools.references import references_of
from registry_config.tools.words import split_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from registry_config.tools.failure import Failure
    from registry_config.tools.tool import Tool

# crane, cosign and ko tell of this as well where they went on with plain HTTP and failed for another reason.
_PATTERN: Final = (
    r"(?:server gave HTTP response to HTTPS client|first record does not look like a TLS handshake)"
    r"(?!.*; \w+ \"?http://)"
)


def explain_plain_http(failure: Failure) -> tuple[str, ...]:
    """A line where the tool tried TLS with a registry that does not speak it."""
    if not failure.shows(_PATTERN):
        return ()
    tool = failure.tool
    if tool is None or tool.plain_http is None:
        return (
            "the registry speaks plain HTTP: give the tool its option for that, such as --plain-http or --insecure",
        )
    option = plain_http_option(tool, failure.result.arguments, failure.asked)
    return (f"the registry speaks plain HTTP: {failure.result.program} needs {option}",)


def plain_http_option(tool: Tool, arguments: Sequence[str], host: str) -> str:
    """What a tool's command needs for this registry; empty where nothing is known.

    Args:
        tool: its row.
        arguments: the command, its program first.
        host: the registry; empty where it is not known.
    """
    known = tool.plain_http
    if known is None:
        return ""
    words = split_words(arguments[1:], tool.grammar.switches if tool.grammar else "")
    if not words.plain or words.plain[0] not in known.copies.split():
        return known.option.format(host=host or "HOST")
    references = references_of(arguments)
    options = [
        option
        for option, side in ((known.source, "reads"), (known.destination, "writes"))
        if references is None or not host or any(one.host == host for one in getattr(references, side))
    ]
    return " and ".join(options) or f"{known.source} or {known.destination}"
