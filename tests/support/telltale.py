"""The worst tool there is: prints its credential in every form, and copies all that a command of this user can see.

Run as a program: `telltale.py FOLDER EXIT-CODE`. It is plain Python, so that any interpreter runs it.
"""

from __future__ import annotations

import base64
import html
import json
import os
import shlex
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, quote_plus

_SHORT = 6


def spoken(config: str) -> list[str]:
    """What tools print of the first login in a `config.json`: debug logs, error bodies, URLs, shell traces."""
    auth = next(iter(json.loads(config)["auths"].values()))["auth"]
    user, _, secret = base64.b64decode(auth).decode().partition(":")
    raw, pair = secret.encode(), f"{user}:{secret}".encode()
    said = [config, json.dumps(config), auth, auth.rstrip("="), f"Authorization: Basic {auth}", quote(auth, safe="")]
    said += [_encode(b"", pair, behind) for behind in (b"", b"\n", b"12")]
    if len(raw) < _SHORT:  # it is promised in its base64 form only
        return said
    go = json.dumps(secret, ensure_ascii=False)
    for sign in "<>&\u2028\u2029":
        go = go.replace(sign, f"\\u{ord(sign):04x}")
    url = f"https://{quote(user, safe='')}:{quote(secret, safe='')}@registry.example.com/v2/"
    said += [secret, repr(secret), html.escape(secret), shlex.quote(secret), secret + secret, *secret.split("\n")]
    said += [json.dumps(secret), json.dumps(secret, ensure_ascii=False), go, json.dumps(secret).replace("/", "\\/")]
    said += [quote(secret), quote(secret, safe=""), quote_plus(secret), quote(secret, safe="!'()*"), url]
    return said + [
        text.translate(table)
        for ahead in (b"", b"1", b"12", b"user:")
        for behind in (b"", b"1", b"12")
        for text in (_encode(ahead, raw, behind),)
        for table in ({}, str.maketrans("+/", "-_"))
    ]


def _encode(ahead: bytes, raw: bytes, behind: bytes) -> str:
    return base64.b64encode(ahead + raw + behind).decode()


def look_around(folder: Path) -> None:
    """Copy what every process shows of itself, and what lies where a program might put a file."""
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            with suppress(OSError):
                (folder / f"{process.name}.{name}").write_bytes((process / name).read_bytes())
    home, temporary = Path.home(), Path(os.environ["TMPDIR"])
    shared = Path("/dev/shm").glob("registry-config-*")  # noqa: S108  (looked at, not written to)
    for number, place in enumerate((home, temporary, Path.cwd(), *shared)):
        with suppress(OSError, shutil.Error):  # gone meanwhile
            shutil.copytree(place, folder / str(number), symlinks=True)


def main() -> int:
    """Tell all."""
    folder, code = Path(sys.argv[1]), int(sys.argv[2])
    config = Path(os.environ["DOCKER_CONFIG"], "config.json").read_text(encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        for line in spoken(config):
            print("<" + line + ">", file=stream, flush=True)
    look_around(folder)
    return code


if __name__ == "__main__":
    sys.exit(main())
