"""Wires the parts together, and is the only place that catches everything and exits."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, NoReturn

from registry_config.cli import progress
from registry_config.declaration.inputs import from_action
from registry_config.errors import EXIT_BUG, EXIT_UNAVAILABLE, RegistryConfigError
from registry_config.execution import execute
from registry_config.github.summary import summarize
from registry_config.host.process_environment import withdraw
from registry_config.job import prepare
from registry_config.report import Report

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from registry_config.declaration.inputs import Inputs
    from registry_config.github.workflow import SafeOutput, Workflow
    from registry_config.targets import Kept, Observer

_EXIT_BROKEN_PIPE: Final = 128 + signal.SIGPIPE
# What a machine has run out of, or does not let us write to, is no fault of ours.
_EXHAUSTED: Final = frozenset(
    (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
)


def run_and_exit() -> NoReturn:
    """The entry point of the command. Ends the process at once: taking Python down would cost a tenth of our start."""
    _open_missing_streams()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Until a command runs a signal simply ends us, without Python's traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    os._exit(main())


def _open_missing_streams() -> None:
    """Give a stream that was closed before our start to /dev/null: the next file opened would take its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115


def main() -> int:
    """Run the command line; gives the exit code of the process."""
    # A core file would hold the credentials.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    try:
        code = _action() if sys.argv[1:] == ["action"] else _command_line(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _EXIT_BROKEN_PIPE
    except Exception as error:  # noqa: BLE001  (the one place; anything unforeseen is our own fault)
        if isinstance(error, OSError) and error.errno in _EXHAUSTED:
            _say(f"this machine: {os.strerror(error.errno).lower()}")
            return EXIT_UNAVAILABLE
        _say(_describe_bug(error))
        return EXIT_BUG
    return code


def _command_line(arguments: list[str]) -> int:
    from registry_config.cli import arguments as command_line  # noqa: PLC0415  (argparse is of no use to the action)

    try:
        options, argv = command_line.parse(arguments)
    except RegistryConfigError as error:
        _say(str(error))
        return error.exit_code
    try:
        inputs = command_line.to_inputs(options, argv, os.environ)
        if options.action == "check":
            return _check(inputs)
        return _run(inputs, options)
    except RegistryConfigError as error:
        _say(str(error))
        _write_json(options.json, Report(error=str(error)))
        return error.exit_code


def _check(inputs: Inputs) -> int:
    from registry_config.cli.check import describe  # noqa: PLC0415
    from registry_config.declaration.registries import parse_registries  # noqa: PLC0415

    sys.stdout.write("\n".join((*describe(parse_registries(inputs.registries), inputs.image, inputs.argv), "")))
    return 0


def _run(inputs: Inputs, options: argparse.Namespace) -> int:
    # On standard input or in a pipe it is no file of the working directory.
    job = prepare(
        inputs,
        os.environ,
        withdrawn=tuple(filter(None, [options.github_token_env])),
        withheld=() if options.registries == "-" else (options.registries,),
    )
    withdraw(job.withdrawn)
    for warning in job.warnings:
        _say(warning)
    if job.skip_reason:
        _say(job.skip_reason)
        _write_json(options.json, Report(skipped=True, error=job.skip_reason))
        return 0
    streams = _Streams()
    with _observer(job.targets, streams) as observer:
        report = execute(job, inputs, streams, observer, stdin_is_ours=options.registries == "-")
    sys.stdout.write("".join(f"{line}\n" for line in report.planned))
    for line in report.warnings:
        _say(line)
    for target in report.failed:
        for line in (target.reason, *target.hints):
            _say(f"{target.target}: {line}" if target.target else line)
    _write_json(options.json, report)
    return report.exit_code or 0


@contextmanager
def _observer(targets: tuple[str, ...], streams: _Streams) -> Iterator[Observer]:
    def show(_: str, output: Kept) -> None:
        output.replay(streams)

    if not targets:
        yield progress.silent()
    elif sys.stderr.isatty():
        with progress.table(targets, show) as observer:
            yield observer
    else:
        yield progress.lines(_say, show)


def _action() -> int:
    from registry_config.github.workflow import SafeOutput, Workflow  # noqa: PLC0415  (the command line has no runner)

    workflow = Workflow(os.environ)
    inputs = None
    try:
        inputs = from_action(os.environ)
        job = prepare(inputs, os.environ)
        withdraw(job.withdrawn)
        workflow.mask(job.forms)
        for warning in job.warnings:
            workflow.annotate("warning", warning)
        if job.skip_reason:
            report = Report(skipped=True, error=job.skip_reason)
            workflow.annotate("notice", job.skip_reason)
        else:
            output = SafeOutput(job.redactor)
            try:
                report = execute(job, inputs, output, _workflow_observer(job.targets, workflow, output))
            finally:
                output.flush()
            _annotate(workflow, report)
        code = report.exit_code or 0
    except RegistryConfigError as error:
        report, code = Report(error=str(error)), error.exit_code
        workflow.annotate("error", str(error))
    for name, value in report.outputs().items():
        workflow.output(name, value)
    if inputs is None or inputs.summary:
        workflow.summary(summarize(report))
    return code


def _workflow_observer(targets: tuple[str, ...], workflow: Workflow, output: SafeOutput) -> Observer:
    def show(target: str, kept: Kept) -> None:
        output.flush()
        with workflow.group(target):
            kept.replay(output)
            output.flush()

    return progress.lines(workflow.line, show) if targets else progress.silent()


def _annotate(workflow: Workflow, report: Report) -> None:
    for line in report.planned:
        workflow.line(line)
    for warning in report.warnings:
        workflow.annotate("warning", warning)
    for target in report.failed:
        place = f"{target.target}: " if target.target else ""
        workflow.annotate("error", place + "\n".join((target.reason, *target.hints)))


class _Streams:
    """The tool's streams passed on to ours, byte for byte."""

    @property
    def stdout(self) -> Callable[[bytes], None]:
        return lambda data: _write_all(1, data)

    @property
    def stderr(self) -> Callable[[bytes], None]:
        return lambda data: _write_all(2, data)

    @property
    def progress(self) -> Callable[[bytes], None]:
        # The streams are the tool's; why an engine cannot be had is told by the error.
        return lambda _: None


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _write_json(path: str, report: Report) -> None:
    if path:
        try:
            with open(path, "w", encoding="utf-8") as file:
                file.write(json.dumps(report.to_document(), indent=2, ensure_ascii=False) + "\n")
        except OSError as error:
            _say(f"--json: cannot be written ({(error.strerror or 'unknown').lower()})")


def _say(text: str) -> None:
    # Nobody to hear it is no reason to lose the command's exit code.
    with suppress(OSError):
        sys.stderr.write(f"registry-config: {text}\n")
        sys.stderr.flush()


def _describe_bug(error: BaseException) -> str:
    """Type and lines of our code, without the message: that could quote anything."""
    lines = []
    trace = error.__traceback__
    while trace:
        code = trace.tb_frame.f_code
        lines.append(f"  {os.path.basename(code.co_filename)}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return "\n".join((f"a fault of ours ({type(error).__name__}); please report these lines", *lines))


if __name__ == "__main__":
    run_and_exit()
