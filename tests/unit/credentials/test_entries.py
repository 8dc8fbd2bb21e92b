"""Entries without a password: what can be told wrong before anybody is asked."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import trustme

from registry_config.credentials.entries import MissingPermissionError, keyless_entry
from registry_config.credentials.keyless import HelperRequest, KeylessEntry
from registry_config.credentials.providers.shape import IdTokenSource
from registry_config.credentials.providers.table import PROVIDERS
from registry_config.credentials.reading import MissingSecretError
from registry_config.declaration.providers import PROVIDERS as DECLARED
from registry_config.declaration.registries import parse_registries
from registry_config.errors import EXIT_REFUSED, EXIT_USAGE, InputError
from support.keyless import ENTRIES

_SOURCE = IdTokenSource("https://token.example.com/?a=b", "request-token-16180339")
_PAGE = (Path(__file__).parents[3] / "docs/keyless.md").read_text()


def _entry(
    written: dict[str, str], environ: dict[str, str] | None = None, source: IdTokenSource = _SOURCE
) -> KeylessEntry:
    (declaration,) = parse_registries(json.dumps([written]))
    return keyless_entry(declaration, environ or {}, source)


def _written(name: str, **more: str) -> dict[str, str]:
    host, _, keys = ENTRIES[name]
    return {"registry": host, "provider": name.partition(",")[0], **keys, **more}


def test_the_tables_of_providers_agree() -> None:
    # `github` is the job's own token under another name.
    assert set(PROVIDERS) == set(DECLARED) - {"github"}


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_becomes_a_request_and_a_placeholder(name: str) -> None:
    entry = _entry(_written(name))

    assert not isinstance(entry.request, HelperRequest)
    assert entry.request.settings == ENTRIES[name][2]
    assert entry.request.id_token is None
    assert (entry.placeholder.host, entry.placeholder.secret) == (entry.request.host, "")


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("aws", "ghcr.io"),
        ("aws", "123456789012.dkr.ecr.eu-west-1.amazonaws.com.example.org"),
        ("google", "evil-docker.pkg.dev.example.org"),
        ("google", "example.org"),
        ("google", "europe-docker.pkg.dev:8443"),
        ("docker-hub", "quay.io"),
        ("cloudsmith", "cloudsmith.io.example.org"),
        ("cloudsmith", "evilcloudsmith.io"),
        ("chainguard", "example.org"),
    ],
)
def test_a_provider_is_for_its_own_registries(name: str, host: str) -> None:
    with pytest.raises(InputError) as refused:
        _entry(_written(name) | {"registry": host})

    assert refused.value.exit_code == EXIT_USAGE
    assert refused.value.place == "registries[0].provider (line 1)"
    assert refused.value.remedy == f"it is for {PROVIDERS[name].HOSTS}"


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("aws", "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"),
        ("aws", "123456789012.dkr-ecr.eu-west-1.on.aws"),
        ("google", "docker.europe-west1.rep.pkg.dev"),
        ("google", "gcr.io"),
        ("google", "eu.gcr.io"),
        ("docker-hub", "dhi.io"),
        ("docker-hub", "index.docker.io"),
        ("azure", "registry.example.com"),
        ("quay", "quay.example.com:8443"),
        ("jfrog", "docker.example.com"),
        ("cloudsmith", "acme.docker.cloudsmith.io"),
    ],
)
def test_other_registries_of_a_provider(name: str, host: str) -> None:
    assert _entry(_written(name) | {"registry": host}).request.host


@pytest.mark.parametrize("source", [IdTokenSource(), IdTokenSource("https://x"), IdTokenSource("", "token")])
def test_without_the_permission_nothing_can_be_asked(source: IdTokenSource) -> None:
    with pytest.raises(MissingPermissionError) as refused:
        _entry(_written("google"), source=source)

    assert refused.value.exit_code == EXIT_REFUSED
    assert all(word in refused.value.remedy for word in ("id-token: write", "fork", "reusable workflow"))


def test_an_id_token_of_ones_own_needs_no_permission() -> None:
    request = _entry(_written("google", **{"id-token-env": "CI"}), {"CI": "a.b.c\n"}, IdTokenSource()).request

    assert not isinstance(request, HelperRequest)
    assert request.id_token == "a.b.c"
    assert "id-token-env" not in request.settings


@pytest.mark.parametrize(
    ("environ", "error"),
    [({}, InputError), ({"CI": ""}, MissingSecretError), ({"CI": "a\nb"}, InputError), ({"CI": "é"}, InputError)],
)
def test_an_id_token_that_is_not_there(environ: dict[str, str], error: type[InputError]) -> None:
    with pytest.raises(InputError) as refused:
        _entry(_written("google", **{"id-token-env": "CI"}), environ)

    assert type(refused.value) is error
    assert refused.value.exit_code == EXIT_USAGE
    assert refused.value.place == "registries[0].id-token-env (line 1)"


@pytest.mark.parametrize(("text", "seconds"), [("15m", "900"), ("2h", "7200"), ("900s", "900"), ("900", "900")])
def test_durations_are_seconds(text: str, seconds: str) -> None:
    request = _entry(_written("aws", **{"role-duration-seconds": text})).request

    assert not isinstance(request, HelperRequest)
    assert request.settings["role-duration-seconds"] == seconds


def test_a_helper() -> None:
    entry = _entry({"registry": "docker.io", "credential-helper": "ecr-login"}, source=IdTokenSource())

    assert entry.request == HelperRequest("registries[0] (line 1)", "docker.io", "ecr-login")


def test_the_authority_of_an_entry(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    request = _entry(_written("quay", **{"ca-file": str(file)})).request

    assert not isinstance(request, HelperRequest)
    assert request.authorities == file.read_text()


@pytest.mark.parametrize("content", [None, b"", b"no certificate", b"\xff\xfe"])
def test_an_authority_that_is_none(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(InputError) as refused:
        _entry(_written("quay", **{"ca-file": str(file)}))

    assert refused.value.place == "registries[0].ca-file (line 1)"


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_an_authority_that_does_not_end(kind: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    file = tmp_path / "pipe" if kind == "pipe" else "/dev/zero"

    with pytest.raises(InputError, match="holds no certificate in PEM form"):
        _entry(_written("quay", **{"ca-file": str(file)}))


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(- registry.*?)```", _PAGE, re.DOTALL))
def test_the_entries_of_the_documentation_are_taken(text: str) -> None:
    (declaration,) = parse_registries(text)

    assert keyless_entry(declaration, {}, _SOURCE).request.host == declaration.host


def test_every_provider_is_documented() -> None:
    assert set(re.findall(r"^  provider: (.+)$", _PAGE, re.MULTILINE)) == set(PROVIDERS)
