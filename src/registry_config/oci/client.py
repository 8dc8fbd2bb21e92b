"""The few questions of the distribution API that are asked here.

Source: opencontainers/distribution-spec, `spec.md`.
"""

from __future__ import annotations

import re
from urllib.parse import quote, urljoin

from registry_config.http.client import origin
from registry_config.http.messages import HttpError
from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from registry_config.http.client import Client
    from registry_config.http.messages import Answer
    from registry_config.oci.entry import Entry

MANIFEST_TYPES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.artifact.manifest.v1+json",
    # What a registry has of none of these types it may still name.
    "*/*;q=0.1",
)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_MESSAGE_CHARACTERS: Final = 300


class Registry:
    """The API of one registry. No request carries a credential but the one in the headers that it is given.

    Args:
        client: the entry's own.
        entry: which registry.
    """

    def __init__(self, client: Client, entry: Entry) -> None:
        self._client = client
        self._entry = entry

    def ping(self, authorization: Mapping[str, str] | None = None) -> Answer:
        """Ask whether the API is there, and for its challenge."""
        return self._client.request("GET", self._entry.url(), authorization, follow=True)

    def manifest(
        self, method: str, repository: str, reference: str, authorization: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask for a manifest of whatever type by HEAD or GET."""
        url = self._entry.url(f"/v2/{quote(repository)}/manifests/{quote(reference, safe=':')}")
        return self._client.request(method, url, {"Accept": ", ".join(MANIFEST_TYPES), **(authorization or {})})

    def open_upload(self, repository: str, authorization: Mapping[str, str]) -> Answer:
        """Open an upload session, once, whatever happens: it is a write."""
        url = self._entry.url(f"/v2/{quote(repository)}/blobs/uploads/")
        return self._client.request("POST", url, authorization, again=None)

    def cancel_upload(self, repository: str, opened: Answer, authorization: Mapping[str, str]) -> None:
        """Cancel an upload session, as far as the registry allows it.

        GHCR answers 405, Distribution wants the right to delete: then the registry's own purge ends it. A session on
        another origin is left alone: the credential would go there.
        """
        base = self._entry.url(f"/v2/{quote(repository)}/blobs/uploads/")
        try:
            there = urljoin(base, opened.header("Location"))
            if there != base and origin(there) == origin(base):
                self._client.request("DELETE", there, authorization, again=None)
        except (HttpError, ValueError):
            return


def digest_of(answer: Answer) -> str:
    """The digest that a registry gives with a manifest; empty if it gives none."""
    named = answer.header("Docker-Content-Digest")
    return named if _DIGEST.fullmatch(named) else ""


def error_codes(answer: Answer) -> set[str]:
    """The codes of an error answer, such as MANIFEST_UNKNOWN."""
    return {str(error.get("code", "")).upper() for error in _errors(answer)}


def described(answer: Answer) -> str:
    """An answer in a few words: its status, and what the registry says of it.

    The registry chose the words: control characters are dropped and the length is bounded.
    """
    words = [_texts(error, "code", "message") for error in _errors(answer)[:1]]
    # Token servers: Docker Hub's, OAuth2's (RFC 6749, section 5.2) and Quay's.
    words += [_texts(answer.fields(), key) for key in ("details", "message", "error_description", "error")]
    text = printable(next((word for word in words if word), ""))
    return f"{answer.status} ({text})" if text else str(answer.status)


def printable(text: str) -> str:
    """A foreign text as one line of printable characters, not too long."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= _MESSAGE_CHARACTERS else f"{line[:_MESSAGE_CHARACTERS]}…"


def _texts(fields: Mapping[str, object], *keys: str) -> str:
    values = (fields.get(key) for key in keys)
    return ": ".join(value for value in values if isinstance(value, str) and value)


def _errors(answer: Answer) -> list[dict[str, object]]:
    errors = answer.fields().get("errors")
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
