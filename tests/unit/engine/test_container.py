"""What a command in an image has printed, as it is shown; the engine itself is asked in tests/engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from registry_config.credentials.redaction import Redactor
from registry_config.engine.container import ImageWorkplace, Place
from registry_config.engine.image import Image
from registry_config.engine.image_user import ImageUser
from registry_config.plan import ImageSettings, Plan
from registry_config.script_outputs import NOTHING, ScriptOutputs
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    import dagger

    from registry_config.plan import Output


class _Container:
    """Answers every question with itself."""

    def __getattr__(self, name: str) -> Callable[..., _Container]:
        return lambda *_, **__: self


class _Collected:
    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.stdout = self.stderr = self.written.append


def _shown(code: int, stdout: str, stderr: str) -> tuple[bytes, list[bytes]]:
    """What is kept of both streams, and what is written, where a command ends so."""

    def answer(coroutine: Coroutine[Any, Any, Any]) -> tuple[int, str, str, ScriptOutputs]:
        coroutine.close()
        return code, stdout, stderr, NOTHING

    redactor = Redactor([b"password", b"0123456789abcdefghijklmnopqrstuvwxyz"])
    settings = ImageSettings("image", (), use_entrypoint=False, home="", exclude=(), excluded_files=())
    place = Place(settings, redactor, answer, lambda _: None, cast("Any", None))
    container = cast("dagger.Container", _Container())
    image = Image(container, ImageUser(0, 0, ""), (), "image")
    output = _Collected()
    plan = Plan((), ".", (), {}, {})
    workplace = ImageWorkplace(place, plan, image, cast("dagger.Directory", container), cast("Output", output))
    result = workplace.run(("tool",), ())
    return result.stdout.data + result.stderr.data, output.written


@table(
    "printed, shown",
    {
        "nothing": ("", b""),
        "a whole secret": ("a password\n", b"a ***\n"),
        "cut short": ("a passwo", b"a ***"),
        "cut shorter": ("a passw", b"a passw"),
        "cut before an end of line": ("a passwo\n", b"a ***\n"),
        "a long one, cut short": ("a 01234567", b"a ***"),
        "a long one, cut on both sides": ("a <fghijklm", b"a <***"),
        "something like it, in the middle": ("a passwo, b", b"a passwo, b"),
    },
)
def test_a_secret_that_the_end_of_the_output_cuts_short_is_hidden(printed: str, shown: bytes) -> None:
    written = [shown] if shown else []
    assert [_shown(0, printed, ""), _shown(137, "", printed)] == [(shown, written)] * 2
