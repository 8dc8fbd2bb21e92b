"""Which sentence goes with a verdict, and that docs/verify.md has the same ones."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_config.credentials.web_token import expiry
from registry_config.http.messages import Answer
from registry_config.oci import advice as advice_module
from registry_config.oci.advice import advice, kind_of, table
from registry_config.oci.client import described
from registry_config.oci.entry import Row
from registry_config.oci.verdicts import HEADS, records, refusing, sentence, warning

_PAGE = Path(__file__).parents[3] / "docs/verify.md"
_ACCOUNT = "123456789012"


@pytest.mark.parametrize(
    ("host", "realm", "kind"),
    [
        ("ghcr.io", "", "ghcr.io"),
        ("docker.io", "/token", "Docker Hub"),
        (f"{_ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com", "", "Amazon ECR"),
        (f"{_ACCOUNT}.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "", "Amazon ECR"),
        (f"{_ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn", "", "Amazon ECR"),
        (f"{_ACCOUNT}.dkr-ecr.eu-west-1.on.aws", "", "Amazon ECR"),
        (f"{_ACCOUNT}.dkr.ecr.eusc-de-east-1.amazonaws.eu", "", "Amazon ECR"),
        (f"{_ACCOUNT}.dkr.ecr.us-iso-east-1.c2s.ic.gov", "", "Amazon ECR"),
        (f"x{_ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com.example.com", "", "any other registry"),
        ("public.ecr.aws", "", "Amazon ECR Public"),
        ("europe-west1-docker.pkg.dev", "", "Google Artifact Registry"),
        ("eu.gcr.io", "", "Google Artifact Registry"),
        ("marketplace-2.gcr.io", "", "Google Artifact Registry"),
        ("acme.azurecr.io", "", "Azure Container Registry"),
        ("quay.io", "", "Quay"),
        ("quay.example.com", "/v2/auth", "Quay"),
        ("registry.gitlab.com", "", "GitLab"),
        ("registry.example.com", "/jwt/auth", "GitLab"),
        ("harbor.example.com", "/service/token", "Harbor"),
        ("ghcr.io.example.com", "/token", "any other registry"),
        ("localhost:5000", "", "any other registry"),
    ],
)
def test_which_registry_it_is(host: str, realm: str, kind: str) -> None:
    assert kind_of(host, realm) == kind


_KINDS = {kind for kind, *_ in table()}


@pytest.mark.parametrize("kind", sorted(_KINDS))
@pytest.mark.parametrize(
    ("verdict", "action"),
    [
        *(("rejected", "login"), ("denied", "login"), ("denied", "pull"), ("denied", "push")),
        *(("no-repository", "pull"), ("no-repository", "push")),
        *((verdict, action) for verdict in ("not-provable", "unknown") for action in ("login", "pull", "push")),
    ],
)
def test_every_verdict_says_what_to_do(kind: str, verdict: str, action: str) -> None:
    text = advice(kind, verdict, action, "team/app")
    assert text
    assert "{" not in text


def test_the_registries_that_people_use_have_sentences_of_their_own() -> None:
    named = {kind for kind, verdict, action, _ in table() if (verdict, action) == ("denied", "push")}
    kinds = {value for name, value in vars(advice_module).items() if name.isupper() and isinstance(value, str)}
    assert named == kinds & _KINDS
    assert {"ghcr.io", "Docker Hub", "Amazon ECR", "Google Artifact Registry", "Quay", "GitLab", "Harbor"} <= named


def test_the_token_of_a_job_has_permissions_instead_of_scopes() -> None:
    assert "`permissions: packages: write`" in advice("ghcr.io", "denied", "push", job_token=True)
    assert "write:packages" in advice("ghcr.io", "denied", "push")
    assert advice("Quay", "denied", "push", job_token=True) == advice("Quay", "denied", "push")


def test_the_page_has_the_same_sentences() -> None:
    section = _PAGE.read_text().split("## What to do\n", 1)[1]
    rows = re.findall(r"^\| (.*) \| `(.*)` \| (.*) \| (.*) \|$", section, re.MULTILINE)
    assert rows == table()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "403"),
        (b"<html>", "403"),
        (b'{"errors":[{"code":"DENIED","message":"no"},{"code":"X"}]}', "403 (DENIED: no)"),
        (b'{"errors":[{"message":"no"}]}', "403 (no)"),
        (b'{"errors":[{"code":1}]}', "403"),
        (b'{"errors":["no"]}', "403"),
        (b'{"errors":{}, "message": "Bad credentials"}', "403 (Bad credentials)"),
        (b'{"details":"incorrect username or password"}', "403 (incorrect username or password)"),
        (b'{"error":"invalid_grant","error_description":"expired"}', "403 (expired)"),
        (b'{"error":{"a":1}}', "403"),
        (b'{"message":"\\u001b[2J a\\r\\n::error::b \\u202e"}', "403 ([2J a ::error::b)"),
        (b'{"message":"' + b"x" * 1000 + b'"}', f"403 ({'x' * 300}…)"),
    ],
)
def test_an_answer_in_words(body: bytes, text: str) -> None:
    assert described(Answer(403, (), body)) == text


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: json.dumps({"message": text}).encode()))
def test_words_of_a_registry_are_one_printable_line(body: bytes) -> None:
    assert described(Answer(403, (), body)).isprintable()


def _jwt(claims: object) -> str:
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{part}.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("secret", "moment"),
    [
        (_jwt({"exp": 1_700_000_000}), 1_700_000_000.0),
        (_jwt({"exp": 1_700_000_000, "sub": "ÿÿÿ???"}), 1_700_000_000.0),
        (_jwt({"exp": "1700000000"}), None),
        (_jwt({"exp": 10**30}), None),
        (_jwt({}), None),
        (_jwt([]), None),
        ("a.b.c", None),
        ("a.é.c", None),
        ("password", None),
    ],
)
def test_when_a_token_expires(secret: str, moment: float | None) -> None:
    assert expiry(secret) == moment


@given(st.text(max_size=80))
def test_no_secret_breaks_it(secret: str) -> None:
    assert expiry(secret) is None or expiry(f"a.{secret}.b") is None


def test_what_ends_the_run() -> None:
    verdicts = ("verified", "rejected", "denied", "no-repository", "not-provable", "unknown")
    rows = [
        Row("a", repository, action, verdict, "x")
        for repository, action in (("", "login"), ("r", "push"))
        for verdict in verdicts
    ]
    assert [(row.action, row.verdict) for row in refusing(rows)] == [
        ("login", "rejected"),
        ("login", "denied"),
        ("login", "no-repository"),
        ("push", "rejected"),
        ("push", "denied"),
        ("push", "no-repository"),
    ]
    assert [(row.action, row.verdict) for row in refusing(rows, actions_known=False)] == [
        ("login", "rejected"),
        ("login", "denied"),
        ("login", "no-repository"),
    ]
    assert len(warning(rows)) == 4
    assert len(warning(rows, actions_known=False)) == 7


def test_how_a_row_is_shown() -> None:
    rows = [
        Row("quay.io/org-a", "", "login", "verified"),
        Row("quay.io/org-a", "org-a/app", "push", "no-repository", "x; y"),
    ]
    assert [sentence(row) for row in rows] == [
        "quay.io/org-a: login verified",
        "quay.io/org-a/app: push no repository: x; y",
    ]
    assert records(rows)[1] == {
        "registry": "quay.io/org-a",
        "repository": "org-a/app",
        "action": "push",
        "verdict": "no-repository",
        "reason": "x; y",
    }
    assert len(HEADS) == len(rows[0])
