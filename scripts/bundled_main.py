"""The `__main__` of the one file that `scripts/bundle --file` writes: unpacks it once, and starts what it unpacked."""

from __future__ import annotations

import os
import sys
from zipimport import zipimporter

# scripts/start.py, which lies beside this module in the archive.
from start import fits

_FOLDER = "registry-config"
# The kind of a file and who else may write to it; a folder and nobody.
_LOOKED_AT, _FOLDER_OF_ONE = 0o170022, 0o040000


def main() -> None:
    """Answer `--fits`, or give way to the program."""
    archive = zipimporter(sys.argv[0])
    if sys.argv[1:] == ["--fits"]:
        sys.exit(0 if fits(lambda name: len(archive.get_data(f"dist/{name}"))) else 1)
    home = _unpacked(archive.get_data("content").decode()[:16])
    words = [sys.executable, "-I", "-S", "-X", "utf8", f"{home}/scripts/start.py", *sys.argv[1:]]
    os.execv(sys.executable, words)  # noqa: S606  (no shell is wanted)


def _unpacked(content: str) -> str:
    """Where the content lies, which names the folder; unpacked first where it is not there yet.

    Two at a time do no harm: the folder gets its name when it is whole.
    """
    cache = _private_folder()
    home = os.path.join(cache, content)
    if not os.path.isdir(home):
        import tempfile  # noqa: PLC0415  (once a machine)
        import zipfile  # noqa: PLC0415

        with tempfile.TemporaryDirectory(dir=cache) as work:
            with zipfile.ZipFile(sys.argv[0]) as archive:
                archive.extractall(f"{work}/unpacked")
            try:
                os.rename(f"{work}/unpacked", home)
            except OSError:
                if not os.path.isdir(home):
                    raise
    return home


def _private_folder() -> str:
    """A folder to which nobody else can write: what lies there gets the passwords."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.environ.get("HOME") or "/nowhere", ".cache")
    shared = os.path.join(os.environ.get("TMPDIR") or "/tmp", f"{_FOLDER}-{os.getuid()}")  # noqa: S108  (looked at below)
    tried = (os.path.join(cache, _FOLDER), shared)
    for folder in tried:
        try:
            os.makedirs(folder, 0o700, exist_ok=True)
            found = os.lstat(folder)
        except OSError:
            continue
        if found.st_uid == os.getuid() and found.st_mode & _LOOKED_AT == _FOLDER_OF_ONE:
            return folder
    sys.exit(f"registry-config: neither {tried[0]} nor {tried[1]} is a folder that only you can write to")


main()
