"""Real tools that a registry, a wrapper or a mistake keeps from pushing, and the one line that says what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from support.authority import certificate
from support.cli import Machine, lines_of_ours, tool_path
from support.faults import BYTES, MANIFEST, Fault, breaking, oci_error, page
from support.http_server import Answer, Asked, Server, http_server
from support.oci_tools import TOOLS, words
from support.tables import table
from support.tools import need_docker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.oci_tools import Three

_PUSHERS = ("helm", "helm4", "oras", "crane", "skopeo", "regctl", "buildah", "cosign")
_LOGIN = {"username": "alice", "password": "alices-password"}
_CHECK = "check the user, the password, and what they may do there"


def _ours(machine: Machine, *line: str, logins: list[dict[str, str]], options: tuple[str, ...] = ()) -> list[str]:
    """The lines after the one that tells the exit code."""
    done = machine.run(*line, registries=logins, options=options)
    told, *ours = lines_of_ours(done.stderr)
    assert told == f"the command failed with exit code {done.code}", done.stderr.decode()
    return ours


@pytest.fixture
def values(artifacts: dict[str, object], short: Path) -> dict[str, object]:
    """Those of the artifacts' names in the tools' commands."""
    return artifacts | {"short": short}


_IMMUTABLE = (
    "the tag is there already and the registry does not let it be overwritten: push another, or set --skip-existing"
)
_TOO_LARGE = (
    "the registry, or a proxy in front of it, takes no request of this size: raise its limit (nginx: "
    "client_max_body_size), or push smaller layers"
)
_CREATE = "the registry has no repository of that name and makes none by itself: create it first"
_ECR = "ECR has no repository of that name and makes none by itself: create it first (aws ecr create-repository)"
_HARBOR = "Harbor has no project of that name, or does not show it to this user: create it first, or grant access"
# What the registries answer: ECR's and Harbor's own words.
_REFUSALS = {
    "immutable, ECR": (
        Fault(
            MANIFEST,
            400,
            oci_error(
                "TAG_INVALID",
                "The image tag '1' already exists in the 'app' repository and cannot be overwritten because the "
                "repository is immutable.",
            ),
        ),
        _IMMUTABLE,
    ),
    "immutable, Harbor": (
        Fault(
            MANIFEST,
            412,
            oci_error("PRECONDITION", "Failed to process request due to 'app:1' configured as immutable."),
        ),
        _IMMUTABLE,
    ),
    "too large": (Fault(BYTES, 413, page("413 Request Entity Too Large")), _TOO_LARGE),
    "no repository": (
        Fault(status=404, body=oci_error("NAME_UNKNOWN", "repository name not known to registry")),
        _CREATE,
    ),
    "no repository, ECR": (
        Fault(
            status=404,
            body=oci_error(
                "NAME_UNKNOWN", "The repository with name 'app' does not exist in the registry with id '123456789012'"
            ),
        ),
        _ECR,
    ),
    "no project, Harbor": (
        Fault(
            status=401,
            body=oci_error("UNAUTHORIZED", "project library not found: project library not found"),
            headers=(("WWW-Authenticate", 'Basic realm="harbor"'),),
        ),
        _HARBOR,
    ),
}


# regctl tries a 413 again for more than a minute, and of a 401 it shows no words of the registry's.
_NOT_TRIED = {("regctl", "too large"), ("regctl", "no project, Harbor")}
_TRIED = [case for name in _REFUSALS for tool in _PUSHERS if (case := (tool, name)) not in _NOT_TRIED]


@pytest.mark.parametrize(("tool", "refusal"), _TRIED)
def test_a_refused_push(machine: Machine, three: Three, values: dict[str, object], tool: str, refusal: str) -> None:
    fault, hint = _REFUSALS[refusal]
    upstream, repository = three.first, uuid4().hex
    for command in TOOLS[tool].prepare:
        assert (
            machine.run(
                *words(TOOLS[tool], command, upstream, repository, **values), registries=[upstream.login()]
            ).code
            == 0
        )
    with breaking(upstream.address, fault) as proxy:
        proxied = type(upstream)(proxy.address, upstream.users, upstream.log)
        line = words(TOOLS[tool], TOOLS[tool].push, proxied, repository, **values)
        ours = _ours(machine, *line, logins=[proxied.login()])
        assert proxy.broken
    assert ours == [hint]


@contextmanager
def _bearer(refusal: Answer) -> Iterator[tuple[Server, Server]]:
    """A registry whose token server refuses (distribution's token authentication)."""
    with http_server(lambda _: refusal) as tokens:

        def answer(_: Asked) -> Answer:
            challenge = f'Bearer realm="http://{tokens.address}/jwt/auth",service="registry"'
            return Answer(401, headers={"WWW-Authenticate": challenge})

        with http_server(answer) as registry:
            yield registry, tokens


@pytest.mark.parametrize("status", [401, 403])
# crane takes no token server on loopback: "realm host is a private or link-local address".
@pytest.mark.parametrize("tool", ["helm", "oras", "skopeo", "regctl"])
def test_a_token_server_is_not_the_registry(
    machine: Machine, three: Three, values: dict[str, object], tool: str, status: int
) -> None:
    with _bearer(Answer(status, oci_error("DENIED", "access forbidden, see https://aka.ms/acr/authorization"))) as (
        registry,
        tokens,
    ):
        proxied = type(three.first)(registry.address, three.first.users, three.first.log)
        line = words(TOOLS[tool], TOOLS[tool].push, proxied, "org", **values)
        ours = _ours(machine, *line, logins=[{"registry": registry.address, **_LOGIN}])
        assert tokens.asked
        assert ours == [
            f"credentials were given for {registry.address}",
            f"the tool asked {registry.address}, which is among them: {_CHECK}",
        ]


_UPPER_CASE = "the name of a repository has lower-case letters only: write it in lower case"


@pytest.mark.parametrize(
    "tool", ["helm", "helm4", "oras", "crane", "skopeo", "regctl", "conftest", "docker", "cosign copy"]
)
def test_an_owner_in_upper_case(machine: Machine, three: Three, values: dict[str, object], tool: str) -> None:
    upstream = three.first
    if tool == "docker":
        line = ["docker", "manifest", "push", f"{upstream.address}/MyOrg/app:1"]
        need_docker(tool_path())
    else:
        line = words(TOOLS[tool], TOOLS[tool].push, upstream, "MyOrg", **values)
    assert _ours(machine, *line, logins=[upstream.login()]) == [_UPPER_CASE]


_ONE_CHART = (
    "helm push takes one chart and then where it goes: with several charts give --file 'dist/*.tgz' and write "
    "helm push {file} oci://HOST/PATH; and see that oci:// is there"
)


@pytest.mark.parametrize("helm", ["helm", "helm4"])
def test_two_charts(machine: Machine, three: Three, artifacts: dict[str, object], helm: str) -> None:
    chart = str(artifacts["chart"])
    line = (helm, "push", chart, chart, f"oci://{three.first.address}/charts", "--plain-http")
    assert _ours(machine, *line, logins=[three.first.login()]) == [_ONE_CHART]


def test_the_web_page_of_docker_hub(machine: Machine) -> None:
    login = {"registry": "docker.io", **_LOGIN}
    hint = "hub.docker.com is the web page of Docker Hub, not its registry: write docker.io instead"
    assert _ours(machine, "crane", "ls", "hub.docker.com/r/library/alpine", logins=[login]) == [hint]


_RUNNER_FILE = (
    "the script writes to a file of the runner that a command does not get: with --shell write NAME=value to "
    "$GITHUB_OUTPUT and read it from 'outputs' of --json; write the others outside of the script"
)


@table(
    "words, hint",
    {
        "bash, quoted": (("bash", "-c", 'echo a=1 >>"$GITHUB_ENV"'), _RUNNER_FILE),
        "bash, not quoted": (("bash", "-ec", "echo a=1 >> $GITHUB_STEP_SUMMARY"), _RUNNER_FILE),
        "dash": (("dash", "-c", "echo a=1 >> $GITHUB_ENV"), _RUNNER_FILE),
        "busybox": (("busybox", "sh", "-c", "echo a=1 >> ${GITHUB_PATH}"), _RUNNER_FILE),
        "bash finds no program": (
            ("bash", "-c", "helmm push || exit 3"),
            "the shell finds no program helmm: install it, or set --image",
        ),
        "dash finds no program": (
            ("dash", "-c", "helmm push"),
            "the shell finds no program helmm: install it, or set --image",
        ),
        "busybox finds no program": (
            ("busybox", "sh", "-c", "helmm push"),
            "the shell finds no program helmm: install it, or set --image",
        ),
    },
)
def test_a_mistake_in_a_script(machine: Machine, words: tuple[str, ...], hint: str) -> None:
    assert _ours(machine, *words, logins=[]) == [hint]


_PROC = "{0} starts the tool where /proc is another one, and the config is a link into it: run the tool without {0}"
_EMPTY = "env -i empties the environment that leads the tool to the config: leave -i out"
_SUDO = (
    "sudo drops the environment that leads the tool to the config: write 'sudo -E', or "
    "'sudo --preserve-env=DOCKER_CONFIG,REGISTRY_AUTH_FILE,HELM_REGISTRY_CONFIG', or run the tool without sudo"
)
_USER = (
    "{0} starts the tool as a user that may not read the config, or without the environment that leads to it: "
    "run the tool without {0}"
)


@table(
    "wrapper, hint",
    {
        "env": (("env", "-i", "PATH={path}", "HOME={home}"), _EMPTY),
        "unshare": (("unshare", "--pid", "--fork", "--mount-proc"), _PROC.format("unshare")),
        "setpriv": (("setpriv", "--reset-env", "env", "PATH={path}"), _USER.format("setpriv")),
        "sudo": (("sudo", "-n", "env", "PATH={path}", "HOME={home}"), _SUDO),
        "in a script": (("bash", "-c", 'set -e; env -i PATH={path} HOME={home} "$@"', "bash"), _EMPTY),
    },
)
@pytest.mark.parametrize("tool", ["crane", "oras"])
def test_a_wrapper_that_loses_the_config(
    machine: Machine, three: Three, tool: str, wrapper: tuple[str, ...], hint: str
) -> None:
    if shutil.which(wrapper[0]) is None:
        pytest.skip(f"{wrapper[0]} is not installed")
    if os.geteuid() and wrapper[0] in {"unshare", "setpriv", "sudo"}:
        pytest.skip(f"{wrapper[0]} needs root")
    host = three.first.address
    line = {"crane": f"crane manifest {host}/app:1", "oras": f"oras manifest fetch --plain-http {host}/app:1"}[tool]
    before = [word.format(path=machine.environ()["PATH"], home=machine.home) for word in wrapper]
    assert _ours(machine, *before, *line.split(), logins=[three.first.login()]) == [hint]


@table(
    "line, given, hint",
    {
        "a tool that gets one credential": (
            "crane manifest {host}/org-b/app:1",
            "no registry",
            (
                "the tool asked {host}, whose credentials are for {host}/org-a, and the command names nothing there: "
                "add an entry"
            ),
        ),
        "a tool that chooses by path": (
            "skopeo inspect --tls-verify=false docker://{host}/org-b/app:1",
            "{host}/org-a",
            "the command names {host}/org-b/app, and its credential is for {host}/org-a: add an entry for it",
        ),
    },
)
def test_a_credential_for_another_path(machine: Machine, three: Three, line: str, given: str, hint: str) -> None:
    login = three.first.login()
    host = login["registry"]
    ours = _ours(machine, *line.format(host=host).split(), logins=[login | {"registry": f"{host}/org-a"}])
    assert ours == [f"credentials were given for {given.format(host=host)}", hint.format(host=host)]


_OF_THE_JOB = (
    "ghcr.io refused the job's own token: the job needs 'permissions: packages: write' (read to pull; a pull request "
    "from a fork never gets write), a package that exists has to let this repository in under 'Manage Actions access' "
    "of its settings, and the organization's policy has to allow new packages"
)
# Another one in each process, as several run tests at a time and the port is always the same.
_NAMED_GHCR = str(ip_address(int(ip_address("127.64.0.0")) + os.getpid() % 2**22))


@pytest.fixture
def ghcr(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Machine]:
    """A machine on which ghcr.io is a server of the test's, which lets the user in and not push."""
    alone = ("unshare", "--mount", "sh", "-c", f'mount --bind {tmp_path}/hosts /etc/hosts && exec "$@"', "sh")
    (tmp_path / "hosts").write_text(f"127.0.0.1 localhost\n{_NAMED_GHCR} ghcr.io\n")
    if subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system does not let the tests name a host of their own")
    served = certificate(tmp_path / "ghcr", ["DNS:ghcr.io"])

    def answer(asked: Asked) -> Answer:
        if not asked.authorization:
            return Answer(401, headers={"WWW-Authenticate": 'Basic realm="ghcr.io"'})
        if asked.method == "POST":
            return Answer(403, oci_error("DENIED", request.param))
        return Answer(200 if asked.path == "/v2/" else 404)

    with http_server(answer, served, (_NAMED_GHCR, 443)):
        yield Machine(tmp_path / "machine", prefix=alone, variables={"SSL_CERT_FILE": str(served.authority)})


@pytest.mark.parametrize(
    "ghcr",
    ["permission_denied: write_package", "installation not allowed to Create organization package"],
    indirect=True,
)
@pytest.mark.parametrize("tool", ["helm", "helm4", "oras", "crane", "skopeo", "regctl"])
@pytest.mark.parametrize("is_of_job", [True, False])
def test_rights_at_ghcr(ghcr: Machine, values: dict[str, object], tool: str, *, is_of_job: bool) -> None:
    given = {"host": "ghcr.io", "where": "ghcr.io/org", "flags": "", "insecure": ""}
    line = TOOLS[tool].push.format(**(values | given)).split()
    entry = {"registry": "ghcr.io"} if is_of_job else {"registry": "ghcr.io", **_LOGIN}
    variables = {"GITHUB_ACTOR": "octo", "TOKEN": "token-of-the-job"}
    (ghcr.work / "file.txt").write_text("text\n")
    done = ghcr.run(
        *line, registries=[entry], options=("--github-token-env", "TOKEN") if is_of_job else (), variables=variables
    )
    _, *ours = lines_of_ours(done.stderr)
    check = "the tool asked ghcr.io, which is among them: check the user, the password, and what they may do there"
    assert ours == ["credentials were given for ghcr.io", _OF_THE_JOB if is_of_job else check]
