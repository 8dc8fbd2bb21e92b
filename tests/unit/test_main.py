"""The entry: what it says of faults that nobody foresaw, and what it leaves to the process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from registry_config.__main__ import main
from registry_config.github.inputs import variable
from registry_config.version import VERSION
from support.cli import PROGRAM
from support.leaks import search

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

_TOKEN = "tOkEnGhp0123456789aBcDeFgHiJkLmNoPq"


def test_an_internal_error_is_told_by_its_place_and_never_by_its_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A folder in place of the runner's file is not foreseen; the system's message names its path."""
    (tmp_path / _TOKEN).mkdir()
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / _TOKEN))
    monkeypatch.setenv(variable("registries"), "[]")
    monkeypatch.setenv(variable("command"), "true")
    monkeypatch.setattr(sys, "argv", ["registry-config", "action"])
    assert main() == 70
    shown = capfd.readouterr()
    first, *lines = shown.err.splitlines()
    assert shown.out == f"registry-config {VERSION}: no registry\n[command]true\n"
    assert first == "registry-config: internal error (IsADirectoryError); please report these lines"
    assert [line for line in lines if not line.startswith(("  __main__.py:", "  action.py:", "  workflow.py:"))] == []
    assert search({"stderr": shown.err.encode()}, _TOKEN) == []


def test_a_json_file_that_cannot_be_written_is_found_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "list").write_text("[]")
    monkeypatch.chdir(tmp_path)
    words = ("run", "--registries", "list", "--json", ".", "--", "touch", "ran")
    monkeypatch.setattr(sys, "argv", ["registry-config", *words])
    assert main() == 64
    message = "--json: cannot be written (is a directory); name a file in a folder that is there"
    assert capfd.readouterr() == ("", f"registry-config: {message}\n")
    assert not (tmp_path / "ran").exists()


def test_the_document_goes_to_standard_output_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "list").write_text("[]")
    monkeypatch.chdir(tmp_path)
    words = ("run", "--registries", "list", "--json", "-", "--", "sh", "-c", "echo out; echo err >&2; exit 3")
    monkeypatch.setattr(sys, "argv", ["registry-config", *words])
    assert main() == 3
    came = capfd.readouterr()
    assert (json.loads(came.out)["exit-code"], json.loads(came.out)["stdout"]) == (3, "out\n")
    assert sorted(came.err.splitlines()) == ["err", "out", "registry-config: the command failed with exit code 3"]


def test_a_current_folder_that_was_deleted_is_no_internal_error(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    (tmp_path / "list").write_text("- {registry: a.example, credential-helper: x}\n")
    script = 'rmdir "$PWD" && exec "$@"'
    words = ["sh", "-c", script, "sh", *PROGRAM, "run", "--registries", str(tmp_path / "list"), "--", "true"]
    done = subprocess.run(words, cwd=folder, capture_output=True, check=False, timeout=60)
    message = "this machine: the current folder is not there any more; change to another one"
    assert (done.returncode, done.stderr.decode()) == (69, f"registry-config: {message}\n")


def test_a_core_file_is_never_written(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("[]")
    # As large a file as is allowed, until our process says otherwise.
    script = 'ulimit -Sc "$(ulimit -Hc)" && exec "$@"'
    words = ["sh", "-c", script, "sh", *PROGRAM, "run", "--registries", "list", "--", "sh", "-c", "ulimit -Sc"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, check=True, timeout=60)
    assert done.stdout == b"0\n"


def test_nobody_who_reads_ends_the_run_as_in_any_pipeline(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("- {registry: a.example, username: u, password: long-enough}\n")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*PROGRAM, "check", "--registries", "list"],
        cwd=tmp_path,
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")
