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
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

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
        with self._get(f"/v2/{repository}/manifests/{reference}") as response:
            return str(response.headers["Docker-Content-Digest"])

    def requests(self, user_agent: str = "") -> list[str]:
        """Lines of the access log, of one user agent if given."""
        return [line for line in self.log.read_text().splitlines() if '" "' in line and user_agent in line]

    def answers(self) -> bool:
        """Whether it is up."""
        try:
            self._get("/v2/").close()
        except urllib.error.HTTPError as refused:
            refused.close()
            return True
        except OSError:
            return False
        return True

    def _get(self, path: str) -> urllib.response.addinfourl:
        user, password = next(iter(self.users.items()))
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
def registry(folder: Path, users: Mapping[str, str], *, tls: bool = False) -> Iterator[Registry]:
    """Run a registry that knows these users, on a free port of 127.0.0.1, its files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "htpasswd").write_text("".join(_htpasswd(user, password) for user, password in users.items()))
    certificate = _certificate(folder) if tls else None
    for attempt in range(3):
        with _process(folder, certificate, free_port(), users) as running:
            if running:
                yield running
                return
        # Somebody else may have taken the port in between.
        time.sleep(attempt / 10)
    raise RuntimeError(f"docker-registry does not start: {(folder / 'log').read_text()[-2000:]}")


@contextmanager
def _process(
    folder: Path, certificate: _Certificate | None, port: int, users: Mapping[str, str]
) -> Iterator[Registry | None]:
    address = f"127.0.0.1:{port}"
    config = folder / "config.yml"
    config.write_text(_config(folder, certificate, address))
    log = folder / "log"
    # It takes every REGISTRY_* variable for a setting of its own.
    environ = {"PATH": _PATH, "HOME": str(folder)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [_program("docker-registry"), "serve", str(config)], env=environ, stdout=output, stderr=output
        )
    try:
        running = Registry(address, dict(users), log, certificate.authority if certificate else None)
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


def _config(folder: Path, certificate: _Certificate | None, address: str) -> str:
    tls = f"\n  tls: {{certificate: {certificate.file}, key: {certificate.key}}}" if certificate else ""
    return f"""\
version: 0.1
storage:
  filesystem: {{rootdirectory: {folder}/data}}
  delete: {{enabled: true}}
http:
  addr: {address}
  relativeurls: true
  secret: of-no-use-with-one-process{tls}
auth:
  htpasswd: {{realm: test, path: {folder}/htpasswd}}
"""


def _htpasswd(user: str, password: str) -> str:
    # The lowest cost: clients send the password with each request.
    # On standard input a password could not have a second line.
    made = subprocess.run([_program("htpasswd"), "-nbBC", "4", user, password], capture_output=True, check=True)
    return made.stdout.decode().strip() + "\n"


@dataclass(frozen=True)
class _Certificate:
    authority: Path
    file: Path
    key: Path


def _certificate(folder: Path) -> _Certificate:
    """A certificate for 127.0.0.1 and localhost, from an authority made for this one."""
    authority, authority_key = folder / "authority.pem", folder / "authority.key"
    made = _Certificate(authority, folder / "server.pem", folder / "server.key")
    new = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    signed = ("-CA", str(authority), "-CAkey", str(authority_key), "-addext", "basicConstraints=critical,CA:FALSE")
    names = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost")
    for command in (
        (*new, "-subj", "/CN=Test authority", "-keyout", str(authority_key), "-out", str(authority)),
        (*new, *signed, *names, "-keyout", str(made.key), "-out", str(made.file)),
    ):
        subprocess.run(command, check=True, capture_output=True)
    return made


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _program(name: str) -> str:
    found = shutil.which(name, path=_PATH)
    if not found:
        raise RuntimeError(f"{name} is not installed (Debian: docker-registry, apache2-utils)")
    return found
