"""Rules: kernels worked by hand, three-valued logic, binding, warm-up, and shared nodes."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from math import inf, isnan, nan
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core import rule_kernels as kernels
from trader.core.rules import WARMUP_STEP, Bound, RuleError, bind, bound_of, fill, new_column

from .rule_made import Program, cross_program

MINUTE_MS = 60_000
YES, NO, NONE = 1, 0, -1


def floats(values: Sequence[float]) -> array[float]:
    return array("d", values)


def flags(values: Sequence[int]) -> array[int]:
    return array("b", values)


def made(kernel: Callable[..., Any], *args: Any, rows: int, code: str) -> list[Any]:
    """One call over all rows; a call for each row must give the same."""
    whole = array(code, [7] * rows)
    kernel(*args, whole, 0, rows)
    single = array(code, [7] * rows)
    for i in range(rows):
        kernel(*args, single, i, i + 1)
    assert bytes(whole) == bytes(single)
    return list(whole)


def same(found: Sequence[float], wanted: Sequence[float]) -> bool:
    return all(f == w or (isnan(f) and isnan(w)) for f, w in zip(found, wanted, strict=True))


# --- kernels ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "a", "b", "wanted"),
    [
        ("add", [1.0, nan, inf], [2.0, 1.0, -inf], [3.0, nan, nan]),
        ("sub", [1.0, 1.0, inf], [2.0, nan, inf], [-1.0, nan, nan]),
        ("mul", [3.0, nan, 0.0], [2.0, 0.0, inf], [6.0, nan, nan]),
        ("div", [3.0, 1.0, 0.0, nan, 1.0], [2.0, 0.0, 0.0, 1.0, -0.0], [1.5] + [nan] * 4),
        ("min", [1.0, 2.0, nan, 1.0], [2.0, 1.0, 1.0, nan], [1.0, 1.0, nan, nan]),
        ("max", [1.0, 2.0, nan, 1.0], [2.0, 1.0, 1.0, nan], [2.0, 2.0, nan, nan]),
    ],
)
def test_arithmetic_is_not_ready_where_a_value_is_not(
    name: str, a: list[float], b: list[float], wanted: list[float]
) -> None:
    kernel = getattr(kernels, f"{name}_rows")
    assert same(made(kernel, floats(a), floats(b), rows=len(a), code="d"), wanted)


def test_one_nan_is_written_whatever_made_it() -> None:
    one = bytes(floats([nan]))
    for kernel in (kernels.add_rows, kernels.sub_rows, kernels.mul_rows, kernels.div_rows):
        out = floats([0.0])
        kernel(floats([-nan]), floats([0.0]), out, 0, 1)
        assert bytes(out) == one
    out = floats([0.0])
    kernels.neg_rows(floats([nan]), out, 0, 1)
    assert bytes(out) == one


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("gt", [YES, NO, NO, NONE, NONE]),
        ("ge", [YES, YES, NO, NONE, NONE]),
        ("eq", [NO, YES, NO, NONE, NONE]),
        ("ne", [YES, NO, YES, NONE, NONE]),
    ],
)
def test_a_comparison_with_what_is_not_ready_is_not_ready(name: str, wanted: list[int]) -> None:
    a, b = floats([2, 1, 1, nan, 1]), floats([1, 1, 2, 1, nan])
    assert made(getattr(kernels, f"{name}_rows"), a, b, rows=5, code="b") == wanted


def test_logic_is_kleenes() -> None:
    a = flags([1, 1, 1, 0, 0, 0, -1, -1, -1])
    b = flags([1, 0, -1] * 3)
    assert made(kernels.and_rows, a, b, rows=9, code="b") == [1, 0, -1, 0, 0, 0, -1, 0, -1]
    assert made(kernels.or_rows, a, b, rows=9, code="b") == [1, 1, 1, 1, 0, -1, 1, -1, -1]
    assert made(kernels.not_rows, a, rows=9, code="b") == [0] * 3 + [1] * 3 + [-1] * 3


VALUE = st.sampled_from([nan, 1.0, 2.0, 3.0])


@given(st.lists(st.tuples(VALUE, VALUE), min_size=1, max_size=12), st.integers(0, 12))
def test_a_cross_is_above_now_and_not_above_before(
    rows: list[tuple[float, float]], cut: int
) -> None:
    a, b = floats([one for one, _ in rows]), floats([other for _, other in rows])
    n = len(rows)
    above, below = flags([7] * n), flags([7] * n)
    kernels.crosses_rows(a, b, above, below, 0, min(cut, n))
    kernels.crosses_rows(a, b, above, below, min(cut, n), n)
    for found, one, other in ((above, a, b), (below, b, a)):
        now, was, before, wanted = (flags([0] * n) for _ in range(4))
        kernels.gt_rows(one, other, now, 0, n)
        kernels.ge_rows(other, one, was, 0, n)
        kernels.back_flags(was, 1, before, 0, n)
        kernels.and_rows(now, before, wanted, 0, n)
        assert list(found) == list(wanted)


@given(st.lists(VALUE, min_size=1, max_size=12), st.integers(1, 4))
def test_rising_is_every_one_of_the_last_steps_upwards(values: list[float], n: int) -> None:
    a, rows = floats(values), len(values)
    for kernel, compare in (
        (kernels.rising_rows, lambda x, y: x > y),
        (kernels.falling_rows, lambda x, y: x < y),
    ):
        wanted = []
        for i in range(rows):
            steps = [
                NONE
                if i - j < 1 or isnan(a[i - j]) or isnan(a[i - j - 1])
                else int(compare(a[i - j], a[i - j - 1]))
                for j in range(n)
            ]
            wanted.append(NO if NO in steps else NONE if NONE in steps else YES)
        assert made(kernel, a, n, rows=rows, code="b") == wanted


@given(st.lists(st.sampled_from([1, 0, -1]), min_size=1, max_size=12), st.integers(1, 5))
def test_any_and_all_look_at_the_last_rows(values: list[int], n: int) -> None:
    rows = len(values)
    some, every = [], []
    for i in range(rows):
        seen = [values[i - j] if i - j >= 0 else NONE for j in range(n)]
        some.append(YES if YES in seen else NONE if NONE in seen else NO)
        every.append(NO if NO in seen else NONE if NONE in seen else YES)
    assert made(kernels.any_rows, flags(values), n, rows=rows, code="b") == some
    assert made(kernels.all_rows, flags(values), n, rows=rows, code="b") == every


def test_the_row_before_the_first_is_not_ready() -> None:
    assert same(made(kernels.back_rows, floats([1, 2, 3]), 2, rows=3, code="d"), [nan, nan, 1])
    assert made(kernels.back_flags, flags([1, 0, 1]), 1, rows=3, code="b") == [-1, 1, 0]
    assert same(made(kernels.back_rows, floats([1, 2]), 0, rows=2, code="d"), [1, 2])


def test_only_bars_that_have_closed_are_seen_from_another_timeframe() -> None:
    # Rows of one minute from 0:00, bars of five minutes from 0:00 and 0:10 (0:05 is absent).
    opens = array("q", [minute * MINUTE_MS for minute in range(3, 17)])
    others = array("q", [0, 10 * MINUTE_MS])
    out = array("q", [9] * len(opens))
    kernels.newest_closed_rows(opens, MINUTE_MS - 5 * MINUTE_MS, others, 40, out)
    assert list(out) == [39] + [40] * 10 + [41] * 3
    values = floats([nan] * len(opens))
    kernels.spread_rows(floats([5.0, 6.0]), 40, 40, 41, out, values)
    assert same(values, [nan] + [5.0] * 10 + [nan] * 3)


# --- binding -------------------------------------------------------------------------------------


def bound(program: dict[str, Any], **numbers: float) -> Bound:
    return bind(program, numbers, "1m", MINUTE_MS)


def test_a_node_is_written_out_for_people_and_says_what_it_needs() -> None:
    rules = bound(cross_program("$fast", "$slow"), fast=2, slow=4)
    enter = rules.nodes[rules.outputs["enter"]]
    assert enter.text == "crosses_above(sma(close, 2), sma(close, 4))"
    assert (enter.warmup, enter.exact) == (4, True)
    stop = rules.nodes[rules.outputs["stop"]]
    assert (stop.text, stop.warmup) == ("(0.05 * close)", 0)
    assert rules.frames[0].warmup == WARMUP_STEP


def test_warm_up_adds_up_along_the_deepest_path() -> None:
    p = Program()
    close = p.column()
    slow = p.indicator("sma", close, numbers=(50,))
    back = p.add("back", slow, numbers=(3,))
    above = p.add("gt", close, back)
    held = p.add("all", above, numbers=(5,))
    rises = p.add("rising", slow, numbers=(4,))
    enter = p.add("and", held, rises)
    rules = bound(p.plain(enter=enter))
    assert [node.warmup for node in rules.nodes] == [0, 49, 52, 52, 56, 53, 56]


def test_each_timeframe_has_its_own_warm_up() -> None:
    p = Program()
    hourly = p.indicator("sma", p.column(timeframe="1h"), numbers=(100,), timeframe="1h")
    seen = p.add("on", hourly, text="1h")
    enter = p.add("gt", p.column(), p.add("back", seen, numbers=(2,)))
    rules = bound(p.plain(enter=enter))
    frames = [(f.timeframe, f.step_ms, f.warmup) for f in rules.frames]
    assert frames == [("1m", MINUTE_MS, 64), ("1h", 60 * MINUTE_MS, 128)]
    assert rules.nodes[enter].text == '(close > on("1h", sma(close, 100))[2])'


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda p: p.add("sub", p.column()), "sub takes 2 arguments, not 1"),
        (lambda p: p.add("and", p.column(), p.column()), "and takes conditions"),
        (lambda p: p.add("gt", p.column(), p.add("gt", 0, 0)), "gt takes numbers"),
        (lambda p: p.add("power", p.column()), "operator 'power' is not known"),
        (lambda p: p.column("open_ms"), "column 'open_ms' is not known"),
        (lambda p: p.indicator("wish", numbers=(1,)), "indicator 'wish' is not known"),
        (lambda p: p.indicator("sma", p.column(), numbers=(0,)), "at least 1"),
        (lambda p: p.indicator("sma", p.column(), numbers=("2.5",)), "not a whole number"),
        (lambda p: p.indicator("sma", p.column(), numbers=("$n",)), "malformed: KeyError 'n'"),
        (lambda p: p.indicator("sma", p.column(), numbers=(2, 3)), "takes 1 numbers"),
        (lambda p: p.indicator("sma.up", p.column(), numbers=(2,)), "no output 'up'"),
        (lambda p: p.indicator("macd", p.column(), numbers=(3, 6, 2)), "no output ''"),
        (lambda p: p.add("back", p.column(), numbers=(-1,)), "not a whole number"),
        (lambda p: p.add("any", p.add("gt", p.column(), 0), numbers=(0,)), "not a whole number"),
        (lambda p: p.add("neg", 5), "does not come before it"),
        (lambda p: p.number("inf"), "not a finite number"),
        (lambda p: p.number("nan"), "not a finite number"),
        (lambda p: p.number("many"), "many"),
        (lambda p: p.add("neg", p.column(timeframe="1h")), "mixes timeframes"),
        (lambda p: p.add("on", p.column(timeframe="1h"), text="4h"), "of another timeframe"),
        (lambda p: p.column(timeframe="2h"), "2h"),
        (lambda p: p.indicator("obv", numbers=("2h",)), "a session of '2h' is not made"),
        (lambda p: p.indicator("obv", numbers=("1h",), timeframe="4h"), "a session of '1h'"),
        (lambda p: p.add("on", p.column(), text="2h"), "is not one expression"),
        (lambda p: p.indicator("sma", p.column(), numbers=(99_999,)), "at most 10000"),
    ],
)  # fmt: skip
def test_a_program_that_means_nothing_is_refused(make: Any, why: str) -> None:
    p = Program()
    index = make(p)
    with pytest.raises(RuleError, match=why):
        bound(p.plain(strength=index))


def test_a_session_needs_all_of_its_bars() -> None:
    p = Program()
    day = p.indicator("obv", numbers=("1d",), timeframe="1h")
    seen = p.add("on", day, text="1h")
    rules = bound(p.plain(strength=seen))
    assert rules.nodes[day].text == 'obv("1d")'
    assert rules.nodes[day].numbers == (86_400_000,)
    assert (rules.nodes[day].warmup, rules.frames[1].warmup) == (24, 64)
    assert not rules.frames[1].exact


def test_prices_between_the_columns_are_their_means() -> None:
    bars = SimpleNamespace(open=floats([1.0]), high=floats([4.0]), low=floats([2.0]))
    bars.close = floats([3.0])
    for name, wanted in (("hl2", 3.0), ("hlc3", 3.0), ("ohlc4", 2.5)):
        p = Program()
        node = bound(p.plain(strength=p.column(name))).nodes[0]
        out = new_column(node, 1)
        fill(node, bars, (), (out,), 0, 1, None)
        assert (node.text, list(out)) == (name, [wanted])


def test_what_is_remembered_of_programs_is_bounded() -> None:
    programs = [cross_program("$fast", 9) for _ in range(300)]
    for number, program in enumerate(programs):
        rules = bound_of(program, {"fast": 1 + number % 7}, "1m", MINUTE_MS)
        assert rules.nodes[1].numbers == (1 + number % 7,)
    for fast in range(1, 600):
        assert bound_of(programs[0], {"fast": fast}, "1m", MINUTE_MS).nodes[1].numbers == (fast,)


def test_an_entry_that_is_no_condition_is_refused() -> None:
    p = Program()
    close = p.column()
    with pytest.raises(RuleError, match="output enter is no condition"):
        bound(p.plain(enter=close))
    with pytest.raises(RuleError, match="output enter is no node"):
        bound(p.plain(enter=7))


def test_a_program_is_bound_once_for_the_same_numbers() -> None:
    program = cross_program("$fast", 9)
    one = bound_of(program, {"fast": 3}, "1m", MINUTE_MS)
    assert bound_of(program, {"fast": 3}, "1m", MINUTE_MS) is one
    other = bound_of(program, {"fast": 4}, "1m", MINUTE_MS)
    assert other.nodes[1].numbers == (4,)


@pytest.mark.parametrize(
    ("values", "near"),
    [
        ([0.0, nan, 1.0, -2.0, 1000.0], 1),
        ([1.0, 1025.0], 0),
        ([1024.0, 0.9], 0),
        ([1.0, inf], 0),
        ([inf], 0),
        ([1e300], 0),
        ([nan, 0.0], 1),
        ([], 1),
    ],
)
def test_values_are_near_when_none_is_far_from_the_first(values: list[float], near: int) -> None:
    assert kernels.near_rows(floats(values), 0, len(values), 1024.0) == near
