"""The digest as the registry answers it, beside what skopeo pushed."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from registry_config.oci.digests import Found, Proof, look_up, prove
from support.artifacts import oci_layout
from support.front import front
from support.http_server import Answer, http_server
from support.registry import free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from registry_config.oci.entry import Entry
    from support.places import Place, Places


def _forget(_: str) -> None:
    """Nothing is printed here."""


_OTHER = f"sha256:{'0' * 64}"


@pytest.fixture
def pushed(places: Places, tmp_path: Path) -> Callable[[Place, str, str], str]:
    """Push an image with skopeo; gives the digest that its layout has."""

    def push(place: Place, tag: str, text: str) -> str:
        layout = tmp_path / text
        digest = oci_layout(layout, text=text)
        entry = place.entry()
        target = f"docker://{place.registry.address}/team/digests:{tag}"
        command = ("skopeo", "copy", "--dest-tls-verify=false", "--dest-creds", f"{entry.username}:{entry.secret}")
        subprocess.run((*command, f"oci:{layout}:1", target), check=True, capture_output=True)
        return digest

    del places
    return push


def _look_up(entry: Entry, reference: str, repository: str = "team/digests") -> Found:
    return look_up(entry, repository, reference, environ={}, new_secret=_forget)


def _prove(entry: Entry, tag: str, *reported: str) -> Proof:
    return prove(entry, "team/digests", tag, reported, environ={}, new_secret=_forget)


@pytest.mark.parametrize("name", ["htpasswd", "open", "strict", "degrading", "posting"])
def test_what_is_there_and_what_is_not(places: Places, pushed: Callable[[Place, str, str], str], name: str) -> None:
    place: Place = getattr(places, name)
    if name == "posting":
        # skopeo knows GET alone; this one has nothing to be found.
        assert _look_up(place.entry(), "1") == Found("absent")
        return
    digest = pushed(place, "1", name)
    before = place.mark()
    assert _look_up(place.entry(), "1") == Found("exists", digest)
    assert [line for line in before.asked() if "manifests" in line] == ["HEAD /v2/team/digests/manifests/1"]
    assert _look_up(place.entry(), digest) == Found("exists", digest)
    assert _look_up(place.entry(), "2") == Found("absent")
    assert _look_up(place.entry(), _OTHER) == Found("absent")


def test_what_cannot_be_said(places: Places) -> None:
    for place in (places.htpasswd, places.strict, places.degrading):
        found = _look_up(place.entry(password="wrong-password-1"), "1")
        assert (found.state, found.digest) == ("unknown", "")
        assert "401" in found.reason
    assert _look_up(places.htpasswd.entry()._replace(host=f"127.0.0.1:{free_port()}"), "1").state == "unknown"
    with http_server(lambda asked: Answer(503 if "manifests" in asked.path else 200)) as server:
        found = _look_up(places.open.entry()._replace(host=server.address), "1")
    assert found == Found("unknown", "", "the registry answered 503")


@pytest.mark.parametrize("rule", ["proxy_hide_header Docker-Content-Digest;", "add_header Docker-Content-Digest none;"])
def test_without_a_usable_header_it_is_computed(
    places: Places, pushed: Callable[[Place, str, str], str], tmp_path: Path, rule: str
) -> None:
    digest = pushed(places.htpasswd, "1", "computed")
    rules = f"proxy_hide_header Docker-Content-Digest; {'' if 'hide' in rule else rule}"
    with front(tmp_path / "nginx", places.htpasswd.registry.address, rules) as server:
        assert _look_up(places.htpasswd.entry()._replace(host=server.address), "1") == Found("exists", digest)


def test_a_manifest_too_long_to_compute_its_digest_is_there(places: Places) -> None:
    with http_server(lambda asked: Answer(200, b"x" * (2 << 20) if "manifests" in asked.path else b"")) as server:
        found = _look_up(places.open.entry()._replace(host=server.address), "1")
    assert (found.state, found.digest) == ("exists", "")
    assert "too long" in found.reason


def test_what_a_tool_reported_is_compared(places: Places, pushed: Callable[[Place, str, str], str]) -> None:
    place = places.strict
    old = pushed(place, "moving", "old")
    assert _prove(place.entry(), "moving", old) == Proof("proven", old)
    assert _prove(place.entry(), "moving") == Proof("proven", old)
    assert _prove(place.entry(), "moving", _OTHER, old) == Proof("proven", old)
    new = pushed(place, "moving", "new")
    moved = _prove(place.entry(), "moving", old)
    assert (moved.state, moved.digest) == ("moved", new)
    assert _prove(place.entry(), "moving", _OTHER, old).state == "moved"
    lied = _prove(place.entry(), "moving", _OTHER)
    assert (lied.state, lied.digest) == ("contradicted", new)
    assert lied.reason == (
        f"the registry has {new} under team/digests:moving, the tool reported {_OTHER}, which is not there"
    )
    absent = _prove(place.entry(), "nothing", old)
    assert absent == Proof("absent", "", "the registry has no team/digests:nothing")


def test_what_nobody_can_confirm_fails_nothing(places: Places) -> None:
    def answer(status: int) -> Callable[..., Answer]:
        headers = {"Docker-Content-Digest": f"sha256:{'1' * 64}"}
        return lambda asked: Answer(200, headers=headers) if not asked.path.endswith("0") else Answer(status)

    for status, state in ((404, "contradicted"), (403, "moved"), (503, "moved")):
        with http_server(answer(status)) as server:
            proof = _prove(places.open.entry()._replace(host=server.address), "tag", _OTHER)
        assert proof.state == state
