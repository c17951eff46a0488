"""Frames: a value is that of its own anchor block, whatever history, strategy or decision asks."""

from __future__ import annotations

import random
from array import array
from decimal import Decimal
from math import isnan
from typing import Any

import pytest

from trader.bars.resample import resample
from trader.core.frames import Frames, anchor_ms, last_open_ms, readings, spans
from trader.core.parameters import StrategyCode
from trader.core.plan import plan
from trader.core.rules import Bound, bind, fill, new_column
from trader.core.series import Series, build_series
from trader.core.signals import form_opinion, wanted_windows
from trader.core.strategy import Window, price_column

from .made import (
    BAR_MS,
    BTC,
    MINUTE_MS,
    TICK,
    account,
    bars,
    hold,
    parameters,
    snapshot,
    strategy,
)
from .rule_made import Program, cross_program

HOUR_MS = 60 * MINUTE_MS
ANCHOR = 10


def walk(count: int, seed: int = 1, last_ms: int = BAR_MS, step_ms: int = MINUTE_MS) -> Series:
    """A random walk with real ranges."""
    rng = random.Random(seed)
    rows: list[tuple[int, int, int, int, int, float]] = []
    price = 10_000
    for i in range(count):
        opened, price = price, max(100, price + rng.randrange(-60, 61))
        high, low = max(opened, price) + rng.randrange(20), min(opened, price) - rng.randrange(20)
        at_ms = last_ms - (count - 1 - i) * step_ms
        rows.append((at_ms, opened, high, low, price, float(rng.randrange(1, 1_000))))
    return build_series(BTC, step_ms, TICK, rows)


def rules(program: dict[str, Any], **numbers: float) -> Bound:
    return bind(program, numbers, "1m", MINUTE_MS)


def frames_of(*series: Series, close_ms: int = BAR_MS + MINUTE_MS, anchor: int = ANCHOR) -> Frames:
    names = {MINUTE_MS: "1m", HOUR_MS: "1h"}
    return Frames({(BTC, names[one.step_ms]): one for one in series}, close_ms, anchor)


def values(frames: Frames, bound: Bound, bar_ms: int, output: str = "enter") -> list[Any]:
    block = frames.block(BTC, bound.frames[0], bar_ms)
    assert block is not None
    return list(readings(block, bound)[output])


# --- prices --------------------------------------------------------------------------------------


@pytest.mark.parametrize("tick", ["0.01", "0.00000001", "5", "2.5", "0.3", "1e-17", "12345678901"])
def test_a_price_is_the_float_nearest_to_its_decimal(tick: str) -> None:
    rng = random.Random(3)
    ticks = array("q", [rng.randrange(1, 10 ** rng.randrange(1, 17)) for _ in range(200)])
    found = price_column(ticks, Decimal(tick), 10, 190)
    assert list(found) == [float(Decimal(t) * Decimal(tick)) for t in ticks[10:190]]


def test_a_window_makes_the_prices_that_are_asked_for() -> None:
    window = Window(bars([10_000, 10_100, 10_200]), 1, 3)
    assert (list(window.close), len(window)) == ([101.0, 102.0], 2)
    with pytest.raises(TypeError):
        window.low[0] = 1.0
    with pytest.raises(AttributeError):
        window.settle  # noqa: B018 - what it has not must not be made


# --- anchored ------------------------------------------------------------------------------------


def ema_cross() -> dict[str, Any]:
    return cross_program(3, 9, "ema")


def test_a_value_does_not_depend_on_the_history_at_hand_or_what_comes_later() -> None:
    whole = walk(400)
    bound = rules(ema_cross())
    for bar in (BAR_MS, BAR_MS - 3 * MINUTE_MS, BAR_MS - 17 * MINUTE_MS):
        start = anchor_ms(bar, MINUTE_MS, ANCHOR) - bound.frames[0].warmup * MINUTE_MS
        close_ms = bar + MINUTE_MS
        wanted = values(frames_of(whole, close_ms=close_ms), bound, bar, "stop")
        first = whole.index_of(start)
        for cut in (first, first - 1, first - 50):
            short = whole.slice(cut, whole.index_of(close_ms))
            assert values(frames_of(short, close_ms=close_ms), bound, bar, "stop") == wanted


