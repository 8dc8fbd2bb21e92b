"""Starts the process safely, picks the action or the command line, and is the only place that catches everything."""

from __future__ import annotations

import errno
import gc
import os
import resource
import signal
import sys
from contextlib import suppress

from registry_config.errors import EXIT_BUG, EXIT_UNAVAILABLE
from registry_config.light_typing import Final, NoReturn

_EXIT_BROKEN_PIPE: Final = 128 + signal.SIGPIPE
# From one search for garbage to the next.
_ALLOCATIONS: Final = 100_000
# What a machine has run out of, or does not let us write to, is no internal error.
_EXHAUSTED: Final = frozenset(
    (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
)


def run_and_exit() -> NoReturn:
    """The entry point of the command. Ends the process at once: taking Python down would cost a tenth of our start."""
    # What is imported stays: to look for garbage among it would cost a twentieth of our start.
    gc.disable()
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
    """Run the action or the command line; gives the exit code of the process."""
    # A core file would hold the credentials. The limit 1 holds where a program takes the core by a pipe as well, which
    # 0 does not (core(5), "Piping core dumps to a program").
    most = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (min(1, most) if most != resource.RLIM_INFINITY else 1, most))
    try:
        code = _front_end(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _EXIT_BROKEN_PIPE
    except Exception as error:  # noqa: BLE001  (the one place; anything unforeseen is an error of ours)
        if isinstance(error, OSError) and error.errno in _EXHAUSTED:
            _say(f"this machine: {os.strerror(error.errno).lower()}")
            return EXIT_UNAVAILABLE
        if isinstance(error, FileNotFoundError) and _is_nowhere():
            _say("this machine: the current folder is not there any more; change to another one")
            return EXIT_UNAVAILABLE
        _say(_describe_bug(error))
        return EXIT_BUG
    return code


def _is_nowhere() -> bool:
    """Whether the current folder was deleted; most of what we do needs none."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def _front_end(words: list[str]) -> int:
    if words == ["--version"]:
        from registry_config.version import VERSION  # noqa: PLC0415

        sys.stdout.write(f"registry-config {VERSION}\n")
        return 0
    if words == ["action"]:
        from registry_config.github.action import run_action  # noqa: PLC0415  (the command line has no runner)

        collect_garbage()
        return run_action(os.environ)
    if words[:1] == ["agent"]:
        return _agent(words[1:])
    from registry_config.cli.command_line import run_command_line  # noqa: PLC0415  (argparse is of no use to the action)

    collect_garbage()
    return run_command_line(words, os.environ)


def collect_garbage() -> None:
    """From now on, seldom, and never among what was imported: to redact makes many tuples, none of them garbage."""
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS)
    gc.enable()


def _agent(words: list[str]) -> int:
    if words == ["action"]:
        from registry_config.github.agent import run_agent_action  # noqa: PLC0415  (as above)

        return run_agent_action(os.environ)
    from registry_config.cli.agent import run_agent  # noqa: PLC0415

    return run_agent(words, os.environ)


def _say(text: str) -> None:
    # Nobody to hear it is no reason to lose the exit code.
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
    return "\n".join((f"internal error ({type(error).__name__}); please report these lines", *lines))


if __name__ == "__main__":
    run_and_exit()
