"""Whom messages speak to: the author of a workflow, or a person at a command line.

One input is `image` to the first and `--image` to the second, and not every remedy is one for both. A process has one
door, which says once whom it speaks to. Messages in which it matters are made by the functions here.
"""

from __future__ import annotations

from registry_config.light_typing import Final


class _Audience:
    def __init__(self) -> None:
        self.at_command_line = False


_AUDIENCE: Final = _Audience()
# Inputs of several lines are options that are given several times.
_OPTIONS: Final = {"targets": "--target", "files": "--file"}


def speak_to_workflow() -> None:
    """Say that messages are read by the author of a workflow, as they are until somebody says otherwise."""
    _AUDIENCE.at_command_line = False


def speak_to_command_line() -> None:
    """Say that messages are read at a command line."""
    _AUDIENCE.at_command_line = True


def either(workflow: str, command_line: str) -> str:
    """The one of two texts that is right for the reader."""
    return command_line if _AUDIENCE.at_command_line else workflow


def called(name: str, value: str = "") -> str:
    """An input as the reader writes it, with a value or without: `shell: bash`, or `--shell bash`."""
    option = f"{_OPTIONS.get(name, f'--{name}')} {value}".rstrip()
    return either(f"{name}: {value}" if value else name, option)


def numbered(name: str, number: int) -> str:
    """One line of an input, or one of the options that are given several times; counted from 1."""
    return f"{called(name)} ({either('line', 'number')} {number})"
