"""What happened, for the person and for the next step."""

from __future__ import annotations

import json
import shlex

from registry_config.errors import EXIT_TIMEOUT, SignalError
from registry_config.light_typing import TYPE_CHECKING, NamedTuple
from registry_config.results import NO_OUTPUTS, PlanResult, Tail
from registry_config.tools.digests import reported_digests

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from registry_config.credentials.redaction import Redactor
    from registry_config.errors import RegistryConfigError
    from registry_config.oci.entry import Row
    from registry_config.results import CommandResult, RunNotes, TargetResult

_CUT_NOTE = "[the beginning was cut: only the last 64 KiB are kept]\n"


class TargetReport(NamedTuple):
    """What came of one target, in words that may be shown.

    Attributes:
        target: as declared; empty for a run without targets.
        file: as found; empty for a run without files.
        state: `done`, `failed`, `skipped`, `exists` or `not-started`.
        exit_code: None where nothing ran.
        digests: as the tools reported them.
        attempts: how many times the commands were run.
        seconds: how long that took, waiting included.
        reason: why it failed; empty if it did not.
        hints: what to do about it.
        commands: those that ran, each in one line.
        outputs: what a script wrote to its own `GITHUB_OUTPUT`.
    """

    target: str = ""
    file: str = ""
    state: str = "done"
    exit_code: int | None = None
    digests: tuple[str, ...] = ()
    attempts: int = 0
    seconds: float = 0.0
    reason: str = ""
    hints: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    outputs: Mapping[str, str] = NO_OUTPUTS

    @property
    def name(self) -> str:
        """Target and file, as messages name them."""
        return " ".join(filter(None, (self.target, self.file)))

    def to_object(self) -> dict[str, object]:
        """An element of the output `results`."""
        return {
            "target": self.target,
            "file": self.file,
            "state": self.state,
            "exit-code": self.exit_code,
            "digest": _only(self.digests),
            "attempts": self.attempts,
            "seconds": round(self.seconds, 3),
            "reason": "; ".join((self.reason, *self.hints)) if self.reason else "",
            "outputs": dict(self.outputs),
        }


class Report(NamedTuple):
    """What came of a run.

    Attributes:
        targets: one for each target; one without a name for a run without targets; none where nothing ran.
        stdout: of all commands, redacted; the last 64 KiB.
        skipped: nothing ran, because a secret was empty and that was to be skipped.
        error: why nothing ran.
        image: the tool image by digest.
        warnings: what the user should know.
        planned: for a dry run, what would have been run.
        seconds: from start to end.
        verify: what the registries said before.
    """

    targets: tuple[TargetReport, ...] = ()
    stdout: str = ""
    skipped: bool = False
    error: str = ""
    image: str = ""
    warnings: tuple[str, ...] = ()
    planned: tuple[str, ...] = ()
    seconds: float = 0.0
    verify: tuple[Row, ...] = ()

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
        return tuple(target for target in self.targets if target.state in {"failed", "not-started"})

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
            "verify": json.dumps(document["verify"], ensure_ascii=False),
            "outputs": json.dumps(document["outputs"], ensure_ascii=False),
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
            "verify": _records(self.verify),
            "outputs": dict(self.targets[0].outputs) if len(self.targets) == 1 else {},
            "error": self.error or "\n".join(reasons) or None,
        }


def refusal(error: RegistryConfigError) -> Report:
    """What there is to tell where nothing ran."""
    return Report(error=str(error), verify=getattr(error, "rows", ()))


