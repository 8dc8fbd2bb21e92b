"""`registry-config run` and `check`: options in, the tool's streams passed on, our own lines on standard error."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from functools import partial

from registry_config.audience import speak_to_command_line
from registry_config.cli import arguments as command_line
from registry_config.cli.json_file import JsonFile
from registry_config.errors import RegistryConfigError
from registry_config.execution import execute, skip
from registry_config.github.event import read_origin
from registry_config.host.process_environment import scrub_environment
from registry_config.job import prepare
from registry_config.light_typing import TYPE_CHECKING
from registry_config.observer import lines, retries_only
from registry_config.report import Report, refusal
from registry_config.streams import write_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping

    from registry_config.buffered_output import BufferedOutput
    from registry_config.declaration.inputs import Inputs
    from registry_config.job import Job
    from registry_config.observer import Observer


def run_command_line(words: list[str], environ: MutableMapping[str, str]) -> int:
    """Run what the words say; gives the exit code.

    Args:
        words: the arguments after the program's name.
        environ: the process's own environment; what no child may find is taken out of it.
    """
    speak_to_command_line()
    try:
        options, argv = command_line.parse(words)
    except RegistryConfigError as error:
        say(str(error))
        return error.exit_code
    report_file = None
    try:
        report_file = JsonFile(options.json)
        inputs = command_line.to_inputs(options, argv, environ)
        if options.action == "check":
            return _check(inputs, environ, report_file)
        report = _run(inputs, environ, report_file)
        code = report.exit_code or 0
    except RegistryConfigError as error:
        report, code = refusal(error), error.exit_code
        say(str(error))
    finally:
        # Of what nobody foresaw the entry tells on standard error, and never what it was.
        if report_file and not report_file.is_written and not report_file.takes_stdout and sys.exc_info()[0]:
            report_file.write(Report(error="the run broke off; see standard error").to_document(), say)
    if report_file:
        report_file.write(report.to_document(), say)
    return code


def say(text: str) -> None:
    """Write a line of ours to standard error."""
    # Nobody to hear it is no reason to lose the command's exit code.
    with suppress(OSError):
        sys.stderr.write(f"registry-config: {text}\n")
        sys.stderr.flush()


def _say_hidden(job: Job, text: str) -> None:
    say(job.redactor.text(text))


def _say_nothing(_: str) -> None:
    pass


def _check(inputs: Inputs, environ: MutableMapping[str, str], report_file: JsonFile) -> int:
    from registry_config.cli.check import check, describe, to_document  # noqa: PLC0415  (`run` has no use for it)

    # The verdicts are part of what is described.
    checked = check(inputs, read_origin(environ), environ, retries_only(say))
    report_file.hide = hide = checked.job.redactor.text
    if not report_file.takes_stdout:
        write_all(1, "".join(f"{hide(line)}\n" for line in describe(checked)).encode("utf-8", "replace"))
    report_file.write(to_document(checked), say)
    if checked.refusal is None:
        return 0
    say(str(checked.refusal))
    return checked.refusal.exit_code


def _run(inputs: Inputs, environ: MutableMapping[str, str], report_file: JsonFile) -> Report:
    job = prepare(inputs, read_origin(environ), environ)
    scrub_environment(job.hidden_variables, environ)
    # From here on all that we say passes the redaction, wherever it is from.
    report_file.hide = job.redactor.text
    loud = partial(_say_hidden, job)
    tell = _say_nothing if inputs.quiet else loud
    for line in (*job.warnings, *job.notices):
        tell(line)
    if job.skip_reason:
        report = skip(job, environ)
        tell(job.skip_reason)
        return report
    streams = Streams(verbose=inputs.verbose, stdout=2 if report_file.takes_stdout else 1)
    with _observer(job, inputs, streams, tell) as observer:
        report = execute(job, inputs, dict(environ), streams, observer)
    write_all(streams.descriptor, "".join(f"{line}\n" for line in report.planned).encode("utf-8", "replace"))
    for line in report.warnings:
        tell(line)
    for target in report.failed:
        for line in (target.reason, *target.hints):
            loud(f"{target.name}: {line}" if target.name else line)
    streams.detail(f"took {report.seconds:.1f} s")
    return report


@contextmanager
def _observer(job: Job, inputs: Inputs, streams: Streams, tell: Callable[[str], None]) -> Iterator[Observer]:
    on_terminal = sys.stderr.isatty() and not inputs.quiet

    def show(name: str, output: BufferedOutput) -> None:
        if on_terminal:
            _say_hidden(job, f"output of {name}")
        output.replay(streams)

    if job.names and on_terminal:
        from registry_config.cli.progress import table  # noqa: PLC0415  (a terminal only)

        with table(job.names, show, tell, job.redactor.text) as observer:
            yield observer
    elif job.names:
        yield lines(tell, show)._replace(on_note=tell, on_warning=tell)
    elif on_terminal and (waited_for := _waited_for(job, inputs)):
        from registry_config.cli.progress import waiting  # noqa: PLC0415  (a terminal only)

        with waiting(job.redactor.text(f"waiting for {waited_for}")) as line:
            streams.before_first = line.stop
            above = partial(line.above, tell)
            yield retries_only(tell)._replace(on_note=above, on_warning=above)
    else:
        yield retries_only(tell)._replace(on_note=tell, on_warning=tell)


def _waited_for(job: Job, inputs: Inputs) -> str:
    """What takes a while before the first command; empty where nothing does."""
    registries = [] if inputs.verify == "off" else [", ".join(job.registries)]
    image = [f"the engine and the image {job.image.reference}"] if job.image else []
    return ", then for ".join(filter(None, (*registries, *image)))


class Streams:
    """The tool's streams passed on to ours, byte for byte.

    Args:
        verbose: whether details are told.
        stdout: descriptor that takes the tool's standard output.

    Attributes:
        descriptor: the same.
        before_first: called before anything is written for the first time.
    """

    def __init__(self, *, verbose: bool, stdout: int) -> None:
        self.descriptor = stdout
        self.before_first: Callable[[], None] = _nothing
        self._verbose = verbose

    @property
    def stdout(self) -> Callable[[bytes], None]:
        """See `plan.Output`."""
        return lambda data: self._write(self.descriptor, data)

    @property
    def stderr(self) -> Callable[[bytes], None]:
        """See `plan.Output`."""
        return lambda data: self._write(2, data)

    @property
    def title(self) -> Callable[[str], None]:
        """See `plan.Output`; without --verbose a terminal shows what the person typed anyway."""
        return self._title

    @property
    def detail(self) -> Callable[[str], None]:
        """See `plan.Output`."""
        return self._detail if self._verbose else lambda _: None

    @property
    def engine_log(self) -> Callable[[bytes], None]:
        """See `plan.Output`. The streams are the tool's; why an engine cannot be had is told by the error."""
        return lambda _: None

    def _title(self, text: str) -> None:
        # From here on the command is what is waited for.
        self._first()
        self.detail(text)

    def _detail(self, text: str) -> None:
        self._first()
        say(text)

    def _write(self, descriptor: int, data: bytes) -> None:
        self._first()
        write_all(descriptor, data)

    def _first(self) -> None:
        self.before_first()
        self.before_first = _nothing


def _nothing() -> None:
    pass
