"""Words of commands that would show a secret: every user of the machine can read them in the list of processes."""

from __future__ import annotations

import os

from registry_config.audience import called
from registry_config.errors import InputError
from registry_config.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from registry_config.credentials.redaction import Redactor
    from registry_config.declaration.command import Command


def refuse_secrets_in_words(commands: Iterable[Command], redactor: Redactor) -> None:
    """Refuse a command with a secret, in any form, in one of its words.

    Raises:
        InputError: with the place of the word, which is not repeated.
    """
    for command in commands:
        for word in command:
            if redactor.holds(os.fsencode(word.text)):
                problem = "contains a secret, which the list of processes would show"
                remedy = f"name its variable in {called('secret-env')}, and let the tool read that"
                raise InputError(word.place, problem, remedy)
