"""What is known about the tools: where each looks for credentials, and where that cannot work.

Read in the tools' sources and tried; docs/tools.md has the versions.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Tool(NamedTuple):
    """How one tool finds its credentials.

    Attributes:
        reads: the variables or files it looks at, the first that it prefers first.
        on_host: why it does not work without `image`; empty if it does.
        in_image: why it does not work with `image`; empty if it does.
        remark: what else a user should know.
    """

    reads: str
    on_host: str = ""
    in_image: str = ""
    remark: str = ""


_DOCKER: Final = "DOCKER_CONFIG"
_AUTH_FILE: Final = "REGISTRY_AUTH_FILE, then DOCKER_CONFIG"
_HOME_ONLY: Final = "it reads only the home folder: works in an image, not on the runner"
_DAEMON: Final = "it needs a daemon, which an image does not have"
_PRIVILEGES: Final = "it needs privileges that an image is not given"

TOOLS: Final[dict[str, Tool]] = {
    "apptainer": Tool("~/.docker/config.json", on_host=_HOME_ONLY),
    "buildah": Tool(_AUTH_FILE, in_image=_PRIVILEGES, remark="a wrapper that closes descriptors hides the config"),
    "conftest": Tool(_DOCKER),
    "cosign": Tool(f"{_DOCKER}, then REGISTRY_AUTH_FILE", remark="COSIGN_PASSWORD goes into secret-env"),
    "crane": Tool(f"{_DOCKER}, then REGISTRY_AUTH_FILE"),
    "cue": Tool(_DOCKER, remark="a login of its own for the central registry comes first"),
    "docker": Tool(_DOCKER, in_image=_DAEMON, remark="contexts, plug-ins and builders go on working"),
    "falcoctl": Tool(
        "its own config.json", on_host="it has no way to read ours", in_image="it has no way to read ours"
    ),
    "flux": Tool(_DOCKER),
    "helm": Tool(f"HELM_REGISTRY_CONFIG, then {_DOCKER}", remark="before 3.8.0 the first one only"),
    "ko": Tool(f"{_DOCKER}, then REGISTRY_AUTH_FILE", remark="for ECR, AWS credentials of the environment come first"),
    "nerdctl": Tool(_DOCKER, in_image=_DAEMON),
    "notation": Tool(_DOCKER, remark="a config of its own that holds logins comes first"),
    "oras": Tool(_DOCKER),
    "podman": Tool(_AUTH_FILE, in_image=_PRIVILEGES, remark="a wrapper that closes descriptors hides the config"),
    "regctl": Tool(_DOCKER, remark="logins in ~/.regctl/config.json come first"),
    "skopeo": Tool(_AUTH_FILE),
    "tofu": Tool("~/.docker/config.json", on_host=_HOME_ONLY),
    "trivy": Tool(_DOCKER, remark="a wrong entry for ghcr.io breaks the download of its public database"),
    "zli": Tool("--user", on_host="it has no way to read ours", in_image="it has no way to read ours"),
}


def known_tool(program: str) -> Tool | None:
    """What is known about a program, by its name without folder and major version (`helm4` is helm)."""
    name = program.rpartition("/")[2]
    return TOOLS.get(name) or TOOLS.get(name.rstrip("0123456789"))
