"""The working directory goes into an image and what changed comes back, but for what could do harm here."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from support.cli import lines_of_ours, wait_for
from support.tables import table

if TYPE_CHECKING:
    from pathlib import Path

    from support.engine import Bench

_LIST = "find . ! -type d | sort"


def _files(folder: Path) -> dict[str, str]:
    """Text of each file below a folder; of a link its target."""
    return {
        str(path.relative_to(folder)): f"-> {path.readlink()}" if path.is_symlink() else path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


@table("code", {"after a success": 0, "after a failure": 3})
def test_what_changed_comes_back_and_nothing_else_is_touched(bench: Bench, code: int) -> None:
    work = bench.machine.work
    (work / "sub").mkdir()
    for name in ("kept", "changed", "deleted", "sub/changed", "read-only"):
        (work / name).write_text("before")
    (work / "read-only").chmod(0o444)
    (bench.machine.root / "outside").write_text("before")
    (work / "link").symlink_to("../outside")
    (work / "same").hardlink_to(work / "changed")
    kept = (work / "kept").stat().st_mtime_ns
    script = (
        "echo after | tee changed sub/changed made new/deep/made read-only; rm deleted link; echo after > link;"
        " ln -s made inward; chmod 750 made; exit "
    )
    done = bench.run(f"mkdir -p new/deep; {script}{code}", options=["--shell", "sh"])
    assert (done.code, lines_of_ours(done.stderr)) == (
        code,
        [f"the command failed with exit code {code}"] if code else [],
    )
    assert _files(work) == {
        "changed": "after\n",
        "deleted": "before",
        "inward": "-> made",
        "kept": "before",
        "link": "after\n",
        "made": "after\n",
        "new/deep/made": "after\n",
        "read-only": "after\n",
        "same": "before",
        "sub/changed": "after\n",
    }
    assert (bench.machine.root / "outside").read_text() == "before"
    assert (work / "made").stat().st_mode & 0o7777 == 0o750
    assert (work / "kept").stat().st_mtime_ns == kept
    assert list(bench.machine.temporary.iterdir()) == []


def test_a_user_of_the_image_may_change_what_was_there(bench: Bench) -> None:
    (bench.machine.work / "there").write_text("before\n")
    (bench.machine.work / "there").chmod(0o600)
    done = bench.run("echo after >> there; cp there made", image="user by name", options=["--shell", "sh"])
    assert (done.code, done.stderr) == (0, b"")
    assert _files(bench.machine.work) == {"made": "before\nafter\n", "there": "before\nafter\n"}


def test_nothing_above_the_working_directory_is_seen(bench: Bench) -> None:
    (bench.machine.work / "sub").mkdir()
    (bench.machine.work / "sub/inside").write_text("")
    (bench.machine.work / "outside").write_text("")
    done = bench.run(f"pwd; {_LIST}; echo > made", options=["--shell", "sh", "-C", "sub"])
    assert (done.code, done.stdout) == (0, b"/workspace\n./inside\n")
    assert sorted(_files(bench.machine.work)) == ["outside", "sub/inside", "sub/made"]


def test_what_is_excluded_or_holds_a_credential_neither_goes_nor_comes(bench: Bench) -> None:
    work = bench.machine.work
    for name in ("a.txt", "b.log", "dist/c.txt", "sub/dist/d.txt", "sub/.git/config", ".git/config", "keep.log"):
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text("before")
    for name in ("gha-creds-1.json", "sub/gha-creds-2.json", "odd [name]", "a.txt"):
        (work / name).write_text("password-in-a-file")
    # The declaration lies beside the files, and so do the passwords that it names, one of them behind a link.
    (work / "by-link").symlink_to(work)
    entries = [
        {"registry": "a.example", "username": "alice", "password-file": "odd [name]"},
        {"registry": "b.example", "username": "alice", "password-file": "by-link/sub/password"},
        {"registry": "c.example", "username": "alice", "password": "password-in-the-declaration"},
        bench.tools.login,
    ]
    (work / "sub/password").write_text("password-behind-a-link")
    declaration = bench.machine.declare(entries, name="work/registries.yaml")
    options = ["--image", bench.tools.reference("shell"), "--shell", "sh"]
    for pattern in ("*.log", "!keep.log", "/dist", "# *", "!**/.git", "!odd*"):
        options += ["--exclude", pattern]
    done = bench.machine.run(
        f"{_LIST}; echo after | tee b.log keep.log gha-creds-1.json registries.yaml 'odd [name]'",
        registries=declaration,
        options=options,
    )
    assert done.code == 0, done.stderr
    assert done.stdout.decode().splitlines() == ["./a.txt", "./by-link", "./keep.log", "./sub/dist/d.txt", "after"]
    changed = {name for name, text in _files(work).items() if text == "after\n"}
    assert (changed, lines_of_ours(done.stderr)) == ({"keep.log"}, [])


def test_what_could_do_harm_stays_in_the_image_and_is_named(bench: Bench) -> None:
    (bench.machine.work / "linked").symlink_to(bench.machine.temporary)
    (bench.machine.work / "folder").mkdir()
    script = """
