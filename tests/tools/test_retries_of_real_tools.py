"""Real tools push through a proxy that breaks their requests: what may pass is tried again, what is final is not."""

from __future__ import annotations

import json
import os
import re
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import pytest

from support.artifacts import layout_digest, oci_layout
from support.faults import FAULTS, FINAL, Breaker, breaking, ending_streams, refusing
from support.oci_tools import TOOLS, trust, words
from support.retries_page import PAGE, RESULTS, RESULTS_VARIABLE, render

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.cli import Machine
    from support.oci_tools import Three
    from support.registry import Registry

PUSHERS = ("helm", "helm4", "oras", "crane", "skopeo", "regctl", "buildah", "cosign")
_FRAMES = {"HTTP/2 GOAWAY": "GOAWAY", "HTTP/2 stream error": "RST_STREAM"}
_REFUSED = "refused"
# A tool that has to send so much is still sending when the connection ends.
_LARGE = 6 * 1024 * 1024


class Trial(NamedTuple):
    """A tool that pushes through a proxy."""

    name: str
    machine: Machine
    values: dict[str, object]
    proxied: Registry
    breaker: Breaker
    repository: str

    def push(self, retries: int) -> tuple[dict[str, Any], list[str]]:
        """Push; the proxy breaks nothing any more as soon as a retry is announced. Gives the result, and the errors."""
        line = words(TOOLS[self.name], TOOLS[self.name].push, self.proxied, self.repository, **self.values)
        report = self.machine.root / "report.json"
        options = ["--json", str(report), "--retries", str(retries)]
        told: list[str] = []
        with self.machine.start(
            *line, registries=[self.proxied.login()], options=options, variables=trust(self.proxied)
        ) as process:
            assert process.stdout
            assert process.stderr
            drain = threading.Thread(target=process.stdout.read)
            drain.start()
            for said in process.stderr:
                told.append(said.decode(errors="replace").rstrip())
                if re.search(r"attempt 1 failed", told[-1]):
                    self.breaker.heal()
            process.wait(60)
            drain.join(10)
        (result,) = json.loads(report.read_text())["results"]
        return result, told


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("large")
    oci_layout(folder, text=os.urandom(_LARGE).hex())
    return folder


def _note(tool: str, fault: str, reason: str) -> None:
    """Keep what was seen, where `scripts/docs` asked for it."""
    if os.environ.get(RESULTS_VARIABLE):
        known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        known.setdefault(fault, {})[tool] = reason
        RESULTS.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")


@pytest.fixture
def trial(
    machine: Machine,
    three: Three,
    artifacts: dict[str, object],
    large: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Trial]:
    name, fault = request.param
    # Nothing is there that an upload could do without.
    repository = uuid4().hex
    upstream = three.secure if fault in _FRAMES else three.first
    (machine.work / "file.txt").write_bytes(os.urandom(_LARGE))
    layout = large if fault == "closed while sending" else Path(str(artifacts["layout"]))
    values = artifacts | {"layout": layout, "digest": layout_digest(layout), "short": request.getfixturevalue("short")}
    for command in TOOLS[name].prepare:
        line = words(TOOLS[name], command, upstream, repository, **values)
        prepared = machine.run(*line, registries=[upstream.login()], variables=trust(upstream))
        assert prepared.code == 0, prepared.stderr.decode()
    with ExitStack() as stack:
        if fault in _FRAMES:
            keys = upstream.log.parent
            proxy = ending_streams(upstream.address, keys / "server.pem", keys / "server.key", _FRAMES[fault])
        elif fault == _REFUSED:
            proxy = refusing(upstream.address)
        else:
            proxy = breaking(upstream.address, (FAULTS | FINAL)[fault])
        breaker = stack.enter_context(proxy)
        proxied = type(upstream)(breaker.address, upstream.users, upstream.log, upstream.authority)
        yield Trial(name, machine, values, proxied, breaker, repository)


_KINDS = (*FAULTS, *_FRAMES, _REFUSED)
# The others do not speak HTTP/2, and of a lost upload regctl shows a 404 without words, which is final.
_HTTP2 = ("helm", "helm4", "oras", "regctl")
_LEFT_OUT = {("regctl", "upload unknown")} | {
    (name, frame) for name in PUSHERS if name not in _HTTP2 for frame in _FRAMES
}
_ALL = [case for fault in _KINDS for name in PUSHERS if (case := (name, fault)) not in _LEFT_OUT]
# Each fault with two tools, which takes turns; all with all takes a quarter of an hour, and `scripts/docs` does it.
_TURNS = {(PUSHERS[(number + step) % len(PUSHERS)], kind) for number, kind in enumerate(_KINDS) for step in (0, 3)}
_SOME = [case for case in _ALL if case in _TURNS or case[1] in _FRAMES]
_CASES = _ALL if os.environ.get(RESULTS_VARIABLE) else _SOME


@pytest.mark.parametrize("trial", _CASES, indirect=True, ids=lambda case: f"{case[0]}, {case[1]}")
def test_what_may_pass_is_tried_again(trial: Trial, request: pytest.FixtureRequest) -> None:
    fault = request.node.callspec.params["trial"][1]
    result, told = trial.push(retries=1)
    announced = [found[1] for line in told if (found := re.search(r"attempt 1 failed \(([^)]+)\)", line))]
    assert (result["attempts"], result["exit-code"], len(announced)) == (2, 0, 1), "\n".join(told)
    assert trial.breaker.broken or fault == _REFUSED
    _note(trial.name, fault, announced[0])


@pytest.mark.parametrize(
    "trial",
    [(name, fault) for fault in FINAL for name in PUSHERS],
    indirect=True,
    ids=lambda case: f"{case[0]}, {case[1]}",
)
def test_what_is_final_is_tried_once(trial: Trial) -> None:
    result, told = trial.push(retries=2)
    assert trial.breaker.broken
    assert (result["attempts"], result["exit-code"] > 0) == (1, True), "\n".join(told)


def test_the_page_is_made_of_the_table_and_of_what_was_seen() -> None:
    seen = json.loads(RESULTS.read_text())
    assert {(name, fault) for fault, by_tool in seen.items() for name in by_tool} == set(_ALL)
    assert PAGE.read_text() == render(seen)
