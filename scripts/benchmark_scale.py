"""Measures pushes in a tool image to 1, 10 and 100 targets of one step: seconds, and the memory of our own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from support.artifacts import oci_layout
from support.engine import IMAGES, find_engine, publish_images
from support.registry import registry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_COUNTS = (1, 10, 100)
_PARALLEL = 10
_POLL_SECONDS = 0.05
_PUSH = ("crane", "push", "--insecure", "layout", "{target}:1")


def main() -> int:
    """Print a row for each number of targets; 1 where a push failed."""
    engine = find_engine()
    with (
        tempfile.TemporaryDirectory(prefix="registry-config-scale-") as name,
        registry(Path(name, "tools"), {"puller": "password-0123"}) as images,
        registry(Path(name, "shared"), {"alice": "password-of-alice-0123"}) as shared,
    ):
        folder = Path(name)
        oci_layout(folder / "work" / "layout")
        tools = publish_images(engine, images, {"shell": IMAGES["shell"]})
        (folder / "registries.yaml").write_text(json.dumps([tools.login, engine.login(shared)]))
        words = [str(Path(sys.executable).with_name("registry-config")), "run"]
        words += ["--registries", str(folder / "registries.yaml"), "--image", tools.reference("shell")]
        words += ["--max-parallel", str(_PARALLEL)]
        environ = {**os.environ, **engine.variables}
        failed = 0
        print(f"{'targets':>8} {'seconds':>8} {'a target':>9} {'VmHWM MiB':>10}   load {os.getloadavg()[0]:.1f}")
        # The first one compiles our modules and pulls the image.
        for turn, count in enumerate((1, *_COUNTS)):
            # Repositories of their own: nothing is there from an earlier turn.
            targets = [f"--target={engine.inside(shared)}/turn{turn}-{number}" for number in range(count)]
            code, seconds, memory = _measure([*words, *targets, "--", *_PUSH], environ, folder)
            failed |= code
            if turn:
                print(f"{count:8} {seconds:8.1f} {seconds / count:9.2f} {memory / 1024:10.0f}", flush=True)
    return int(bool(failed))


def _measure(words: Sequence[str], environ: Mapping[str, str], folder: Path) -> tuple[int, float, int]:
    """Exit code, seconds, and the most memory that our process had (KiB), as Linux counts it."""
    log = folder / "log"
    begun = time.perf_counter()
    most = 0
    with (
        log.open("wb") as output,
        subprocess.Popen(
            words, env=environ, cwd=folder / "work", stdin=subprocess.DEVNULL, stdout=output, stderr=output
        ) as process,
    ):
        while process.poll() is None:
            most = max(most, _high_water(process.pid))
            time.sleep(_POLL_SECONDS)
    seconds = time.perf_counter() - begun
    if process.returncode:
        sys.stderr.write(log.read_text()[-2000:])
    return process.returncode, seconds, most


def _high_water(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)


if __name__ == "__main__":
    sys.exit(main())
