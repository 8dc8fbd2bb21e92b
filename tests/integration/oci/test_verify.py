"""Verdicts about real registries, and what these were asked for them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from registry_config.oci.entry import Probe
from registry_config.oci.verify import verify

if TYPE_CHECKING:
    from support.places import Place, Places

_PULL = Probe("team/app", "pull", "1.0")
_PUSH = Probe("team/app", "push", "1.0")
_FOREIGN = "password-of-another-registry-1"

# Registry, user, another password than the user's: verdicts of the login, a pull, a push.
_CASES = [
    ("htpasswd", "alice", "", ("verified", "verified", "verified")),
    ("htpasswd", "alice", "wrong-password-1", ("rejected",)),
    ("htpasswd", "carol", "", ("rejected",)),
    ("htpasswd", "alice", _FOREIGN, ("rejected",)),
    ("strict", "alice", "", ("verified", "verified", "verified")),
    ("strict", "bob", "", ("verified", "verified", "denied")),
    ("strict", "alice", "wrong-password-1", ("rejected",)),
    ("strict", "carol", "", ("rejected",)),
    ("strict", "alice", _FOREIGN, ("rejected",)),
    ("posting", "alice", "", ("verified", "verified", "verified")),
    ("posting", "bob", "", ("verified", "verified", "denied")),
    ("posting", "alice", "wrong-password-1", ("rejected",)),
    # Only what is refused to everybody else shows that the credential is good.
    ("degrading", "alice", "", ("verified", "verified", "verified")),
    ("degrading", "bob", "", ("verified", "verified", "denied")),
    ("degrading", "alice", "wrong-password-1", ("not-provable", "denied", "denied")),
    ("degrading", "carol", "", ("not-provable", "denied", "denied")),
    ("open", "alice", "", ("not-provable", "verified", "verified")),
    ("open", "alice", "wrong-password-1", ("not-provable", "verified", "verified")),
]


def _place(places: Places, name: str) -> Place:
    place: Place = getattr(places, name)
    return place


@pytest.mark.parametrize("case", _CASES)
def test_the_verdict_is_right_and_the_budget_is_kept(
    places: Places, told: list[str], case: tuple[str, str, str, tuple[str, ...]]
) -> None:
    name, user, password, verdicts = case
    place = _place(places, name)
    before, kept = place.mark(), (place.uploads(), place.stored())
    rows = verify([place.entry(_PULL, _PUSH, user=user, password=password)], {}, told.append)
    assert tuple(row.verdict for row in rows) == verdicts
    assert [row.action for row in rows] == ["login", "pull", "push"][: len(rows)]
    assert [bool(row.reason) for row in rows] == [row.verdict != "verified" for row in rows]
    assert before.total() <= 5 + 6 * (len(rows) - 1)
    assert sum(line.startswith("POST") for line in before.asked()) <= 1
    # Without the right to delete, Distribution leaves an upload to its own purge.
    left = int(name not in ("htpasswd", "open") and rows[-1].action == "push" and rows[-1].verdict == "verified")
    assert (place.uploads(), place.stored()) == (kept[0] + left, kept[1])


@pytest.mark.parametrize("name", ["htpasswd", "open", "strict", "degrading", "posting"])
def test_a_login_takes_at_most_five_requests_and_opens_nothing(places: Places, told: list[str], name: str) -> None:
    place = _place(places, name)
    before, kept = place.mark(), (place.uploads(), place.stored())
    (row,) = verify([place.entry()], {}, told.append)
    assert (row.registry, row.repository, row.action) == (place.registry.address, "", "login")
    assert before.total() <= 5
    assert {line.split()[0] for line in before.asked()} == {"GET"}
    assert (place.uploads(), place.stored()) == kept


def test_a_push_only_entry_of_an_honest_registry_takes_three_requests(places: Places, told: list[str]) -> None:
    before = places.strict.mark()
    verify([places.strict.entry(_PUSH)], {}, told.append)
    repository = [line.split("?")[0].rpartition("/")[0] for line in before.asked() if "team/app" in line]
    assert repository == ["POST /v2/team/app/blobs/uploads", "DELETE /v2/team/app/blobs/uploads"]
    assert len(before.asked_tokens()) == 3


def test_no_repository_is_made(places: Places, told: list[str]) -> None:
    place = places.htpasswd
    rows = verify([place.entry(Probe("nobody/knows", "push"))], {}, told.append)
    assert [row.verdict for row in rows] == ["verified", "verified"]
    with place.registry.get("/v2/_catalog") as answer:
        assert "nobody/knows" not in json.load(answer)["repositories"]


def test_every_token_is_told_and_nothing_else(places: Places, told: list[str]) -> None:
    before = places.strict.mark()
    verify([places.strict.entry(_PULL)], {}, told.append)
    assert len(told) == 2
    assert all(token.count(".") == 2 for token in told)
    assert len(before.asked_tokens()) == 3


def test_what_a_registry_says_comes_in_one_line_of_printable_characters(places: Places, told: list[str]) -> None:
    (row,) = verify([places.strict.entry(password="wrong-password-1")], {}, told.append)
    assert row.reason.isprintable()
    assert "401 (UNAUTHORIZED: authentication required [31m ::error::)" in row.reason


def test_no_registry_gets_what_is_for_another(places: Places, told: list[str]) -> None:
    """Both are asked at the same time, each with a password of its own."""
    before = places.strict.mark(), places.degrading.mark()
    verify([places.strict.entry(_PULL), places.degrading.entry(_PULL, user="bob")], {}, told.append)
    sent = [{one.authorization for one in mark.asked_tokens()} - {None} for mark in before]
    assert [len(values) for values in sent] == [1, 1]
    assert not sent[0] & sent[1]
