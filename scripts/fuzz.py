"""Looks for a declaration or command that breaks the parser, led by coverage."""

from __future__ import annotations

import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import atheris

CASES = Path(__file__).parents[1] / "tests/unit/declaration/cases"
# Pure Python, so that its grammar is covered too; libyaml's is compiled.
sys.modules["yaml._yaml"] = None  # type: ignore[assignment]

with atheris.instrument_imports(include=["registry_config", "yaml"]):
    from registry_config.credentials.reading import JobToken, read_credential
    from registry_config.declaration.command import parse_commands
    from registry_config.declaration.registries import decode, parse_registries
    from registry_config.docker_config import render
    from registry_config.errors import InputError


def fuzz_one(data: bytes) -> None:
    """Give the same bytes to everything that reads what a user typed; refusals are what is expected."""
    with suppress(InputError):
        text = decode(data, "registries")
        logins = []
        for declaration in parse_registries(text):
            with suppress(InputError):
                credential = read_credential(declaration, {"A": "password"}, JobToken("u", "token", ""))
                logins.append(credential.login)
        render(logins)
    with suppress(InputError):
        parse_commands(data.decode("utf-8", "surrogateescape"), {"A": "x"})


def main() -> int:
    """Run for as many seconds as the first argument says."""
    seconds = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as corpus:
        options = [f"-max_total_time={seconds}", "-max_len=512", "-timeout=10", f"-artifact_prefix={CASES}/"]
        atheris.Setup([sys.argv[0], *options, corpus, str(CASES)], fuzz_one)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