mkdir -p .git/hooks sub/.github/workflows sub/deep
echo > .git/hooks/pre-commit; echo > sub/.github/workflows/ci.yml; echo > fine
ln -s /etc/passwd absolute; ln -s ../../outside up; ln -s deep/../../../outside sub/winding; ln -s deep sub/inward
cp /bin/true setuid; chmod 4755 setuid; cp /bin/true setgid; chmod 2755 setgid
rm linked; mkdir linked; echo > linked/file; rmdir folder; echo > folder
"""
    done = bench.run(script, options=["--shell", "sh"])
    assert done.code == 0, done.stderr
    assert lines_of_ours(done.stderr) == [
        "left in the image: .git (git and GitHub run what lies there)",
        "left in the image: absolute (a link that leads out of the working directory)",
        "left in the image: folder (a folder of that name stands here)",
        "left in the image: linked/file (its folder is a link here)",
        "left in the image: setgid (runs as another user)",
        "left in the image: setuid (runs as another user)",
        "left in the image: sub/.github/workflows/ci.yml (git and GitHub run what lies there)",
        "left in the image: sub/winding (a link that leads out of the working directory)",
        "left in the image: 1 more",
    ]
    assert _files(bench.machine.work) == {
        "fine": "\n",
        "linked": f"-> {bench.machine.temporary}",
        "sub/inward": "-> deep",
    }
    assert list(bench.machine.temporary.iterdir()) == []


def _without_rights(bench: Bench) -> Bench:
    """The same for a user who may not pass every folder, as root may."""
    prefix = () if os.geteuid() else ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
    return replace(bench, machine=replace(bench.machine, prefix=(*bench.machine.prefix, *prefix)))


def test_what_this_user_may_not_write_stays_and_the_others_come(bench: Bench) -> None:
    closed = bench.machine.work / "closed"
    closed.mkdir()
    (closed / "there").write_text("before")
    closed.chmod(0o555)
    script = "chmod 755 closed; echo > closed/new; echo >> closed/there; echo > fine"
    done = _without_rights(bench).run(script, options=["--shell", "sh"])
    assert (done.code, lines_of_ours(done.stderr)) == (
        0,
        [f"left in the image: closed/{name} (this user may not write it here)" for name in ("new", "there")],
    )
    assert _files(bench.machine.work) == {"closed/there": "before", "fine": "\n"}


def test_a_folder_that_this_user_may_not_read_is_named(bench: Bench) -> None:
    (bench.machine.work / "sub/closed").mkdir(parents=True)
    (bench.machine.work / "sub/closed").chmod(0)
    unprivileged = _without_rights(bench)
    done = unprivileged.run("true")
    message = "this user may not read sub/closed; leave it out with --exclude, or change its permissions"
    assert (done.code, lines_of_ours(done.stderr)) == (64, [f"--working-directory: {message}"])
    assert unprivileged.run("true", options=["--exclude", "sub/closed"]).code == 0


_STOPPED = "the run was stopped: the files that its commands wrote stayed in the image"


def test_a_signal_before_the_files_have_come_is_told(bench: Bench) -> None:
    with bench.start("head -c 300000000 /dev/urandom > large", options=["--shell", "sh"]) as process:
        wait_for(lambda: list(bench.machine.temporary.iterdir()), 30)
        process.terminate()
        _, stderr = process.communicate()
    assert (process.returncode, lines_of_ours(stderr)) == (143, [_STOPPED, "ended by signal 15"])
    assert [list(folder.iterdir()) for folder in (bench.machine.work, bench.machine.temporary)] == [[], []]


def test_a_signal_while_the_files_are_put_in_their_places_loses_none(bench: Bench) -> None:
    count = 3000
    script = f"i=0; while [ $i -lt {count} ]; do echo > file-$i; i=$((i + 1)); done"
    with bench.start(script, options=["--shell", "sh"]) as process:
        wait_for(lambda: list(bench.machine.work.iterdir()), 30)
        process.terminate()
        _, stderr = process.communicate()
    assert len(list(bench.machine.work.iterdir())) == count
    # The last file may have been before the signal.
    assert lines_of_ours(stderr) in ([], ["ended by signal 15"])


@table(
    "script, named",
    {
        "the config": ('cp "$DOCKER_CONFIG/config.json" sub/copy.json', "sub/copy.json"),
        "a password in a file of its own": ("cat /run/oci-auth/parts/1 > raw; cat /run/oci-auth/parts/0 >> raw", "raw"),
        "base64 of it": ("base64 /run/oci-auth/parts/1 > encoded", "encoded"),
        "a link's target": ("ln -s $(cat /run/oci-auth/parts/1) link", "link"),
        "a name": ("echo > $(cat /run/oci-auth/parts/1).txt", "***.txt"),
        "a file of the user": ('cp "$DOCKER_CONFIG/config.json" there', "there"),
        "after a failure": ('cp "$DOCKER_CONFIG/config.json" copy; exit 3', "copy"),
    },
)
def test_a_file_with_a_secret_is_deleted_and_named_and_fails_the_run(bench: Bench, script: str, named: str) -> None:
    (bench.machine.work / "sub").mkdir()
    (bench.machine.work / "there").write_text("before")
    done = bench.run(
        f"echo > fine; {script}",
        registries=[{"registry": "registry.example", "username": "alice", "password": "~password-of-alice"}],
        options=["--shell", "sh"],
    )
    problem = f"a file that came back held a secret and was deleted: {named}"
    message = f"--working-directory: {problem}; write no credential into the working directory"
    assert (done.code, done.stdout, lines_of_ours(done.stderr)) == (65, b"", [message])
    assert _files(bench.machine.work) == {"fine": "\n", "there": "before"}
    assert list(bench.machine.temporary.iterdir()) == []
