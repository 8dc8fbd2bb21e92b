"""The messages of the code, read from its text: each error that is raised, with its remedy.

docs/troubleshooting.md shows them. What a message takes from elsewhere (a name, a line) is shown as `…`.
"""

from __future__ import annotations

import ast
import itertools
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_SOURCES: Final = Path(__file__).parents[1] / "src/registry_config"
_GAP: Final = "…"
# Errors of Python that no person is shown.
_PYTHONS: Final = ("AttributeError", "KeyError", "NotImplementedError", "OSError", "RuntimeError", "TypeError")
_MOST: Final = 8
# What an explanation has at least before its colon.
_WORDS: Final = 3


class Message(NamedTuple):
    """One error that the code raises.

    Attributes:
        file: where, below src/registry_config.
        line: where in it.
        error: the name of its class.
        place: what it is about.
        problem: what is wrong.
        remedy: what to do.
    """

    file: str
    line: int
    error: str
    place: str
    problem: str
    remedy: str

    @property
    def text(self) -> str:
        """As it is shown, without the remedy."""
        return f"{self.place}: {self.problem}" if self.place else self.problem

    @property
    def cell(self) -> str:
        """As a cell of a table has it."""
        return _cell(self.text)


# What the rooms are about, in the order of a run.
_ROOMS: Final = (
    ("Command line", ("cli",)),
    ("Inputs and the declaration", ("declaration", "reference.py", "github", "job.py")),
    ("Credentials", ("credentials",)),
    ("Registries and providers, asked by this action itself", ("http", "oci", "preflight.py")),
    ("An engine and a tool image", ("engine", "registry_config.py")),
)
_REST: Final = "Commands and the machine"


def page() -> str:
    """The tables of docs/troubleshooting.md."""
    found: dict[str, dict[str, None]] = {title: {} for title in (*(title for title, _ in _ROOMS), _REST)}
    for message in filter(lambda one: re.search(r"\w", one.text + one.remedy), messages()):
        room = message.file.partition("/")[0]
        title = next((title for title, rooms in _ROOMS if room in rooms), _REST)
        found[title][f"| {message.cell} | {_plain(message.remedy)} |\n"] = None
    found["A command failed: what its output means"] = {
        f"| {_cell(problem)} | {_plain(remedy)} |\n": None for problem, remedy in hints()
    }
    return "\n".join(_section(title, rows) for title, rows in found.items())


def _section(title: str, rows: Iterable[str]) -> str:
    return f"### {title}\n\n| message | what to do |\n| --- | --- |\n{''.join(rows)}"


