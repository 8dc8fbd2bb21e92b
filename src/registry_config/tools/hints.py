"""What a failed command's output says is the matter, in words that tell what to do.

The first explanation that fits is given, the sure ones first.
"""

from __future__ import annotations

import re

from registry_config.audience import called, either
from registry_config.errors import EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple
from registry_config.tools.failure import Failure
from registry_config.tools.output import last_lines, status
from registry_config.tools.plain_http import explain_plain_http
from registry_config.tools.references import is_writing
from registry_config.tools.refusals import REFUSED, explain_refusal, hidden_login
from registry_config.tools.table import ca_variables, daemon_ca_file
from registry_config.tools.wrappers import lost_config, script_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from registry_config.results import CommandResult

_LAST_LINES: Final = 10
_NOT_GIVEN: Final = "the script writes to a file of the runner that a command does not get"
_LOWER_CASE: Final = "the name of a repository has lower-case letters only"
_RUNNER_FILE: Final = re.compile(r"\$\{?GITHUB_(?:OUTPUT|ENV|PATH|STATE|STEP_SUMMARY)\b")


class Pattern(NamedTuple):
    """What a tool's output shows, as a regular expression without regard to case, and what to do about it."""

    shows: str
    remedy: str


_IMMUTABLE: Final = r"cannot be overwritten|\bimmutable\b|tag is protected"


# Each was seen with real tools, or with a server that answers as the registry does.
_SURE: Final = (
    Pattern(
        r"(?:config\.json|auth\.json|oras_credstore_temp)\S{0,100}:? .{0,300}(?:permission denied"
        r"|device or resource busy|invalid cross-device link|read-only file system)",
        "the command tries to store a login: none is needed here, leave it out",
    ),
    Pattern(
        status("413", "Request Entity Too Large|Payload Too Large|Content Too Large"),
        "the registry, or a proxy in front of it, takes no request of this size: raise its limit (nginx: "
        "client_max_body_size), or push smaller layers",
    ),
    Pattern(
        r"certificate has expired",
        "the registry's certificate has expired, or the clock of this machine is wrong: renew it",
    ),
    Pattern(
        r"x509: (?:certificate is (?:valid for|not valid for)|cannot validate certificate for)|hostname mismatch",
        "the registry's certificate is for another name: check the host that the command names",
    ),
)
_LIKELY: Final = (
    Pattern(
        r"connection refused",
        "nothing answers at the registry's address: check host and port, and that it is up",
    ),
    Pattern(
        status("404", r"(?<!credential )not found|(?:manifest|name)[ _]unknown"),
        "there is no such repository or tag; some registries say so where rights are missing",
    ),
)
_NO_SUCH_HOST: Final = r"no such host|Temporary failure in name resolution|Name or service not known"
_LIMIT: Final = status("429", "too ?many ?requests|rate limit")
_UNTRUSTED: Final = r"x509:|certificate signed by unknown authority|CERTIFICATE_VERIFY_FAILED|self-signed certificate"
_NO_PROGRAM: Final = (
    r"^(?:\S{1,200}: )?(?:line \d+: |\d+: )?(\S{1,200}): (?:command )?not found$"
    r"|exec: \"([^\"\n]{1,200})\": executable file not found"
)
_EMPTY_NAME: Final = (
    r"line \d+: : No such file or directory|cannot create : Directory nonexistent|can't create : nonexistent directory"
    r"|no such file or directory: ?$|ambiguous redirect"
)
# ECR's words, Harbor's, and the specification's for a registry that makes no repository by itself.
_ECR: Final = r"The repository with name '[^'\n]{1,300}' does not exist in the registry"
_HARBOR: Final = r"project \S{1,300} not found"
_NO_REPOSITORY: Final = r"name[ _]unknown|repository name not known to registry|project \S{1,300} not found"
_UPPER_CASE: Final = (
    r"must be lowercase|must be lower case|invalid repository|could not parse reference|can only contain the characters"
    r"|invalid reference"
)


def diagnose(failed: CommandResult, declared: Iterable[str], hidden_hosts: Iterable[str]) -> tuple[str, ...]:
    """Lines that explain a failure.

    Args:
        failed: the command that failed, with the credentials that its config held.
        declared: the registries that were declared, by host, with a path where they have one.
        hidden_hosts: registries for which the user's own config has a login that the tool did not see.
    """
    if failed.problem:
        return ()
    known = tuple(declared), frozenset(hidden_hosts)
    for stream in (failed.stderr, failed.stdout):
        failure = Failure(failed, last_lines(stream.text, _LAST_LINES), *known)
        for explain in _EXPLANATIONS:
            if lines := explain(failure):
                return lines
    return ()


def _missing_program(failure: Failure) -> tuple[str, ...]:
    match = re.search(_NO_PROGRAM, failure.text, re.MULTILINE)
    if match is None:
        return ()
    wrapper = failure.result.program if failure.result.program in {"sudo", "env", "timeout", "nice"} else "the shell"
    return (f"{wrapper} finds no program {match[1] or match[2]}: install it, or set {called('image')}",)


