"""When cosign needs an ID token of the job: it signs or attests, and is given no key.

Source: sigstore/cosign, `cmd/cosign/cli/options/key.go` and `fulcio.go`.
"""

from __future__ import annotations

import re

from registry_config.audience import either
from registry_config.declaration.inputs import ID_TOKEN_VARIABLES
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from registry_config.declaration.inputs import Inputs, Origin
    from registry_config.plan import Plan

# A reference may end in the name too.
_PROGRAM: Final = r"cosign|[./]\S*/cosign"
_SIGNS: Final = frozenset(("sign", "attest", "sign-blob", "attest-blob"))
_WITH_KEY: Final = ("--key", "--identity-token", "--sk")
# Where cosign takes an ID token from besides.
_TOKEN_VARIABLE: Final = "SIGSTORE_ID_TOKEN"  # noqa: S105  (no secret)
_PERMISSION: Final = "add 'permissions: id-token: write' to the job, or give cosign a key"


def needs_id_token(words: Sequence[str]) -> bool:
    """Whether a command is a cosign that signs without a key; of a shell, whether a line of its script is one."""
    lines = [words, *(line.split() for word in words if "\n" in word or " " in word for line in word.splitlines())]
    return any(_signs_without_key(line) for line in lines)


def _signs_without_key(words: Sequence[str]) -> bool:
    program = next((at for at, word in enumerate(words) if re.fullmatch(_PROGRAM, word)), None)
    if program is None:
        return False
    rest = words[program + 1 :]
    has_key = any(word == option or word.startswith(f"{option}=") for word in rest for option in _WITH_KEY)
    return not has_key and any(word in _SIGNS for word in rest)


def signing_warnings(
    plan: Plan, inputs: Inputs, origin: Origin, environ: Collection[str], *, has_provider: bool
) -> list[str]:
    """Warn of a signature without a key whose cosign does not find the job's right to ID tokens.

    Args:
        plan: the commands and their variables.
        inputs: the settings.
        origin: whether the job has the right.
        environ: names of the variables of the step, which a command on this machine gets too.
        has_provider: whether an entry has a provider, so that the right is withdrawn from the command.
    """
    has_right = all(origin.id_tokens)
    is_withdrawn = has_right and (inputs.image or has_provider)
    # Elsewhere than on GitHub a person may sign in.
    is_refused = origin.server and not has_right
    given = {*plan.variables, *plan.secret_variables}
    has_token = _TOKEN_VARIABLE in given or (not inputs.image and _TOKEN_VARIABLE in environ)
    if not (is_withdrawn or is_refused) or has_token or {*ID_TOKEN_VARIABLES} <= given:
        return []
    entrypoint = ("cosign",) if inputs.use_entrypoint and "cosign" in inputs.image else ()
    if not any(needs_id_token((*entrypoint, *(word.text for word in command))) for command in plan.commands):
        return []
    if not has_right:
        return ["command: cosign has no key, and the job may not ask GitHub for an ID token; " + _PERMISSION]
    url, token = ID_TOKEN_VARIABLES
    lines = either(f"the lines 'env: {url}' and 'secret-env: {token}'", f"-e {url} --secret-env {token}")
    return [f"command: cosign has no key, and does not find the job's right to ID tokens; add {lines}"]
