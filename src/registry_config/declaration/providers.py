"""The keys of `provider:` in an entry: which provider takes which, and what can be told wrong without asking anybody.

Which hosts are a provider's own is not known here; the exchange refuses any other.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from registry_config.declaration.durations import seconds_of
from registry_config.errors import InputError, did_you_mean
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


class Provider(NamedTuple):
    """What an entry with this provider holds besides `registry` and the keys that every entry may have.

    Attributes:
        required: keys that have to be there.
        optional: keys that may be there.
        audiences: patterns of the audiences that are this provider's alone, in lower case.
        durations: keys that are durations, with the least and the most seconds that the provider gives.
        in_file: whether it may stand in a registries-file, for a host that matches.
    """

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    durations: tuple[tuple[str, int, int], ...] = ()
    in_file: str = r".*"


class ProviderSettings(NamedTuple):
    """A provider and its settings, as written.

    Attributes:
        name: of the provider.
        settings: key and value; `username` is not among them.
    """

    name: str
    settings: tuple[tuple[str, str], ...] = ()

    def get(self, key: str, default: str = "") -> str:
        """The value of a key."""
        return dict(self.settings).get(key, default)


_TOKEN: Final = "id-token-env"  # noqa: S105  (the name of a key)
_HOUR: Final = 3600
PROVIDERS: Final[Mapping[str, Provider]] = {
    # STS takes 15 minutes to 12 hours, the role's own maximum may be less.
    "aws": Provider(
        required=("role-to-assume",),
        optional=("region", "audience", "role-session-name", "role-duration-seconds", "sts-endpoint", _TOKEN),
        audiences=("sts.amazonaws.com*",),
        durations=(("role-duration-seconds", 900, 12 * _HOUR),),
    ),
    # One hour, and twelve where the organisation's policy lists the account.
    "google": Provider(
        required=("workload-identity-provider",),
        optional=("service-account", "audience", "token-lifetime", _TOKEN),
        audiences=("*iam.googleapis.com/*",),
        durations=(("token-lifetime", 1, 12 * _HOUR),),
    ),
    "azure": Provider(
        required=("client-id", "tenant-id"),
        optional=("audience", "authority-host", _TOKEN),
        audiences=("api://azureadtokenexchange*",),
        in_file=r".+\.azurecr\.(?:io|cn|us)",
    ),
    "docker-hub": Provider(
        required=("username", "connection-id"),
        optional=("token-lifetime", _TOKEN),
        audiences=("https://identity.docker.com",),
        durations=(("token-lifetime", 300, 6 * _HOUR),),
    ),
    "quay": Provider(required=("username",), optional=("audience", "url", _TOKEN), in_file=""),
    "jfrog": Provider(
        required=("oidc-provider-name",),
        optional=("audience", "url", "identity-mapping-name", "project-key", _TOKEN),
        in_file="",
    ),
    "cloudsmith": Provider(required=("namespace", "service-slug"), optional=("audience", _TOKEN)),
    "chainguard": Provider(required=("identity",), optional=("audience", _TOKEN), audiences=("cgr.dev",)),
    "github": Provider(),
}
# Fulcio's: whoever has such a token can sign as the job.
_NOBODYS_AUDIENCES: Final = ("sigstore",)
SETTINGS: Final = tuple(
    dict.fromkeys(
        key for provider in PROVIDERS.values() for key in (*provider.required, *provider.optional) if key != "username"
    )
)
_ENDPOINTS: Final = ("url", "sts-endpoint", "authority-host")
# What decides where an identity goes, or which one: not for a file that a commit may change.
REFUSED_IN_FILE: Final = ("audience", *_ENDPOINTS, _TOKEN)
_VARIABLE: Final = r"[A-Za-z_][A-Za-z0-9_]*"


def read_provider(
    name: str, given: Mapping[str, str], *, has_user: bool, place: Callable[[str], str]
) -> ProviderSettings:
    """Check a provider and its settings.

    Args:
        name: as written.
        given: the settings that are written, by their keys; without `username`.
        has_user: whether the entry has a `username`.
        place: the place of a key of the entry; of the entry itself for an empty one.

    Raises:
        InputError: an unknown provider, a key that is missing or is another provider's, or a value it would refuse.
    """
    provider = PROVIDERS.get(name)
    if provider is None:
        near = did_you_mean(name, PROVIDERS)
        remedy = f"did you mean '{near}'?" if near else f"known providers are {', '.join(PROVIDERS)}"
        raise InputError(place("provider"), "is not a known provider", remedy)
    keys = (*given, *(("username",) if has_user else ()))
    known = (*provider.required, *provider.optional)
    for key in keys:
        if key not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes no further key"
            raise InputError(place(key), f"is not a key of the provider '{name}'", takes)
    for key in provider.required:
        if key not in keys:
            raise InputError(place(""), f"'{key}' is missing", f"the provider '{name}' needs it")
    for key, value in given.items():
        _check_value(place(key), key, value)
    _check_audience(place("audience"), name, given.get("audience", ""))
    _check_durations(provider, given, place)
    if name == "google" and "token-lifetime" in given and "service-account" not in given:
        raise InputError(place("token-lifetime"), "needs 'service-account'", "add it, or leave this out")
    return ProviderSettings(name, tuple(given.items()))


def refused_key(settings: ProviderSettings, host: str) -> str:
    """The key of these settings that must not stand in a registries-file; empty where there is none."""
    if not re.fullmatch(PROVIDERS[settings.name].in_file, host):
        return "provider"
    return next((key for key, _ in settings.settings if key in REFUSED_IN_FILE), "")


def _check_value(place: str, key: str, value: str) -> None:
    if not value.strip():
        raise InputError(place, "is empty", "write its value, or leave the key out")
    if not value.isprintable():
        raise InputError(place, "must not contain a control character", "write it in one line")
    if key == _TOKEN and not re.fullmatch(_VARIABLE, value):
        raise InputError(place, "is not the name of a variable", "write the name, not the token itself")
    if key in _ENDPOINTS and not re.fullmatch(r"https://[^\s@/?#]+(?:/[^\s?#@]*)?", value):
        raise InputError(place, "is not an https address", "write one such as https://HOST")


def _check_audience(place: str, name: str, audience: str) -> None:
    others = {other: provider.audiences for other, provider in PROVIDERS.items() if other != name}
    patterns: Iterable[str] = (*_NOBODYS_AUDIENCES, *(pattern for ones in others.values() for pattern in ones))
    if any(fnmatchcase(audience.strip().lower(), pattern) for pattern in patterns):
        problem = f"is the audience of another service, where a token for '{name}' could be used"
        raise InputError(place, problem, "write the audience that this provider expects, or leave it out")


def _check_durations(provider: Provider, given: Mapping[str, str], place: Callable[[str], str]) -> None:
    for key, least, most in provider.durations:
        if key not in given:
            continue
        try:
            seconds = duration(given[key])
        except ValueError as error:
            raise InputError(place(key), str(error)) from None
        if not least <= seconds <= most:
            raise InputError(place(key), f"must be {least} to {most} seconds", "write a time within these limits")


def duration(text: str) -> int:
    """Seconds of a provider's duration, which may be written as a number of seconds too, as AWS' own action takes it.

    Raises:
        ValueError: as `seconds_of`.
    """
    return seconds_of(f"{text}s" if re.fullmatch("[0-9]+", text) else text)
