"""Declarations turned into credentials: the passwords are read here, and checked, before anything runs."""

from __future__ import annotations

import os
import stat

from registry_config.audience import called
from registry_config.docker_config import Login
from registry_config.errors import InputError
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from registry_config.declaration.registries import Declaration, Purpose
    from registry_config.declaration.sources import SourceKind

# A secret of GitHub's is at most 48 KB; a larger "password" is some other file.
_MAX_PASSWORD_BYTES: Final = 1024 * 1024
_AS_TEXT: Final = "store the password as plain UTF-8 text"


class Credential(NamedTuple):
    """User and secret for one registry, or for a path of it.

    Attributes:
        host: canonical.
        username: whom to log in as.
        secret: password or token.
        purposes: what it is for.
        path: narrows it to a part of the registry; empty for all of it.
        source: where the secret came from.
        ca_file: path of the certificate of the registry's private authority; empty for the system's.
        plain_http: whether the registry speaks plain HTTP.
        realm: another host that may be given the secret, as the registry's token server.
        optional: whether its entry is left out where the secret is empty.
        is_keyed_by_path: whether the config names its path; for tools that choose by path.
    """

    host: str
    username: str
    secret: str
    purposes: frozenset[Purpose]
    path: str = ""
    source: SourceKind = "password"
    ca_file: str = ""
    plain_http: bool = False
    realm: str = ""
    optional: bool = False
    is_keyed_by_path: bool = False

    @property
    def registry(self) -> str:
        """Host and path, as messages name it."""
        return f"{self.host}/{self.path}" if self.path else self.host

    @property
    def login(self) -> Login:
        """The same as it stands in a config."""
        return Login(self.host, self.username, self.secret, self.path if self.is_keyed_by_path else "")

    def __repr__(self) -> str:
        return f"Credential({self.registry!r}, {self.username!r}, ***)"


NO_AUTHORITIES: Final[Mapping[str, str]] = {}


def ca_files(credentials: Iterable[Credential]) -> tuple[str, ...]:
    """The files of the private authorities that stand for the registries of credentials, each once."""
    return tuple(dict.fromkeys(credential.ca_file for credential in credentials if credential.ca_file))


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
    return credential_of(declaration, *_read(declaration, environ, token))


def credential_of(declaration: Declaration, username: str, secret: str) -> Credential:
    """What a declaration says of a credential, with its user and secret."""
    return Credential(
        host=declaration.host,
        username=username,
        secret=secret,
        purposes=declaration.purposes,
        path=declaration.path,
        source=declaration.source.kind,
        ca_file=declaration.ca_file,
        plain_http=declaration.plain_http,
        realm=declaration.realm,
        optional=declaration.optional,
    )


def _read(declaration: Declaration, environ: Mapping[str, str], token: JobToken) -> tuple[str, str]:
    """User and secret."""
    kind, value, _ = declaration.source
    place = declaration.place(kind)
    username = declaration.username or ""
    missing = f"the password for {declaration.registry} is empty"
    if kind == "github-token":
        username, text = _from_job(declaration.place(), token)
        place, missing = declaration.place(), f"the job's token for {declaration.registry} is empty"
    elif kind == "password-env":
        text = from_variable(place, value, environ)
        missing = f"{missing}: the variable {value} is set to nothing"
    elif kind == "password-file":
        text = _from_file(place, value)
    else:
        text = value
        missing += ": what follows '#' is a comment" if declaration.source.is_cut else ""
    return username, checked_secret(place, text, (missing, f"give it a value, or set {called('on-missing', 'skip')}"))


def password_variables(declarations: Iterable[Declaration]) -> tuple[str, ...]:
    """Names of the variables that hold passwords, or tokens that are exchanged for one."""
    names = (d.source.value if d.source.kind == "password-env" else _id_token_variable(d) for d in declarations)
    return tuple(dict.fromkeys(filter(None, names)))


def _id_token_variable(declaration: Declaration) -> str:
    return declaration.provider.get("id-token-env") if declaration.provider else ""


def from_variable(place: str, name: str, environ: Mapping[str, str], what: str = "password") -> str:
    """The value of a variable that an entry names; `what` it holds is for messages.

    Raises:
        InputError: there is no such variable.
    """
    if name in environ:
        return environ[name]
    from registry_config.declaration.variables import nearest_variable, set_it  # noqa: PLC0415  (for what is refused)

    near = nearest_variable(name, environ)
    remedy = f"did you mean '{near}'?" if near else f"{set_it()}; the key takes its name, not the {what} itself"
    raise InputError(place, "no such variable in the environment", remedy)


def _from_file(place: str, path: str) -> str:
    try:
        # Without O_NONBLOCK a pipe would hold us until somebody writes.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise InputError(place, f"cannot be read ({_reason(error)})", "name a file that holds the password") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise InputError(place, "is not an ordinary file", "name a file that holds the password")
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(_MAX_PASSWORD_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(data) > _MAX_PASSWORD_BYTES:
        raise InputError(place, "is larger than 1 MiB, so not a password", "name a file that holds the password")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise InputError(place, "is not valid UTF-8, which some tools could not send", _AS_TEXT) from None


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


def checked_secret(place: str, text: str, missing: tuple[str, str] = ("is empty", "")) -> str:
    """The secret that tools are given: without one newline at its end.

    Args:
        place: where it is declared.
        text: as it was read.
        missing: problem and remedy where nothing is left.

    Raises:
        MissingSecretError: nothing is left.
        InputError: some tool could not use it.
    """
    secret = _strip_newline(text)
    if not secret:
        raise MissingSecretError(place, *missing)
    if "\0" in secret:
        raise InputError(place, "contains a NUL byte, which tools trim away", _AS_TEXT)
    try:
        secret.encode()
    except UnicodeEncodeError:
        raise InputError(place, "is not valid UTF-8, which some tools could not send", _AS_TEXT) from None
    return secret
