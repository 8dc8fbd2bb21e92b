"""What several rows of the table of tools say alike."""

from __future__ import annotations

from registry_config.light_typing import Final

DOCKER: Final = "DOCKER_CONFIG"
LIBRARY: Final = f"{DOCKER}, then REGISTRY_AUTH_FILE"
HOME_FILE: Final = "~/.docker/config.json"
HOME_ONLY: Final = "it reads only the home folder: works in an image, not outside of one"
NO_REGISTRY: Final = "login|logout|version|help|completion -*"
SHA: Final = r"(sha256:[0-9a-f]{64})\b"
DIGEST_LINE: Final = rf"^Digest: {SHA}"
REFERENCE_LINE: Final = rf"^[^\s@]+@{SHA}$"
