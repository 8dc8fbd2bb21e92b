"""Whatever a tool prints, looking through it costs next to nothing."""

from __future__ import annotations

import math
import re
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from registry_config.tools.hints import diagnose
from registry_config.tools.table import TOOLS
from registry_config.tools.transient import retry_after, transient_failure
from support.results import result

if TYPE_CHECKING:
    from collections.abc import Callable

_KIB = 64
_WORST = (
    *("a.", "a-", "1.", "::1]:", "a.a/", "http://a.", "https://a/v2", " ", "\t", "-", "/", "@", "#1 ", "a: ", "'", '"'),
    *("status ", "http status code ", "status:::: ", "<html", "<html><title>", "<!doctype html>", "\n", "a\n", "\\"),
    *("config.json ", "auth.json:", "The repository with name '", "project ", 'exec: "', "x509: ", "line 1: ", ": : "),
    *(
        "Digest: ",
        "pushed to ",
        "pushing manifest for ",
        "sha256:",
        "Published ",
        "stream error: stream ID 1",
        "retry-after ",
    ),
    *("server gave HTTP response to HTTPS client", "EOF", ": EOF", "[" * 64, "denied ", "a@sha256:" + "a" * 64),
)
_TEXTS = [(unit * (_KIB * 1024 // len(unit) + 1))[: _KIB * 1024 - 2] for unit in _WORST]
# A quadratic pattern took 23 seconds; the goal is 0.05. There the yardstick takes 0.0034, so this holds on any machine.
_MOST_YARDSTICKS = 15
_LINES = {form.what for tool in TOOLS.values() for form in tool.digests if form.where in {"stdout", "stderr"}}


def _seconds(look: Callable[[], object], enough: float = 0.0) -> float:
    """Of the processor, so that a busy machine does not count; the best of five, or what is little enough."""
    best = math.inf
    for _ in range(5):
        begun = time.process_time()
        look()
        best = min(best, time.process_time() - begun)
        if best < enough:
            break
    return best


@pytest.fixture(scope="module")
def most_seconds() -> float:
    """What a machine like this one takes for a search that is as plain as can be, times what we allow."""
    return _MOST_YARDSTICKS * _seconds(lambda: re.findall("[a-z]", "a" * _KIB * 1024))


@pytest.mark.parametrize("line", sorted(_LINES))
def test_each_form_of_a_digest_is_looked_for_in_linear_time(line: str, most_seconds: float) -> None:
    pattern = re.compile(line, re.MULTILINE)
    taken = {text[:20]: _seconds(partial(pattern.findall, text), most_seconds) for text in _TEXTS}
    assert {text: seconds for text, seconds in taken.items() if seconds > most_seconds} == {}


@pytest.mark.parametrize("program", ["crane", "sh"])
def test_a_failure_is_explained_in_linear_time(program: str, most_seconds: float) -> None:
    def explain(text: str) -> None:
        failed = result(program, "copy", "a.io/x:1", "b.io/y:1", stderr=text, stdout=text, given=("a.io/x", "b.io"))
        transient_failure(failed)
        retry_after(failed)
        diagnose(failed, ("a.io/x", "b.io"), ("b.io",))

    for ending in ("", "/", "\n403 Forbidden\n"):
        taken = {text[:20]: _seconds(partial(explain, text + ending), most_seconds) for text in _TEXTS}
        assert {text: seconds for text, seconds in taken.items() if seconds > most_seconds} == {}
