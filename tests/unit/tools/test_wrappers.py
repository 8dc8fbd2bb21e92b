"""Commands that lose the config on the way to the tool."""

from __future__ import annotations

import pytest

from registry_config.tools.wrappers import lost_config
from support.tables import table


@table(
    "line, beginning",
    {
        "sudo": ("sudo skopeo copy x y", "sudo drops the environment"),
        "sudo by its path": ("/usr/bin/sudo skopeo copy x y", "sudo drops the environment"),
        "sudo as a user": ("sudo -n -u build skopeo copy x y", "sudo drops the environment"),
        "docker run": (
            "docker run --rm -v /root/.docker:/root/.docker crane copy x y",
            "docker run starts a container",
        ),
        "podman run": ("podman run crane", "podman run starts a container"),
        "docker container run": ("docker container run crane", "docker container run starts a container"),
        "docker compose": ("docker compose -f x.yml run crane", "docker compose starts a container"),
        "kubectl": ("kubectl exec pod -- crane ls", "kubectl exec starts a container"),
        "env -i": ("env -i PATH=/bin crane ls", "env -i empties the environment"),
        "su": ("su build -c crane", "su starts the tool as a user"),
        "runuser": ("runuser -u build -- crane ls", "runuser starts the tool as a user"),
        "ssh": ("ssh host crane ls", "ssh starts the tool on another machine"),
        "chroot": ("chroot /mnt crane ls", "chroot starts the tool where /proc is another one"),
        "unshare": ("unshare --fork --pid --mount-proc crane ls", "unshare starts the tool where /proc is another one"),
        "unshare with a user": ("unshare -rm crane ls", "unshare starts the tool where /proc is another one"),
    },
)
def test_a_wrapper_is_named_with_what_to_do(line: str, beginning: str) -> None:
    assert lost_config(line.split()).startswith(beginning)
    assert lost_config(("bash", "-c", f"set -e\ncd x && {line} | tee log")).startswith(beginning)
    assert lost_config(("bash", "-c", f"if ! A=1 {line}; then exit 1; fi")).startswith(beginning)


@pytest.mark.parametrize(
    "line",
    [
        "sudo -E skopeo copy x y",
        "sudo --preserve-env=DOCKER_CONFIG skopeo copy x y",
        "sudo -nE skopeo copy x y",
        "docker push a.io/x:1",
        "docker build -t run .",
        "env A=1 crane ls",
        "sudoku",
        "ssh-keygen",
        "unshare --mount crane ls",
        "crane copy sudo docker",
        "echo sudo",
    ],
)
def test_other_commands_keep_it(line: str) -> None:
    assert lost_config(line.split()) == ""
    assert lost_config(("sh", "-e", "-c", line)) == ""
