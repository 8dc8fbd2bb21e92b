"""`registry-config agent`: starts, shows and ends the process that holds a config for a whole job or shell."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from registry_config.cli.arguments import parse_agent, read_registries
from registry_config.cli.command_line import say
from registry_config.credentials.encodings import all_forms
from registry_config.credentials.kept_logins import read_user_config
from registry_config.credentials.redaction import Redactor
from registry_config.declaration.durations import parse_duration
from registry_config.declaration.inputs import Inputs, check_inputs
from registry_config.declaration.registries import parse_registries
from registry_config.errors import EXIT_BUG, InputError, RegistryConfigError, UnavailableError
from registry_config.github.event import read_origin
from registry_config.host.agent import StartedAgent, find_agent, start_agent, stop_agent
from registry_config.host.config_folder import own_folder
from registry_config.host.stored_files import links_of, bring_back
from registry_config.job import Job, prepare

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from registry_config.declaration.inputs import Origin
    from registry_config.host.agent import Agent

LOGIN_HINT: Final = (
    "a later docker login fails (invalid cross-device link): declare that registry here, "
    "or log in before the agent starts and set keep-logins"
)


def run_agent(words: list[str], environ: Mapping[str, str]) -> int:
    """Run what the words say; gives the exit code.

    Args:
        words: the arguments after `agent`.
        environ: of this process.
    """
    starts = words[:1] == ["start"] and not {"-h", "--help"} & set(words)
    try:
        options = parse_agent(words)
        if options.action == "start":
            _start(options, environ)
        elif options.action == "env":
            _print(find_agent(environ).variables(environ))
        else:
            _stop(find_agent(environ), environ)
    except RegistryConfigError as error:
        say(str(error))
        if starts:
            _refuse(error.exit_code)
        return error.exit_code
    except OSError:  # standard output; what is said of it is the same for every front end
        raise
    except Exception:
        if starts:
            _refuse(EXIT_BUG)
        raise
    return 0


def prepare_agent(inputs: Inputs, origin: Origin, environ: Mapping[str, str]) -> Job:
    """Check everything that an agent needs; its credentials are those of the job's plan.

    Raises:
        InputError: with the place of the first fault.
    """
    job = prepare(inputs, origin, environ)
    for credential in job.plans[0].credentials:
        if credential.path:
            problem = "has a path, and without a command nothing can choose by it"
            raise InputError(f"registries ({credential.registry})", problem, "leave the path out, or use run")
    return job


def left_out(text: str) -> tuple[str, ...]:
    """Lines about the entries that an agent has no use for."""
    return tuple(
        f"{declaration.place()}: {declaration.registry} is for image only, so it is left out"
        for declaration in parse_registries(text)
        if "command" not in declaration.purposes
    )


def _start(options: argparse.Namespace, environ: Mapping[str, str]) -> None:
    if sys.__stdout__ is None:
        raise UnavailableError("standard output", "is closed, so nobody would learn of the agent")
    inputs, seconds = _inputs(options, environ), parse_duration("--lifetime", options.lifetime)
    job = prepare_agent(inputs, read_origin(environ), environ)
    for line in (*job.warnings, *left_out(inputs.registries)):
        say(line)
    if job.skip_reason:
        say(job.skip_reason)
        return
    started = start_agent(job.plans[0].credentials, job.user_config, environ, seconds)
    try:
        _print(started.agent.variables(environ))
    except OSError:
        started.kill()
        raise
    started.keep()


def _inputs(options: argparse.Namespace, environ: Mapping[str, str]) -> Inputs:
    variable = options.github_token_env
    if variable and variable not in environ:
        raise InputError("--github-token-env", "no such variable in the environment")
    inputs = Inputs(
        registries=read_registries(options.registries),
        github_token=environ[variable] if variable else None,
        on_missing=options.on_missing,
        keep_logins=options.keep_logins,
    )
    check_inputs(inputs, needs_command=False)
    return inputs


def _stop(agent: Agent, environ: Mapping[str, str]) -> None:
    def bring() -> None:
        # What the agent shows is all that must not be left behind.
        config = read_user_config({"DOCKER_CONFIG": agent.folder, "HOME": "/"}, keep=True)
        redactor = Redactor(all_forms(config.credentials, config.secrets))
        try:
            bring_back(agent.folder, links_of(agent.folder), own_folder(agent.folder), redactor.holds)
        except OSError as error:
            say(f"what was stored beside the config cannot be kept ({(error.strerror or 'unknown').lower()})")

    stop_agent(agent, bring)


def _print(variables: Mapping[str, str]) -> None:
    """Lines for a POSIX shell, written at once or not at all."""
    text = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    sys.stdout.write(text)
    sys.stdout.flush()


def _refuse(code: int) -> None:
    """Make `eval "$(registry-config agent start …)"` fail as well; a shell that a person sits at is not left."""
    with suppress(OSError):
        print(f"return {code} 2>/dev/null || false" if os.isatty(0) else f"exit {code}", flush=True)
