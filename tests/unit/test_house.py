"""The rules of the house, read from all files below `src`: who imports whom, who may do what, how large things are."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from registry_config.declaration.inputs import Inputs

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOP = Path(__file__).parents[2] / "src/registry_config"
# From the bottom up; those in one row know nothing of each other.
_STORIES = (
    ("light_typing",),
    ("audience", "version", "streams"),
    ("errors",),
    ("reference",),
    ("docker_config",),
    ("http",),
    ("declaration",),
    ("credentials",),
    ("results", "script_outputs"),
    ("plan",),
    ("tools",),
    ("oci",),
    ("host", "engine"),
    ("registry_config", "commands", "attempts", "buffered_output"),
    ("observer", "preflight", "optional"),
    ("turns",),
    ("targets",),
    ("job",),
    ("report", "asking"),
    ("execution",),
    ("github",),
    ("cli",),
    ("__main__", "__init__"),
)
_HEIGHTS = {room: height for height, story in enumerate(_STORIES) for room in story}
_MAX_FUNCTION = 50
_MAX_CLASS = 200
_MAX_MODULE = 300


@cache
def _sources() -> dict[str, ast.Module]:
    return {str(path.relative_to(_TOP)): ast.parse(path.read_text()) for path in sorted(_TOP.rglob("*.py"))}


def _room(name: str) -> str:
    return name.partition("/")[0].removesuffix(".py")


def _imports(tree: ast.Module) -> Iterator[str]:
    """Dotted names of what a module imports anywhere, functions and type checking included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "registry_config":
            yield from (f"registry_config.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def _own_imports(tree: ast.Module) -> set[str]:
    """Modules of ours, as paths without their suffix."""
    names = (name.split(".") for name in _imports(tree))
    return {"/".join(parts[1:]) for parts in names if parts[0] == "registry_config" and len(parts) > 1}


def test_every_room_has_its_place() -> None:
    rooms = {_room(name) for name in _sources()}
    assert rooms <= set(_HEIGHTS)


def test_no_import_runs_upwards() -> None:
    upward = [
        f"{name} imports {imported}"
        for name, tree in _sources().items()
        for imported in _own_imports(tree)
        if _room(imported) != _room(name) and _HEIGHTS[_room(imported)] >= _HEIGHTS[_room(name)]
    ]
    assert upward == []


def test_no_circle_within_a_room() -> None:
    graph = {name.removesuffix(".py"): _own_imports(tree) for name, tree in _sources().items()}

    def reachable(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = list(graph[start])
        while waiting:
            module = waiting.pop()
            if module not in seen:
                seen.add(module)
                waiting += graph.get(module, ())
        return seen

    assert [module for module in graph if module in reachable(module)] == []


def test_the_packages_of_the_rooms_are_empty() -> None:
    assert [name for name, tree in _sources().items() if name.endswith("/__init__.py") and tree.body] == []


@pytest.mark.parametrize(
    ("package", "rooms"),
    [
        ("dagger", {"engine", "registry_config"}),
        ("yaml", {"declaration", "tools"}),
        ("argparse", {"cli"}),
        ("actions_toolkit", {"github"}),
        ("rich", {"cli"}),
        ("tenacity", {"attempts", "http"}),
        ("urllib3", {"http"}),
        ("asyncio", {"engine", "registry_config"}),
    ],
)
def test_a_package_is_imported_where_it_belongs(package: str, rooms: set[str]) -> None:
    found = {
        _room(name)
        for name, tree in _sources().items()
        if any(imported.partition(".")[0] == package for imported in _imports(tree))
    }
    assert found == rooms


def _modules_with(*kinds: type[ast.AST], that: str) -> set[str]:
    """Modules in which a node of these kinds is written so that the pattern matches it."""
    return {
        name
        for name, tree in _sources().items()
        if any(isinstance(node, kinds) and re.match(that, ast.unparse(node)) for node in ast.walk(tree))
    }


def test_the_environment_is_read_at_the_door_and_handed_on_as_a_value() -> None:
    # Dagger's SDK takes the session's address from nowhere else.
    allowed = {"__main__.py", "engine/connection.py"}
    assert _modules_with(ast.Attribute, that=r"os\.(environ|environb)$") == allowed
    assert _modules_with(ast.Call, that=r"os\.(getenv|putenv|expandvars)\(") == set()


def test_the_facts_of_github_are_named_in_its_room() -> None:
    named = _modules_with(ast.Constant, that=r"'GITHUB_[A-Z_]+'$")
    # The first refuses these names as variables of a command, the second names a script's own file.
    assert {name for name in named if _room(name) != "github"} == {"declaration/inputs.py", "script_outputs.py"}


def test_only_one_module_opens_the_files_of_the_runner() -> None:
    looked_up = r".*(\.get\(|\[)'GITHUB_(OUTPUT|STEP_SUMMARY|ENV|PATH|STATE)'"
    assert _modules_with(ast.Call, ast.Subscript, that=looked_up) == {"github/workflow.py"}


def test_only_the_entry_catches_everything() -> None:
    # A future may take any exception in order to raise it elsewhere.
    everything = r"except(:| [^:]*\b(Base)?Exception\b)(?![\s\S]*\b_fail_future\()"
    assert _modules_with(ast.ExceptHandler, that=everything) == {"__main__.py"}


def test_nothing_is_printed_past_the_streams_that_are_redacted() -> None:
    assert _modules_with(ast.Call, that=r"(print|breakpoint|traceback\.print_\w+)\(") == set()


def test_a_message_for_both_readers_names_no_input_by_itself() -> None:
    """`audience.called` does: in a workflow an input has another name than on a command line."""
    names = [name.replace("_", "-") for name in Inputs._fields]
    several = "|".join(name for name in names if "-" in name and name not in {"registries-file", "github-token"})
    named = rf"(?<![\w-])(?:{several})(?![\w-])|\b(?:set|needs|leave|add) (?:{'|'.join(names)})\b|\w\.NAME\b"
    found = [
        f"{name}: {text}"
        for name, tree in _sources().items()
        if _room(name) not in _FOR_ONE_READER and name not in _FOR_ONE_READER
        for text in _texts_of_messages(tree)
        if re.search(named, text)
    ]
    assert found == ["declaration/yaml_text.py: write the value as ${{ toJSON(secrets.NAME) }}, or use password-env"]


# Only the action splits a text into commands, or reads a list from a file of the workspace.
_FOR_ONE_READER = ("github", "cli", "declaration/command.py", "declaration/registries_file.py")
_ASIDE = ("either", "called", "numbered", "_check_choice", "_check_placeholder", "Grammar")


def _texts_of_messages(tree: ast.Module) -> Iterator[str]:
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    aside: list[ast.expr] = [call for call in calls if ast.unparse(call.func) in _ASIDE]
    # Docstrings too.
    aside += [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    left_out = {id(part) for node in aside for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in left_out:
            yield node.value


def test_names_of_test_files_are_their_own() -> None:
    # pytest imports them by their names alone.
    names = [path.name for path in (_TOP.parents[1] / "tests").rglob("test_*.py")]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_functions_classes_and_modules_are_small() -> None:
    large = [name for name in _sources() if len((_TOP / name).read_text().splitlines()) > _MAX_MODULE]
    for name, tree in _sources().items():
        for node in ast.walk(tree):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                continue
            most = _MAX_CLASS if isinstance(node, ast.ClassDef) else _MAX_FUNCTION
            if (node.end_lineno or 0) - node.lineno + 1 > most:
                large.append(f"{name}: {node.name}")
    assert large == []
