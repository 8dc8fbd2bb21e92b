"""`RegistryConfig` for Dagger programs: credentials for registries, mounted as a `config.json` that every tool reads.

Names and meaning are those of the Go module `registry-config`. The same class is the main object of this project's
Dagger module; `function(name=…)` says where a name there differs.
"""

# No postponed annotations: Dagger's SDK reads the types of a module's functions while it is imported.

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, TypeVar

import dagger
from dagger import Doc, dag, function, object_type
from typing_extensions import Self

from registry_config.credentials.reading import checked_secret
from registry_config.declaration.sources import check_username
from registry_config.docker_config import Login, render
from registry_config.engine.image import contents
from registry_config.engine.image_user import image_user
from registry_config.engine.mounts import (
    NONCE_VARIABLE,
    OWNER,
    REMOVED_VARIABLE,
    VARIABLES,
    fresh_name,
    mounts,
    nonce,
)
from registry_config.errors import InputError
from registry_config.reference import canonical_host, parse_reference

_DEFAULT_NAME = "registry-config"
_DEFAULT_MODE = 0o400

_Method = TypeVar("_Method", bound=Callable[..., object])


def _function(*, cache: str, name: str | None = None) -> Callable[[_Method], _Method]:
    """Dagger's `function`, whose type forgets `cache`: what holds a secret is not to be kept for a week."""
    decorate: Callable[[_Method], _Method] = function(name=name, cache=cache)  # type: ignore[call-overload]
    return decorate


@dataclass(frozen=True)
class _Login:
    host: str
    username: str
    secret: dagger.Secret = field(repr=False)


# The inner decorator makes it immutable, the outer one leaves that as it is.
@object_type
@dataclass(frozen=True)
class SecretMount:
    """A `config.json` that is to be mounted at a path of a container."""

    _logins: tuple[_Login, ...]
    _path: str
    _secret_name: str
    _skip_on_empty: bool
    _owner: str
    _mode: int

    @_function(cache="session")
    async def mount(self, container: Annotated[dagger.Container, Doc("where to mount it")]) -> dagger.Container:
        """The container with the config mounted; unchanged if there is no credential and that was to be skipped."""
        if self._skip_on_empty and not self._logins:
            return container
        secret = await _secret(self._logins, self._secret_name)
        return container.with_mounted_secret(self._path, secret, owner=self._owner, mode=self._mode)


