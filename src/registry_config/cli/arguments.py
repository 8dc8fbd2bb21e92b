"""The command line, read into the same `Inputs` as the action's."""

from __future__ import annotations

import argparse
import os
import sys

from registry_config.cli.options import COMMANDS, DESCRIPTION, EPILOG, OPTIONS
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
from registry_config.declaration.registries import MAX_BYTES, decode
from registry_config.errors import InputError, did_you_mean
from registry_config.light_typing import TYPE_CHECKING, Final, NoReturn
from registry_config.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MISSING: Final = "is missing"
_UNKNOWN: Final = "an unknown option or extra arguments"
# A shorter beginning stands for too much.
_MIN_BEGUN: Final = 6


class Parser(argparse.ArgumentParser):
    """Reports errors as ours, never with what was typed: a credential may have been typed in the wrong place."""

    def error(self, message: str) -> NoReturn:
        """See `argparse.ArgumentParser.error`."""
        option = message.partition(":")[0].removeprefix("argument ") if message.startswith("argument ") else ""
        problem = "takes no value" if "ignored explicit argument" in message else "needs a value"
        if message.startswith("the following arguments are required"):
            option, problem = message.partition(": ")[2], _MISSING
        if "|" in option:
            option, problem = "command line", self._must_come(option.split("|"))
        raise InputError(option or "command line", problem, "see --help")

    def _must_come(self, commands: list[str]) -> str:
        """Which commands there are, where none of them was given."""
        known = f"{', '.join(commands[:-1])} or {commands[-1]}"
        before = self.prog.partition(" ")[2]
        return f"{before} must be followed by {known}" if before else f"must begin with {known}"


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
    if words[:1] in (["run"], ["check"]):
        options, unknown = known_options(_command_parser(words[0]), words[1:], _OPTION_NAMES)
    else:
        options, unknown = known_options(_parser(), words, _OPTION_NAMES)
    if options.action == "action":
        raise InputError("command line", "action takes no words", "it reads its inputs from the environment")
    if unknown:
        near = nearest_option(unknown[0], _OPTION_NAMES)
        remedy = f"did you mean {near}?" if near else "the command to run comes after --"
        raise InputError("command line", _UNKNOWN, remedy)
    if options.verbose and options.quiet:
        raise InputError("--quiet", "cannot be combined with --verbose", "give one of them")
    return options, argv


def known_options(
    parser: argparse.ArgumentParser, words: Sequence[str], names: Sequence[str]
) -> tuple[argparse.Namespace, list[str]]:
    """The options, and the words that are none.

    Raises:
        InputError: naming the option; where one is missing and another is misspelt, the misspelt one.
    """
    try:
        return parser.parse_known_args(list(words))
    except InputError as error:
        strange = (word for word in words if word.startswith("--") and word.partition("=")[0] not in names)
        near = next(filter(None, (nearest_option(word, names) for word in strange)), None)
        if near is None or error.problem != _MISSING:
            raise
        raise InputError("command line", _UNKNOWN, f"did you mean {near}?") from None


def nearest_option(word: str, names: Sequence[str]) -> str | None:
    """The option that was probably meant: two edits away at most, or the same but for its end."""
    name = word.partition("=")[0]
    if not name.startswith("-"):
        return None
    begun = name[:-1] if len(name) > _MIN_BEGUN else name
    return did_you_mean(name, names) or next((one for one in names if name[2:] and one.startswith(begun)), None)


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
        skip_existing=options.skip_existing,
        verify=options.verify,
        digest_from=options.digest_from,
        dry_run=options.dry_run,
        env=tuple(options.env),
        secret_env=tuple(options.secret_env),
        on_missing=options.on_missing,
        keep_logins=options.keep_logins,
        # The input's variables may be there too, where a step of a workflow calls this command line.
        hidden_variables=(*filter(None, [token_variable]), *(name for name in environ if name.startswith(PREFIX))),
        # On standard input or in a pipe it is no file of the working directory.
        excluded_files=tuple(path for path in (options.registries, options.json) if path not in {"", "-"}),
        stdin_is_ours=_is_standard_input(options.registries),
        verbose=options.verbose,
        quiet=options.quiet,
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
        data = sys.stdin.buffer.read(MAX_BYTES + 1) if path == "-" else _read_file(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a path"
        raise InputError("--registries", f"cannot be read ({reason.lower()})", "check the path") from None
    return decode(data, "--registries")


def _read_file(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(MAX_BYTES + 1)


_OPTION_NAMES: Final = tuple(name for names, _ in OPTIONS for name in names)


def formatter(prog: str) -> argparse.HelpFormatter:
    """Of the help, at a width of its own."""
    # Without a width argparse asks for the terminal's at each option, by an import that costs as much as argparse.
    return argparse.RawDescriptionHelpFormatter(prog, width=110)


def _command_parser(name: str) -> argparse.ArgumentParser:
    """Of `run` or `check` alone: to make the parsers of all commands costs more than the other checks together."""
    parser = Parser(
        prog=f"registry-config {name}",
        description=COMMANDS[name],
        epilog=EPILOG,
        allow_abbrev=False,
        formatter_class=formatter,
    )
    parser.set_defaults(action=name)
    for names, settings in OPTIONS:
        parser.add_argument(*names, **settings)  # type: ignore[arg-type]
    return parser


def _parser() -> argparse.ArgumentParser:
    """Of what stands before a command, and of the help that lists the commands."""
    parser = Parser(
        prog="registry-config",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=formatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"registry-config {VERSION}")
    actions = parser.add_subparsers(
        dest="action", prog="registry-config", metavar="|".join(COMMANDS), required=True, parser_class=Parser
    )
    for name, text in COMMANDS.items():
        actions.add_parser(name, help=text, allow_abbrev=False, formatter_class=formatter)
    return parser
