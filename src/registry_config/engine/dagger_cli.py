"""Finds the Dagger CLI, or fetches it once, checked against digests that stand here, now and before each later use.

The SDK can fetch it too, but takes the checksums from the same place as the file, and looks at them once. What is
published are digests of archives, so the archive is kept, and each time the program is compared with what is in it.
"""

from __future__ import annotations

import hashlib
import io
import os
import platform
import stat
import tarfile
import tempfile
import zlib

from registry_config.errors import UnavailableError
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION: Final = "0.21.8"
_RELEASES: Final = "https://dl.dagger.io/dagger/releases"
# SHA-256 of dagger_v0.21.8_linux_*.tar.gz.
_DIGESTS: Final = {
    "amd64": "53e226c7da8fb75171e58c35759d736d961ce8b3a12db0baa7b7107954fccc5a",
    "arm64": "cd0df4885f2050082932b4abc5a6aad9a733f6aa4e7d8474740558517ffec4af",
}
_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
_PLACE: Final = "Dagger CLI"
_REMEDY: Final = "allow the download, or name one in _EXPERIMENTAL_DAGGER_CLI_BIN"
_TIMEOUT_SECONDS: Final = 30
_MOST_BYTES: Final = 256 * 1024 * 1024
_OTHERS_MAY_WRITE: Final = 0o022
# What is compared at once. Between two pieces another thread may have its turn.
_CHUNK: Final = 4 * 1024 * 1024
# RFC 1952, as zlib asks for it.
_GZIP: Final = 16 + zlib.MAX_WBITS


def find_cli(environ: Mapping[str, str]) -> str:
    """Path of the CLI: the one that the environment names, which is the user's own, or that of the release we know.

    Raises:
        UnavailableError: it cannot be fetched, is not what was expected, or others can write to its folder.
    """
    if named := environ.get("_EXPERIMENTAL_DAGGER_CLI_BIN"):
        return named
    architecture = _ARCHITECTURES.get(platform.machine(), "")
    if architecture not in _DIGESTS or platform.system() != "Linux":
        raise UnavailableError(_PLACE, f"none is known for {platform.system()} on {platform.machine()}", _REMEDY)
    cache = environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = os.path.join(cache, "registry-config", f"dagger-{VERSION}")
    url = f"{_RELEASES}/{VERSION}/dagger_v{VERSION}_linux_{architecture}.tar.gz"
    need_program(url, _DIGESTS[architecture], path)
    return path


def need_program(url: str, digest: str, path: str) -> None:
    """See to it that the member `dagger` of an archive lies at `path`, as it is in the archive.

    Args:
        url: of the archive, a gzipped tar file; fetched where the one beside `path` is not there, or another.
        digest: hexadecimal SHA-256 of the archive.
        path: where the program is to be.

    Raises:
        UnavailableError: it cannot be had, has another digest, or others can write to its folder.
    """
    try:
        _need_own_folder(os.path.dirname(path))
        archive = f"{path}.tar.gz"
        data = _content(archive)
        if hashlib.sha256(data).hexdigest() != digest:
            data = _fetch(url)
            if hashlib.sha256(data).hexdigest() != digest:
                raise UnavailableError(_PLACE, "what was downloaded is not the release that we know", _REMEDY)
            _write(archive, data, 0o600)
        program = _unpacked(data)
        if not _holds(path, program):
            _write(path, program, 0o700)
    except (OSError, tarfile.TarError, zlib.error, KeyError) as error:
        reason = getattr(error, "reason", error)
        raise UnavailableError(_PLACE, f"cannot be fetched ({reason})", _REMEDY) from None


def _need_own_folder(folder: str) -> None:
    os.makedirs(folder, mode=0o700, exist_ok=True)
    status = os.lstat(folder)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & _OTHERS_MAY_WRITE:
        raise UnavailableError(_PLACE, f"{folder} is not a folder that only this user can write to", "remove it")


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_MOST_BYTES)
    except OSError:
        return b""


def _fetch(url: str) -> bytes:
    from http.client import HTTPException  # noqa: PLC0415
    from urllib.error import HTTPError  # noqa: PLC0415
    from urllib.request import urlopen  # noqa: PLC0415  (as long as a start; needed once a machine)

    try:
        with urlopen(url, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310  (https)
            return bytes(response.read(_MOST_BYTES))
    except HTTPError as error:
        error.close()
        raise UnavailableError(_PLACE, f"cannot be fetched ({error})", _REMEDY) from None
    except HTTPException:
        raise UnavailableError(_PLACE, "cannot be fetched (the answer is not HTTP)", _REMEDY) from None


def _unpacked(data: bytes) -> memoryview:
    """The program in an archive that we know."""
    # At once: piece by piece, as tarfile does it, would take twice as long.
    content = zlib.decompress(data, _GZIP)
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as tar:
        member = tar.getmember("dagger")
    return memoryview(content)[member.offset_data : member.offset_data + member.size]


def _holds(path: str, program: memoryview) -> bool:
    """Whether a file is this program, and nobody else can write to it."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0) as file:
            status = os.fstat(file.fileno())
            is_ours = status.st_uid == os.geteuid() and not status.st_mode & _OTHERS_MAY_WRITE
            if not is_ours or not os.access(path, os.X_OK) or status.st_size != len(program):
                return False
            chunks = (program[at : at + _CHUNK] for at in range(0, len(program), _CHUNK))
            return all(file.read(len(chunk)) == chunk.tobytes() for chunk in chunks)
    except OSError:
        return False


def _write(path: str, data: bytes | memoryview, mode: int) -> None:
    """Write a file at once and whole."""
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as work:
        draft = os.path.join(work, "draft")
        with open(draft, "wb") as file:
            file.write(data)
        os.chmod(draft, mode)
        os.replace(draft, path)
