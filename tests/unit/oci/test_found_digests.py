"""What is made of a registry's answers about a reference: is it there, under which digest, is it what was reported."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest

from registry_config.oci.digests import Found, Proof, look_up, prove
from registry_config.oci.entry import Entry
from support.http_server import Answer, Asked, http_server
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SECRET = "alices-password-31415926"
_MANIFEST = b'{"schemaVersion": 2}'
_COMPUTED = f"sha256:{hashlib.sha256(_MANIFEST).hexdigest()}"
_THERE, _OTHER, _THIRD = (f"sha256:{digit * 64}" for digit in "123")


def _entry(address: str) -> Entry:
    return Entry(address, address, "alice", _SECRET)


def _look_up(answer: Callable[[Asked], Answer], reference: str = "1") -> tuple[Found, list[Asked]]:
    with http_server(answer) as server:
        found = look_up(_entry(server.address), "team/app", reference, environ={}, new_secret=lambda _: None)
    return found, server.asked


def _of_manifests(by_method: Mapping[str, Answer]) -> Callable[[Asked], Answer]:
    """A registry that lets everybody in."""
    return lambda asked: by_method[asked.method] if "/manifests/" in asked.path else Answer(200)


def _named(digest: str) -> dict[str, str]:
    return {"Docker-Content-Digest": digest}


@table("digest", {"sha256": _THERE, "sha512": f"sha512:{'a' * 128}"})
def test_a_digest_that_the_registry_names_is_taken_without_reading_the_manifest(digest: str) -> None:
    found, asked = _look_up(_of_manifests({"HEAD": Answer(200, b"", _named(digest))}))
    assert found == Found("exists", digest)
    assert [one.method for one in asked if "/manifests/" in one.path] == ["HEAD"]


@table(
    "digest",
    {
        "too short": f"sha256:{'1' * 63}",
        "too long": f"sha256:{'1' * 65}",
        "capitals": f"sha256:{'A' * 64}",
        "of another kind": f"sha1:{'1' * 40}",
        "length of the other kind": f"sha512:{'1' * 64}",
        "in quotes": f'"{_THERE}"',
    },
)
def test_what_is_no_digest_is_not_taken_for_one(digest: str) -> None:
    answers = {"HEAD": Answer(200, b"", _named(digest)), "GET": Answer(200, _MANIFEST, _named(digest))}
    assert _look_up(_of_manifests(answers))[0] == Found("exists", _COMPUTED)


def test_a_registry_that_names_the_digest_to_a_get_alone_is_believed() -> None:
    answers = {"HEAD": Answer(200), "GET": Answer(200, _MANIFEST, _named(_THERE))}
    assert _look_up(_of_manifests(answers))[0] == Found("exists", _THERE)


def test_where_the_manifest_is_not_given_it_is_there_without_a_digest() -> None:
    body = json.dumps({"errors": [{"code": "DENIED", "message": "quota\nexceeded"}]}).encode()
    found, _ = _look_up(_of_manifests({"HEAD": Answer(200), "GET": Answer(403, body)}))
    reason = "the registry names no digest, and answered 403 (DENIED: quota exceeded) to a GET"
    assert found == Found("exists", "", reason)


def test_every_type_of_manifest_is_asked_for() -> None:
    _, asked = _look_up(_of_manifests({"HEAD": Answer(404)}), _THERE)
    (request,) = (one for one in asked if "/manifests/" in one.path)
    assert request.path == f"/v2/team/app/manifests/{_THERE}"
    accepted = {part.partition(";")[0].strip() for part in request.headers["Accept"].split(",")}
    assert {
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "*/*",
    } <= accepted


_ELSEWHERE = {"WWW-Authenticate": 'Bearer realm="http://127.0.0.2:1/token",service="registry"'}


@table(
    "answer, reason",
    {
        "a teapot": (Answer(418), "the registry answered 418"),
        "a refusal": (Answer(403), "the registry answered 403"),
        "a redirect": (
            Answer(302, headers={"Location": "http://127.0.0.2:1/x"}),
            "redirects to 127.0.0.2, which is not followed; name the host that answers itself in the entry",
        ),
        "another's token server": (
            Answer(401, headers=_ELSEWHERE),
            "which is not its own host; if that server is the right one, add `realm: 127.0.0.2:1` to the entry",
        ),
    },
)
def test_what_is_no_answer_to_the_question_is_unknown_and_says_why(answer: Answer, reason: str) -> None:
    found, asked = _look_up(_of_manifests({"HEAD": answer}))
    assert (found.state, found.digest) == ("unknown", "")
    assert found.reason.endswith(reason)
    assert [one.method for one in asked if "/manifests/" in one.path] == ["HEAD"]


@table(
    "answer, reason",
    {
        "no registry": (Answer(404), "there is no registry at this address (404 for /v2/); check the host"),
        "nobody is let in": (Answer(403), "the registry answered 403"),
        "another way to log in": (
            Answer(401, headers={"WWW-Authenticate": "Negotiate"}),
            (
                "the registry asks for a credential, but neither as Basic nor as Bearer; "
                "check that the host is that of the registry"
            ),
        ),
    },
)
def test_where_no_registry_greets_no_reference_is_asked_for(answer: Answer, reason: str) -> None:
    found, asked = _look_up(lambda _: answer)
    assert found == Found("unknown", "", reason)
    assert [one.path for one in asked] == ["/v2/"]


class _Tokens:
    """A registry with a token server, which gives each question a token of its own."""

    def __init__(self, *, greets: int = 401) -> None:
        self.given: list[str] = []
        self._greets = greets

    def answer(self, asked: Asked) -> Answer:
        path = urlsplit(asked.path)
        if path.path == "/token":
            self.given.append(f"token-{len(self.given)}-for-{dict(parse_qsl(path.query))['scope']}")
            return Answer(200, json.dumps({"token": self.given[-1]}).encode())
        if asked.path == "/v2/" and self._greets == 200:
            return Answer(200)
        wanted = "Bearer " + (self.given[-1] if self.given else "")
        if asked.authorization != wanted or asked.path == "/v2/":
            challenge = f'Bearer realm="http://{asked.host}/token",service="registry"'
            return Answer(401, headers={"WWW-Authenticate": challenge})
        return Answer(200, headers=_named(_THERE)) if asked.path.endswith("/1") else Answer(404)


@table("greets", {"asks at the door": 401, "asks in the repository alone": 200})
def test_a_token_to_pull_is_asked_for_and_told(greets: int) -> None:
    tokens, told = _Tokens(greets=greets), list[str]()
    with http_server(tokens.answer) as server:
        found = look_up(_entry(server.address), "team/app", "1", environ={}, new_secret=told.append)
    assert found == Found("exists", _THERE)
    assert (told, tokens.given) == (["token-0-for-repository:team/app:pull"],) * 2
    assert [one.authorization for one in server.asked if "/manifests/" in one.path][-1] == f"Bearer {told[0]}"


def test_several_references_are_asked_for_after_one_greeting() -> None:
    tokens = _Tokens()
    with http_server(tokens.answer) as server:
        proof = prove(_entry(server.address), "team/app", "1", (_THIRD, _OTHER), environ={}, new_secret=lambda _: None)
    assert proof.state == "contradicted"
    paths = [one.path for one in server.asked if not one.path.startswith("/token")]
    prefix = "/v2/team/app/manifests"
    assert paths == ["/v2/", f"{prefix}/1", f"{prefix}/{_OTHER}", f"{prefix}/{_THIRD}"]


def _prove(statuses: Mapping[str, int], *reported: str) -> tuple[Proof, list[str]]:
    """A registry that answers each reference by a status, and names the digest of every tag."""

    def answer(asked: Asked) -> Answer:
        reference = asked.path.rpartition("/")[2]
        headers = _named(reference if ":" in reference else _THERE)
        return Answer(200) if asked.path == "/v2/" else Answer(statuses[reference], b"", headers)

    with http_server(answer) as server:
        proof = prove(_entry(server.address), "team/app", "1", reported, environ={}, new_secret=lambda _: None)
    return proof, [one.path.rpartition("/")[2] for one in server.asked if one.path != "/v2/"]


@pytest.mark.parametrize("reported", [(), (_THERE,), (_OTHER, _THERE)])
def test_what_was_reported_is_proven_by_one_question(reported: tuple[str, ...]) -> None:
    assert _prove({"1": 200}, *reported) == (Proof("proven", _THERE), ["1"])


@table(
    "statuses, state",
    {
        "none is there": ({_OTHER: 404, _THIRD: 404}, "contradicted"),
        "one is there": ({_OTHER: 404, _THIRD: 200}, "moved"),
        "of one nobody knows": ({_OTHER: 404, _THIRD: 403}, "moved"),
        "all are there": ({_OTHER: 200, _THIRD: 200}, "moved"),
    },
)
def test_another_digest_is_a_contradiction_only_where_no_reported_one_is_there(
    statuses: dict[str, int], state: str
) -> None:
    proof, asked = _prove({"1": 200, **statuses}, _THIRD, _OTHER)
    said = f"the registry has {_THERE} under team/app:1, the tool reported {_OTHER}, {_THIRD}"
    rest = ", which is not there" if state == "contradicted" else ": the tag has moved since, or it names an index"
    assert (proof, asked) == (Proof(state, _THERE, said + rest), ["1", _OTHER, _THIRD])


@table(
    "status, proof",
    {
        "absent": (404, Proof("absent", "", "the registry has no team/app:1")),
        "unknown": (403, Proof("unknown", "", "the registry answered 403")),
    },
)
def test_of_a_tag_that_is_not_found_the_reported_digests_are_not_asked_for(status: int, proof: Proof) -> None:
    assert _prove({"1": status}, _OTHER) == (proof, ["1"])


def test_a_tag_whose_digest_nobody_names_proves_nothing() -> None:
    answers = {"HEAD": Answer(200), "GET": Answer(403)}
    with http_server(_of_manifests(answers)) as server:
        proof = prove(_entry(server.address), "team/app", "1", (_OTHER,), environ={}, new_secret=lambda _: None)
    assert proof == Proof("unknown", "", "the registry names no digest, and answered 403 to a GET")
