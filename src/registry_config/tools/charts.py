"""Name and version of a packed Helm chart; the archive is read and never unpacked."""

from __future__ import annotations

import io
import tarfile
import zlib

import yaml

from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Buffer

# Helm takes no larger ones: `MaxDecompressedChartSize` of helm 4's pkg/chart/loader/archive.
_MAX_UNPACKED: Final = 100 * 1024 * 1024
MAX_ARCHIVE: Final = 20 * 1024 * 1024
_MAX_CHART_YAML: Final = 1024 * 1024
_MAX_ENTRIES: Final = 10_000


def chart_tag(archive: bytes) -> tuple[str, str]:
    """The chart's name, and its version as a tag (`+` is `_` there, see helm's `pkg/registry`).

    Raises:
        ValueError: it is no packed chart, or a larger one than helm takes.
    """
    try:
        document = yaml.safe_load(_chart_yaml(archive))
        name, version = document["name"], document["version"]
    except (
        tarfile.TarError,
        yaml.YAMLError,
        EOFError,
        OSError,
        zlib.error,
        LookupError,
        TypeError,
        RecursionError,
    ) as error:
        raise ValueError("is no packed chart") from error
    if not (isinstance(name, str) and name and isinstance(version, str)):
        raise ValueError("has no name and version that are texts")
    return name, version.replace("+", "_")


def _chart_yaml(archive: bytes) -> bytes:
    # As a stream: nothing is kept of the entries before it.
    with tarfile.open(fileobj=io.BufferedReader(_Gunzip(archive)), mode="r|") as entries:
        for entry in _first(entries):
            folder, _, file = entry.name.removeprefix("./").partition("/")
            if folder and file == "Chart.yaml" and entry.isfile() and entry.size <= _MAX_CHART_YAML:
                opened = entries.extractfile(entry)
                return opened.read(_MAX_CHART_YAML) if opened else b""
    raise ValueError("has no Chart.yaml")


def _first(entries: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for number, entry in enumerate(entries):
        if number >= _MAX_ENTRIES:
            return
        yield entry


class _Gunzip(io.RawIOBase):
    """Gives at most so much as helm itself would unpack."""

    def __init__(self, packed: bytes) -> None:
        self._packed = packed
        self._unpacker = zlib.decompressobj(wbits=31)
        self._total = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer).cast("B")
        data = self._unpacker.decompress(self._packed, len(view))
        self._packed = self._unpacker.unconsumed_tail
        self._total += len(data)
        if self._total > _MAX_UNPACKED:
            raise OSError("unpacks to more than helm takes")
        view[: len(data)] = data
        return len(data)
