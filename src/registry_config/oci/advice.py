"""What to do about a verdict, registry by registry. docs/verify.md shows the same sentences."""

from __future__ import annotations

import re

from registry_config.audience import called, either
from registry_config.credentials.providers import google
from registry_config.credentials.providers.aws_hosts import ecr_host
from registry_config.light_typing import Final
from registry_config.oci.entry import DENIED, LOGIN, NO_REPOSITORY, NOT_PROVABLE, PULL, PUSH, REJECTED, UNKNOWN

GHCR: Final = "ghcr.io"
JOB: Final = "ghcr.io with the job's token"
DOCKER_HUB: Final = "Docker Hub"
ECR: Final = "Amazon ECR"
ECR_PUBLIC: Final = "Amazon ECR Public"
GOOGLE: Final = "Google Artifact Registry"
AZURE: Final = "Azure Container Registry"
QUAY: Final = "Quay"
GITLAB: Final = "GitLab"
HARBOR: Final = "Harbor"
OTHER: Final = "any other registry"

# Forms of the hosts, from the vendors' documentation; those of AWS and Google stand where their tokens are exchanged.
_HOSTS: Final = (
    (GHCR, r"ghcr\.io"),
    (DOCKER_HUB, r"docker\.io"),
    (AZURE, r"[a-z0-9-]+\.azurecr\.(?:io|cn|us)"),
    (QUAY, r"quay\.io"),
    (GITLAB, r"registry\.gitlab\.com|registry\.gitlab\..+"),
)
# Paths of the token servers, for registries that people run under names of their own.
_REALMS: Final = {"/v2/auth": QUAY, "/service/token": HARBOR, "/jwt/auth": GITLAB}

