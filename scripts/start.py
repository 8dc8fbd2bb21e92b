"""Starts registry-config from a folder of this project that is not installed.

`start.py WORDS...` runs the command line. Dependencies come from `dist` beside `scripts` where Python runs without
`site` (`-S`), and else from the environment that Python belongs to. `start.py --fits` prints the path of this Python,
and fails where what is in `dist` was not compiled for it.
"""

from __future__ import annotations

import sys
from _imp import extension_suffixes
from posix import confstr, stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_ROOT = __file__.rpartition("/scripts/")[0]


def main() -> None:
    """Run, or answer."""
    if sys.argv[1:] == ["--fits"]:
        if not fits(_size_in_dist):
            sys.exit(1)
        print(sys.executable)
        return
    sys.path[:0] = [f"{_ROOT}/src", f"{_ROOT}/dist"] if sys.flags.no_site else [f"{_ROOT}/src"]
    from registry_config.__main__ import run_and_exit  # noqa: PLC0415  (found only now)

    run_and_exit()


def fits(size: Callable[[str], int]) -> bool:
    """Whether the compiled module in a bundle is for this Python.

    It is there under the suffix of this Python, such as `.cpython-312-x86_64-linux-gnu.so`. The suffix names the
    implementation, its version, whether it is free-threaded or a debug build, the architecture and the C library; not
    every build with musl names that one, so glibc is asked for its version too.

    Args:
        size: of a file of the bundle; an `OSError` where it is not there.
    """
    try:
        glibc = (confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
        return glibc and size(f"ahocorasick_rs/ahocorasick_rs{extension_suffixes()[0]}") > 0
    except (OSError, ValueError):
        return False


def _size_in_dist(name: str) -> int:
    return stat(f"{_ROOT}/dist/{name}").st_size


if __name__ == "__main__":
    main()
