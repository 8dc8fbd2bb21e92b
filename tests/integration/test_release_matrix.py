"""Five charts to four registries in one step: each pair gets its own verdict.

One registry is down, one is slow beyond the time limit, and one is optional and has no secret.
"""

from __future__ import annotations

import socket
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from support.artifacts import chart
from support.proxy import slow
from support.registry import free_port, registry

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from support.cli import Machine
    from support.registry import Registry

_CHARTS = ("api", "app", "db", "queue", "web")
_LIMIT = 10
_FAR = 0.1


def test_twenty_pairs_one_registry_down_one_too_slow_and_one_optional(
    machine: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in _CHARTS:
        chart(machine.work / "dist", name)
    with ExitStack() as stack:
        good, other = (
            stack.enter_context(registry(tmp_path / name, {"alice": "alices-password-2718281828"}))
            for name in ("good", "other")
        )
        # It takes connections and never says a word.
        stuck = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64))
        addresses = {
            "good": stack.enter_context(slow(good.address, _FAR)),
            "down": f"127.0.0.1:{free_port()}",
            "stuck": f"127.0.0.1:{stuck.getsockname()[1]}",
            "other": stack.enter_context(slow(other.address, _FAR)),
        }
        started = time.monotonic()
        done = machine.run(
            *("helm", "push", "--plain-http", "{file}", "oci://{target}"),
            registries=[
                *(good.login() | {"registry": addresses[name]} for name in ("good", "down", "stuck")),
                {"registry": addresses["other"], "username": "alice", "password": "", "optional": True},
            ],
            options=[
                *("--file", "dist/*.tgz", "--max-parallel", "20", "--timeout", f"{_LIMIT}s"),
                *(word for address in addresses.values() for word in ("--target", f"{address}/charts")),
            ],
        )
        took = time.monotonic() - started
        good_rows = {f"dist/{name}-1.2.3.tgz": ("done", 0, good.digest(f"charts/{name}", "1.2.3")) for name in _CHARTS}
    rows = {
        host: {
            row["file"]: (row["state"], row["exit-code"], row["digest"])
            for row in done.report["results"]
            if row["target"] == f"{address}/charts"
        }
        for host, address in addresses.items()
    }
    assert rows == {
        "good": good_rows,
        "down": dict.fromkeys(good_rows, ("failed", 1, "")),
        "stuck": dict.fromkeys(good_rows, ("failed", 124, "")),
        "other": dict.fromkeys(good_rows, ("skipped", None, "")),
    }
    assert [(row["file"], row["target"]) for row in done.report["results"]] == [
        (file, f"{address}/charts") for file in good_rows for address in addresses.values()
    ]
    # The first pair that failed in the order given is the first chart's at the registry that is down.
    assert done.code == 1
    reasons = {row["target"]: row["reason"] for row in done.report["results"]}
    assert "nothing answers at the registry's address" in reasons[f"{addresses['down']}/charts"]
    assert reasons[f"{addresses['stuck']}/charts"] == "the command failed with exit code 124, at the time limit"
    assert [_puts(good, name) for name in _CHARTS] == [1] * len(_CHARTS)
    assert other.requests("Helm") == []
    # In a row the time limit of the five that hang is spent five times: that alone, without the others.
    in_a_row = len(_CHARTS) * _LIMIT
    with capsys.disabled():
        sys.stdout.write(f"\n20 pairs {took:.1f} s, in a row more than {in_a_row} s: {took / in_a_row:.2f}\n")
    assert took < 0.35 * in_a_row


def _puts(one: Registry, name: str) -> int:
    """How often a chart's manifest arrived."""
    return sum(f'"PUT /v2/charts/{name}/manifests/1.2.3 ' in line for line in one.requests())
