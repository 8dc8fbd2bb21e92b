"""From one entry to a push: into a registry that takes the minted credential alone."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.aws import ACCOUNT, PASSWORD, REGION, REGISTRY, aws
from support.cli import lines_of_ours
from support.clouds import ROLE
from support.http_server import Answer
from support.identity import HOST as GITHUB
from support.identity import ISSUER, SUBJECT
from support.keyless import ENTRIES
from support.keyless_runs import entry, push, registry_behind, run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from support.cli import Machine
    from support.clouds import Clouds
    from support.net import Asked, Net

_ACCOUNT_SERVER = "iamcredentials.googleapis.com"


@pytest.mark.parametrize("name", ENTRIES)
def test_one_entry_is_enough_for_a_push(
    name: str, world: Net, clouds: Clouds, machine: Machine, tmp_path: Path
) -> None:
    host, api, _ = ENTRIES[name]
    with registry_behind(world, tmp_path / "registry", api, *clouds.passwords[api]):
        done = run(machine, world, clouds, *push(host), registries=[entry(name)])

    assert done.code == 0, done.stderr
    assert done.report["digest"].startswith("sha256:")
    ours = lines_of_ours(done.stderr)
    assert any(line.startswith(f"{host}: credential from {name.partition(',')[0]}") for line in ours)


@pytest.mark.parametrize("name", ENTRIES)
def test_without_the_entry_there_is_no_push(
    name: str, world: Net, clouds: Clouds, machine: Machine, tmp_path: Path
) -> None:
    host, api, _ = ENTRIES[name]
    with registry_behind(world, tmp_path / "registry", api, *clouds.passwords[api]):
        done = run(machine, world, clouds, *push(host))

    assert done.code == 1


def test_a_private_registry_of_aws(clouds: Clouds, world: Net, machine: Machine, tmp_path: Path) -> None:
    with aws() as moto, registry_behind(world, tmp_path / "registry", REGISTRY, "AWS", PASSWORD):
        world.players.update(moto.players)
        declared = {"registry": REGISTRY, "provider": "aws", "role-to-assume": moto.role("pusher")}
        done = run(machine, world, clouds, *push(REGISTRY), registries=[declared])

    assert done.code == 0, done.stderr
    assert ACCOUNT in REGISTRY
    assert world.to(f"sts.{REGION}.amazonaws.com")


def test_several_clouds_in_one_declaration(world: Net, clouds: Clouds, machine: Machine, tmp_path: Path) -> None:
    names = ("aws", "google", "azure", "docker-hub")
    hosts = [ENTRIES[name][0] for name in names]
    with (
        registry_behind(world, tmp_path / "1", "public.ecr.aws", *clouds.passwords["public.ecr.aws"]),
        registry_behind(world, tmp_path / "2", "europe-docker.pkg.dev", *clouds.passwords["europe-docker.pkg.dev"]),
        registry_behind(world, tmp_path / "3", "acme.azurecr.io", *clouds.passwords["acme.azurecr.io"]),
        registry_behind(world, tmp_path / "4", "registry-1.docker.io", *clouds.passwords["registry-1.docker.io"]),
    ):
        options = [word for host in hosts for word in ("--target", f"{host}/acme")]
        command = ("oras", "push", "{target}/app:1", "file.txt:text/plain")
        registries = [entry(name) for name in names]
        done = run(machine, world, clouds, *command, registries=registries, options=options)

    assert done.code == 0, done.stderr
    assert [result["exit-code"] for result in done.report["results"]] == [0, 0, 0, 0]


def test_a_helper_of_the_machine(world: Net, clouds: Clouds, machine: Machine, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    helper = tools / "docker-credential-mine"
    seen = tmp_path / "seen"
    answer = json.dumps({"Username": "robot", "Secret": "from-the-helper-16180339"})
    keep = f"open({str(seen)!r}, 'w').write(json.dumps([sys.stdin.read(), dict(os.environ)]))"
    helper.write_text(f"#!{sys.executable} -IS\nimport json, os, sys\n{keep}\nprint('''{answer}''')\n")
    helper.chmod(0o755)
    path = machine.environ()["PATH"]
    entries = [
        {"registry": "registry.example.com", "credential-helper": "mine"},
        {"registry": "other.example.com", "username": "me", "password-env": "OTHER"},
    ]
    with registry_behind(world, tmp_path / "r", "registry.example.com", "robot", "from-the-helper-16180339"):
        done = run(
            machine,
            world,
            clouds,
            *push("registry.example.com"),
            registries=entries,
            options=("--secret-env", "MORE"),
            variables={"PATH": f"{tools}:{path}", "OTHER": "others-password-1618", "MORE": "more-secret-1618"},
        )

    assert done.code == 0, done.stderr
    asked, environ = json.loads(seen.read_text())
    assert asked == "registry.example.com"
    assert not {"OTHER", "MORE"} & set(environ)


@pytest.mark.parametrize("kind", ["dry run", "check"])
def test_nobody_is_asked_before_a_run(kind: str, world: Net, clouds: Clouds, machine: Machine) -> None:
    entries = [entry("google"), {"registry": "registry.example.com", "credential-helper": "not-there"}]
    if kind == "dry run":
        done = run(machine, world, clouds, *push("europe-docker.pkg.dev"), registries=entries, options=("--dry-run",))
        assert done.code == 0, done.stderr
    else:
        words = [
            *machine.program,
            "check",
            "--registries",
            machine.declare(entries),
            "--",
            *push("europe-docker.pkg.dev"),
        ]
        environ = machine.environ({**world.variables, **clouds.issuer.variables})
        ended = subprocess.run(words, cwd=machine.work, env=environ, capture_output=True, timeout=60, check=False)
        assert ended.returncode == 0, ended.stderr
        assert b"identity provider" in ended.stdout

    assert world.connected == []


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("no-such-program-at-all",), 127),
        (("oras", "push", "europe-docker.pkg.dev/acme/app:1"), 64),
    ],
)
def test_nobody_is_asked_where_a_check_fails(
    command: tuple[str, ...], code: int, world: Net, clouds: Clouds, machine: Machine
) -> None:
    # The folder is not there.
    options = ("-C", "nowhere") if code == 64 else ()
    done = run(machine, world, clouds, *command, registries=[entry("google")], options=options)

    assert done.code == code, done.stderr
    assert world.connected == []


def test_a_job_without_the_permission(world: Net, machine: Machine) -> None:
    variables = {**world.variables, "GITHUB_SERVER_URL": "https://github.com"}
    done = machine.run(*push("europe-docker.pkg.dev"), registries=[entry("google")], variables=variables)

    assert done.code == 77
    (line,) = lines_of_ours(done.stderr)
    assert line.startswith(
        "registries[0] (line 1): the job may not ask GitHub for an ID token; add 'permissions: id-token"
    )
    assert "fork" in line
    assert "reusable workflow" in line
    assert world.connected == []


def test_a_job_without_the_permission_is_skipped_where_that_was_asked_for(world: Net, machine: Machine) -> None:
    done = machine.run(
        *push("europe-docker.pkg.dev"),
        registries=[entry("google")],
        variables=world.variables,
        options=("--on-missing", "skip"),
    )

    assert done.code == 0
    assert done.report["skipped"] is True


@pytest.mark.parametrize(
    ("entry_", "place"),
    [
        ({"registry": "ghcr.io", "provider": "google", "workload-identity-provider": "p"}, "provider"),
        ({"registry": "evil.example.com", "provider": "aws", "role-to-assume": ROLE}, "provider"),
        ({"registry": "quay.io", "provider": "docker-hub", "username": "a", "connection-id": "b"}, "provider"),
        ({"registry": "quay.io", "provider": "quay", "username": "a+b", "id-token-env": "NOT_THERE"}, "id-token-env"),
    ],
)
def test_a_wrong_entry_is_refused_before_anybody_is_asked(
    entry_: Mapping[str, str], place: str, world: Net, clouds: Clouds, machine: Machine
) -> None:
    done = run(machine, world, clouds, "true", registries=[entry_])

    assert done.code == 64
    assert lines_of_ours(done.stderr)[0].startswith(f"registries[0].{place} (line 1): ")
    assert world.connected == []


@pytest.mark.parametrize("status", [403, 302])
def test_a_provider_that_gives_nothing_ends_the_run(status: int, world: Net, clouds: Clouds, machine: Machine) -> None:
    world.players["sts.googleapis.com"] = lambda _: Answer(status, headers={"Location": "https://example.com/"})
    done = run(machine, world, clouds, "touch", "ran", registries=[entry("google")])

    assert done.code == (77 if status == 403 else 69)
    assert not (machine.work / "ran").exists()
    (line,) = lines_of_ours(done.stderr)
    assert (f"iss {ISSUER}" in line and SUBJECT in line) == (status == 403)


def test_another_ci(world: Net, clouds: Clouds, machine: Machine, tmp_path: Path) -> None:
    token = clouds.issuer.sign("https://identity.docker.com")
    declared = {**entry("docker-hub"), "id-token-env": "CI_TOKEN"}
    with registry_behind(world, tmp_path / "r", "registry-1.docker.io", *clouds.passwords["registry-1.docker.io"]):
        done = machine.run(
            *push("docker.io"), registries=[declared], variables={**world.variables, "CI_TOKEN": f"{token}\n"}
        )

    assert done.code == 0, done.stderr
    assert world.to(GITHUB) == []


def test_the_tool_does_not_find_the_right_to_id_tokens(world: Net, clouds: Clouds, machine: Machine) -> None:
    token = clouds.issuer.sign("https://identity.docker.com")
    declared = {**entry("docker-hub"), "id-token-env": "CI_TOKEN"}
    done = run(machine, world, clouds, "env", registries=[declared], variables={"CI_TOKEN": token})

    assert done.code == 0, done.stderr
    assert b"ID_TOKEN" not in done.stdout
    assert b"CI_TOKEN" not in done.stdout


def test_the_tool_gets_the_right_to_id_tokens_where_it_is_given(world: Net, clouds: Clouds, machine: Machine) -> None:
    url, token = clouds.issuer.variables
    options = ("-e", url, "--secret-env", token)
    done = run(
        machine,
        world,
        clouds,
        "sh",
        "-c",
        f"test -n ${url} && test -n ${token}",
        registries=[entry("google")],
        options=options,
    )

    assert done.code == 0, done.stderr
    refused = run(machine, world, clouds, "true", registries=[entry("google")], options=("-e", token))
    assert refused.code == 64
    assert "secret-env" in lines_of_ours(refused.stderr)[0]


@pytest.mark.parametrize(
    "words", [("cosign", "sign", "acme.azurecr.io/app:1"), ("cosign", "attest", "--predicate", "p", "a")]
)
def test_a_signature_without_a_key_is_warned_of(
    words: tuple[str, ...], world: Net, clouds: Clouds, machine: Machine
) -> None:
    done = run(machine, world, clouds, *words, registries=[entry("azure")], options=("--dry-run",))

    url, token = clouds.issuer.variables
    assert f"-e {url} --secret-env {token}" in lines_of_ours(done.stderr)[0]
    quiet = run(
        machine,
        world,
        clouds,
        *words,
        registries=[entry("azure")],
        options=("--dry-run", "-e", url, "--secret-env", token),
    )
    assert lines_of_ours(quiet.stderr) == []


def test_what_runs_out_is_obtained_again_for_the_next_command(world: Net, clouds: Clouds, machine: Machine) -> None:
    """The registry's password changes with each exchange: a push with an old one would fail."""
    clouds.life = 200
    passwords = [f"ya29.number-{number}-16180339" for number in range(8)]
    given: list[str] = []
    play = world.players[_ACCOUNT_SERVER]

    def another(asked: Asked) -> Answer:
        given.append(passwords[len(given)])
        clouds.passwords["europe-docker.pkg.dev"] = ("oauth2accesstoken", given[-1])
        return play(asked)

    world.players[_ACCOUNT_SERVER] = another
    # Backwards, which no redaction hides.
    show = """import base64, json, os
auths = json.load(open(os.environ["DOCKER_CONFIG"] + "/config.json"))["auths"]
print(base64.b64decode(auths["europe-docker.pkg.dev"]["auth"])[::-1].decode())"""
    script = machine.work / "show.py"
    script.write_text(show)
    targets = ("--target", "europe-docker.pkg.dev/a", "--target", "europe-docker.pkg.dev/b", "--max-parallel", "1")
    done = run(
        machine, world, clouds, sys.executable, "show.py", "{target}", registries=[entry("google")], options=targets
    )

    assert done.code == 0, done.stderr
    shown = [line[::-1].partition(":")[2] for line in done.stdout.decode().splitlines()]
    # Once at the start, and once before each command, as it never has five minutes left.
    assert len(given) == 3
    assert shown == given[1:]


