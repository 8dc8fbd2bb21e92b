"""Writes the Dagger CLI's version and the digests of its archives, where the lock has an SDK of another version."""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

_ROOT = Path(__file__).resolve().parents[1]
_PINS = _ROOT / "src/registry_config/engine/dagger_cli.py"
# They name the same version.
_NAMING = (_ROOT / "pyproject.toml", _ROOT / "dagger.json")
_ARCHIVE = "https://dl.dagger.io/dagger/releases/{version}/dagger_v{version}_linux_{architecture}.tar.gz"
_TIMEOUT_SECONDS = 300


def main() -> int:
    """Write them; 1 where an archive cannot be had."""
    text = _PINS.read_text(encoding="utf-8")
    lock = (_ROOT / "uv.lock").read_text(encoding="utf-8")
    newest = _the(r'^name = "dagger-io"\nversion = "([\d.]+)"$', lock)
    if (pinned := _the(r'^VERSION: Final = "([\d.]+)"$', text)) == newest:
        return 0
    print(f"== the Dagger CLI {pinned} -> {newest}")
    for architecture, digest in re.findall(r'^    "(amd64|arm64)": "([0-9a-f]{64})",$', text, re.MULTILINE):
        url = _ARCHIVE.format(version=newest, architecture=architecture)
        try:
            with urlopen(url, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310  (https)
                text = text.replace(digest, hashlib.sha256(response.read()).hexdigest())
        except URLError as error:
            print(f"update: {url}: cannot be fetched ({error.reason}); the CLI stays as it is", file=sys.stderr)
            return 1
    for path, old in ((_PINS, text), *((path, path.read_text(encoding="utf-8")) for path in _NAMING)):
        path.write_text(old.replace(pinned, newest), encoding="utf-8")
    print(
        "== the engine's image in .github/workflows/engine.yml is yours to change: its digest is only in its registry"
    )
    return 0


def _the(pattern: str, text: str) -> str:
    (found,) = re.findall(pattern, text, re.MULTILINE)
    return str(found)


if __name__ == "__main__":
    sys.exit(main())
