"""Tiny artifacts made by hand: an OCI image layout and a helm chart, the same bytes each time."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def oci_layout(folder: Path, *, tag: str = "1", text: str = "hello\n") -> str:
    """Write an image that holds one file into `folder`, an OCI image layout; gives the digest of its manifest."""
    layer = _tar({"hello.txt": text.encode()})
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": _blob(folder, "application/vnd.oci.image.config.v1+json", _json(config)),
        "layers": [_blob(folder, "application/vnd.oci.image.layer.v1.tar+gzip", gzip.compress(layer, mtime=0))],
    }
    described = _blob(folder, _MANIFEST, _json(manifest))
    named = {**described, "annotations": {"org.opencontainers.image.ref.name": tag}}
    (folder / "index.json").write_bytes(_json({"schemaVersion": 2, "manifests": [named]}))
    (folder / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))
    return str(described["digest"])


def layout_digest(folder: Path) -> str:
    """The digest of the one manifest in a layout."""
    (manifest,) = json.loads((folder / "index.json").read_bytes())["manifests"]
    return str(manifest["digest"])


def chart(folder: Path, name: str = "app", version: str = "1.2.3") -> Path:
    """Write a helm chart, packed as helm packs it."""
    files = {
        f"{name}/Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: {version}\n",
        f"{name}/templates/config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\n",
    }
    folder.mkdir(parents=True, exist_ok=True)
    packed = folder / f"{name}-{version}.tgz"
    packed.write_bytes(gzip.compress(_tar({path: text.encode() for path, text in files.items()}), mtime=0))
    return packed


def _blob(folder: Path, media_type: str, data: bytes) -> dict[str, object]:
    digest = _digest(data)
    path = folder / "blobs" / digest.replace(":", "/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return {"mediaType": media_type, "digest": digest, "size": len(data)}


def _tar(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, data in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _json(document: object) -> bytes:
    return json.dumps(document, sort_keys=True).encode()