def test_a_refresh_that_fails_keeps_the_old_credential(world: Net, clouds: Clouds, machine: Machine) -> None:
    clouds.life = 200
    play = world.players[_ACCOUNT_SERVER]
    answers = [Answer(403)]

    def once(asked: Asked) -> Answer:
        return play(asked) if len(world.to(_ACCOUNT_SERVER)) == 1 else answers[0]

    world.players[_ACCOUNT_SERVER] = once
    done = run(machine, world, clouds, "true", registries=[entry("google")])

    assert done.code == 0
    assert any("is used until" in line for line in lines_of_ours(done.stderr))


def test_a_credential_that_ran_out_does_not_start_the_next_command(
    world: Net, clouds: Clouds, machine: Machine
) -> None:
    clouds.life = -1
    play = world.players[_ACCOUNT_SERVER]

    def twice(asked: Asked) -> Answer:
        return play(asked) if len(world.to(_ACCOUNT_SERVER)) <= 2 else Answer(403)

    world.players[_ACCOUNT_SERVER] = twice
    targets = ("--target", "europe-docker.pkg.dev/a", "--target", "europe-docker.pkg.dev/b", "--max-parallel", "1")
    done = run(machine, world, clouds, "sh", "-c", "echo {target} >>ran", registries=[entry("google")], options=targets)

    assert done.code == 77
    assert (machine.work / "ran").read_text() == "europe-docker.pkg.dev/a\n"
    assert "Google refused" in done.report["results"][1]["reason"]