def test_rows_that_close_after_the_decision_are_not_evaluated() -> None:
    frames = frames_of(walk(400), close_ms=BAR_MS - 4 * MINUTE_MS)
    block = frames.block(BTC, rules(ema_cross()).frames[0], BAR_MS - 5 * MINUTE_MS)
    assert block is not None
    assert block.bars.open_ms[-1] == BAR_MS - 5 * MINUTE_MS


def test_equal_expressions_of_two_strategies_are_computed_once() -> None:
    frames = frames_of(walk(400))
    one, other = rules(cross_program(2, 9)), rules(cross_program(5, 9))
    blocks = [frames.block(BTC, bound.frames[0], BAR_MS) for bound in (one, other)]
    assert blocks[0] is blocks[1]
    assert blocks[0] is not None
    shared = blocks[0].column(one, 2)
    assert blocks[0].column(other, 2) is shared
    assert blocks[0].column(other, 1) is not blocks[0].column(one, 1)


def test_lines_of_one_indicator_come_from_one_run() -> None:
    p = Program()
    close = p.column()
    line = p.indicator("macd.line", close, numbers=(3, 6, 2))
    signal = p.indicator("macd.signal", close, numbers=(3, 6, 2))
    bound = rules(p.plain(enter=p.add("gt", line, signal)))
    block = frames_of(walk(400)).block(BTC, bound.frames[0], BAR_MS)
    assert block is not None
    node = bound.nodes[line]
    assert node.indicator is not None
    outs = [new_column(node, len(block)) for _ in range(3)]
    fill(
        node,
        block.bars,
        [block.bars.close],
        outs,
        0,
        len(block),
        node.indicator.new_state((3, 6, 2)),
    )
    names = node.indicator.outputs
    assert bytes(block.column(bound, line)) == bytes(outs[names.index("line")])
    assert bytes(block.column(bound, signal)) == bytes(outs[names.index("signal")])


# --- other timeframes ----------------------------------------------------------------------------


def seen_program(name: str = "ema", n: int = 5) -> tuple[dict[str, Any], int]:
    p = Program()
    hourly = p.indicator(name, p.column(timeframe="1h"), numbers=(n,), timeframe="1h")
    seen = p.add("on", hourly, text="1h")
    enter = p.add("gt", p.column(), seen)
    return p.plain(enter=enter, strength=seen), hourly


def test_an_hour_is_seen_when_it_has_closed_with_the_value_of_its_own_block() -> None:
    hour = BAR_MS // HOUR_MS * HOUR_MS
    minutes = walk(60 * 400, last_ms=hour + 90 * MINUTE_MS)
    hours = resample(minutes, HOUR_MS)
    program, hourly = seen_program()
    bound = rules(program)
    bar = hour + 79 * MINUTE_MS
    frames = frames_of(minutes, hours, close_ms=bar + MINUTE_MS, anchor=20)
    block = frames.block(BTC, bound.frames[0], bar)
    assert block is not None
    said = readings(block, bound)["strength"]
    for i, open_ms in enumerate(block.bars.open_ms):
        closed = last_open_ms(open_ms + MINUTE_MS, HOUR_MS)
        alone = Frames({(BTC, "1h"): hours}, closed + HOUR_MS, 20)
        own = alone.block(BTC, bound.frames[1], closed)
        assert own is not None
        assert own.bars.open_ms[-1] == closed
        assert said[i] == own.column(bound, hourly)[-1]


