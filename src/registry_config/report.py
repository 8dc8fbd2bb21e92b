"""What happened, for the person and for the next step."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, NamedTuple

from registry_config.plan import Tail
from registry_config.tools.digests import reported_digests

if TYPE_CHECKING:
    from collections.abc import Iterable

    from registry_config.credentials.redaction import Redactor
    from registry_config.plan import Finished, RunNotes
    from registry_config.targets import Outcome

_CUT_NOTE = "[the beginning was cut: only the last 64 KiB are kept]\n"


class TargetReport(NamedTuple):
    """What came of one target, in words that may be shown.

    Attributes:
        target: as declared; empty for a run without targets.
        exit_code: None where nothing ran.
        digests: as the tools reported them.
        attempts: how many times the commands were run.
        seconds: how long that took, waiting included.
        reason: why it failed; empty if it did not.
        hints: what to do about it.
        commands: those that ran, each in one line.
    """

    target: str = ""
    exit_code: int | None = None
    digests: tuple[str, ...] = ()
    attempts: int = 0
    seconds: float = 0.0
    reason: str = ""
    hints: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()

    def to_object(self) -> dict[str, object]:
        """An element of the output `results`."""
        return {
            "target": self.target,
            "exit-code": self.exit_code,
            "digest": _only(self.digests),
            "attempts": self.attempts,
            "seconds": round(self.seconds, 3),
            "reason": "; ".join((self.reason, *self.hints)) if self.reason else "",
        }


class Report(NamedTuple):
    """What came of a run.

    Attributes:
        targets: one for each target; one without a name for a run without targets; none where nothing ran.
        stdout: of all commands, redacted; the last 64 KiB.
        skipped: nothing ran, on purpose.
        error: why nothing ran.
        image: the tool image by digest.
        warnings: what the user should know.
        planned: for a dry run, what would have been run.
        seconds: from start to end.
    """

    targets: tuple[TargetReport, ...] = ()
    stdout: str = ""
    skipped: bool = False
    error: str = ""
    image: str = ""
    warnings: tuple[str, ...] = ()
    planned: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def exit_code(self) -> int | None:
        """That of the first target which failed, else 0; None where nothing ran."""
        codes = [target.exit_code for target in self.targets if target.exit_code is not None]
        return next(filter(None, codes), 0) if codes else None

    @property
    def digests(self) -> tuple[str, ...]:
        """Every digest reported, once."""
        return tuple(dict.fromkeys(digest for target in self.targets for digest in target.digests))

    @property
    def failed(self) -> tuple[TargetReport, ...]:
        """The targets that failed."""
        return tuple(target for target in self.targets if target.reason)

    def outputs(self) -> dict[str, str]:
        """The outputs of the action."""
        document = self.to_document()
        return {
            "exit-code": "" if self.exit_code is None else str(self.exit_code),
            "stdout": self.stdout,
            "digest": _only(self.digests),
            "digests": json.dumps(document["digests"]),
            "results": json.dumps(document["results"], ensure_ascii=False),
            "skipped": "true" if self.skipped else "false",
        }

    def to_document(self) -> dict[str, object]:
        """The document of `--json`."""
        reasons = [target.reason for target in self.failed]
        return {
            "ran": self.exit_code is not None,
            "exit-code": self.exit_code,
            "stdout": self.stdout,
            "digest": _only(self.digests),
            "digests": list(self.digests),
            "results": [target.to_object() for target in self.targets],
            "skipped": self.skipped,
            "error": self.error or "\n".join(reasons) or None,
        }


def make_report(
    outcomes: Iterable[Outcome], redactor: Redactor, hosts: frozenset[str], notes: RunNotes, seconds: float
) -> Report:
    """Tell what came of a run, redacted."""
    targets = []
    stdout = Tail()
    for outcome in outcomes:
        targets.append(_target_report(outcome, redactor, hosts, notes))
        for command in outcome.result.finished if outcome.result else ():
            stdout.append(command.stdout)
    return Report(
        targets=tuple(targets),
        stdout=(_CUT_NOTE if stdout.is_cut else "") + redactor.text(stdout.text),
        image=notes.image,
        warnings=notes.warnings + _differing_digests(targets),
        seconds=seconds,
    )


def _target_report(outcome: Outcome, redactor: Redactor, hosts: frozenset[str], notes: RunNotes) -> TargetReport:
    finished = outcome.result.finished if outcome.result else ()
    reason = str(outcome.error) if outcome.error else ""
    hints: tuple[str, ...] = ()
    if outcome.result is None and outcome.error is None:
        reason = "not started, as another target had failed"
    elif outcome.exit_code and not reason:
        failed = finished[-1] if finished else None
        reason = (failed.problem if failed else "") or f"the command failed with exit code {outcome.exit_code}"
        hints = _hints(failed, hosts, notes) if failed else ()
    return TargetReport(
        target=outcome.target,
        exit_code=outcome.exit_code if finished or outcome.exit_code else None,
        digests=reported_digests(finished),
        attempts=outcome.attempts,
        seconds=outcome.seconds,
        reason=redactor.text(reason),
        hints=tuple(map(redactor.text, hints)),
        commands=tuple(shlex.join(command.arguments) for command in finished),
    )


def _hints(failed: Finished, hosts: frozenset[str], notes: RunNotes) -> tuple[str, ...]:
    from registry_config.tools.hints import diagnose  # noqa: PLC0415  (its patterns cost a run that goes well nothing)

    return diagnose(failed, hosts, notes.hidden_hosts)


def _differing_digests(targets: list[TargetReport]) -> tuple[str, ...]:
    digests = {target.digests for target in targets if target.target and target.digests and not target.reason}
    if len(digests) < 2:  # noqa: PLR2004  (two to differ)
        return ()
    return ("the targets report different digests: they do not hold the same artifact",)


def _only(digests: tuple[str, ...]) -> str:
    return digests[0] if len(digests) == 1 else ""
