"""Rows of the tools for container images."""

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
from registry_config.tools.tool import DigestForm, Grammar, PlainHttp, Tool

_AUTH_FILE: Final = "REGISTRY_AUTH_FILE, then DOCKER_CONFIG"
_DAEMON: Final = "it needs a daemon, which an image does not have"
_PRIVILEGES: Final = "it needs privileges that an image is not given"
_DESCRIPTORS: Final = "a wrapper that closes descriptors hides the config"
# A time may stand before it.
_SIZE_LINE: Final = rf"^(?:\S{{1,30}} ){{0,2}}\S+: digest: {SHA} size: \d"
_DIGEST_FILE: Final = DigestForm("file", "digestfile")
_TRANSPORTS: Final = (
    *("containers-storage:", "dir:", "docker-archive:", "docker-daemon:", "oci:", "oci-archive:", "ostree:", "sif:"),
    "tarball:",
)
_DOCKER_FORMS: Final = (
    "push WRITE/ -a|--all-tags!",
    "image push WRITE/ -a|--all-tags!",
    "push WRITE",
    "image push WRITE",
    "pull READ",
    "image pull READ",
    NO_REGISTRY,
    "tag|images|info|inspect|context|ps|rmi -*",
)
_STORAGE_FORMS: Final = (
    "manifest push WRITE",
    "manifest push - WRITE",
    "push WRITE",
    "push - WRITE",
    "pull READ*",
    NO_REGISTRY,
    "tag|images|info|inspect|commit|config|rm|rmi|mount|umount -*",
    "manifest create|add|annotate|inspect|rm|exists -*",
)
_STORAGE_SWITCHES: Final = (
    "D a all all-platforms all-tags compress debug disable-compression disable-content-trust force-compression "
    "force-rm h help http-proxy identity-label layers logsplit no-cache no-hosts omit-history q quiet r remote "
    "remove-signatures rm skip-unused-stages squash squash-all stdin syslog tls-verify v version"
)
_STORAGE: Final = Grammar(_STORAGE_FORMS, _STORAGE_SWITCHES, local=_TRANSPORTS)
_DOCKER_DIGESTS: Final = (
    DigestForm("stdout", _SIZE_LINE),
    DigestForm("stdout", DIGEST_LINE),
    DigestForm("stdout", rf"^{SHA}$", "manifest push"),
    DigestForm("stderr", rf"^#\d+ [\d.]+ pushing {SHA} to ", "buildx imagetools create"),
    DigestForm("stderr", rf"^#\d+ (?:[\d.]+ )?pushing manifest for [^\s@]+@{SHA}"),
    DigestForm("file", "metadata-file", "build|buildx"),
)

