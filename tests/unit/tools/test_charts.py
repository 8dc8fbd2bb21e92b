"""Name and version of packed charts, and of archives that are none."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from registry_config.tools.charts import chart_tag
from support.artifacts import chart
from support.tables import table

if TYPE_CHECKING:
    from pathlib import Path


def _packed(*entries: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in entries:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


_YAML = b"apiVersion: v2\nname: app\nversion: 1.2.3\n"


def test_a_chart_as_helm_packs_it(tmp_path: Path) -> None:
    assert chart_tag(chart(tmp_path, "my-app", "0.1.0-rc.1+build.5").read_bytes()) == ("my-app", "0.1.0-rc.1_build.5")


@table(
    "entries",
    {
        "a subchart before it": [
            ("app/charts/sub/Chart.yaml", b"name: sub\nversion: 9.9.9\n"),
            ("app/Chart.yaml", _YAML),
        ],
        "with a dot before it": [("./app/Chart.yaml", _YAML)],
        "something large before it": [("app/values.yaml", bytes(3 * 1024 * 1024)), ("app/Chart.yaml", _YAML)],
    },
)
def test_the_chart_s_own_file_is_read(entries: list[tuple[str, bytes]]) -> None:
    assert chart_tag(_packed(*entries)) == ("app", "1.2.3")


@table(
    "archive",
    {
        "empty": b"",
        "no archive": b"name: app\nversion: 1.2.3\n",
        "cut short": _packed(("app/Chart.yaml", _YAML))[:60],
        "no Chart.yaml": _packed(("app/values.yaml", _YAML)),
        "at the top": _packed(("Chart.yaml", _YAML)),
        "too large": _packed(("app/Chart.yaml", _YAML + b"#" * 1024 * 1024)),
        "no YAML": _packed(("app/Chart.yaml", b"name: [")),
        "a list": _packed(("app/Chart.yaml", b"- name: app")),
        "an empty name": _packed(("app/Chart.yaml", b"name: ''\nversion: 1.2.3\n")),
        "no version": _packed(("app/Chart.yaml", b"name: app\n")),
        "a number": _packed(("app/Chart.yaml", b"name: app\nversion: 1.2\n")),
        "deep": _packed(("app/Chart.yaml", b"[" * 100_000)),
        "unpacks to more than helm takes": _packed(
            ("app/values.yaml", bytes(101 * 1024 * 1024)), ("app/Chart.yaml", _YAML)
        ),
    },
)
def test_what_is_no_chart_is_refused(archive: bytes) -> None:
    with pytest.raises(ValueError, match=r"^(is no|has no)"):
        chart_tag(archive)


def test_a_link_is_not_followed() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo("app/Chart.yaml")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(entry)
    with pytest.raises(ValueError, match="has no Chart"):
        chart_tag(buffer.getvalue())
