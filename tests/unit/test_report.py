"""What came of a run: outputs and the `--json` document."""

from __future__ import annotations

import json

from registry_config.credentials.redaction import Redactor
from registry_config.errors import InputError
from registry_config.report import Report, TargetReport, make_report
from registry_config.results import TAIL_BYTES, CommandResult, PlanResult, RunNotes, Tail, TargetResult
from support.tables import table

_A = f"sha256:{'a' * 64}"
_B = f"sha256:{'b' * 64}"
_NOTE = "[the beginning was cut: only the last 64 KiB are kept]\n"
_NO_NOTES = RunNotes()
_DIFFER = "the targets report different digests: they do not hold the same artifact"


def _command(words: str, code: int = 0, stdout: bytes = b"", stderr: bytes = b"", problem: str = "") -> CommandResult:
    tails = Tail(), Tail()
    for tail, data in zip(tails, (stdout, stderr), strict=True):
        tail.write(data)
    return CommandResult(tuple(words.split()), code, *tails, problem=problem)


def _ran(*commands: CommandResult, target: str = "", signal_number: int = 0) -> TargetResult:
    return TargetResult(target, PlanResult(commands, signal_number), attempts=1, seconds=1.5)


def _report(*results: TargetResult, notes: RunNotes = _NO_NOTES) -> Report:
    return make_report(results, Redactor([b"password"]), ("a.example",), notes)


_REFUSED = _command("helm pull oci://b.example/x", 1, stderr=b"GET https://b.example/v2/: 401 Unauthorized")
_HINTS = (
    "credentials were given for no registry",
    "the tool asked b.example, which is not among them: add an entry for it",
)


@table(
    "result, expected",
    {
        "all went well": (
            _ran(_command("oras push x", stdout=f"Digest: {_A}\n".encode()), _command("echo ä b")),
            TargetReport(exit_code=0, digests=(_A,), commands=("oras push x", "echo 'ä' b")),
        ),
        "the last one failed": (
            _ran(_command("echo a"), _command("false", 3)),
            TargetReport(
                exit_code=3, state="failed", reason="the command failed with exit code 3", commands=("echo a", "false")
            ),
        ),
        "credentials were refused": (
            _ran(_REFUSED),
            TargetReport(
                exit_code=1,
                state="failed",
                reason="the command failed with exit code 1",
                hints=_HINTS,
                commands=("helm pull oci://b.example/x",),
            ),
        ),
        "it could not be started": (
            _ran(_command("helmm", 127, problem="helmm: no such program")),
            TargetReport(exit_code=127, state="failed", reason="helmm: no such program", commands=("helmm",)),
        ),
        "interrupted before anything ran": (
            _ran(signal_number=15),
            TargetReport(exit_code=143, state="failed", reason="ended by signal 15"),
        ),
        "interrupted between two commands": (
            _ran(_command("a"), signal_number=2),
            TargetReport(exit_code=130, state="failed", reason="ended by signal 2", commands=("a",)),
        ),
        "refused": (
            TargetResult("x", None, attempts=1, seconds=1.5, error=InputError("here", "wrong password", "fix it")),
            TargetReport(target="x", exit_code=64, state="failed", reason="here: wrong ***; fix it"),
        ),
        "refused at the second attempt": (
            TargetResult("x", PlanResult((_command("a", 1),)), 1, 1.5, InputError("here", "wrong")),
            TargetReport(target="x", exit_code=64, state="failed", reason="here: wrong", commands=("a",)),
        ),
        "never begun": (
            TargetResult("x", None, attempts=0, seconds=1.5),
            TargetReport(
                target="x", attempts=0, state="not-started", reason="not started, because another target failed"
            ),
        ),
        "a secret in the reason": (
            _ran(_command("a", 127, problem="password: no such program")),
            TargetReport(exit_code=127, state="failed", reason="***: no such program", commands=("a",)),
        ),
    },
)
def test_a_result_becomes_the_report_of_its_target(result: TargetResult, expected: TargetReport) -> None:
    assert _report(result).targets == (expected._replace(attempts=result.attempts, seconds=1.5),)


