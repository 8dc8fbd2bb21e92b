"""The credentials of entries without a password: obtained before the first command, and again when they run out.

A plan holds a placeholder for each of them, a credential without a secret; what stands for it is looked up for each
command.
"""

from __future__ import annotations

import threading
import time

from registry_config.credentials.web_token import moment_text
from registry_config.errors import RegistryConfigError
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from registry_config.credentials.providers.shape import IdTokenSource, NewSecret, Request
    from registry_config.credentials.reading import Credential
    from registry_config.credentials.redaction import Redactor
    from registry_config.declaration.registries import Purpose

# A credential with less left is obtained again before the next command.
_LEFT_SECONDS: Final = 300.0
_LEFT_PART: Final = 0.2
_HOUR: Final = 3600.0
_Key: TypeAlias = "tuple[str, str, frozenset[Purpose]]"


class HelperRequest(NamedTuple):
    """An entry whose credential comes from a program of this machine: its place, its registry, the helper's name."""

    place: str
    host: str
    helper: str


class KeylessEntry(NamedTuple):
    """An entry without a password.

    Attributes:
        placeholder: stands for its credential in plans.
        request: where that comes from.
    """

    placeholder: Credential
    request: Request | HelperRequest


class Wanted(NamedTuple):
    """What a job has no password for.

    Attributes:
        entries: of its declaration.
        source: where GitHub gives ID tokens.
        outside: folders in which no helper is looked for.
    """

    entries: tuple[KeylessEntry, ...]
    source: IdTokenSource
    outside: tuple[str, ...] = ()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be seen from the start: the ID tokens that were given, and the right to get others."""
        given = (entry.request.id_token for entry in self.entries if not isinstance(entry.request, HelperRequest))
        return (*filter(None, given), *filter(None, (self.source.request_token,)))


class Surroundings(NamedTuple):
    """What the providers and helpers are asked with, and who is told of what comes of it.

    Attributes:
        environ: for proxies and certificates.
        helper_environ: what helpers inherit: as the tools do, but no variable that holds a secret.
        new_secret: told of every secret before anything else is done with it.
        redactor: knows the secrets so far.
        say: takes a line for the log.
        warn: takes a warning.
        limit: how long a credential should last, the name of the input that says so and its seconds; None if none does.
    """

    environ: Mapping[str, str]
    helper_environ: Mapping[str, str]
    new_secret: NewSecret
    redactor: Redactor
    say: Callable[[str], None]
    warn: Callable[[str], None]
    limit: tuple[str, float] | None = None

    def __repr__(self) -> str:
        return "Surroundings(…)"


class _Held(NamedTuple):
    """User and secret, when they were obtained, and when they end (None: nobody says)."""

    username: str
    secret: str
    obtained: float
    expires: float | None

    def __repr__(self) -> str:
        return f"_Held({self.username!r}, ***, …)"


class Keyless:
    """Obtains the credentials of a run, and holds them. Safe to share between threads.

    Args:
        wanted: what there is no password for.
        around: what is asked with, and who is told.
    """

    def __init__(self, wanted: Wanted, around: Surroundings) -> None:
        self._entries = {_key(entry.placeholder): entry.request for entry in wanted.entries}
        self._wanted = wanted
        self._around = around
        self._held: dict[_Key, _Held] = {}
        self._lock = threading.Lock()

    def obtain(self) -> None:
        """Ask all providers, then run all helpers.

        Raises:
            ProviderRefusedError: one of them gives no credential.
            UnavailableError: one of them cannot be asked.
        """
        requests = {key: request for key, request in self._entries.items() if not isinstance(request, HelperRequest)}
        errors = self._exchange(requests)
        if errors:
            from registry_config.credentials.providers.exchange import all_failures  # noqa: PLC0415

            raise all_failures(list(errors.values()))
        for key, request in self._entries.items():
            if isinstance(request, HelperRequest):
                self._held[key] = self._from_helper(request)
        for key, request in requests.items():
            self._tell_expiry(self._held[key], request)

    def current(self, credentials: Iterable[Credential]) -> tuple[Credential, ...]:
        """The credentials with what stands for each placeholder, obtained again where it runs out.

        Raises:
            ProviderRefusedError: it has run out, and the provider refuses another one.
            UnavailableError: it has run out, and there is no other one.
        """
        wanted = tuple(credentials)
        with self._lock:
            self._refresh(map(_key, wanted))
            return tuple(map(self._filled, wanted))

    def _filled(self, credential: Credential) -> Credential:
        held = self._held.get(_key(credential))
        return credential._replace(username=held.username, secret=held.secret) if held else credential

    def _refresh(self, wanted: Iterable[_Key]) -> None:
        now = time.time()
        due: dict[_Key, Request] = {}
        for key in wanted:
            request = self._entries.get(key)
            if request is None or isinstance(request, HelperRequest) or request.id_token is not None:
                continue
            if runs_out(self._held[key].obtained, self._held[key].expires, now):
                due[key] = request
        for key, error in self._exchange(due).items():
            held = self._held[key]
            if held.expires is None or held.expires <= time.time():
                raise error
            self._around.warn(f"{error}; the credential at hand is used until {moment_text(held.expires)}")

    def _exchange(self, requests: Mapping[_Key, Request]) -> dict[_Key, RegistryConfigError]:
        """Ask the providers, keep what they give, and give what failed."""
        if not requests:
            return {}
        from registry_config.credentials.providers.exchange import exchange_all  # noqa: PLC0415  (slow)

        around = self._around
        now = time.time()
        outcomes = exchange_all(list(requests.values()), self._wanted.source, around.environ, around.new_secret)
        failed = {}
        for key, outcome in zip(requests, outcomes, strict=True):
            if isinstance(outcome, RegistryConfigError):
                failed[key] = outcome
            else:
                self._held[key] = _Held(outcome.username, outcome.secret, now, outcome.expires)
        return failed

    def _from_helper(self, request: HelperRequest) -> _Held:
        from registry_config.credentials.helper import ask_helper  # noqa: PLC0415  (subprocess)

        around = self._around
        login = ask_helper(
            request.place,
            request.helper,
            request.host,
            around.helper_environ,
            outside=self._wanted.outside,
            redactor=around.redactor,
        )
        around.new_secret(*login)
        return _Held(*login, time.time(), None)

    def _tell_expiry(self, held: _Held, request: Request) -> None:
        registry, ends = request.host, held.expires
        if ends is None:
            self._around.say(f"{registry}: credential from {request.provider}, which does not say when it expires")
            return
        self._around.say(f"{registry}: credential from {request.provider}, expires {moment_text(ends)}")
        left = ends - time.time()
        if left <= 0:
            self._around.warn(f"{registry}: its credential has expired already; is the clock of this machine right?")
        elif self._around.limit is not None and left < self._around.limit[1]:
            self._around.warn(
                f"{registry}: its credential expires in {left:.0f} s, sooner than '{self._around.limit[0]}'"
            )
        elif request.id_token is not None and left < _HOUR:
            self._around.warn(
                f"{registry}: its credential expires in {left / 60:.0f} minutes, and with 'id-token-env' it cannot be "
                "obtained again"
            )
        elif request.provider == "google" and not request.settings.get("service-account"):
            self._around.warn(
                f"{registry}: without 'service-account' its credential lasts about five minutes, also for a command "
                "that runs longer; set it for an hour"
            )


def runs_out(obtained: float, expires: float | None, now: float) -> bool:
    """Whether under five minutes, or a fifth of its life, are left of a credential; moments in seconds since 1970."""
    return expires is not None and expires - now < max(_LEFT_SECONDS, (expires - obtained) * _LEFT_PART)


def _key(credential: Credential) -> _Key:
    """What a credential is told by, whatever stands in it."""
    return credential.host, credential.path, credential.purposes
