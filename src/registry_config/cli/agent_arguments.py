"""The options of `registry-config agent`; those that `run` has too are taken from there."""

from __future__ import annotations

from registry_config.cli.arguments import Parser, formatter, known_options, nearest_option
from registry_config.cli.options import OPTIONS
from registry_config.errors import InputError
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

_OPTIONS: Final = ("--registries", "--github-token-env", "--verify", "--on-missing", "--keep-logins")
_EPILOG: Final = """\
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
    parser = Parser(prog="registry-config agent", epilog=_EPILOG, allow_abbrev=False, formatter_class=formatter)
    actions = parser.add_subparsers(dest="action", metavar="start|env|stop", required=True, parser_class=Parser)
    start = actions.add_parser(
        "start", help="start an agent, and print the variables that lead to it", allow_abbrev=False
    )
    for names, settings in OPTIONS:
        if names[0] in _OPTIONS:
            start.add_argument(*names, **settings)  # type: ignore[arg-type]
    start.add_argument("--lifetime", metavar="T", default="6h", help="after which it ends: 90s, 10m, 1h (6h)")
    for name, text in (("env", "print the variables of"), ("stop", "end")):
        actions.add_parser(name, help=f"{text} the agent that REGISTRY_CONFIG_AGENT_PID names", allow_abbrev=False)
    names = (*_OPTIONS, "--lifetime")
    options, unknown = known_options(parser, arguments, names)
    if unknown:
        near = nearest_option(unknown[0], names)
        remedy = f"did you mean {near}?" if near else "see registry-config agent --help"
        raise InputError("command line", "an unknown option or extra arguments", remedy)
    return options
