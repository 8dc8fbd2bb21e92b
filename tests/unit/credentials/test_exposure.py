"""Secrets in words of commands."""

from __future__ import annotations

import base64

import pytest

from registry_config.credentials.encodings import encodings
from registry_config.credentials.exposure import refuse_secrets_in_words
from registry_config.credentials.redaction import Redactor
from registry_config.declaration.command import parse_commands
from registry_config.errors import InputError
from support.tables import exactly, table

_SECRET = "hunter/22"
_REDACTOR = Redactor(encodings("alice", _SECRET))


@table(
    "word",
    {
        "alone": _SECRET,
        "in an option": f"--password={_SECRET}",
        "in quotes": f"'{_SECRET}'",
        "in an address": "https://alice:hunter%2F22@a.example/x",
        "with its user in base64": base64.b64encode(f"alice:{_SECRET}".encode()).decode(),
    },
)
def test_a_command_with_a_secret_in_it_is_refused(word: str) -> None:
    message = (
        "command (line 2, column 6): contains a secret, which the list of processes would show; "
        "name its variable in secret-env, and let the tool read that"
    )
    with pytest.raises(InputError, match=exactly(message)):
        refuse_secrets_in_words(parse_commands(f"true\necho {word}", {}), _REDACTOR)


@table("word", {"another": "hunter2", "a part": "hunter", "the user": "alice"})
def test_a_command_without_a_secret_is_not(word: str) -> None:
    refuse_secrets_in_words(parse_commands(f"echo {word}", {}), _REDACTOR)