_PERSONAL: Final = "a classic personal access token"
_ADVICE: Final[dict[tuple[str, str, str], str]] = {
    (JOB, REJECTED, LOGIN): "give the job `permissions: packages: write` and pass {token} of this very job",
    (JOB, DENIED, PULL): "give the job `permissions: packages: read`; where another repository made the package, add "
    "this one to it under Package settings, Manage Actions access",
    (JOB, DENIED, PUSH): "give the job `permissions: packages: write`; where another repository made the package, add "
    "this one to it with the role Write under Package settings, Manage Actions access; in a pull request from a fork "
    "the token can never push",
    (GHCR, REJECTED, LOGIN): f"use {_PERSONAL} that has not expired (fine-grained ones do not work here), or leave "
    "username and password out to use the job's own token",
    (GHCR, DENIED, PULL): f"{_PERSONAL} needs the scope read:packages, single sign-on of the organisation, and a user "
    "who can read the package",
    (GHCR, DENIED, PUSH): f"{_PERSONAL} needs the scope write:packages, single sign-on of the organisation, and a user "
    "who has the role Write in the package",
    (DOCKER_HUB, REJECTED, LOGIN): "use an access token that has not been deleted or expired, and the Docker ID (not "
    "the e-mail address) or the organisation that it belongs to",
    (DOCKER_HUB, DENIED, PULL): "the access token needs permission to read, and its user or organisation access to the "
    "repository; with an OIDC connection its rules must list the repository",
    (DOCKER_HUB, DENIED, PUSH): "the access token needs the permission Read & Write, and its user or organisation the "
    "right to write to the repository; with an OIDC connection its rules must list the repository",
    (ECR, REJECTED, LOGIN): "use the user AWS and a password of `aws ecr get-login-password` that is not older than 12 "
    "hours and of the registry's own region",
    (ECR, DENIED, LOGIN): "a password of `aws ecr get-login-password` is good for 12 hours and for its own region: ask "
    "for a new one",
    (ECR, DENIED, PULL): "allow ecr:BatchGetImage, ecr:GetDownloadUrlForLayer and ecr:BatchCheckLayerAvailability to "
    "the role, and in the repository's policy if it is of another account; a password is good for 12 hours",
    (
        ECR,
        DENIED,
        PUSH,
    ): "allow ecr:InitiateLayerUpload, ecr:UploadLayerPart, ecr:CompleteLayerUpload, ecr:PutImage and "
    "ecr:BatchCheckLayerAvailability to the role, and in the repository's policy if it is of another account; a "
    "password is good for 12 hours",
    (ECR, NO_REPOSITORY, PULL): "check the repository's name, the account and the region",
    (ECR, NO_REPOSITORY, PUSH): "create the repository first: aws ecr create-repository --repository-name {repository}",
    (ECR_PUBLIC, REJECTED, LOGIN): "use the user AWS and a password of `aws ecr-public get-login-password --region "
    "us-east-1` that is not older than 12 hours",
    (ECR_PUBLIC, DENIED, PUSH): "allow ecr-public:InitiateLayerUpload, ecr-public:UploadLayerPart, "
    "ecr-public:CompleteLayerUpload, ecr-public:PutImage and ecr-public:BatchCheckLayerAvailability to the role, and "
    "create the repository first",
    (ECR_PUBLIC, NO_REPOSITORY, PUSH): "create the repository first: aws ecr-public create-repository --region "
    "us-east-1",
    (
        GOOGLE,
        REJECTED,
        LOGIN,
    ): "use the user oauth2accesstoken with an access token that has not expired (an hour; five "
    "minutes without a service account), or _json_key with the whole key file",
    (GOOGLE, DENIED, PULL): "give the service account the role roles/artifactregistry.reader on the repository",
    (GOOGLE, DENIED, PUSH): "give the service account the role roles/artifactregistry.writer on the repository, and "
    "create the repository first if it is not there",
    (GOOGLE, NO_REPOSITORY, PULL): "check project, repository and location in the name",
    (GOOGLE, NO_REPOSITORY, PUSH): "create the repository first: gcloud artifacts repositories create "
    "--repository-format=docker",
    (AZURE, REJECTED, LOGIN): "use a token that is not older than 3 hours, or a service principal whose secret has not "
    "expired; the admin user must be enabled to be used",
    (AZURE, DENIED, LOGIN): "the registry's firewall refuses this machine: allow its address, or run in the "
    "allowed network",
    (AZURE, DENIED, PULL): "assign the role AcrPull, or Container Registry Repository Reader where the registry uses "
    "repository permissions (ABAC)",
    (AZURE, DENIED, PUSH): "assign the role AcrPush, or Container Registry Repository Writer where the registry uses "
    "repository permissions (ABAC)",
    (QUAY, REJECTED, LOGIN): "use a robot account by its whole name (organisation+robot) and its current token",
    (QUAY, DENIED, PULL): "give the robot account the permission Read on the repository",
    (QUAY, DENIED, PUSH): "give the robot account the permission Write on the repository",
    (QUAY, NOT_PROVABLE, PUSH): "create the repository first and give the robot account the permission Write on it; a "
    "robot that may create repositories can push all the same",
    (GITLAB, REJECTED, LOGIN): "use a deploy token or an access token that has not expired, with the user name that "
    "belongs to it; GitLab bans an address after some wrong logins",
    (GITLAB, DENIED, PULL): "the token needs the scope read_registry, and its user or project access to the repository",
    (GITLAB, DENIED, PUSH): "the token needs the scopes read_registry and write_registry (an access token of a user "
    "also the role Developer), and the path must begin with that of an existing project",
    (HARBOR, REJECTED, LOGIN): "use the robot account's whole name (with its prefix, such as robot$project+name) and a "
    "secret that has not expired",
    (HARBOR, DENIED, PULL): "the project must exist and the robot account needs the permission Pull Repository in it",
    (HARBOR, DENIED, PUSH): "the project must exist and the robot account needs the permissions Push Repository and "
    "Pull Repository in it",
    (HARBOR, NO_REPOSITORY, PUSH): "create the project first",
    (OTHER, REJECTED, LOGIN): "check the user name, and that the password or token is complete, of this registry, and "
    "has not expired or been revoked",
    (OTHER, DENIED, LOGIN): "a firewall or an allow-list may refuse this machine: ask the people who run the registry",
    (OTHER, DENIED, PULL): "give this user the right to pull from the repository, and check the repository's name",
    (OTHER, DENIED, PUSH): "give this user the right to push to the repository, and check the repository's name",
    (OTHER, NO_REPOSITORY, PULL): "check the repository's name",
    (OTHER, NO_REPOSITORY, PUSH): "create the repository first",
    (OTHER, NOT_PROVABLE, LOGIN): "`{verify}` or `push` asks about the repositories that the command uses",
    (OTHER, NOT_PROVABLE, PULL): "only the pull itself can show it",
    (OTHER, NOT_PROVABLE, PUSH): "only the push itself can show it",
    (OTHER, UNKNOWN, LOGIN): "run again later; the run goes on",
    (OTHER, UNKNOWN, PULL): "run again later; the run goes on",
    (OTHER, UNKNOWN, PUSH): "run again later; the run goes on",
}


def kind_of(host: str, realm_path: str = "") -> str:
    """The registry that stands behind a canonical host.

    Args:
        host: with its port or without.
        realm_path: path of its token server's address, if there is one.
    """
    if ecr := ecr_host(host):
        return ECR_PUBLIC if ecr.is_public else ECR
    if google.is_own_host(host):
        return GOOGLE
    known = (kind for kind, pattern in _HOSTS if re.fullmatch(pattern, host))
    return next(known, None) or _REALMS.get(realm_path, OTHER)


def advice(kind: str, verdict: str, action: str, repository: str = "", *, job_token: bool = False) -> str:
    """What to do about a verdict that is not `verified`.

    Args:
        kind: what `kind_of` found.
        verdict: as in `Row`.
        action: `login`, `pull` or `push`.
        repository: named in the sentence where that helps.
        job_token: the credential is the token of a GitHub job.
    """
    kinds = (JOB,) if kind == GHCR and job_token else ()
    known = (_ADVICE.get((one, verdict, action)) for one in (*kinds, kind, OTHER))
    return _filled(next((text for text in known if text), "")).replace("{repository}", repository)


def table() -> list[tuple[str, str, str, str]]:
    """Every sentence: registry, verdict, action, what to do."""
    return [(*row, _filled(text)) for row, text in _ADVICE.items()]


def _filled(text: str) -> str:
    token = either("`github-token`", "the token")
    return text.replace("{verify}", called("verify", "pull")).replace("{token}", token)
