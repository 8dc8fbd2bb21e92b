"""The command line, read into the same `Inputs` as the action's."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Final, NoReturn

from registry_config.declaration.inputs import (
    DEFAULTS,
    MAX_PARALLEL,
    MAX_RETRIES,
    PREFIX,
    Inputs,
    check_inputs,
    duration,
    number,
)
from registry_config.declaration.registries import decode
from registry_config.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DESCRIPTION: Final = """\
Run one command with the container registries that you declare once. The tool finds the credentials where it
looks for them; they exist in memory only and are gone when it ends."""
_EPILOG: Final = """\
registries.yaml:
  - registry: ghcr.io
    username: alice
    password-env: GHCR_TOKEN       # or password: TEXT, or password-file: PATH
  - registry: docker.io            # Docker Hub, under every name that tools know it by
    username: alice
    password-file: /run/secrets/hub

examples:
  registry-config run --registries registries.yaml -- skopeo copy oci:app docker://ghcr.io/org/app:1
  registry-config run --registries registries.yaml --shell bash -- 'helm push *.tgz oci://ghcr.io/org | tee log'
  registry-config check --registries registries.yaml

exit codes:
  the command's own; 127 program not found, 126 not executable, 128+n ended by signal n, 124 ended by the time limit;
  64 a wrong input, 65 a file that held a secret came back, 69 something needed is not there, 70 an internal error"""


class _Parser(argparse.ArgumentParser):
    """Reports errors as ours, never with what was typed: a credential may have been typed in the wrong place."""

    def error(self, message: str) -> NoReturn:
        option = message.partition(":")[0].removeprefix("argument ") if message.startswith("argument ") else ""
        problem = "needs a value" if "expected" in message else "cannot be taken"
        if message.startswith("the following arguments are required"):
            option, problem = message.partition(": ")[2], "is missing"
        raise InputError(option or "command line", problem, "see --help")


def parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, tuple[str, ...] | None]:
    """Read the options, and the words after `--` apart from them (None where there is no `--`).

    Raises:
        InputError: naming the option, never its value.
    """
    words = list(arguments)
    argv = None
    if "--" in words:
        at = words.index("--")
        words, argv = words[:at], tuple(words[at + 1 :])
    options, unknown = _parser().parse_known_args(words)
    if options.action == "action":
        raise InputError("command line", "action takes no words", "it reads its inputs from the environment")
    if unknown:
        name = unknown[0].partition("=")[0]
        near = did_you_mean(name, _OPTION_NAMES) if name.startswith("-") else None
        remedy = f"did you mean {near}?" if near else "the command to run comes after --"
        raise InputError("command line", "an unknown option or a stray word", remedy)
    return options, argv


def to_inputs(options: argparse.Namespace, argv: tuple[str, ...] | None, environ: Mapping[str, str]) -> Inputs:
    """The inputs of `run` and `check`.

    Raises:
        InputError: an option's value is wrong, or two contradict each other.
    """
    token_variable = options.github_token_env
    if token_variable and token_variable not in environ:
        raise InputError("--github-token-env", "no such variable in the environment", "set and export it first")
    inputs = Inputs(
        registries=read_registries(options.registries),
        github_token=environ[token_variable] if token_variable else None,
        image=options.image,
        use_entrypoint=options.use_entrypoint,
        exclude=tuple(options.exclude),
        argv=argv if argv is not None or options.action == "check" else (),
        shell=options.shell,
        working_directory=options.working_directory,
        targets=tuple(options.target),
        max_parallel=number("--max-parallel", options.max_parallel, default=DEFAULTS.max_parallel, most=MAX_PARALLEL),
        fail_fast=options.fail_fast,
        retries=number("--retries", options.retries, default=DEFAULTS.retries, most=MAX_RETRIES, least=0),
        retry_on=options.retry_on,
        timeout=duration("--timeout", options.timeout),
        files=tuple(options.file),
        dry_run=options.dry_run,
        env=tuple(options.env),
        secret_env=tuple(options.secret_env),
        on_missing=options.on_missing,
        keep_logins=options.keep_logins,
        # The input's variables may be there too, where a step of a workflow calls this command line.
        hidden_variables=(*filter(None, [token_variable]), *(name for name in environ if name.startswith(PREFIX))),
        # On standard input or in a pipe it is no file of the working directory.
        excluded_files=() if options.registries == "-" else (options.registries,),
        stdin_is_ours=_is_standard_input(options.registries),
    )
    check_inputs(inputs, needs_command=options.action == "run" or argv is not None)
    return inputs


def _is_standard_input(path: str) -> bool:
    """Whether a path leads to our standard input, where the command must not find the declaration."""
    try:
        return path == "-" or os.path.samestat(os.stat(path), os.fstat(0))
    except (OSError, ValueError):
        return False


def read_registries(path: str) -> str:
    """The declaration in a file, or on standard input (`-`).

    Raises:
        InputError: it cannot be read.
    """
    try:
        data = sys.stdin.buffer.read() if path == "-" else _read_file(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a path"
        raise InputError("--registries", f"cannot be read ({reason.lower()})", "check the path") from None
    return decode(data, "--registries")


def _read_file(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


_OPTIONS: Final[tuple[tuple[tuple[str, ...], dict[str, object]], ...]] = (
    (
        ("--registries",),
        {"metavar": "FILE", "required": True, "help": "YAML list of registries; - for standard input"},
    ),
    (
        ("--github-token-env",),
        {
            "metavar": "NAME",
            "default": "",
            "help": "variable with the token for a ghcr.io entry without credentials",
        },
    ),
    (("--image",), {"metavar": "REF", "default": "", "help": "run the command in this tool image, on a Dagger engine"}),
    (("--use-entrypoint",), {"action": "store_true", "help": "put the image's entrypoint before the command"}),
    (
        ("--exclude",),
        {
            "metavar": "GLOB",
            "action": "append",
            "default": [],
            "help": "files that neither go to the engine nor come back",
        },
    ),
    (
        ("--shell",),
        {"metavar": "SHELL", "default": "", "help": "give what follows -- to this shell as one script"},
    ),
    (
        ("-C", "--working-directory"),
        {"metavar": "DIR", "default": ".", "help": "the command's working directory"},
    ),
    (
        ("-e", "--env"),
        {"metavar": "NAME[=VALUE]", "action": "append", "default": [], "help": "a variable for the command"},
    ),
    (
        ("--secret-env",),
        {
            "metavar": "NAME",
            "action": "append",
            "default": [],
            "help": "a variable whose value must not be seen",
        },
    ),
    (
        ("--on-missing",),
        {"metavar": "fail|skip", "default": "fail", "help": "where a password is there but empty"},
    ),
    (
        ("--target",),
        {
            "metavar": "REF",
            "action": "append",
            "default": [],
            "help": "run once for each; {target} in the command is replaced",
        },
    ),
    (
        ("--max-parallel",),
        {"metavar": "N", "default": "", "help": f"how many targets run in parallel ({DEFAULTS.max_parallel})"},
    ),
    (("--fail-fast",), {"action": "store_true", "help": "stop the other targets at the first failure"}),
    (
        ("--retries",),
        {
            "metavar": "N",
            "default": "",
            "help": f"further attempts of a command after a transient failure ({DEFAULTS.retries})",
        },
    ),
    (
        ("--retry-on",),
        {
            "metavar": "transient|any",
            "default": DEFAULTS.retry_on,
            "help": "which failures are followed by a further attempt",
        },
    ),
    (
        ("--timeout",),
        {"metavar": "T", "default": "", "help": "time limit of one attempt of one command, such as 90s, 10m or 1h"},
    ),
    (
        ("--file",),
        {
            "metavar": "GLOB",
            "action": "append",
            "default": [],
            "help": "run once for each file; {file} in the command is replaced",
        },
    ),
    (("--dry-run",), {"action": "store_true", "help": "everything but the execution"}),
    (
        ("--keep-logins",),
        {"action": "store_true", "help": "keep the logins of your own Docker config beside these"},
    ),
    (("--json",), {"metavar": "FILE", "default": "", "help": "write the outputs to this file"}),
)
_OPTION_NAMES: Final = tuple(name for names, _ in _OPTIONS for name in names)


_AGENT_OPTIONS: Final = ("--registries", "--github-token-env", "--on-missing", "--keep-logins")
_AGENT_EPILOG: Final = """\
The credentials of a whole job or shell, in memory only, for commands that registry-config does not start itself:

  vars=$(registry-config agent start --registries registries.yaml) || exit
  eval "$vars"
  trap 'registry-config agent stop' EXIT

