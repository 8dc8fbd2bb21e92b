"""Which digest a tool says it pushed or pulled. As reported: nothing is asked of the registry."""

from __future__ import annotations

import re

from registry_config.light_typing import TYPE_CHECKING, Final
from registry_config.tools.table import TOOLS, known_tool
from registry_config.tools.words import split_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from registry_config.results import CommandResult
    from registry_config.tools.references import ReadFile
    from registry_config.tools.tool import DigestForm, Tool
    from registry_config.tools.words import Words

_DIGEST: Final = r"\bsha256:[0-9a-f]{64}\b"
# Of a file that the command names.
MAX_FILE_BYTES: Final = 64 * 1024
# buildx writes this key, for each target of a bake.
_METADATA_KEYS: Final = ("containerimage.digest", "* containerimage.digest")


def reported_digests(results: Iterable[CommandResult]) -> tuple[str, ...]:
    """Each digest that the commands reported, once, in the order of their appearance."""
    found: dict[str, None] = {}
    for result in results:
        found.update(dict.fromkeys((*_of_command(result), *result.file_digests)))
    return tuple(found)


def digests_in_files(arguments: Sequence[str], read_file: ReadFile) -> tuple[str, ...]:
    """The digests in the files that a command names for them (`--digestfile`, `--metadata-file`).

    Args:
        arguments: a command that went well, its program first.
        read_file: gives the beginning of a file of the working directory, or raises OSError.
    """
    tool = known_tool(arguments[0])
    forms = [form for form in tool.digests if form.where == "file"] if tool else []
    if tool is None or not forms:
        return ()
    words = _words(arguments, tool)
    paths = [path for form in forms if _is_for(form, words) for path in words.values(form.what.split())]
    return tuple(digest for path in paths for digest in _in_file(path, read_file))


def _of_command(result: CommandResult) -> list[str]:
    """What one command printed, in the first form that its tool has for it.

    A program that is not in the table, such as a shell, may have run any of them: all lines count then.
    """
    tool = known_tool(result.arguments[0])
    if tool is None:
        forms = dict.fromkeys(
            form for one in TOOLS.values() for form in one.digests if not form.command and form.where != "json"
        )
        return [digest for form in forms for digest in _printed(form, result)]
    words = _words(result.arguments, tool)
    for form in tool.digests:
        if _is_for(form, words) and (digests := _printed(form, result)):
            return digests
    return []


def _words(arguments: Sequence[str], tool: Tool) -> Words:
    return split_words(arguments[1:], tool.grammar.switches if tool.grammar else "")


def _is_for(form: DigestForm, words: Words) -> bool:
    return not form.command or any(words.begins_with(command) for command in form.command.split("|"))


def _printed(form: DigestForm, result: CommandResult) -> list[str]:
    if form.where == "json":
        return list(_in_document(result.stdout.text, (form.what,)))
    if form.where in {"stdout", "stderr"}:
        text = (result.stdout if form.where == "stdout" else result.stderr).text
        # A pattern is compiled only where there is something to look at.
        return re.findall(form.what, text, re.MULTILINE) if "sha256:" in text else []
    return []


def _in_file(path: str, read_file: ReadFile) -> list[str]:
    try:
        text = read_file(path, MAX_FILE_BYTES).decode("utf-8", "replace")
    except OSError:
        return []
    return list(_in_document(text, _METADATA_KEYS)) if text.lstrip().startswith("{") else re.findall(_DIGEST, text)


def _in_document(text: str, paths: Iterable[str]) -> Iterator[str]:
    """The digests to which keys lead in a JSON document."""
    import json  # noqa: PLC0415  (few tools print one)

    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return
    for path in paths:
        for value in _at(document, path.split()):
            yield from re.findall(_DIGEST, value)


def _at(value: object, keys: list[str]) -> Iterator[str]:
    if not keys:
        if isinstance(value, str):
            yield value
    elif keys[0] == "*":
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        for one in inner:
            yield from _at(one, keys[1:])
    elif isinstance(value, dict):
        yield from _at(value.get(keys[0]), keys[1:])
