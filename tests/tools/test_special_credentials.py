"""Credentials that are not user and password, as docs/registries.md declares them: the bytes that tools send."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.http_server import Answer, Asked, Server, http_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.cli import Machine

_PAGE = (Path(__file__).parents[2] / "docs" / "registries.md").read_text()
# The text of each entry, by its section; a section's second entry has a 2 behind it.
_ENTRIES = {
    f"{title}{'' if n == 1 else f' {n}'}": entry
    for title, text in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", _PAGE, re.MULTILINE | re.DOTALL)
    for n, entry in enumerate(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL), 1)
}
_KEY = json.dumps(
    {
        "type": "service_account",
        "private_key": "-----BEGIN PRIVATE KEY-----\nMIIEv+/aé==\n-----END PRIVATE KEY-----\n",
        "client_email": "ci@project.iam.gserviceaccount.com",
    },
    indent=2,
    ensure_ascii=False,
)
_JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjaSJ9.Zm9v_YmFy-YmF6"
_GOOGLE = "Google Artifact Registry"
# Of each entry: the secret, and the user and password that the registry has to get.
_SENT = {
    "GitHub Container Registry": ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "octocat", None),
    "Docker Hub": ("dckr_pat_Zm9v-YmFy_YmF6", "org", None),
    "Azure Container Registry": (_JWT, "00000000-0000-0000-0000-000000000000", None),
    f"{_GOOGLE}, access token": ("ya29.c.b0AXv0zTN_Zm9v-YmFy.YmF6", "oauth2accesstoken", None),
    f"{_GOOGLE}, key of a service account": (f"{_KEY}\n", "_json_key", _KEY),
    f"{_GOOGLE}, key of a service account 2": (
        f"{_KEY}\n",
        "_json_key",
        json.dumps(json.loads(_KEY), ensure_ascii=False, separators=(",", ":")),
    ),
    "Amazon Elastic Container Registry": (base64.b64encode(b"{" + b"a?>~" * 400 + b"}").decode(), "AWS", None),
    "GitLab, deploy token": ("gldt-Zm9v_YmFy-YmF6", "gitlab+deploy-token-1", None),
    "Quay, robot": ("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", "org+robot", None),
    "Harbor, robot": ("aB3$dE6%gH9&jK", "robot$project+ci", None),
}
_MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": f"sha256:{'0' * 64}", "size": 2},
        "layers": [],
    }
).encode()
_COMMANDS = {
    "crane": "crane manifest {host}/app:1",
    "oras": "oras manifest fetch --plain-http {host}/app:1",
    "skopeo": "skopeo inspect --raw --tls-verify=false docker://{host}/app:1",
}


def _registry(asked: Asked) -> Answer:
    if not asked.authorization:
        return Answer(401, headers={"WWW-Authenticate": 'Basic realm="test"'})
    return Answer(200, _MANIFEST, {"Content-Type": "application/vnd.oci.image.manifest.v1+json"})


@pytest.fixture
def server() -> Iterator[Server]:
    with http_server(_registry) as running:
        yield running


def _sent(machine: Machine, server: Server, command: str, declaration: str, secret: str) -> set[str]:
    """What is in the `Authorization` headers of a run."""
    path = machine.root / "registries.yaml"
    path.write_text(declaration)
    line = command.format(host=server.address).split()
    done = machine.run(*line, registries=str(path), variables={"TOKEN": secret})
    assert (done.code, done.stdout.strip()) == (0, _MANIFEST), done.stderr
    headers = [asked.authorization for asked in server.asked if asked.authorization]
    assert {header.partition(" ")[0] for header in headers} == {"Basic"}
    return {base64.b64decode(header.partition(" ")[2], validate=True).decode() for header in headers}


def test_each_entry_of_the_page_is_tried() -> None:
    assert list(_ENTRIES) == list(_SENT)


@pytest.mark.parametrize("tool", _COMMANDS)
@pytest.mark.parametrize("name", _SENT)
def test_the_entry_of_the_page_sends_exactly_this(machine: Machine, server: Server, name: str, tool: str) -> None:
    secret, user, password = _SENT[name]
    written = _ENTRIES[name].replace("${{ toJSON(secrets.TOKEN) }}", json.dumps(secret, ensure_ascii=False))
    written = written.replace("${{ secrets.TOKEN }}", secret)
    assert "${{" not in written
    declaration = re.sub(r"registry: \S+", f"registry: {server.address}", written)
    assert _sent(machine, server, _COMMANDS[tool], declaration, secret) == {f"{user}:{password or secret}"}


def test_a_key_in_a_block_is_sent_as_it_is_written(machine: Machine, server: Server) -> None:
    block = "".join(f"    {line}\n" for line in _KEY.splitlines())
    declaration = f"- registry: {server.address}\n  username: _json_key\n  password: |\n{block}"
    assert _sent(machine, server, _COMMANDS["crane"], declaration, "") == {f"_json_key:{_KEY}"}
