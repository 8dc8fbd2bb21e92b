"""In whichever image the command runs, it finds the config, may read it, and may write to the working directory."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from support.engine import Bench


class Seen(NamedTuple):
    """What a command sees in an image: who it is, and where its home is."""

    uid: int
    gid: int
    home: str


VARIANTS = {
    "shell": Seen(0, 0, "/root"),
    "user by name": Seen(1234, 1235, "/home/tool"),
    "user by number": Seen(1234, 1235, "/home/tool"),
    "unknown number": Seen(4321, 0, "/"),
    "no shell, no passwd": Seen(65532, 0, "/"),
    "no passwd, user and group": Seen(65532, 65533, "/"),
    "no passwd, root": Seen(0, 0, "/"),
    "variables of its own": Seen(0, 0, "/home/other"),
    "home in the working directory": Seen(0, 0, "/workspace"),
}
FILE = "/run/oci-auth/config.json"


@pytest.mark.parametrize("image", VARIANTS)
def test_a_command_finds_the_config_and_may_write(bench: Bench, image: str) -> None:
    seen = VARIANTS[image]
    home = f"{seen.home.rstrip('/')}/.docker/config.json"
    step = bench.action(f"id -u\nid -g\nsha256sum {FILE} {home}\ntouch made\nenv", image=image, registries=bench.logins)
    auths = {
        entry["registry"]: {"auth": base64.b64encode(f"{entry['username']}:{entry['password']}".encode()).decode()}
        for entry in bench.logins
    }
    document = json.dumps({"auths": auths}, sort_keys=True, separators=(",", ":")).encode()
    digest = hashlib.sha256(document).hexdigest()
    assert step.code == 0, step.log
    uid, gid, *digests = step.outputs["stdout"].splitlines()[:4]
    assert (uid, gid, digests) == (
        str(seen.uid),
        str(seen.gid),
        [f"{digest}  {FILE}", f"{digest}  {home}"],
    )
    variables = dict(line.split("=", 1) for line in step.outputs["stdout"].splitlines()[4:])
    assert {name: value for name, value in variables.items() if "CONFIG" in name or "AUTH" in name} == {
        "DOCKER_CONFIG": "/run/oci-auth",
        "REGISTRY_AUTH_FILE": FILE,
        "HELM_REGISTRY_CONFIG": FILE,
        "BUILDX_CONFIG": "/tmp/.buildx",  # noqa: S108  (in the container)
        "REGISTRY_CONFIG_RUN": variables["REGISTRY_CONFIG_RUN"],
    }
    assert variables["HOME"] == seen.home
    assert [path.name for path in bench.machine.work.iterdir()] == ["made"]
