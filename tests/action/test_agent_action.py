"""agent/action.yml in a whole job: the further steps find the credentials, and nothing of them is on a disk."""

from __future__ import annotations

import base64
import json
import os
import secrets as random_secrets
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from support.act import ACTION, Act
from support.action import runner_path
from support.agents import end_agents
from support.artifacts import layout_digest
from support.leaks import search
from support.registry import Pair, registry
from support.runner import Command
from support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from support.act import ActDone

_AGENT = ACTION.replace("@", "/agent@")
_DECLARED = """\
- registry: {first}
  username: alice
  password: ${{{{ toJSON(secrets.ALICE) }}}}
- registry: {second}
  username: bob
  password-env: BOB
"""
# Every file written since the mark, on whatever file system; what the kernel makes up is none.
_NEW_FILES = (
    "find",
    "/",
    *("(", "-path", "/proc", "-o", "-path", "/sys", ")", "-prune", "-o"),
    *("-type", "f", "-newer"),
)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Registries whose passwords no other test has written anywhere."""
    folder = tmp_path_factory.mktemp("registries")
    alice, bob = ({name: f"{name}-{random_secrets.token_hex(16)}"} for name in ("alice", "bob"))
    with registry(folder / "first", alice) as first, registry(folder / "second", bob) as second:
        yield Pair(first, second)


@pytest.fixture(autouse=True)
def _ended(act: Act) -> Iterator[None]:
    yield
    end_agents(act.root)


def _start(pair: Pair, act: Act, **inputs: str) -> list[dict[str, object]]:
    """The step, and one that tells the test where the agent is."""
    declared = _DECLARED.format(first=pair.first.address, second=pair.second.address)
    agent: dict[str, object] = {"id": "agent", "uses": _AGENT, "with": {"registries": declared, **inputs}}
    told = f'echo "$REGISTRY_CONFIG_AGENT_PID" >{act.root}/pid'
    return [agent | {"env": {"BOB": "${{ secrets.BOB }}"}}, {"id": "told", "run": told}]


def _secrets(pair: Pair) -> dict[str, str]:
    return {"ALICE": pair.first.users["alice"], "BOB": pair.second.users["bob"]}


def _forms(pair: Pair) -> dict[str, list[bytes]]:
    return {
        user: [secret.encode(), base64.b64encode(f"{user}:{secret}".encode())]
        for one in pair
        for user, secret in one.users.items()
    }


def _on_disk(mark: Path, pair: Pair) -> list[str]:
    """The files newer than the mark that hold a secret of one of the registries."""
    listed = subprocess.run([*_NEW_FILES, str(mark), "-print0"], capture_output=True, check=False).stdout
    needles = [form for forms in _forms(pair).values() for form in forms]
    found = []
    for name in filter(None, listed.decode("utf-8", "surrogateescape").split("\0")):
        with suppress(OSError), open(name, "rb") as file:
            tail = b""
            while data := file.read(1 << 20):
                if any(needle in tail + data for needle in needles):
                    found.append(name)
                    break
                tail = data[-200:]
    return found


def _push(tool: str, pair: Pair, script: str) -> dict[str, object]:
    lines = [script.replace("REGISTRY", one.address) for one in pair]
    return {"id": tool, "run": "\n".join(("set -e", *lines))}


def test_five_tools_in_further_steps_push_to_two_registries(
    act: Act, own: Pair, layout: Path, packed_chart: Path
) -> None:
    need_tools(["regctl"], runner_path())
    shutil.copytree(layout, act.repository / "layout")
    shutil.copy(packed_chart, act.repository / "app.tgz")
    mark = act.root / "mark"
    mark.touch()
    time.sleep(0.05)
    during = act.root / "during"
    steps: list[dict[str, object]] = [
        *_start(own, act),
        _push("skopeo", own, "skopeo copy -q --dest-tls-verify=false oci:layout:1 docker://REGISTRY/job/app:1"),
        _push("oras", own, "oras tag --plain-http REGISTRY/job/app:1 2"),
        _push("crane", own, "crane tag --insecure REGISTRY/job/app:1 3"),
        _push("helm", own, "helm push --plain-http app.tgz oci://REGISTRY/job"),
        _push(
            "regctl", own, "regctl --host reg=REGISTRY,tls=disabled image copy REGISTRY/job/app:1 REGISTRY/job/app:4"
        ),
        {
            "id": "config",
            "run": f'grep -c auths "$DOCKER_CONFIG/config.json"; cp -P "$DOCKER_CONFIG/config.json" {during}',
        },
    ]
    done = act.run(*steps, secrets=_secrets(own))
    assert (
        done.code,
        {name: step["outcome"] for name, step in done.steps.items() if step["outcome"] != "success"},
    ) == (
        0,
        {},
    )
    for one in own:
        assert [one.digest("job/app", tag) for tag in "1234"] == [layout_digest(layout)] * 4
        assert one.digest("job/app", "1.2.3")
    # The agent still runs: act ends nothing that a job leaves behind.
    assert during.exists()
    assert _on_disk(mark, own) == []
    pid = int((act.root / "pid").read_text())
    os.kill(pid, signal.SIGKILL)
    link = os.readlink(during)
    deadline = time.monotonic() + 10
    while os.path.exists(during) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (link.startswith(f"/proc/{pid}/fd/"), during.exists()) == (True, False)
    assert _on_disk(mark, own) == []


def test_buildx_copies_from_one_registry_to_the_other(act: Act, own: Pair, layout: Path) -> None:
    """Without a daemon: imagetools talks to the registries itself."""
    if not shutil.which("docker-buildx", path=runner_path()):
        pytest.skip("docker-buildx is not on PATH")
    shutil.copytree(layout, act.repository / "layout")
    source, target = f"{own.first.address}/buildx/app:1", f"{own.second.address}/buildx/app:1"
    push = {"id": "skopeo", "run": f"skopeo copy -q --dest-tls-verify=false oci:layout:1 docker://{source}"}
    copy = {"id": "buildx", "run": f"docker-buildx imagetools create --tag {target} {source}"}
    look = {"id": "look", "run": f"docker-buildx imagetools inspect {target}"}
    done = act.run(*_start(own, act), push, copy, look, secrets=_secrets(own))
    assert done.code == 0, done.lines("buildx")
    # It makes an index of one image.
    assert own.second.digest("buildx/app", "1") in "".join(done.lines("look"))


def test_the_search_of_the_disk_finds_a_login(act: Act, own: Pair) -> None:
    """Without this the test above would prove nothing."""
    mark = act.root / "mark"
    mark.touch()
    time.sleep(0.05)
    login = f'printf %s "$BOB" | skopeo login --tls-verify=false -u bob --password-stdin {own.second.address}'
    environ = {"BOB": "${{ secrets.BOB }}", "REGISTRY_AUTH_FILE": str(act.root / "auth.json")}
    done = act.run({"id": "it", "run": login, "env": environ}, secrets=_secrets(own))
    assert (done.code, _on_disk(mark, own)) == (0, [str(act.root / "auth.json")])


def test_masks_come_first_and_the_log_holds_no_secret(act: Act, own: Pair) -> None:
    show = {"id": "show", "run": 'cat "$DOCKER_CONFIG/config.json"; echo; env | grep -c REGISTRY_CONFIG_INPUT || true'}
    done = act.run(*_start(own, act), show, secrets=_secrets(own))
    assert (done.code, [command.name for command in done.commands("agent")][:1]) == (0, ["add-mask"])
    assert {command.name for command in done.commands("agent")} <= {"add-mask", "set-env"}
    shown = [event for event in done.events if event.get("command") != "add-mask"]
    for user, secret in ((user, secret) for one in own for user, secret in one.users.items()):
        assert search({"log": json.dumps(shown).encode(), "steps": json.dumps(done.steps).encode()}, secret, user) == []
    (line,) = [line for line in done.lines("agent") if "in memory for the further steps" in line]
    assert f"{own.first.address}, {own.second.address}" in line
    assert "invalid cross-device link" in line
    assert done.lines("show")[-1] == "0"
    summary, *_ = done.summaries("agent")
    assert summary.startswith(f"registry-config agent: the credentials for {own.first.address}, {own.second.address}")


_BAD: Mapping[str, tuple[Mapping[str, str], str]] = {
    "key": (
        {"registries": "- registry: a.example.com\n  usrname: x"},
        "registries[0] (line 2): unknown key 'usrname'; did you mean 'username'?",
    ),
    "lifetime": (
        {"registries": "[]", "lifetime": "6"},
        "lifetime: must be a whole number with s, m or h, such as 90s, 10m or 1h",
    ),
    "boolean": ({"registries": "[]", "keep-logins": "yes"}, "keep-logins: must be true or false"),
}


@pytest.mark.parametrize("kind", _BAD)
def test_a_bad_input_starts_nothing_and_sets_nothing(act: Act, kind: str) -> None:
    inputs, problem = _BAD[kind]
    after = {"id": "after", "if": "always()", "run": 'echo "<$DOCKER_CONFIG$REGISTRY_CONFIG_AGENT_PID>"'}
    done = act.run({"id": "agent", "uses": _AGENT, "with": inputs}, after)
    assert (done.code, done.steps["agent"]["outcome"]) == (1, "failure")
    assert _problems(done) == [Command("error", problem, {"title": "registry-config"})]
    assert done.lines("after") == ["<>"]


def _problems(done: ActDone) -> list[Command]:
    return [command for command in done.commands("agent") if command.name != "add-mask"]


@pytest.mark.parametrize("wrong", [False, True])
def test_with_verify_a_wrong_password_starts_nothing(act: Act, own: Pair, *, wrong: bool) -> None:
    after = {"id": "after", "if": "always()", "run": 'echo "<${DOCKER_CONFIG:+set}>"'}
    passwords = {**_secrets(own), **({"BOB": "not-the-password-of-bob"} if wrong else {})}
    done = act.run(*_start(own, act, verify="login"), after, secrets=passwords)
    assert (done.code, done.lines("after")) == ((1, ["<>"]) if wrong else (0, ["<set>"]))
    # Not the error, the last line of all: act may lose what a process writes just before it ends.
    wide = max(len(own.first.address), len(own.second.address))
    rows = [line for line in done.lines("agent") if line.startswith("verify: ")][:2]
    assert rows == [
        f"verify: {one.address:{wide}}  login  {verdict}"
        for one, verdict in zip(own, ("verified", "rejected" if wrong else "verified"), strict=True)
    ]


def test_where_secrets_are_empty_it_may_be_skipped(act: Act) -> None:
    declared = "- {registry: a.example.com, username: alice, password: ${{ toJSON(secrets.ALICE) }} }"
    inputs = {"registries": declared, "on-missing": "skip"}
    after = {"id": "after", "run": 'echo "<$DOCKER_CONFIG>"'}
    done = act.run({"id": "agent", "uses": _AGENT, "with": inputs}, after)
    (notice,) = _problems(done)
    assert (done.code, done.lines("after")) == (0, ["<>"])
    assert (notice.name, notice.data.endswith("nothing was run (on-missing: skip)")) == ("notice", True)


def test_a_step_with_a_command_works_below_it(act: Act, own: Pair, layout: Path) -> None:
    shutil.copytree(layout, act.repository / "layout")
    copy = f"skopeo copy --quiet --dest-tls-verify=false oci:layout:1 docker://{own.second.address}/below/app:1"
    step = {"id": "it", "uses": ACTION, "with": {"registries": "[]", "keep-logins": "true", "command": copy}}
    done = act.run(*_start(own, act), step, secrets=_secrets(own))
    assert (done.code, own.second.digest("below/app", "1")) == (0, layout_digest(layout))