def test_an_agent_holds_the_credential(world: Net, clouds: Clouds, machine: Machine, tmp_path: Path) -> None:
    program = " ".join(machine.program)
    declared = machine.declare([entry("google")])
    start = f'vars=$({program} agent start --registries {declared} --lifetime 2h) || exit; eval "$vars"'
    script = f"{start}; trap '{program} agent stop' EXIT; {' '.join(push('europe-docker.pkg.dev'))}"
    environ = machine.environ({**world.variables, **clouds.issuer.variables})
    api = "europe-docker.pkg.dev"
    with registry_behind(world, tmp_path / "registry", api, *clouds.passwords[api]):
        ended = subprocess.run(
            ["bash", "-c", script], cwd=machine.work, env=environ, capture_output=True, timeout=60, check=False
        )

    assert ended.returncode == 0, ended.stderr
    said = lines_of_ours(ended.stderr)
    assert any("its credential expires in" in line and "'--lifetime'" in line for line in said), said


def test_an_entry_for_an_image_is_not_obtained_without_one(world: Net, clouds: Clouds, machine: Machine) -> None:
    done = run(machine, world, clouds, "true", registries=[{**entry("google"), "for": "image"}])

    assert done.code == 0, done.stderr
    assert world.connected == []


def test_a_job_without_a_provider_imports_nothing_of_this(machine: Machine) -> None:
    declared = [{"registry": "a.example.com", "username": "u", "password": "password-1618"}]
    words = machine.words("true", registries=declared)
    loaded = "import sys; from registry_config.__main__ import main; sys.argv[1:] = {!r}; main(); print(*sys.modules)"
    start = words.index("run")
    ended = subprocess.run(
        [sys.executable, "-c", loaded.format(words[start:])],
        cwd=machine.work,
        env=machine.environ(),
        capture_output=True,
        timeout=60,
        check=True,
    )
    modules = set(ended.stdout.decode().split())
    assert "registry_config.execution" in modules
    unwanted = ("registry_config.credentials.providers", "registry_config.credentials.keyless", "urllib3", "xml", "ssl")
    assert [name for name in modules if name.startswith(unwanted)] == []
    ours = {
        "registry_config.credentials.helper",
        "registry_config.credentials.entries",
        "registry_config.declaration.providers",
    }
    assert not ours & modules
