"""What a tool stores beside its config is in the user's own folder afterwards; a login never is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from registry_config.host.config_folder import ConfigFolder
from registry_config.host.stored_files import bring_back
from support.tables import table

_SECRET = b"a-secret-of-some-length"


@pytest.fixture
def folder(tmp_path: Path) -> ConfigFolder:
    path = tmp_path / "folder"
    path.mkdir()
    (path / "config.json").symlink_to("/proc/1/fd/200")
    (path / "contexts").symlink_to("/own/contexts")
    return ConfigFolder(str(path), -1, frozenset((".user", "config.json", "inherited.json", "contexts")))


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "home/.docker"


def _bring(folder: ConfigFolder, own: Path) -> list[str]:
    bring_back(folder.path, folder.links, str(own), lambda data: _SECRET in data)
    return sorted(str(path.relative_to(own)) for path in own.rglob("*")) if own.exists() else []


def test_nothing_new_makes_no_folder(folder: ConfigFolder, own: Path) -> None:
    assert _bring(folder, own) == []
    assert not own.exists()


def test_files_and_folders_come_back_with_their_modes(folder: ConfigFolder, own: Path) -> None:
    below = Path(folder.path, "manifests/registry.example.com_app-1")
    below.mkdir(parents=True)
    (below / "manifest").write_text("{}")
    Path(folder.path, "trust").mkdir(0o700)
    plugin = Path(folder.path, "cli-plugins/docker-hello")
    plugin.parent.mkdir()
    plugin.write_text("#!/bin/sh\n")
    plugin.chmod(0o755)
    Path(folder.path, ".token_seed").write_text("seed")
    assert _bring(folder, own) == [
        ".token_seed",
        "cli-plugins",
        "cli-plugins/docker-hello",
        "manifests",
        "manifests/registry.example.com_app-1",
        "manifests/registry.example.com_app-1/manifest",
        "trust",
    ]
    assert (own / "cli-plugins/docker-hello").stat().st_mode & 0o777 == 0o755
    assert (own / "trust").stat().st_mode & 0o777 == 0o700


@table(
    "name, text",
    {
        "the config replaced": ("config.json", b"{}"),
        "its draft": ("config.json123", b"{}"),
        "an auth file": ("auth.json", b"{}"),
        "a config below": ("more/config.json", b"{}"),
        "a secret": ("notes", b"x" + _SECRET),
        "another login": ("notes", b'{"auths": {}}'),
    },
)
def test_a_login_does_not(folder: ConfigFolder, own: Path, name: str, text: bytes) -> None:
    path = Path(folder.path, name)
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(text)
    assert [name for name in _bring(folder, own) if name != "more"] == []


def test_a_secret_in_a_name_or_a_link_stays_behind(folder: ConfigFolder, own: Path) -> None:
    name = _SECRET.decode()
    Path(folder.path, name).write_text("x")
    Path(folder.path, f"more/x-{name}").mkdir(parents=True)
    os.symlink(f"/elsewhere/{name}", f"{folder.path}/link")
    assert _bring(folder, own) == ["more"]


def test_links_come_back_where_they_lead_elsewhere(folder: ConfigFolder, own: Path) -> None:
    Path(folder.path, "plugins").mkdir()
    for name, target in {"a": "/usr/bin/env", "b": "/proc/self/fd/200", "c": f"{folder.path}/plugins/a"}.items():
        os.symlink(target, f"{folder.path}/plugins/{name}")
    os.mkfifo(f"{folder.path}/pipe")
    assert _bring(folder, own) == ["plugins", "plugins/a"]


def test_what_is_there_meanwhile_is_replaced_as_a_whole(folder: ConfigFolder, own: Path) -> None:
    (own / "manifests").mkdir(parents=True)
    (own / "manifests/other").write_text("other")
    (own / "manifests/one").write_text("old")
    Path(folder.path, "manifests").mkdir()
    Path(folder.path, "manifests/one").write_text("new")
    _bring(folder, own)
    assert sorted(path.name for path in (own / "manifests").iterdir()) == ["one", "other"]
    assert (own / "manifests/one").read_text() == "new"
