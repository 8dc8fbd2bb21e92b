"""Builds what a machine needs that has nothing but a python3 (see `scripts/bundle`).

A bundle is a folder as `pip install --target` makes it, for several Pythons and architectures at once: the names of
compiled modules tell these apart. What `start.py` says about a Python is read from the same names.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ROOT = Path(__file__).resolve().parents[1]
_PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
_PLATFORMS = ("x86_64-manylinux_2_17", "aarch64-manylinux_2_17")
# Of the part with an image; of modules that are never imported (the toolkit's `core`, rich's `markdown` and `syntax`,
# annotations for type checkers).
_PRUNED = ("dagger-io", "requests", "markdown-it-py", "pygments", "typing-extensions")
# The toolkit's other modules, its tests, PyYAML's part in C, what only type checkers and installers read.
_SHIPPED_OF_TOOLKIT = ("__init__", "command", "file_command", "utils")
_LEFT_OUT = ("tests/*", "yaml/*.so", "_yaml/*", "*.pyi", "*/py.typed", "bin/*", ".lock", "*.pyc")
_LICENCES = ("licen[cs]e*", "copying*", "notice*")
_MAX_BYTES = 12_000_000
_START = Path("scripts/start.py")
# The oldest that the format knows: nothing tells when a file was built.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16


def main() -> int:
    """Build one or both; 1 where something is wrong."""
    parser = argparse.ArgumentParser(prog="bundle", description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("folder", nargs="?", type=Path, help="to be made; must not exist")
    parser.add_argument("--file", type=Path, help="the one program to be written")
    chosen = parser.parse_args()
    if not chosen.folder and not chosen.file:
        parser.error("name a folder, --file, or both")
    try:
        bundle = build(_ROOT)
        if chosen.folder:
            _write(bundle, chosen.folder)
        if chosen.file:
            write_program(_program(bundle), chosen.file)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        print(f"bundle: {error}", file=sys.stderr)
        return 1
    return 0


def build(project: Path) -> dict[str, bytes]:
    """Collect the files of a bundle.

    Args:
        project: with the lock that names each package and its hashes.

    Returns:
        The content of each file, by its path.

    Raises:
        subprocess.CalledProcessError: a package cannot be had, or has another hash; uv has said which.
        ValueError: two builds of a package have different files of one name, a licence is missing, or it is too large.
    """
    bundle: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory(prefix="bundle-") as name:
        locked = Path(name, "requirements.txt")
        export = [
            "uv",
            "export",
            "--quiet",
            "--locked",
            "--no-dev",
            "--no-emit-project",
            "--no-annotate",
            "--no-header",
        ]
        prune = [word for package in _PRUNED for word in ("--prune", package)]
        subprocess.run([*export, *prune, "--project", str(project), "--output-file", str(locked)], check=True)
        for python in _PYTHONS:
            for platform in _PLATFORMS:
                target = Path(name, f"{python}-{platform}")
                _install(locked, python, platform, target)
                for path, content in _shipped(target):
                    if bundle.setdefault(path, content) != content:
                        raise ValueError(f"{path} differs between builds of its package")
    size = sum(map(len, bundle.values()))
    if size > _MAX_BYTES:
        raise ValueError(f"{size} bytes are more than {_MAX_BYTES}")
    return dict(sorted(bundle.items()))


def _install(locked: Path, python: str, platform: str, target: Path) -> None:
    options = ["--quiet", "--no-deps", "--no-build", "--require-hashes", "--link-mode", "copy"]
    chosen = ["--python-version", python, "--python-platform", platform, "--target", str(target)]
    subprocess.run(["uv", "pip", "install", *options, *chosen, "--requirements", str(locked)], check=True)


def _shipped(target: Path) -> Iterator[tuple[str, bytes]]:
    """Paths and contents of what is shipped of an environment; the licences get a folder of their own."""
    for information in sorted(target.glob("*.dist-info")):
        texts = [path for path in information.rglob("*") if _matches(path.name.lower(), _LICENCES) and path.is_file()]
        if not texts:
            raise ValueError(f"{information.name} has no text of a licence")
        for text in texts:
            yield f"licenses/{information.stem}/{text.name}", text.read_bytes()
    for path in sorted(target.rglob("*")):
        name = path.relative_to(target).as_posix()
        toolkit = path.parent.name == "actions_toolkit" and path.stem not in _SHIPPED_OF_TOOLKIT
        if path.is_file() and ".dist-info/" not in name and not toolkit and not _matches(name, _LEFT_OUT):
            yield name, path.read_bytes()


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _write(bundle: Mapping[str, bytes], folder: Path) -> None:
    folder.mkdir()
    for name, content in bundle.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _program(bundle: Mapping[str, bytes]) -> dict[str, bytes]:
    """All that the one program unpacks: the bundle, our own code, and what starts it."""
    files = {f"dist/{name}": content for name, content in bundle.items()}
    for path in (_START, *(path.relative_to(_ROOT) for path in (_ROOT / "src").rglob("*.py"))):
        files[path.as_posix()] = (_ROOT / path).read_bytes()
    return files


def write_program(files: Mapping[str, bytes], path: Path) -> None:
    """Write a shell script with a zip archive behind it, which Python runs.

    Args:
        files: what it unpacks, by path, into a folder that is named by all of it.
        path: to be written.
    """
    content = hashlib.sha256()
    for name, data in sorted(files.items()):
        content.update(b"%s\0%d\0%s" % (name.encode(), len(data), data))
    main = (_ROOT / "scripts/bundled_main.py").read_bytes()
    own = {"__main__.py": main, "start.py": files[_START.as_posix()], "content": content.hexdigest().encode()}
    with path.open("wb") as file:
        file.write((_ROOT / "scripts/bundled.sh").read_bytes())
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name, data in {**files, **own}.items():
                entry = zipfile.ZipInfo(name, _EPOCH)
                entry.external_attr = _MODE
                archive.writestr(entry, data, zipfile.ZIP_DEFLATED, 9)
    path.chmod(0o755)


if __name__ == "__main__":
    sys.exit(main())
