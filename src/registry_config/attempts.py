"""One command, and again after a transient failure as often as the user allowed."""

from __future__ import annotations

from registry_config.errors import EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    import tenacity

    from registry_config.results import CommandResult

_MAX_WAIT_SECONDS: Final = 60.0


class Attempts(NamedTuple):
    """How often a failed command is run.

    Attributes:
        retries: further attempts after a transient failure.
        any_failure: after every other failure too, but a refusal of the credential and a program that is not there.
        stopped: set where nothing more is to be begun; it also ends the wait between two attempts.
        announce: takes a line about each retry.
    """

    retries: int
    any_failure: bool
    stopped: threading.Event
    announce: Callable[[str], None]

    def run(self, command: Callable[[], CommandResult]) -> CommandResult:
        """The result of the last attempt, with the number of attempts."""
        import tenacity  # noqa: PLC0415  (only where retries are asked for)

        from registry_config.tools.transient import retry_after, transient_failure  # noqa: PLC0415

        growing = tenacity.wait_exponential_jitter(initial=1.0, max=_MAX_WAIT_SECONDS, jitter=1.0)

        def wait(state: tenacity.RetryCallState) -> float:
            return max(growing(state), retry_after(_result_of(state)))

        def announce(state: tenacity.RetryCallState) -> None:
            result = _result_of(state)
            reason = transient_failure(result) or f"exit code {result.exit_code}"
            self.announce(
                f"{result.program}: attempt {state.attempt_number} failed ({reason}); "
                f"running it again in {state.upcoming_sleep:.1f} s"
            )

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_result(self._may_pass),
            stop=tenacity.stop_after_attempt(self.retries + 1) | tenacity.stop_when_event_set(self.stopped),
            wait=wait,
            sleep=tenacity.sleep_using_event(self.stopped),
            before_sleep=announce,
            retry_error_callback=_result_of,
        )
        result: CommandResult = retrying(command)
        return result._replace(attempts=retrying.statistics["attempt_number"])

    def _may_pass(self, result: CommandResult) -> bool:
        from registry_config.tools.transient import is_refusal, transient_failure  # noqa: PLC0415

        if transient_failure(result):
            return True
        started = result.exit_code not in {0, EXIT_NOT_FOUND, EXIT_NOT_EXECUTABLE} and not result.problem
        return self.any_failure and started and not is_refusal(result)


def _result_of(state: tenacity.RetryCallState) -> CommandResult:
    assert state.outcome is not None  # noqa: S101  (asked only after an attempt)
    result: CommandResult = state.outcome.result()
    return result
