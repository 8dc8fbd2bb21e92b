"""A Dagger engine for tests, tool images made of this machine's programs, and runs of the command line in them."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from registry_config.engine.dagger_cli import find_cli
from registry_config.engine.session import DaggerSession
from registry_config.github.inputs import variable
from support.cli import PROGRAM, Machine, tool_path
from support.runner import file_commands

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    import dagger

    from support.cli import Done
    from support.registry import Pair, Registry

# Under which address the command in an image reaches servers on this machine's 127.0.0.1 (a bridge of the engine,
# whose packets are led there). The engine itself pulls from 127.0.0.1, so it has to share this machine's network.
EXEC_HOST = "REGISTRY_CONFIG_TEST_EXEC_HOST"
# The engine's state folder, to be searched for secrets; may be left out.
STATE = "REGISTRY_CONFIG_TEST_ENGINE_STATE"
_TIMEOUT = 60
_DOCKER_VARIABLES = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY")


@dataclass(frozen=True)
class Engine:
    """A reachable engine.

    Attributes:
        exec_host: the address under which an exec reaches 127.0.0.1 of this machine.
        state: its state folder, where that is known.
        variables: what a program needs to reach it.
    """

    exec_host: str
    state: Path | None
    variables: Mapping[str, str]

    def login(self, registry: Registry, user: str | None = None) -> dict[str, str]:
        """An entry of `registries:` for the command in an image."""
        return registry.login(user) | {"registry": self.inside(registry)}

    def inside(self, registry: Registry) -> str:
        """The address of a registry in an image."""
        return f"{self.exec_host}:{registry.address.rpartition(':')[2]}"

    def call(self, program: Callable[[], Awaitable[None]]) -> None:
        """Run a program of the SDK, connected to the engine."""
        import dagger  # noqa: PLC0415  (a second; not to be spent where there is no engine)

        async def connected() -> None:
            async with dagger.connection():
                await program()

        before = dict(os.environ)
        os.environ.update(self.variables)
        try:
            asyncio.run(connected())
        finally:
            os.environ.clear()
            os.environ.update(before)


def find_engine() -> Engine:
    """The engine that the environment names.

    Raises:
        LookupError: it does not say where an exec finds this machine.
        UnavailableError: there is no engine.
    """
    exec_host = os.environ.get(EXEC_HOST)
    if not exec_host:
        raise LookupError(f"{EXEC_HOST} is not set")
    environ = dict(os.environ)
    session = DaggerSession(environ, lambda _: None)
    session.start()
    session.connect()
    session.close()
    names = (name for name in environ if name.startswith("_EXPERIMENTAL_DAGGER_") or name in _DOCKER_VARIABLES)
    # The homes of tests are empty: the CLI that was found here is not to be fetched again for each.
    cli = {"_EXPERIMENTAL_DAGGER_CLI_BIN": find_cli(environ)}
    state = environ.get(STATE)
    return Engine(exec_host, Path(state) if state else None, {name: environ[name] for name in names} | cli)


class Image(NamedTuple):
    """A tool image.

    Attributes:
        programs: of this machine, beside busybox.
        applets: names of busybox's programs that it has; none: all of them, a shell included.
        user: who it runs as.
        entrypoint: its entrypoint.
        passwd: its `/etc/passwd`, if it has one.
        variables: its environment.
        libraries: files of this machine that it has at the same path.
        folders: likewise for whole folders, without their tests and caches.
    """

    programs: tuple[str, ...] = ("crane",)
    applets: tuple[str, ...] = ()
    user: str = ""
    entrypoint: tuple[str, ...] = ()
    passwd: str = ""
    variables: tuple[tuple[str, str], ...] = ()
    libraries: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


_PASSWD = "root:x:0:0:root:/root:/bin/sh\ntool:x:1234:1235:tool:/home/tool:/bin/sh\n"
_GROUP = "root:x:0:\ntool:x:1235:\nother:x:1236:tool\n"
_APPLETS = ("env", "id", "sha256sum", "touch", "true")
IMAGES = {
    "shell": Image(("crane", "helm"), entrypoint=("helm",), passwd=_PASSWD),
    "user by name": Image(user="tool", passwd=_PASSWD),
    "user by number": Image(user="1234", passwd=_PASSWD),
    "unknown number": Image(user="4321", passwd=_PASSWD),
    "no shell, no passwd": Image(applets=_APPLETS, user="65532"),
    "no passwd, user and group": Image(applets=_APPLETS, user="65532:65533"),
    "no passwd, root": Image(applets=_APPLETS),
    "variables of its own": Image(
        passwd=_PASSWD,
        variables=(
            ("HOME", "/home/other"),
            ("DOCKER_CONFIG", "/etc/docker"),
            ("REGISTRY_AUTH_FILE", "/etc/auth.json"),
            ("HELM_REGISTRY_CONFIG", "/etc/helm.json"),
            ("DOCKER_AUTH_CONFIG", '{"auths":{}}'),
        ),
    ),
    "home in the working directory": Image(passwd=_PASSWD, variables=(("HOME", "/workspace"),)),
}


class Tools(NamedTuple):
    """The tool images in a registry that asks for a password."""

    registry: Registry

    def reference(self, name: str) -> str:
        """The reference of an image in `IMAGES`."""
        return f"{self.registry.address}/tools:{_tag(name)}"

    @property
    def login(self) -> dict[str, str]:
        """The entry that pulls them, of no use to the command."""
        return self.registry.login() | {"for": "image"}


def publish_images(engine: Engine, registry: Registry, images: Mapping[str, Image] = IMAGES) -> Tools:
    """Make these images and push them."""
    tools = Tools(registry)
    engine.call(lambda: _publish(tools, images))
    return tools


async def _publish(tools: Tools, images: Mapping[str, Image]) -> None:
    import dagger  # noqa: PLC0415
    from dagger import dag  # noqa: PLC0415

    user, password = next(iter(tools.registry.users.items()))
    secret = dag.set_secret(f"tools-{os.urandom(8).hex()}", password)
    for name, image in images.items():
        container = _container(image).with_registry_auth(tools.registry.address, user, secret)
        # Uncompressed: nobody has to wait for gzip.
        await container.publish(tools.reference(name), forced_compression=dagger.ImageLayerCompression.Uncompressed)


def _container(image: Image) -> dagger.Container:
    from dagger import dag  # noqa: PLC0415

    root = dag.directory().with_file("bin/busybox", _local("busybox"))
    for program in image.programs:
        root = root.with_file(f"usr/bin/{program}", _local(program))
    for library in image.libraries:
        root = root.with_file(library, dag.host().file(os.path.realpath(library)))
    for folder in image.folders:
        root = root.with_directory(
            folder, dag.host().directory(folder, exclude=["**/__pycache__", "**/test", "**/*.a"])
        )
    for applet in image.applets:
        root = root.with_symlink("busybox", f"bin/{applet}")
    container = dag.container().with_rootfs(root).with_env_variable("PATH", "/usr/bin:/bin")
    if not image.applets:
        container = container.with_exec(["/bin/busybox", "--install", "-s", "/bin"]).with_exec(
            ["/bin/sh", "-c", "mkdir -p /tmp /root /home/other /home/tool && chmod 1777 /tmp && chown 1234 /home/tool"]
        )
    if image.passwd:
        container = container.with_new_file("/etc/passwd", image.passwd)
    for name, value in image.variables:
        container = container.with_env_variable(name, value)
    if image.user:
        container = container.with_user(image.user)
    return container.with_entrypoint(list(image.entrypoint)) if image.entrypoint else container


def _local(program: str) -> dagger.File:
    from dagger import dag  # noqa: PLC0415

    path = shutil.which(program, path=tool_path())
    if not path:
        raise RuntimeError(f"{program} is not installed (Debian: busybox-static; the others: scripts/setup)")
    return dag.host().file(os.path.realpath(path))


def _tag(name: str) -> str:
    return "-".join(name.replace(",", "").split())


class Step(NamedTuple):
    """What came of a step of the action: its log, its outputs and its summary."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str


