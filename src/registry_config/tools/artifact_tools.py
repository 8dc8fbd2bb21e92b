"""Rows of the tools for charts, signatures, policies and other artifacts."""

from __future__ import annotations

from registry_config.light_typing import Final
from registry_config.tools.shared import (
    DIGEST_LINE,
    DOCKER,
    HOME_FILE,
    HOME_ONLY,
    LIBRARY,
    NO_REGISTRY,
    REFERENCE_LINE,
    SHA,
)
from registry_config.tools.tool import DigestForm, Grammar, PlainHttp, Tool, ToolHint

_NO_WAY: Final = "it has no way to read ours"

ARTIFACT_TOOLS: Final[dict[str, Tool]] = {
    "conftest": Tool(
        DOCKER,
        digests=(DigestForm("stdout", rf"pushed bundle with digest: {SHA}"),),
        plain_http=PlainHttp("--tls=false"),
        grammar=Grammar(("push WRITE -*", "pull READ*", "test|verify|fmt|parse -*"), "absolute-paths h help s tls"),
    ),
    "cosign": Tool(
        LIBRARY,
        remark="COSIGN_PASSWORD goes into --secret-env",
        digests=(
            DigestForm("json", "* critical image docker-manifest-digest", "verify|verify-attestation"),
            DigestForm("stdout", REFERENCE_LINE, "upload"),
        ),
        plain_http=PlainHttp("--allow-http-registry"),
        grammar=Grammar(
            (
                "sign|attest ATTACH*",
                "attach signature|sbom|attestation ATTACH",
                "copy READ WRITE",
                "verify|verify-attestation|tree|triangulate READ*",
                "save READ",
                "load WRITE",
                "upload blob|wasm WRITE",
                "download signature|sbom|attestation READ",
                "clean ATTACH",
                "sign-blob|verify-blob|attest-blob|generate-key-pair|public-key|initialize|env -*",
                NO_REGISTRY,
            ),
            "allow-certificate-chain allow-http-registry allow-insecure-registry check-claims ct d f fast force h help "
            "insecure-ignore-sct insecure-ignore-tlog k8s-keychain local-image no-upload "
            "oidc-disable-ambient-providers offline only r record-creation-timestamp recursive sig-only sk tlog-upload "
            "upload use-signed-timestamps use-signing-config issue-certificate new-bundle-format "
            "private-infrastructure bundle-format verbose y yes",
        ),
    ),
    "cue": Tool(
        DOCKER,
        remark="a login of its own for the central registry comes first",
        plain_http=PlainHttp("+insecure behind {host} in CUE_REGISTRY"),
    ),
    "devcontainer": Tool(
        DOCKER,
        digests=(DigestForm("json", "* digest", "features publish|templates publish"),),
        ca_variables=("NODE_EXTRA_CA_CERTS",),
    ),
    "falcoctl": Tool("its own config.json", on_host=_NO_WAY, in_image=_NO_WAY),
    "flux": Tool(
        DOCKER,
        digests=(
            DigestForm("stderr", rf"(?:pushed to|pulled from|Digest:?) (?:[^\s@]+@)?{SHA}"),
            DigestForm("json", "digest", "push artifact"),
        ),
        plain_http=PlainHttp("--insecure-registry"),
        grammar=Grammar(
            (
                "push artifact WRITE",
                "pull artifact READ",
                "diff artifact READ",
                "list artifacts READ/",
                "tag artifact READ --tag=TAG",
                "build|check|create|get|install -*",
            ),
            "debug h help insecure-registry reproducible resolve-symlinks verbose",
            scheme="oci://",
        ),
    ),
    "helm": Tool(
        f"HELM_REGISTRY_CONFIG, then {DOCKER}",
        remark="before 3.8.0 the first one only",
        other_names=("helm3", "helm4"),
        digests=(DigestForm("stderr", DIGEST_LINE), DigestForm("stdout", DIGEST_LINE)),
        plain_http=PlainHttp("--plain-http"),
        grammar=Grammar(
            (
                "push CHART INTO",
                # Charts of a dependency stand in Chart.yaml.
                "dependency|dep -*",
                "repo|registry|plugin|list|status|history|get|lint|test|uninstall|rollback|search|package|env -*",
                NO_REGISTRY,
                "pull|fetch|show|inspect|template|install|upgrade READ* --version=VERSION",
            ),
            "a atomic cleanup-on-fail create-namespace debug dependency-update devel disable-openapi-validation "
            "dry-run enable-dns force force-conflicts force-replace g generate-name h help hide-notes hide-secret i "
            "include-crds insecure-skip-tls-verify install is-upgrade kube-insecure-skip-tls-verify no-hooks "
            "pass-credentials plain-http prov release-name render-subchart-notes replace reset-then-reuse-values "
            "reset-values reuse-values rollback-on-failure server-side skip-crds skip-refresh skip-schema-validation "
            "skip-tests take-ownership untar validate verify wait wait-for-jobs",
            scheme="oci://",
            default_tag="",
        ),
        hints=(
            ToolHint(
                # The second is what it says of a host with a port.
                r"scheme prefix missing from remote|invalid chart URL format",
                "helm push takes one chart and then where it goes: with several charts set 'files: dist/*.tgz' and "
                "write 'helm push {file} oci://HOST/PATH', or write a line for each; and see that oci:// is there",
                "helm push takes one chart and then where it goes: with several charts give --file 'dist/*.tgz' and "
                "write helm push {file} oci://HOST/PATH; and see that oci:// is there",
            ),
        ),
    ),
    "notation": Tool(
        DOCKER,
        remark="a config of its own that holds logins comes first",
        plain_http=PlainHttp("--insecure-registry"),
        grammar=Grammar(
            ("sign ATTACH", "verify READ", "inspect READ", "list|ls READ", "cert|key|policy|plugin -*", NO_REGISTRY),
            "allow-referrers-api d debug h help insecure-registry oci-layout v verbose",
            default_tag="",
        ),
    ),
    "oras": Tool(
        DOCKER,
        digests=(
            DigestForm("stdout", DIGEST_LINE),
            DigestForm("json", "digest", "push|attach|manifest push|copy|cp"),
            DigestForm("json", "reference", "pull"),
        ),
        plain_http=PlainHttp("--plain-http", "--from-plain-http", "--to-plain-http", copies="copy cp"),
        grammar=Grammar(
            (
                "push|pull|attach|tag|discover -* --oci-layout!",
                "manifest|blob - -* --oci-layout!",
                "copy|cp - WRITE --from-oci-layout!",
                "copy|cp READ - --to-oci-layout!",
                "push WRITE -*",
                "pull READ",
                "attach ATTACH -*",
                "copy|cp READ WRITE",
                "tag READ TAG*",
                "manifest push WRITE -",
                "manifest index create WRITE -*",
                "manifest index update UPDATE",
                "manifest fetch|fetch-config READ",
                "manifest delete ATTACH",
                "blob push WRITE/ -*",
                "blob fetch READ",
                "blob delete ATTACH",
                "discover|resolve READ",
                "repo|repository tags|show-tags READ/",
                NO_REGISTRY,
            ),
            "T allow-path-traversal d debug descriptor disable-path-validation exclude-digest-tags f force "
            "from-insecure from-oci-layout from-plain-http full-reference h help identity-token-stdin include-subject "
            "insecure k keep-old-files l no-tty oci-layout password-stdin plain-http pretty r recursive to-insecure "
            "to-oci-layout to-plain-http",
            default_tag="",
        ),
    ),
    "tofu": Tool(HOME_FILE, on_host=HOME_ONLY),
    "zli": Tool("--user", on_host=_NO_WAY, in_image=_NO_WAY),
}
