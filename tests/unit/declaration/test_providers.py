"""The keys of providers, by the table of which provider takes which."""

from __future__ import annotations

import pytest

from registry_config.declaration.providers import PROVIDERS, SETTINGS, ProviderSettings, duration
from registry_config.declaration.registries import parse_registries
from registry_config.errors import InputError
from support.tables import exactly, table

# Provider: what it needs, what it may have besides, a value for each that is right.
_REQUIRED = {
    "aws": "role-to-assume: r",
    "google": "workload-identity-provider: p",
    "azure": "client-id: c, tenant-id: t",
    "docker-hub": "username: org, connection-id: c",
    "quay": "username: robot",
    "jfrog": "oidc-provider-name: n",
    "cloudsmith": "namespace: n, service-slug: s",
    "chainguard": "identity: i",
}
_OPTIONAL = {
    "aws": (
        "region: eu-west-1, audience: sts.amazonaws.com.cn, role-session-name: s, role-duration-seconds: 3600, "
        "sts-endpoint: 'https://sts.example', id-token-env: T"
    ),
    "google": "service-account: s, audience: 'https://iam.googleapis.com/p', token-lifetime: 12h, id-token-env: T",
    "azure": "audience: 'api://AzureADTokenExchangeUSGov', authority-host: 'https://login.example', id-token-env: T",
    "docker-hub": "token-lifetime: 5m, id-token-env: T",
    "quay": "audience: a, url: 'https://quay.example', id-token-env: T",
    "jfrog": "audience: a, url: 'https://x.jfrog.io', identity-mapping-name: m, project-key: k, id-token-env: T",
    "cloudsmith": "audience: a, id-token-env: T",
    "chainguard": "audience: cgr.dev, id-token-env: T",
}


def _entry(provider: str, keys: str, host: str = "a.example") -> str:
    return f"- {{registry: {host}, provider: {provider}, {keys}}}\n"


@pytest.mark.parametrize("provider", list(_REQUIRED))
def test_a_provider_takes_what_its_row_says(provider: str) -> None:
    (declaration,) = parse_registries(_entry(provider, f"{_REQUIRED[provider]}, {_OPTIONAL[provider]}"))
    assert declaration.source.kind == "provider"
    assert declaration.provider is not None
    assert declaration.provider.name == provider
    row = PROVIDERS[provider]
    assert {key for key, _ in declaration.provider.settings} == {*row.required, *row.optional} - {"username"}
    assert declaration.provider.get("id-token-env") == "T"
    assert declaration.username == ({"docker-hub": "org", "quay": "robot"}.get(provider))


def test_the_table_is_that_of_the_contract() -> None:
    assert set(PROVIDERS) == {*_REQUIRED, "github"}
    assert len(SETTINGS) == 21


@table(
    "provider, keys, message",
    {
        "its beginning": ("aws", "role: r", "unknown key 'role'; did you mean 'role-to-assume'?"),
        "also another's": (
            "cloudsmith",
            "namespace: n, service: s",
            "unknown key 'service'; did you mean 'service-slug'?",
        ),
        "nothing like it": (
            "chainguard",
            "uidp: u",
            (
                "unknown key; known keys are registry, username, password, password-env, password-file, provider, "
                "credential-helper, for, optional, realm, ca-file, plain-http, identity, audience, id-token-env"
            ),
        ),
    },
)
def test_an_unknown_key_is_compared_with_those_of_the_entry_s_provider(provider: str, keys: str, message: str) -> None:
    with pytest.raises(InputError, match=exactly(f"registries[0] (line 1): {message}")):
        parse_registries(_entry(provider, keys))


@pytest.mark.parametrize("provider", list(_REQUIRED))
def test_a_provider_says_which_key_is_missing(provider: str) -> None:
    first = _REQUIRED[provider].partition(":")[0]
    rest = _REQUIRED[provider].partition(", ")[2] or "optional: false"
    message = f"registries[0] (line 1): '{first}' is missing; the provider '{provider}' needs it"
    with pytest.raises(InputError, match=exactly(message)):
        parse_registries(_entry(provider, rest))


