"""Failures of real tools, and the lines that the program adds to what the tool said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.authority import certificate, expired_certificate
from support.cli import lines_of_ours
from support.http_server import Answer, Asked, http_server
from support.oci_tools import TOOLS
from support.registry import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.cli import Machine
    from support.oci_tools import Three

_AMONG = "which is among them: check the user, the password, and what they may do there"
_NOT_AMONG = "which is not among them: add an entry for it"
_TLS = (
    "the tool does not trust the registry's certificate: name the file of its CA as ca-file in the entry for {host}, "
    "or in the variable SSL_CERT_FILE"
)
_OTHER_NAME = "the registry's certificate is for another name: check the host that the command names"
_EXPIRED = "the registry's certificate has expired, or the clock of this machine is wrong: renew it"
_PLAIN = "the registry speaks plain HTTP: {tool} needs {option}"
_LOGIN = "the command tries to store a login: none is needed here, leave it out"
_LIMIT = "the registry limits how often it is asked: set --retries, or ask less often"
_LIMIT_OF_ALL = (
    "the registry limits how often it is asked: declare {host}, so that you are not asked as anonymous, or set "
    "--retries"
)
_NO_HOST = "there is no registry of that name: check its spelling, and the resolver of this machine"
_NOTHING = "nothing answers at the registry's address: check host and port, and that it is up"
_MISSING = "there is no such repository or tag; some registries say so where rights are missing"
_HELM = "helm 3 also says 401 where a registry speaks plain HTTP: then --plain-http is missing"

_PULLS = {
    "helm": "helm pull oci://{where} --version 1.2.3 {flags}",
    "helm4": "helm4 pull oci://{where} --version 1.2.3 {flags}",
    "oras": "oras pull {flags} {where}:1",
    "crane": "crane manifest {where}:1 {flags}",
    "cosign": "cosign tree {flags} {where}:1",
    "regctl": "regctl --verbosity ERROR {flags} manifest get {where}:1",
    "skopeo": "skopeo inspect {flags} --raw docker://{where}:1",
    "buildah": "buildah --root {short}/root --runroot {short}/run --storage-driver vfs pull {flags} docker://{where}:1",
    "conftest": "conftest pull {flags} --policy pulled oci://{where}:1",
}
_FAULTS = {
    "403": Answer(403, b'{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}'),
    "404": Answer(404, b'{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}'),
    "503": Answer(503, b"<html><head><title>503 Service Temporarily Unavailable</title></head></html>"),
    "reset": Answer(0),
    "429": Answer(429, b'{"errors":[{"code":"TOOMANYREQUESTS","message":"too many requests"}]}', {"Retry-After": "0"}),
}


def _line(tool: str, host: str, short: Path, *, flags: str | None = None) -> list[str]:
    plain = TOOLS[tool].plain if flags is None else flags
    given = "--tls-verify=false" if tool == "skopeo" and flags is None else plain.format(host=host)
    return _PULLS[tool].format(where=f"{host}/app", flags=given, short=short).split()


def _ours(machine: Machine, line: list[str], logins: list[dict[str, str]], **variables: str) -> list[str]:
    """The lines after the one that tells the exit code."""
    done = machine.run(*line, registries=logins, variables=variables)
    told, *ours = lines_of_ours(done.stderr)
    assert told == f"the command failed with exit code {done.code}", done.stderr.decode()
    return ours


def _refused(host: str, *given: str, reason: str = _AMONG) -> list[str]:
    return [f"credentials were given for {', '.join(sorted(given or (host,)))}", f"the tool asked {host}, {reason}"]


@pytest.mark.parametrize("tool", _PULLS)
def test_a_wrong_password(machine: Machine, three: Three, short: Path, tool: str) -> None:
    host = three.first.address
    login = three.first.login() | {"password": "not-alices-password"}
    assert _ours(machine, _line(tool, host, short), [login]) == _refused(host)


@pytest.mark.parametrize("tool", _PULLS)
def test_a_registry_that_is_not_declared(machine: Machine, three: Three, short: Path, tool: str) -> None:
    host, other = three.first.address, three.second.address
    expected = _refused(host, other, reason=_NOT_AMONG)
    assert _ours(machine, _line(tool, host, short), [three.second.login()]) == expected


@pytest.fixture
def faulty(request: pytest.FixtureRequest) -> Iterator[str]:
    def answer(asked: Asked) -> Answer:
        if not asked.authorization:
            return Answer(401, headers={"WWW-Authenticate": 'Basic realm="test"'})
        found: Answer = _FAULTS[request.param]
        return Answer(200) if asked.path == "/v2/" else found

    with http_server(answer) as running:
        yield running.address


@pytest.mark.parametrize("faulty", ["403"], indirect=True)
@pytest.mark.parametrize("tool", _PULLS)
def test_rights_that_are_missing(machine: Machine, faulty: str, short: Path, tool: str) -> None:
    login = {"registry": faulty, "username": "alice", "password": "alices-password"}
    assert _ours(machine, _line(tool, faulty, short), [login]) == _refused(faulty)


@pytest.mark.parametrize("faulty", ["404"], indirect=True)
@pytest.mark.parametrize("tool", _PULLS)
def test_a_repository_that_is_not_there(machine: Machine, faulty: str, short: Path, tool: str) -> None:
    login = {"registry": faulty, "username": "alice", "password": "alices-password"}
    assert _ours(machine, _line(tool, faulty, short), [login]) == [_MISSING]


@pytest.mark.parametrize("faulty", ["429"], indirect=True)
@pytest.mark.parametrize("tool", ["helm", "oras", "crane"])
def test_a_limit_of_requests(machine: Machine, faulty: str, short: Path, tool: str) -> None:
    login = {"registry": faulty, "username": "alice", "password": "alices-password"}
    assert _ours(machine, _line(tool, faulty, short), [login]) == [_LIMIT]


@pytest.mark.parametrize("closed", ["429"], indirect=True)
@pytest.mark.parametrize("tool", ["helm", "oras", "crane"])
def test_a_limit_for_those_who_are_not_known(machine: Machine, closed: str, short: Path, tool: str) -> None:
    login = {"registry": "other.example.com", "username": "alice", "password": "alices-password"}
    assert _ours(machine, _line(tool, closed, short), [login]) == [_LIMIT_OF_ALL.format(host=closed)]


@pytest.fixture
def closed(request: pytest.FixtureRequest) -> Iterator[str]:
    """A registry that fails before it could ask for a password."""
    with http_server(lambda _: _FAULTS[request.param]) as running:
        yield running.address


@pytest.mark.parametrize("closed", ["403"], indirect=True)
@pytest.mark.parametrize("tool", _PULLS)
def test_a_registry_that_lets_nobody_in(machine: Machine, closed: str, short: Path, tool: str) -> None:
    login = {"registry": closed, "username": "alice", "password": "alices-password"}
    assert _ours(machine, _line(tool, closed, short), [login]) == _refused(closed)


@pytest.mark.parametrize("closed", ["503", "reset"], indirect=True)
@pytest.mark.parametrize("tool", ["crane", "skopeo"])
def test_a_registry_that_is_out_of_order_needs_no_word_of_ours(
    machine: Machine, closed: str, short: Path, tool: str
) -> None:
    login = {"registry": closed, "username": "alice", "password": "alices-password"}
    assert _ours(machine, _line(tool, closed, short), [login]) == []


# conftest speaks plain HTTP with every address on loopback.
_WITH_TLS = [name for name in _PULLS if name != "conftest"]


@pytest.mark.parametrize("tool", _WITH_TLS)
def test_a_certificate_of_an_unknown_authority(machine: Machine, three: Three, short: Path, tool: str) -> None:
    host = three.secure.address
    assert _ours(machine, _line(tool, host, short, flags=""), [three.secure.login()]) == [_TLS.format(host=host)]


@pytest.mark.parametrize("tool", _WITH_TLS)
@pytest.mark.parametrize("fault", [_OTHER_NAME, _EXPIRED])
def test_a_certificate_that_is_not_valid(machine: Machine, tmp_path: Path, short: Path, tool: str, fault: str) -> None:
    folder = tmp_path / "authority"
    served = expired_certificate(folder) if fault == _EXPIRED else certificate(folder, ["DNS:other.example.com"])
    with http_server(lambda _: Answer(200), served) as running:
        login = {"registry": running.address, "username": "alice", "password": "alices-password"}
        line = _line(tool, running.address, short, flags="")
        assert _ours(machine, line, [login], SSL_CERT_FILE=str(served.authority)) == [fault]


@pytest.mark.parametrize(
    ("tool", "option"),
    [
        ("helm4", "--plain-http"),
        ("oras", "--plain-http"),
        ("regctl", "--host reg={host},tls=disabled"),
        ("skopeo", "--tls-verify=false"),
        ("buildah", "--tls-verify=false"),
    ],
)
def test_plain_http_without_the_tool_s_option(
    machine: Machine, three: Three, short: Path, tool: str, option: str
) -> None:
    host = three.first.address
    line = _line(tool, host, short, flags="")
    expected = _PLAIN.format(tool=tool, option=option.format(host=host))
    assert _ours(machine, line, [three.first.login()]) == [expected]


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ("skopeo copy oci:{layout}:1 docker://{host}/app:1", "--dest-tls-verify=false"),
        ("skopeo copy docker://{host}/app:1 oci:pulled:1", "--src-tls-verify=false"),
        ("oras cp --from-oci-layout {layout}:1 {host}/app:1", "--to-plain-http"),
        ("oras cp --to-oci-layout {host}/app:1 pulled:1", "--from-plain-http"),
    ],
)
def test_plain_http_of_one_side_of_a_copy(
    machine: Machine, three: Three, artifacts: dict[str, object], line: str, option: str
) -> None:
    words = line.format(host=three.first.address, layout=artifacts["layout"]).split()
    assert _ours(machine, words, [three.first.login()]) == [_PLAIN.format(tool=words[0], option=option)]


def test_helm_3_without_its_option_for_plain_http(machine: Machine, three: Three, short: Path) -> None:
    host = three.first.address
    line = _line("helm", host, short, flags="")
    assert _ours(machine, line, [three.first.login()]) == [*_refused(host), _HELM]


@pytest.mark.parametrize("tool", _PULLS)
def test_a_name_that_no_registry_has(machine: Machine, three: Three, short: Path, tool: str) -> None:
    line = _line(tool, "registry.invalid", short, flags="")
    assert _ours(machine, line, [three.first.login()]) == [_NO_HOST]


@pytest.mark.parametrize("tool", _PULLS)
def test_an_address_where_nothing_answers(machine: Machine, three: Three, short: Path, tool: str) -> None:
    line = _line(tool, f"127.0.0.1:{free_port()}", short)
    assert _ours(machine, line, [three.first.login()]) == [_NOTHING]


# The others replace our link by a file of their own, which goes when the command ends.
@pytest.mark.parametrize("tool", ["crane auth", "cosign"])
def test_a_login_in_the_command(machine: Machine, three: Three, tool: str) -> None:
    login = three.first.login()
    line = f"{tool} login {login['registry']} -u alice -p {login['password']}"
    assert _ours(machine, line.split(), [three.second.login()]) == [_LOGIN]


def test_a_login_in_the_command_after_a_try_with_tls(machine: Machine, three: Three) -> None:
    # As docker login writes it, which goes on with plain HTTP.
    script = (
        f"echo 'http: server gave HTTP response to HTTPS client' >&2; crane auth login {three.first.address} -u a -p b"
    )
    assert _ours(machine, ["sh", "-c", script], [three.second.login()]) == [_LOGIN]
