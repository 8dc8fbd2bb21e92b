"""An image that cannot be had is told apart by what is wrong with it, in our words and with the remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.tables import table

if TYPE_CHECKING:
    from support.engine import Bench

_REFUSED = (
    "image: {host} refuses to give it to us; check the entry for {host} in registries,"
    " and that it is not 'for: command'"
)
_NOT_THERE = (
    "image: {host} has no such image or tag; check its spelling; some registries answer so where access is denied"
)
_NO_WAY = "image: {host} cannot be reached from the engine; check the name, and the engine's network and proxy"


@table(
    "reference, entry, message",
    {
        "no entry": ("{tools}/tools:shell", {"registry": "other.example"}, _REFUSED),
        "an entry for the command": ("{tools}/tools:shell", {"for": "command"}, _REFUSED),
        "a wrong password": ("{tools}/tools:shell", {"password": "wrong-password"}, _REFUSED),
        "a wrong user": ("{tools}/tools:shell", {"username": "stranger"}, _REFUSED),
        "no such tag": ("{tools}/tools:nosuch", {}, _NOT_THERE),
        "no such repository": ("{tools}/nosuch:1", {}, _NOT_THERE),
        "no such digest": (f"{{tools}}/tools@sha256:{'0' * 64}", {}, _NOT_THERE),
        "nobody listens": ("127.0.0.1:1/tools:1", {}, _NO_WAY),
        "no such host": ("registry.invalid/tools:1", {}, _NO_WAY),
    },
)
def test_an_image_that_cannot_be_pulled(bench: Bench, reference: str, entry: dict[str, str], message: str) -> None:
    tools = bench.tools.registry
    reference = reference.format(tools=tools.address)
    entries = [tools.login() | {"for": "image"} | entry]
    done = bench.machine.run("true", registries=entries, options=["--image", reference])
    expected = message.format(host=reference.partition("/")[0])
    assert (done.code, done.stdout, done.stderr.decode()) == (69, b"", f"registry-config: {expected}\n")
    assert (done.report["ran"], done.report["exit-code"], done.report["error"]) == (False, None, expected)


def test_an_image_for_another_architecture(bench: Bench) -> None:
    host = bench.tools.registry.address
    image = bench.tools.reference("no passwd, root")
    for command in (
        f"crane mutate {image} --set-platform linux/s390x --tag {host}/other:single",
        f"crane index append --manifest {host}/other:single --tag {host}/other:index",
    ):
        made = bench.machine.run(*command.split(), registries=[bench.tools.registry.login()])
        assert made.code == 0, made.stderr
    done = bench.run("true", image=f"{host}/other:index")
    message = "image: there is none for this engine's architecture; choose another tag"
    assert (done.code, done.stdout, done.stderr.decode()) == (69, b"", f"registry-config: {message}\n")


def test_a_user_that_the_image_does_not_know(bench: Bench) -> None:
    host = bench.tools.registry.address
    command = f"crane mutate {bench.tools.reference('no passwd, root')} --user nobody --tag {host}/user:1"
    assert bench.machine.run(*command.split(), registries=[bench.tools.registry.login()]).code == 0
    done = bench.run("true", image=f"{host}/user:1")
    problem = "its user names a user or group that its /etc/passwd or /etc/group does not know; use another image"
    assert (done.code, done.stderr.decode()) == (69, f"registry-config: image: {problem}\n")


def test_the_image_gets_its_own_credential_and_the_command_its_own(bench: Bench) -> None:
    # One registry, two entries: the command's user may not exist there, and the image's is not for the command.
    tools = bench.tools.registry
    command = {
        "registry": tools.address,
        "username": "stranger",
        "password": "password-of-nobody-here",
        "for": "command",
    }
    script = 'sed "s/.*auth.:.//; s/\\".*//" $DOCKER_CONFIG/config.json | base64 -d | cut -d: -f1'
    done = bench.run(script, registries=[command], options=["--shell", "sh"])
    assert (done.code, done.stdout, done.stderr) == (0, b"stranger\n", b"")
