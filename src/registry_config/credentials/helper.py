"""`credential-helper: NAME`: asks a program of this machine, `docker-credential-NAME`, by Docker's protocol.

Source: docker/docker-credential-helpers, `credentials/credentials.go` and `client/client.go`.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from contextlib import suppress

from registry_config.credentials.encodings import encodings
from registry_config.credentials.redaction import Redactor
from registry_config.credentials.wording import quotable
from registry_config.declaration.sources import check_username
from registry_config.docker_config import config_keys
from registry_config.errors import ProviderRefusedError, UnavailableError
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SECONDS: Final = 60.0
OUTPUT_BYTES: Final = 1 << 20
_TRY_IT: Final = "run its 'get' on this machine to see why"
# What Docker's protocol has in the place of a user where the secret is an identity token.
_IDENTITY_TOKEN: Final = "<token>"  # noqa: S105  (no secret)


class Login(NamedTuple):
    """What a helper gave."""

    username: str
    secret: str

    def __repr__(self) -> str:
        return f"Login({self.username!r}, ***)"


def ask_helper(  # noqa: PLR0913  (the last two are named)
    place: str, name: str, host: str, environ: Mapping[str, str], *, outside: Iterable[str], redactor: Redactor
) -> Login:
    """Run a helper for a registry.

    Args:
        place: of the entry, as messages name it.
        name: the helper's, without `docker-credential-`.
        host: the registry's, canonical.
        environ: what the helper inherits.
        outside: folders in which, and below which, no helper is looked for: others may have written there.
        redactor: knows the secrets so far.

    Raises:
        ProviderRefusedError: the helper failed, or gave an identity token.
        UnavailableError: it is not there, is too slow, or gave no user and password that tools could use.
    """
    program = find_helper(name, environ.get("PATH", ""), outside)
    if not program:
        raise missing_helper(place)
    code, output, complaint = _run(place, program, config_keys(host)[0], environ)
    login = _login(output)
    if code:
        # A helper that fails may have given a secret all the same.
        hidden = Redactor(encodings(*login)) if login else redactor
        said = quotable(redactor.text(complaint.decode("utf-8", "replace")), hidden)
        problem = f"docker-credential-{name} failed ({_ended(code)})" + (f': "{said}"' if said else "")
        raise ProviderRefusedError(place, problem, f"run 'docker-credential-{name} get' on this machine to see why")
    if login is None:
        raise UnavailableError(place, f"docker-credential-{name} gave no answer in Docker's protocol", _TRY_IT)
    if login.username == _IDENTITY_TOKEN:
        problem = f"docker-credential-{name} gave an identity token, which few tools take"
        raise ProviderRefusedError(place, problem, "give username and password, or a provider")
    try:
        check_username(login.username)
    except ValueError as error:
        raise UnavailableError(place, f"the user that docker-credential-{name} gave {error}", _TRY_IT) from None
    return login


def missing_helper(place: str) -> UnavailableError:
    """What is said of one that is not there; its name may be a password that slipped to another key."""
    return UnavailableError(
        place, "the credential helper that it names is not on PATH", "install docker-credential-NAME there"
    )


def find_helper(name: str, path: str, outside: Iterable[str]) -> str:
    """The file of a helper; empty where there is none. Folders of PATH that a job may have written are skipped."""
    skipped = [os.path.realpath(folder) for folder in outside if folder]
    for folder in path.split(os.pathsep):
        real = os.path.realpath(folder)
        if not os.path.isabs(folder) or any(os.path.commonpath((real, other)) == other for other in skipped):
            continue
        file = os.path.join(folder, f"docker-credential-{name}")
        if os.path.isfile(file) and os.access(file, os.X_OK):
            return file
    return ""


def _run(place: str, program: str, server: str, environ: Mapping[str, str]) -> tuple[int, bytes, bytes]:
    """Exit code, standard output and standard error, each cut after `OUTPUT_BYTES`."""
    try:
        process = subprocess.Popen(  # noqa: S603  (the user named it)
            [program, "get"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            env=dict(environ),
            start_new_session=True,
        )
    except OSError as error:
        reason = (error.strerror or "unknown").lower()
        raise UnavailableError(place, f"{os.path.basename(program)} cannot be started ({reason})", _TRY_IT) from None
    deadline = time.monotonic() + SECONDS
    outputs = None
    try:
        assert process.stdin and process.stdout and process.stderr  # noqa: S101, PT018  (pipes, as asked for)
        with process.stdout as stdout, process.stderr as stderr:
            with suppress(BrokenPipeError), process.stdin as stdin:
                stdin.write(server.encode())
            outputs = _read((stdout.fileno(), stderr.fileno()), deadline)
        if outputs is not None:
            return process.wait(max(deadline - time.monotonic(), 0)), *outputs
    except subprocess.TimeoutExpired:
        pass
    finally:
        if process.returncode is None:
            # In a session of its own, so that what it started ends with it.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    problem = f"{os.path.basename(program)} gave no complete answer within {SECONDS:.0f} s"
    raise UnavailableError(place, problem, _TRY_IT)


def _read(descriptors: tuple[int, int], deadline: float) -> tuple[bytes, bytes] | None:
    """What comes from both until their ends; None where it does not end in time, or is too much."""
    poll = select.poll()
    data = {descriptor: bytearray() for descriptor in descriptors}
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    still_open = set(descriptors)
    while still_open:
        left = deadline - time.monotonic()
        if left <= 0 or any(len(read) > OUTPUT_BYTES for read in data.values()):
            return None
        for descriptor, _ in poll.poll(left * 1000):
            read = os.read(descriptor, 1 << 16)
            data[descriptor] += read
            if not read:
                poll.unregister(descriptor)
                still_open.discard(descriptor)
    return bytes(data[descriptors[0]]), bytes(data[descriptors[1]])


def _login(output: bytes) -> Login | None:
    try:
        document = json.loads(output)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    username, secret = document.get("Username"), document.get("Secret")
    if not isinstance(username, str) or not isinstance(secret, str) or not secret or not username.isprintable():
        return None
    try:
        # Some tools could not send what is no UTF-8.
        (username + secret).encode()
    except UnicodeEncodeError:
        return None
    return None if "\0" in secret else Login(username, secret)


def _ended(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
