"""Programs that start a tool where our variables, or the file they lead to, are not there."""

from __future__ import annotations

import re
from itertools import pairwise

from registry_config.audience import called
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SHELLS: Final = frozenset(("sh", "bash", "dash", "ash", "zsh", "ksh", "busybox"))
# What may stand before a command of a script.
_BEFORE: Final = re.compile(
    r"\s*(?:(?:if|then|else|do|while|until|!|time|exec|\w{1,60}=\S{0,500})\s+)*(?:/\S{0,200}/)?"
)


class Wrapper(NamedTuple):
    """A way to lose the config.

    Attributes:
        begins: a regular expression of the command up to the tool; its group, or all of it, is the wrapper's name.
        explanation: what it does and what to do instead.
    """

    begins: str
    explanation: str


_CONTAINER: Final = (
    "{name} starts a container, which does not see the config: leave it out and set {image} to its image"
)
_SUDO: Final = (
    "sudo drops the environment that leads the tool to the config: write 'sudo -E', or "
    "'sudo --preserve-env=DOCKER_CONFIG,REGISTRY_AUTH_FILE,HELM_REGISTRY_CONFIG', or run the tool without sudo"
)
_USER: Final = (
    "{name} starts the tool as a user that may not read the config, or without the environment that leads to it: "
    "run the tool without {name}"
)
_PROC: Final = (
    "{name} starts the tool where /proc is another one, and the config is a link into it: run the tool without {name}"
)
_OPTIONS: Final = r"(?:\s-\S{1,60}){0,6}?"
_WRAPPERS: Final = (
    Wrapper(rf"(?!sudo{_OPTIONS}\s(?:-[A-Za-z]{{0,5}}E|--preserve-env))sudo\b", _SUDO),
    Wrapper(r"((?:docker|podman|nerdctl)(?:\scontainer)?\s(?:run|exec))\b", _CONTAINER),
    Wrapper(r"(docker[ -]compose|podman-compose)(?:\s\S{1,60}){0,5}?\s(?:run|exec|up)\b", _CONTAINER),
    Wrapper(r"(kubectl\s(?:run|exec))\b", _CONTAINER),
    Wrapper(
        r"env\s(?:-i\b|-\s|--ignore-environment\b)",
        "env -i empties the environment that leads the tool to the config: leave -i out",
    ),
    Wrapper(r"(su|runuser|doas|setpriv|systemd-run)\b(?!-)", _USER),
    Wrapper(r"ssh\b(?!-)", "ssh starts the tool on another machine, where the config is not: run it here"),
    Wrapper(r"(chroot|nsenter|bwrap)\b", _PROC),
    Wrapper(rf"(unshare){_OPTIONS}\s(?:-[A-Za-z]{{0,5}}[pUr]|--pid|--user|--map-|--mount-proc)", _PROC),
)


def lost_config(arguments: Sequence[str]) -> str:
    """How a command, or one of its script, loses the config, and what to do; empty where it does not."""
    for command in _commands(arguments):
        for wrapper in _WRAPPERS:
            if match := re.match(wrapper.begins, command):
                return wrapper.explanation.format(name=match[match.lastindex or 0], image=called("image"))
    return ""


def script_of(arguments: Sequence[str]) -> str:
    """The script that a shell was given with `-c`; empty where it was given none."""
    if arguments[0].rpartition("/")[2] not in _SHELLS:
        return ""
    following = (after for option, after in pairwise(arguments) if re.fullmatch(r"-[A-Za-z]{0,10}c", option))
    return next(following, "")


def _commands(arguments: Sequence[str]) -> Iterator[str]:
    if script := script_of(arguments):
        for command in re.split(r"[\n;&|()]+", script):
            yield command[_end_of(_BEFORE.match(command)) :]
    else:
        yield " ".join((arguments[0].rpartition("/")[2], *arguments[1:]))


def _end_of(match: re.Match[str] | None) -> int:
    return match.end() if match else 0
