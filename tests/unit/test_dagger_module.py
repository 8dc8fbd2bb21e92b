"""What the Dagger module exports, as the SDK tells it to the engine, and the files that make it a module."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest

from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ROOT = Path(__file__).parents[2]
_EXAMPLES = sorted((_ROOT / "examples/dagger").glob("*/dagger.json"))

_ADDRESS = "registry host, with a port or without, such as ghcr.io; any name of Docker Hub"
_MOUNT_OPTIONS = {
    "secret_name": ("str", '""', "beginning of the secret's name"),
    "skip_on_empty": ("bool", "false", "mount nothing if there is no credential"),
    "owner": ("str", '""', "user, or user:group, that owns the file; 0:0 if empty"),
    "mode": ("int", "256", "permissions of the file; 256 is 0400"),
}
_WHERE = ("Container", None, "where to mount it")
_PATH = ("str", None, "where in the container the config is to be")

# Of each function: type of its result, how long the engine may keep that, and type, default and help of each argument.
_FUNCTIONS: dict[str, dict[str, tuple[str, str, dict[str, tuple[str, str | None, str]]]]] = {
    "RegistryConfig": {
        "with_registry_auth": (
            "RegistryConfig",
            "session",
            {
                "address": ("str", None, _ADDRESS),
                "username": ("str", None, "user to log in as"),
                "secret": ("Secret", None, "password or token of that user"),
            },
        ),
        "without_registry_auth": (
            "RegistryConfig",
            "session",
            {"address": ("str", None, "registry host; one that has no credential is no error")},
        ),
        "as_secret": (
            "Secret",
            "session",
            {"name": ("str", '""', "beginning of the secret's name; a random part always follows")},
        ),
        "secret_mount": ("SecretMount", "session", {"path": _PATH, **_MOUNT_OPTIONS}),
        "mount_secret": (
            "Container",
            "session",
            {"container": _WHERE, "path": _PATH, **_MOUNT_OPTIONS},
        ),
        "container": ("Container", "session", {"image": ("str", None, "tool image, by tag or digest")}),
        "run": (
            "Container",
            "never",
            {
                "container": ("Container", None, "container that has the tool"),
                "args": ("list[str]", None, "program and arguments"),
                "use_entrypoint": ("bool", "false", "put the image's entrypoint before them"),
            },
        ),
    },
    "SecretMount": {"mount": ("Container", "session", {"container": _WHERE})},
}
_HELP = {
    "with_registry_auth": "Add a credential; the last one for an address wins.",
    "without_registry_auth": "Remove the credential of a registry.",
    "as_secret": "The `config.json` as a secret.",
    "secret_mount": "The config as something to be mounted, now or by somebody else.",
    "mount_secret": "The container with the config mounted at `path`.",
    "container": "A container of an image, pulled with the credential of exactly its registry if there is one.",
    "run": "Run a command with the config where every tool finds it, never from a cache.",
    "mount": "The container with the config mounted; unchanged if there is no credential and that was to be skipped.",
}


@pytest.fixture(scope="module")
def objects() -> Mapping[str, Any]:
    """The objects of the module, as the SDK registers them."""
    from dagger.mod.cli import load_module  # noqa: PLC0415  (a second; not for every run of one test elsewhere)

    found: Mapping[str, Any] = load_module()._objects  # noqa: SLF001  (the SDK offers no other way)
    return found


def _exported(objects: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for object_name, kind in objects.items():
        for name, function in kind.functions.items():
            # The nameless one is the constructor.
            if name:
                yield object_name, name, function


def _type(annotation: Any) -> str:
    arguments = ", ".join(argument.__name__ for argument in get_args(annotation))
    return f"{annotation.__name__}[{arguments}]" if arguments else str(annotation.__name__)


def test_the_functions_have_these_names_types_and_caches(objects: Mapping[str, Any]) -> None:
    seen: dict[str, Any] = {name: {} for name in objects}
    for object_name, name, function in _exported(objects):
        arguments = {p.name: (_type(p.resolved_type), p.default_value, p.doc) for p in function.parameters.values()}
        seen[object_name][name] = (_type(function.return_type), function.cache_policy, arguments)
    assert seen == _FUNCTIONS


def test_each_function_has_its_help(objects: Mapping[str, Any]) -> None:
    assert {name: function.doc.partition("\n")[0] for _, name, function in _exported(objects)} == _HELP


def test_no_state_is_exported_and_the_constructor_takes_nothing(objects: Mapping[str, Any]) -> None:
    assert [dict(kind.fields) for kind in objects.values()] == [{}, {}]
    assert objects["RegistryConfig"].get_constructor().parameters == {}


def test_no_function_takes_the_place_of_one_of_the_engine(objects: Mapping[str, Any]) -> None:
    from dagger import Client  # noqa: PLC0415

    engine = {name for name in dir(Client) if not name.startswith("_")} | {"id"}
    assert {"secret", "directory", "file", "git", "host", "cache_volume", "address"} < engine
    exported = {name for object_name, name, _ in _exported(objects) if object_name == "RegistryConfig"}
    # The one that `--container=IMAGE` is proof against: the engine looks past the module for it.
    assert exported & engine == {"container"}


def test_the_main_object_is_named_after_the_module() -> None:
    (entry,) = importlib.metadata.entry_points(group="dagger.mod", name="main_object")
    assert entry.value == "registry_config.registry_config:RegistryConfig"
    name = json.loads((_ROOT / "dagger.json").read_text())["name"]
    assert "".join(word.title() for word in name.split("-")) == "RegistryConfig"


def test_the_engine_gets_what_the_package_is_built_of_and_nothing_else() -> None:
    everything, *given = json.loads((_ROOT / "dagger.json").read_text())["include"]
    assert everything == "!*"
    assert given == ["dagger.json", "pyproject.toml", "uv.lock", "README.md", "LICENSE", "src"]
    assert [name for name in given if not (_ROOT / name).exists()] == []


def _setting(folder: Path, key: str) -> str:
    (value,) = re.findall(rf'^{key} = "(.*)"$', (folder / "pyproject.toml").read_text(), re.MULTILINE)
    return str(value)


def test_python_is_chosen_for_the_engine_alone() -> None:
    assert re.fullmatch(r"python:3\.\d+-slim@sha256:[0-9a-f]{64}", _setting(_ROOT, "base-image"))
    # Without an upper bound, of which the engine would make the tag of an image.
    assert re.fullmatch(r">=3\.\d+", _setting(_ROOT, "requires-python"))
    # It would bind everybody's uv to one version.
    assert not (_ROOT / ".python-version").exists()


def test_there_are_examples() -> None:
    assert [path.parent.name for path in _EXAMPLES] == ["helm", "release"]


@pytest.mark.parametrize("path", _EXAMPLES, ids=lambda path: path.parent.name)
def test_an_example_depends_on_this_module_and_fits_its_engine(path: Path) -> None:
    ours, theirs = (json.loads(file.read_text()) for file in (_ROOT / "dagger.json", path))
    (dependency,) = theirs["dependencies"]
    assert dependency["name"] == ours["name"]
    assert (path.parent / dependency["source"]).resolve() == _ROOT
    assert theirs["engineVersion"] == ours["engineVersion"]
    assert _setting(path.parent, "base-image") == _setting(_ROOT, "base-image")


@table(
    "imported, loaded",
    {
        "the package": ("registry_config", False),
        "the command": ("registry_config.__main__", False),
        "the class": ("registry_config.registry_config", True),
    },
)
def test_only_the_class_itself_imports_dagger(imported: str, loaded: bool) -> None:  # noqa: FBT001  (a table's column)
    script = f"import sys, {imported}; print('dagger' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert ended.stdout.decode() == f"{loaded}\n"
