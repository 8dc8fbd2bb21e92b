"""No form of a secret is left, shown, or found by a command that looks for it, at any moment of a run."""

from __future__ import annotations

import base64
import html
import json
import re
import secrets
import shlex
import shutil
import signal
import sys
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest

from support.cli import Machine
from support.leaks import SHARED_MEMORY, search

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from support.cli import Done

_USER = "robot$ci"
_HOST = "registry.example.com"


def _canary() -> str:
    """A secret that stands nowhere else, so that folders which others use as well can be searched."""
    return f"canary-{secrets.token_urlsafe(24)}"


def _places(machine: Machine) -> dict[str, bytes | Path]:
    return {"home": machine.home, "tmp": machine.temporary, "work": machine.work, "shm": SHARED_MEMORY}


_AWKWARD = "cän&ary \"q\"/+<'t'>\\ %41$X\u2028;=?#é"
_FORMS: dict[str, bytes] = {
    "plain": _AWKWARD.encode(),
    "base64": b"Basic " + base64.b64encode(f"{_USER}:{_AWKWARD}".encode()),
    "base64, not padded": b"x" + base64.b64encode(b"12" + _AWKWARD.encode()).rstrip(b"="),
    "base64, URL-safe": base64.urlsafe_b64encode(b"1" + _AWKWARD.encode() + b"2"),
    "base64, cut": base64.b64encode(b"12" + _AWKWARD.encode())[4:],
    "base64, wrapped": base64.encodebytes(_AWKWARD.encode() * 3)[40:140],
    "base64 in base64": base64.b64encode(base64.b64encode(_AWKWARD.encode())),
    "base64, percent": quote(base64.b64encode(_AWKWARD.encode()), safe="").encode(),
    "percent": re.sub("%..", lambda found: found[0].lower(), quote(_AWKWARD, safe="")).encode(),
    "form": quote_plus(_AWKWARD).encode(),
    "JSON": json.dumps(_AWKWARD).encode(),
    "JSON, beyond the first plane": json.dumps(f"\U0001f511{_AWKWARD}").encode(),
    "JSON in JSON": json.dumps(json.dumps(_AWKWARD)).encode(),
    "repr": repr(_AWKWARD.encode()).encode(),
    "HTML": html.escape(_AWKWARD).encode(),
    "shell": shlex.quote(_AWKWARD).encode(),
}


@pytest.mark.parametrize("form", _FORMS)
def test_the_search_finds_a_secret_in_each_form(form: str, tmp_path: Path) -> None:
    data = b"before\n" + _FORMS[form] + b"\nafter"
    (tmp_path / "file").write_bytes(data)
    found = search({"bytes": data, "folder": tmp_path}, _AWKWARD)
    assert [place.partition(": ")[0] for place in found] == ["bytes", "folder/file"]


def test_the_search_finds_names_links_and_lines_and_nothing_in_other_text(tmp_path: Path) -> None:
    key = "-----BEGIN KEY-----\nfirst-line-of-it\nab\n-----END KEY-----\n"
    (tmp_path / "link").symlink_to("first-line-of-it")
    (tmp_path / "first-line-of-it").mkdir()
    found = search({"": tmp_path, "line": b"a first-line-of-it b", "marker": b"-----BEGIN KEY-----\nab"}, key)
    assert sorted(found) == ["/first-line-of-it (name): plain", "/link (link): plain", "line: plain"]
    short = {"pair": base64.b64encode(b"u:pw"), "word": b"pw"}
    assert search(short, "pw", "u") == ["pair: base64"]


# Prints the credential that it finds, as programs print such things.
_TELLTALE = r"""
import base64, html, json, os, shlex, sys
from urllib.parse import quote, quote_plus

text = open(os.environ["DOCKER_CONFIG"] + "/config.json").read()
auth = next(iter(json.loads(text)["auths"].values()))["auth"]
user, _, secret = base64.b64decode(auth).decode().partition(":")
raw = secret.encode()
go = json.dumps(secret, ensure_ascii=False)
for sign in "<>&\u2028\u2029":
    go = go.replace(sign, f"\\u{ord(sign):04x}")
lines = [text, auth, auth.rstrip("="), secret, json.dumps(secret), json.dumps(secret, ensure_ascii=False), go,
    json.dumps(secret).replace("/", "\\/"), quote(secret), quote(secret, safe=""), quote_plus(secret),
    quote(auth, safe=""),
    f"https://{quote(user, safe='')}:{quote(secret, safe='')}@host/v2/", quote(secret, safe="!'()*"), repr(secret),
    html.escape(secret), shlex.quote(secret), *secret.split("\n")]
for ahead in (b"", b"1", b"12", b"user:"):
    for behind in (b"", b"1", b"12"):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            lines.append(encode(ahead + raw + behind).decode())
for stream in (sys.stdout, sys.stderr):
    for line in lines:
        print("<" + line + ">", file=stream, flush=True)
"""
_LINES = [base64.b64encode(secrets.token_bytes(48)).decode() for _ in range(4)]
_TOKENS = [_canary() for _ in range(3)]
_PEM = "\n".join(("-----BEGIN PRIVATE KEY-----", *_LINES, "-----END PRIVATE KEY-----"))
# What is given as the password, and what of it is secret.
_SECRETS = {
    "token": (_TOKENS[0], _TOKENS[0]),
    "awkward": (_TOKENS[1] + _AWKWARD, _TOKENS[1] + _AWKWARD),
    "key of several lines": (_PEM, _PEM),
    "key of a cloud": (json.dumps({"type": "service", "private_key": f"A\n{_TOKENS[2]}\nB\n"}, indent=2), _TOKENS[2]),
}


