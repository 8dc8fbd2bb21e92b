"""What an input is called: in a workflow by its name, at a command line by an option that there is."""

from __future__ import annotations

import ast
from pathlib import Path

from registry_config.audience import called, either, numbered, speak_to_command_line
from registry_config.cli.options import OPTIONS
from registry_config.declaration.inputs import Inputs

_SOURCES = Path(__file__).parents[2] / "src/registry_config"


def _names() -> set[str]:
    """All inputs that messages name."""
    calls = (
        node
        for path in _SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"called", "numbered"}
    )
    return {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}  # type: ignore[misc]


def test_every_name_is_an_input_and_an_option() -> None:
    names = _names()
    assert names <= {name.replace("_", "-") for name in Inputs._fields}
    speak_to_command_line()
    assert {called(name) for name in names} <= {option for options, _ in OPTIONS for option in options}


def test_each_reader_is_told_in_words_that_fit() -> None:
    def said() -> list[str]:
        return [called("image"), called("shell", "bash"), called("targets"), numbered("files", 2), either("a", "b")]

    assert said() == ["image", "shell: bash", "targets", "files (line 2)", "a"]
    speak_to_command_line()
    assert said() == ["--image", "--shell bash", "--target", "--file (number 2)", "b"]
