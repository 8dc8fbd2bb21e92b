"""The recording that `scripts/terminal-svg` makes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from support.artifacts import oci_layout
from support.registry import registry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_WIDTH: Final = 110
PASSWORDS: Final = ("correct-horse-battery-staple", "tr0ub4dor-and-3")
# rich would have the reader's browser fetch a font.
_FORMAT: Final = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "font-family: Fira Code, monospace", "font-family: ui-monospace, 'DejaVu Sans Mono', monospace"
)


def main() -> int:
    """Record the session into the file that is named."""
    console = Console(record=True, width=_WIDTH, file=open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    with tempfile.TemporaryDirectory(prefix="terminal-") as name:
        folder = Path(name)
        with (
            registry(folder / "first", {"alice": PASSWORDS[0]}) as first,
            registry(folder / "second", {"bob": PASSWORDS[1]}) as second,
        ):
            environ = _prepare(folder, first.address, second.address)
            for command in _session(first.address, second.address):
                console.print(Text.assemble(("$ ", "bold green"), (command, "bold")), soft_wrap=False)
                console.print(Text(_run(command, folder / "work", environ)), end="")
    Path(sys.argv[1]).write_text(_svg(console), encoding="utf-8")
    return 0


def _svg(console: Console) -> str:
    drawn = console.export_svg(title="registry-config", code_format=_FORMAT, unique_id="terminal")
    return "".join(f"{line.rstrip()}\n" for line in drawn.splitlines())


def _session(first: str, second: str) -> Iterator[str]:
    run = "registry-config run --registries registries.yaml"
    push = "skopeo copy -q --dest-tls-verify=false oci:app"
    code = 'echo "exit code $?"'
    targets = f"--target {first}/demo/app:1 --target {second}/demo/app:1"
    yield "cat registries.yaml"
    yield f"{run} \\\n    {targets} \\\n    -- {push} docker://{{target}}; {code}"
    yield f"BOB_TOKEN=not-the-password {run} \\\n    -- {push} docker://{second}/demo/app:2; {code}"
    yield "ls -A ~ | wc -l    # files in the home folder"


def _prepare(folder: Path, first: str, second: str) -> Mapping[str, str]:
    """Fill the folders that the session uses; gives its environment."""
    work = folder / "work"
    for made in (work / "app", folder / "home", folder / "tmp"):
        made.mkdir(parents=True)
    oci_layout(work / "app")
    entries = ((first, "alice", "ALICE_TOKEN"), (second, "bob", "BOB_TOKEN"))
    (work / "registries.yaml").write_text(
        "".join(f"- registry: {host}\n  username: {user}\n  password-env: {name}\n" for host, user, name in entries)
    )
    own = {
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "ALICE_TOKEN": PASSWORDS[0],
        "BOB_TOKEN": PASSWORDS[1],
    }
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **own}


def _run(command: str, folder: Path, environ: Mapping[str, str]) -> str:
    ended = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    return ended.stdout.decode(errors="replace")


if __name__ == "__main__":
    sys.exit(main())
