"""The logins that the user already has: of Docker, of podman and of Helm, read for `keep-logins` and for hints.

Each of the three keeps a document of Docker's form in a place of its own; a tool that we start reads one config, so
what is kept is merged into that. Where the places are: docker/cli `cli/config`, containers/image
`pkg/docker/config/config.go`, helm `pkg/cli/environment.go`.
"""

from __future__ import annotations

import binascii
import json
import os
import re
import stat
from contextlib import suppress

from registry_config.audience import called
from registry_config.credentials.reading import Credential
from registry_config.docker_config import CONFIG_NAME, CREDENTIAL_KEYS, auth_value, config_keys
from registry_config.errors import InputError
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple
from registry_config.reference import canonical_host

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

_DOCKER: Final = "Docker"
_MAX_BYTES: Final = 16 * 1024 * 1024
_TOKENS: Final = ("identitytoken", "registrytoken")
# The Docker CLI wrote this header itself, into every config, until version 19.03.
_PUBLIC_HEADER: Final = "user-agent"
_USER_IN_URL: Final = r"://[^/@\s]*?:([^/@\s]+)@"


class _Login(NamedTuple):
    """One key of a user's document.

    Attributes:
        owner: whose document it stands in, as messages name it.
        key: as it stands there.
        entry: what `auths` holds; empty where a helper is asked.
        helper: the credential helper that is asked.
    """

    owner: str
    key: str
    entry: Mapping[str, str]
    helper: str = ""

    @property
    def host(self) -> str:
        """The registry that the key means."""
        return host_of(self.key)

    @property
    def is_path(self) -> bool:
        """Whether the key is for a part of a registry, which Docker and others do not know of."""
        return "/" in self.key and "://" not in self.key

    @property
    def identity(self) -> tuple[str, str]:
        """What no document may hold twice."""
        return self.host, self.key if self.is_path else ""


class UserConfig(NamedTuple):
    """What the user's own documents hold.

    Attributes:
        settings: of Docker's, all that holds and fetches no credential.
        logins: all that were found; of several owners' for one registry those of the first.
        credentials: users and passwords that a tool can see, to be hidden like those declared.
        secrets: further values to be hidden: tokens, headers.
        warnings: what cannot be kept.
        keep: whether the logins are to be shown to tools.
    """

    settings: Mapping[str, object]
    logins: tuple[_Login, ...]
    credentials: tuple[Credential, ...] = ()
    secrets: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    keep: bool = False

    def shown_beside(self, declared: Collection[str]) -> dict[str, object]:
        """The keys that a config has besides the credentials for these hosts."""
        document = dict(self.settings)
        if not self.keep:
            return document
        kept = [login for login in self.logins if login.host not in declared]
        auths: dict[str, object] = {login.key: dict(login.entry) for login in kept if not login.helper}
        helpers = {key: login.helper for login in kept if login.helper for key in _helper_keys(login)}
        dockers = {login.host for login in kept if login.owner == _DOCKER or not login.is_path}
        # Docker, oras and crane would take a key of podman's for a path as one for the whole registry.
        auths |= {login.host: {} for login in kept if login.host not in dockers}
        return document | {"auths": auths} | ({"credHelpers": helpers} if helpers else {})

    def hidden_beside(self, declared: Collection[str]) -> frozenset[str]:
        """The hosts of the logins that a tool does not see."""
        hosts = {login.host for login in self.logins if login.entry or login.helper}
        return frozenset() if self.keep else frozenset(hosts.difference(declared))

    def __repr__(self) -> str:
        return "UserConfig(…)"


NO_USER_CONFIG: Final = UserConfig({}, ())


def read_user_config(environ: Mapping[str, str], *, keep: bool) -> UserConfig:
    """Read what the user has logged in to.

    Args:
        environ: which names the places.
        keep: the logins are to be shown to tools; else only that they exist matters.

    Raises:
        InputError: `keep`, and a document is there and cannot be read.
    """
    warnings: list[str] = []
    documents = _documents(environ, keep=keep)
    found = [login for owner, document in documents for login in _logins(owner, document, warnings)]
    logins = tuple(_first_of_each(found, warnings))
    settings = next((document for owner, document in documents if owner == _DOCKER), {})
    settings = {key: value for key, value in settings.items() if key not in CREDENTIAL_KEYS}
    return UserConfig(
        settings=settings,
        logins=logins,
        # Of those that are not kept too: a tool can look into the user's own documents.
        credentials=tuple(filter(None, map(_credential, found))) if keep else (),
        secrets=(*_secret_settings(settings), *(_secrets(found) if keep else ())),
        warnings=tuple(dict.fromkeys(warnings)) if keep else (),
        keep=keep,
    )


def docker_folder(environ: Mapping[str, str]) -> str:
    """The folder that the Docker CLI reads."""
    return os.path.abspath(environ.get("DOCKER_CONFIG") or f"{_home(environ)}/.docker")


def host_of(key: str) -> str:
    """The registry that a key of `auths` means, reduced as docker does it: no scheme, no path."""
    host = (key.partition("://")[2] or key).partition("/")[0]
    with suppress(ValueError):
        return canonical_host(host)
    return host


def _home(environ: Mapping[str, str]) -> str:
    return environ.get("HOME") or os.path.expanduser("~")


