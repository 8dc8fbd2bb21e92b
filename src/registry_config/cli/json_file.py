"""The document that `--json` asks for; that it can be written is found out before anything runs."""

from __future__ import annotations

import json
import os

from registry_config.errors import InputError
from registry_config.light_typing import TYPE_CHECKING
from registry_config.streams import write_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class JsonFile:
    """Where the document goes.

    Args:
        path: of the file; `-` for standard output, empty for nowhere.

    Attributes:
        is_written: whether nothing more is to be written to it.
        takes_stdout: whether the document is written to standard output, so that nothing else may be.
        hide: what every text passes on its way into the document.

    Raises:
        InputError: the file cannot be written.
    """

    def __init__(self, path: str) -> None:
        self.takes_stdout = path == "-"
        self.is_written = not path
        self.hide: Callable[[str], str] = str
        self._descriptor = -1
        if path and not self.takes_stdout:
            try:
                self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
            except (OSError, ValueError) as error:
                reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a path"
                raise InputError(
                    "--json", f"cannot be written ({reason.lower()})", "name a file in a folder that is there"
                ) from None

    def write(self, document: Mapping[str, object], say: Callable[[str], None]) -> None:
        """Write the document, in the place of what the file held; a file that takes none costs nothing else.

        Args:
            document: what there is to tell.
            say: takes a line about a file that cannot be written after all.

        Raises:
            OSError: standard output cannot be written.
        """
        self.is_written = True
        data = (json.dumps(self._hidden(document), indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace")
        if self.takes_stdout:
            write_all(1, data)
        elif self._descriptor >= 0:
            try:
                if os.path.isfile(f"/proc/self/fd/{self._descriptor}"):
                    os.ftruncate(self._descriptor, 0)
                write_all(self._descriptor, data)
            except OSError as error:
                say(f"--json: cannot be written ({(error.strerror or 'unknown').lower()})")

    def _hidden(self, value: object) -> object:
        """A document whose texts are hidden where they must be; the names of its members are ours."""
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, dict):
            return {name: self._hidden(member) for name, member in value.items()}
        return list(map(self._hidden, value)) if isinstance(value, list) else value
