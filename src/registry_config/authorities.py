"""The certificates of private authorities that entries name by `ca-file`."""

from __future__ import annotations

from registry_config.errors import InputError
from registry_config.host.files import read_beginning
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from registry_config.declaration.registries import Declaration

_MAX_BYTES: Final = 1024 * 1024


def read_authorities(declarations: Iterable[Declaration]) -> Mapping[str, str]:
    """The text of each file, by its path.

    Raises:
        InputError: one cannot be read, or holds no certificate.
    """
    return {one.ca_file: _read(one) for one in declarations if one.ca_file}


def _read(declaration: Declaration) -> str:
    from registry_config.http.tls import check_authorities  # noqa: PLC0415  (few entries have one)

    place = declaration.place("ca-file")
    try:
        text = read_beginning("", declaration.ca_file, _MAX_BYTES + 1).decode("utf-8", "replace")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a path"
        raise InputError(place, f"cannot be read ({reason.lower()})", "check the path") from None
    try:
        check_authorities(text)
    except ValueError as error:
        raise InputError(place, str(error), "name a file with certificates in PEM form") from None
    return text
