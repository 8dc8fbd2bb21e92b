"""The program that holds a config in memory, and the folder of links that leads there, and knows nothing else.

It runs as a process of its own, started afresh by an interpreter without anything but the standard library
(`-I -S`), with three variables of the environment at most: the config is a memory file that it was handed open, so
nothing else of the process that started it has ever been in its memory. A tool that looks into it learns what it was
to be shown anyway.
"""

from __future__ import annotations

import os

_TO_BE_KEPT = b"k"


def main(words: list[str]) -> None:
    """Hold the config until the end of the process that started this one, or longer if that says so.

    Args:
        words: the folder; the descriptors of the config and of a pipe; seconds until the end, 0 for no limit. Where
            the pipe ends without a word, its writer is gone and nobody needs the config any more.
    """
    import resource  # noqa: PLC0415  (the process that starts this one takes `remove_folder` from here, at no cost)
    import signal  # noqa: PLC0415

    folder, config, pipe, seconds = words[0], int(words[1]), int(words[2]), float(words[3])
    ends = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGALRM)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        for number in ends:
            signal.signal(number, _end)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        mapping = _locked(config)
        _say_ready()
        if os.read(pipe, 1) == _TO_BE_KEPT:
            os.close(pipe)
            while True:
                signal.pause()
        del mapping
    finally:
        for number in ends:
            signal.signal(number, signal.SIG_IGN)
        remove_folder(folder)


def remove_folder(folder: str) -> None:
    """Remove a folder of links, and all that tools have made in it."""
    try:
        for name in os.listdir(folder):
            os.unlink(f"{folder}/{name}")
        os.rmdir(folder)
    except OSError:
        # A tool made a folder of its own there.
        import shutil  # noqa: PLC0415  (costs a third of a start, and is hardly ever needed)

        shutil.rmtree(folder, ignore_errors=True)


def _end(*_: object) -> None:
    raise SystemExit(0)


def _locked(descriptor: int) -> object:
    """Keep the pages out of swap where the memory limit allows it; SECURITY.md says that swap is not promised."""
    import mmap  # noqa: PLC0415

    try:
        return mmap.mmap(descriptor, 0, flags=mmap.MAP_PRIVATE | 0x2000, prot=mmap.PROT_READ)  # MAP_LOCKED
    except OSError:
        return None


def _say_ready() -> None:
    """Tell who waits for it on standard output; nobody there is no matter."""
    try:  # noqa: SIM105  (contextlib would double the time until this process is ready)
        os.write(1, b"r")
    except OSError:
        pass
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    os.close(nothing)