def test_a_warm_up_of_another_timeframe_is_part_of_what_is_seen() -> None:
    """Two strategies see the same hourly average from different starts, on the same rows."""
    hour = BAR_MS // HOUR_MS * HOUR_MS
    minutes = walk(60 * 400, last_ms=hour + 90 * MINUTE_MS)
    held = (minutes, resample(minutes, HOUR_MS))
    plain, _ = seen_program()
    p = Program()
    hours = p.column(timeframe="1h")
    quick = p.indicator("ema", hours, numbers=(5,), timeframe="1h")
    calm = p.indicator("ema", hours, numbers=(40,), timeframe="1h")
    seen = p.add("on", quick, text="1h")
    long = p.add("gt", p.add("on", calm, text="1h"), seen)
    wide = p.plain(enter=long, strength=p.add("add", seen, p.number(0)))
    bar = hour + 79 * MINUTE_MS
    frames = frames_of(*held, close_ms=bar + MINUTE_MS, anchor=20)
    for program in (plain, wide, plain):
        shared = values(frames, rules(program), bar, "strength")
        alone = frames_of(*held, close_ms=bar + MINUTE_MS, anchor=20)
        assert values(alone, rules(program), bar, "strength") == shared
    one, other = (values(frames, rules(program), bar, "strength") for program in (plain, wide))
    assert one != other
    assert one == pytest.approx(other, rel=1e-4)


def test_an_hour_that_is_not_there_is_not_ready() -> None:
    program, _ = seen_program()
    bound = rules(program)
    minutes = walk(400)
    assert set(values(frames_of(minutes), bound, BAR_MS)) == {-1}
    later = walk(3, last_ms=BAR_MS + HOUR_MS, step_ms=HOUR_MS)
    assert set(values(frames_of(minutes, later), bound, BAR_MS)) == {-1}


def test_what_is_asked_for_is_what_a_decision_reads() -> None:
    """Cut to its spans, every timeframe gives the very values that the whole history gives."""
    hour = BAR_MS // HOUR_MS * HOUR_MS
    close_ms = hour + 93 * MINUTE_MS
    minutes = walk(60 * 200, last_ms=close_ms - MINUTE_MS)
    hours = resample(minutes, HOUR_MS)
    program, _ = seen_program()
    bound = rules(program)
    newest = close_ms - MINUTE_MS
    found = spans(bound, ANCHOR, newest, newest - 14 * MINUTE_MS)
    cut = {
        name: series.slice(series.index_of(found[name][0]), series.index_of(found[name][1] + 1))
        for name, series in (("1m", minutes), ("1h", hours))
    }
    assert [cut[name].open_ms[0] for name in ("1m", "1h")] == [found[n][0] for n in ("1m", "1h")]
    for bar in (newest, newest - 14 * MINUTE_MS):
        wanted = values(frames_of(minutes, hours, close_ms=close_ms), bound, bar, "strength")
        assert not any(isnan(v) for v in wanted)
        short = frames_of(cut["1m"], cut["1h"], close_ms=close_ms)
        assert values(short, bound, bar, "strength") == wanted


# --- opinions of rules ---------------------------------------------------------------------------


def opinion(program: dict[str, Any], *series: Series, **changed: Any) -> Any:
    spec = strategy(source="", program=program, **changed)
    code = StrategyCode(lambda _: 0, lambda b, p: {}, program)
    frames = frames_of(*series)
    return form_opinion(spec, code, frames, BTC, 100_000)


def constant(enter: bool, leave: bool, stop: Any = "0.5") -> dict[str, Any]:
    p = Program()
    one, two = p.number(1), p.number(2)
    yes, no = p.add("lt", one, two), p.add("gt", one, two)
    return p.plain(enter=yes if enter else no, exit=yes if leave else no, stop=p.number(stop))


@pytest.mark.parametrize("enter", [True, False])
@pytest.mark.parametrize("leave", [True, False])
def test_rules_alone_make_an_opinion(enter: bool, leave: bool) -> None:
    said = opinion(constant(enter, leave), walk(400))
    assert (said.problem, said.exit_now) == ("", leave)
    assert (said.enter_ms, said.strength) == (BAR_MS if enter else -1, 1.0)
    assert said.stop_distance == 0.5


def test_an_entry_that_is_not_ready_says_which_output_and_how_many_rows_are_missing() -> None:
    said = opinion(cross_program(2, 90), walk(40))
    assert said.problem == "SIGNAL_NOT_READY output=enter rows_missing=51 timeframe=1m"
    assert said.note == "SIGNAL_NOT_READY output=exit rows_missing=50 timeframe=1m"
    assert not said.exit_now


