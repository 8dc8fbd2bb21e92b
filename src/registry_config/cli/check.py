"""What a declaration means, said before anything runs: reads no password, asks no network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from registry_config.credentials.reading import Credential
from registry_config.credentials.selection import select
from registry_config.docker_config import config_keys
from registry_config.tools.table import known_tool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from registry_config.declaration.registries import Declaration

_SOURCES: Final = {
    "password": "written here: the runner shows it unless it is a registered secret; password-env is safer",
    "password-env": "from a variable of the environment",
    "password-file": "from a file",
    "github-token": "the job's own token",
}
_NOT_PROMISED: Final = (
    "that other processes of the same user cannot read our memory, or swap",
    "what a tool writes itself, such as a login inside the command",
    "in an image: that the engine keeps no variable of secret-env on its disk while the command runs",
    "in an image: that anything is encrypted on the way to an engine reached by plain tcp://",
    "what the runner prints of with: and env: before any code of ours runs",
    "that a password of fewer than 6 characters is hidden other than in its base64 form",
)


def describe(
    declarations: tuple[Declaration, ...], image: str = "", argv: tuple[str, ...] | None = None
) -> Iterator[str]:
    """Lines that say what is declared, what is mounted where, and what is known about the tool.

    Args:
        declarations: the checked list.
        image: the tool image; empty for this machine.
        argv: the command, if there is one yet.

    Raises:
        InputError: the command names references that several credentials of one registry fit.
    """
    if not declarations:
        yield "no registries: the config holds no login"
    for declaration in declarations:
        yield from _entry(declaration)
    yield from _places(image)
    if argv:
        yield from _tool(argv, image)
        yield from _selection(declarations, argv)
    yield "not promised"
    for text in _NOT_PROMISED:
        yield f"  {text}"


def _entry(declaration: Declaration) -> Iterator[str]:
    yield _name(declaration)
    yield f"  declared   {declaration.place()}"
    yield f"  user       {declaration.username or 'github.actor'}"
    yield f"  password   {_SOURCES[declaration.source.kind]}"
    yield f"  used for   {' and '.join(_uses(declaration))}"
    yield f"  keys       {' '.join(config_keys(declaration.host))}"


def _places(image: str) -> Iterator[str]:
    yield "the config"
    if image:
        yield "  /run/oci-auth/config.json and $HOME/.docker/config.json, mounted read-only"
        yield "  DOCKER_CONFIG, REGISTRY_AUTH_FILE and HELM_REGISTRY_CONFIG name the first"
    else:
        yield "  in memory; DOCKER_CONFIG, REGISTRY_AUTH_FILE and HELM_REGISTRY_CONFIG lead to it"
        yield "  $HOME/.docker is left alone: its contexts, plug-ins and builders are there, its logins are hidden"


def _tool(argv: tuple[str, ...], image: str) -> Iterator[str]:
    program = argv[0].rpartition("/")[2]
    tool = known_tool(argv[0])
    yield "the tool"
    if tool is None:
        yield "  nothing is known about this program; most read DOCKER_CONFIG"
        return
    yield f"  {program} reads {tool.reads}"
    problem = tool.in_image if image else tool.on_host
    if problem:
        yield f"  will not work: {problem}"
    if tool.remark:
        yield f"  {tool.remark}"


def _selection(declarations: tuple[Declaration, ...], argv: tuple[str, ...]) -> Iterator[str]:
    candidates = [
        Credential(host=d.host, username="", secret="", purposes=d.purposes, path=d.path)
        for d in declarations
        if "command" in d.purposes
    ]
    chosen = sorted(credential.registry for credential in select(candidates, argv))
    yield "this command gets"
    yield f"  {', '.join(chosen) or 'no login'}"


def _name(declaration: Declaration) -> str:
    return f"{declaration.host}/{declaration.path}" if declaration.path else declaration.host


def _uses(declaration: Declaration) -> Iterator[str]:
    if "image" in declaration.purposes:
        yield "pulling the tool image"
    if "command" in declaration.purposes:
        yield "the command"
