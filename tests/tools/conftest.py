"""Three registries, each with a user of its own, and a folder with something for each tool to push."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.artifacts import chart, layout_digest, oci_layout
from support.cli import Machine
from support.oci_tools import Three
from support.registry import registry

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Three]:
    folder = tmp_path_factory.mktemp("three")
    with (
        registry(folder / "first", {"alice": "alices-password-31415926535897"}) as first,
        registry(folder / "second", {"bob": "bobs-password-27182818284590"}) as second,
        registry(folder / "secure", {"carol": "carols-password-16180339887498"}, tls=True) as secure,
    ):
        yield Three(first, second, secure)


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Values of the artifacts' names in the tools' commands."""
    folder = tmp_path_factory.mktemp("artifacts")
    oci_layout(folder / "layout")
    return {
        "layout": folder / "layout",
        "digest": layout_digest(folder / "layout"),
        "chart": chart(folder),
    }


@pytest.fixture(scope="session")
def go_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the Go compiler keeps between its runs."""
    return tmp_path_factory.mktemp("go-cache")


_FILES = {
    "file.txt": "text\n",
    "policy/main.rego": "package main\n",
    "ko/go.mod": "module test.example/k\ngo 1.21\n",
    "ko/main.go": "package main\nfunc main() { println() }\n",
    "module/cue.mod/module.cue": 'module: "test.example/m@v0"\nlanguage: version: "v0.14.0"\nsource: kind: "self"\n',
    "module/m.cue": "package m\na: 1\n",
    "consumer/cue.mod/module.cue": 'module: "test.example/c@v0"\nlanguage: version: "v0.14.0"\n',
}


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder for podman, which takes no path over 50 signs; what rootless containers leave is not ours to remove."""
    with tempfile.TemporaryDirectory(prefix="oci-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def machine(tmp_path: Path, go_cache: Path) -> Machine:
    variables = {
        "COSIGN_PASSWORD": "",
        "GOCACHE": str(go_cache),
        "GOFLAGS": "-buildvcs=false -modcacherw",
        "GOTOOLCHAIN": "local",
    }
    made = Machine(tmp_path, variables=variables)
    for name, text in _FILES.items():
        path = made.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return made
