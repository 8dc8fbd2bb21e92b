"""What a script wrote to its own `GITHUB_OUTPUT`, in the runner's format."""

from __future__ import annotations

import time

from registry_config.credentials.redaction import Redactor
from registry_config.script_outputs import MAX_BYTES, ScriptOutputs, parse_outputs
from support.tables import table

_REDACTOR = Redactor([b"the-password", b"the_secret_name"])


@table(
    "data, outputs",
    {
        "nothing": (b"", ScriptOutputs({})),
        "values": (b"a=1\nb_2-c=x=y\nempty=\n", ScriptOutputs({"a": "1", "b_2-c": "x=y", "empty": ""})),
        "the last one counts": (b"a=1\na=2\n", ScriptOutputs({"a": "2"})),
        "several lines": (b"a<<END\none\n\ntwo=2\nEND\nb=1", ScriptOutputs({"a": "one\n\ntwo=2", "b": "1"})),
        "an arrow in a value": (b"a=x<<y\n", ScriptOutputs({"a": "x<<y"})),
        "blank lines and CRLF": (b"\r\na=1\r\n\r\n", ScriptOutputs({"a": "1"})),
        "what ends no line to the runner": (
            "a=x\u2028b=1\x0bc=1\x0cd=1\x1ce=1\x85f=1\rg=1\n".encode(),
            ScriptOutputs({"a": "x\u2028b=1\x0bc=1\x0cd=1\x1ce=1\x85f=1\rg=1"}),
        ),
        "a malformed line": (
            b"a=1\nnothing\n",
            ScriptOutputs({"a": "1"}, ("outputs (line 2): is not NAME=VALUE; the line is left out",)),
        ),
        "a malformed name": (
            b"1a=1\na b=2\n",
            ScriptOutputs({}, tuple(f"outputs (line {n}): is not NAME=VALUE; the line is left out" for n in (1, 2))),
        ),
        "no end": (
            b"a=1\nb<<END\nx=1\n  END\n",
            ScriptOutputs(
                {"a": "1"},
                ("outputs (line 2): the line that ends this value is missing; all from here is left out",),
            ),
        ),
        "a secret": (
            b"a=see the-password\nb=1\n",
            ScriptOutputs({"b": "1"}, ("outputs (line 1): the value of a contains a secret; it is left out",)),
        ),
        "a secret as a name": (
            b"the_secret_name=1\nx-the_secret_name=2\n",
            ScriptOutputs({}, tuple(f"outputs (line {n}): its name contains a secret; it is left out" for n in (1, 2))),
        ),
        "not UTF-8": (b"a=\xff\n", ScriptOutputs({"a": "\ufffd"})),
        "as much as may be": (b"a=" + b"x" * (MAX_BYTES - 2), ScriptOutputs({"a": "x" * (MAX_BYTES - 2)})),
        "too much": (
            b"a=" + b"x" * (MAX_BYTES - 1),
            ScriptOutputs({}, ("outputs: the script wrote more than 1 MiB; none of them is taken",)),
        ),
    },
)
def test_what_a_script_wrote_is_read_as_the_runner_reads_it(data: bytes, outputs: ScriptOutputs) -> None:
    assert parse_outputs(data, _REDACTOR) == outputs


def test_many_values_of_several_lines_take_no_time_of_their_own() -> None:
    """Ten times as many, ten times as long, and not a hundred times."""

    def seconds(count: int) -> float:
        begun = time.process_time()
        assert parse_outputs(b"a<<b\nb\n" * count, Redactor([])) == ScriptOutputs({"a": ""})
        return time.process_time() - begun

    few = min(seconds(4000) for _ in range(3))
    assert seconds(40_000) < 30 * few
