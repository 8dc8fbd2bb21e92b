"""After which failures a command is run again, and how often; the wait between is ended by what ends everything."""

from __future__ import annotations

import re
import threading

import pytest

from registry_config.attempts import Attempts
from registry_config.results import CommandResult, Tail
from support.tables import table

_RESET = "read tcp 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer"
_DENIED = "unexpected status code 403 Forbidden"


def _result(code: int, stderr: str = "", problem: str = "") -> CommandResult:
    tail = Tail()
    tail.write(stderr.encode())
    return CommandResult(("/opt/bin/helm", "push"), code, Tail(), tail, problem)


class _Commands:
    """Gives one result after the other, the last again and again; stops all waiting as soon as a wait begins."""

    def __init__(self, *results: CommandResult) -> None:
        self._results = results
        self.runs = 0
        self.told: list[str] = []
        self.stopped = threading.Event()

    def run(self) -> CommandResult:
        self.runs += 1
        return self._results[min(self.runs, len(self._results)) - 1]

    def tell(self, text: str) -> None:
        self.told.append(text)
        self.stopped.set()


def _run(commands: _Commands, retries: int = 5, *, any_failure: bool = False) -> CommandResult:
    return Attempts(retries, any_failure, commands.stopped, commands.tell).run(commands.run)


@table(
    "result, on_transient, on_any",
    {
        "well": (_result(0, _RESET), 1, 1),
        "a lost connection": (_result(1, _RESET), 2, 2),
        "another failure": (_result(1, "no such chart"), 1, 2),
        "a refusal": (_result(1, _DENIED), 1, 1),
        "no such program": (_result(127), 1, 1),
        "no program": (_result(126), 1, 1),
        "what could not be started": (_result(1, problem="cannot be executed"), 1, 1),
        "a time limit": (_result(124), 2, 2),
    },
)
def test_what_may_pass_is_run_again(result: CommandResult, on_transient: int, on_any: int) -> None:
    for any_failure, runs in ((False, on_transient), (True, on_any)):
        commands = _Commands(result)
        # The wait was ended, so the second attempt is the last.
        assert _run(commands, any_failure=any_failure) == result._replace(attempts=runs)
        assert (commands.runs, len(commands.told)) == (runs, runs - 1)


@pytest.mark.parametrize("retries", [0, 1])
def test_no_more_attempts_are_made_than_were_allowed(retries: int) -> None:
    commands = _Commands(_result(1, _RESET))
    assert _run(commands, retries).attempts == commands.runs == retries + 1


def test_an_attempt_that_goes_well_is_the_last() -> None:
    commands = _Commands(_result(1, _RESET), _result(0))
    result = _run(commands)
    assert (result.exit_code, result.attempts, commands.runs) == (0, 2, 2)
    assert commands.told[0].startswith("helm: attempt 1 failed (connection reset); running it again in ")


def test_where_nothing_is_to_begin_any_more_there_is_no_second_attempt() -> None:
    commands = _Commands(_result(1, _RESET))
    commands.stopped.set()
    assert (_run(commands).attempts, commands.told) == (1, [])


@table(
    "stderr, least, most",
    {
        "nothing said": (_RESET, 1, 3),
        "what the registry asks": ("429 Too Many Requests\nRetry-After: 37", 37, 37),
        "less than ours": ("429 Too Many Requests\nRetry-After: 0", 1, 3),
    },
)
def test_the_wait_is_ours_or_longer_where_the_registry_asks_for_that(stderr: str, least: float, most: float) -> None:
    commands = _Commands(_result(1, stderr))
    _run(commands)
    found = re.search(r"running it again in ([0-9.]+) s$", commands.told[0])
    assert found
    assert least <= float(found[1]) <= most


def test_a_failure_without_a_name_is_told_by_its_exit_code() -> None:
    commands = _Commands(_result(3, "no such chart"))
    _run(commands, any_failure=True)
    assert commands.told[0].startswith("helm: attempt 1 failed (exit code 3); ")