def make_report(
    results: Sequence[TargetResult],
    redactor: Redactor,
    registries: tuple[str, ...],
    notes: RunNotes,
) -> Report:
    """Tell what came of a run, redacted.

    Args:
        results: of each target.
        redactor: hides what must not be seen.
        registries: what was declared for the command.
        notes: what the runner has to tell besides.
    """
    targets = []
    stdout = Tail()
    for result in results:
        targets.append(_target_report(result, redactor, registries, notes))
        for command in result.result.commands if result.result else ():
            stdout.append(command.stdout)
    return Report(
        targets=tuple(targets),
        stdout=(_CUT_NOTE if stdout.is_cut else "") + redactor.text(stdout.text),
        image=notes.image,
        warnings=tuple(map(redactor.text, (*notes.warnings, *_warnings(results), *_differing_digests(targets)))),
    )


def _target_report(
    result: TargetResult, redactor: Redactor, registries: tuple[str, ...], notes: RunNotes
) -> TargetReport:
    commands = result.result.commands if result.result else ()
    failed = result.result.failed if result.result else None
    reason = str(result.error) if result.error else ""
    hints: tuple[str, ...] = ()
    state = "failed"
    if result.is_skipped:
        state = "skipped"
    elif result.result is None and result.error is None:
        reason, state = "not started, because another target failed", "not-started"
    elif result.exit_code and not reason:
        reason = _reason(result)
        hints = _hints(failed, registries, notes) if failed else ()
    elif not result.exit_code:
        state = "exists" if _exists(commands) else "done"
    return TargetReport(
        target=result.target,
        file=result.file,
        state=state,
        exit_code=result.exit_code if commands or result.exit_code else None,
        digests=tuple(map(redactor.text, reported_digests(commands) if result.digests is None else result.digests)),
        attempts=result.attempts,
        seconds=result.seconds,
        reason=redactor.text(reason),
        hints=tuple(map(redactor.text, hints)),
        commands=tuple(shlex.join(command.arguments) for command in commands),
        outputs=commands[-1].outputs if commands else NO_OUTPUTS,
    )


def _exists(commands: Sequence[CommandResult]) -> bool:
    """Whether everything that the commands write was there already."""
    if not any(command.exists for command in commands):
        return False
    from registry_config.tools.references import is_writing  # noqa: PLC0415  (few runs skip anything)

    return all(command.exists for command in commands if is_writing(command.arguments))


def _records(rows: tuple[Row, ...]) -> list[dict[str, str]]:
    if not rows:
        return []
    from registry_config.oci.verdicts import records  # noqa: PLC0415  (few runs ask the registries)

    return records(rows)


def _reason(result: TargetResult) -> str:
    """Which command failed, and with which exit code."""
    plan = result.result or PlanResult()
    failed = plan.failed
    if failed and failed.problem:
        return failed.problem
    if failed is None:
        return str(SignalError(plan.signal_number))
    code = f"exit code {result.exit_code}"
    if result.exit_code == EXIT_TIMEOUT:
        code += ", at the time limit"
    if plan.planned <= 1:
        return f"the command failed with {code}"
    words = " ".join(shlex.join(failed.arguments).split())
    return f"command {len(plan.commands)} of {plan.planned} failed with {code}: {words}"


def _hints(failed: CommandResult, registries: tuple[str, ...], notes: RunNotes) -> tuple[str, ...]:
    from registry_config.tools.hints import diagnose  # noqa: PLC0415  (its patterns cost a run that goes well nothing)

    return diagnose(failed, registries, notes.hidden_hosts)


def _warnings(results: Iterable[TargetResult]) -> tuple[str, ...]:
    of_commands = (
        f"{result.name}: {warning}" if result.name else warning
        for result in results
        for command in (result.result.commands if result.result else ())
        for warning in command.warnings
    )
    return (*of_commands, *(warning for result in results for warning in result.warnings))


def _differing_digests(targets: list[TargetReport]) -> tuple[str, ...]:
    digests = {target.digests for target in targets if target.target and target.digests and not target.reason}
    if len(digests) < 2:  # noqa: PLR2004  (two to differ)
        return ()
    return ("the targets report different digests: they do not hold the same artifact",)


def _only(digests: tuple[str, ...]) -> str:
    return digests[0] if len(digests) == 1 else ""
