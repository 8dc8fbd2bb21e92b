"""What happened, for the person and for the next step."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from registry_config.diagnosis import diagnose
from registry_config.digests import reported_digests
from registry_config.plan import Tail

if TYPE_CHECKING:
    from registry_config.plan import Result, RunNotes
    from registry_config.redaction import Redactor


class Report(NamedTuple):
    """The outputs of a run, by their names, plus what the log and `--json` tell besides.

    Attributes:
        exit_code: None where no command ran.
        stdout: of all commands, redacted; the last 64 KiB.
        digests: as the tools reported them.
        skipped: nothing ran, on purpose.
        error: what went wrong, in our words.
        hints: what to do about it.
        seconds: how long the commands took.
        rows: command and exit code of each.
        image: the tool image by digest.
        warnings: what the user should know.
    """

    exit_code: int | None = None
    stdout: str = ""
    digests: tuple[str, ...] = ()
    skipped: bool = False
    error: str = ""
    hints: tuple[str, ...] = ()
    seconds: float = 0.0
    rows: tuple[tuple[str, int], ...] = ()
    image: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The one digest; empty if there is none or several."""
        return self.digests[0] if len(self.digests) == 1 else ""

    def outputs(self) -> dict[str, str]:
        """The outputs of the action."""
        return {
            "exit-code": "" if self.exit_code is None else str(self.exit_code),
            "stdout": self.stdout,
            "digest": self.digest,
            "digests": json.dumps(self.digests),
            "skipped": "true" if self.skipped else "false",
        }

    def to_json(self) -> str:
        """The document of `--json`."""
        document = {
            "ran": self.exit_code is not None,
            "exit-code": self.exit_code,
            "stdout": self.stdout,
            "digest": self.digest,
            "digests": self.digests,
            "skipped": self.skipped,
            "error": self.error or None,
        }
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    def summary(self) -> str:
        """The job summary, as Markdown."""
        if self.skipped or not self.rows:
            return f"### Registry config\n\n{_escape(self.error or 'Nothing was run.')}\n"
        lines = ["### Registry config", "", "| command | result |", "| --- | --- |"]
        lines += [f"| {_code(command)} | {'done' if not code else f'failed ({code})'} |" for command, code in self.rows]
        lines += [f"\nDigest: `{digest}`" for digest in self.digests]
        lines += [f"\n{_escape(line)}" for line in (self.error, *self.hints) if line]
        if self.image:
            lines.append(f"\nImage: {_code(self.image)}")
        return "\n".join((*lines, f"\nTook {self.seconds:.1f} s.", ""))


def make_report(result: Result, redactor: Redactor, hosts: frozenset[str], notes: RunNotes) -> Report:
    """Tell what came of a run, redacted."""
    stdout = Tail()
    for command in result.finished:
        stdout.write(command.stdout.data)
        stdout.total += command.stdout.total - len(command.stdout.data)
    error = ""
    hints: tuple[str, ...] = ()
    if result.exit_code:
        failed = result.finished[-1] if result.finished else None
        error = (failed.problem if failed else "") or f"the command failed with exit code {result.exit_code}"
        hints = diagnose(failed, hosts, notes.hidden_hosts) if failed else ()
    return Report(
        exit_code=result.exit_code if result.finished else None,
        stdout=(_CUT_NOTE if stdout.is_cut else "") + redactor.text(stdout.text),
        digests=reported_digests(result.finished),
        error=redactor.text(error),
        hints=tuple(map(redactor.text, hints)),
        seconds=result.seconds,
        image=notes.image,
        warnings=notes.warnings,
        rows=tuple((" ".join(f.arguments), f.exit_code) for f in result.finished),
    )


_CUT_NOTE = "[the beginning was cut: only the last 64 KiB are kept]\n"
_MAX_CELL = 200


def _code(text: str) -> str:
    """Text as inline code in a table cell."""
    short = text if len(text) <= _MAX_CELL else text[:_MAX_CELL] + "…"
    return f"<code>{_escape(short)}</code>"


def _escape(text: str) -> str:
    """Text that Markdown and HTML show as it is."""
    table = {ord(sign): f"&#{ord(sign)};" for sign in "&<>|`*_[]\\#~@"}
    return " ".join(text.translate(table).split())
