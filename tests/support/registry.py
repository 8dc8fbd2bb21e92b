"""A real registry on loopback that asks for a password: Debian's docker-registry, stopped by its own process id."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle, islice
from typing import TYPE_CHECKING, NamedTuple

from support.authority import Certificate, certificate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_START_SECONDS = 20
# Debian keeps htpasswd's neighbours there, and a normal user's PATH may lack it.
_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))


# Below those that connections get, and for each process that runs tests beside others its own.
_COUNT = 2000
_FIRST = 12_000 + _COUNT * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 10)
_PORTS = cycle(range(_FIRST, _FIRST + _COUNT))


@dataclass(frozen=True)
class Registry:
    """A running registry.

    Attributes:
        address: `host:port`, as references name it.
        users: password of each user.
        log: what it writes, access log included.
        authority: certificate of the private authority where it speaks TLS.
    """

    address: str
    users: Mapping[str, str]
    log: Path
    authority: Path | None = None

    def login(self, user: str | None = None) -> dict[str, str]:
        """An entry of `registries:`; without `user` the first one."""
        name = next(iter(self.users)) if user is None else user
        return {"registry": self.address, "username": name, "password": self.users[name]}

    def digest(self, repository: str, reference: str) -> str:
        """The digest under which the registry keeps a tag."""
        with self.get(f"/v2/{repository}/manifests/{reference}") as response:
            return str(response.headers["Docker-Content-Digest"])

    def requests(self, user_agent: str = "") -> list[str]:
        """Lines of the access log, of one user agent if given."""
        return [line for line in self.log.read_text().splitlines() if '" "' in line and user_agent in line]

    def answers(self) -> bool:
        """Whether it is up."""
        try:
            self.get("/v2/").close()
        except urllib.error.HTTPError as refused:
            refused.close()
            return True
        except OSError:
            return False
        return True

    def get(self, path: str) -> urllib.response.addinfourl:
        """Its answer, as its first user gets it."""
        user, password = next(iter(self.users.items()), ("nobody", ""))
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        request = urllib.request.Request(  # noqa: S310  (our own address)
            f"{'https' if self.authority else 'http'}://{self.address}{path}",
            headers={"Authorization": f"Basic {pair}", "Accept": ", ".join(MANIFEST_TYPES)},
        )
        context = ssl.create_default_context(cafile=str(self.authority)) if self.authority else None
        answer: urllib.response.addinfourl = urllib.request.urlopen(  # noqa: S310
            request, timeout=10, context=context
        )
        return answer


class Pair(NamedTuple):
    """Two registries, declared together, each with its first user."""

    first: Registry
    second: Registry

    @property
    def logins(self) -> list[dict[str, str]]:
        """The declaration of both."""
        return [self.first.login(), self.second.login()]


@contextmanager
def registry(
    folder: Path, users: Mapping[str, str], *, tls: bool = False, auth: str | None = None
) -> Iterator[Registry]:
    """Run a registry on a free port of 127.0.0.1, its files in `folder`.

    Args:
        folder: made if it is not there.
        users: those it knows, with their passwords.
        tls: with a certificate of a private authority.
        auth: its configuration of `auth`, as YAML in one line; empty: it lets everybody in. Default: these users.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "htpasswd").write_text("".join(_htpasswd(user, password) for user, password in users.items()))
    served = certificate(folder) if tls else None
    for attempt in range(3):
        with _process(folder, served, free_port(), users, auth) as running:
            if running:
                yield running
                return
        # Somebody else may have taken the port in between.
        time.sleep(attempt / 10)
    raise RuntimeError(f"docker-registry does not start: {(folder / 'log').read_text()[-2000:]}")


@contextmanager
def _process(
    folder: Path, served: Certificate | None, port: int, users: Mapping[str, str], auth: str | None
) -> Iterator[Registry | None]:
    address = f"127.0.0.1:{port}"
    config = folder / "config.yml"
    config.write_text(_config(folder, served, address, auth))
    log = folder / "log"
    # It takes every REGISTRY_* variable for a setting of its own.
    environ = {"PATH": _PATH, "HOME": str(folder)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [_program("docker-registry"), "serve", str(config)], env=environ, stdout=output, stderr=output
        )
    try:
        running = Registry(address, dict(users), log, served.authority if served else None)
        deadline = time.monotonic() + _START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if running.answers():
                yield running
                return
            time.sleep(0.02)
        yield None
    finally:
        process.terminate()
        process.wait(timeout=10)


def _config(folder: Path, served: Certificate | None, address: str, auth: str | None) -> str:
    tls = f"\n  tls: {{certificate: {served.file}, key: {served.key}}}" if served else ""
    asked = f"{{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}" if auth is None else auth
    return f"""\
version: 0.1
storage:
  filesystem: {{rootdirectory: {folder}/data}}
  delete: {{enabled: true}}
http:
  addr: {address}
  relativeurls: true
  secret: of-no-use-with-one-process{tls}
{f"auth: {asked}" if asked else ""}
"""


def _htpasswd(user: str, password: str) -> str:
    # The lowest cost: clients send the password with each request.
    # On standard input a password could not have a second line.
    made = subprocess.run([_program("htpasswd"), "-nbBC", "4", user, password], capture_output=True, check=True)
    return made.stdout.decode().strip() + "\n"


def free_port() -> int:
    """A port of 127.0.0.1 that is free now, and that no other process of these tests and no connection will take."""
    for port in islice(_PORTS, _COUNT):
        with socket.socket() as sock, suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")


def _program(name: str) -> str:
    found = shutil.which(name, path=_PATH)
    if not found:
        raise RuntimeError(f"{name} is not installed (Debian: docker-registry, apache2-utils)")
    return found
