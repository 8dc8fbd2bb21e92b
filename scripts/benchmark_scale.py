"""Measures pushes in a tool image to 1, 10 and 100 targets of one step: seconds, and the memory of our own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
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


def main() -> int:
    """Print a row for each number of targets; 1 where a push failed."""
    engine = find_engine()
    folder = Path(tempfile.mkdtemp(prefix="registry-config-scale-"))
    work = folder / "work"
    oci_layout(work / "layout")
    with (
        registry(folder / "tools", {"puller": "password-0123"}) as images,
        registry(folder / "shared", {"alice": "password-of-alice-0123"}) as shared,
    ):
        tools = publish_images(engine, images, {"shell": IMAGES["shell"]})
        declared = folder / "registries.yaml"
        declared.write_text(json.dumps([tools.login, engine.login(shared)]))
        words = [str(Path(sys.executable).with_name("registry-config")), "run", "--registries", str(declared)]
        words += ["--image", tools.reference("shell"), "--max-parallel", str(_PARALLEL)]
        push = ["crane", "push", "--insecure", "layout", "{target}:1"]
        environ = {**os.environ, **engine.variables}
        failed = 0
        print(f"{'targets':>8} {'seconds':>8} {'a target':>9} {'VmHWM MiB':>10}   load {os.getloadavg()[0]:.1f}")
        for round_number, count in enumerate((1, *_COUNTS)):
            # Repositories of their own: nothing is there from an earlier round.
            names = [f"{engine.inside(shared)}/r{round_number}-{number}" for number in range(count)]
            options = [word for name in names for word in ("--target", name)]
            code, seconds, memory = _measure([*words, *options, "--", *push], environ, work)
            failed |= code
            if round_number:  # the first one compiles our modules and pulls the image
                print(f"{count:8} {seconds:8.1f} {seconds / count:9.2f} {memory / 1024:10.0f}", flush=True)
    return int(bool(failed))


def _measure(words: Sequence[str], environ: Mapping[str, str], folder: Path) -> tuple[int, float, int]:
    """Exit code, seconds, and the most memory that our process had (KiB), as Linux counts it."""
    begun = time.perf_counter()
    most = 0
    with subprocess.Popen(
        words, env=environ, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        said: list[bytes] = []
        reader = threading.Thread(target=lambda: said.append(process.stderr.read() if process.stderr else b""))
        reader.start()
        while process.poll() is None:
            most = max(most, _high_water(process.pid))
            time.sleep(_POLL_SECONDS)
        reader.join()
    if process.returncode:
        sys.stderr.buffer.write(said[0][-2000:])
    return process.returncode, time.perf_counter() - begun, most


def _high_water(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)


if __name__ == "__main__":
    sys.exit(main())
