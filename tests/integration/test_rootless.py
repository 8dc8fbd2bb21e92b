"""Tools of a user without privileges, which re-execute themselves in a user namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.artifacts import oci_layout
from support.rootless import rootless_machine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.cli import Machine
    from support.registry import Pair


@pytest.fixture(scope="module")
def user() -> Iterator[Machine]:
    try:
        with rootless_machine() as machine:
            yield machine
    except LookupError as error:
        pytest.skip(str(error))


def test_buildah_in_a_user_namespace_reads_the_config(user: Machine, registries: Pair) -> None:
    digest = oci_layout(user.work / "layout", text="rootless\n")
    image = f"docker://{registries.first.address}/rootless/app:1"
    push = ("skopeo", "copy", "-q", "--dest-tls-verify=false", f"oci:{user.work}/layout:1", image)
    pushed = user.run(*push, registries=registries.logins)
    assert (pushed.code, pushed.stderr) == (0, b"")
    assert registries.first.digest("rootless/app", "1") == digest
    script = f"""
        id -u
        wc -l < /proc/self/uid_map
        buildah unshare wc -l /proc/self/uid_map
        buildah --storage-driver vfs pull -q --tls-verify=false {image}
    """
    done = user.run(
        script,
        registries=registries.logins,
        options=["--shell", "sh"],
        variables={"XDG_RUNTIME_DIR": str(user.temporary)},
    )
    assert done.code == 0, done.stderr
    uid, outside, inside, _, pulled = done.stdout.split()
    assert (uid != b"0", outside, inside, len(pulled)) == (True, b"1", b"2", 64)