def test_what_the_runner_has_to_tell_is_in_the_report() -> None:
    notes = RunNotes(hidden_hosts=frozenset({"b.example"}), image=f"a.example/helm@{_A}", warnings=("no", "yes"))
    report = _report(_ran(_REFUSED), notes=notes)
    hidden = "your own Docker config has a login for b.example, hidden here: keep-logins would show it"
    assert report.targets[0].hints == (*_HINTS, hidden)
    assert (report.image, report.warnings) == (f"a.example/helm@{_A}", ("no", "yes"))


@table(
    "written, stdout",
    {
        "nothing": ([], ""),
        "all that fits": ([b"x" * TAIL_BYTES], "x" * TAIL_BYTES),
        "one byte more": ([b"y" + b"x" * TAIL_BYTES], _NOTE + "x" * TAIL_BYTES),
        "over two commands": ([b"y" * TAIL_BYTES, b"x" * 10], _NOTE + "y" * (TAIL_BYTES - 10) + "x" * 10),
        "a wide character cut": ([b"\xc3\xa4" + b"x" * (TAIL_BYTES - 1)], _NOTE + "\ufffd" + "x" * (TAIL_BYTES - 1)),
        "much more": ([b"y" * TAIL_BYTES * 3 + b"x" * TAIL_BYTES, b""], _NOTE + "x" * TAIL_BYTES),
        "pieces that make a secret together": ([b"pass", b"word\xff\n"], "***\ufffd\n"),
    },
)
def test_the_end_of_stdout_is_kept_and_says_when_it_was_cut(written: list[bytes], stdout: str) -> None:
    together = _ran(*(_command("a", stdout=data) for data in written))
    apart = [_ran(_command("a", stdout=data), target=str(n)) for n, data in enumerate(written)]
    assert (_report(together).stdout, _report(*apart).stdout) == (stdout, stdout)


def test_a_warning_of_a_command_names_its_target() -> None:
    warned = _command("a")._replace(warnings=("look",))
    assert _report(_ran(warned), _ran(warned, target="x")).warnings == ("look", "x: look")


def _pushed(target: str, digest: str, code: int = 0) -> TargetResult:
    return _ran(_command("oras push", code, stdout=f"Digest: {digest}\n".encode()), target=target)


@table(
    "results, warnings",
    {
        "the same": ([_pushed("x", _A), _pushed("y", _A)], ()),
        "different": ([_pushed("x", _A), _pushed("y", _B)], (_DIFFER,)),
        "different, but one failed": ([_pushed("x", _A), _pushed("y", _B, code=1)], ()),
        "one without": ([_pushed("x", _A), _ran(_command("a"), target="y")], ()),
        "no targets": ([_pushed("", _A)], ()),
    },
)
def test_targets_that_hold_different_artifacts_are_warned_of(
    results: list[TargetResult], warnings: tuple[str, ...]
) -> None:
    assert _report(*results).warnings == warnings


_DONE = TargetReport("x", "", "done", 0, (_A,), attempts=1, seconds=1.23456, commands=("a",))
_FAILED = TargetReport(
    "y", "", "failed", 7, (_B, _A), attempts=3, seconds=2.0, reason="it failed", hints=("one", "two")
)
_FAILED_TOO = _FAILED._replace(target="w", exit_code=9)
_STOPPED = TargetReport("z", "", "not-started", reason="not started")


@table(
    "targets, exit_code, digests, failed",
    {
        "nothing ran": ((), None, (), ()),
        "one": ((_DONE,), 0, (_A,), ()),
        "the first that failed": ((_DONE, _FAILED, _FAILED_TOO), 7, (_A, _B), (_FAILED, _FAILED_TOO)),
        "one was never begun": ((_STOPPED, _FAILED), 7, (_B, _A), (_STOPPED, _FAILED)),
        "none was begun": ((_STOPPED,), None, (), (_STOPPED,)),
    },
)
def test_a_report_sums_up_its_targets(
    targets: tuple[TargetReport, ...],
    exit_code: int | None,
    digests: tuple[str, ...],
    failed: tuple[TargetReport, ...],
) -> None:
    report = Report(targets)
    assert (report.exit_code, report.digests, report.failed) == (exit_code, digests, failed)


