"""What `registry-config check` says of a declaration, an image and a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from registry_config.cli.check import check, describe, to_document
from registry_config.declaration.inputs import Inputs, Origin
from registry_config.errors import InputError, ProgramNotFoundError
from registry_config.observer import retries_only
from registry_config.tools.table import TOOLS, known_tool
from support.tables import table

if TYPE_CHECKING:
    from pathlib import Path

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


_ENVIRON = {"A": "password-of-a", "PATH": "bin"}
_ORIGIN = Origin(actor="octocat")
_SILENT = retries_only(lambda _: None)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "b").write_text("password-of-b")
    (tmp_path / "chart.tgz").touch()
    (tmp_path / "bin").mkdir()
    for name in ("helm", "helm4", "oras", "tofu", "my-tool", "cat"):
        (tmp_path / "bin" / name).touch(0o755)
    monkeypatch.chdir(tmp_path)


def _inputs(image: str = "", *argv: str) -> Inputs:
    return Inputs(registries=_LIST, github_token="token-of-the-job", image=image, argv=argv or None)


def _said(image: str = "", *argv: str) -> list[str]:
    return list(describe(check(_inputs(image, *argv), _ORIGIN, _ENVIRON, _SILENT)))


def test_each_entry_is_told_without_its_password() -> None:
    said = _said()
    assert said[:6] == [
        "docker.io",
        "  declared   registries[0] (line 1)",
        "  user       hub",
        "  password   written in the list; password-env keeps it out of there",
        "  used for   pulling the tool image and the command",
        "  keys       https://index.docker.io/v1/ docker.io index.docker.io registry-1.docker.io",
    ]
    assert said[6:9] == ["ghcr.io", "  declared   registries[1] (line 4)", "  user       that of GITHUB_ACTOR"]
    assert "quay.io/org-a" in said
    assert "canary" not in "\n".join(said)


@table(
    "keys, user",
    {
        "a helper": ("credential-helper: ecr-login", "given by the helper"),
        "a provider": (
            "provider: aws\n  role-to-assume: arn:aws:iam::123456789012:role/push",
            "given by the provider",
        ),
        "a provider with a user": ("provider: quay\n  username: org+robot", "org+robot"),
    },
)
def test_the_user_of_an_entry_without_a_password_is_not_taken_for_the_actor(keys: str, user: str) -> None:
    host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com" if "aws" in keys else "quay.io"
    inputs = Inputs(registries=f"- registry: {host}\n  {keys}\n")
    origin = _ORIGIN._replace(id_tokens=("https://token.example.com", "right-to-get-tokens"))
    assert f"  user       {user}" in describe(check(inputs, origin, _ENVIRON, _SILENT))


def test_a_credential_helper_that_is_not_there_is_warned_of(tmp_path: Path) -> None:
    inputs = Inputs(registries="- registry: a.example\n  credential-helper: ecr-login\n")
    warning = (
        "warning: registries[0] (line 1): the credential helper that it names is not on PATH; "
        "install docker-credential-NAME there"
    )
    environ = {"PATH": str(tmp_path / "bin")}
    origin = _ORIGIN._replace(workspace=str(tmp_path / "work"))
    said = [*describe(check(inputs, origin, environ, _SILENT))]
    # A password may have slipped to that key.
    assert (warning in said, "ecr-login" in "".join(said)) == (True, False)
    (tmp_path / "bin/docker-credential-ecr-login").touch(0o755)
    assert warning not in describe(check(inputs, origin, environ, _SILENT))


def test_an_empty_list_is_told() -> None:
    assert (
        next(describe(check(Inputs(registries="[]"), _ORIGIN, {}, _SILENT)))
        == "no registries: the config holds no login"
    )


@table(
    "image, argv, line",
    {
        "the host": ("", (), "  in memory; DOCKER_CONFIG REGISTRY_AUTH_FILE HELM_REGISTRY_CONFIG lead to it"),
        "an image": ("x:1", (), "  /run/oci-auth/config.json and $HOME/.docker/config.json, mounted read-only"),
        "a tool": ("", ("./bin/helm", "push"), "  helm reads HELM_REGISTRY_CONFIG, then DOCKER_CONFIG"),
        "its major version": ("", ("helm4",), "  helm4 reads HELM_REGISTRY_CONFIG, then DOCKER_CONFIG"),
        "not on the host": (
            "",
            ("tofu", "init"),
            "  will not work: it reads only the home folder: works in an image, not outside of one",
        ),
        "not in an image": ("x:1", ("docker",), "  will not work: it needs a daemon, which an image does not have"),
        "unknown": ("", ("my-tool",), "  nothing is known about this program; most read DOCKER_CONFIG"),
        "the credential that fits": ("", ("oras", "push", "quay.io/org-b/x:1"), "  docker.io, ghcr.io, quay.io/org-b"),
    },
)
def test_what_matters_to_the_run_is_told(image: str, argv: tuple[str, ...], line: str) -> None:
    assert line in _said(image, *argv)


def test_what_would_run_is_told_with_targets_and_patterns_in_place() -> None:
    inputs = _inputs("", "helm", "push", "{target}")._replace(targets=("x/1", "y/2"))
    said = list(describe(check(inputs, _ORIGIN, _ENVIRON, _SILENT)))
    assert ("  helm push x/1" in said, "  helm push y/2" in said) == (True, True)
    inputs = _inputs()._replace(command="helm push *.tgz oci://ghcr.io/org\ncat made-by-helm*")
    assert to_document(check(inputs, _ORIGIN, _ENVIRON, _SILENT))["commands"] == [
        {"command": "helm push chart.tgz oci://ghcr.io/org", "registries": ["docker.io", "ghcr.io"]},
        {"command": "cat 'made-by-helm*'", "registries": ["docker.io", "ghcr.io"]},
    ]


def test_a_pattern_that_no_file_matches_is_refused_as_in_a_run() -> None:
    with pytest.raises(InputError, match="no file in the working directory matches"):
        check(_inputs()._replace(command="helm push *.zip"), _ORIGIN, _ENVIRON, _SILENT)


def test_a_program_that_is_not_there_is_refused_unless_something_before_may_bring_it() -> None:
    checked = check(_inputs("", "absent", "quay.io/org-b/x:1")._replace(verify="login"), _ORIGIN, _ENVIRON, _SILENT)
    assert isinstance(checked.refusal, ProgramNotFoundError)
    # What the job's own machine would do is told all the same; no registry is asked.
    assert ("  docker.io, ghcr.io, quay.io/org-b" in describe(checked), checked.rows) == (True, ())
    checked = check(_inputs()._replace(command="helm push a\nabsent b"), _ORIGIN, _ENVIRON, _SILENT)
    assert isinstance(checked.refusal, ProgramNotFoundError)
    checked = check(_inputs()._replace(command="my-tool install absent\nabsent b"), _ORIGIN, _ENVIRON, _SILENT)
    warning = "absent: no such program on this machine yet; a command before it has to install it"
    assert checked.warnings[-1] == warning


def test_a_working_directory_that_is_not_there_is_refused_as_in_a_run() -> None:
    inputs = _inputs("", "true")._replace(working_directory="no-such")
    with pytest.raises(InputError, match="working-directory: is not a folder that exists"):
        check(inputs, _ORIGIN, _ENVIRON, _SILENT)


def test_tofu_in_an_image_is_not_warned_of() -> None:
    assert not any("will not work" in line for line in _said("x:1", "tofu"))


def test_a_command_that_two_credentials_fit_is_refused() -> None:
    with pytest.raises(InputError, match="several credentials for"):
        _said("", "oras", "cp", "quay.io/org-a/x", "quay.io/org-b/x")


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_every_tool_is_found_by_its_name(name: str) -> None:
    assert known_tool(f"/opt/bin/{name}") is TOOLS[name]
