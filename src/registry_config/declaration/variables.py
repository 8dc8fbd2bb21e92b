"""Names of variables: which one was meant where the environment lacks what was written."""

from __future__ import annotations

from collections import Counter

from registry_config.audience import either
from registry_config.errors import did_you_mean
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_SYSTEM_VARIABLES: Final = frozenset(
    (
        *("CI", "EDITOR", "HOME", "HOSTNAME", "IFS", "LANG", "LANGUAGE", "LOGNAME"),
        *("MAIL", "OLDPWD", "PAGER", "PATH", "PS1", "PWD", "SHELL", "SHLVL"),
        *("TEMP", "TERM", "TMP", "TMPDIR", "TZ", "USER", "VISUAL", "_"),
    )
)
_SYSTEM_PREFIXES: Final = ("ACTIONS_", "INPUT_", "LC_", "REGISTRY_CONFIG_INPUT_", "RUNNER_", "XDG_")
_GITHUB: Final = "GITHUB_"
_MIN_COMMON: Final = 4


def set_it() -> str:
    """What to do where the environment lacks a variable and none is near."""
    return either("set it under env of the step", "set and export it first")


def nearest_variable(name: str, known: Iterable[str]) -> str | None:
    """The variable that was probably meant: at most two edits away, four letters in common, not the system's own."""
    near = did_you_mean(name, (one for one in known if not _is_system(one) and _common(name, one) >= _MIN_COMMON))
    return None if near == name else near


def _is_system(name: str) -> bool:
    if name.startswith(_GITHUB):
        # A step sets its token itself.
        return not name.endswith("_TOKEN")
    return name in _SYSTEM_VARIABLES or name.startswith(_SYSTEM_PREFIXES)


def _common(left: str, right: str) -> int:
    return (Counter(left) & Counter(right)).total()