_PAIR: dict[str, object] = {"file": "", "state": "done", "outputs": {}}
_NOTHING = {
    "exit-code": "",
    "stdout": "",
    "digest": "",
    "digests": "[]",
    "results": "[]",
    "skipped": "false",
    "verify": "[]",
    "outputs": "{}",
}
_DONE_OBJECT: dict[str, object] = {
    "target": "x",
    "exit-code": 0,
    "digest": _A,
    "attempts": 1,
    "seconds": 1.235,
    "reason": "",
} | _PAIR
_FAILED_OBJECT: dict[str, object] = {
    "target": "y",
    "exit-code": 7,
    "digest": "",
    "attempts": 3,
    "seconds": 2.0,
    "reason": "it failed; one; two",
    **_PAIR,
    "state": "failed",
}


_ORDER = ("target", "file", "state", "exit-code", "digest", "attempts", "seconds", "reason", "outputs")


def _in_order(rows: list[dict[str, object]]) -> str:
    return json.dumps([{key: row[key] for key in _ORDER} for row in rows])


@table(
    "report, outputs",
    {
        "nothing ran": (Report(error="x"), _NOTHING),
        "skipped": (Report(skipped=True, error="x"), {**_NOTHING, "skipped": "true"}),
        "one": (
            Report((_DONE,), "ä\n"),
            {
                "exit-code": "0",
                "stdout": "ä\n",
                "digest": _A,
                "digests": json.dumps([_A]),
                "results": _in_order([_DONE_OBJECT]),
                "skipped": "false",
                "verify": "[]",
                "outputs": "{}",
            },
        ),
        "several": (
            Report((_DONE, _FAILED)),
            {
                "exit-code": "7",
                "stdout": "",
                "digest": "",
                "digests": json.dumps([_A, _B]),
                "results": _in_order([_DONE_OBJECT, _FAILED_OBJECT]),
                "skipped": "false",
                "verify": "[]",
                "outputs": "{}",
            },
        ),
    },
)
def test_outputs_are_texts(report: Report, outputs: dict[str, str]) -> None:
    assert report.outputs() == outputs


@table(
    "report, document",
    {
        "nothing ran": (
            Report(error="x: y"),
            {
                "ran": False,
                "exit-code": None,
                "stdout": "",
                "digest": "",
                "digests": [],
                "results": [],
                "skipped": False,
                "verify": [],
                "outputs": {},
                "error": "x: y",
            },
        ),
        "ran": (
            Report((_DONE,), "ä\n"),
            {
                "ran": True,
                "exit-code": 0,
                "stdout": "ä\n",
                "digest": _A,
                "digests": [_A],
                "results": [_DONE_OBJECT],
                "skipped": False,
                "verify": [],
                "outputs": {},
                "error": None,
            },
        ),
        "several": (
            Report((_FAILED, _STOPPED, _DONE)),
            {
                "ran": True,
                "exit-code": 7,
                "stdout": "",
                "digest": "",
                "digests": [_B, _A],
                "results": [
                    _FAILED_OBJECT,
                    {
                        "target": "z",
                        "exit-code": None,
                        "digest": "",
                        "attempts": 0,
                        "seconds": 0.0,
                        "reason": "not started",
                        **_PAIR,
                        "state": "not-started",
                    },
                    _DONE_OBJECT,
                ],
                "skipped": False,
                "verify": [],
                "outputs": {},
                "error": "it failed\nnot started",
            },
        ),
    },
)
def test_the_document_has_the_outputs_by_their_names_and_what_went_wrong(
    report: Report, document: dict[str, object]
) -> None:
    assert report.to_document() == document
    assert list(document) == ["ran", *report.outputs(), "error"]


def test_a_digest_that_is_a_secret_and_a_warning_with_one_are_hidden() -> None:
    """Of a digest the summary shows the beginning alone, which no redaction would find."""
    secret = "0123456789abcdef" * 4
    command = _command("skopeo copy --digestfile d")._replace(file_digests=(f"sha256:{secret}",))
    notes = RunNotes(warnings=(f"see {secret}",))
    report = make_report((_ran(command),), Redactor([secret.encode()]), ("a.example",), notes)
    assert (report.digests, report.warnings) == (("sha256:***",), ("see ***",))
