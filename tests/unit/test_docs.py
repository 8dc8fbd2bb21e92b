"""What the README and the pages of docs/ say, held against the action, the command line and the code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml
from messages import hints, messages
from tables import filled, pages
from terminal_svg import PASSWORDS

from registry_config import errors
from registry_config.declaration.registries import parse_registries
from support.action import ROOT
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TOP = ("README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md", "examples/README.md")
_PAGES = {
    path.relative_to(ROOT).as_posix(): path
    for path in (*(ROOT / name for name in _TOP), *sorted((ROOT / "docs").rglob("*.md")))
}
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_OURS = re.compile(r"(?:https://github\.com/)?org/registry-config-action(/agent)?@v1")
_EXPRESSION = re.compile(r"\$\{\{.*?\}\}")
_STEP_KEYS = {"id", "if", "name", "uses", "with", "env"}
# Words of ours that an earlier text had and readers stumbled over.
_WORDS = re.compile(
    r"\bin clear\b|\bmend(s|ed)?\b|\bon purpose\b|stands? beside|\bso many\b|fault of ours|\blands? (in|on)\b"
    r"|\b(a|any|no|first|quoted?|the|other|of \d+|fewer than \d+|under \d+|a run of|each) signs?\b(?!ed|ing|-)",
    re.IGNORECASE,
)
every_page = table("path", _PAGES)


def _action(folder: str = "") -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load((ROOT / folder / "action.yml").read_text(), yaml.BaseLoader)  # noqa: S506
    return loaded


def _blocks(path: Path, language: str) -> Iterator[str]:
    for found in _BLOCK.finditer(path.read_text()):
        if found[1] == language:
            yield textwrap.dedent(found[2])


def _nodes(value: object) -> Iterator[object]:
    yield value
    for below in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _nodes(below)


def _yaml(path: Path) -> Iterator[object]:
    """Every node of the YAML of a page."""
    for block in _blocks(path, "yaml"):
        yield from _nodes(yaml.load(_EXPRESSION.sub("expression", block), yaml.BaseLoader))  # noqa: S506


def _steps(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each step with the action, and the folder of the action that it uses."""
    for node in _yaml(path):
        if isinstance(node, dict) and (found := _OURS.fullmatch(str(node.get("uses", "")))):
            yield (found[1] or "").removeprefix("/"), node


@every_page
def test_a_step_gives_the_action_inputs_that_it_has(path: Path) -> None:
    for folder, step in _steps(path):
        assert set(step) <= _STEP_KEYS
        assert set(step["with"]) <= set(_action(folder)["inputs"])


@every_page
def test_a_cut_of_a_step_names_inputs_that_there_are(path: Path) -> None:
    inputs = set(_action()["inputs"])
    for block in _blocks(path, "yaml"):
        document = yaml.load(_EXPRESSION.sub("expression", block), yaml.BaseLoader)  # noqa: S506
        if isinstance(document, dict) and inputs & set(document) - {"env"}:
            assert set(document) <= inputs | {"permissions"}


def _declarations(path: Path) -> Iterator[str]:
    for node in _yaml(path):
        if isinstance(node, dict) and isinstance(node.get("registries"), str):
            yield node["registries"]
        if isinstance(node, list) and node and all(isinstance(entry, dict) and "registry" in entry for entry in node):
            yield yaml.safe_dump(node)


@every_page
def test_a_declaration_of_a_page_is_one(path: Path) -> None:
    for text in _declarations(path):
        assert parse_registries(text)


@every_page
def test_a_link_leads_to_a_file_that_is_there(path: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(), flags=re.DOTALL)
    links = {target for target in re.findall(r"\]\(([^)\s#]+)", text) if "://" not in target}
    assert [target for target in links if not (path.parent / target).exists()] == []


def test_the_code_and_the_actions_speak_plain_english() -> None:
    files = (
        *(ROOT / "src").rglob("*.py"),
        ROOT / "action.yml",
        ROOT / "agent/action.yml",
        *ROOT.glob("examples/*.yml"),
    )
    said = {path.name: _WORDS.findall(path.read_text()) for path in files}
    assert {name: found for name, found in said.items() if found} == {}


@every_page
def test_a_page_speaks_plain_english(path: Path) -> None:
    assert [found[0] for found in _WORDS.finditer(path.read_text())] == []


def test_the_tables_of_inputs_and_outputs_are_those_of_action_yml() -> None:
    assert [page.name for page in pages() if filled(page.read_text()) != page.read_text()] == []
    for name in ("README.md", "docs/inputs.md"):
        asked = re.findall(r"<!-- (\w+) of action\.yml -->", (ROOT / name).read_text())
        assert asked == ["inputs", "outputs"]


def test_every_input_has_its_rules_under_a_heading_of_its_own() -> None:
    headings = re.findall(r"^### `([\w-]+)`$", (ROOT / "docs/inputs.md").read_text(), re.MULTILINE)
    assert sorted(headings) == sorted(_action()["inputs"])


def _help(*words: str) -> str:
    shown = subprocess.run(
        [sys.executable, "-m", "registry_config", *words, "--help"], capture_output=True, text=True, check=True
    )
    return shown.stdout


