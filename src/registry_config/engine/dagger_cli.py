"""Finds the Dagger CLI, or fetches it once, checked against digests that stand here.

The SDK can fetch it too, but takes the checksums from the same place as the file.
"""

from __future__ import annotations

import hashlib
import os
import platform
import stat
import tarfile
import tempfile
from typing import TYPE_CHECKING, Final

from registry_config.errors import UnavailableError

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
_REMEDY: Final = "allow the download, or name one by _EXPERIMENTAL_DAGGER_CLI_BIN"
_TIMEOUT_SECONDS: Final = 30
_OTHERS_MAY_WRITE: Final = 0o022


def find_cli(environ: Mapping[str, str]) -> str:
    """Path of the CLI: the one that the environment names, one fetched before, or one fetched now.

    Raises:
        UnavailableError: it cannot be fetched, or is not what was expected.
    """
    if named := environ.get("_EXPERIMENTAL_DAGGER_CLI_BIN"):
        return named
    architecture = _ARCHITECTURES.get(platform.machine(), "")
    if architecture not in _DIGESTS or platform.system() != "Linux":
        raise UnavailableError(_PLACE, f"none is known for {platform.system()} on {platform.machine()}", _REMEDY)
    cache = environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = os.path.join(cache, "registry-config", f"dagger-{VERSION}")
    if not _is_ours_alone(path):
        fetch(f"{_RELEASES}/{VERSION}/dagger_v{VERSION}_linux_{architecture}.tar.gz", _DIGESTS[architecture], path)
    return path


def _is_ours_alone(path: str) -> bool:
    """Whether a program fetched before is there, and nobody else can have written it or its folder."""
    try:
        program, folder = os.lstat(path), os.lstat(os.path.dirname(path))
    except OSError:
        return False
    ours = all(one.st_uid == os.geteuid() and not one.st_mode & _OTHERS_MAY_WRITE for one in (program, folder))
    return ours and stat.S_ISREG(program.st_mode)


def fetch(url: str, digest: str, path: str) -> None:
    """Download an archive and put its member `dagger` at `path`, at once and whole.

    Args:
        url: of the archive, a gzipped tar file.
        digest: hexadecimal SHA-256 of the archive.
        path: where the program is to be.

    Raises:
        UnavailableError: it cannot be had, or has another digest.
    """
    from urllib.error import HTTPError  # noqa: PLC0415
    from urllib.request import urlopen  # noqa: PLC0415  (as long as a start; needed once a machine)

    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as work:
            archive = os.path.join(work, "archive")
            with urlopen(url, timeout=_TIMEOUT_SECONDS) as response, open(archive, "wb") as file:  # noqa: S310  (https)
                sum_ = hashlib.sha256()
                while chunk := response.read(1024 * 1024):
                    sum_.update(chunk)
                    file.write(chunk)
            if sum_.hexdigest() != digest:
                raise UnavailableError(_PLACE, "what was downloaded is not the release that we know", _REMEDY)
            with tarfile.open(archive) as tar:
                tar.extract("dagger", work)
            os.chmod(os.path.join(work, "dagger"), 0o700)
            os.replace(os.path.join(work, "dagger"), path)
    except HTTPError as error:
        error.close()
        raise UnavailableError(_PLACE, f"cannot be fetched ({error})", _REMEDY) from None
    except (OSError, tarfile.TarError, KeyError) as error:
        reason = getattr(error, "reason", error)
        raise UnavailableError(_PLACE, f"cannot be fetched ({reason})", _REMEDY) from None
