"""`registry-config run` and `check`: options in, the tool's streams passed on, our own lines on standard error."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from registry_config.cli import arguments as command_line
from registry_config.errors import RegistryConfigError
from registry_config.execution import execute
from registry_config.github.event import read_origin
from registry_config.host.process_environment import scrub_environment
from registry_config.job import prepare
from registry_config.observer import lines, retries_only
from registry_config.report import Report
from registry_config.streams import write_all

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, MutableMapping

    from registry_config.buffered_output import BufferedOutput
    from registry_config.declaration.inputs import Inputs
    from registry_config.observer import Observer


def run_command_line(words: list[str], environ: MutableMapping[str, str]) -> int:
    """Run what the words say; gives the exit code.

    Args:
        words: the arguments after the program's name.
        environ: the process's own environment; what no child may find is taken out of it.
    """
    try:
        options, argv = command_line.parse(words)
    except RegistryConfigError as error:
        say(str(error))
        return error.exit_code
    try:
        inputs = command_line.to_inputs(options, argv, environ)
        if options.action == "check":
            return _check(inputs, environ, options)
        report = _run(inputs, environ)
        code = report.exit_code or 0
    except RegistryConfigError as error:
        report, code = Report(error=str(error)), error.exit_code
        say(str(error))
    _write_json(options, report.to_document())
    return code


def say(text: str) -> None:
    """Write a line of ours to standard error."""
    # Nobody to hear it is no reason to lose the command's exit code.
    with suppress(OSError):
        sys.stderr.write(f"registry-config: {text}\n")
        sys.stderr.flush()


def _check(inputs: Inputs, environ: MutableMapping[str, str], options: argparse.Namespace) -> int:
    from registry_config.cli.check import check, describe, to_document  # noqa: PLC0415  (`run` has no use for it)

    checked = check(inputs, read_origin(environ), environ)
    sys.stdout.write("\n".join((*describe(checked), "")))
    _write_json(options, to_document(checked))
    return 0


def _run(inputs: Inputs, environ: MutableMapping[str, str]) -> Report:
    job = prepare(inputs, read_origin(environ), environ)
    scrub_environment(job.hidden_variables, environ)
    for warning in job.warnings:
        say(warning)
    if job.skip_reason:
        say(job.skip_reason)
        return Report(skipped=True, error=job.skip_reason)
    streams = _Streams()
    with _observer(job.names, streams) as observer:
        report = execute(job, inputs, dict(environ), streams, observer)
    sys.stdout.write("".join(f"{line}\n" for line in report.planned))
    for line in report.warnings:
        say(line)
    for target in report.failed:
        for line in (target.reason, *target.hints):
            say(f"{target.name}: {line}" if target.name else line)
    return report


@contextmanager
def _observer(targets: tuple[str, ...], streams: _Streams) -> Iterator[Observer]:
    def show(_: str, output: BufferedOutput) -> None:
        output.replay(streams)

    if not targets:
        yield retries_only(say)
    elif sys.stderr.isatty():
        from registry_config.cli.progress import table  # noqa: PLC0415  (a terminal only)

        with table(targets, show) as observer:
            yield observer
    else:
        yield lines(say, show)


class _Streams:
    """The tool's streams passed on to ours, byte for byte."""

    @property
    def stdout(self) -> Callable[[bytes], None]:
        return lambda data: write_all(1, data)

    @property
    def stderr(self) -> Callable[[bytes], None]:
        return lambda data: write_all(2, data)

    @property
    def engine_log(self) -> Callable[[bytes], None]:
        # The streams are the tool's; why an engine cannot be had is told by the error.
        return lambda _: None


def _write_json(options: argparse.Namespace, document: dict[str, object]) -> None:
    if options.json:
        try:
            with open(options.json, "w", encoding="utf-8") as file:
                file.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        except OSError as error:
            say(f"--json: cannot be written ({(error.strerror or 'unknown').lower()})")
