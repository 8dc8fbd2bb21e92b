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
import sysconfig
import unicodedata
from contextlib import suppress
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_ROOT = Path(__file__).parents[2]
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  (searched, not written to)
# An encoded document may hold an encoded pair: base64 of a config.json, whose `auth` is base64 again.
_DEPTH = 2
_BASE64_RUN = re.compile(rb"[A-Za-z0-9+/_-]{6,}")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([0-3]?[0-7]{1,2})|(.))", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_PEM_MARKER = re.compile(r"-----(?:BEGIN|END) [A-Z0-9 ]+-----")
# A line of a key that is shorter is no secret by itself.
_PART = 8
# A part of a secret this long is a leak.
_WINDOW = 12
# A word of the fast search: among twelve bytes in a row two such words stand at multiples of it.
_WORD = 4
_COLOURS = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])")


def search(places: Mapping[str, bytes | Path], secret: str, username: str = "") -> list[str]:
    """Every place that holds a form of the secret, each with the first form found there.

    Args:
        places: by the name to report: bytes, or a file or folder, in which names and targets of links count too.
        secret: what must not be found; a secret under 6 bytes counts in a pair with the user only.
        username: its user.
    """
    needles = _Needles(secret, username)
    found = []
    for name, place in places.items():
        for path, data in _contents(place) if isinstance(place, Path) else [("", place)]:
            form = "" if _is_older(path, data) else _form(data, needles)
            if form:
                found.append(f"{name}{path}: {form}")
    return found


@cache
def _own_files() -> frozenset[bytes]:
    files = [_ROOT / "uv.lock", *(path for name in ("src", "scripts") for path in (_ROOT / name).rglob("*.py"))]
    return frozenset(path.read_bytes() for path in files)


def _is_older(path: str, data: bytes) -> bool:
    """Whether it is a file of this project or of a package, copied or installed anew: as it was before any secret."""
    _, folder, name = path.rpartition("/site-packages/")
    with suppress(OSError):
        return data in _own_files() or (bool(folder) and Path(sysconfig.get_path("purelib"), name).read_bytes() == data)
    return False


class _Needles:
    """What must not be found: some texts as a whole, and each twelve bytes in a row of others."""

    def __init__(self, secret: str, username: str) -> None:
        self._whole: set[bytes] = {f"{username}:{secret}".encode()} if username else set()
        self._windows: set[bytes] = set()
        self._words: set[int] = set()
        # A marker, and what it keeps apart, is no part of a secret.
        for text in _PEM_MARKER.split(secret) if len(secret.encode()) >= 6 else []:
            lines = [line.strip() for line in text.splitlines()]
            for part in {text.strip(), "".join(text.split()), *(line for line in lines if len(line) >= _PART)}:
                self._add(part.encode())

    def _add(self, part: bytes) -> None:
        if len(part) < _WINDOW:
            self._whole |= {part} if len(part) >= 6 else set()
            return
        self._windows |= {part[at : at + _WINDOW] for at in range(len(part) - _WINDOW + 1)}
        self._words |= {word for at in range(_WORD) for word in _words(part[at:])}

    def stand_in(self, data: bytes) -> bool:
        """Whether any of it is found."""
        if any(text in data for text in self._whole):
            return True
        words = _words(data)
        if self._words.isdisjoint(words):
            return False
        known = [at for at, word in enumerate(words) if word in self._words]
        places = (first * _WORD for first, second in pairwise(known) if second == first + 1)
        return any(data[at - n : at - n + _WINDOW] in self._windows for at in places for n in range(_WORD) if at >= n)


def _words(data: bytes) -> memoryview:
    return memoryview(data)[: len(data) // _WORD * _WORD].cast("I")


def _form(data: bytes, needles: _Needles) -> str:
    """How the secret stands in `data`; empty where it does not."""
    layer = {data: "plain"}
    seen = {data}
    for _ in range(_DEPTH + 1):
        for text, form in layer.items():
            if needles.stand_in(text):
                return form
        decoded = ((decode(text), name, form) for text, form in layer.items() for name, decode in _DECODERS.items())
        layer = {
            text: name if form == "plain" else f"{name} in {form}" for text, name, form in decoded if text not in seen
        }
        seen.update(layer)
    return ""


def _base64(data: bytes) -> bytes:
    """Every run of base64, of either alphabet, decoded from each of its first four characters on."""
    return b"\0".join(
        base64.b64decode(_whole_groups(run[offset:]))
        for run in _BASE64_RUN.findall(data.translate(_URL_SAFE))
        for offset in range(4)
    )


def _whole_groups(run: bytes) -> bytes:
    run = run[:-1] if len(run) % 4 == 1 else run
    return run + b"=" * (-len(run) % 4)


def _unescape(data: bytes, *, characters: bool = False) -> bytes:
    """Backslash escapes as JSON, C and Python write them; with `characters` `\\xE9` is one, and no byte."""

    def replace(match: re.Match[bytes]) -> bytes:
        unit, character, byte, octal, sign = match.groups()
        if unit:
            return chr(int(unit, 16)).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
        if character or (byte and characters):
            return chr(min(int(character or byte, 16), 0x10FFFF)).encode("utf-8", "replace")
        if byte or octal:
            return bytes([int(byte, 16) if byte else int(octal, 8)])
        return _ESCAPED.get(sign, sign)

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
    "escaped characters": lambda data: _unescape(data, characters=True),
    "html": _html,
    "shell": lambda data: data.replace(b"'\"'\"'", b"'").replace(b"'\\''", b"'"),
    "doubled quotation marks": lambda data: data.replace(b"''", b"'").replace(b'""', b'"'),
    "wrapped": lambda data: re.sub(rb"\s+", b"", data),
    "dumped": lambda data: re.sub(rb"\r?\n[0-9a-f]{4,8}: ", b"", data),
    "coloured": lambda data: _COLOURS.sub(b"", data),
    "Latin-1": lambda data: data.decode("latin-1").encode(),
    "composed": lambda data: unicodedata.normalize("NFC", data.decode("utf-8", "replace")).encode(),
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
