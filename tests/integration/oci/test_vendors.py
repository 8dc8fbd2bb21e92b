"""Registries of vendors, played as they are known to behave: the verdict, and what each is told to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from registry_config.oci.entry import Entry, Probe
from registry_config.oci.verify import verify
from support.played_registry import PASSWORD, USER, Manner, PlayedRegistry, net

if TYPE_CHECKING:
    from pathlib import Path

    from registry_config.oci.entry import Row

_ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
_HUB = Manner("https://auth.docker.io/token", anonymous=True)
_GHCR = Manner(
    "https://ghcr.io/token", refusal=403, anonymous=True, cancels=405, message="permission_denied: write_package"
)
_QUAY = Manner("https://quay.io/v2/auth", makes=True)
_HARBOR = Manner("https://harbor.example.com/service/token")
_GITLAB = Manner("https://gitlab.com/jwt/auth", refusal=403, scope_refusal=403)
_GOOGLE = Manner("https://europe-docker.pkg.dev/v2/token")
_AZURE = Manner("https://acme.azurecr.io/oauth2/token", scope_refusal=400)
_PULL_ONLY = ("pull",)
_PUSH = Probe("team/app", "push")
_NEW = Probe("team/new", "push")


class Case(NamedTuple):
    """A registry, what is asked of it, the verdicts, and words of the last reason."""

    host: str
    manner: Manner
    verdicts: tuple[str, ...]
    words: str = ""
    probes: tuple[Probe, ...] = (_PUSH,)
    password: str = PASSWORD
    job_token: bool = False


_CASES = {
    "hub": Case("docker.io", _HUB, ("verified", "verified")),
    "hub, wrong": Case("docker.io", _HUB, ("rejected",), "access token", password="wrong-password-1"),
    "hub, read only": Case("docker.io", _HUB._replace(may=_PULL_ONLY), ("verified", "denied"), "Read & Write"),
    "ghcr": Case("ghcr.io", _GHCR, ("verified", "verified")),
    "ghcr, wrong": Case("ghcr.io", _GHCR, ("rejected",), "classic personal access token", password="wrong-password-1"),
    "ghcr, job": Case(
        "ghcr.io",
        _GHCR._replace(may=_PULL_ONLY),
        ("verified", "denied"),
        "`permissions: packages: write`",
        job_token=True,
    ),
    "ghcr, user": Case("ghcr.io", _GHCR._replace(may=_PULL_ONLY), ("verified", "denied"), "write:packages"),
    "ecr": Case(_ECR, Manner(), ("verified", "verified")),
    "ecr, wrong": Case(_ECR, Manner(), ("rejected",), "get-login-password", password="wrong-password-1"),
    "ecr, no repository": Case(
        _ECR,
        Manner(missing=(404, "NAME_UNKNOWN")),
        ("verified", "no-repository"),
        "aws ecr create-repository --repository-name team/new",
        (_NEW,),
    ),
    "ecr, no right": Case(_ECR, Manner(may=_PULL_ONLY), ("verified", "denied"), "ecr:InitiateLayerUpload"),
    "google": Case("europe-docker.pkg.dev", _GOOGLE, ("verified", "verified")),
    "google, no role": Case(
        "europe-docker.pkg.dev", _GOOGLE._replace(may=_PULL_ONLY), ("verified", "denied"), "artifactregistry.writer"
    ),
    "azure, no role": Case("acme.azurecr.io", _AZURE._replace(may=_PULL_ONLY), ("verified", "denied"), "AcrPush"),
    "azure, firewall": Case("acme.azurecr.io", _AZURE._replace(ping=403), ("denied", "denied"), "allow its address"),
    "quay": Case("quay.io", _QUAY, ("verified", "verified")),
    "quay, wrong": Case("quay.io", _QUAY, ("rejected",), "robot account", password="wrong-password-1"),
    "quay, new": Case("quay.io", _QUAY, ("verified", "not-provable"), "create the repository first", (_NEW,)),
    "gitlab": Case("registry.gitlab.com", _GITLAB, ("verified", "verified")),
    "gitlab, read only": Case(
        "registry.gitlab.com", _GITLAB._replace(may=_PULL_ONLY), ("verified", "denied"), "write_registry"
    ),
    "gitlab, wrong": Case("registry.gitlab.com", _GITLAB, ("rejected",), "deploy token", password="wrong-password-1"),
    "harbor": Case("harbor.example.com", _HARBOR, ("verified", "verified")),
    "harbor, wrong": Case(
        "harbor.example.com", _HARBOR, ("rejected",), "robot$project+name", password="wrong-password-1"
    ),
    "harbor, read only": Case(
        "harbor.example.com", _HARBOR._replace(may=_PULL_ONLY), ("verified", "denied"), "Push Repository"
    ),
    "pull, no repository": Case(
        _ECR, Manner(), ("verified", "no-repository"), "account and the region", (Probe("team/new", "pull"),)
    ),
    "pull, no such tag": Case("quay.io", _QUAY, ("verified", "verified"), "", (Probe("team/app", "pull", "2.0"),)),
    "not a registry": Case("harbor.example.com", _HARBOR._replace(ping=404), ("unknown", "unknown"), "check the host"),
}


def _asked(case: Case, folder: Path) -> tuple[list[Row], PlayedRegistry, list[str]]:
    registry = PlayedRegistry(case.manner)
    names = [{"docker.io": "registry-1.docker.io"}.get(case.host, case.host), "auth.docker.io", "gitlab.com"]
    told: list[str] = []
    with net(folder, dict.fromkeys(names, registry)) as played:
        entry = Entry(
            case.host, case.host, USER, case.password, case.probes, played.authorities, job_token=case.job_token
        )
        rows = verify([entry], played.environ, told.append)
        assert len(played.asked) <= 5 + 6 * len(case.probes)
        return rows, registry, [f"{asked.method} {asked.host}{asked.path}" for asked in played.asked]


@pytest.mark.parametrize("case", _CASES.values(), ids=_CASES)
def test_verdict_and_advice(case: Case, tmp_path: Path) -> None:
    rows, registry, _ = _asked(case, tmp_path)
    assert tuple(row.verdict for row in rows) == case.verdicts
    assert case.words in rows[-1].reason
    assert registry.open_uploads == 0


def test_quay_is_never_asked_for_a_token_to_push_to_what_is_not_there(tmp_path: Path) -> None:
    _, registry, asked = _asked(_CASES["quay, new"], tmp_path)
    assert registry.repositories == {"team/app"}
    assert not any("push" in line for line in asked)


def test_a_quay_of_another_name_is_known_by_its_token_server(tmp_path: Path) -> None:
    manner = Manner("https://quay.example.com/v2/auth", makes=True)
    rows, registry, _ = _asked(Case("quay.example.com", manner, (), "", (_NEW,)), tmp_path)
    assert [row.verdict for row in rows] == ["verified", "not-provable"]
    assert registry.repositories == {"team/app"}


def test_docker_hub_is_asked_without_a_control(tmp_path: Path) -> None:
    _, _, asked = _asked(_CASES["hub"]._replace(probes=()), tmp_path)
    assert asked == [
        "GET registry-1.docker.io/v2/",
        "GET auth.docker.io/token?service=registry",
        "GET registry-1.docker.io/v2/",
    ]
