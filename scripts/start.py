"""Starts registry-config from a folder of this project that is not installed.

`start.py WORDS...` runs the command line. Dependencies come from `dist` beside `scripts` where Python runs without
`site` (`-S`), and else from the environment that Python belongs to. `start.py --fits` prints the path of this Python,
and fails where what is in `dist` was not compiled for it.
"""

import sys
from _imp import extension_suffixes
from posix import confstr

_ROOT = __file__.rpartition("/scripts/")[0]


def main() -> None:
    """Run, or answer."""
    if sys.argv[1:] == ["--fits"]:
        if not fits(f"{_ROOT}/dist"):
            sys.exit(1)
        print(sys.executable)
        return
    sys.path[:0] = [f"{_ROOT}/src", f"{_ROOT}/dist"] if sys.flags.no_site else [f"{_ROOT}/src"]
    from registry_config.__main__ import run_and_exit  # noqa: PLC0415  (found only now)

    run_and_exit()


def fits(folder: str) -> bool:
    """Whether the compiled module in a bundle is for this Python.

    Args:
        folder: made by `scripts/bundle`.

    Returns:
        Whether it is there under the suffix of this Python, such as `.cpython-312-x86_64-linux-gnu.so`. The suffix
        names the implementation, its version, whether it is free-threaded or a debug build, the architecture and
        the C library; not every build with musl names that one, so glibc is asked for its version too.
    """
    try:
        glibc = (confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
        with open(f"{folder}/ahocorasick_rs/ahocorasick_rs{extension_suffixes()[0]}", "rb"):
            return glibc
    except (OSError, ValueError):
        return False


if __name__ == "__main__":
    main()
