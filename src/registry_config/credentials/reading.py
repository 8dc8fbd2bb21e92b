"""Declarations turned into credentials: the passwords are read here, and checked, before anything runs."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final, NamedTuple

from registry_config.docker_config import Login
from registry_config.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from registry_config.declaration.registries import Declaration, Purpose

# A secret of GitHub's is at most 48 KB; a larger "password" is some other file.
_MAX_PASSWORD_BYTES: Final = 1024 * 1024


class Credential(NamedTuple):
    """User and secret for one registry, or for a path of it."""

    host: str
    username: str
    secret: str
    purposes: frozenset[Purpose]
    path: str = ""

    @property
    def registry(self) -> str:
        """Host and path, as messages name it."""
        return f"{self.host}/{self.path}" if self.path else self.host

    @property
    def login(self) -> Login:
        """The same as it stands in a config."""
        return Login(self.host, self.username, self.secret)

    def __repr__(self) -> str:
        return f"Credential({self.registry!r}, {self.username!r}, ***)"


class JobToken(NamedTuple):
    """The job's own token, which stands in for a `ghcr.io` entry without credentials.

    Attributes:
        username: whom the token belongs to (`github.actor`).
        secret: the token; None where none was offered.
        server: `GITHUB_SERVER_URL`; empty outside of GitHub.
    """

    username: str
    secret: str | None
    server: str

    def __repr__(self) -> str:
        return f"JobToken({self.username!r}, ***)"


class MissingSecretError(InputError):
    """A password is there but empty, as in a pull request from a fork."""


def read_credential(declaration: Declaration, environ: Mapping[str, str], token: JobToken) -> Credential:
    """Read the password of one declaration.

    Raises:
        MissingSecretError: the password is present but empty.
        InputError: it cannot be read, or no tool could use it.
    """
    kind = declaration.source.kind
    place = declaration.place(kind)
    readers: dict[str, Callable[[], tuple[str, str]]] = {
        "password": lambda: (declaration.username or "", declaration.source.value),
        "password-env": lambda: (
            declaration.username or "",
            _from_variable(place, declaration.source.value, environ),
        ),
        "password-file": lambda: (declaration.username or "", _from_file(place, declaration.source.value)),
        "github-token": lambda: _from_job(declaration.place(), token),
    }
    username, text = readers[kind]()
    secret = checked_secret(place, text)
    return Credential(
        host=declaration.host,
        username=username,
        secret=secret,
        purposes=declaration.purposes,
        path=declaration.path,
    )


def password_variables(declarations: Iterable[Declaration]) -> tuple[str, ...]:
    """Names of the variables that hold passwords."""
    return tuple(d.source.value for d in declarations if d.source.kind == "password-env")


def _from_variable(place: str, name: str, environ: Mapping[str, str]) -> str:
    if name in environ:
        return environ[name]
    near = did_you_mean(name, environ)
    remedy = f"did you mean '{near}'?" if near else "name a variable of the step's env, not the password itself"
    raise InputError(place, "no such variable in the environment", remedy)


def _from_file(place: str, path: str) -> str:
    try:
        # Without O_NONBLOCK a pipe would hold us until somebody writes.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise InputError(place, f"cannot be read ({_reason(error)})") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise InputError(place, "is not an ordinary file")
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(_MAX_PASSWORD_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(data) > _MAX_PASSWORD_BYTES:
        raise InputError(place, "is larger than 1 MiB, so not a password")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise InputError(place, "is not valid UTF-8, which some tools could not send") from None


def _reason(error: OSError | ValueError) -> str:
    return error.strerror.lower() if isinstance(error, OSError) and error.strerror else "not a path"


def _from_job(place: str, token: JobToken) -> tuple[str, str]:
    if token.server not in {"", "https://github.com"}:
        raise InputError(
            place, "the job's token is not for ghcr.io on this GitHub server", "give username and password"
        )
    if token.secret is None:
        raise InputError(place, "'username' and a password are missing", "give them, or --github-token-env NAME")
    if not token.username:
        raise InputError(place, "GITHUB_ACTOR is not set", "give username and password")
    return token.username, token.secret


def _strip_newline(text: str) -> str:
    """Without the one newline that editors, `echo` and YAML blocks leave at the end."""
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text


def checked_secret(place: str, text: str) -> str:
    """The secret that tools are given: without one newline at its end.

    Raises:
        MissingSecretError: nothing is left.
        InputError: some tool could not use it.
    """
    secret = _strip_newline(text)
    if not secret:
        raise MissingSecretError(place, "is empty")
    if "\0" in secret:
        raise InputError(place, "contains a NUL byte, which tools trim away")
    try:
        secret.encode()
    except UnicodeEncodeError:
        raise InputError(place, "is not valid UTF-8, which some tools could not send") from None
    return secret