@object_type
@dataclass(frozen=True)
class RegistryConfig:
    """Credentials for registries, to be mounted where a tool runs. Immutable: `with_` and `without_` return a new one.

    Example:
        config = RegistryConfig().with_registry_auth("ghcr.io", "alice", token)
        container = await config.mount_secret(container, "/root/.docker/config.json")
    """

    _logins: tuple[_Login, ...] = ()

    @classmethod
    def create(cls) -> Self:
        """A config without any credential."""
        return cls()

    @_function(cache="session")
    def with_registry_auth(
        self,
        address: Annotated[str, Doc("registry host, with a port or without, such as ghcr.io; any name of Docker Hub")],
        username: Annotated[str, Doc("user to log in as")],
        secret: Annotated[dagger.Secret, Doc("password or token of that user")],
    ) -> Self:
        """Add a credential; the last one for an address wins.

        Raises:
            ValueError: `address` is not a registry host, or no tool could use `username`.
        """
        host = canonical_host(address)
        check_username(username)
        others = (login for login in self._logins if login.host != host)
        return type(self)(_logins=(*others, _Login(host, username, secret)))

    @_function(cache="session")
    def without_registry_auth(
        self, address: Annotated[str, Doc("registry host; one that has no credential is no error")]
    ) -> Self:
        """Remove the credential of a registry.

        Raises:
            ValueError: `address` is not a registry host.
        """
        host = canonical_host(address)
        return type(self)(_logins=tuple(login for login in self._logins if login.host != host))

    # Under its own name the module's function would answer every `--secret=env:NAME` of a caller.
    @_function(cache="session", name="as_secret")
    async def secret(
        self, name: Annotated[str, Doc("beginning of the secret's name; a random part always follows")] = ""
    ) -> dagger.Secret:
        """The `config.json` as a secret.

        Raises:
            ValueError: a password is empty, or no tool could use it.
        """
        return await _secret(self._logins, name)

    @_function(cache="session")
    def secret_mount(
        self,
        path: Annotated[str, Doc("where in the container the config is to be")],
        *,
        secret_name: Annotated[str, Doc("beginning of the secret's name")] = "",
        skip_on_empty: Annotated[bool, Doc("mount nothing if there is no credential")] = False,
        owner: Annotated[str, Doc("user, or user:group, that owns the file; 0:0 if empty")] = "",
        mode: Annotated[int, Doc("permissions of the file; 256 is 0400")] = _DEFAULT_MODE,
    ) -> SecretMount:
        """The config as something to be mounted, now or by somebody else."""
        return SecretMount(
            _logins=self._logins,
            _path=path,
            _secret_name=secret_name,
            _skip_on_empty=skip_on_empty,
            _owner=owner or "0:0",
            _mode=mode,
        )

    @_function(cache="session")
    async def mount_secret(  # noqa: PLR0913  (the options of the Go module)
        self,
        container: Annotated[dagger.Container, Doc("where to mount it")],
        path: Annotated[str, Doc("where in the container the config is to be")],
        *,
        secret_name: Annotated[str, Doc("beginning of the secret's name")] = "",
        skip_on_empty: Annotated[bool, Doc("mount nothing if there is no credential")] = False,
        owner: Annotated[str, Doc("user, or user:group, that owns the file; 0:0 if empty")] = "",
        mode: Annotated[int, Doc("permissions of the file; 256 is 0400")] = _DEFAULT_MODE,
    ) -> dagger.Container:
        """The container with the config mounted at `path`."""
        mount = self.secret_mount(path, secret_name=secret_name, skip_on_empty=skip_on_empty, owner=owner, mode=mode)
        return await mount.mount(container)

    @_function(cache="session")
    async def container(self, image: Annotated[str, Doc("tool image, by tag or digest")]) -> dagger.Container:
        """A container of an image, pulled with the credential of exactly its registry if there is one.

        Raises:
            ValueError: not an image reference.
        """
        base = dag.container()
        host = parse_reference(image).host
        for login in self._logins:
            if login.host == host:
                base = base.with_registry_auth(host, login.username, login.secret)
        return base.from_(image)

    @_function(cache="never")
    async def run(
        self,
        container: Annotated[dagger.Container, Doc("container that has the tool")],
        args: Annotated[list[str], Doc("program and arguments")],
        *,
        use_entrypoint: Annotated[bool, Doc("put the image's entrypoint before them")] = False,
    ) -> dagger.Container:
        """Run a command with the config where every tool finds it, never from a cache.

        Each call of the module is a run. A program that reads several things of the result awaits `sync()` first.

        Returns:
            The container after the command.

        Raises:
            dagger.ExecError: the command failed.
        """
        container = await self._mount_for_tools(container)
        execution = container.with_env_variable(NONCE_VARIABLE, nonce()).with_exec(args, use_entrypoint=use_entrypoint)
        return await execution.sync()

    async def _mount_for_tools(self, container: dagger.Container) -> dagger.Container:
        logins, home = await asyncio.gather(_plain(self._logins), _home(container))
        texts: dict[str, dagger.Secret] = {}
        for path, text, mode in mounts(logins, home):
            secret = texts.setdefault(text, _new_secret(_DEFAULT_NAME, text))
            container = container.with_mounted_secret(path, secret, owner=OWNER, mode=mode)
        for name, value in VARIABLES.items():
            container = container.with_env_variable(name, value)
        return container.without_env_variable(REMOVED_VARIABLE)


async def _secret(logins: tuple[_Login, ...], name: str) -> dagger.Secret:
    """The rendered document."""
    return _new_secret(name or _DEFAULT_NAME, render(await _plain(logins)))


async def _plain(logins: tuple[_Login, ...]) -> list[Login]:
    """The same with the passwords themselves."""
    texts = await asyncio.gather(*(login.secret.plaintext() for login in logins))
    return [Login(login.host, login.username, _checked(login, text)) for login, text in zip(logins, texts, strict=True)]


def _new_secret(name: str, text: str) -> dagger.Secret:
    """A secret under a name that is never used twice: Dagger tells secrets apart by their names."""
    return dag.set_secret(fresh_name(name), text)


def _checked(login: _Login, text: str) -> str:
    try:
        return checked_secret(login.host, text)
    except InputError as error:
        # Without the frames that hold the value.
        raise ValueError(str(error)) from None


async def _home(container: dagger.Container) -> str:
    user, home, passwd = await asyncio.gather(
        container.user(), container.env_variable("HOME"), contents(container, "/etc/passwd")
    )
    return image_user(user.partition(":")[0], home or "", passwd, "").home
