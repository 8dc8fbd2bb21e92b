"""Which of many plans may run at the same time: two that write to one repository take turns."""

from __future__ import annotations

import re
import threading

from registry_config.light_typing import TYPE_CHECKING, NamedTuple
from registry_config.reference import references_in, repository_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from registry_config.plan import Plan


class _Waiting(NamedTuple):
    position: int
    plan: Plan
    repositories: frozenset[str]


class Turns:
    """Hands out plans in their order, but those first that need not wait for one that runs.

    Registries get confused by two pushes to one repository at once. A plan that has to wait for its turn does not
    keep a place that another could use: one slow registry would soon hold all of them.

    Args:
        plans: all that is to be run.
    """

    def __init__(self, plans: Sequence[Plan]) -> None:
        self._waiting = [_Waiting(position, plan, written(plan)) for position, plan in enumerate(plans)]
        self._busy: set[str] = set()
        self._changed = threading.Condition()

    def work(self, run: Callable[[int, Plan], None]) -> None:
        """Run plans, with their positions, until none is left; to be called by several threads."""
        while taken := self._take():
            try:
                run(taken.position, taken.plan)
            finally:
                self._give_back(taken)

    def _take(self) -> _Waiting | None:
        with self._changed:
            while self._waiting:
                for one in self._waiting:
                    if not one.repositories & self._busy:
                        self._waiting.remove(one)
                        self._busy |= one.repositories
                        return one
                self._changed.wait()
        return None

    def _give_back(self, taken: _Waiting) -> None:
        with self._changed:
            self._busy -= taken.repositories
            self._changed.notify_all()


def written(plan: Plan) -> frozenset[str]:
    """The repositories that a plan writes to, as far as its target, its file and its words tell."""
    if plan.target:
        repositories = frozenset({repository_of(plan.target)})
    else:
        declared = {credential.host for credential in plan.credentials}
        words = (word.text for command in plan.commands for word in command)
        named = (reference for word in words for reference in references_in(word))
        repositories = frozenset(reference.repository for reference in named if reference.host in declared)
    if plan.file and all(_is_helm(command[0].text) for command in plan.commands):
        # helm appends the chart's name; what it packs is called NAME-VERSION.tgz.
        chart = re.split(r"-v?\d", plan.file.rpartition("/")[2])[0]
        return frozenset(f"{repository}/{chart}" for repository in repositories)
    return repositories


def _is_helm(program: str) -> bool:
    return program.rpartition("/")[2].rstrip("0123456789") == "helm"