def test_a_division_by_zero_is_not_ready_and_lacks_no_rows() -> None:
    p = Program()
    ratio = p.add("div", p.number(1), p.number(0))
    program = p.plain(enter=p.add("gt", ratio, p.number(1)), stop=p.number(1))
    said = opinion(program, walk(400))
    assert said.problem == "SIGNAL_NOT_READY output=enter rows_missing=0 timeframe=1m"


def test_an_exit_is_known_though_the_entry_is_not() -> None:
    p = Program()
    close = p.column()
    enter = p.add("gt", close, p.indicator("sma", close, numbers=(200,)))
    program = p.plain(enter=enter, exit=p.add("gt", close, p.number(1)), stop=p.number(1))
    said = opinion(program, walk(40))
    assert said.problem.startswith("SIGNAL_NOT_READY output=enter")
    assert said.exit_now


def test_rules_that_fade_are_not_read_from_too_short_a_history() -> None:
    said = opinion(ema_cross(), walk(40))
    assert said.problem.startswith("DATA_SHORT")
    assert opinion(ema_cross(), walk(400)).problem == ""


def test_a_trail_stands_in_for_a_stop_that_is_not_there_and_nothing_for_both() -> None:
    p = Program()
    yes = p.add("lt", p.number(1), p.number(2))
    said = opinion(p.plain(enter=yes, trail=p.number("0.25")), walk(400))
    assert (said.problem, said.stop_distance, said.trail_distance) == ("", 0.25, 0.25)
    bare = opinion(p.plain(enter=yes), walk(400))
    assert bare.problem == "SIGNAL_NOT_READY stop=nan strength=0x1.0000000000000p+0"


def test_rules_stand_in_for_a_files_columns() -> None:
    def signals(window: Any, numbers: Any) -> dict[str, list[Any]]:
        n = len(window)
        assert window.open_ms[0] == BAR_MS - 3 * MINUTE_MS
        return {"enter": [1] * n, "exit": [1] * n, "stop": [2.0] * n, "strength": [0.5] * n}

    p = Program()
    program = p.plain(stop=p.number(7), exit=p.add("gt", p.number(1), p.number(2)))
    code = StrategyCode(lambda _: 3, signals, program)
    said = form_opinion(strategy(program=program), code, frames_of(walk(400)), BTC, 100_000)
    assert (said.enter_ms, said.exit_now) == (BAR_MS, False)
    assert (said.stop_distance, said.strength) == (7.0, 0.5)


def test_an_hour_that_is_missing_is_stale() -> None:
    program, _ = seen_program("sma", 3)
    said = opinion(program, walk(400))
    hour = last_open_ms(BAR_MS + MINUTE_MS, HOUR_MS)
    assert said.problem == f"DATA_STALE wanted_ms={hour} newest_ms=none timeframe=1h"
    before = walk(400, last_ms=hour - HOUR_MS, step_ms=HOUR_MS)
    said = opinion(program, walk(400), before)
    assert said.problem == (f"DATA_STALE wanted_ms={hour} newest_ms={hour - HOUR_MS} timeframe=1h")


def test_a_finer_timeframe_is_seen_as_it_was_when_the_strategys_own_bar_closed() -> None:
    """As a back-test asks that runs a strategy on longer bars than its own."""
    p = Program()
    fine = p.column(timeframe="1m")
    seen = p.add("on", fine, text="1m")
    program = p.plain(enter=p.add("gt", seen, p.number(0)), stop=seen)
    hour = BAR_MS // HOUR_MS * HOUR_MS
    minutes = walk(60 * 200, last_ms=hour + 79 * MINUTE_MS)
    spec = strategy(source="", program=program, timeframe="1h", timeframe_ms=HOUR_MS)
    code = StrategyCode(lambda _: 0, lambda b, p: {}, program)
    frames = frames_of(minutes, resample(minutes, HOUR_MS), close_ms=hour + 80 * MINUTE_MS)
    said = form_opinion(spec, code, frames, BTC, 100_000)
    assert (said.problem, said.enter_ms) == ("", hour)
    newest = minutes.index_of(hour + 59 * MINUTE_MS)
    assert said.stop_distance == minutes.close[newest] / 100