@table(
    "provider, keys, message",
    {
        "unknown provider": (
            "gcloud",
            "optional: true",
            (
                "provider (line 1): is not a known provider; "
                "known providers are aws, google, azure, docker-hub, quay, jfrog, cloudsmith, chainguard, github"
            ),
        ),
        "nearly known": ("asw", "optional: true", "provider (line 1): is not a known provider; did you mean 'aws'?"),
        "another's key": (
            "chainguard",
            "identity: i, region: r",
            "region (line 1): is not a key of the provider 'chainguard'; it takes identity, audience, id-token-env",
        ),
        "a user that it does not have": (
            "chainguard",
            "identity: i, username: u",
            "username (line 1): is not a key of the provider 'chainguard'; it takes identity, audience, id-token-env",
        ),
        "a token for github": (
            "github",
            "id-token-env: T",
            "id-token-env (line 1): is not a key of the provider 'github'; it takes no further key",
        ),
        "an empty value": (
            "aws",
            "role-to-assume: ''",
            "role-to-assume (line 1): is empty; write its value, or leave the key out",
        ),
        "plain HTTP": (
            "aws",
            "role-to-assume: r, plain-http: true",
            "plain-http (line 1): cannot be combined with 'provider'; a token goes over https only: remove it",
        ),
        "an address without https": (
            "jfrog",
            "oidc-provider-name: n, url: 'http://x.example'",
            "url (line 1): is not an https address; write one such as https://HOST",
        ),
        "an address with a user": (
            "quay",
            "username: u, url: 'https://u:p@x.example'",
            "url (line 1): is not an https address; write one such as https://HOST",
        ),
        "a token itself": (
            "aws",
            "role-to-assume: r, id-token-env: a.b.c",
            "id-token-env (line 1): is not the name of a variable; write the name, not the token itself",
        ),
        "a duration that is none": (
            "docker-hub",
            "username: u, connection-id: c, token-lifetime: soon",
            "token-lifetime (line 1): must be a whole number with s, m or h, such as 90s, 10m or 1h",
        ),
        "too short": (
            "docker-hub",
            "username: u, connection-id: c, token-lifetime: 4m",
            "token-lifetime (line 1): must be 300 to 21600 seconds; write a time within these limits",
        ),
        "too long": (
            "aws",
            "role-to-assume: r, role-duration-seconds: 43201",
            "role-duration-seconds (line 1): must be 900 to 43200 seconds; write a time within these limits",
        ),
        "a lifetime without an account": (
            "google",
            "workload-identity-provider: p, token-lifetime: 1h",
            "token-lifetime (line 1): needs 'service-account'; add it, or leave this out",
        ),
    },
)
def test_a_provider_with_wrong_keys_is_refused(provider: str, keys: str, message: str) -> None:
    with pytest.raises(InputError, match=exactly(f"registries[0].{message}")):
        parse_registries(_entry(provider, keys))


def test_a_provider_beside_a_password_is_refused() -> None:
    with pytest.raises(InputError, match="'password-env' and 'provider'; give exactly one of"):
        parse_registries(_entry("aws", "role-to-assume: r, password-env: X"))


@pytest.mark.parametrize(
    "audience",
    [
        "sts.amazonaws.com",
        "STS.amazonaws.com.cn",
        "api://AzureADTokenExchange",
        "//iam.googleapis.com/projects/1",
        "https://iam.googleapis.com/projects/1",
        "https://identity.docker.com",
        "cgr.dev",
        "sigstore",
    ],
)
def test_the_audience_of_another_service_is_refused(audience: str) -> None:
    message = (
        "registries[0].audience (line 1): is the audience of another service, where a token for 'cloudsmith' could "
        "be used; write the audience that this provider expects, or leave it out"
    )
    with pytest.raises(InputError, match=exactly(message)):
        parse_registries(_entry("cloudsmith", f"namespace: n, service-slug: s, audience: '{audience}'"))


def test_github_is_the_jobs_token_for_its_own_registry_alone() -> None:
    (declaration,) = parse_registries("- {registry: ghcr.io, provider: github}\n")
    assert (declaration.source.kind, declaration.provider) == ("github-token", None)
    with pytest.raises(InputError, match=r"'github' is for ghcr\.io only; the job's"):
        parse_registries("- {registry: a.example, provider: github}\n")


@table("text, seconds", {"seconds": ("90s", 90), "minutes": ("10m", 600), "hours": ("1h", 3600), "plain": ("900", 900)})
def test_a_duration_is_read(text: str, seconds: int) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0s", "0", "-1s", "1.5h", "1d", "1 h", "\u0661s", "h", "9999999999s"])
def test_a_duration_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be a whole number with s, m or h"):
        duration(text)


def test_settings_answer_by_key() -> None:
    settings = ProviderSettings("aws", (("region", "r"),))
    assert (settings.get("region"), settings.get("audience"), settings.get("audience", "x")) == ("r", "", "x")
