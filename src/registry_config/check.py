"""What a declaration means, said before anything runs: reads no password, asks no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from registry_config.docker_config import config_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from registry_config.registries import Declaration

_SOURCES = {
    "password": "written in the declaration; GitHub can have masked it only if it came from a secret",
    "password-env": "from a variable of the environment",
    "password-file": "from a file",
    "github-token": "the job's own token",
}


def describe(declarations: tuple[Declaration, ...]) -> Iterator[str]:
    """Lines that say what is declared, which keys are written, and where tools will look."""
    if not declarations:
        yield "no registries: the config holds no login"
    for declaration in declarations:
        yield f"{declaration.host}/{declaration.path}" if declaration.path else declaration.host
        yield f"  declared   {declaration.place()}"
        yield f"  user       {declaration.username or 'github.actor'}"
        yield f"  password   {_SOURCES[declaration.source.kind]}"
        yield f"  used for   {' and '.join(_uses(declaration))}"
        yield f"  keys       {' '.join(config_keys(declaration.host))}"
    yield "tools look in"
    yield "  DOCKER_CONFIG/config.json    docker, crane, cosign, oras, regctl, flux, ko, notation, helm"
    yield "  HELM_REGISTRY_CONFIG         helm"
    yield "  REGISTRY_AUTH_FILE           skopeo, podman, buildah"
    yield "not promised"
    yield "  other processes of the same user can read our memory; swap; what a tool writes itself"


def _uses(declaration: Declaration) -> Iterator[str]:
    if "image" in declaration.purposes:
        yield "pulling the tool image"
    if "command" in declaration.purposes:
        yield "the command"