def _places(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each document and whose it is; of two logins for one registry the first is kept."""
    configs = environ.get("XDG_CONFIG_HOME") or f"{_home(environ)}/.config"
    yield _DOCKER, f"{docker_folder(environ)}/{CONFIG_NAME}"
    if own := environ.get("REGISTRY_AUTH_FILE"):
        yield "podman", own
    else:
        runtime = environ.get("XDG_RUNTIME_DIR") or f"/run/containers/{os.getuid()}"
        yield "podman", f"{runtime}{'/containers' if environ.get('XDG_RUNTIME_DIR') else ''}/auth.json"
        yield "podman", f"{configs}/containers/auth.json"
    helm = environ.get("HELM_CONFIG_HOME") or f"{configs}/helm"
    yield "Helm", environ.get("HELM_REGISTRY_CONFIG") or f"{helm}/registry/{CONFIG_NAME}"


def _documents(environ: Mapping[str, str], *, keep: bool) -> list[tuple[str, dict[str, object]]]:
    """Each document once, where variables lead to one of them by two names."""
    places = {os.path.realpath(path): (owner, path) for owner, path in reversed(tuple(_places(environ)))}
    return [(owner, _document(owner, path, keep=keep)) for owner, path in reversed(places.values())]


def _document(owner: str, path: str, *, keep: bool) -> dict[str, object]:
    """One document; empty where there is none, or none that can be read."""
    try:
        # Without O_NONBLOCK a pipe would hold us until somebody writes.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            is_file = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            data = file.read(_MAX_BYTES) if is_file else b""
        document = json.loads(data) if data.strip() or not is_file else {}
        # Half of a surrogate pair is no character: no tool could send it, and it could not be hidden.
        json.dumps(document, ensure_ascii=False).encode()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, RecursionError):
        document = None
    if isinstance(document, dict):
        return document
    if keep:
        raise InputError(called("keep-logins"), f"your own config of {owner} cannot be read as JSON", "fix it")
    return {}


def _logins(owner: str, document: Mapping[str, object], warnings: list[str]) -> Iterator[_Login]:
    auths, store, helpers = map(document.get, CREDENTIAL_KEYS)
    for key, helper in helpers.items() if isinstance(helpers, dict) else ():
        if isinstance(helper, str) and helper:
            yield _Login(owner, key, {}, helper)
    has_store = isinstance(store, str) and bool(store)
    if has_store:
        warnings.append(
            f"{called('keep-logins')}: of {owner}'s credential store (credsStore) the registries are kept that its "
            "auths name; for others declare an entry, or name the store in credHelpers"
        )
    for key, entry in auths.items() if isinstance(auths, dict) else ():
        checked = _checked(entry) if isinstance(entry, dict) else None
        if checked is None:
            warnings.append(f"{called('keep-logins')}: {owner}'s login for {host_of(key)} is malformed; it is left out")
        elif has_store and not checked:
            yield _Login(owner, key, {}, str(store))
        else:
            yield _Login(owner, key, checked)


def _first_of_each(found: Iterable[_Login], warnings: list[str]) -> Iterator[_Login]:
    """Of several owners' logins for one registry those of the first; of one owner's for one key the first."""
    owners: dict[tuple[str, str], _Login] = {}
    seen = set()
    for login in found:
        first = owners.setdefault(login.identity, login)
        if first.owner == login.owner:
            if (login.key, bool(login.helper)) not in seen:
                yield login
            seen.add((login.key, bool(login.helper)))
        elif (first.entry, first.helper) != (login.entry, login.helper):
            problem = f"{login.owner} and {first.owner} have different logins for {login.host}"
            warnings.append(f"{called('keep-logins')}: {problem}; that of {first.owner} is kept")


def _checked(entry: Mapping[str, object]) -> dict[str, str] | None:
    """What tools understand of an entry, `auth` in the one spelling that all of them read; None for a bad one."""
    texts = {name: value for name, value in entry.items() if isinstance(value, str) and value}
    kept: dict[str, str] = {name: texts[name] for name in ("auth", "username", "password", *_TOKENS) if name in texts}
    if "auth" in kept:
        pair = _pair(kept["auth"])
        if pair is None:
            return None
        kept["auth"] = auth_value(*pair)
    return kept


def _pair(auth: str) -> tuple[str, str] | None:
    """User and password of an `auth` field; None where it holds none, or one that breaks the whole file for Docker."""
    try:
        data = binascii.a2b_base64(auth + "=" * (-len(auth.strip()) % 4)).decode()
    except ValueError:
        return None
    user, colon, password = data.partition(":")
    return (user, password.strip("\0")) if user and colon else None


def _credential(login: _Login) -> Credential | None:
    pair = _pair(login.entry.get("auth", "")) or (login.entry.get("username", ""), login.entry.get("password", ""))
    return Credential(login.host, *pair, purposes=frozenset()) if pair[1] else None


def _secrets(logins: Iterable[_Login]) -> Iterator[str]:
    """What is secret in each by itself: tokens, and a password, which `auth` may hold another one beside."""
    for login in logins:
        yield from (login.entry[name] for name in ("password", *_TOKENS) if name in login.entry)


def _secret_settings(settings: Mapping[str, object]) -> Iterator[str]:
    """What else of a user's config is secret: headers for the engine's API, passwords of proxies."""
    headers = settings.get("HttpHeaders")
    for name, value in headers.items() if isinstance(headers, dict) else ():
        if name.lower() != _PUBLIC_HEADER and isinstance(value, str):
            yield value
            # Of `Bearer TOKEN` the token alone.
            yield from value.split()[1:]
    if "proxies" in settings:
        yield from re.findall(_USER_IN_URL, json.dumps(settings["proxies"], ensure_ascii=False))


def _helper_keys(login: _Login) -> tuple[str, ...]:
    """The keys under which tools look for a helper: as written, and as references name the registry."""
    return tuple(dict.fromkeys((login.key, *config_keys(login.host))))
