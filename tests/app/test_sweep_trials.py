"""Which trials a sweep makes: order, draws that are equal everywhere, what is refused."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice, product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.app.sweeping_trials import (
    POINTS_MAX,
    TRIALS_MAX,
    Axis,
    Conditions,
    Trials,
    below,
    draw,
    grid,
    grid_size,
    listed,
    point_values,
    read_axes,
    read_conditions,
    splitmix64,
)
from trader.errors import UsageError
from trader.policy.sweep_ranges import SweepSpec, range_text, range_values

from .sweep_world import DECLARED, base, conditions_of, spec, trials

AXES = st.lists(st.integers(1, 6), min_size=1, max_size=4).map(
    lambda sizes: tuple(
        Axis("s", f"p{at}", tuple(map(str, range(size))), False) for at, size in enumerate(sizes)
    )
)


@given(AXES)
def test_a_grid_is_in_the_order_of_nested_loops(axes: tuple[Axis, ...]) -> None:
    wanted = list(product(*(axis.values for axis in axes)))
    assert [point_values(axes, at) for at in range(grid_size(axes))] == wanted


@given(AXES, st.integers(0, 2**64 - 1), st.data())
def test_a_draw_is_of_different_points_and_a_longer_one_begins_with_it(
    axes: tuple[Axis, ...], seed: int, data: st.DataObject
) -> None:
    size = grid_size(axes)
    count = data.draw(st.integers(1, size))
    conditions = Conditions(axes, (), ())
    drawn = list(draw(conditions, count, seed).points)
    assert len(set(drawn)) == count
    assert set(drawn) <= set(range(size))
    assert list(draw(conditions, size, seed).points)[:count] == drawn


def test_a_draw_is_equal_on_any_machine() -> None:
    # Of the reference implementation of SplitMix64, seed 1234567.
    assert list(islice(splitmix64(1234567), 3)) == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]
    conditions = conditions_of()
    assert list(draw(conditions, 4, 1).points) == [11, 10, 6, 0]
    assert list(draw(conditions, 4, 2).points) == [11, 6, 5, 10]


def test_a_draw_from_a_huge_grid_needs_no_list_of_it() -> None:
    axes = tuple(Axis("s", f"p{at}", tuple(map(str, range(1000))), False) for at in range(9))
    assert grid_size(axes) == 10**27 > POINTS_MAX
    found = draw(Conditions(axes, (), ()), 50, 7)
    assert len(set(found.points)) == 50
    assert max(found.points) > 10**26
    assert all(0 <= point < 10**27 for point in found.points)


@given(st.integers(1, 2**130), st.integers(0, 2**64 - 1))
def test_a_drawn_number_is_below_its_bound(size: int, seed: int) -> None:
    assert 0 <= below(size, splitmix64(seed)) < size


def test_each_number_is_drawn_as_often() -> None:
    words = splitmix64(5)
    drawn = [below(6, words) for _ in range(6_000)]
    assert all(880 < drawn.count(number) < 1_120 for number in range(6))


def test_trials_that_do_not_keep_the_conditions_are_not_made() -> None:
    found = trials()
    values = [found.values(at) for at in range(len(found))]
    assert values == [
        *[("2", slow) for slow in ("3", "5", "7", "9")],
        *[("3", slow) for slow in ("5", "7", "9")],
        *[("4", slow) for slow in ("5", "7", "9")],
    ]
    assert found.where == ("cross.fast < cross.slow",)


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ("2 * fast <= slow", 6),
        ("fast + 4 < slow", 4),
        ("slow != 7", 7),
        ("stop < 0.1", 10),
        ("cross.slow > 5.5", 6),
    ],
)
def test_a_condition_of_the_command_line_is_kept_beside_the_declared(
    where: str, count: int
) -> None:
    assert len(grid(conditions_of(where=[where]))) == count


def test_a_trial_puts_its_numbers_into_the_strategy_and_nothing_else() -> None:
    found = grid(conditions_of(["stop=0.05:0.1:0.05", "fast=4"]))
    made = found.parameters(base(), 1)
    (strategy,) = made.strategies
    assert strategy.numbers == {"fast": 4, "slow": 5, "stop": 0.1}
    assert [type(number) for number in strategy.numbers.values()] == [int, int, float]
    assert replace(strategy, numbers=spec().numbers) == spec()
    assert replace(made, strategies=base().strategies) == base()


def test_values_of_an_axis_are_of_one_kind() -> None:
    (axis,) = read_axes((spec(),), {}, ["stop=1:2:0.5"])
    assert [axis.number(value) for value in axis.values] == [1.0, 1.5, 2.0]
    assert {type(axis.number(value)) for value in axis.values} == {float}


def test_a_single_value_on_the_command_line_fixes_a_declared_range() -> None:
    found = grid(conditions_of(["slow=9"]))
    assert [found.values(at) for at in range(len(found))] == [("2", "9"), ("3", "9"), ("4", "9")]


@given(st.integers(-50, 50), st.integers(0, 40), st.integers(1, 12), st.integers(0, 3))
def test_a_range_holds_both_ends_and_every_step(
    first: int, count: int, step: int, digits: int
) -> None:
    def told(number: int) -> str:
        sign, plain = ("-", -number) if number < 0 else ("", number)
        whole, rest = divmod(plain, 10**digits)
        return f"{sign}{whole}.{rest:0{digits}d}" if digits else f"{sign}{whole}"

    text = range_text(f"{told(first)}:{told(first + count * step)}:{told(step)}")
    values = range_values(text)
    assert len(values) == count + 1
    assert [round(float(value) * 10**digits) for value in values] == [
        first + number * step for number in range(count + 1)
    ]
    assert range_text(text) == text


BAD_PARAMS = [
    ("fast", "has no ="),
    ("fats=1:5", "did you mean"),
    ("cros.fast=1:5", "did you mean cross.fast"),
    ("other=1", "known are: cross.fast, cross.slow, cross.stop"),
    ("fast=", "must be a range"),
    ("fast=5:1", "did you mean 1:5"),
    ("fast=1:5:0", "a step of 0"),
    ("fast=a:b", "'a' is not a plain decimal number"),
    ("fast=1e2", "did you mean 100"),
    ("fast=1,2,1", "1 is named twice"),
    ("fast=1:5:1:1", "4 parts"),
    ("fast=0:5", "a period must be at least 1"),
    ("fast=2.5", "must be a whole number"),
    ("fast=1:999999", "at most 10000"),
    ("stop=0.1:0.5", "write 0.1:0.5:0.1"),
    ("fast=1:5:-1", "a step of -1"),
]


@pytest.mark.parametrize(("text", "says"), BAD_PARAMS)
def test_a_range_that_is_none_is_one_sentence(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        conditions_of([text])
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("fast", "is not a condition"),
        ("fast < slwo", "did you mean"),
        ("fast == slow", "is not a condition"),
        ("fast < slow < 9", "is not a condition"),
        ("__import__('os') < 1", "neither a parameter nor a number"),
        ("1 < 2", "names no parameter"),
    ],
)
def test_a_condition_that_is_none_is_one_sentence(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        conditions_of(where=[text])
    assert says in str(caught.value)


def test_nothing_to_sweep_says_how_to_declare_something() -> None:
    with pytest.raises(UsageError, match=r"nothing is swept.*sweep: {ranges"):
        read_axes((spec(),), {}, [])


def test_a_grid_that_no_point_keeps_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no point of the grid keeps cross.fast < cross.slow"):
        grid(conditions_of(where=["fast > 99"]))


def test_a_huge_grid_is_refused_with_its_size_and_a_way_out() -> None:
    with pytest.raises(UsageError) as caught:
        grid(conditions_of(["fast=1:500", "slow=1:500"]))
    told = str(caught.value)
    assert "the grid has 124,750 trials (500 fast x 500 slow); at most 100,000" in told
    assert "--random 1000" in told
    many = [f"{name}=1:900" for name in ("fast", "slow")]
    with pytest.raises(UsageError, match=r"the grid has 8,100,000,000 trials"):
        grid(conditions_of([*many, "stop=0.0001:1:0.0001"]))


@pytest.mark.parametrize("count", [0, TRIALS_MAX + 1])
def test_a_draw_of_too_many_is_refused(count: int) -> None:
    with pytest.raises(UsageError, match="out of range"):
        draw(conditions_of(), count, 1)


def test_more_draws_than_points_are_refused() -> None:
    with pytest.raises(UsageError, match=r"only 10 points.*--grid"):
        draw(conditions_of(), 11, 1)


def test_a_parameter_of_two_strategies_needs_its_strategy() -> None:
    both = (spec(), replace(spec(), name="other"))
    with pytest.raises(UsageError, match=r"of several strategies.*cross.fast or other.fast"):
        read_axes(both, DECLARED, ["fast=2:3"])
    axes = read_axes(both, DECLARED, ["other.fast=2:3"])
    assert [axis.name for axis in axes] == ["cross.fast", "cross.slow", "other.fast"]
    assert read_conditions(both, {"other": SweepSpec({}, ("fast < slow",))}, [])[0].names == (
        "other.fast",
        "other.slow",
    )


def test_a_list_is_tried_in_its_own_order(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("slow,cross.fast,stop\n9,2,0.05\n5,3,0.1\n\n9,3,0.05\n")
    found = listed(path, (spec(),), ())
    assert [axis.name for axis in found.axes] == ["cross.slow", "cross.fast", "cross.stop"]
    values = [found.values(at) for at in range(len(found))]
    assert values == [("9", "2", "0.05"), ("5", "3", "0.1"), ("9", "3", "0.05")]
    assert found.how == "list"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "lists no trial"),
        ("fast\n", "lists no trial"),
        ("fats\n3\n", "did you mean"),
        ("fast,fast\n3,4\n", "in two columns"),
        ("fast,slow\n3\n", "row 2 has 1 cells, the header 2"),
        ("fast\nthree\n", "row 2, cross.fast"),
        ("fast\n1:5\n", "is not one number"),
        ("fast\n3\n4\n3\n", "row 4 is row 2 again"),
        ("fast\n0\n", "a period must be at least 1"),
        ("fast\n2.5\n", "whole number"),
        ("fast,slow\n5,3\n", "row 2 does not keep"),
        ('fast\n"3\n', "is not CSV text"),
    ],
)
def test_a_list_that_is_none_is_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        listed(path, (spec(),), conditions_of().wheres)
    assert says in str(caught.value)


def test_a_list_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        listed(tmp_path / "absent.csv", (spec(),), ())
    (tmp_path / "binary.csv").write_bytes(b"fast\n\xff\xfe\x00")
    with pytest.raises(UsageError, match="is not CSV text"):
        listed(tmp_path / "binary.csv", (spec(),), ())


def test_trials_of_a_grid_cost_no_memory_of_their_own() -> None:
    axes = tuple(Axis("s", name, tuple(map(str, range(300))), False) for name in "ab")
    found = grid(Conditions(axes, (), ()))
    assert isinstance(found, Trials)
    assert found.points == range(90_000)
