"""What GitHub says of the run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from registry_config.declaration.inputs import Origin
from registry_config.github.event import read_origin
from support.tables import table

if TYPE_CHECKING:
    from pathlib import Path

_FORK = {"pull_request": {"head": {"repo": {"full_name": "a/b"}}, "base": {"repo": {"full_name": "c/b"}}}}
_OWN = {"pull_request": {"head": {"repo": {"full_name": "c/b"}}, "base": {"repo": {"full_name": "c/b"}}}}


@table(
    "event, actor, lacks_secrets",
    {
        "fork": (json.dumps(_FORK), "octocat", True),
        "own branch": (json.dumps(_OWN), "octocat", False),
        "Dependabot": (json.dumps(_OWN), "dependabot[bot]", True),
        "push": ("{}", "octocat", False),
        "fork that is gone": (json.dumps({"pull_request": {"head": {"repo": None}}}), "octocat", False),
        "no object": ("[]", "octocat", False),
        "no JSON": ("{", "octocat", False),
    },
)
def test_a_run_that_gets_no_secrets_is_known(event: str, actor: str, tmp_path: Path, *, lacks_secrets: bool) -> None:
    (tmp_path / "event.json").write_text(event)
    environ = {"GITHUB_ACTOR": actor, "GITHUB_EVENT_PATH": str(tmp_path / "event.json")}
    assert read_origin(environ) == Origin(actor=actor, lacks_secrets=lacks_secrets)


def test_every_fact_has_its_variable() -> None:
    environ = {
        "GITHUB_ACTOR": "octocat",
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_WORKSPACE": "/home/runner/work",
        "GITHUB_EVENT_PATH": "/nowhere",
    }
    assert read_origin(environ) == Origin("octocat", "https://github.example", "push", "/home/runner/work")
    assert read_origin({}) == Origin()
