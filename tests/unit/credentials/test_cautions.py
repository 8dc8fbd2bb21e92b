"""What is said of a password that was copied with something around it."""

from __future__ import annotations

from registry_config.credentials.cautions import warnings_of
from registry_config.declaration.registries import Declaration
from registry_config.declaration.sources import Source
from support.tables import table

_DECLARATION = Declaration(
    0,
    1,
    "a.example",
    "alice",
    Source("password-env", "TOKEN"),
    frozenset(("image", "command")),
    lines=(("password-env", 3),),
)


@table(
    "secret, warning",
    {
        "blank before": (" hunter22", "has white space around it"),
        "blank behind": ("hunter22 ", "has white space around it"),
        "a second newline": ("hunter22\n", "has white space around it"),
        "CR alone": ("hunter22\r", "has white space around it"),
        "byte order mark": ("\ufeffhunter22", "begins with a byte order mark"),
        "double quotes": ('"hunter22"', "has quotes around it"),
        "single quotes": ("'hunter22'", "has quotes around it"),
    },
)
def test_what_comes_with_a_copied_password_is_warned_of(secret: str, warning: str) -> None:
    assert warnings_of(_DECLARATION, secret) == (
        (
            f"registries[0].password-env (line 3): the password {warning}; "
            "it is sent as it is: if that is not meant, remove it from the secret"
        ),
    )


@table(
    "secret",
    {"plain": "hunter22", "blank inside": "hunter 22", "one quote": "'hunter22", "a key": '{"a": "b"}', "quote": "'"},
)
def test_an_ordinary_password_is_not_warned_of(secret: str) -> None:
    short = ("registries[0] (line 1): a password of fewer than 6 characters can be hidden in its base64 form only",)
    assert warnings_of(_DECLARATION, secret) == (short if len(secret) < 6 else ())
