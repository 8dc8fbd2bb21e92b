"""Each tool of the table pushes and pulls by one declaration of three registries, and asks no other with a password."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from support.oci_tools import AUTH_FILE, TOOLS, VARIABLES, Tool, note, refused_users, trust, version, words

if TYPE_CHECKING:
    from pathlib import Path

    from support.cli import Done, Machine
    from support.oci_tools import Three
    from support.registry import Registry

_ON_HOST = [name for name, tool in TOOLS.items() if tool.host]


@dataclass(frozen=True)
class Trial:
    """A tool, and what it is tried with."""

    name: str
    machine: Machine
    three: Three
    values: dict[str, object]
    marks: tuple[int, ...]
    repository: str

    @property
    def tool(self) -> Tool:
        return TOOLS[self.name]

    def run(
        self, command: str, registry: Registry, logins: list[dict[str, str]], *, without: tuple[str, ...] = ()
    ) -> Done:
        """Run one of its commands with this declaration."""
        line = words(
            self.tool, command, registry, self.repository, fresh=self.machine.temporary / uuid4().hex, **self.values
        )
        hidden = ["env", *(word for name in without for word in ("-u", name))] if without else []
        return self.machine.run(*hidden, *line, registries=logins, variables=trust(registry))

    def prepare(self, registry: Registry) -> None:
        """Run what has to be there before the tool is tried."""
        for command in self.tool.prepare:
            done = self.run(command, registry, self.three.logins)
            assert done.code == 0, done.stderr.decode()

    def mark(self) -> Trial:
        """The same, the registries' logs read from here on."""
        marks = tuple(one.log.stat().st_size for one in self.three)
        return Trial(self.name, self.machine, self.three, self.values, marks, self.repository)

    def refused(self) -> list[set[str]]:
        """Whose credential each registry got and did not accept."""
        return [refused_users(log) for log in self._logs()]

    def requests(self) -> list[int]:
        """How many requests each registry got."""
        return [sum('" "' in line for line in log.splitlines()) for log in self._logs()]

    def answers(self, registry: Registry) -> set[tuple[str, str]]:
        """Method and status of each request for a manifest."""
        log = self._logs()[self.three.index(registry)]
        return set(re.findall(r'"(\w+) /v2/\S+/manifests/\S+ HTTP/[\d.]+" (\d+)', log))

    def _logs(self) -> list[str]:
        return [one.log.read_bytes()[mark:].decode() for one, mark in zip(self.three, self.marks, strict=True)]


@pytest.fixture
def trial(
    machine: Machine, three: Three, artifacts: dict[str, object], short: Path, request: pytest.FixtureRequest
) -> Trial:
    repository = re.sub(r"\W+", "-", request.node.name.lower()).strip("-")
    return Trial(request.param, machine, three, artifacts | {"short": short}, (0, 0, 0), repository).mark()


def _works(trial: Trial, registry: Registry) -> None:
    trial.prepare(registry)
    fresh = trial.mark()
    for command in (trial.tool.push, trial.tool.pull):
        done = trial.run(command, registry, trial.three.logins)
        assert (done.code, done.report["error"]) == (0, None), done.stderr.decode()
    assert fresh.refused() == [set(), set(), set()]
    assert [count > 0 for count in fresh.requests()] == [one is registry for one in trial.three]
    assert fresh.answers(registry) >= {("PUT", "201"), ("GET", "200")}


@pytest.mark.parametrize("trial", _ON_HOST, indirect=True)
def test_it_pushes_and_pulls_over_plain_http(trial: Trial) -> None:
    _works(trial, trial.three.first)
    note(trial.name, version=version(trial.name), host=True, tls=False)


@pytest.mark.parametrize("trial", [name for name in _ON_HOST if TOOLS[name].secure is not None], indirect=True)
def test_it_pushes_and_pulls_over_tls_with_a_private_authority(trial: Trial) -> None:
    _works(trial, trial.three.secure)
    note(trial.name, tls=True)


@pytest.mark.parametrize("trial", _ON_HOST, indirect=True)
def test_it_fails_with_a_wrong_password_and_shows_no_other(trial: Trial) -> None:
    first, *others = trial.three.logins
    trial.prepare(trial.three.first)
    fresh = trial.mark()
    for command in (trial.tool.push, trial.tool.pull):
        done = trial.run(command, trial.three.first, [first | {"password": "not-alices-password"}, *others])
        assert done.code > 0
        assert done.report["error"] == f"the command failed with exit code {done.code}"
    assert fresh.refused() == [{"alice"}, set(), set()]
    assert fresh.requests()[1:] == [0, 0]
    assert ("GET", "200") not in fresh.answers(trial.three.first)


@pytest.mark.parametrize("trial", _ON_HOST, indirect=True)
def test_it_shows_the_credential_of_one_registry_to_no_other(trial: Trial) -> None:
    trial.prepare(trial.three.first)
    fresh = trial.mark()
    for command in (trial.tool.push, trial.tool.pull):
        done = trial.run(command, trial.three.first, [trial.three.second.login()])
        assert done.code > 0
        assert done.report["error"] == f"the command failed with exit code {done.code}"
    assert fresh.refused() == [set(), set(), set()]
    asked, *others = fresh.requests()
    assert (asked > 0, others) == (True, [0, 0])


@pytest.mark.parametrize("trial", _ON_HOST, indirect=True)
def test_it_reads_the_variables_that_the_table_says(trial: Trial) -> None:
    trial.prepare(trial.three.first)
    assert trial.run(trial.tool.push, trial.three.first, trial.three.logins).code == 0
    alone = {one: tuple(other for other in VARIABLES if other != one) for one in VARIABLES}
    ended = {
        one: trial.run(trial.tool.pull, trial.three.first, trial.three.logins, without=others).code
        for one, others in alone.items()
    }
    expected = (AUTH_FILE,) if trial.tool.namespaced and os.geteuid() else trial.tool.reads
    assert tuple(one for one in VARIABLES if ended[one] == 0) == expected
    note(trial.name, reads=list(trial.tool.reads))


@pytest.mark.parametrize("trial", [name for name, tool in TOOLS.items() if not tool.host], indirect=True)
def test_it_does_not_find_the_config_on_this_machine(trial: Trial) -> None:
    # It would try again for two minutes.
    push = f"timeout 5 {trial.tool.push}"
    done = trial.run(push, trial.three.first, trial.three.logins)
    assert done.report["error"] == "the command failed with exit code 124, at the time limit"
    assert trial.refused() == [set(), set(), set()]
    asked, *others = trial.requests()
    assert (asked > 0, others, trial.answers(trial.three.first)) == (True, [0, 0], set())
    note(trial.name, version=version(trial.name), host=False, tls=False, reads=[])
