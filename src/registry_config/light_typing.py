"""The names of `typing` that a plain run needs, without its import: a tenth of what such a run takes to start.

Annotations are never read at run time, so most names mean nothing there, and a named tuple needs no types. A type
checker takes all of them from `typing`.
"""

from __future__ import annotations

from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any, Final, Literal, NamedTuple, NoReturn, Protocol, TypeAlias
else:

    class _Name:
        def __class_getitem__(cls, _: object) -> type:
            return cls

    class _Definition(type):
        def __new__(cls, name: str, _bases: tuple[type, ...], members: dict[str, object]) -> type[tuple[object, ...]]:
            """Make a subclass of `tuple`: its fields are the annotated members, all else is taken over."""
            fields = members.pop("__annotations__", {})
            defaults = [members.pop(field) for field in fields if field in members]
            made = namedtuple(name, fields, defaults=defaults, module=members["__module__"])  # noqa: PYI024
            for key, value in members.items():
                setattr(made, key, value)
            return made

    IO = Any = Final = Literal = NoReturn = TypeAlias = _Name
    NamedTuple = type.__new__(_Definition, "NamedTuple", (), {})
    Protocol = object

__all__ = ["IO", "TYPE_CHECKING", "Any", "Final", "Literal", "NamedTuple", "NoReturn", "Protocol", "TypeAlias"]
