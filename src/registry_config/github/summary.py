"""The job summary, as Markdown that GitHub renders."""

from __future__ import annotations

import re
from collections import Counter

from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from registry_config.report import Report

_MAX_TEXT: Final = 300
_MAX_LINES: Final = 20
# The table has all of them.
_MAX_NAMES: Final = 5
_STATES: Final = {"not-started": "not started", "exists": "already there"}
# As many characters as other tools show; the whole digest stands below the table.
_SHORT_DIGEST: Final = len("sha256:") + 12
# Every character that Markdown or HTML could take for its own, '@' and '#', which GitHub makes links of,
# and '$', which begins a formula.
_ENTITIES: Final = {ord(character): f"&#{ord(character)};" for character in "&<>|`*_[]()\\#~@!:$"}

# GitHub makes a link of it without a scheme too.
_WWW: Final = re.compile(r"(www)\.", re.IGNORECASE)


def summarize(report: Report) -> str:
    """A few lines: what failed and why on top, then every target, then what was run."""
    parts = [_headline(report), *_failures(report)]
    if any(target.name for target in report.targets):
        parts.append(_table(report))
    parts.append(_digests(report))
    parts += [f"Note: {_text(warning)}" for warning in report.warnings]
    parts.append(_verdicts(report))
    parts.append(_commands(report))
    if report.image:
        parts.append(f"Image: {_code(report.image)}")
    return "\n\n".join(filter(None, parts)) + "\n"


def _headline(report: Report) -> str:
    if report.planned:
        return "### Registry config: dry run, nothing was executed"
    if report.skipped or report.exit_code is None:
        return f"### Registry config: nothing was run\n\n{_text(report.error)}"
    if any(target.name for target in report.targets):
        verdict = _verdict(report)
    else:
        verdict = "the command failed" if report.failed else "the command succeeded"
    return f"### Registry config: {verdict} in {report.seconds:.1f} s"


def _verdict(report: Report) -> str:
    """How many of the targets, files or pairs came to which end, as a sentence."""
    states = Counter(target.state for target in report.targets)
    count = len(report.targets)
    named = [name for name in ("file", "target") if any(getattr(row, name) for row in report.targets)]
    noun = f"{named[0]}{'' if count == 1 else 's'}" if len(named) == 1 else f"pair{'' if count == 1 else 's'}"
    succeeded = states.pop("done", 0)
    others = [f"{states[state]} {_STATES.get(state, state)}" for state in sorted(states)]
    return ", ".join((f"{succeeded} of {count} {noun} succeeded", *others))


def _failures(report: Report) -> list[str]:
    """Each reason once, with everything that failed for it."""
    grouped: dict[str, list[str]] = {}
    for target in report.failed:
        reason = "".join((_text(target.reason), *(f"<br>{_text(hint)}" for hint in target.hints)))
        grouped.setdefault(reason, []).extend(filter(None, (target.name,)))
    shown = []
    for reason, names in list(grouped.items())[:_MAX_LINES]:
        more = [f"and {len(names) - _MAX_NAMES} more"] if len(names) > _MAX_NAMES else []
        where = ", ".join((*map(_code, names[:_MAX_NAMES]), *more))
        shown.append(f"**Failed:** {reason}{'<br>' if where else ''}{where}")
    if len(grouped) > _MAX_LINES:
        shown.append(f"Another {len(grouped) - _MAX_LINES} failed for other reasons, which are in the log.")
    return shown


def _table(report: Report) -> str:
    named = [name for name in ("target", "file") if any(getattr(row, name) for row in report.targets)]
    rows = [
        # First what a narrow screen has to show; the rest is scrolled to.
        f"| result | {' | '.join(named)} | digest | attempts | seconds |",
        f"|{' --- |' * len(named)} --- | --- | ---: | ---: |",
    ]
    for row in sorted(report.targets, key=lambda row: not row.reason):
        names = " | ".join(_code(getattr(row, name)) for name in named)
        digests = " ".join(_code(digest[:_SHORT_DIGEST]) for digest in row.digests) or "-"
        state = _STATES.get(row.state, row.state)
        if row.state == "failed":
            state = f"<b>failed ({row.exit_code})</b>"
        rows.append(f"| {state} | {names} | {digests} | {row.attempts} | {row.seconds:.1f} |")
    return "\n".join(rows)


def _verdicts(report: Report) -> str:
    if not report.verify:
        return ""
    from registry_config.oci.verdicts import HEADS  # noqa: PLC0415  (few runs ask the registries)

    rows = [f"| {' | '.join(HEADS)} |", f"|{' --- |' * len(HEADS)}"]
    rows += [f"| {' | '.join(_text(value) for value in row)} |" for row in report.verify]
    return "\n".join(rows)


def _digests(report: Report) -> str:
    """The whole digests; where there are several, each with the files whose it is."""
    if len(report.digests) == 1:
        return f"Digest: {_code(report.digests[0])}"
    files: dict[str, list[str]] = {digest: [] for digest in report.digests}
    for target in report.targets:
        for digest in target.digests:
            if target.file and target.file not in files[digest]:
                files[digest].append(target.file)
    return _details("Digests", [" ".join(map(_code, (digest, *names))) for digest, names in files.items()])


def _commands(report: Report) -> str:
    """What was run, each command once, those that failed on top and marked."""
    if report.planned:
        return _details("Commands", list(map(_code, report.planned)))
    failed = {target.commands[-1] for target in report.targets if target.state == "failed" and target.commands}
    commands = dict.fromkeys(command for target in report.targets for command in target.commands)
    if any(target.name for target in report.targets):
        commands = dict.fromkeys(sorted(commands, key=lambda command: command not in failed))
    lines = [f"<b>failed:</b> {_code(command)}" if command in failed else _code(command) for command in commands]
    return _details("Commands", lines)


def _details(title: str, lines: list[str]) -> str:
    if not lines:
        return ""
    more = [f"and {len(lines) - _MAX_LINES} more"] if len(lines) > _MAX_LINES else []
    return f"<details><summary>{title}</summary>{'<br>'.join((*lines[:_MAX_LINES], *more))}</details>"


def _code(text: str) -> str:
    return f"<code>{_text(text)}</code>"


def _text(text: str) -> str:
    """Text that Markdown and HTML show as it is, in one line and not too long."""
    short = text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + "…"
    return " ".join(_WWW.sub("\\1&#46;", short.translate(_ENTITIES)).split())
