"""What the engine says went wrong, as a person reads it."""

from __future__ import annotations

import pytest

from registry_config.credentials.redaction import Redactor
from registry_config.engine.errors import explain_pull, reason_of
from support.tables import table


@table(
    "text, reason",
    {
        "colours": ("\x1b[1m\x1b[31mfailed\x1b[0m to pull", "failed to pull"),
        "a link": ("see \x1b]8;;https://a.io\x07the page\x1b]8;;\x1b\\ there", "see the page there"),
        "a title": ("\x1b]0;engine\x07failed", "failed"),
        "a title without end": ("failed \x1b]0;engine", "failed"),
        "empty lines": ("\n\n  failed  \n\n\t\n! reason\r\n", "failed\n! reason"),
        "the trace": ("failed [traceparent:00-0123abc-01]", "failed"),
        "the trace, cut": ("failed [traceparent:00-0123", "failed"),
        "control characters": ("a\x00b\x07c\x9bd", "a b c d"),
        "a secret": ("the password is wrong", "the *** is wrong"),
        "nothing": ("", ""),
    },
)
def test_the_engine_s_words_are_plain_text(text: str, reason: str) -> None:
    assert reason_of(RuntimeError(text), Redactor([b"password"])) == reason


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        ("failed to authorize: 401 Unauthorized", "image: a.io refuses"),
        ("unexpected status code 403", "image: a.io refuses"),
        ("toomanyrequests: slow down", "image: a.io limits"),
        ("unexpected status: 429", "image: a.io limits"),
        ("a layer of 401 bytes and 429 MB: broken", "image: cannot be pulled"),
    ],
)
def test_numbers_are_statuses_only_beside_a_word_for_it(text: str, beginning: str) -> None:
    assert str(explain_pull(text, "a.io/tool:1")).startswith(beginning)
