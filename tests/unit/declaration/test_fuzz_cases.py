"""Each file in `cases`, where `scripts/fuzz` begins and puts what it finds, is read or refused, and nothing else."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from registry_config.declaration.command import parse_commands
from registry_config.declaration.registries import decode, parse_registries
from registry_config.errors import InputError


@pytest.mark.parametrize("case", sorted(Path(__file__).with_name("cases").iterdir()), ids=lambda path: path.name)
def test_what_broke_the_parser_is_read_or_refused(case: Path) -> None:
    data = case.read_bytes()
    with suppress(InputError):
        parse_registries(decode(data, "registries"))
    with suppress(InputError):
        parse_commands(data.decode("utf-8", "surrogateescape"), {"A": "x"})
