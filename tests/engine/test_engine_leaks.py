"""No secret is left in the engine's state folder or shown in anything that we write, whatever the tool does."""

from __future__ import annotations

import base64
import json
import os
import secrets
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from support.artifacts import chart
from support.cli import Machine, wait_for
from support.engine import STATE, Bench, answers, without_masks
from support.leaks import search
from support.registry import Pair, Registry, registry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from support.engine import Engine, Tools

_PUSH = "helm push app-1.2.3.tgz oci://{host}/{name} --plain-http --debug"
_READ = """
config="$DOCKER_CONFIG/config.json"
auth=$(sed 's/.*"auth":"//; s/".*//' "$config")
pair=$(echo "$auth" | base64 -d)
token=${{pair#*:}}
"""
# Name of the scenario, which is its user's name too, and what runs there in a shell.
SCENARIOS = {
    "push": _PUSH,
    "pull": f"{_PUSH}; helm pull oci://{{host}}/{{name}}/app --version 1.2.3 --plain-http --destination /tmp",
    "refused": _PUSH,
    "prints": f"""{_READ}
cat "$config" ~/.docker/config.json; cat "$config" >&2
for text in "$auth" "$pair" "$token"; do echo "$text"; echo "$text" >&2; done
""",
    "prints-parts": f"""{_READ}
tail -c +5 "$config"; echo; head -c 60 "$config"; echo
for ahead in "" 1 12; do printf %s "$ahead$token" | base64 -w 0; echo; done
for text in "$auth" "$token"; do
    echo "$text" | rev; echo "$text" | tr A-Za-z N-ZA-Mn-za-m; echo "${{{{text:0:20}}}} and ${{{{text:20}}}}"
done
""",
    "killed": """
while :; do
    cat "$DOCKER_CONFIG/config.json" > /dev/null; wget -q -O /dev/null http://{host}/v2/{name} || sleep 0.1
done
""",
    "beside-the-files": "cat app-1.2.3.tgz > copy; ls",
    "logs-in": """
printf %s "$TOKEN" | HELM_REGISTRY_CONFIG=/tmp/config.json \\
    helm registry login {host} --username {name} --password-stdin --plain-http
""",
}


class Played(NamedTuple):
    """When the scenarios began, and all that each of them wrote, with the folders of its user."""

    began: float
    written: Mapping[str, Mapping[str, bytes | Path]]


@pytest.fixture(scope="module")
def canaries() -> dict[str, str]:
    """A secret for each scenario, which stands nowhere else."""
    return {name: f"canary-{secrets.token_urlsafe(30)}" for name in SCENARIOS}


@pytest.fixture(scope="module")
def shop(canaries: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry(tmp_path_factory.mktemp("shop"), canaries) as running:
        yield running


@pytest.fixture(scope="module")
def played(
    engine: Engine, tools: Tools, shop: Registry, canaries: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Played:
    began = time.time()
    written: dict[str, dict[str, bytes | Path]] = {}
    for name in SCENARIOS:
        machine = Machine(tmp_path_factory.mktemp(name), variables=engine.variables)
        chart(machine.work)
        shown = _play(Bench(machine, engine, tools, Pair(shop, shop)), shop, name, canaries[name])
        # Beside the files, there are files with the secret.
        work = {} if name == "beside-the-files" else {"work": machine.work}
        written[name] = {**shown, "home": machine.home, "tmp": machine.temporary, **work}
    return Played(began, written)


def _play(bench: Bench, shop: Registry, name: str, canary: str) -> dict[str, bytes]:
    host = bench.engine.inside(shop)
    script = SCENARIOS[name].format(host=host, name=name)
    login = bench.engine.login(shop, name)
    options = ["--image", bench.tools.reference("shell"), "--shell", "sh"]
    if name == "refused":
        login = bench.engine.login(shop, "push") | {"username": "stranger", "password": canary}
    if name == "killed":
        with bench.start(script, registries=[login], options=options[2:]) as process:
            wait_for(lambda: len(answers(shop, f"GET /v2/{name}")) > 1, 20)
            process.kill()
            stdout, stderr = process.communicate()
        return {"stdout": stdout, "stderr": stderr}
    if name == "beside-the-files":
        # The declaration, and a password file that it names.
        (bench.machine.work / "password").write_text(canary)
        by_file = {"registry": "a.example", "username": name, "password-file": "password"}
        declared = bench.machine.declare([login, by_file, bench.tools.login], name="work/registries.yaml")
        done = bench.machine.run(script, registries=declared, options=options)
        assert (done.code, done.stdout) == (0, b"app-1.2.3.tgz\ncopy\n")
        return {"stdout": done.stdout, "stderr": done.stderr}
    inputs = {"shell": "sh"}
    variables = {}
    if name == "logs-in":
        inputs["secret-env"] = "TOKEN"
        variables["TOKEN"] = canary
    step = bench.action(script, inputs, registries=[login], variables=variables)
    written = {}
    if name.startswith("prints"):
        # The runner's log is redacted once more; a terminal is not.
        done = bench.run(script, registries=[login], options=["--shell", "sh"])
        written = {"stdout": done.stdout, "stderr": done.stderr, "json": json.dumps(done.report).encode()}
    assert step.code == (1 if name == "refused" else 0), step.log
    shown = "\n".join(without_masks(step.log)).encode()
    written |= {"log": shown, "outputs": json.dumps(step.outputs).encode(), "summary": step.summary.encode()}
    return written


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_that_we_write_holds_a_secret(played: Played, canaries: Mapping[str, str], name: str) -> None:
    assert search(played.written[name], canaries[name], _user(name)) == []


def test_what_a_tool_prints_in_parts_is_shown(played: Played, canaries: Mapping[str, str]) -> None:
    log = played.written["prints-parts"]["log"]
    assert isinstance(log, bytes)
    assert canaries["prints-parts"][::-1] in log.decode()


def test_the_engine_keeps_no_secret(engine: Engine, played: Played, canaries: Mapping[str, str]) -> None:
    if engine.state is None:
        pytest.skip(f"{STATE} is not set: what the engine keeps is not searched")
    found = _kept(engine.state, canaries, played.began)
    # The search finds what a login inside the command leaves, and what a tool prints in parts is outside the promise.
    assert found - {"prints-parts"} == {"logs-in"}


def _user(name: str) -> str:
    return "stranger" if name == "refused" else name


def _kept(state: Path, canaries: Mapping[str, str], began: float) -> set[str]:
    """Scenarios whose secret, or its base64 form, stands in a file of the engine changed since then."""
    needles = [
        (name, needle.rstrip(b"="))
        for name, canary in canaries.items()
        for needle in (
            canary.encode(),
            base64.b64encode(canary.encode()),
            base64.b64encode(f"{_user(name)}:{canary}".encode()),
        )
    ]
    found = set()
    for folder, _, names in os.walk(state):
        for path in (Path(folder, name) for name in names):
            with suppress(OSError):  # gone meanwhile
                status = path.lstat()
                if stat.S_ISREG(status.st_mode) and status.st_ctime >= began - 1:
                    data = path.read_bytes()
                    found |= {name for name, needle in needles if needle in data}
    return found
