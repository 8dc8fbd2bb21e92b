"""Pushes or pulls with ORAS for Python: `oras_client.py push|pull REFERENCE [--insecure]`."""

from __future__ import annotations

import sys

from oras.client import OrasClient  # type: ignore[import-untyped]


def main(action: str, reference: str, *flags: str) -> None:
    client = OrasClient(hostname=reference.partition("/")[0], auth_backend="basic", insecure="--insecure" in flags)
    if action == "push":
        client.push(target=reference, files=["file.txt"], disable_path_validation=True)
    else:
        client.pull(target=reference, outdir="pulled")


if __name__ == "__main__":
    main(*sys.argv[1:])
