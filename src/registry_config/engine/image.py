"""The tool image: pulled with its credential, and what its configuration says."""

from __future__ import annotations

import asyncio

from registry_config.credentials.selection import fitting_credential
from registry_config.engine.errors import explain_pull, reason_of
from registry_config.engine.image_user import ImageUser, image_user
from registry_config.engine.mounts import fresh_name
from registry_config.errors import UnavailableError
from registry_config.light_typing import TYPE_CHECKING, NamedTuple
from registry_config.reference import parse_reference

if TYPE_CHECKING:
    import dagger

    from registry_config.credentials.redaction import Redactor
    from registry_config.plan import ImageSettings


class Image(NamedTuple):
    """The image as pulled.

    Attributes:
        container: of the image, running as its user.
        user: who that is.
        entrypoint: empty where it has none.
        resolved: its reference by digest.
    """

    container: dagger.Container
    user: ImageUser
    entrypoint: tuple[str, ...]
    resolved: str


async def pull(settings: ImageSettings, redactor: Redactor) -> Image:
    """Pull the image; to be called on a connection.

    Raises:
        UnavailableError: it cannot be had, or its user is not known to it.
    """
    import dagger  # noqa: PLC0415

    container = _from_registry(settings)
    try:
        # Not beside its files: while the engine unpacks the image for them, it may answer as for an empty container.
        user, home, entrypoint, resolved = await asyncio.gather(
            container.user(), container.env_variable("HOME"), container.entrypoint(), container.image_ref()
        )
        passwd, group = await asyncio.gather(contents(container, "/etc/passwd"), contents(container, "/etc/group"))
        resolved_user = image_user(user, settings.home or home or "", passwd, group)
    except dagger.QueryError as error:
        raise explain_pull(reason_of(error, redactor), settings.reference) from None
    except ValueError as error:
        raise UnavailableError("image", f"its user {error}", "use another image") from None
    if user and not (passwd and group):
        # The engine looks users and groups up in files that are not there.
        container = container.with_user(f"{resolved_user.uid}:{resolved_user.gid}")
    return Image(container, resolved_user, tuple(entrypoint or ()), resolved)


async def contents(container: dagger.Container, path: str) -> str:
    """A file of the image, empty where it has none."""
    import dagger  # noqa: PLC0415

    try:
        return await container.file(path).contents()
    except dagger.QueryError:
        return ""


async def is_ordinary(container: dagger.Container, path: str, *, follow: bool = False) -> bool:
    """Whether a command left an ordinary file there: to read a pipe would hold the engine until somebody writes."""
    from dagger import ExistsType  # noqa: PLC0415

    return await container.exists(path, expected_type=ExistsType.REGULAR_TYPE, do_not_follow_symlinks=not follow)


def _from_registry(settings: ImageSettings) -> dagger.Container:
    from dagger import dag  # noqa: PLC0415

    base = dag.container()
    reference = parse_reference(settings.reference)
    candidates = [credential for credential in settings.credentials if credential.host == reference.host]
    if credential := fitting_credential(candidates, reference.path):
        secret = dag.set_secret(fresh_name(), credential.secret)
        base = base.with_registry_auth(reference.host, credential.username, secret)
    return base.from_(settings.reference)