@pytest.mark.parametrize("kind", _SECRETS)
def test_a_command_that_prints_its_credential_in_every_form_shows_and_leaves_none(machine: Machine, kind: str) -> None:
    password, secret = _SECRETS[kind]
    entry = {"registry": _HOST, "username": _USER, "password-env": "CANARY"}
    done = machine.run(sys.executable, "-c", _TELLTALE, registries=[entry], variables={"CANARY": password})
    assert (done.code, done.stdout.count(b"***") > 35, done.stderr.count(b"***") > 35) == (0, True, True)
    streams = {"stdout": done.stdout, "stderr": done.stderr, "json": json.dumps(done.report).encode()}
    assert search(streams | _places(machine), secret, _USER) == []


# Looks at itself and at our process, as far as /proc shows them.
_PROBE = """
for process in $PPID $$ self; do
    cat "/proc/$process/cmdline" >> "$SEEN/command"
    tr '\\0' '\\n' < "/proc/$process/environ" >> "$SEEN/environ"
    ls -l "/proc/$process/fd" >> "$SEEN/descriptors"
    grep 'core file' "/proc/$process/limits" >> "$SEEN/core"
done
env >> "$SEEN/environ"
ls -lR "$DOCKER_CONFIG" > "$SEEN/folder"
"""
_WAYS = {
    "password-env": {"registry": _HOST, "username": _USER, "password-env": "CANARY"},
    "password-file": {"registry": _HOST, "username": _USER, "password-file": "../password"},
    "password on standard input": {"registry": _HOST, "username": _USER, "password": "{canary}"},
    "github-token-env": {"registry": "ghcr.io"},
}


@pytest.mark.parametrize("way", _WAYS)
def test_while_it_runs_no_process_shows_the_secret_and_no_core_is_written(machine: Machine, way: str) -> None:
    canary = _canary()
    if way == "password-file":
        (machine.root / "password").write_text(canary)
    entry = {key: value.replace("{canary}", canary) for key, value in _WAYS[way].items()}
    cored = Machine(machine.root, prefix=("sh", "-c", 'ulimit -c "$(ulimit -H -c)"; exec "$@"', "sh"))
    seen, done = _probe(
        cored,
        "-" if way == "password on standard input" else [entry],
        ["--github-token-env", "CANARY"] if way == "github-token-env" else [],
        {"CANARY": canary} if way in {"password-env", "github-token-env"} else {},
        json.dumps([entry]).encode(),
    )
    assert (done.code, done.stdout, done.stderr) == (0, b"", b"")
    assert search(_places(machine) | {"seen": machine.root / "seen"}, canary, _USER) == []
    assert b"CANARY=" not in seen["environ"]
    assert seen["command"].count(b"\0run\0--registries\0") == 1
    assert b"/memfd:registry-config (deleted)" in seen["descriptors"]
    assert [line.split()[4] for line in seen["core"].splitlines()] == [b"0"] * 3


def test_the_probe_sees_a_secret_that_is_handed_on(machine: Machine) -> None:
    canary = _canary()
    entry = {"registry": _HOST, "username": _USER, "password-env": "CANARY"}
    seen, done = _probe(machine, [entry], ["--secret-env", "CANARY"], {"CANARY": canary})
    assert (done.code, search(dict(seen), canary)) == (0, ["environ: plain"])


def _probe(
    machine: Machine,
    registries: Sequence[Mapping[str, str]] | str,
    options: Sequence[str],
    variables: Mapping[str, str],
    stdin: bytes = b"",
) -> tuple[dict[str, bytes], Done]:
    """Run the probe; gives what it saw, by name."""
    folder = machine.root / "seen"
    folder.mkdir()
    done = machine.run(
        "sh",
        "-c",
        _PROBE,
        registries=registries,
        options=options,
        variables={"SEEN": str(folder), "GITHUB_ACTOR": _USER, **variables},
        stdin=stdin,
    )
    return {path.name: path.read_bytes() for path in folder.iterdir()}, done


def test_a_run_killed_at_any_moment_leaves_no_secret(machine: Machine) -> None:
    canary = _canary()
    entry = {"registry": _HOST, "username": _USER, "password-env": "CANARY"}
    # It outlives our process, and ends by itself.
    script = 'cat "$DOCKER_CONFIG/config.json" > /dev/null; echo | tee -a reached; for n in $(seq 99)'
    command = ("sh", "-c", f"{script}; do [ -e stop ] && exit; sleep 0.1; done")
    reached = machine.work / "reached"
    reached.touch()
    begun = time.monotonic()
    machine.run("true", registries=[entry], variables={"CANARY": canary})
    whole = time.monotonic() - begun
    moments = [whole * part / 20 for part in range(22)] + [None] * 3
    killed = []
    for moment in moments:
        with machine.start(*command, registries=[entry], variables={"CANARY": canary}) as process:
            if moment is None:
                assert process.stdout
                process.stdout.readline()
            else:
                time.sleep(moment)
            process.kill()
            killed.append((process.pid, process.wait()))
    try:
        assert [code for _, code in killed] == [-signal.SIGKILL] * 25
        assert 3 <= reached.stat().st_size < 25
        assert search(_places(machine), canary, _USER) == []
    finally:
        (machine.work / "stop").touch()
        for pid, _ in killed:
            for folder in SHARED_MEMORY.glob(f"registry-config-{pid}-*"):
                shutil.rmtree(folder)
