"""When cosign needs the job's right to ID tokens."""

from __future__ import annotations

import pytest

from registry_config.tools.cosign import needs_id_token


@pytest.mark.parametrize(
    "line",
    [
        "cosign sign ghcr.io/org/app@sha256:1",
        "cosign sign --yes ghcr.io/org/app",
        "/usr/bin/cosign attest --predicate p.json ghcr.io/org/app",
        "cosign --verbose sign-blob file",
        "cosign attest-blob --predicate p file",
    ],
)
def test_a_signature_without_a_key(line: str) -> None:
    assert needs_id_token(line.split())
    assert needs_id_token(("bash", "-c", f"set -x\n{line}\necho done"))


@pytest.mark.parametrize(
    "line",
    [
        "cosign sign --key cosign.key ghcr.io/org/app",
        "cosign sign --key=env://KEY ghcr.io/org/app",
        "cosign sign --identity-token token ghcr.io/org/app",
        "cosign sign --sk ghcr.io/org/app",
        "cosign verify ghcr.io/org/app",
        "cosign copy ghcr.io/org/sign ghcr.io/org/app",
        "oras push ghcr.io/cosign sign",
        "echo sign",
    ],
)
def test_anything_else(line: str) -> None:
    assert not needs_id_token(line.split())
    assert not needs_id_token(("bash", "-c", f"{line}\necho sign"))