@dataclass(frozen=True)
class Bench:
    """Runs commands in tool images.

    Attributes:
        machine: the user who runs them.
        engine: where they run.
        tools: the images.
        registries: what the commands may push to.
    """

    machine: Machine
    engine: Engine
    tools: Tools
    registries: Pair

    @property
    def logins(self) -> list[dict[str, str]]:
        """The entries of both registries, for the command."""
        return [self.engine.login(registry) for registry in self.registries]

    def run(
        self,
        *command: str,
        image: str = "shell",
        registries: Sequence[Mapping[str, str]] = (),
        options: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
    ) -> Done:
        """Run a command in one of `IMAGES`, or in another by its reference."""
        return self.machine.run(
            *command,
            registries=[*registries, self.tools.login],
            options=["--image", self._reference(image), *options],
            variables=variables,
        )

    def start(
        self, *command: str, registries: Sequence[Mapping[str, str]] = (), options: Sequence[str] = ()
    ) -> AbstractContextManager[subprocess.Popen[bytes]]:
        """Start a command in the image with a shell."""
        return self.machine.start(
            *command,
            registries=[*registries, self.tools.login],
            options=["--image", self._reference("shell"), *options],
        )

    def action(
        self,
        command: str,
        inputs: Mapping[str, str] | None = None,
        *,
        image: str = "shell",
        registries: Sequence[Mapping[str, str]] = (),
        variables: Mapping[str, str] | None = None,
    ) -> Step:
        """Run the program as action.yml does."""
        given = {"image": self._reference(image), "command": command, **(inputs or {})}
        declared = Path(self.machine.declare([*registries, self.tools.login])).read_text()
        files = {name: self.machine.root / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for path in files.values():
            path.write_bytes(b"")
        environ = {variable(name): text for name, text in (given | {"registries": declared}).items()}
        environ |= {name: str(path) for name, path in files.items()}
        ended = subprocess.run(
            [*self.machine.prefix, *PROGRAM, "action"],
            cwd=self.machine.work,
            env=self.machine.environ(environ | dict(variables or {})),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT,
            check=False,
        )
        outputs, summary = (path.read_text() for path in files.values())
        return Step(ended.returncode, ended.stdout.decode(), file_commands(outputs.encode()), summary)

    def _reference(self, image: str) -> str:
        return self.tools.reference(image) if image in IMAGES else image


def without_masks(log: str) -> list[str]:
    """The lines of a step's log that a person sees."""
    return [line for line in log.splitlines() if not line.startswith("::add-mask::")]


def after_progress(log: str) -> list[str]:
    """The lines behind Dagger's own."""
    shown = without_masks(log)
    ends = [number for number, line in enumerate(shown, 1) if line == "::endgroup::"]
    return shown[ends[-1] if ends else 0 :]


def answers(registry: Registry, request: str) -> list[str]:
    """Status of each such request (`PUT /v2/app/manifests/1`), by the registry's access log."""
    start = f'"{request} HTTP/1.1" '
    return [line.partition(start)[2].split()[0] for line in registry.requests() if start in line]