def _runner_file(failure: Failure) -> tuple[str, ...]:
    if not failure.shows(_EMPTY_NAME) or not _RUNNER_FILE.search(script_of(failure.result.arguments)):
        return ()
    hint = either(
        f"{_NOT_GIVEN}: with 'shell' write NAME=value to $GITHUB_OUTPUT and read it from the output 'outputs'; write "
        "the others in a step of their own",
        f"{_NOT_GIVEN}: with --shell write NAME=value to $GITHUB_OUTPUT and read it from 'outputs' of --json; write "
        "the others outside of the script",
    )
    return (hint,)


def _tools_own(failure: Failure) -> tuple[str, ...]:
    hints = failure.tool.hints if failure.tool else ()
    return next(((either(hint.remedy, hint.at_command_line),) for hint in hints if failure.shows(hint.pattern)), ())


def _upper_case(failure: Failure) -> tuple[str, ...]:
    words = " ".join(failure.result.arguments)
    if not failure.shows(_UPPER_CASE) or not re.search(r"/[\w./-]{0,200}[A-Z]", words):
        return ()
    hint = either(
        f"{_LOWER_CASE}: write the owner in lower case, for example with '${{GITHUB_REPOSITORY_OWNER,,}}' in a step "
        "before",
        f"{_LOWER_CASE}: write it in lower case",
    )
    return (hint,)


def _immutable(failure: Failure) -> tuple[str, ...]:
    if not failure.shows(_IMMUTABLE):
        return ()
    hint = (
        "the tag is there already and the registry does not let it be overwritten: push another, or set "
        f"{called('skip-existing')}"
    )
    return (hint,)


def _web_page(failure: Failure) -> tuple[str, ...]:
    if not any(re.search(r"\bhub\.docker\.com/", word) for word in failure.result.arguments):
        return ()
    return ("hub.docker.com is the web page of Docker Hub, not its registry: write docker.io instead",)


def _untrusted(failure: Failure) -> tuple[str, ...]:
    if not failure.shows(_UNTRUSTED):
        return ()
    variables = ca_variables(failure.result.arguments[0])
    if not variables:
        place = daemon_ca_file(failure.asked)
        return (f"the daemon does not trust the registry's certificate: put its CA in {place}",)
    entry = f"the entry for {failure.asked}" if failure.asked in failure.declared else "its entry"
    if any(one.ca_file and one.host == failure.asked for one in failure.result.credentials):
        return (f"the tool does not trust the registry's certificate: ca-file in {entry} is not the CA that signed it",)
    remedy = f"name the file of its CA as ca-file in {entry}, or in the variable {variables[0]}"
    return (f"the tool does not trust the registry's certificate: {remedy}",)


def _wrapper(failure: Failure) -> tuple[str, ...]:
    lost = r"config\.json\S{0,5} .{0,100}no such file"
    # The client itself pulls the image of `docker run`, with our config.
    is_of_client = failure.shows(r"Error response from daemon|Unable to find image|Trying to pull")
    if is_of_client or not failure.shows(f"{REFUSED}|{lost}"):
        return ()
    explanation = lost_config(failure.result.arguments)
    return (explanation,) if explanation else ()


def _limited(failure: Failure) -> tuple[str, ...]:
    if not failure.shows(_LIMIT):
        return ()
    hint = "the registry limits how often it is asked: "
    if failure.held:
        return (f"{hint}set {called('retries')}, or ask less often",)
    declare = f"declare {failure.asked or 'it'}, so that you are not asked as anonymous, or set {called('retries')}"
    return (hint + declare, *hidden_login(failure))


def _create_first(failure: Failure) -> tuple[str, ...]:
    is_push = is_writing(failure.result.arguments)
    if failure.shows(_ECR):
        return (
            "ECR has no repository of that name and makes none by itself: create it first (aws ecr create-repository)",
        )
    if failure.shows(_HARBOR):
        return (
            "Harbor has no project of that name, or does not show it to this user: create it first, or grant access",
        )
    if is_push and failure.shows(_NO_REPOSITORY):
        return ("the registry has no repository of that name and makes none by itself: create it first",)
    return ()


def _known(*patterns: Pattern) -> Callable[[Failure], tuple[str, ...]]:
    def explain(failure: Failure) -> tuple[str, ...]:
        return next(((one.remedy,) for one in patterns if failure.shows(one.shows)), ())

    return explain


def _unresolved(failure: Failure) -> tuple[str, ...]:
    if not failure.shows(_NO_SUCH_HOST):
        return ()
    if failure.is_about_another:
        # Of Sigstore, of a cloud, of where a registry keeps its blobs.
        problem = "the tool asked for a host that is neither declared nor in the command, and cannot be found"
        return (f"{problem}: check its spelling where it is set, and the network of this machine",)
    return ("there is no registry of that name: check its spelling, and the resolver of this machine",)


def _likely(failure: Failure) -> tuple[str, ...]:
    # A shell's own "not found" is about a program.
    if failure.result.exit_code in {EXIT_NOT_FOUND, EXIT_NOT_EXECUTABLE}:
        return ()
    return _unresolved(failure) or _known(*_LIKELY)(failure)


_EXPLANATIONS: Final[tuple[Callable[[Failure], tuple[str, ...]], ...]] = (
    _missing_program,
    _runner_file,
    _tools_own,
    _upper_case,
    _web_page,
    _immutable,
    _known(*_SURE),
    _untrusted,
    explain_plain_http,
    _wrapper,
    _limited,
    _create_first,
    explain_refusal,
    _likely,
)
