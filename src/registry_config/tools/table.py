"""The table of tools: what is known about each, one row a tool.

Where it looks for credentials, what it prints, its options, its words, its messages; read in the tools' sources and
tried. The rows stand in `image_tools` and `artifact_tools`, `tool` says what a row may hold, `references` how the forms
of a grammar are written; docs/tools.md has the versions.
"""

from __future__ import annotations

from registry_config.light_typing import TYPE_CHECKING, Final
from registry_config.tools.artifact_tools import ARTIFACT_TOOLS
from registry_config.tools.image_tools import IMAGE_TOOLS

if TYPE_CHECKING:
    from registry_config.tools.tool import Tool

TOOLS: Final[dict[str, Tool]] = dict(sorted((IMAGE_TOOLS | ARTIFACT_TOOLS).items()))
_NAMES: Final = {other: name for name, tool in TOOLS.items() for other in tool.other_names}

# What Go, Python, Node.js and curl read: a script may run any of them.
_ALL_CA_VARIABLES: Final = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE")


def ca_variables(program: str) -> tuple[str, ...]:
    """The variables that name a program the file of the certificates it is to trust; empty where none does."""
    tool = known_tool(program)
    return tool.ca_variables if tool else _ALL_CA_VARIABLES


def daemon_ca_file(host: str) -> str:
    """Where a Docker daemon looks for the private authority of a registry."""
    return f"/etc/docker/certs.d/{host or 'HOST'}/ca.crt"


def known_tool(program: str) -> Tool | None:
    """What is known about a program, by its name without folder (`helm4` is helm); None of a shell and of others."""
    name = program.rpartition("/")[2]
    return TOOLS.get(_NAMES.get(name, name))
