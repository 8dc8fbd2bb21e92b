"""Measures what a run in a tool image costs, by that of a bare program of the Dagger SDK with the same execution."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from support.engine import find_engine, publish_images
from support.registry import registry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from support.engine import Engine, Tools

_ROUNDS = 11
_GOAL = 0.85
# What a person would write who needs no more than this one execution.
_BARE = """\
import asyncio, os, sys, uuid
import dagger
from dagger import dag

async def main():
    host, user, password, image = sys.argv[1:]
    async with dagger.connection():
        token = dag.set_secret(uuid.uuid4().hex, password)
        config = dag.set_secret(uuid.uuid4().hex, '{"auths":{}}')
        container = (
            dag.container()
            .with_registry_auth(host, user, token)
            .from_(image)
            .with_mounted_directory("/workspace", dag.host().directory("."))
            .with_workdir("/workspace")
            .with_mounted_secret("/root/.docker/config.json", config)
            .with_env_variable("RUN", uuid.uuid4().hex)
            .with_exec(["true"])
        )
        print(await container.stdout(), end="")

asyncio.run(main())
"""


def main() -> int:
    """Print both medians and their ratio; 1 where the goal is missed."""
    engine = find_engine()
    with (
        tempfile.TemporaryDirectory() as folder,
        registry(Path(folder, "tools"), {"puller": "password-0123"}) as running,
    ):
        times = _measure(engine, publish_images(engine, running), Path(folder))
    bare, ours = (median(each) for each in zip(*times, strict=True))
    ratio = median(ours / bare for bare, ours in times)
    print(f"bare program of the SDK  {bare:.2f} s")
    print(f"registry-config run      {ours:.2f} s")
    print(f"ratio                    {ratio:.2f}, goal {_GOAL}: {'reached' if ratio <= _GOAL else 'MISSED'}")
    return int(ratio > _GOAL)


def _measure(engine: Engine, tools: Tools, folder: Path) -> list[tuple[float, float]]:
    """Seconds of both, one after the other, so that a busy moment of the machine meets both."""
    declared = folder / "registries.yaml"
    declared.write_text(json.dumps([tools.login]))
    (folder / "work").mkdir()
    image = tools.reference("shell")
    user, password = next(iter(tools.registry.users.items()))
    bare = [sys.executable, "-c", _BARE, tools.registry.address, user, password, image]
    program = str(Path(sys.executable).with_name("registry-config"))
    ours = [program, "run", "--registries", str(declared), "--image", image, "--", "true"]
    environ = {**os.environ, **engine.variables, "DO_NOT_TRACK": "1", "DAGGER_NO_UPDATE_CHECK": "1"}
    work = folder / "work"
    _seconds(ours, environ, work)  # compiles the modules and pulls the image where that is still to be done
    return [(_seconds(bare, environ, work), _seconds(ours, environ, work)) for _ in range(_ROUNDS)]


def _seconds(words: Sequence[str], environ: Mapping[str, str], folder: Path) -> float:
    begun = time.perf_counter()
    subprocess.run(words, env=environ, cwd=folder, check=True, stdin=subprocess.DEVNULL)
    return time.perf_counter() - begun


if __name__ == "__main__":
    sys.exit(main())
