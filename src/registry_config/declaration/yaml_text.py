"""The `registries:` text as YAML nodes; what is no YAML is refused in words of ours, with its line.

PyYAML is used for its syntax only: its messages quote the offending line with the token in it, and are never shown.
"""

from __future__ import annotations

import re

import yaml

from registry_config.audience import either
from registry_config.errors import InputError
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

QUOTE_IT: Final = "write the value as ${{ toJSON(secrets.NAME) }}, or use password-env"
# In a file nobody evaluates an expression.
QUOTE_IN_FILE: Final = "write the value in single quotes, each ' in it twice, or use password-env"
# A list of a few hundred keys of clouds; a larger text is some other file, and reading it would take long.
_MAX_CHARACTERS: Final = 1024 * 1024
# A Google key is two levels deep; a bomb of brackets is not.
_MAX_DEPTH: Final = 12
# libyaml where the wheel has it, the same grammar in Python elsewhere.
LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
# YAML 1.1 section 5.1, less the byte order mark and halves of pairs, which are told apart.
_FORBIDDEN: Final = "[^\t\n\r\x20-\x7e\x85\xa0-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
_WHITE_SPACE: Final = dict.fromkeys(map(ord, "\t\n\r"))
_LINE_END: Final = "\r\n|[\n\r\x85\u2028\u2029]"

# Problem and remedy of each slip.
_TAB: Final = ("a tab in the indentation", "write spaces: YAML allows no tabs there")
_INDENT: Final = ("the indentation does not fit the lines above", "begin all keys of an entry in the same column")
_NO_COLON: Final = ("a line without ': '", "write 'KEY: VALUE', with a space after the colon")
_OPEN_QUOTE: Final = ("a quote that is not closed", f"close it, or {QUOTE_IT}")
_OPEN_BRACKET: Final = ("a '[' or '{' that is not closed", f"close it, or {QUOTE_IT}")
_AFTER_QUOTE: Final = ("text after a closing quote", QUOTE_IT)
_ESCAPE: Final = ("a backslash in double quotes that begins no escape sequence", QUOTE_IT)
_COLON: Final = ("a value with ': ' in it", QUOTE_IT)
_CHARACTER: Final = ("a value begins with a character that has a meaning in YAML", QUOTE_IT)
_DIRECTIVE: Final = ("a line begins with a percent sign", "remove it: the list needs no directives")
_AFTER_LIST: Final = ("text after the end of the list", "write one list and nothing else")
_OTHER: Final = ("not valid YAML", QUOTE_IT)

_KEY: Final = r"[ ]*(?:- +)*[\w-]+"
_KEY_ALONE: Final = rf"{_KEY}(?:[ ]+\S.*)?"
_OPENED: Final = r"""(?:.*[:\-,\[{]\s+|\s*)(["'])(?:(?!\1).)*$"""
_MEANINGFUL: Final = tuple("%@`|>-&*!]},?")


def compose(text: str) -> yaml.Node | None:
    """The nodes of the text; None for a text without any.

    Raises:
        InputError: with the line, never with what was typed.
    """
    if len(text) > _MAX_CHARACTERS:
        raise InputError("registries", "is larger than 1 MiB", "give a list of registries, and keys by password-file")
    _refuse_characters(text)
    try:
        _refuse_extras(text)
        return yaml.compose(text, Loader=LOADER)
    except yaml.YAMLError as error:
        line, (problem, remedy) = _slip(error, re.split(_LINE_END, text))
        raise InputError(f"registries (line {line + 1})", problem, remedy.replace(QUOTE_IT, quote_it())) from None


def quote_it() -> str:
    """What to do with a value that YAML would read in another way; a command line has its list in a file."""
    return either(QUOTE_IT, QUOTE_IN_FILE)


def line_of(node: yaml.Node) -> int:
    """The line on which a node begins, from 1."""
    return int(node.start_mark.line) + 1


