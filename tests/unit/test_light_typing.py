"""The named tuples of the package are those of `typing`, but for what a type checker alone reads."""

from __future__ import annotations

import typing

import pytest

from registry_config import light_typing


class _Light(light_typing.NamedTuple):
    """What it is."""

    first: int
    second: str = "2"

    @property
    def both(self) -> str:
        return f"{self.first}{self.second}"

    @classmethod
    def of(cls, first: int) -> _Light:
        return cls(first)


def test_a_named_tuple_is_made_compared_and_changed_like_that_of_typing() -> None:
    class Typed(typing.NamedTuple):
        first: int
        second: str = "2"

    light, typed = _Light(1), Typed(1)
    assert (tuple(light), tuple(light._replace(first=3))) == (tuple(typed), tuple(typed._replace(first=3)))
    assert (light._fields, light._asdict(), light._field_defaults) == (
        typed._fields,
        typed._asdict(),
        typed._field_defaults,
    )
    assert (repr(light), _Light.__module__, _Light.__doc__) == ("_Light(first=1, second='2')", __name__, "What it is.")


def test_its_methods_are_its_own() -> None:
    assert (_Light.of(1).both, _Light(1, "3").both) == ("12", "13")


def test_a_field_without_a_default_has_to_be_given() -> None:
    with pytest.raises(TypeError, match="first"):
        _Light()  # type: ignore[call-arg]
