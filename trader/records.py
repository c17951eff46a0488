"""Records: the standard library's dataclasses, without their price at import.

`dataclasses.dataclass` writes the source of six functions for each class and compiles it when the
class is made: for the hundred classes of a cold start that is half of the way to its first line of
work. Here comparing, hashing, showing and refusing to change are closures over the names of the
fields, and only `__init__`, whose speed counts, is compiled: when the first object of its class is
made, which most classes of a run never see. `dataclasses.fields`, `replace` and `asdict` take these
classes as their own. Lives here: `dataclass`. Must not live here: any record.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, FrozenInstanceError, field
from operator import attrgetter
from reprlib import recursive_repr
from typing import Any, TypeVar, cast, dataclass_transform, overload

Made = TypeVar("Made")
Fields = Sequence[Field[Any]]


@overload
def dataclass(cls: type[Made], /) -> type[Made]: ...
@overload
def dataclass(
    *, frozen: bool = False, slots: bool = False
) -> Callable[[type[Made]], type[Made]]: ...
@dataclass_transform(field_specifiers=(field,))
def dataclass(
    cls: type[Made] | None = None, /, *, frozen: bool = False, slots: bool = False
) -> type[Made] | Callable[[type[Made]], type[Made]]:
    """`dataclasses.dataclass` with the two of its options that are used in this program."""
    if cls is None:
        return lambda given: _record(given, frozen=frozen, slots=slots)
    return _record(cls, frozen=frozen, slots=slots)


def _record(cls: type[Made], *, frozen: bool, slots: bool) -> type[Made]:
    own = frozenset(vars(cls))  # what a class writes itself stays
    made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls)
    fields = dataclasses.fields(cast("Any", made))
    names = tuple(one.name for one in fields)
    methods = _comparing(names) | _showing([one.name for one in fields if one.repr])
    if frozen:
        methods |= _keeping(made, names)
    else:
        methods["__hash__"] = None
    if frozen and slots:
        methods |= _carrying(names)
    methods["__init__"] = _first_init(made, fields, frozen=frozen, slots=slots)
    for name, method in methods.items():
        if name not in own:
            setattr(made, name, method)
    return made


def _comparing(names: Sequence[str]) -> dict[str, Any]:
    """Equal when of one class and equal in each field; the hash is that of the fields."""
    values: Callable[[Any], Any] = attrgetter(*names) if len(names) > 1 else _few(names)

    def equal(self: Any, other: Any) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return values(self) == values(other)

    def hash_of(self: Any) -> int:
        return hash(values(self))

    return {"__eq__": equal, "__hash__": hash_of}


def _few(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """A tuple of one field or none, which `attrgetter` does not give."""
    return lambda self: tuple(getattr(self, name) for name in names)


def _showing(names: Sequence[str]) -> dict[str, Any]:
    @recursive_repr()
    def show(self: Any) -> str:
        told = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{self.__class__.__qualname__}({told})"

    return {"__repr__": show}


def _keeping(made: type[Any], names: Sequence[str]) -> dict[str, Any]:
    """Fields are set once, by `__init__`; a subclass that is no record may have others."""
    kept = frozenset(names)

    def assign(self: Any, name: str, value: Any) -> None:
        if type(self) is made or name in kept:
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        super(made, self).__setattr__(name, value)

    def delete(self: Any, name: str) -> None:
        if type(self) is made or name in kept:
            raise FrozenInstanceError(f"cannot delete field {name!r}")
        super(made, self).__delattr__(name)

    return {"__setattr__": assign, "__delattr__": delete}


def _carrying(names: Sequence[str]) -> dict[str, Any]:
    """For pickle and copy, which would set the slots one by one."""

    def state_of(self: Any) -> list[Any]:
        return [getattr(self, name) for name in names]

    def take_state(self: Any, state: Sequence[Any]) -> None:
        for name, value in zip(names, state, strict=True):
            object.__setattr__(self, name, value)

    return {"__getstate__": state_of, "__setstate__": take_state}


def _first_init(
    made: type[Any], fields: Fields, *, frozen: bool, slots: bool
) -> Callable[..., None]:
    """An `__init__` that makes the real one, puts it into its own place, and calls it."""

    def first(self: Any, *given: Any, **named: Any) -> None:
        if made.__init__ is first:
            made.__init__ = _compiled_init(made, fields, frozen=frozen, slots=slots)
        made.__init__(self, *given, **named)

    return first


def _compiled_init(
    made: type[Any], fields: Fields, *, frozen: bool, slots: bool
) -> Callable[..., None]:
    names: dict[str, Any] = {"MISSING": MISSING, "put": object.__setattr__}
    taken, lines = ["self"], list[str]()
    for one in fields:
        name, value = one.name, one.name
        if one.default is not MISSING:
            names[f"default_{name}"] = one.default
            taken.append(f"{name}=default_{name}")
        elif one.default_factory is not MISSING:
            names[f"make_{name}"] = one.default_factory
            taken.append(f"{name}=MISSING")
            value = f"make_{name}() if {name} is MISSING else {name}"
        else:
            taken.append(name)
        if not frozen:
            lines.append(f"self.{name} = {value}")
        elif slots:
            names[f"put_{name}"] = getattr(made, name).__set__
            lines.append(f"put_{name}(self, {value})")
        else:
            lines.append(f"put(self, {name!r}, {value})")
    if hasattr(made, "__post_init__"):
        lines.append("self.__post_init__()")
    body = "\n ".join(lines or ["pass"])
    exec(  # noqa: S102 - of names of fields, which Python has read as identifiers
        f"def __init__({', '.join(taken)}):\n {body}", names
    )
    init = names["__init__"]
    init.__qualname__ = f"{made.__qualname__}.__init__"
    return init
