"""What the engine says went wrong, in words that tell what to do. The texts are those of Dagger 0.21."""

from __future__ import annotations

import re

from registry_config.audience import called
from registry_config.errors import EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND, UnavailableError
from registry_config.light_typing import TYPE_CHECKING, Final
from registry_config.reference import parse_reference
from registry_config.tools.output import status

if TYPE_CHECKING:
    from registry_config.credentials.redaction import Redactor

_PLACE: Final = "image"


# Escape sequences (ECMA-48, 5.3 and 5.4, and xterm's), other control characters, and the trace's number.
_NOISE: Final = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])|\[traceparent:[^]\n]*\]?"
    r"|[\x00-\x09\x0b-\x1f\x7f-\x9f]"
)


def reason_of(error: Exception, redactor: Redactor) -> str:
    """The engine's own words, as plain text without empty lines and the trace's number."""
    return redactor.text(plain(str(error)))


def plain(text: str) -> str:
    """Text of the engine without what is for a terminal or a trace, and without empty lines."""
    lines = (" ".join(line.split()) for line in _NOISE.sub(" ", text).split("\n"))
    return "\n".join(filter(None, lines))


def explain_pull(text: str, reference: str) -> UnavailableError:
    """Why the image cannot be had."""
    host = parse_reference(reference).host
    for pattern, problem, remedy in _PULL_PROBLEMS:
        if re.search(pattern, text, re.IGNORECASE):
            return UnavailableError(_PLACE, problem.format(host=host), remedy.format(host=host))
    return UnavailableError(_PLACE, f"cannot be pulled ({text})", "check its name, and the network of the engine")


_PULL_PROBLEMS: Final = (
    (
        status("40[13]", "unauthorized|denied|forbidden|authentication required|no basic auth"),
        "{host} refuses to give it to us",
        "check the entry for {host} in registries, and that it is not 'for: command'",
    ),
    (
        r"no match for platform|no matching manifest|no manifest matches",
        "there is none for this engine's architecture",
        "choose another tag",
    ),
    (
        r"connection refused|no such host|i/o timeout|network is unreachable",
        "{host} cannot be reached from the engine",
        "check the name, and the engine's network and proxy",
    ),
    (r"x509|certificate", "{host} shows a certificate that the engine does not trust", "give its CA to the engine"),
    (r"gave HTTP response to HTTPS", "{host} speaks plain HTTP", "allow that in the engine's configuration"),
    (
        status("429", "too ?many ?requests|rate limit"),
        "{host} limits how often it may be pulled",
        "declare {host} in registries",
    ),
    (
        r"not found|manifest unknown|name unknown",
        "{host} has no such image or tag",
        "check its spelling; some registries answer so where access is denied",
    ),
)


def explain_exit(program: tuple[str, ...], code: int, stdout: str, stderr: str, remedy: str) -> tuple[int, str]:
    """Exit code and reason where the engine's init process could not start the program; it answers 1 then.

    Args:
        program: the words that it was to start.
        code: what it answered.
        stdout: nothing, if it could not.
        stderr: its reason, if it could not.
        remedy: what to do where a program is not in PATH.
    """
    if code != 1 or stdout or not program:
        return code, ""
    name = re.escape(program[0])
    if re.fullmatch(
        rf'exec: "{name}": executable file not found in \$PATH\n|fork/exec {name}: no such file or directory\n', stderr
    ):
        hint = ", or not the interpreter that its first line names" if "/" in program[0] else f"; {remedy}"
        return EXIT_NOT_FOUND, f"{program[0]}: no such program in the image{hint}"
    if match := re.fullmatch(rf"fork/exec [^\n]*{name}: (permission denied|exec format error)\n", stderr):
        return EXIT_NOT_EXECUTABLE, f"{program[0]}: cannot be executed in the image ({match[1]})"
    return code, ""


def missing_program(program: str, entrypoint: tuple[str, ...], *, is_script: bool) -> str:
    """What to do where a program is not in PATH."""
    if is_script:
        other = "" if program == "sh" else f", or set {called('shell', 'sh')}"
        return f"use an image that has it{other}"
    if entrypoint:
        return f"its entrypoint is {' '.join(entrypoint)}: name it in the command or set {called('use-entrypoint')}"
    return "check its spelling, or use an image that has it"