@cache
def _options(*words: str) -> frozenset[str]:
    return frozenset(
        re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", _help(*words).partition("options:")[2].partition("\n\n")[0])
    )


def test_the_page_of_the_command_line_has_the_options_of_the_help() -> None:
    rows = re.findall(r"^\| (`-.*?) \|", (ROOT / "docs/command-line.md").read_text(), re.MULTILINE)
    named = {option for row in rows for option in re.findall(r"`(--?[a-zA-Z][\w-]*)", row)}
    assert named | {"-h", "--help"} == _options("run") | _options("check")
    text = (ROOT / "docs/command-line.md").read_text().partition("## The agent")[2]
    own = set(re.findall(r"`(--[a-z][\w-]*)", text))
    assert own | {"-h", "--help"} == _options("agent", "start")


@every_page
def test_a_command_line_of_a_page_has_options_that_there_are(path: Path) -> None:
    text = path.read_text().replace("\\\n", " ")
    for line in re.findall(r"registry-config ((?:run|check|agent start) .*)", text):
        ours = line.partition(" -- ")[0].partition("`")[0]
        words = ours.split()
        unknown = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", ours)) - _options(
            *words[: 2 if words[0] == "agent" else 1]
        )
        assert unknown == set()


def test_the_page_of_exit_codes_has_those_of_the_code() -> None:
    codes = {value for name, value in vars(errors).items() if name.startswith("EXIT_") and value != 128}
    rows = re.findall(r"^\| (\d+) \|", (ROOT / "docs/exit-codes.md").read_text(), re.MULTILINE)
    # Besides those of errors: success, and a digest that is not the registry's.
    assert set(map(int, rows)) == codes | {0, 1}
    shown = re.findall(r"(?<![\w+])\d{1,3}(?![\w+])", _help("run").partition("exit codes:")[2])
    assert set(map(int, shown)) == codes | {1}


def test_the_architecture_names_every_room_and_nothing_that_is_not_there() -> None:
    package = ROOT / "src/registry_config"
    text = (ROOT / "docs/architecture.md").read_text()
    named = set(re.findall(r"`([\w./-]+(?:\.py|\.yml|/))`", text))
    files = {path.name for path in package.rglob("*.py")}
    assert [name for name in named - files if not ((package / name).exists() or (ROOT / name).exists())] == []
    rooms = {f"{path.name}/" if path.is_dir() else path.name for path in package.iterdir()}
    assert rooms - named - {"__init__.py", "__pycache__/", "py.typed"} == set()


def test_contributing_names_files_that_are_there() -> None:
    named = re.findall(r"`((?:src|tests|scripts|docs|examples)(?:/[\w.-]+)*)`", (ROOT / "CONTRIBUTING.md").read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []
    assert named


def test_the_site_is_built_at_once_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    # Whoever asks for something over a network finds nobody.
    nobody = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    environ = {**os.environ, **nobody, "NO_MKDOCS_2_WARNING": "true"}
    built = subprocess.run(build, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert (built.returncode, built.stderr) == (0, "")
    pages = sorted(tmp_path.rglob("*.html"))
    assert len(pages) > len(list((ROOT / "docs").rglob("*.md")))
    loads = re.compile(r"<(?:script|img|iframe|link)[^>]*(?:src|href)=\"?https?://[^>]*>|url\(\"?https?://")
    texts = (path.read_text(errors="replace") for path in (*pages, *tmp_path.rglob("*.css"), *tmp_path.rglob("*.svg")))
    assert [found for text in texts for found in loads.findall(text)] == []


def test_the_recorded_terminal_shows_no_password_and_loads_nothing() -> None:
    picture = (ROOT / "docs/images/terminal.svg").read_text()
    plain = re.sub(r"<[^>]+>", "", picture)
    assert "registry-config" in plain
    assert [secret for secret in PASSWORDS if secret in plain] == []
    assert re.findall(r"url\(\"?http|<(?:image|script|link)", picture) == []


def test_the_page_of_troubleshooting_has_every_message() -> None:
    text = (ROOT / "docs/troubleshooting.md").read_text()
    found = list(messages())
    assert len(found) > 100
    assert [message.text for message in found if message.cell not in text] == []
    explained = [problem for problem, _ in hints()]
    assert len(explained) > 20
    assert [problem for problem in explained if f"`{problem}`" not in text] == []


def test_a_message_is_told_with_the_remedy_of_its_own_branch() -> None:
    remedies = {message.remedy for message in messages() if message.problem == "'github' is for … only"}
    assert remedies == {"the job's token must not go to another registry"}


def test_every_message_says_what_to_do() -> None:
    own = {name for name, value in vars(errors).items() if isinstance(value, type)} | {"MissingSecretError"}
    # These two say by their class what to do; "must be" says it in the problem; the others are given to one of ours.
    own -= {"ProgramNotFoundError", "SignalError"}
    ours = [message for message in messages() if message.error in own]
    assert len(ours) > 100
    # The problem of a duration is what `seconds_of` says, which is such a "must be".
    durations = {"declaration/durations.py", "declaration/providers.py"}
    silent = [
        message
        for message in ours
        if not message.remedy and not message.problem.startswith("must be ") and message.file not in durations
    ]
    assert [f"{message.file}:{message.line}: {message.text}" for message in silent] == []