start prints export lines for a POSIX shell and nothing else, and returns when the config can be read. The agent ends
by stop, on SIGTERM, or after its lifetime. Every program of this user can read the config until then."""


def parse_agent(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the options of `registry-config agent`.

    Raises:
        InputError: naming the option, never its value.
    """
    parser = _Parser(prog="registry-config agent", epilog=_AGENT_EPILOG, allow_abbrev=False, formatter_class=_formatter)
    actions = parser.add_subparsers(dest="action", metavar="start|env|stop", required=True, parser_class=_Parser)
    start = actions.add_parser("start", help="start an agent, and print the variables that lead to it")
    for names, settings in _OPTIONS:
        if names[0] in _AGENT_OPTIONS:
            start.add_argument(*names, **settings)  # type: ignore[arg-type]
    start.add_argument("--lifetime", metavar="T", default="6h", help="after which it ends: 90s, 10m, 1h (6h)")
    actions.add_parser("env", help="print the variables of the agent that REGISTRY_CONFIG_AGENT_PID names")
    actions.add_parser("stop", help="end the agent that REGISTRY_CONFIG_AGENT_PID names")
    options, unknown = parser.parse_known_args(list(arguments))
    if unknown:
        near = did_you_mean(unknown[0].partition("=")[0], (*_AGENT_OPTIONS, "--lifetime"))
        remedy = f"did you mean {near}?" if near else "see registry-config agent --help"
        raise InputError("command line", "an unknown option or a stray word", remedy)
    return options


def _formatter(prog: str) -> argparse.HelpFormatter:
    # Without a width argparse asks for the terminal's at each option, by an import that costs as much as argparse.
    return argparse.RawDescriptionHelpFormatter(prog, width=110)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="registry-config",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=_formatter,
        allow_abbrev=False,
    )
    actions = parser.add_subparsers(
        dest="action", prog="registry-config", metavar="run|check|agent|action", required=True, parser_class=_Parser
    )
    for name, text in (
        ("run", "run a command: registry-config run --registries FILE [options] -- COMMAND [ARGUMENT]..."),
        ("check", "say what is declared, which keys are written and where tools look; reads no password"),
    ):
        sub = actions.add_parser(
            name,
            help=text,
            description=text,
            epilog=_EPILOG,
            allow_abbrev=False,
            formatter_class=_formatter,
        )
        for names, settings in _OPTIONS:
            sub.add_argument(*names, **settings)  # type: ignore[arg-type]
    actions.add_parser(
        "agent",
        help="the credentials of a whole job or shell: registry-config agent --help",
        allow_abbrev=False,
        formatter_class=_formatter,
    )
    actions.add_parser(
        "action",
        help="what action.yml calls: reads its inputs from the environment",
        allow_abbrev=False,
        formatter_class=_formatter,
    )
    return parser
