"""The demonstration that `scripts/demo` runs."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from support.artifacts import layout_digest, oci_layout
from support.leaks import SHARED_MEMORY, search
from support.registry import Pair, registry

_PASSWORDS = {"alice": "correct-horse-battery-staple-1", "bob": "tr0ub4dor&3+'quoted'-2"}
_HOME = "HOME"


def main() -> int:
    """Run the demonstration; 0 if every step did what it promises."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="demo-") as name:
        folder = Path(name)
        with (
            registry(folder / "first", {"alice": _PASSWORDS["alice"]}) as first,
            registry(folder / "second", {"bob": _PASSWORDS["bob"]}) as second,
        ):
            ok = _demonstrate(folder, Pair(first, second), in_image="--engine" in sys.argv[1:])
    print(f"\n{'All as promised' if ok else 'SOMETHING IS WRONG'}, in {time.monotonic() - started:.1f} s.")
    return 0 if ok else 1


def _demonstrate(folder: Path, pair: Pair, *, in_image: bool) -> bool:
    runner = _Runner(folder, in_image=in_image)
    addresses = [runner.reachable(registry.address) for registry in pair]
    logins = [
        {"registry": address, "username": user, "password-env": f"{user.upper()}_TOKEN"}
        for address, user in zip(addresses, ("alice", "bob"), strict=True)
    ]
    declaration = folder / "registries.yaml"
    declaration.write_text(json.dumps(logins, indent=2))
    layout = folder / "work" / "app"
    layout.mkdir(parents=True)
    oci_layout(layout)
    environ = {f"{user.upper()}_TOKEN": password for user, password in _PASSWORDS.items()}

    _title("Two registries, each with a password of its own, in one declaration")
    print(declaration.read_text())
    _title("One push to both, with a tool that was never logged in")
    pushed = [runner.push(declaration, environ, f"{address}/demo/app:1") for address in addresses]
    _title("Pulled back from the second; three digests")
    runner.pull(declaration, environ, f"{addresses[1]}/demo/app:1")
    digests = [
        layout_digest(layout),
        pair.first.digest("demo/app", "1"),
        pair.second.digest("demo/app", "1"),
    ]
    print("\n".join(f"  {digest}" for digest in digests))
    _title("A wrong password")
    wrong = runner.push(declaration, environ | {"BOB_TOKEN": "not-the-password"}, f"{addresses[1]}/demo/app:2")
    _title("What is left of the passwords: in home, temp, shared memory, the work folder, and what was printed")
    left = [place for user, secret in _PASSWORDS.items() for place in search(runner.places(), secret, user)]
    print("\n".join(left) or "  nothing, in any form (plain, base64 at any alignment, percent- or JSON-encoded)")
    return pushed == [0, 0] and len(set(digests)) == 1 and wrong != 0 and not left


class _Runner:
    """Runs registry-config with a home and a temp folder of its own, and keeps what it prints."""

    def __init__(self, folder: Path, *, in_image: bool) -> None:
        self._folder = folder
        self._host = os.environ.get("REGISTRY_CONFIG_TEST_EXEC_HOST", "") if in_image else ""
        self._image = os.environ.get("REGISTRY_CONFIG_DEMO_IMAGE", "") if in_image else ""
        if in_image and not (self._host and self._image):
            needed = "REGISTRY_CONFIG_TEST_EXEC_HOST and REGISTRY_CONFIG_DEMO_IMAGE"
            sys.exit(f"demo: --engine needs {needed} (CONTRIBUTING.md)")
        self._printed = b""
        for name in ("home", "temp", "work"):
            (folder / name).mkdir(exist_ok=True)

    def reachable(self, address: str) -> str:
        """The address under which the tool finds a registry."""
        return f"{self._host}:{address.rpartition(':')[2]}" if self._host else address

    def push(self, declaration: Path, environ: dict[str, str], reference: str) -> int:
        return self._run(declaration, environ, ["--dest-tls-verify=false", "oci:app:1", f"docker://{reference}"])

    def pull(self, declaration: Path, environ: dict[str, str], reference: str) -> int:
        return self._run(declaration, environ, ["--src-tls-verify=false", f"docker://{reference}", "oci:back:1"])

    def places(self) -> dict[str, bytes | Path]:
        return {
            "the output": self._printed,
            "home": self._folder / "home",
            "temp": self._folder / "temp",
            "work": self._folder / "work",
            "shared memory": SHARED_MEMORY,
        }

    def _run(self, declaration: Path, environ: dict[str, str], arguments: list[str]) -> int:
        command = ["registry-config", "run", "--registries", str(declaration), "-C", str(self._folder / "work")]
        command += ["--image", self._image] if self._image else []
        command += ["--", "skopeo", "copy", *arguments]
        print(f"$ {shlex.join(command)}")
        sys.stdout.flush()
        done = subprocess.run(
            command,
            env={**os.environ, **environ, _HOME: str(self._folder / "home"), "TMPDIR": str(self._folder / "temp")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        self._printed += done.stdout
        print(done.stdout.decode(errors="replace"), end="")
        print(f"  (exit code {done.returncode})")
        return done.returncode


def _title(text: str) -> None:
    print(f"\n== {text}")


if __name__ == "__main__":
    sys.exit(main())
