"""Prints the files of packages that a run in a tool image imports, for scripts/imported.txt.

Paths are relative to the folder of packages. What only this project's development has installed is left out.
"""

from __future__ import annotations

import sys
import sysconfig
from importlib.metadata import packages_distributions
from pathlib import Path

# Imported for what they import: the SDK, what it loads at its first request, and our side of it.
import anyio._backends._asyncio
import dagger
import httpx
import yaml

from registry_config.engine import runner

_USED = (anyio, dagger, runner, yaml)
# Noticed by a package that works without it; of the development's dependencies.
_DEVELOPMENT = ("click",)


def imported_files() -> list[str]:
    """Sorted paths, such as `dagger/__init__.py`."""
    httpx.AsyncHTTPTransport()
    packages = Path(sysconfig.get_path("purelib"))
    distributed = {*packages_distributions()} - {*_DEVELOPMENT}
    files = (Path(getattr(module, "__file__", None) or "/") for module in list(sys.modules.values()))
    relative = (file.relative_to(packages) for file in files if file.suffix == ".py" and file.is_relative_to(packages))
    return sorted(str(file) for file in relative if file.parts[0].removesuffix(".py") in distributed)


if __name__ == "__main__":
    print(*imported_files(), sep="\n")
