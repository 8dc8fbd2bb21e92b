"""What `registry-config check` says of a declaration, an image and a command."""

from __future__ import annotations

import pytest

from registry_config.cli.check import describe
from registry_config.declaration.registries import parse_registries
from registry_config.errors import InputError
from registry_config.tools.table import TOOLS, known_tool
from support.tables import table

_LIST = """\
- registry: docker.io
  username: hub
  password: canary-of-the-check
- registry: ghcr.io
- registry: quay.io/org-a
  username: a
  password-env: A
  for: command
- registry: quay.io/org-b
  username: b
  password-file: b
"""


def _said(image: str = "", *argv: str) -> list[str]:
    return list(describe(parse_registries(_LIST), image, argv or None))


def test_each_entry_is_told_without_its_password() -> None:
    said = _said()
    assert said[:6] == [
        "docker.io",
        "  declared   registries[0] (line 1)",
        "  user       hub",
        "  password   written here: the runner shows it unless it is a registered secret; password-env is safer",
        "  used for   pulling the tool image and the command",
        "  keys       https://index.docker.io/v1/ docker.io index.docker.io registry-1.docker.io",
    ]
    assert said[6:9] == ["ghcr.io", "  declared   registries[1] (line 4)", "  user       github.actor"]
    assert "quay.io/org-a" in said
    assert "canary" not in "\n".join(said)


def test_an_empty_list_is_told() -> None:
    assert next(iter(describe(()))) == "no registries: the config holds no login"


@table(
    "image, argv, line",
    {
        "the host": ("", (), "  in memory; DOCKER_CONFIG, REGISTRY_AUTH_FILE and HELM_REGISTRY_CONFIG lead to it"),
        "an image": ("x:1", (), "  /run/oci-auth/config.json and $HOME/.docker/config.json, mounted read-only"),
        "a tool": ("", ("/usr/bin/helm", "push"), "  helm reads HELM_REGISTRY_CONFIG, then DOCKER_CONFIG"),
        "its major version": ("", ("helm4",), "  helm4 reads HELM_REGISTRY_CONFIG, then DOCKER_CONFIG"),
        "not on the host": (
            "",
            ("tofu", "init"),
            "  will not work: it reads only the home folder: works in an image, not on the runner",
        ),
        "not in an image": ("x:1", ("docker",), "  will not work: it needs a daemon, which an image does not have"),
        "unknown": ("", ("my-tool",), "  nothing is known about this program; most read DOCKER_CONFIG"),
        "the credential that fits": ("", ("oras", "push", "quay.io/org-b/x:1"), "  docker.io, ghcr.io, quay.io/org-b"),
    },
)
def test_what_matters_to_the_run_is_told(image: str, argv: tuple[str, ...], line: str) -> None:
    assert line in _said(image, *argv)


def test_tofu_in_an_image_is_not_warned_of() -> None:
    assert not any("will not work" in line for line in _said("x:1", "tofu"))


def test_a_command_that_two_credentials_fit_is_refused() -> None:
    with pytest.raises(InputError, match="several credentials for"):
        _said("", "oras", "cp", "quay.io/org-a/x", "quay.io/org-b/x")


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_every_tool_is_found_by_its_name(name: str) -> None:
    assert known_tool(f"/opt/bin/{name}") is TOOLS[name]
