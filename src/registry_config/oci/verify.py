"""`verify`: ask the registries, before anything runs, whether the credentials are good and may do what is needed.

Slow to import: import it where verify is on.
"""

from __future__ import annotations

import threading
import time
from functools import partial

from registry_config.credentials.web_token import expiry, moment_text
from registry_config.http.background import in_background
from registry_config.http.client import Client
from registry_config.http.messages import HttpError
from registry_config.light_typing import TYPE_CHECKING, Final
from registry_config.oci import permission
from registry_config.oci.access import Access, Outcome, unanswered
from registry_config.oci.advice import advice
from registry_config.oci.entry import DENIED, LOGIN, NOT_PROVABLE, REJECTED, VERIFIED, Row, Settled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from registry_config.oci.entry import Entry

SECONDS: Final = 60.0
MAX_PARALLEL: Final = 16
_ANYBODY: Final = "this registry does not refuse a wrong one at the login"


def verify(entries: Sequence[Entry], environ: Mapping[str, str], new_secret: Callable[[str], None]) -> list[Row]:
    """Ask every registry, sixteen of them in parallel.

    Args:
        entries: each with what the command needs of it; without, its login alone is asked for.
        environ: for proxies and certificates.
        new_secret: told every token of a token server as soon as it is there, by one thread at a time.

    Returns:
        For each entry, in their order, the row of its login and one for each repository; none of these after a
        rejected login.
    """
    lock, turns = threading.Lock(), threading.Semaphore(MAX_PARALLEL)

    def tell(secret: str) -> None:
        with lock:
            new_secret(secret)

    def work(entry: Entry) -> list[Row]:
        with turns:
            return _ask(entry, environ, tell)

    outcomes = [in_background(partial(work, entry)) for entry in entries]
    return [row for outcome in outcomes for row in outcome.result()]


def _ask(entry: Entry, environ: Mapping[str, str], new_secret: Callable[[str], None]) -> list[Row]:
    client = Client(environ, seconds=SECONDS, authorities=entry.authorities, plain_http=entry.plain_http)
    try:
        return _rows(Access(client, entry, new_secret), entry)
    finally:
        client.close()


def _rows(access: Access, entry: Entry) -> list[Row]:
    failed = _outcome(access.greet)
    if failed:
        row = _row(access, entry, LOGIN, failed)
        return [row, *(row._replace(repository=probe.repository, action=probe.action) for probe in entry.probes)]
    login = _outcome(access.login) or Outcome(VERIFIED)
    if login.verdict == REJECTED:
        return [_row(access, entry, LOGIN, login)]
    rows = []
    for probe in entry.probes:
        outcome = _outcome(partial(permission.check, access, probe)) or Outcome(VERIFIED)
        if outcome.verdict == DENIED and login.verdict == NOT_PROVABLE:
            outcome = outcome._replace(problem=f"{outcome.problem}; the credential itself may be wrong: {_ANYBODY}")
        rows.append(_row(access, entry, probe.action, outcome, probe.repository))
        granted = outcome.verdict == VERIFIED and login.verdict == NOT_PROVABLE
        if granted and permission.proves_credential(access, probe):
            login = Outcome(VERIFIED)
    return [_row(access, entry, LOGIN, login), *rows]


def _outcome(ask: Callable[[], None]) -> Outcome | None:
    """What ended the questions; None if nothing did."""
    try:
        ask()
    except Settled as settled:
        return Outcome(settled.verdict, settled.problem, settled.remedy)
    except HttpError as error:
        return unanswered(error)
    return None


def _row(access: Access, entry: Entry, action: str, outcome: Outcome, repository: str = "") -> Row:
    if outcome.verdict == VERIFIED:
        return Row(entry.registry, repository, action, VERIFIED)
    remedy = outcome.remedy or advice(access.kind, outcome.verdict, action, repository, job_token=entry.job_token)
    problem = outcome.problem
    if outcome.verdict in (REJECTED, DENIED) and (expired := expiry(entry.secret)) and expired < time.time():
        problem += f"; the credential itself says that it expired at {moment_text(expired)}"
    return Row(entry.registry, repository, action, outcome.verdict, f"{problem}; {remedy}")