def _refuse_characters(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError("registries", "is not UTF-8", "save it as UTF-8") from None
    # The expression takes as long to compile as all others of a run together.
    if text.isascii() and text.translate(_WHITE_SPACE).isprintable():
        return
    if found := re.search(_FORBIDDEN, text):
        place = f"registries (line {len(re.split(_LINE_END, text[: found.start()]))})"
        name = {"\0": "a NUL character", "\ufeff": "a byte order mark"}.get(found[0], "a control character")
        raise InputError(place, f"contains {name}", "remove it, and save the list as UTF-8")


def _refuse_extras(text: str) -> None:
    """Refuse what gives YAML text a meaning beyond the words seen: tags, anchors, aliases, deep nesting."""
    depth = 0
    documents = 0
    for event in yaml.parse(text, Loader=LOADER):
        place = f"registries (line {event.start_mark.line + 1})" if event.start_mark else "registries"
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise InputError(place, "anchors and aliases ('&', '*') are not supported", quote_it())
        if getattr(event, "tag", None):
            raise InputError(place, "tags ('!') are not supported", quote_it())
        documents += isinstance(event, yaml.DocumentStartEvent)
        if documents > 1:
            raise InputError(place, "a second document ('---')", "write one list")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise InputError(place, "nested too deeply", "an entry is a flat mapping")


def _slip(error: yaml.YAMLError, lines: Sequence[str]) -> tuple[int, tuple[str, str]]:
    """The line, from 0, on which the mistake is, and what it is; both loaders mark the same places."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return 0, _OTHER
    context = getattr(error, "context", None) or ""
    problem = getattr(error, "problem", None) or ""
    begin = (getattr(error, "context_mark", None) or mark).line
    line = lines[mark.line] if mark.line < len(lines) else ""
    indent = re.split(r"[^\s-]", line, maxsplit=1)[0]
    rules = (
        ("\t" in indent or line[mark.column :].startswith("\t"), mark.line, _TAB),
        (line.startswith("%"), mark.line, _DIRECTIVE),
        (context.endswith("quoted scalar") and "unexpected" in problem, begin, _OPEN_QUOTE),
        (context.endswith("quoted scalar"), begin, _ESCAPE),
        ("parsing a flow" in context, begin, _OPEN_BRACKET),
        ("simple key" in context, begin, _NO_COLON),
        ("scanning an anchor" in context or "scanning a block scalar" in context, mark.line, _CHARACTER),
    )
    for holds, at, slip in rules:
        if holds:
            return at, slip
    if problem.startswith("mapping values"):
        return _colon_slip(lines, mark.line, mark.column)
    return _block_slip(lines, mark.line, mark.column, is_end="<document start>" in problem)


def _colon_slip(lines: Sequence[str], at: int, column: int) -> tuple[int, tuple[str, str]]:
    """A colon where none can be: in a value, or after a key that is indented too far or follows a broken line."""
    if not re.fullmatch(_KEY, lines[at][:column]):
        return at, _COLON
    return _indent_slip(lines, at)


def _indent_slip(lines: Sequence[str], at: int) -> tuple[int, tuple[str, str]]:
    """A line that does not fit those above, maybe since the one before it lacks its colon."""
    before = next((n for n in range(at - 1, -1, -1) if lines[n].strip() and not lines[n].lstrip().startswith("#")), at)
    broken = re.fullmatch(_KEY_ALONE, lines[before]) and not re.search(r":(?:\s|$)", lines[before])
    return (before, _NO_COLON) if broken else (at, _INDENT)


def _block_slip(lines: Sequence[str], at: int, column: int, *, is_end: bool) -> tuple[int, tuple[str, str]]:
    """Something that does not continue the list or the entry."""
    before, rest = lines[at][:column], lines[at][column:]
    if not before.strip() and not rest.startswith(("]", "}", ":")):
        # Something may have been closed with `...`, or with a bracket.
        is_item = not is_end or (rest.startswith("- ") and not any(line.startswith(("...", "[")) for line in lines))
        return _indent_slip(lines, at) if is_item else (at, _AFTER_LIST)
    if is_end:
        return at, _AFTER_LIST
    opened = next((number for number in range(at + 1) if re.match(_OPENED, lines[number])), None)
    if opened is not None:
        return opened, _OPEN_QUOTE
    if before.rstrip().endswith(("'", '"')):
        return at, _AFTER_QUOTE
    return at, _CHARACTER if rest.startswith(_MEANINGFUL) else _OTHER
