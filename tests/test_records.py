"""Records are dataclasses in all that can be seen of them."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from trader.records import FEW, dataclass, field, inner, replace

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Point:
    """Two numbers and what is told of them."""

    x: int
    y: int = 2
    told: dict[str, int] = field(default_factory=dict[str, int])


@dataclasses.dataclass(frozen=True, slots=True)
class Standard:
    """The same by the standard library."""

    x: int
    y: int = 2
    told: dict[str, int] = dataclasses.field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class Further(Point):
    """A record of a record."""

    z: int = 3


@dataclass(frozen=True)
class Open:
    """Frozen, with a dictionary."""

    name: str
    secret: str = field(default="", shown=False)


@dataclass(frozen=True, slots=True)
class Seen:
    """Remembers what it was asked."""

    n: int
    asked: list[int] = inner(default_factory=list[int])


@dataclass(slots=True)
class Count:
    """One number that changes."""

    n: int = 0


@dataclass
class Checked:
    """Refuses what it is not."""

    n: int

    def __post_init__(self) -> None:
        if self.n < 0:
            raise ValueError("below 0")


@dataclass(frozen=True, slots=True)
class Own:
    """Has its own words and equality."""

    n: int

    def __repr__(self) -> str:
        return f"<{self.n}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Own)

    def __hash__(self) -> int:
        return 1


class Loose(Open):
    """No record itself."""

    more: int = 0


GIVEN_STANDARD: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1,), {}), ((1, 5), {}), ((), {"y": 7, "x": 1}), ((1, 2, {"a": 3}), {}),
]  # fmt: skip


def test_a_record_is_made_and_shown_as_by_the_standard_library() -> None:
    for given, named in GIVEN_STANDARD:
        ours, theirs = Point(*given, **named), Standard(*given, **named)
        assert repr(ours).removeprefix("Point") == repr(theirs).removeprefix("Standard")
        assert dataclasses.asdict(ours) == dataclasses.asdict(theirs)
    assert [one.name for one in fields(Point)] == [one.name for one in fields(Standard)]
    assert Point.__match_args__ == Standard.__match_args__
    assert Point.__slots__ == Standard.__slots__
    assert Point(1).told is not Point(1).told


def test_what_is_missing_or_too_much_is_said_as_by_the_standard_library() -> None:
    cases: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
        ((), {}),
        ((1, 2, {}, 4), {}),
        ((1,), {"w": 1}),
        ((1,), {"x": 1}),
    ]
    for given, named in cases:
        said: list[str] = []
        for kind in (Point, Standard):
            with pytest.raises(TypeError) as error:
                kind(*given, **named)  # type: ignore[arg-type] - the fault is the point
            said.append(str(error.value).removeprefix(kind.__name__))
        assert said[0] == said[1]


def test_records_are_equal_in_class_and_fields_and_hash_alike() -> None:
    assert Point(1) == Point(1, 2)
    assert Point(1) != Point(1, 3)
    assert Point(1, 2) != Further(1, 2)
    assert Point(1) != (1, 2, {})
    assert Open("a", "b") == Open("a", "b")
    assert hash(Open("a", "b")) == hash(Open("a", "b")) == hash(("a", "b"))
    assert len({Open("a"), Open("a"), Open("b")}) == 2
    assert Count(1) == Count(1)
    assert Count(1) != Count(2)
    with pytest.raises(TypeError, match="unhashable"):
        hash(Count())


def test_a_frozen_record_does_not_change() -> None:
    for record, name in ((Point(1), "x"), (Open("a"), "name"), (Further(1), "z"), (Point(1), "w")):
        with pytest.raises(
            dataclasses.FrozenInstanceError, match=f"cannot assign to field '{name}'"
        ):
            setattr(record, name, 9)
        with pytest.raises(dataclasses.FrozenInstanceError, match=f"cannot delete field '{name}'"):
            delattr(record, name)
    count = Count()
    count.n += 1
    assert count == Count(1)


def test_a_subclass_that_is_no_record_may_have_more() -> None:
    loose = Loose("a")
    loose.more = 2
    assert loose.more == 2
    del loose.more
    assert loose.more == 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        loose.name = "b"  # type: ignore[misc] - it is frozen


def test_records_are_replaced_copied_and_carried() -> None:
    for record in (Point(1, 2, {"a": 1}), Further(1, 2, {}, 4), Open("a", "b"), Count(3)):
        assert replace(record) == record
        assert copy.deepcopy(record) == record
        assert pickle.loads(pickle.dumps(record)) == record
    assert replace(Further(1), z=5) == Further(1, z=5)


def test_secrets_are_not_shown() -> None:
    assert repr(Open("a", "b")) == "Open(name='a')"


def test_what_is_the_records_own_is_neither_given_nor_compared_nor_shown() -> None:
    seen = Seen(1)
    seen.asked.append(7)
    assert seen == Seen(1)
    assert hash(seen) == hash(Seen(1))
    assert repr(seen) == "Seen(n=1)"
    assert replace(seen).asked == dataclasses.replace(seen).asked == []
    assert copy.deepcopy(seen).asked == [7]
    with pytest.raises(TypeError, match="asked"):
        Seen(1, asked=[])  # type: ignore[call-arg] - the fault is the point


def test_the_standard_library_takes_records_as_its_own() -> None:
    assert dataclasses.is_dataclass(Further)
    assert [(one.name, str(one.type)) for one in fields(Further)] == [
        ("x", "int"), ("y", "int"), ("told", "dict[str, int]"), ("z", "int"),
    ]  # fmt: skip
    assert dataclasses.asdict(Further(1, z=4)) == {"x": 1, "y": 2, "told": {}, "z": 4}
    assert dataclasses.replace(Further(1), z=5, x=2) == Further(2, z=5)
    assert [one.repr for one in fields(Open)] == [True, False]
    with pytest.raises(TypeError, match="unexpected keyword argument 'w'"):
        replace(Point(1), w=1)


def test_a_record_that_refuses_does_so_each_time() -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="below 0"):
            Checked(-1)
    assert Checked(1).n == 1


def test_what_a_class_writes_itself_stays() -> None:
    assert repr(Own(1)) == "<1>"
    assert Own(1) == Own(2)
    assert hash(Own(5)) == 1


def test_a_frozen_record_that_compares_itself_can_be_hashed() -> None:
    @dataclass(frozen=True, slots=True)
    class Near:  # noqa: PLW1641 - what makes the record gives it one
        n: int

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Near) and abs(self.n - other.n) < 2

    assert Near(1) == Near(2)
    assert hash(Near(1)) == hash((1,))


def test_defaults_of_a_record_without_slots_are_attributes_of_its_class() -> None:
    assert Open.secret == ""
    assert not hasattr(Open, "name")


def test_a_record_that_holds_itself_is_shown() -> None:
    told: dict[str, Any] = {}
    told["self"] = point = Point(1, told=told)
    assert repr(point) == "Point(x=1, y=2, told={'self': ...})"


def test_init_is_compiled_once_when_there_are_some_and_named() -> None:
    @dataclass
    class Late:
        n: int

    before = Late.__init__
    assert [Late(n).n for n in range(FEW)] == list(range(FEW))
    assert Late.__init__ is before
    assert Late(1) == Late(1)
    after = Late.__init__
    assert after is not before
    Late(2)
    assert Late.__init__ is after
    assert after.__qualname__.endswith("Late.__init__")


def shapes() -> list[type[Any]]:
    """Classes that have made no object yet, each kind once."""
    found: list[type[Any]] = []
    for frozen, slots in ((True, True), (True, False), (False, True), (False, False)):

        @dataclass(frozen=frozen, slots=slots)
        class Shape:
            x: int
            y: int = 2
            told: list[int] = field(default_factory=list[int])
            own: list[int] = inner(default_factory=list[int])

        found.append(Shape)
    return found


GIVEN: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1,), {}), ((1, 3), {}), ((1,), {"told": [4]}), ((), {"y": 5, "x": 6}), ((1, 2, [3]), {}),
]  # fmt: skip
WRONG: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((), {}), ((1, 2, [], 4), {}), ((1,), {"w": 1}), ((1,), {"x": 1}), ((1,), {"own": []}),
    ((), {"y": 1}),
]  # fmt: skip


def test_the_first_objects_and_those_after_them_are_alike() -> None:
    for shape in shapes():
        young = [shape(*given, **named) for given, named in GIVEN]
        for _ in range(FEW):
            shape(1)
        grown = [shape(*given, **named) for given, named in GIVEN]
        assert young == grown
        assert [one.own for one in young + grown] == [[]] * 2 * len(GIVEN)
        assert young[0].told is not young[1].told


def test_a_wrong_call_is_told_alike_of_the_first_object_and_of_later_ones() -> None:
    for given, named in WRONG:
        for shape in shapes():
            young = complaint(shape, given, named)
            for _ in range(FEW):
                shape(1)
            assert young == complaint(shape, given, named)
            assert "__init__" in young


def complaint(shape: type[Any], given: tuple[Any, ...], named: dict[str, Any]) -> str:
    with pytest.raises(TypeError) as error:
        shape(*given, **named)
    return str(error.value)


def test_the_program_makes_its_records_here() -> None:
    texts = {path: path.read_text("utf-8") for path in (ROOT / "trader").rglob("*.py")}
    assert sum("from trader.records import dataclass" in text for text in texts.values()) > 100
    for path, text in texts.items():
        if path.name != "records.py":
            imported = [line for line in text.splitlines() if "from dataclasses import" in line]
            assert not {"dataclass", "field", "replace"} & set(" ".join(imported).split()), path
            assert "import dataclasses" not in text, path
