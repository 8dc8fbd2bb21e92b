"""`RegistryConfig` in a Dagger program: what is mounted, where, and for whom."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from support.tables import exactly, table

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import dagger

    from registry_config import RegistryConfig
    from support.engine import Engine, Tools

_PATH = "/home/config.json"
_HUB = ["docker.io", "https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io"]


def _auth(username: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{username}:{password}".encode()).decode()}


def _secret(value: str) -> dagger.Secret:
    from dagger import dag  # noqa: PLC0415

    return dag.set_secret(f"test-{value}", value)


async def _image(tools: Tools, name: str = "shell") -> dagger.Container:
    from dagger import dag  # noqa: PLC0415

    login = tools.login
    password = dag.set_secret("tools", login["password"])
    container = dag.container().with_registry_auth(login["registry"], login["username"], password)
    return await container.from_(tools.reference(name)).sync()


async def _mounted(container: dagger.Container, path: str = _PATH) -> Any:
    """The document at a path; base64, since the engine hides the secret in what is printed."""
    return json.loads(base64.b64decode(await container.with_exec(["base64", path]).stdout()))


def _collected(engine: Engine, program: Callable[[], Awaitable[Any]]) -> Any:
    """Run a program on the engine and give what it returns."""
    results: list[Any] = []

    async def collect() -> None:
        results.append(await program())

    engine.call(collect)
    return results[0]


def _empty() -> RegistryConfig:
    from registry_config import RegistryConfig  # noqa: PLC0415

    return RegistryConfig()


def _one() -> RegistryConfig:
    return _empty().with_registry_auth("GHCR.io", "alice", _secret("first-password"))


def _several() -> RegistryConfig:
    others = _one().with_registry_auth("localhost:5000", "bob", _secret('pässword "2"\n'))
    return others.with_registry_auth("index.docker.io", "carol", _secret("third-password"))


_GHCR = {"ghcr.io": _auth("alice", "first-password")}
_ALL = _GHCR | {"localhost:5000": _auth("bob", 'pässword "2"')} | dict.fromkeys(_HUB, _auth("carol", "third-password"))


@table(
    "make, auths",
    {
        "none": (_empty, {}),
        "one": (_one, _GHCR),
        "several": (_several, _ALL),
        "the last one wins": (
            lambda: _one().with_registry_auth("ghcr.io", "eve", _secret("other")),
            {"ghcr.io": _auth("eve", "other")},
        ),
        "one is removed": (
            lambda: _several().without_registry_auth("https://index.docker.io/v1/"),
            {k: v for k, v in _ALL.items() if k not in _HUB},
        ),
        "all are removed": (lambda: _one().without_registry_auth("ghcr.io"), {}),
        "one that is not there is removed": (lambda: _one().without_registry_auth("other.example"), _GHCR),
    },
)
def test_the_document_holds_the_logins(
    engine: Engine, tools: Tools, make: Callable[[], RegistryConfig], auths: dict[str, dict[str, str]]
) -> None:
    async def program() -> Any:
        return await _mounted(await make().mount_secret(await _image(tools), _PATH))

    assert _collected(engine, program) == {"auths": auths}


def test_a_config_stays_as_it_is_when_another_is_made_of_it(engine: Engine) -> None:
    async def program() -> list[str]:
        config = _one()
        changed = [
            config.with_registry_auth("a.example", "bob", _secret("second")),
            config.without_registry_auth("ghcr.io"),
        ]
        return [await (await each.secret()).plaintext() for each in (config, *changed)]

    login = f'"ghcr.io":{json.dumps(_GHCR["ghcr.io"], separators=(",", ":"))}'
    added = f'"a.example":{json.dumps(_auth("bob", "second"), separators=(",", ":"))}'
    expected = [f'{{"auths":{{{logins}}}}}' for logins in (login, f"{added},{login}", "")]
    assert _collected(engine, program) == expected


def test_the_name_of_a_secret_ends_in_a_random_part_each_time(engine: Engine) -> None:
    async def program() -> list[str]:
        config = _one()
        return [await (await config.secret(name)).name() for name in ("", "", "mine", "mine")]

    names = _collected(engine, program)
    assert [name.rpartition("-")[0] for name in names] == ["registry-config", "registry-config", "mine", "mine"]
    assert [len(name.rpartition("-")[2]) for name in names] == [32] * 4
    assert len(set(names)) == 4


@table(
    "options, seen",
    {
        "by default": ({}, "400 0 0"),
        "for a user": ({"owner": "1234:1235", "mode": 0o440}, "440 1234 1235"),
        "for everybody": ({"mode": 0o444, "secret_name": "mine"}, "444 0 0"),
    },
)
def test_the_file_has_owner_and_mode_as_asked_for(
    engine: Engine, tools: Tools, options: dict[str, Any], seen: str
) -> None:
    async def program() -> tuple[str, str]:
        image = await _image(tools)
        ways = (
            await _one().mount_secret(image, _PATH, **options),
            await _one().secret_mount(_PATH, **options).mount(image),
        )
        first, second = [await c.with_exec(["stat", "-c", "%a %u %g", _PATH]).stdout() for c in ways]
        return first, second

    assert _collected(engine, program) == (f"{seen}\n", f"{seen}\n")


@table(
    "make, options, seen",
    {
        "empty": (_empty, {}, "there"),
        "empty, skipped": (_empty, {"skip_on_empty": True}, "not there"),
        "one, not skipped": (_one, {"skip_on_empty": True}, "there"),
    },
)
def test_an_empty_config_is_mounted_unless_told_otherwise(
    engine: Engine, tools: Tools, make: Callable[[], RegistryConfig], options: dict[str, Any], seen: str
) -> None:
    async def program() -> list[str]:
        image = await _image(tools)
        ways = (
            await make().mount_secret(image, _PATH, **options),
            await make().secret_mount(_PATH, **options).mount(image),
        )
        look = ["sh", "-c", f"test -e {_PATH} && echo there || echo not there"]
        return [await container.with_exec(look).stdout() for container in ways]

    assert _collected(engine, program) == [f"{seen}\n"] * 2


def test_a_command_runs_each_time_with_the_config_where_tools_find_it(engine: Engine, tools: Tools) -> None:
    async def program() -> list[Any]:
        login = tools.login
        config = _one().with_registry_auth(login["registry"], login["username"], _secret(login["password"]))
        image = await config.container(tools.reference("shell"))
        script = """
