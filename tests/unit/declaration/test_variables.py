"""Which variable was meant."""

from __future__ import annotations

from registry_config.declaration.variables import nearest_variable
from support.tables import table

_KNOWN = ("HOME", "PWD", "PATH", "USER", "GITHUB_TOKEN", "GITHUB_ENV", "HARBOR_TOKEN", "SET", "LC_ALL", "NAME")


@table(
    "name, nearest",
    {
        "one letter": ("HARBOR_TOKN", "HARBOR_TOKEN"),
        "other case": ("Harbor_Token", None),
        "one letter in case": ("hARBOR_TOKEN", "HARBOR_TOKEN"),
        "the job's token": ("GITHUB_TOKEN_", "GITHUB_TOKEN"),
        "four letters": ("NAMES", "NAME"),
        "three letters": ("SETS", None),
        "the home folder": ("NOPE", None),
        "the working folder": ("PW", None),
        "the path": ("PATHS", None),
        "the runner's own": ("GITHUB_ENVS", None),
        "the locale": ("LC_ALLE", None),
        "none": ("QUITE_ANOTHER", None),
    },
)
def test_a_variable_is_offered_only_where_it_may_be_meant(name: str, nearest: str | None) -> None:
    assert nearest_variable(name, _KNOWN) == nearest
