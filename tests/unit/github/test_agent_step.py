"""The step that starts an agent, in this process: what it says, what it sets, and when it starts none."""

from __future__ import annotations

import json
import os
import select
import signal
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from registry_config.github.agent import run_agent_action
from registry_config.github.inputs import variable
from registry_config.host.agent import PID_VARIABLE
from registry_config.host.config_folder import SHARED_MEMORY
from support.http_server import Answer, http_server
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator

# Newer Pythons warn where threads run that an earlier test has left; the child of this fork starts a program and ends.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")

_SECRET = "canary-31415926535897"
# Nobody waits that long; it is for an end that does not come at all.
_SECONDS = 120
_LOGIN = {"registry": "registry.example.com", "username": "alice", "password": _SECRET}


class _Step(NamedTuple):
    """What came of a step: its exit code, the lines of its log, the variables of further steps, and its summary."""

    code: int
    log: list[str]
    variables: dict[str, str]
    summary: str


def _variables(text: str) -> dict[str, str]:
    """As the runner reads its file: a name and a delimiter, the value, the delimiter."""
    found = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, _, delimiter = line.partition("<<")
        found[name] = "\n".join(iter(lambda: next(lines), delimiter))
    return found


@contextmanager
def _step(folder: Path, capfd: pytest.CaptureFixture[str], *logins: dict[str, str], **inputs: str) -> Iterator[_Step]:
    environ = {"HOME": str(folder), "GITHUB_ENV": str(folder / "env"), "GITHUB_STEP_SUMMARY": str(folder / "summary")}
    given = {"registries": json.dumps(logins or (_LOGIN,)), **inputs}
    environ |= {variable(name.replace("_", "-")): value for name, value in given.items()}
    code = run_agent_action(environ)
    env, summary = (path.read_text() if path.exists() else "" for path in (folder / "env", folder / "summary"))
    variables = _variables(env)
    try:
        yield _Step(code, capfd.readouterr().out.splitlines(), variables, summary)
    finally:
        with suppress(KeyError, ProcessLookupError):
            process = os.pidfd_open(int(variables[PID_VARIABLE]))
            signal.pidfd_send_signal(process, signal.SIGTERM)
            # The next test looks for folders.
            select.select([process], [], [], _SECONDS)
            os.close(process)


def _folders() -> list[str]:
    return [name for name in os.listdir(SHARED_MEMORY) if name.startswith(f"registry-config-{os.getpid()}-")]


def test_masks_come_first_and_then_further_steps_can_read_the_config(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with _step(tmp_path, capfd, lifetime="90s") as step:
        # Nothing of it ends with this process.
        assert len(os.listdir("/proc/self/fd")) <= before
        masks = [line for line in step.log if line.startswith("::add-mask::")]
        assert f"::add-mask::{_SECRET}" in masks
        *first, last = step.log
        assert (step.code, first) == (0, masks)
        told = (
            "the credentials for registry.example.com are in memory for the further steps of this job, for 90s at most"
        )
        assert last.startswith(f"{told}; ")
        assert step.summary == f"registry-config agent: {told}\n"
        assert set(step.variables) == {
            "DOCKER_CONFIG",
            "REGISTRY_AUTH_FILE",
            "HELM_REGISTRY_CONFIG",
            "BUILDX_CONFIG",
            PID_VARIABLE,
        }
        for name in ("REGISTRY_AUTH_FILE", "HELM_REGISTRY_CONFIG"):
            assert set(json.loads(Path(step.variables[name]).read_bytes())["auths"]) == {"registry.example.com"}


def test_without_a_lifetime_it_is_six_hours(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with _step(tmp_path, capfd, lifetime=" ") as step:
        assert "for 6h at most" in step.log[-1]


_EMPTY = _LOGIN | {"password": ""}


@table(
    "login, inputs, error",
    {
        "lifetime": (
            _LOGIN,
            {"lifetime": "1d"},
            "lifetime: must be a whole number with s, m or h, such as 90s, 10m or 1h",
        ),
        "path": (
            _LOGIN | {"registry": "quay.io/org"},
            {},
            "registries[0].registry (line 1): has a path, and without a command nothing can choose by it; ",
        ),
        "verify": (_LOGIN, {"verify": "maybe"}, "verify: "),
        "empty": (_EMPTY, {}, "registries[0].password (line 1): the password for registry.example.com is empty; "),
    },
)
def test_a_bad_input_is_annotated_and_starts_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], login: dict[str, str], inputs: dict[str, str], error: str
) -> None:
    folders = _folders()
    with _step(tmp_path, capfd, login, **inputs) as step:
        assert (step.code, step.variables, step.summary, _folders()) == (64, {}, "", folders)
        assert step.log[-1].startswith(f"::error title=registry-config::{error}")


def test_where_secrets_are_empty_it_may_be_skipped(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folders = _folders()
    with _step(tmp_path, capfd, _EMPTY, on_missing="skip") as step:
        assert (step.code, step.variables, step.summary, _folders()) == (0, {}, "", folders)
        assert step.log[-1].startswith("::notice title=registry-config::registries[0].password (line 1): ")
        assert step.log[-1].endswith("nothing was run (on-missing: skip)")


def test_what_is_for_an_image_or_too_short_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    image = _LOGIN | {"registry": "image.example.com", "for": "image"}
    short = _LOGIN | {"registry": "short.example.com", "password": "short"}
    with _step(tmp_path, capfd, _LOGIN, image, short) as step:
        told = [line for line in step.log if line.startswith(("::warning", "::notice"))]
        assert [line.partition(" title=")[0] for line in told] == ["::warning", "::notice"]
        assert "registries[2]" in told[0]
        assert "image.example.com is for the image only, so it is left out" in told[1]
        auths = json.loads(Path(step.variables["REGISTRY_AUTH_FILE"]).read_bytes())["auths"]
        assert set(auths) == {"registry.example.com", "short.example.com"}


def test_an_optional_entry_without_a_secret_is_left_out_and_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with _step(tmp_path, capfd, _LOGIN, _EMPTY | {"registry": "other.example.com", "optional": "true"}) as step:
        assert [line.rpartition("::")[2] for line in step.log if line.startswith("::notice")] == [
            "registries[1] (line 1): the optional entry for other.example.com has no secret, so it is left out"
        ]
        auths = json.loads(Path(step.variables["REGISTRY_AUTH_FILE"]).read_bytes())["auths"]
        assert set(auths) == {"registry.example.com"}


@table("status, code, level", {"refused": (401, 77, "error"), "everybody is let in": (200, 0, "warning")})
def test_with_verify_a_registry_is_asked_before_anything_starts(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], status: int, code: int, level: str
) -> None:
    headers = {"WWW-Authenticate": 'Basic realm="test"'}
    with (
        http_server(lambda _: Answer(status, headers=headers)) as server,
        _step(tmp_path, capfd, _LOGIN | {"registry": server.address}, verify="login") as step,
    ):
        assert (step.code, bool(step.variables)) == (code, code == 0)
        (told,) = (line for line in step.log if line.startswith(f"::{level} "))
        assert server.address in told


def test_where_no_variable_can_be_set_no_agent_stays(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folders = _folders()
    environ = {variable("registries"): json.dumps([_LOGIN]), "HOME": str(tmp_path), "GITHUB_ENV": "/dev/full"}
    with pytest.raises(OSError, match="No space left on device"):
        run_agent_action(environ)
    assert _folders() == folders
    assert f"::add-mask::{_SECRET}" in capfd.readouterr().out
