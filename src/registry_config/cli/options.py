"""The options of the command line, and the words of its help."""

from __future__ import annotations

from registry_config.declaration.inputs import DEFAULTS
from registry_config.light_typing import Final

DESCRIPTION: Final = """\
Run one command with the container registries that you declare once. The tool finds the credentials where it
looks for them; they exist in memory only and are gone when it ends."""
COMMANDS: Final = {
    "run": "run a command: registry-config run --registries FILE [options] -- COMMAND [ARGUMENT]...",
    "check": "say what run would do with the same words, and what would not work; runs nothing",
    "agent": "the credentials of a whole job or shell: registry-config agent --help",
    "action": "what action.yml calls: reads its inputs from the environment",
}
EPILOG: Final = """\
registries.yaml:
  - registry: ghcr.io
    username: alice
    password-env: GHCR_TOKEN       # or password: TEXT, or password-file: PATH
  - registry: docker.io            # Docker Hub, under every name that tools know it by
    username: alice
    password-file: /run/secrets/hub

examples:
  registry-config run --registries registries.yaml -- skopeo copy oci:app docker://ghcr.io/org/app:1
  registry-config run --registries registries.yaml --shell bash -- 'helm push *.tgz oci://ghcr.io/org | tee log'
  registry-config check --registries registries.yaml

exit codes:
  the command's own; 127 program not found, 126 not executable, 128+n ended by signal n;
  64 a wrong input, 65 a file that held a secret came back, 69 something needed is not there, 70 an internal error,
  77 a registry or an identity provider refused a credential, 1 the registry has another digest than the tool reported,
  124 the time limit ended the command"""

OPTIONS: Final[tuple[tuple[tuple[str, ...], dict[str, object]], ...]] = (
    (
        ("--registries",),
        {"metavar": "FILE", "required": True, "help": "YAML list of registries; - for standard input"},
    ),
    (
        ("--github-token-env",),
        {
            "metavar": "NAME",
            "default": "",
            "help": "variable with the token for a ghcr.io entry without credentials",
        },
    ),
    (("--image",), {"metavar": "REF", "default": "", "help": "run the command in this tool image, on a Dagger engine"}),
    (("--use-entrypoint",), {"action": "store_true", "help": "put the image's entrypoint before the command"}),
    (
        ("--exclude",),
        {
            "metavar": "GLOB",
            "action": "append",
            "default": [],
            "help": "files that neither go to the engine nor come back",
        },
    ),
    (
        ("--shell",),
        {"metavar": "SHELL", "default": "", "help": "give what follows -- to this shell as one script"},
    ),
    (
        ("-C", "--working-directory"),
        {"metavar": "DIR", "default": ".", "help": "the command's working directory"},
    ),
    (
        ("-e", "--env"),
        {"metavar": "NAME[=VALUE]", "action": "append", "default": [], "help": "a variable for the command"},
    ),
    (
        ("--secret-env",),
        {
            "metavar": "NAME",
            "action": "append",
            "default": [],
            "help": "a variable whose value must not be seen",
        },
    ),
    (
        ("--on-missing",),
        {"metavar": "fail|skip", "default": "fail", "help": "where a password is there but empty"},
    ),
    (
        ("--target",),
        {
            "metavar": "REF",
            "action": "append",
            "default": [],
            "help": "run once for each; {target} in the command is replaced",
        },
    ),
    (
        ("--max-parallel",),
        {"metavar": "N", "default": "", "help": f"how many targets run in parallel ({DEFAULTS.max_parallel})"},
    ),
    (("--fail-fast",), {"action": "store_true", "help": "stop the other targets at the first failure"}),
    (
        ("--retries",),
        {
            "metavar": "N",
            "default": "",
            "help": f"further attempts of a command after a transient failure ({DEFAULTS.retries})",
        },
    ),
    (
        ("--retry-on",),
        {
            "metavar": "transient|any",
            "default": DEFAULTS.retry_on,
            "help": "which failures are followed by a further attempt",
        },
    ),
    (
        ("--timeout",),
        {"metavar": "T", "default": "", "help": "time limit of one attempt of one command, such as 90s, 10m or 1h"},
    ),
    (
        ("--file",),
        {
            "metavar": "GLOB",
            "action": "append",
            "default": [],
            "help": "run once for each file; {file} in the command is replaced",
        },
    ),
    (
        ("--skip-existing",),
        {"action": "store_true", "help": "run no command whose reference is there already"},
    ),
    (
        ("--verify",),
        {
            "metavar": "off|login|pull|push",
            "default": DEFAULTS.verify,
            "help": "ask the registries whether it will work, before anything runs",
        },
    ),
    (
        ("--digest-from",),
        {"metavar": "tool|registry", "default": DEFAULTS.digest_from, "help": "who is asked for the digest"},
    ),
    (("--dry-run",), {"action": "store_true", "help": "everything but the execution"}),
    (
        ("--keep-logins",),
        {
            "action": "store_true",
            "help": "keep your own logins of Docker, podman and Helm together with the declared ones",
        },
    ),
    (("--verbose",), {"action": "store_true", "help": "tell each command, its credentials and where the time went"}),
    (("--quiet",), {"action": "store_true", "help": "tell nothing but errors"}),
    (("--json",), {"metavar": "FILE", "default": "", "help": "write the outputs to this file; - for standard output"}),
)
