"""Finds a secret in whatever form it stands.

It decodes what it searches instead of encoding what it looks for, and shares nothing with the package: an error in
the package's table of forms shows here.
"""

from __future__ import annotations

import base64
import html
import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  (searched, not written to)
# An encoded document may hold an encoded pair: base64 of a config.json, whose `auth` is base64 again.
_DEPTH = 2
_BASE64_RUN = re.compile(rb"[A-Za-z0-9+/_-]{6,}")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_PEM_MARKER = re.compile(r"-----(BEGIN|END) [A-Z0-9 ]+-----")
# A shorter part of a secret, at its cut ends or as a line of a key, is none by itself.
_PART = 8


def search(places: Mapping[str, bytes | Path], secret: str, username: str = "") -> list[str]:
    """Every place that holds a form of the secret, each with the first form found there.

    Args:
        places: by the name to report: bytes, or a file or folder, in which names and targets of links count too.
        secret: what must not be found; a secret under 6 bytes counts in a pair with the user only.
        username: its user.
    """
    needles = _needles(secret, username)
    found = []
    for name, place in places.items():
        for path, data in _contents(place) if isinstance(place, Path) else [("", place)]:
            form = _form(data, needles)
            if form:
                found.append(f"{name}{path}: {form}")
    return found


def _needles(secret: str, username: str) -> list[bytes]:
    whole = secret.encode()
    needles = {f"{username}:{secret}".encode()} if username else set()
    if len(whole) >= 6:
        # Base64 groups cut at either end lose up to two bytes.
        needles.add(whole[2:-2] if len(whole) >= _PART + 4 else whole)
        lines = [line.strip() for line in secret.splitlines()]
        needles |= {line.encode() for line in lines if len(line) >= _PART and not _PEM_MARKER.fullmatch(line)}
    return sorted(needles)


def _form(data: bytes, needles: list[bytes]) -> str:
    """How the secret stands in `data`; empty where it does not."""
    layer = {data: "plain"}
    seen = {data}
    for _ in range(_DEPTH + 1):
        for text, form in layer.items():
            if any(needle in text for needle in needles):
                return form
        decoded = ((decode(text), name, form) for text, form in layer.items() for name, decode in _DECODERS.items())
        layer = {
            text: name if form == "plain" else f"{name} in {form}" for text, name, form in decoded if text not in seen
        }
        seen.update(layer)
    return ""


def _base64(data: bytes) -> bytes:
    """Every run of base64, of either alphabet, decoded from each of its first four signs on."""
    return b"\0".join(
        base64.b64decode(_whole_groups(run[offset:]))
        for run in _BASE64_RUN.findall(data.translate(_URL_SAFE))
        for offset in range(4)
    )


def _whole_groups(run: bytes) -> bytes:
    run = run[:-1] if len(run) % 4 == 1 else run
    return run + b"=" * (-len(run) % 4)


def _unescape(data: bytes) -> bytes:
    """Backslash escapes as JSON, C and Python write them."""

    def replace(match: re.Match[bytes]) -> bytes:
        unit, byte, sign = match.groups()
        if unit:
            return chr(int(unit, 16)).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
        return bytes([int(byte, 16)]) if byte else _ESCAPED.get(sign, sign)

    pairs = re.compile(rb"\\u(d[89ab]..)\\u(d[c-f]..)", re.IGNORECASE)
    joined = pairs.sub(
        lambda m: (
            (int(m[1], 16).to_bytes(2, "little") + int(m[2], 16).to_bytes(2, "little"))
            .decode("utf-16-le", "replace")
            .encode()
        ),
        data,
    )
    return _ESCAPE.sub(replace, joined)


def _html(data: bytes) -> bytes:
    return html.unescape(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogatepass")


_DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "base64": _base64,
    "percent": unquote_to_bytes,
    "form": lambda data: unquote_to_bytes(data.replace(b"+", b" ")),
    "escaped": _unescape,
    "html": _html,
    "shell": lambda data: data.replace(b"'\"'\"'", b"'").replace(b"'\\''", b"'"),
    "wrapped": lambda data: re.sub(rb"\s+", b"", data),
}


def _contents(root: Path) -> Iterator[tuple[str, bytes]]:
    """Each file, link and name below `root`, links not followed."""
    if not root.is_dir() or root.is_symlink():
        yield from _content("", root)
        return
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder, name)
            relative = f"/{path.relative_to(root)}"
            yield f"{relative} (name)", os.fsencode(name)
            yield from _content(relative, path)


def _content(name: str, path: Path) -> Iterator[tuple[str, bytes]]:
    with suppress(OSError):  # gone meanwhile
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            yield f"{name} (link)", os.fsencode(path.readlink())
        elif stat.S_ISREG(mode):
            yield name, path.read_bytes()
