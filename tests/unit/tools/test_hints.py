"""What a failed command's output says is the matter; the lines are those of real tools and registries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from registry_config.tools.failure import Failure
from registry_config.tools.hints import diagnose
from registry_config.tools.output import last_lines
from registry_config.tools.plain_http import plain_http_option
from registry_config.tools.refusals import REFUSED
from registry_config.tools.table import known_tool
from support.results import result
from support.tables import table

if TYPE_CHECKING:
    from registry_config.results import CommandResult

_HELM = (
    "Error: failed to authorize: unexpected status from GET request to https://ghcr.io/token?scope=x: 401 Unauthorized"
)
_SKOPEO = (
    'level=fatal msg="initializing destination docker://a.example/org/app:1: unauthorized: authentication required"'
)
_ORAS = (
    'Error response from registry: PUT "https://a.example:5000/v2/app/manifests/1": response status code 403: Forbidden'
)
_GIVEN = "credentials were given for"
_CHECK = "which is among them: check the user, the password, and what they may do there"
_ADD = "which is not among them: add an entry for it"


def _failure(failed: CommandResult, *declared: str) -> Failure:
    return Failure(failed, last_lines(failed.stderr.text or failed.stdout.text, 10), declared, frozenset())


@pytest.mark.parametrize(
    "line",
    [
        _HELM,
        _SKOPEO,
        _ORAS,
        "denied: requested access to the resource is denied",
        "denied: permission_denied: write_package",
        "Error: basic credential not found",
        "no basic auth credentials",
        "incorrect username or password",
        "GET https://a.example/v2/: unexpected status code 401",
        "UNAUTHORIZED",
    ],
)
def test_lines_that_speak_of_credentials_are_known(line: str) -> None:
    assert _failure(result(stderr=line)).shows(REFUSED)


@pytest.mark.parametrize(
    "line",
    [
        *("", "no such host", "size: 4012", "size: 401", "port 403", "x509: unknown authority", "404 Not Found"),
        *("open /x: permission denied", "toomanyrequests: You have reached your pull rate limit"),
        f"{_HELM}\n" + "it went on\n" * 10,
    ],
)
def test_other_lines_do_not(line: str) -> None:
    assert not _failure(result(stderr=line)).shows(REFUSED)


@table(
    "failed, declared, asked",
    {
        "from the URL": (result("helm", "pull", stderr=_HELM), ("ghcr.io",), "ghcr.io"),
        "from the reference in a message": (result("x", stderr=_SKOPEO), ("a.example",), "a.example"),
        "with its port": (result("x", stderr=_ORAS), ("a.example:5000",), "a.example:5000"),
        "with a path": (result("x", stderr=_SKOPEO), ("a.example/org",), "a.example"),
        "on stdout": (result("x", stdout=_ORAS), ("a.example:5000",), "a.example:5000"),
        "an address of IPv6": (result("x", stderr='GET "https://[::1]:5000/v2/": 401'), ("[::1]:5000",), "[::1]:5000"),
        "localhost": (result("crane", "ls", "localhost:5000/app", stderr="denied"), (), "localhost:5000"),
        "Docker Hub": (result("x", stderr="https://registry-1.docker.io/v2/x"), ("docker.io",), "docker.io"),
        "Docker Hub's tokens": (result("x", stderr="https://auth.docker.io/token?x"), ("docker.io",), "docker.io"),
        "Docker Hub's short names": (result("docker", "push", "org/app", stderr="denied"), (), "docker.io"),
        "upper case": (result("x", stderr="https://GHCR.io/v2/x"), ("ghcr.io",), "ghcr.io"),
        "from the command": (result("helm", "push", "a.tgz", "oci://ghcr.io/org", stderr="denied"), (), "ghcr.io"),
        "from a script": (result("sh", "-c", "crane ls ghcr.io/x", stderr="denied"), ("ghcr.io",), "ghcr.io"),
        "which of two is told by the URL": (
            result(
                *("crane", "copy", "a.io/x", "b.io/y"),
                stderr="copying a.io/x to b.io/y: GET https://a.io/v2/: UNAUTHORIZED",
            ),
            (),
            "a.io",
        ),
        "one of two": (
            result("skopeo", "copy", "docker://a.io/x", "docker://b.io/y", stderr="a.io: denied"),
            (),
            "a.io",
        ),
        "which of two is not told": (result("crane", "copy", "a.io/x", "b.io/y", stderr="denied"), (), ""),
        "a help page": (
            result("crane", "ls", "a.azurecr.io/x", stderr="unauthorized, visit https://aka.ms/acr for more"),
            (),
            "a.azurecr.io",
        ),
        "a token server": (
            result("crane", "ls", "registry.gitlab.com/x", stderr="GET https://gitlab.com/jwt/auth?x: UNAUTHORIZED"),
            (),
            "registry.gitlab.com",
        ),
        "a host that nobody named": (result("make", stderr="GET https://b.io/v2/: 401 Unauthorized"), ("a.io",), ""),
        "a file of a script": (result("sh", "-c", "cat config.d/x.txt", stderr="denied"), (), ""),
        "nowhere": (result("helm", "push", "app", stderr="denied"), (), ""),
    },
)
def test_the_registry_that_was_asked_is_named_where_it_is_sure(
    failed: CommandResult, declared: tuple[str, ...], asked: str
) -> None:
    assert _failure(failed, *declared).asked == asked


@table(
    "failed, declared, hidden, lines",
    {
        "among those given": (
            result("helm", stderr=_HELM, given=("ghcr.io", "a.example")),
            {"ghcr.io", "a.example"},
            set(),
            (f"{_GIVEN} a.example, ghcr.io", f"the tool asked ghcr.io, {_CHECK}"),
        ),
        "not among them": (
            result("crane", "ls", "ghcr.io/x", stderr=_HELM, given=("a.example",)),
            {"a.example"},
            set(),
            (f"{_GIVEN} a.example", f"the tool asked ghcr.io, {_ADD}"),
        ),
        "none given, the user's own hidden": (
            result("crane", "ls", "ghcr.io/x", stderr=_HELM),
            set(),
            {"ghcr.io"},
            (
                f"{_GIVEN} no registry",
                f"the tool asked ghcr.io, {_ADD}",
                "your own Docker config has a login for ghcr.io, hidden here: keep-logins would show it",
            ),
        ),
        "nobody knows who was asked": (
            result("make", stderr="denied", given=("a.example",)),
            {"a.example"},
            {"b.example"},
            (f"{_GIVEN} a.example",),
        ),
        "declared for other paths": (
            result("crane", "push", "x", "ghcr.io/third/app:1", stderr=_HELM),
            {"ghcr.io/org", "ghcr.io/other"},
            set(),
            (
                f"{_GIVEN} no registry",
                (
                    "the tool asked ghcr.io, whose credentials are for ghcr.io/org, ghcr.io/other, and the command "
                    "names nothing there: add an entry"
                ),
            ),
        ),
        "given for another path": (
            result("skopeo", "inspect", "docker://ghcr.io/third/app:1", stderr=_HELM, given=("ghcr.io/org",)),
            {"ghcr.io/org"},
            set(),
            (
                f"{_GIVEN} ghcr.io/org",
                "the command names ghcr.io/third/app, and its credential is for ghcr.io/org: add an entry for it",
            ),
        ),
        "of two for paths the one that was named": (
            result("crane", "ls", "ghcr.io/org/app", stderr=_HELM, given=("ghcr.io/org",)),
            {"ghcr.io/org", "ghcr.io/other"},
            set(),
            (f"{_GIVEN} ghcr.io/org", f"the tool asked ghcr.io, {_CHECK}"),
        ),
        "declared and not given": (
            result("crane", "ls", "ghcr.io/x", stderr=_HELM),
            {"ghcr.io"},
            set(),
            (
                f"{_GIVEN} no registry",
                "the tool asked ghcr.io, whose entry is not for commands: let its 'for' say so, or leave 'for' out",
            ),
        ),
        "helm over plain HTTP": (
            result("helm", "push", stderr="GET http://a.example:80/v2/: 401 Unauthorized", given=("a.example:80",)),
            {"a.example:80"},
            set(),
            (
                f"{_GIVEN} a.example:80",
                f"the tool asked a.example:80, {_CHECK}",
                "helm 3 also says 401 where a registry speaks plain HTTP: then --plain-http is missing",
            ),
        ),
        "oras without a login": (
            result("oras", stderr="Error: basic credential not found"),
            set(),
            set(),
            (f"{_GIVEN} no registry",),
        ),
        "a limit is no matter of passwords": (
            result("crane", "ls", "a.io/x", stderr="TOOMANYREQUESTS: slow down; 429", given=("a.io",)),
            {"a.io"},
            {"a.io"},
            ("the registry limits how often it is asked: set retries, or ask less often",),
        ),
        "a limit for the anonymous": (
            result(
                "crane", "ls", "docker.io/x/y", stderr="TOOMANYREQUESTS: https://www.docker.com/increase-rate-limit"
            ),
            {"a.io"},
            {"docker.io"},
            (
                (
                    "the registry limits how often it is asked: declare docker.io, so that you are not asked as "
                    "anonymous, or set retries"
                ),
                "your own Docker config has a login for docker.io, hidden here: keep-logins would show it",
            ),
        ),
        "not about credentials": (result(stderr="exec format error"), {"a.example"}, {"a.example"}, ()),
        "sizes": (
            result(stderr="size: 401\nUploading 403 MB\nport 404\n429 files", given=("a.example",)),
            {"a.example"},
            set(),
            (),
        ),
        "never started": (result(stderr="denied", problem="no such program"), {"a.example"}, set(), ()),
        "with sudo": (
            result("sudo", "crane", "ls", "a.io/x", stderr="UNAUTHORIZED: x", given=("a.io",)),
            {"a.io"},
            set(),
            (
                (
                    "sudo drops the environment that leads the tool to the config: write 'sudo -E', or "
                    "'sudo --preserve-env=DOCKER_CONFIG,REGISTRY_AUTH_FILE,HELM_REGISTRY_CONFIG', or run "
                    "the tool without sudo"
                ),
            ),
        ),
        "docker run that cannot pull its image": (
            result(
                *("docker", "run", "a.io/x"),
                stderr="docker: Error response from daemon: Head https://a.io/v2/x/manifests/latest: unauthorized.",
                given=("a.io",),
            ),
            {"a.io"},
            set(),
            (f"{_GIVEN} a.io", f"the tool asked a.io, {_CHECK}"),
        ),
    },
)
def test_a_refusal_is_explained(
    failed: CommandResult, declared: set[str], hidden: set[str], lines: tuple[str, ...]
) -> None:
    assert diagnose(failed, declared, hidden) == lines


_EXPIRED = "x509: certificate has expired or is not yet valid: current time 2026-01-01T00:00:00Z is after 2025-01-01"
_ECR = "name unknown: The repository with name 'app' does not exist in the registry with id '123456789012'"


@table(
    "line, beginning",
    {
        "unknown authority": ("tls: x509: certificate signed by unknown authority", "the tool does not trust"),
        "expired": (_EXPIRED, "the registry's certificate has expired"),
        "another name": ("x509: certificate is valid for a.io, not b.io", "the registry's certificate is for another"),
        "no address in it": (
            "x509: cannot validate certificate for 10.0.0.1 because",
            "the registry's certificate is for",
        ),
        "plain HTTP": ("http: server gave HTTP response to HTTPS client", "the registry speaks plain HTTP"),
        "login": ("open /x/config.json: permission denied", "the command tries to store a login"),
        "docker login": (
            "rename /a/config.json1 /b/config.json: invalid cross-device link",
            "the command tries to store",
        ),
        "rate limit": ("toomanyrequests: pull rate limit", "the registry limits how often it is asked"),
        "name": ("dial tcp: lookup a.example: no such host", "there is no registry of that name"),
        "nobody there": (
            "dial tcp 127.0.0.1:1: connect: connection refused",
            "nothing answers at the registry's address",
        ),
        "tag": ("manifest unknown", "there is no such repository or tag"),
        "immutable, ECR": (
            (
                "tag invalid: The image tag '1' already exists in the 'app' repository and cannot be overwritten "
                "because the repository is immutable."
            ),
            "the tag is there already",
        ),
        "immutable, Harbor": (
            "PRECONDITION: Failed to process request due to 'app:1' configured as immutable.",
            "the tag is there already",
        ),
        "too large": ("unexpected status code 413 Request Entity Too Large: <html>", "the registry, or a proxy"),
        "ECR": (_ECR, "ECR has no repository of that name"),
        "Harbor": ("unauthorized: project lib not found: project lib not found", "Harbor has no project of that name"),
    },
)
def test_a_known_line_has_its_remedy_on_either_stream(line: str, beginning: str) -> None:
    for failed in (result(stderr=line), result(stdout=line), result(stderr="it failed", stdout=line)):
        (told,) = diagnose(failed, (), ())
        assert told.startswith(beginning)


@table(
    "failed, line",
    {
        "a command that the shell does not find": (
            result("sh", "-c", "helmm push || exit 1", stderr="sh: 1: helmm: not found\n"),
            "the shell finds no program helmm: install it, or set image",
        ),
        "bash": (
            result("bash", "-c", "x", stderr="bash: line 3: helmm: command not found\n", code=127),
            "the shell finds no program helmm: install it, or set image",
        ),
        "sudo": (
            result("sudo", "crane", "ls", stderr="sudo: crane: command not found\n"),
            "sudo finds no program crane: install it, or set image",
        ),
        "a file of the runner": (
            result("bash", "-c", 'echo a=1 >> "$GITHUB_ENV"', stderr="bash: line 1: : No such file or directory\n"),
            (
                "the script writes to a file of the runner that a command does not get: with 'shell' write NAME=value "
                "to $GITHUB_OUTPUT and read it from the output 'outputs'; write the others in a step of their own"
            ),
        ),
        "helm push of two charts": (
            result("helm", "push", "a.tgz", "b.tgz", "oci://a.io/x", stderr="Error: scheme prefix missing from remote"),
            (
                "helm push takes one chart and then where it goes: with several charts set 'files: dist/*.tgz' and "
                "write 'helm push {file} oci://HOST/PATH', or write a line for each; and see that oci:// is there"
            ),
        ),
        "helm push to a host with a port, without oci://": (
            result("helm", "push", "a.tgz", "a.io:5000/x", stderr="Error: invalid chart URL format: a.io:5000/x"),
            (
                "helm push takes one chart and then where it goes: with several charts set 'files: dist/*.tgz' and "
                "write 'helm push {file} oci://HOST/PATH', or write a line for each; and see that oci:// is there"
            ),
        ),
        "a host besides the registry": (
            result("cosign", "sign", "a.io:5000/x", stderr="dial tcp: lookup tuf.example on 10.0.0.1:53: no such host"),
            (
                "the tool asked for a host that is neither declared nor in the command, and cannot be found: check its "
                "spelling where it is set, and the network of this machine"
            ),
        ),
        "the registry's own host": (
            result("crane", "ls", "a.io:5000/x", stderr="dial tcp: lookup a.io on 10.0.0.1:53: no such host"),
            "there is no registry of that name: check its spelling, and the resolver of this machine",
        ),
        "an owner with capitals": (
            result(
                "oras", "push", "ghcr.io/MyOrg/x:1", stderr='Error: invalid reference: invalid repository "MyOrg/x"'
            ),
            (
                "the name of a repository has lower-case letters only: write the owner in lower case, for example with "
                "'${GITHUB_REPOSITORY_OWNER,,}' in a step before"
            ),
        ),
        "the web page of Docker Hub": (
            result("crane", "ls", "hub.docker.com/r/x", stderr="dial tcp: lookup hub.docker.com: no such host"),
            "hub.docker.com is the web page of Docker Hub, not its registry: write docker.io instead",
        ),
        "no repository to push to": (
            result("crane", "push", "x", "a.io/x:1", stderr="NAME_UNKNOWN: repository name not known to registry"),
            "the registry has no repository of that name and makes none by itself: create it first",
        ),
        "the daemon's authority": (
            result("docker", "pull", "a.io/x:1", stderr="x509: certificate signed by unknown authority"),
            "the daemon does not trust the registry's certificate: put its CA in /etc/docker/certs.d/a.io/ca.crt",
        ),
        "ca-file of the entry": (
            result("crane", "ls", "a.io/x", stderr="x509: certificate signed by unknown authority", given=("a.io",)),
            (
                "the tool does not trust the registry's certificate: name the file of its CA as ca-file in the entry "
                "for a.io, or in the variable SSL_CERT_FILE"
            ),
        ),
    },
)
def test_what_is_sure_is_said_alone(failed: CommandResult, line: str) -> None:
    assert diagnose(failed, ("a.io",), ()) == (line,)


def test_a_program_that_is_not_found_is_no_missing_repository() -> None:
    assert diagnose(result("sh", "-c", "x", stderr="not found", code=127), (), ()) == ()


@table(
    "line, host, option",
    {
        "helm": ("helm push a.tgz oci://a.io/x", "a.io", "--plain-http"),
        "regctl": ("regctl image digest a.io/x", "a.io", "--host reg=a.io,tls=disabled"),
        "skopeo inspect": ("skopeo inspect docker://a.io/x", "a.io", "--tls-verify=false"),
        "the source": ("skopeo copy docker://a.io/x docker://b.io/y", "a.io", "--src-tls-verify=false"),
        "the destination": ("skopeo copy docker://a.io/x docker://b.io/y", "b.io", "--dest-tls-verify=false"),
        "both": ("oras cp a.io/x:1 a.io/y:1", "a.io", "--from-plain-http and --to-plain-http"),
        "nobody knows which": ("oras cp a.io/x:1 b.io/y:1", "", "--from-plain-http and --to-plain-http"),
        "docker": ("docker push a.io/x", "a.io", "insecure-registries in /etc/docker/daemon.json"),
        "none": ("tofu init", "a.io", ""),
    },
)
def test_the_tool_s_own_option_for_plain_http_is_named(line: str, host: str, option: str) -> None:
    words = line.split()
    tool = known_tool(words[0])
    assert tool
    assert plain_http_option(tool, words, host) == option
