"""Who a container of an image runs as, read from its configuration and its passwd file.

The rules are runc's (`libcontainer/env.go`, `getUserHome`) and the OCI image specification's (config, User).
"""

from __future__ import annotations

from registry_config.light_typing import Final, NamedTuple

_NOT_A_HOME: Final = ("/dev", "/proc", "/sys")


class ImageUser(NamedTuple):
    """The numeric user and group, and the home folder (empty where nothing can be mounted under it)."""

    uid: int
    gid: int
    home: str


def image_user(user: str, home: str, passwd: str, group: str) -> ImageUser:
    """Resolve the image's user.

    Args:
        user: the image's `User`: empty, a name or a number, with a group or without.
        home: the image's variable `HOME`; empty where it has none.
        passwd: contents of the image's `/etc/passwd`, empty where it has none.
        group: likewise `/etc/group`.

    Raises:
        ValueError: a name that the image does not know.
    """
    name, _, group_name = (user or "0").partition(":")
    entry = _find(passwd, name, fields=7)
    uid = int(entry[2]) if entry else _number(name)
    gid = int(entry[3]) if entry else 0
    if group_name:
        group_entry = _find(group, group_name, fields=3)
        gid = int(group_entry[2]) if group_entry else _number(group_name)
    return ImageUser(uid, gid, _usable(home or (entry[5] if entry else "") or "/"))


def _find(table: str, name: str, *, fields: int) -> list[str] | None:
    """The line of a passwd-like table with this name or this number."""
    rows = [row for line in table.splitlines() if len(row := line.split(":")) >= fields and row[2].isdigit()]
    return next((row for row in rows if row[0] == name or row[2] == name), None)


def _number(text: str) -> int:
    if not text.isdigit():
        raise ValueError("names a user or group that its /etc/passwd or /etc/group does not know")
    return int(text)


def _usable(home: str) -> str:
    inside = any(home == folder or home.startswith(f"{folder}/") for folder in _NOT_A_HOME)
    return "" if inside or not home.startswith("/") else home
