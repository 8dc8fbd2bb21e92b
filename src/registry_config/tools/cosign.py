"""When cosign needs an ID token of the job: it signs or attests, and is given no key.

Source: sigstore/cosign, `cmd/cosign/cli/options/key.go` and `fulcio.go`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIGNS: Final = frozenset(("sign", "attest", "sign-blob", "attest-blob"))
_WITH_KEY: Final = ("--key", "--identity-token", "--sk")
# Where cosign takes an ID token from besides.
TOKEN_VARIABLE: Final = "SIGSTORE_ID_TOKEN"  # noqa: S105  (no secret)


def needs_id_token(words: Sequence[str]) -> bool:
    """Whether a command is a cosign that signs without a key; of a shell, whether a line of its script is one."""
    lines = [words, *(line.split() for word in words if "\n" in word or " " in word for line in word.splitlines())]
    return any(_signs_without_key(line) for line in lines)


def _signs_without_key(words: Sequence[str]) -> bool:
    program = next((at for at, word in enumerate(words) if word.rpartition("/")[2] == "cosign"), None)
    if program is None:
        return False
    rest = words[program + 1 :]
    has_key = any(word == option or word.startswith(f"{option}=") for word in rest for option in _WITH_KEY)
    return not has_key and any(word in _SIGNS for word in rest)
