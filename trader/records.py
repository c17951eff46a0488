"""Records: the standard library's dataclasses, without their price at import.

`dataclasses.dataclass` writes the source of six functions for each class and compiles it when the
class is made: for the hundred classes of a cold start that is half of the way to its first line of
work. Here comparing, hashing, showing and refusing to change are closures over the names of the
fields, and only `__init__`, whose speed counts, is compiled: when a class has made its first few
objects, which most classes of a run never do. The standard library's module is not even imported
(it brings a parser and a disassembler along), but its `fields`, `replace` and `asdict` take these
classes as their own. Lives here: `dataclass`, `field`, `replace`, with the options that are used in
this program. Must not live here: any record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from reprlib import recursive_repr
from typing import Any, Literal, TypeVar, cast, dataclass_transform, overload

Value = TypeVar("Value")
Made = TypeVar("Made")
_NOTHING: Any = object()
# Objects of a class that are made before its `__init__` is compiled, which costs as much as thirty.
FEW = 8


class Part:
    """What is known of a field besides its name: its default, or what makes one."""

    __slots__ = ("default", "factory", "inner", "shown")

    def __init__(self, default: Any, factory: Any, *, shown: bool, inner: bool = False) -> None:
        """`shown`: whether `repr` tells it. `inner`: see `inner`."""
        self.default = default
        self.factory = factory
        self.shown = shown
        self.inner = inner


@overload
def field(*, default: Value, shown: bool = True) -> Value: ...
@overload
def field(*, default_factory: Callable[[], Value], shown: bool = True) -> Value: ...
def field(*, default: Any = _NOTHING, default_factory: Any = _NOTHING, shown: bool = True) -> Any:
    """`dataclasses.field`: a default, or what makes one for each record. `shown`: whether `repr`
    tells it, which it must not of a secret."""
    return Part(default, default_factory, shown=shown)


def inner(*, default_factory: Callable[[], Value], init: Literal[False] = False) -> Value:
    """What a record keeps for itself: neither given to it nor compared, shown or handed on by
    `replace`. `init` is how type checkers are told."""
    made: Any = Part(_NOTHING, default_factory, shown=init, inner=True)
    return made


def replace(record: Made, /, **changes: Any) -> Made:
    """`dataclasses.replace`: the same record, but for some of its fields."""
    kind: Any = record.__class__
    same = {name: getattr(record, name) for name in kind.__match_args__ if name not in changes}
    return kind(**same, **changes)


@overload
def dataclass(cls: type[Made], /) -> type[Made]: ...
@overload
def dataclass(
    *, frozen: bool = False, slots: bool = False
) -> Callable[[type[Made]], type[Made]]: ...
@dataclass_transform(field_specifiers=(field, inner))
def dataclass(
    cls: type[Made] | None = None, /, *, frozen: bool = False, slots: bool = False
) -> type[Made] | Callable[[type[Made]], type[Made]]:
    """`dataclasses.dataclass`."""
    if cls is None:
        return lambda given: _record(given, frozen=frozen, slots=slots)
    return _record(cls, frozen=frozen, slots=slots)


def _record(cls: type[Made], *, frozen: bool, slots: bool) -> type[Made]:
    own = dict(vars(cls))  # what a class writes itself stays
    if own.get("__hash__", _NOTHING) is None:
        del own["__hash__"]  # Python's doing, where a class compares itself
    parts: dict[str, Part] = {}
    for base in cls.__mro__[-1:0:-1]:
        parts |= vars(base).get("__record_parts__", {})
    inherited = set(parts)
    for name in cls.__annotations__:
        told = own.get(name, _NOTHING)
        parts[name] = told if isinstance(told, Part) else Part(told, _NOTHING, shown=True)
    made = _with_slots(cls, own, inherited) if slots else _with_defaults(cls, parts)
    names = tuple(parts)
    given = tuple(name for name, part in parts.items() if not part.inner)
    methods = _comparing(given) | _showing([n for n, part in parts.items() if part.shown])
    if frozen:
        methods |= _keeping(made, names)
    else:
        methods["__hash__"] = None
    if frozen and slots:
        methods |= _carrying(names)
    methods["__init__"] = _first_init(made, parts, frozen=frozen, slots=slots)
    methods["__match_args__"] = given
    methods["__record_parts__"] = parts
    methods["__dataclass_fields__"] = _Described()
    for name, method in methods.items():
        if name not in own:
            setattr(made, name, method)
    return made


def _with_slots(cls: type[Made], own: Mapping[str, Any], inherited: set[str]) -> type[Made]:
    """The same class again: slots are taken when a class is made."""
    names = cls.__annotations__
    kept = {name: value for name, value in own.items() if name not in names}
    kept.pop("__dict__", None)
    kept.pop("__weakref__", None)
    kept["__slots__"] = tuple(name for name in names if name not in inherited)
    kind = cast("Callable[..., type[Made]]", type(cls))  # it may have a kind of its own
    made = kind(cls.__name__, cls.__bases__, kept)
    made.__qualname__ = cls.__qualname__
    return made


def _with_defaults(cls: type[Made], parts: Mapping[str, Part]) -> type[Made]:
    """The class, whose attributes are the defaults themselves."""
    for name in cls.__annotations__:
        if isinstance(vars(cls).get(name), Part):
            if parts[name].default is _NOTHING:
                delattr(cls, name)
            else:
                setattr(cls, name, parts[name].default)
    return cls


class _Described:
    """`__dataclass_fields__`, which the standard library's functions ask for: made when they do."""

    def __get__(self, _: object, made: type[Any]) -> Mapping[str, Any]:
        import dataclasses

        found: dict[str, Any] = {"__annotations__": {}}
        for base in made.__mro__[::-1]:
            if "__record_parts__" in vars(base):
                found["__annotations__"] |= base.__annotations__
        for name, part in made.__record_parts__.items():
            how: dict[str, Any] = {"repr": part.shown, "init": not part.inner}
            how["compare"] = how["init"]
            if part.factory is not _NOTHING:
                found[name] = dataclasses.field(default_factory=part.factory, **how)
            elif part.default is not _NOTHING:
                found[name] = dataclasses.field(default=part.default, **how)
        alike: Any = dataclasses.dataclass(init=False, repr=False, eq=False)(type("", (), found))
        return alike.__dataclass_fields__


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

    def refuse(self: Any, what: str, name: str) -> None:
        if type(self) is made or name in kept:
            from dataclasses import FrozenInstanceError

            raise FrozenInstanceError(f"cannot {what} field {name!r}")

    def assign(self: Any, name: str, value: Any) -> None:
        refuse(self, "assign to", name)
        super(made, self).__setattr__(name, value)

    def delete(self: Any, name: str) -> None:
        refuse(self, "delete", name)
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
    made: type[Any], parts: Mapping[str, Part], *, frozen: bool, slots: bool
) -> Callable[..., None]:
    """An `__init__` that goes over the fields; after a few objects, or where Python is to say what
    is wrong with a call, it puts a compiled one into its own place."""
    checks = hasattr(made, "__post_init__")
    calls = 0

    def first(self: Any, *given: Any, **named: Any) -> None:
        nonlocal calls
        calls += 1
        values = _values(parts, given, named) if calls <= FEW else None
        if values is None:
            if made.__init__ is first:
                made.__init__ = _compiled_init(made, parts, frozen=frozen, slots=slots)
            made.__init__(self, *given, **named)
            return
        for name, value in values.items():
            object.__setattr__(self, name, value)
        if checks:
            self.__post_init__()

    return first


