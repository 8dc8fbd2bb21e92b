"""What to do where a registry refused a command's credentials."""

from __future__ import annotations

import re

from registry_config.audience import called
from registry_config.light_typing import TYPE_CHECKING, Final
from registry_config.tools.failure import references_in_command
from registry_config.tools.output import status

if TYPE_CHECKING:
    from registry_config.credentials.reading import Credential
    from registry_config.tools.failure import Failure

# "permission denied" is about files.
REFUSED: Final = status(
    "40[13]",
    r"unauthorized|(?<!permission )denied|forbidden|basic credential not found|no basic auth credentials"
    r"|authentication required|incorrect username or password|invalid username/password",
)
_OF_THE_JOB: Final = (
    "ghcr.io refused the job's own token: the job needs 'permissions: packages: write' (read to pull; a pull request "
    "from a fork never gets write), a package that exists has to let this repository in under 'Manage Actions access' "
    "of its settings, and the organization's policy has to allow new packages"
)
_HELM_HINT: Final = "helm 3 also says 401 where a registry speaks plain HTTP: then --plain-http is missing"


def explain_refusal(failure: Failure) -> tuple[str, ...]:
    """Lines about the credentials that the command really had."""
    if not failure.shows(REFUSED):
        return ()
    given = sorted(one.registry for one in failure.result.credentials)
    lines = [f"credentials were given for {', '.join(given) or 'no registry'}"]
    if failure.asked:
        lines.append(_about_asked(failure))
    return (*lines, *hidden_login(failure), *_helm_over_plain_http(failure))


def hidden_login(failure: Failure) -> tuple[str, ...]:
    """A line where the user's own config has a login that the tool did not see."""
    if not failure.asked or failure.asked not in failure.hidden_hosts:
        return ()
    return (
        f"your own Docker config has a login for {failure.asked}, hidden here: {called('keep-logins')} would show it",
    )


def _about_asked(failure: Failure) -> str:
    asked = failure.asked
    if failure.held:
        if any(one.source == "github-token" for one in failure.held):
            return _OF_THE_JOB
        return _outside_of_paths(failure) or (
            f"the tool asked {asked}, which is among them: check the user, the password, and what they may do there"
        )
    entries = [registry for registry in failure.declared if registry.partition("/")[0] == asked]
    if not entries:
        name = re.sub(r":[0-9]+$", "", asked)
        if name in failure.declared:
            return f"the tool asked {asked}, and the entry is for {name}: write the port there too"
        return f"the tool asked {asked}, which is not among them: add an entry for it"
    if asked in entries:
        return f"the tool asked {asked}, whose entry is not for commands: let its 'for' say so, or leave 'for' out"
    paths = ", ".join(sorted(entries))
    return (
        f"the tool asked {asked}, whose credentials are for {paths}, and the command names nothing there: add an entry"
    )


def _outside_of_paths(failure: Failure) -> str:
    """Where the credentials are for paths, and what the command names lies below none of them."""
    named = {one for one in references_in_command(failure.result.arguments) if one.host == failure.asked}
    outside = sorted(one.repository for one in named if not any(_fits(held, one.path) for held in failure.held))
    if not outside:
        return ""
    paths = ", ".join(sorted(one.registry for one in failure.held))
    return f"the command names {', '.join(outside)}, and its credential is for {paths}: add an entry for it"


def _fits(credential: Credential, path: str) -> bool:
    return not credential.path or path == credential.path or path.startswith(f"{credential.path}/")


def _helm_over_plain_http(failure: Failure) -> tuple[str, ...]:
    arguments = failure.result.arguments
    is_plain = failure.result.program in {"helm", "helm3"} and "http://" in failure.text
    return (_HELM_HINT,) if is_plain and "--plain-http" not in arguments else ()
