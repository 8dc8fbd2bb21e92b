"""What a user should know of a password before it is used, said without the password."""

from __future__ import annotations

from registry_config.audience import called
from registry_config.credentials.encodings import MIN_SECRET, is_short
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from registry_config.declaration.registries import Declaration

_SHORT: Final = f"a password of fewer than {MIN_SECRET} characters can be hidden in its base64 form only"
_BYTE_ORDER_MARK: Final = "\ufeff"
# What comes with a password that was copied from elsewhere; registries take it for a part of it.
_AROUND: Final[Mapping[str, Callable[[str], bool]]] = {
    "begins with a byte order mark": lambda secret: secret.startswith(_BYTE_ORDER_MARK),
    "has white space around it": lambda secret: secret.strip() != secret,
    "has quotes around it": lambda secret: len(secret) > 1 and secret[0] == secret[-1] and secret[0] in "'\"",
}


def warnings_of(declaration: Declaration, secret: str) -> tuple[str, ...]:
    """What the user should know of a declaration and its password before the run; the password is not in it.

    An empty password is one that is still to be obtained.
    """
    if not secret:
        return declaration.warnings
    around = [name for name, holds in _AROUND.items() if holds(secret)]
    place = declaration.place(declaration.source.kind)
    remedy = "it is sent as it is: if that is not meant, remove it from the secret"
    return (
        *declaration.warnings,
        *(f"{place}: the password {what}; {remedy}" for what in around),
        *((f"{declaration.place()}: {_SHORT}",) if is_short(secret) else ()),
    )


def short_warnings(variables: Mapping[str, str]) -> list[str]:
    """What the user should know of the variables of `secret-env`: a short one would hide half of the log with it."""
    problem = f"has fewer than {MIN_SECRET} characters and cannot be hidden"
    return [
        f"{called('secret-env')}: the value of {name} {problem}"
        for name, value in variables.items()
        if value and is_short(value)
    ]
