"""What GitHub says of the run: who started it, by which event, and whether it gets secrets."""

from __future__ import annotations

import json

from registry_config.declaration.inputs import ID_TOKEN_VARIABLES, Origin
from registry_config.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def read_origin(environ: Mapping[str, str]) -> Origin:
    """The facts of the environment and of the event's file; empty outside of GitHub."""
    actor = environ.get("GITHUB_ACTOR", "")
    return Origin(
        actor=actor,
        server=environ.get("GITHUB_SERVER_URL", ""),
        event=environ.get("GITHUB_EVENT_NAME", ""),
        workspace=environ.get("GITHUB_WORKSPACE", ""),
        id_tokens=(environ.get(ID_TOKEN_VARIABLES[0], ""), environ.get(ID_TOKEN_VARIABLES[1], "")),
        lacks_secrets=actor == "dependabot[bot]" or _is_fork(environ.get("GITHUB_EVENT_PATH", "")),
    )


def _is_fork(path: str) -> bool:
    """Whether the event is a pull request from another repository than the one it is for."""
    if not path:
        return False
    try:
        with open(path, encoding="utf-8") as file:
            pull_request = json.load(file)["pull_request"]
        return bool(pull_request["head"]["repo"]["full_name"] != pull_request["base"]["repo"]["full_name"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
