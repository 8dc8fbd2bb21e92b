"""The file of certificates that the commands of one config are to trust."""

from __future__ import annotations

from registry_config.errors import UnavailableError
from registry_config.host.config_folder import BUNDLE_NAME
from registry_config.light_typing import TYPE_CHECKING
from registry_config.tools.table import ca_variables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def write_bundle(folder: str, authorities: Iterable[str], environ: Mapping[str, str]) -> None:
    """Write what this machine trusts, and further authorities, into the folder of a config; it is removed with that.

    Raises:
        UnavailableError: there is no room for it.
    """
    from registry_config.http.tls import bundle, own_certificates  # noqa: PLC0415  (few commands need one)

    text = bundle(own_certificates(environ), authorities)
    try:
        with open(f"{folder}/{BUNDLE_NAME}", "x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        reason = (error.strerror or "unknown").lower()
        problem = f"the certificates of ca-file cannot be written to {folder} ({reason})"
        raise UnavailableError("this machine", problem, "free some space") from None


def bundle_variables(program: str, folder: str) -> dict[str, str]:
    """The variables that lead a program to it."""
    return dict.fromkeys(ca_variables(program), f"{folder}/{BUNDLE_NAME}")
