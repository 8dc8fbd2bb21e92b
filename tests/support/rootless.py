"""A user without privileges, with subordinate ids, for tests of what rootless tools do."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from support.cli import PROGRAM, Machine

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGES = ("registry_config", "yaml", "_yaml", "ahocorasick_rs")
_NOT_NEEDED = ("site-packages", "test", "tests", "__pycache__", "config-*", "ensurepip", "idlelib", "tkinter")


@contextmanager
def rootless_machine() -> Iterator[Machine]:
    """A machine of this user; of a new one, gone afterwards, where this user is root.

    Raises:
        LookupError: this user has no subordinate ids.
    """
    if os.geteuid():
        if f"{pwd.getpwuid(os.geteuid()).pw_name}:" not in Path("/etc/subuid").read_text():
            raise LookupError("this user has no subordinate ids in /etc/subuid")
        with tempfile.TemporaryDirectory() as folder:
            yield Machine(Path(folder))
        return
    name = f"registry-config-{os.getpid()}"
    subprocess.run(["useradd", "--no-create-home", "--user-group", name], check=True, capture_output=True)
    try:
        # Not in pytest's folder, which is closed to other users.
        with tempfile.TemporaryDirectory() as folder:
            yield _of_user(Path(folder), pwd.getpwnam(name))
    finally:
        subprocess.run(["userdel", name], check=True, capture_output=True)


def _of_user(root: Path, user: pwd.struct_passwd) -> Machine:
    root.chmod(0o755)
    prefix = ("setpriv", "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--init-groups")
    machine = Machine(root / "user", prefix)
    for folder in (machine.root, machine.home, machine.temporary, machine.work):
        os.chown(folder, user.pw_uid, user.pw_gid)
    # By a shell: what setpriv starts itself it starts with root's right to pass closed folders.
    own = (*prefix, "sh", "-c", 'exec "$@"', "sh")
    readable = subprocess.run([*own, *PROGRAM, "--help"], cwd="/", capture_output=True, check=False)
    if not readable.returncode:
        return machine
    variables = _copy_python(root / "python")
    return Machine(machine.root, prefix, (str(root / "python/bin/python3"), "-m", "registry_config"), variables)


def _copy_python(folder: Path) -> dict[str, str]:
    """Copy our interpreter, with what the program needs, to where everybody can read it."""
    library, packages = folder / "lib" / Path(sysconfig.get_path("stdlib")).name, folder / "packages"
    shutil.copytree(sysconfig.get_path("stdlib"), library, ignore=shutil.ignore_patterns(*_NOT_NEEDED))
    (folder / "bin").mkdir()
    shutil.copy(Path(sys.executable).resolve(), folder / "bin/python3")
    for shared in Path(sysconfig.get_config_var("LIBDIR")).glob("libpython*.so*"):
        shutil.copy(shared, folder / "lib")
    for name in _PACKAGES:
        spec = importlib.util.find_spec(name)
        for place in (spec and spec.submodule_search_locations) or ():
            shutil.copytree(place, packages / name)
    return {"PYTHONHOME": str(folder), "PYTHONPATH": str(packages), "LD_LIBRARY_PATH": str(folder / "lib")}