def test_a_rule_that_cannot_be_bound_fails_its_strategy_alone() -> None:
    said = opinion(cross_program("$fast", 9), walk(400))
    assert said.problem == "STRATEGY_FAILED in=rules error=malformed: KeyError 'fast'"


def test_the_windows_of_a_decision_hold_every_timeframe_of_a_rule() -> None:
    program, _ = seen_program()
    spec = strategy(source="", program=program, ttl_bars=3)
    code = StrategyCode(lambda _: 0, lambda b, p: {}, program)
    wanted = wanted_windows(parameters(spec), {"one": code}, account(), BAR_MS + MINUTE_MS)
    start = BAR_MS - ANCHOR * MINUTE_MS  # the oldest living signal is of the block before
    assert wanted[BTC, "1m"] == (start, BAR_MS)
    hour = last_open_ms(start + MINUTE_MS, HOUR_MS)
    assert wanted[BTC, "1h"] == (
        anchor_ms(hour, HOUR_MS, ANCHOR) - 64 * HOUR_MS,
        last_open_ms(BAR_MS + MINUTE_MS, HOUR_MS),
    )


def test_opinions_without_a_stop_are_equal() -> None:
    p = Program()
    odd = p.add("neg", p.add("div", p.number(0), p.number(0)))
    program = p.plain(enter=p.add("lt", p.number(1), p.number(2)), stop=odd)
    one, other = opinion(program, walk(400)), opinion(program, walk(400))
    assert isnan(one.stop_distance)
    assert one == other


def test_a_position_is_left_on_its_exit_level_though_the_entry_is_not_ready() -> None:
    p = Program()
    close = p.column()
    enter = p.add("gt", close, p.indicator("sma", close, numbers=(200,)))
    program = p.plain(enter=enter, exit=p.add("gt", close, p.number(1)), stop=p.number(1))
    policy = parameters(strategy(source="", program=program))
    code = StrategyCode(lambda _: 0, lambda b, p: {}, program)
    state = account()
    hold(state)
    decided = plan(snapshot(state, policy, strategies={"one": code}))
    assert [leg.proposal.reason for leg in decided.legs] == ["exit_signal"]


@pytest.mark.parametrize("seed", range(6))
def test_holes_in_a_higher_timeframe_say_the_same_with_any_history_at_hand(seed: int) -> None:
    """A bar from before a row's own window would be seen only by who has it at hand."""
    p = Program()
    hourly = p.column(timeframe="1h")
    if seed % 2:
        hourly = p.indicator("ema", hourly, numbers=(2,), timeframe="1h")
    seen = p.add("on", hourly, text="1h")
    above = p.add("gt", seen, p.number(0))
    program = p.plain(enter=p.add("all", above, numbers=(30,)), stop=seen)
    spec = strategy(source="", program=program, ttl_bars=1 + seed % 3)
    code = StrategyCode(lambda _: 0, lambda b, q: {}, program)
    rng = random.Random(seed)
    minutes = walk(9_000, seed)
    first = minutes.open_ms[0]
    hours = [
        row
        for row in resample(minutes, HOUR_MS).rows()
        if rng.random() < 0.6 and not 20 <= (row[0] - first) // HOUR_MS < 110
    ]
    whole = {(BTC, "1m"): minutes, (BTC, "1h"): build_series(BTC, HOUR_MS, TICK, hours)}
    policy, said = parameters(spec), 0
    for open_ms in minutes.open_ms[6_500:9_000:7]:
        close_ms = open_ms + MINUTE_MS
        cut = {
            key: whole[key].slice(whole[key].index_of(span[0]), whole[key].index_of(span[1] + 1))
            for key, span in wanted_windows(policy, {"one": code}, account(), close_ms).items()
        }
        one, other = (
            form_opinion(spec, code, Frames(series, close_ms, ANCHOR), BTC, 1_000_000)
            for series in (whole, cut)
        )
        assert repr(one) == repr(other)
        said += not one.problem
    assert said > 20
