"""Writes the Dagger CLI's version and the digests of its archives, where the lock has an SDK of another version."""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path
from urllib.request import urlopen

_ROOT = Path(__file__).resolve().parents[1]
_PINS = _ROOT / "src/registry_config/engine/dagger_cli.py"
_ARCHIVE = "https://dl.dagger.io/dagger/releases/{version}/dagger_v{version}_linux_{architecture}.tar.gz"
_TIMEOUT_SECONDS = 300


def main() -> int:
    """Write them; 0."""
    text = _PINS.read_text(encoding="utf-8")
    lock = (_ROOT / "uv.lock").read_text(encoding="utf-8")
    newest = _the(r'^name = "dagger-io"\nversion = "([\d.]+)"$', lock)
    if (pinned := _the(r'^VERSION: Final = "([\d.]+)"$', text)) == newest:
        return 0
    print(f"== the Dagger CLI {pinned} -> {newest}")
    for architecture, digest in re.findall(r'^    "(amd64|arm64)": "([0-9a-f]{64})",$', text, re.MULTILINE):
        url = _ARCHIVE.format(version=newest, architecture=architecture)
        with urlopen(url, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310  (https)
            text = text.replace(digest, hashlib.sha256(response.read()).hexdigest())
    _PINS.write_text(text.replace(pinned, newest), encoding="utf-8")
    return 0


def _the(pattern: str, text: str) -> str:
    (found,) = re.findall(pattern, text, re.MULTILINE)
    return str(found)


if __name__ == "__main__":
    sys.exit(main())