cat /proc/sys/kernel/random/uuid
for file in "$DOCKER_CONFIG/config.json" "$REGISTRY_AUTH_FILE" "$HELM_REGISTRY_CONFIG" ~/.docker/config.json; do
    base64 -w 0 "$file"; echo
done
"""
        return [await (await config.run(image, ["sh", "-c", script])).stdout() for _ in range(2)]

    first, second = (text.splitlines() for text in _collected(engine, program))
    assert (len({first[0], second[0]}), first[1:]) == (2, second[1:])
    puller = {tools.login["registry"]: _auth(tools.login["username"], tools.login["password"])}
    assert [json.loads(base64.b64decode(line)) for line in first[1:]] == [{"auths": _GHCR | puller}] * 4


@table(
    "address, username, message",
    {
        "scheme": ("https://ghcr.io", "alice", "must be a host without a scheme, such as 'ghcr.io'"),
        "path": ("ghcr.io/org", "alice", "must be a host without a path, such as 'ghcr.io'"),
        "nothing": ("", "alice", "is not a host name, with a port or without"),
    },
)
def test_a_wrong_address_is_refused_at_once(engine: Engine, address: str, username: str, message: str) -> None:
    async def program() -> None:
        with pytest.raises(ValueError, match=exactly(message)):
            _empty().with_registry_auth(address, username, _secret("password"))

    _collected(engine, program)


def test_an_empty_password_is_refused_and_a_secret_is_not_in_its_message(engine: Engine) -> None:
    async def program() -> list[str]:
        messages = []
        for value in ("", "with\0nul"):
            with pytest.raises(ValueError) as caught:  # noqa: PT011  (collected below)
                await _empty().with_registry_auth("ghcr.io", "alice", _secret(value)).secret()
            messages.append(str(caught.value))
        return messages

    nul = "ghcr.io: contains a NUL byte, which tools trim away; store the password as plain UTF-8 text"
    assert _collected(engine, program) == ["ghcr.io: is empty", nul]


def test_the_package_alone_imports_no_dagger() -> None:
    script = "import sys, registry_config; print('dagger' in sys.modules, registry_config.__all__)"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert ended.stdout.decode() == "False ['RegistryConfig', 'SecretMount']\n"