IMAGE_TOOLS: Final[dict[str, Tool]] = {
    "apptainer": Tool(HOME_FILE, on_host=HOME_ONLY),
    "buildah": Tool(
        _AUTH_FILE,
        in_image=_PRIVILEGES,
        remark=_DESCRIPTORS,
        digests=(_DIGEST_FILE,),
        plain_http=PlainHttp("--tls-verify=false"),
        grammar=_STORAGE._replace(forms=(*_STORAGE_FORMS, "from READ", "build|bud -*")),
        chooses_by_path=True,
    ),
    "crane": Tool(
        LIBRARY,
        digests=(
            DigestForm("stdout", REFERENCE_LINE),
            DigestForm("stderr", _SIZE_LINE),
            DigestForm("file", "image-refs"),
        ),
        plain_http=PlainHttp("--insecure"),
        grammar=Grammar(
            (
                "push - WRITE",
                "pull READ* -",
                "copy|cp READ/ WRITE/ -a|--all-tags!",
                "copy|cp READ WRITE",
                "tag READ TAG",
                "mutate READ -t|--tag=WRITE!",
                "mutate READ --repo=WRITE/!",
                "mutate ATTACH",
                "flatten READ -t|--tag=WRITE!",
                "flatten UPDATE",
                "append -b|--base=READ -t|--new_tag=WRITE!",
                "append -b|--base=READ",
                "rebase READ --original=READ --new_base=READ --old_base=READ -t|--tag=WRITE!",
                "index append READ* -m|--manifest=READ -t|--tag=WRITE!",
                "index filter READ -t|--tag=WRITE!",
                "digest|manifest|config READ*",
                "validate --remote=READ",
                "export READ -*",
                "ls READ/",
                "blob READ",
                "delete ATTACH",
                "auth|catalog|registry -*",
                NO_REGISTRY,
            ),
            "O a all-tags allow-nondistributable-artifacts annotate-ref docker-empty-base fast flatten full-ref h help "
            "index insecure n no-clobber oci-empty-base omit-digest-tags set-base-image-annotations v verbose",
        ),
    ),
    "docker": Tool(
        DOCKER,
        in_image=_DAEMON,
        remark="contexts, plug-ins and builders go on working",
        other_names=("docker-buildx",),
        digests=_DOCKER_DIGESTS,
        plain_http=PlainHttp("insecure-registries in /etc/docker/daemon.json"),
        ca_variables=(),
        grammar=Grammar(
            (
                *_DOCKER_FORMS,
                "manifest push WRITE",
                "manifest create - READ*",
                "manifest inspect READ",
                "manifest annotate|rm -*",
                "buildx imagetools create -* --dry-run!",
                "buildx imagetools create READ* -t|--tag=WRITE",
                "buildx imagetools inspect READ",
                "buildx ls|inspect|create|use|rm|du|prune|version -*",
                # What an output or a cache writes stands in a value with a grammar of its own.
                "buildx build UNKNOWN* -o|--output|--cache-to!",
                "build UNKNOWN* -o|--output|--cache-to!",
                "buildx build -* --push! -t|--tag=WRITE",
                "build -* --push! -t|--tag=WRITE",
                "buildx build -*",
                "build -*",
            ),
            "D a all-tags amend append check compress debug disable-content-trust dry-run force-rm h help insecure "
            "load no-cache p prefer-index pull purge push q quiet rm squash tls tlsverify v verbose version",
        ),
    ),
    "ko": Tool(
        LIBRARY,
        remark="for ECR, AWS credentials of the environment come first",
        digests=(
            DigestForm("stderr", rf"^(?:\S{{1,30}} ){{0,2}}Published [^\s@]+@{SHA}"),
            DigestForm("stdout", REFERENCE_LINE),
            DigestForm("stdout", rf"^[- ]*\w+: [\"']?[^\s@\"']+@{SHA}[\"']?$", "resolve"),
            DigestForm("file", "image-refs"),
        ),
        plain_http=PlainHttp("--insecure-registry"),
        grammar=Grammar(
            (
                "build|publish -* --push==false",
                "build|publish -* -L|--local!",
                # Other names are made of the import path.
                "build|publish -* --bare! $KO_DOCKER_REPO -t|--tags=TAG",
                NO_REGISTRY,
            ),
            "B L P R bare base-import-paths debug disable-optimizations h help insecure-registry local "
            "preserve-import-paths push recursive tag-only v verbose",
        ),
    ),
    "nerdctl": Tool(
        DOCKER,
        in_image=_DAEMON,
        plain_http=PlainHttp("--insecure-registry"),
        grammar=Grammar(
            _DOCKER_FORMS, "a all-platforms allow-nondistributable-artifacts debug h help insecure-registry q"
        ),
    ),
    "podman": Tool(
        _AUTH_FILE,
        in_image=_PRIVILEGES,
        remark=_DESCRIPTORS,
        digests=(_DIGEST_FILE,),
        plain_http=PlainHttp("--tls-verify=false"),
        grammar=_STORAGE._replace(forms=(*_STORAGE_FORMS, "build -*", "save|load|import|ps|stop -*")),
        chooses_by_path=True,
    ),
    "regctl": Tool(
        DOCKER,
        remark="logins in ~/.regctl/config.json come first",
        plain_http=PlainHttp("--host reg={host},tls=disabled"),
        grammar=Grammar(
            (
                "image copy|cp READ WRITE",
                "image import WRITE -",
                "image export READ -*",
                "image mod READ --create=TAG!",
                "image mod UPDATE --replace!",
                "image digest|inspect|manifest|get-file|ratelimit|check-base READ -*",
                "manifest get|head|diff READ*",
                "manifest put WRITE",
                "manifest delete ATTACH",
                "artifact get|list|tree READ",
                "artifact put ATTACH --by-digest!",
                "artifact put --subject=ATTACH!",
                "artifact put WRITE",
                "index create WRITE --ref=READ",
                "index add|delete UPDATE --ref=READ",
                "tag ls|list READ/",
                "tag delete|rm ATTACH",
                "repo copy|cp READ/ WRITE/",
                "blob get|head READ -",
                "blob put WRITE/",
                "registry|repo|config -*",
                NO_REGISTRY,
            ),
            "annotation-promote by-digest compress digest-tags external-urls-rm fast file-title force-recursive "
            "force-tag-dereference h help ignore-missing include-external index label-to-annotation latest new-tags "
            "no-config quiet rebase referrers replace reproducible require-digest require-list slow-referrers "
            "sort-desc strip-dirs to-docker to-oci to-oci-referrers",
            local=("ocidir://", "ocifile://"),
        ),
    ),
    "skopeo": Tool(
        _AUTH_FILE,
        digests=(_DIGEST_FILE,),
        plain_http=PlainHttp(
            "--tls-verify=false", "--src-tls-verify=false", "--dest-tls-verify=false", copies="copy sync"
        ),
        grammar=Grammar(
            (
                "copy READ WRITE",
                "inspect READ",
                "list-tags READ/",
                "delete ATTACH",
                "sync UNKNOWN* --scoped!",
                "sync READ+ INTO+ -s|--src==docker -d|--dest==docker",
                "sync READ+ - -s|--src==docker -d|--dest==dir",
                NO_REGISTRY,
            ),
            "a all config debug dest-compress dest-decompress dest-no-creds dest-oci-accept-uncompressed-layers "
            "dest-precompute-digests dest-tls-verify dry-run h help insecure-policy keep-going n no-creds no-tags "
            "preserve-digests q quiet raw remove-signatures scoped src-no-creds src-tls-verify tls-verify v version",
            scheme="docker://",
        ),
        chooses_by_path=True,
    ),
    "trivy": Tool(
        DOCKER,
        remark="a wrong entry for ghcr.io breaks the download of its public database",
        plain_http=PlainHttp("--insecure"),
    ),
}
