"""What a command finds in an image: files that hold the config, variables that lead to it. Nothing is mounted here.

The runner of commands, the Dagger API and `check` all take it from here.
"""

from __future__ import annotations

import posixpath
import uuid

from registry_config.credentials.encodings import is_short
from registry_config.docker_config import CONFIG_NAME, auth_value, environment, render
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from registry_config.docker_config import Login

# A folder of its own: nothing of the image is hidden by it, and after the exec nothing of it is left.
CONFIG_FOLDER: Final = "/run/oci-auth"
CONFIG_FILE: Final = f"{CONFIG_FOLDER}/{CONFIG_NAME}"
# buildx needs a folder that it can write to.
_BUILDX_FOLDER: Final = "/tmp/.buildx"  # noqa: S108  (in the container)
VARIABLES: Final = environment(CONFIG_FOLDER) | {"BUILDX_CONFIG": _BUILDX_FOLDER}
# It holds a whole config in some CI systems, and would go before ours.
REMOVED_VARIABLE: Final = "DOCKER_AUTH_CONFIG"
# A new value right before an exec: the engine would answer a second equal push from its cache.
NONCE_VARIABLE: Final = "REGISTRY_CONFIG_RUN"
# Outside of the working directory: what a script writes there is read from the result, and never exported.
OUTPUT_FILE: Final = "/run/registry-config/output"
OWNER: Final = "0:0"
# A tool may run as anybody in its image, so anybody there may read the config; nobody needs to read the parts.
_CONFIG_MODE: Final = 0o444
_PART_MODE: Final = 0o400


class Mount(NamedTuple):
    """A secret file in the container."""

    path: str
    text: str
    mode: int

    def __repr__(self) -> str:
        return f"Mount({self.path!r}, ***)"


def mounts(logins: Iterable[Login], home: str) -> tuple[Mount, ...]:
    """The files for these logins.

    Args:
        logins: what the config holds.
        home: the home folder of the container's user; empty where nothing can be mounted under it.
    """
    logins = tuple(logins)
    config = render(logins)
    paths = (CONFIG_FILE, home_config(home)) if home else (CONFIG_FILE,)
    # The engine's scrubber hides whole secrets only, of those that the exec has: so it gets the parts as well.
    parts = {p for login in logins for p in (login.secret, auth_value(login.username, login.secret)) if not is_short(p)}
    return (
        *(Mount(path, config, _CONFIG_MODE) for path in paths),
        *(Mount(f"{CONFIG_FOLDER}/parts/{n}", part, _PART_MODE) for n, part in enumerate(sorted(parts))),
    )


def home_config(home: str) -> str:
    """Where tools that know only the home folder look."""
    # POSIX keeps two slashes at the start of a path.
    return posixpath.normpath(f"/{home.lstrip('/')}/.docker/{CONFIG_NAME}")


def fresh_name(beginning: str = "registry-config") -> str:
    """A name for a secret: Dagger takes two secrets of one name for the same, whatever they hold."""
    return f"{beginning}-{uuid.uuid4().hex}"


def nonce() -> str:
    """A value that was never used before."""
    return uuid.uuid4().hex
