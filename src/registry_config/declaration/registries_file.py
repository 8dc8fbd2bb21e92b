"""The declaration as it was written, from the input `registries` or from a file."""

from __future__ import annotations

import os
import stat

from registry_config.declaration.registries import MAX_BYTES, decode, parse_registries, refuse_in_file
from registry_config.declaration.yaml_text import QUOTE_IN_FILE, QUOTE_IT
from registry_config.errors import InputError
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from registry_config.declaration.inputs import Inputs, Origin

# Events whose workflow runs with secrets over files that somebody else may have written.
_UNTRUSTED_EVENTS: Final = ("pull_request_target", "workflow_run", "issue_comment", "issues", "discussion_comment")


def registries_text(inputs: Inputs, origin: Origin) -> str:
    """The declaration as it was written, from the input or from its file.

    Raises:
        InputError: the file cannot be read, or must not be used here.
    """
    if not inputs.registries_file:
        return inputs.registries
    place = "registries-file"
    path = os.path.normpath(os.path.join(os.path.realpath("."), inputs.registries_file))
    if os.path.realpath(path) != path:
        raise InputError(place, "is or passes a link", "give the real path")
    workspace = os.path.realpath(origin.workspace or ".")
    if origin.event in _UNTRUSTED_EVENTS and os.path.commonpath([workspace, path]) == workspace:
        problem = f"lies in the workspace, which another's commit may have written ({origin.event})"
        raise InputError(place, problem, "use registries, or a file from elsewhere")
    try:
        with open(open_without_links(path), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InputError(place, "is not an ordinary file", "name a file that holds the list")
            text = decode(file.read(MAX_BYTES + 1), place)
    except OSError as error:
        raise InputError(place, f"cannot be read ({(error.strerror or 'unknown').lower()})", "check the path") from None
    try:
        refuse_in_file(parse_registries(text))
    except InputError as error:
        raise InputError(error.place, error.problem, error.remedy.replace(QUOTE_IT, QUOTE_IN_FILE)) from None
    return text


def open_without_links(path: str) -> int:
    """Open a file whose path holds no link, from one folder to the next, so that nobody can put one there meanwhile.

    Args:
        path: absolute and normal.

    Raises:
        OSError: there is a link, or the file cannot be opened.
    """
    *parents, name = path.strip("/").split("/")
    folder = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for parent in parents:
            inner = os.open(parent, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            os.close(folder)
            folder = inner
        # Without O_NONBLOCK a pipe would hold us until somebody writes.
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    finally:
        os.close(folder)
