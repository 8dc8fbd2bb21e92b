"""`registry-config agent`: starts, shows and ends the process that holds a config for a whole job or shell."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import suppress

from registry_config.asking import ask
from registry_config.audience import speak_to_command_line
from registry_config.cli.agent_arguments import parse_agent
from registry_config.cli.arguments import read_registries
from registry_config.cli.command_line import say
from registry_config.credentials.encodings import all_encodings
from registry_config.credentials.kept_logins import read_user_config
from registry_config.credentials.redaction import Redactor
from registry_config.declaration.durations import parse_duration
from registry_config.declaration.inputs import Inputs, check_inputs
from registry_config.docker_config import environment
from registry_config.errors import EXIT_BUG, InputError, RegistryConfigError, UnavailableError
from registry_config.github.event import read_origin
from registry_config.host.agent import find_agent, login_hint, start_agent, stop_agent
from registry_config.host.config_folder import links_of, own_folder
from registry_config.host.stored_files import bring_back
from registry_config.job import prepare_agent
from registry_config.light_typing import TYPE_CHECKING, Final
from registry_config.observer import retries_only
from registry_config.streams import write_all

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from registry_config.host.agent import Agent

_NO_JSON: Final = "the config is not JSON any more"
_KEEP_OUTPUT: Final = "write vars=$(registry-config agent start …), and then eval it"


def run_agent(words: list[str], environ: Mapping[str, str]) -> int:
    """Run what the words say; gives the exit code.

    Args:
        words: the arguments after `agent`.
        environ: of this process.

    Raises:
        BrokenPipeError: nobody reads standard output any more; nothing was started.
    """
    speak_to_command_line()
    starts = words[:1] == ["start"] and not {"-h", "--help"} & set(words)
    code = EXIT_BUG
    try:
        _run(words, environ)
        code = 0
    except RegistryConfigError as error:
        say(str(error))
        code = error.exit_code
    finally:
        if starts and code:
            _refuse(code)
    return code


def _run(words: list[str], environ: Mapping[str, str]) -> None:
    options = parse_agent(words)
    if options.action == "start":
        _start(options, environ)
    elif options.action == "env":
        _print(find_agent(environ).variables(environ))
    else:
        _stop(find_agent(environ))


def _start(options: argparse.Namespace, environ: Mapping[str, str]) -> None:
    if sys.__stdout__ is None:
        raise UnavailableError("standard output", "is closed, so nobody would learn of the agent", _KEEP_OUTPUT)
    seconds = parse_duration("--lifetime", options.lifetime)
    inputs = _inputs(options, environ)
    job, notices = prepare_agent(inputs, read_origin(environ), environ)
    for line in (*job.warnings, *notices):
        say(line)
    if job.skip_reason:
        say(job.skip_reason)
        return
    told = retries_only(say)._replace(on_note=say, on_warning=say)
    credentials = ask(job, inputs, environ, told, ("--lifetime", seconds)).current(job.plans[0].credentials)
    started = start_agent(credentials, job.user_config, environ, seconds)
    try:
        _print(started.agent.variables(environ))
    except OSError as error:
        started.kill()
        if isinstance(error, BrokenPipeError):
            raise
        reason = (error.strerror or "unknown").lower()
        raise UnavailableError("standard output", f"cannot be written to ({reason})", _KEEP_OUTPUT) from None
    started.keep()
    held = ", ".join(job.registries) or "no registry"
    limit = f"until it is stopped, for {options.lifetime} at most"
    say(f"the agent holds the credentials for {held} {limit}; {login_hint()}")


def _inputs(options: argparse.Namespace, environ: Mapping[str, str]) -> Inputs:
    variable = options.github_token_env
    if variable and variable not in environ:
        raise InputError("--github-token-env", "no such variable in the environment", "set and export it first")
    inputs = Inputs(
        registries=read_registries(options.registries),
        github_token=environ[variable] if variable else None,
        on_missing=options.on_missing,
        keep_logins=options.keep_logins,
        verify=options.verify,
    )
    check_inputs(inputs, needs_command=False)
    return inputs


def _stop(agent: Agent) -> None:
    def bring() -> None:
        try:
            holds_secret = _known_to(agent).holds
            bring_back(agent.folder, links_of(agent.folder), own_folder(agent.folder), holds_secret)
        except (OSError, InputError) as error:
            reason = (error.strerror or "unknown").lower() if isinstance(error, OSError) else _NO_JSON
            say(f"what was stored beside the config cannot be kept ({reason})")

    stop_agent(agent, bring)


def _known_to(agent: Agent) -> Redactor:
    """Knows what must not stay behind: what the agent holds, and what a tool may have put in the place of that.

    Raises:
        InputError: what a tool has put there cannot be read.
    """
    # Every place is named, so that no other document of this user is read.
    shown = environment(agent.folder, agent.config)
    config = read_user_config({**shown, "HOME": agent.folder}, keep=True)
    return Redactor(all_encodings(config.credentials, config.secrets))


def _print(variables: Mapping[str, str]) -> None:
    """Lines for a POSIX shell."""
    _write("".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()))


def _refuse(code: int) -> None:
    """Make `eval "$(registry-config agent start …)"` fail too; a shell at which a person sits is not left by it."""
    with suppress(OSError):
        _write(f"return {code} 2>/dev/null || false\n" if os.isatty(0) else f"exit {code}\n")


def _write(text: str) -> None:
    # Past Python's buffer: what could not be written must not come later.
    write_all(1, os.fsencode(text))