def _values(
    parts: Mapping[str, Part], given: Sequence[Any], named: dict[str, Any]
) -> dict[str, Any] | None:
    """The value of each field; None for a call that is wrong."""
    order = [name for name, part in parts.items() if not part.inner]
    left = dict(zip(order, given, strict=False)) | named
    if len(left) != len(given) + len(named):
        return None
    values: dict[str, Any] = {}
    for name, part in parts.items():
        if name in left and not part.inner:
            values[name] = left.pop(name)
        elif part.default is not _NOTHING:
            values[name] = part.default
        elif part.factory is not _NOTHING:
            values[name] = part.factory()
        else:
            return None
    return None if left else values


def _compiled_init(
    made: type[Any], parts: Mapping[str, Part], *, frozen: bool, slots: bool
) -> Callable[..., None]:
    names: dict[str, Any] = {"NOTHING": _NOTHING, "put": object.__setattr__}
    taken, lines = ["self"], list[str]()
    for name, part in parts.items():
        value = name
        if part.inner:
            names[f"make_{name}"] = part.factory
            value = f"make_{name}()"
        elif part.default is not _NOTHING:
            names[f"default_{name}"] = part.default
            taken.append(f"{name}=default_{name}")
        elif part.factory is not _NOTHING:
            names[f"make_{name}"] = part.factory
            taken.append(f"{name}=NOTHING")
            value = f"make_{name}() if {name} is NOTHING else {name}"
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