def _cell(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


def _plain(text: str) -> str:
    # A remedy may hold what Markdown would take for its own.
    return re.sub(r"([|<>*_])", r"\\\1", text)


def messages() -> Iterator[Message]:
    """Every message, in the order of the files."""
    for path in sorted(_SOURCES.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = _assigned(tree.body)
        yield from sorted(
            _of_module(tree, path.relative_to(_SOURCES).as_posix(), constants), key=lambda found: found.line
        )


def hints() -> Iterator[tuple[str, str]]:
    """What is the matter, and what to do, of every explanation of a failed command."""
    for path in sorted((_SOURCES / "tools").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = _assigned(tree.body)
        parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        skipped = parts | {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, (ast.Constant, ast.JoinedStr)) and id(node) not in skipped:
                texts = (text.replace("{image}", "image") for text in _texts(node, constants))
                yield from filter(None, map(_explanation, texts))


def _explanation(text: str) -> tuple[str, str] | None:
    """The halves of a sentence that says what to do; None for a regular expression, a list of names, a part of one."""
    problem, _, remedy = text.partition(": ")
    known = len(problem.split()) >= _WORDS and len(remedy.replace(_GAP, "").split()) > 1
    return (problem, remedy) if known and not re.search(r"\\|\(\?|'\w+: ", text) else None


def _of_module(tree: ast.Module, file: str, constants: Mapping[str, list[str]]) -> Iterator[Message]:
    before = _assigned_before(tree)
    for function, call in _raised(tree):
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        in_function = _assigned(ast.walk(function)) if function else {}
        known = {**constants, **in_function, **before.get(id(call), {})}
        texts = [_texts(argument, known) for argument in call.args if not isinstance(argument, ast.Starred)]
        if not texts or not name.endswith("Error") or name in _PYTHONS or len(texts) != len(call.args):
            continue
        for parts in itertools.islice(itertools.product(*texts), _MOST):
            if len(parts) == 1:
                yield Message(file, call.lineno, name, _GAP, parts[0], "")
            else:
                yield Message(file, call.lineno, name, *(*parts, "")[:3])


def _raised(tree: ast.Module) -> Iterator[tuple[ast.AST | None, ast.Call]]:
    """Each call of an error's class, with the function in which it is written."""
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    owner = {id(node): function for function in functions for node in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("Error"):
            yield owner.get(id(node)), node


def _assigned(nodes: Iterator[ast.AST] | list[ast.stmt]) -> dict[str, list[str]]:
    """The texts that names are given, in all places where they are."""
    found: dict[str, list[str]] = {}
    for node in nodes:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(target, ast.Name) and value is not None:
            found.setdefault(target.id, []).extend(text for text in _texts(value, {}) if text != _GAP)
    return {name: texts for name, texts in found.items() if texts}


def _assigned_before(tree: ast.Module) -> dict[int, dict[str, list[str]]]:
    """The texts that names are given before each call, by the call's id: those of its own block first."""
    found: dict[int, dict[str, list[str]]] = {}
    # From the outside in, so that the innermost block of a call is the last.
    for owner in ast.walk(tree):
        for block in (getattr(owner, field, None) for field in ("body", "orelse", "finalbody")):
            known: dict[str, list[str]] = {}
            for statement in block if isinstance(block, list) else ():
                found.update((id(node), dict(known)) for node in ast.walk(statement) if isinstance(node, ast.Call))
                if isinstance(statement, (ast.Assign, ast.AnnAssign)):
                    known |= _assigned([statement])
                else:
                    inner = _assigned(ast.walk(statement))
                    known |= {name: [*known.get(name, ()), *texts] for name, texts in inner.items()}
    return found


def _texts(node: ast.AST, known: Mapping[str, list[str]]) -> list[str]:
    """What an expression may say."""
    said: list[str] = []
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        said = [node.value]
    elif isinstance(node, ast.JoinedStr):
        parts = [_texts(value, known) for value in node.values]
        said = ["".join(chosen) for chosen in itertools.islice(itertools.product(*parts), _MOST)]
    elif isinstance(node, ast.FormattedValue) and (
        isinstance(node.value, ast.Call) or (isinstance(node.value, ast.Name) and node.value.id.isupper())
    ):
        said = _texts(node.value, known)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        said = _worded(node.func.id, node.args, known)
    elif isinstance(node, ast.IfExp):
        said = [*_texts(node.body, known), *_texts(node.orelse, known)]
    elif isinstance(node, ast.BoolOp):
        said = [text for value in node.values for text in _texts(value, known)]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        said = [left + right for left in _texts(node.left, known) for right in _texts(node.right, known)]
    elif isinstance(node, ast.Name):
        said = known.get(node.id, [])
    return list(dict.fromkeys(said)) or [_GAP]


def _worded(name: str, arguments: list[ast.expr], known: Mapping[str, list[str]]) -> list[str]:
    """What a function of `audience` makes: inputs as a workflow names them, and both of two texts."""
    if name == "either":
        return [text for argument in arguments for text in _texts(argument, known)]
    texts = [text for argument in arguments for text in _texts(argument, {})]
    if name == "called" and _GAP not in texts:
        return [": ".join(texts)]
    if name == "numbered":
        return [f"{texts[0]} (line {_GAP})"]
    return _by_function().get(name, []) if name.endswith("_it") else []


@cache
def _by_function() -> dict[str, list[str]]:
    """What the functions without arguments that word a remedy say."""
    found: dict[str, list[str]] = {}
    for path in sorted(_SOURCES.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = _assigned(tree.body)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.args.args and node.name.endswith("_it"):
                returned = [part.value for part in ast.walk(node) if isinstance(part, ast.Return) and part.value]
                found[node.name] = [text for value in returned for text in _texts(value, constants)]
    return found


if __name__ == "__main__":
    for message in messages():
        print(f"{message.file}:{message.line}: {message.error}: {message.text}; {message.remedy or 'NO REMEDY'}")
