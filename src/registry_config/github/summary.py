"""The job summary, as Markdown that GitHub renders."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from registry_config.report import Report, TargetReport

_MAX_TEXT: Final = 300
# As many characters as other tools show; the whole digest stands below the table.
_SHORT_DIGEST: Final = len("sha256:") + 12
# Every character that Markdown or HTML could take for its own, '@' and '#', which GitHub makes links of,
# and '$', which begins a formula.
_ENTITIES: Final = {ord(character): f"&#{ord(character)};" for character in "&<>|`*_[]()\\#~@!:$"}

# GitHub makes a link of it without a scheme too.
_WWW: Final = re.compile(r"(www)\.", re.IGNORECASE)


def summarize(report: Report) -> str:
    """A few lines: what failed and why on top, then every target, then what was run."""
    parts = [_headline(report)]
    parts += [_failure(target) for target in report.failed]
    if any(target.name for target in report.targets):
        parts.append(_table(report))
    parts += [f"Digest: {_code(digest)}" for digest in report.digests]
    parts += [f"Note: {_text(warning)}" for warning in report.warnings]
    parts.append(_verdicts(report))
    parts += [_details("Commands", report.planned or _commands(report))]
    if report.image:
        parts.append(f"Image: {_code(report.image)}")
    return "\n\n".join(filter(None, parts)) + "\n"


def _headline(report: Report) -> str:
    if report.planned:
        return "### Registry config: dry run, nothing was executed"
    if report.skipped or report.exit_code is None:
        return f"### Registry config: nothing was run\n\n{_text(report.error)}"
    count = len(report.targets)
    of = f"{count - len(report.failed)} of {count} targets" if report.targets[0].name else "the command"
    verdict = f"{of} done" if count > 1 or not report.failed else f"{of} failed"
    return f"### Registry config: {verdict} in {report.seconds:.1f} s"


def _failure(target: TargetReport) -> str:
    name = f"{_code(target.name)}: " if target.name else ""
    hints = "".join(f"<br>{_text(hint)}" for hint in target.hints)
    return f"**Failed:** {name}{_text(target.reason)}{hints}"


def _table(report: Report) -> str:
    named = [name for name in ("target", "file") if any(getattr(row, name) for row in report.targets)]
    rows = [
        f"| {' | '.join(named)} | result | digest | attempts | seconds |",
        f"|{' --- |' * len(named)} --- | --- | ---: | ---: |",
    ]
    for row in sorted(report.targets, key=lambda row: not row.reason):
        names = " | ".join(_code(getattr(row, name)) for name in named)
        digests = " ".join(_code(digest[:_SHORT_DIGEST]) for digest in row.digests) or "-"
        state = row.state.replace("-", " ")
        rows.append(f"| {names} | {state} | {digests} | {row.attempts} | {row.seconds:.1f} |")
    return "\n".join(rows)


def _verdicts(report: Report) -> str:
    if not report.verify:
        return ""
    from registry_config.oci.verdicts import HEADS  # noqa: PLC0415  (few runs ask the registries)

    rows = [f"| {' | '.join(HEADS)} |", f"|{' --- |' * len(HEADS)}"]
    rows += [f"| {' | '.join(_text(value) for value in row)} |" for row in report.verify]
    return "\n".join(rows)


def _commands(report: Report) -> tuple[str, ...]:
    return tuple(dict.fromkeys(command for target in report.targets for command in target.commands))


def _details(title: str, lines: tuple[str, ...]) -> str:
    if not lines:
        return ""
    shown = "<br>".join(map(_code, lines[:20]))
    more = f"<br>and {len(lines) - 20} more" if len(lines) > 20 else ""  # noqa: PLR2004  (as cut above)
    return f"<details><summary>{title}</summary>{shown}{more}</details>"


def _code(text: str) -> str:
    return f"<code>{_text(text)}</code>"


def _text(text: str) -> str:
    """Text that Markdown and HTML show as it is, in one line and not too long."""
    short = text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + "…"
    return " ".join(_WWW.sub("\\1&#46;", short.translate(_ENTITIES)).split())
