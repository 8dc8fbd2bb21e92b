"""The certificates of private authorities that entries name by `ca-file`."""

from __future__ import annotations

import os

from registry_config.errors import InputError
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from registry_config.declaration.registries import Declaration

# A larger file is no list of certificates.
_MAX_BYTES: Final = 1024 * 1024


def read_authorities(declarations: Iterable[Declaration]) -> Mapping[str, str]:
    """The text of each file, by its path.

    Raises:
        InputError: one cannot be read, or holds no certificate.
    """
    return {one.ca_file: read_authority(one) for one in declarations if one.ca_file}


def read_authority(declaration: Declaration) -> str:
    """The text of the `ca-file` of an entry; empty where it has none.

    Raises:
        InputError: it cannot be read, or holds no certificate.
    """
    if not declaration.ca_file:
        return ""
    from registry_config.http.tls import check_authorities  # noqa: PLC0415  (few entries have one)

    place = declaration.place("ca-file")
    try:
        text = _beginning(declaration.ca_file).decode("utf-8", "replace")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a path"
        raise InputError(place, f"cannot be read ({reason.lower()})", "check the path") from None
    try:
        check_authorities(text)
    except ValueError as error:
        raise InputError(place, str(error), "name a file with certificates in PEM form") from None
    return text


def _beginning(path: str) -> bytes:
    # Without O_NONBLOCK a pipe would hold us until somebody writes.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        # Of a folder this raises, and leaves the descriptor to us.
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(_MAX_BYTES) or b""
    finally:
        os.close(descriptor)
