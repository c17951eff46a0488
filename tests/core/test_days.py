"""Days of the account and of its strategies, and money that comes or goes without a fill."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.days import ACCOUNT, DAY_SLOTS, DayRow, day_row, days_of
from trader.core.fold import FoldError, fold
from trader.core.limits import Day, Limits, Zone
from trader.core.marks import (
    DAY_MS,
    MARKS,
    changed_marks,
    kept_marks,
    limit_units,
    mark_account,
)
from trader.core.state import State
from trader.domain.timeframe import TIMEFRAMES_MS

from .made import BAR_MS, BTC, ETH, LIMITS, UNIT, account, fill_row, hold, order_row, sent
from .test_fold import copy, dump

DAY = 20_000
HOUR_MS = TIMEFRAMES_MS["1h"]


def at(day: int, hour: int = 0) -> int:
    """So many hours into a UTC day."""
    return day * DAY_MS + hour * HOUR_MS


def decide(state: State, equity: int, close_ms: int, limits: Limits = LIMITS, **told: Any) -> None:
    """One decision at which the account is worth so many cash units."""
    marks = changed_marks(state, mark_account(state, equity, close_ms, limits))
    bar_ms = state.number("last_bar_ms") + 1
    fold(state, "plan", {"bar_ms": bar_ms, "legs": [], "marks": marks, **told})


def flow(state: State, amount: str, flow_id: str = "f", **changed: Any) -> None:
    """Money that came or went."""
    units = int(float(amount) * UNIT)
    kind = "deposit" if units > 0 else "withdrawal"
    payload = {"flow_id": flow_id, "kind": kind, "asset": "USDT", "amount": amount, "units": units}
    who = {"by": "ann", "why": "told", "at_ms": BAR_MS}
    fold(state, "flow", {**payload, **who, **changed})


def day(state: State, number: int = DAY, name: str = ACCOUNT) -> DayRow:
    found = day_row(state, name, number)
    assert found is not None
    return found


# --- days --------------------------------------------------------------------------------------

# close (day, hour), equity; start, end, result of day 0 and of the newest day after it
WALKS = [
    ("a first day", [(0, 1, 1_000), (0, 9, 1_010)], (1_000, 1_010), (1_000, 1_010)),
    (
        "the decision at the very start ends the old day and begins the new one",
        [(0, 23, 1_000), (1, 0, 990), (1, 5, 1_005)],
        (1_000, 990),
        (990, 1_005),
    ),
    (
        "what changed while nobody decided belongs to the day that decides again",
        [(0, 23, 1_000), (1, 3, 900), (1, 5, 880)],
        (1_000, 1_000),
        (1_000, 880),
    ),
    (
        "days that passed without a decision are not there",
        [(0, 5, 1_000), (9, 5, 900)],
        (1_000, 1_000),
        (1_000, 900),
    ),
]


@pytest.mark.parametrize(
    ("steps", "first", "last"), [row[1:] for row in WALKS], ids=[row[0] for row in WALKS]
)
def test_a_day_is_measured_from_where_the_day_before_it_ended(
    steps: list[tuple[int, int, int]], first: tuple[int, int], last: tuple[int, int]
) -> None:
    state = account()
    for number, hour, equity in steps:
        decide(state, equity * UNIT, at(DAY + number, hour))
    newest = DAY + steps[-1][0]
    for number, (start, end) in ((DAY, first), (newest, last)):
        row = day(state, number)
        assert (row.start_units, row.end_units) == (start * UNIT, end * UNIT)
        assert row.result_units == (end - start) * UNIT
    assert state.number("day_units") == last[0] * UNIT


def test_a_day_keeps_its_lowest_result() -> None:
    state = account()
    for hour, equity in enumerate((1_000, 990, 970, 985, 1_020)):
        decide(state, equity * UNIT, at(DAY, hour))
    assert (day(state).low_units, day(state).result_units) == (-30 * UNIT, 20 * UNIT)


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(900, 1_100)), min_size=1, max_size=60))
def test_results_of_days_sum_to_the_result(steps: list[tuple[int, int]]) -> None:
    state, close_ms = account(1_000 * UNIT), at(DAY, 3)
    decide(state, 1_000 * UNIT, close_ms)
    for number, (hours, equity) in enumerate(steps):
        close_ms += hours * HOUR_MS
        if number % 3 == 0:
            flow(state, "7", f"f{number}")
        decide(state, equity * UNIT, close_ms)
    rows = days_of(state, ACCOUNT, DAY, state.number("day"))
    flows = (len(steps) + 2) // 3 * 7
    assert sum(row.flow_units for row in rows) == flows * UNIT
    assert sum(row.result_units for row in rows) == (steps[-1][1] - 1_000 - flows) * UNIT
    assert all(row.low_units <= min(0, row.result_units) for row in rows)


def test_day_0_is_a_day_and_no_day_is_none() -> None:
    state = account()
    fold(state, "plan", {"bar_ms": 0, "legs": [], "results": {"one": 5}})
    hold(state, BTC, lots=100)
    assert not state.days
    decide(state, 1_000 * UNIT, 0)
    decide(state, 990 * UNIT, HOUR_MS, results={"one": 7})
    sent(state, order_row("b" * 32, symbol=ETH))
    fold(state, "fill", fill_row("b" * 32, "2", symbol=ETH))
    row, own = day(state, 0), day(state, 0, "one")
    assert (row.start_units, row.end_units) == (1_000 * UNIT, 990 * UNIT)
    assert (row.trades, row.fills, own.trades, own.fills) == (1, 1, 1, 1)
    assert (own.start_units, own.end_units, own.name) == (5, 7, "one")
    decide(state, 980 * UNIT, at(1))
    assert (day(state, 0).end_units, day(state, 1).start_units) == (980 * UNIT, 980 * UNIT)
    flow(state, "-1")
    assert day(state, 1).flow_units == -UNIT


def test_a_record_without_numbers_is_of_no_day() -> None:
    row = DayRow({"key": "two|strokes|7"})
    assert (row.name, row.day, row.start_units, row.end_units) == ("two|strokes", -1, 0, 0)


def test_only_days_that_are_kept_are_found() -> None:
    state = account()
    for number in range(DAY_SLOTS):
        decide(state, 1_000 * UNIT, at(DAY + number))
    last = DAY + DAY_SLOTS - 1
    assert len(days_of(state, ACCOUNT, 0, last)) == DAY_SLOTS
    assert [row.day for row in days_of(state, ACCOUNT, last - 2, last)] == [
        last - 2,
        last - 1,
        last,
    ]
    assert days_of(state, ACCOUNT, last + 1, last) == []
    assert [row.day for row in days_of(state, ACCOUNT, last - 1, last - 1)] == [last - 1]


def test_day_1_goes_on_from_day_0_and_money_of_day_0_is_of_that_day() -> None:
    state = account()
    decide(state, 1_000 * UNIT, HOUR_MS)
    flow(state, "0.5")
    assert day(state, 0).flow_units == UNIT // 2
    decide(state, 900 * UNIT, at(1, 3))
    assert day(state, 1).start_units == 1_000 * UNIT + UNIT // 2


def test_one_unit_of_money_moves_marks_of_one_unit() -> None:
    state = account(1)
    decide(state, 1, at(DAY))
    flow(state, "0.00000001")
    assert (state.cash_units, state.number("high_units"), state.number("day_units")) == (2, 2, 2)


def test_the_limit_of_a_loss_is_a_share_rounded_up_and_never_nothing() -> None:
    table = [(100, 1, 1), (1_000_001, 1, 2), (0, 2_000_000, 1), (-5, 2_000_000, 1), (7, 500_000, 4)]
    assert [limit_units(base, ppm) for base, ppm, _ in table] == [row[2] for row in table]


def test_marks_of_a_decision_without_equity_are_those_there_were() -> None:
    state = account()
    decide(state, 1_000 * UNIT, at(DAY, 1))
    before = {name: state.number(name) for name in MARKS}
    assert kept_marks(state, at(DAY, 2)) == {**before, "close_ms": at(DAY, 2)}


def test_the_ring_of_days_is_bounded_and_forgets_the_oldest() -> None:
    state = account()
    for number in range(DAY_SLOTS + 20):
        decide(state, (1_000 + number) * UNIT, at(DAY + number))
    assert len(state.days) == DAY_SLOTS
    assert day_row(state, ACCOUNT, DAY + 19) is None
    newest = DAY + DAY_SLOTS + 19
    assert [row.day for row in days_of(state, ACCOUNT, 0, newest)] == list(
        range(DAY + 20, newest + 1)
    )


def berlin() -> Zone:
    """Europe/Berlin of 2024 as policy would make it."""
    zone = ZoneInfo("Europe/Berlin")
    changes = [(2024, 1, 1, 0), (2024, 3, 31, 1), (2024, 10, 27, 1)]
    starts = [datetime(*parts, tzinfo=UTC) for parts in changes]
    shown = [moment.astimezone(zone).replace(tzinfo=UTC) for moment in starts]
    offsets = [
        (there - moment) // timedelta(milliseconds=1)
        for there, moment in zip(shown, starts, strict=True)
    ]
    return Zone(
        "Europe/Berlin",
        tuple(int(moment.timestamp() * 1_000) for moment in starts),
        tuple(offsets),
        int(datetime(2025, 1, 1, tzinfo=UTC).timestamp() * 1_000),
    )


# the local day, and in UTC the hours at which it begins and ends
CLOCKS = [
    ("an ordinary winter day", datetime(2024, 2, 5, tzinfo=UTC), 23, 23, 24),
    ("the short day: clocks go forward", datetime(2024, 3, 31, tzinfo=UTC), 23, 22, 23),
    ("the long day: clocks go back", datetime(2024, 10, 27, tzinfo=UTC), 22, 23, 25),
    ("a leap day", datetime(2024, 2, 29, tzinfo=UTC), 23, 23, 24),
    ("the year's last day", datetime(2024, 12, 31, tzinfo=UTC), 23, 23, 24),
]


@pytest.mark.parametrize(
    ("midnight", "begins", "ends", "hours"), [row[1:] for row in CLOCKS], ids=[r[0] for r in CLOCKS]
)
def test_the_days_stop_holds_until_the_local_day_ends(
    midnight: datetime, begins: int, ends: int, hours: int
) -> None:
    limits = replace(LIMITS, day_stop_ppm=30_000, day=Day(berlin()))
    utc_ms = int(midnight.timestamp() * 1_000)
    start = utc_ms - (24 - begins) * HOUR_MS
    assert utc_ms - (24 - ends) * HOUR_MS + DAY_MS - start == hours * HOUR_MS
    state = account()
    decide(state, 1_000 * UNIT, start - HOUR_MS, limits)
    number = state.number("day") + 1
    for hour in range(hours):
        decide(state, (1_000 if hour == 0 else 960) * UNIT, start + hour * HOUR_MS, limits)
        assert state.number("day") == number
        assert state.number("day_stopped") == int(hour > 0)
    decide(state, 960 * UNIT, start + hours * HOUR_MS, limits)
    assert (state.number("day"), state.number("day_stopped")) == (number + 1, 0)
    assert day(state, number).result_units == -40 * UNIT


def test_a_zone_that_puts_the_clock_back_begins_no_day_twice() -> None:
    far = Zone("far", (0,), (12 * HOUR_MS,))
    state = account()
    decide(state, 1_000 * UNIT, at(DAY, 13), replace(LIMITS, day=Day(far)))
    assert state.number("day") == DAY + 1
    decide(state, 960 * UNIT, at(DAY, 14), replace(LIMITS, day_stop_ppm=30_000))
    assert (state.number("day"), state.number("day_stopped")) == (DAY + 1, 1)


def test_another_zone_does_not_end_the_day_that_began() -> None:
    limits = replace(LIMITS, day_stop_ppm=30_000)
    state = account()
    decide(state, 1_000 * UNIT, at(DAY, 12), limits)
    decide(state, 960 * UNIT, at(DAY, 13), limits)
    far = replace(limits, day=Day(Zone("far", (0,), (10 * HOUR_MS,))))
    for hour, held in ((14, 1), (23, 1), (24, 0)):
        decide(state, 960 * UNIT, at(DAY, hour), far)
        assert state.number("day_stopped") == held
    # 24:00 UTC is 10:00 of the next day there, which ends at 14:00 UTC.
    assert state.number("day") == DAY + 1
    assert state.number("day_ends_ms") == at(DAY + 1, 14)
    assert state.number("day_whole") == 0


# --- strategies --------------------------------------------------------------------------------


def test_a_strategys_day_begins_with_its_first_change_and_knows_its_fills() -> None:
    state = account()
    decide(state, 1_000 * UNIT, at(DAY, 1))
    hold(state, BTC, lots=100, name="one")
    decide(state, 1_002 * UNIT, at(DAY, 2), results={"one": 2 * UNIT})
    sent(state, order_row("b" * 32, side="sell", qty_lots=40, signal_ms=0))
    sold = {"side": "sell", "qty_lots": 40, "cost_units": 5 * UNIT, "fee_cash_units": UNIT // 100}
    fold(state, "fill", fill_row("b" * 32, "2", **sold))
    decide(state, 1_001 * UNIT, at(DAY, 3), results={"one": UNIT})
    # 40 of 100 lots cost 4 of 10; 5 came, 0.01 fee
    realised = 99 * UNIT // 100
    for name in (ACCOUNT, "one"):
        row = day(state, DAY, name)
        assert (row.realised_units, row.fees_units) == (realised, UNIT // 100)
        assert (row.fills, row.trades) == (2, 1)
        assert row.result_units == UNIT
    assert day_row(state, "two", DAY) is None
    assert state.books["one"].first_day == DAY


def test_what_changes_until_a_day_begins_is_the_old_days() -> None:
    state = account()
    decide(state, 1_000 * UNIT, at(DAY, 23), results={"one": UNIT})
    decide(state, 1_004 * UNIT, at(DAY + 1, 0), results={"one": 5 * UNIT})
    assert day(state, DAY, "one").result_units == 5 * UNIT
    assert day_row(state, "one", DAY + 1) is None
    decide(state, 1_004 * UNIT, at(DAY + 2, 4), results={"one": 2 * UNIT})
    assert day(state, DAY + 2, "one").result_units == -3 * UNIT


# --- flows -------------------------------------------------------------------------------------


def test_a_deposit_is_no_result() -> None:
    state = account(1_000 * UNIT)
    decide(state, 1_000 * UNIT, at(DAY, 1))
    decide(state, 960 * UNIT, at(DAY, 2))
    flow(state, "500")
    numbers = ("cash_units", "capital_units", "equity_units", "day_units", "high_units")
    assert [state.number(name) // UNIT for name in numbers] == [1_500, 1_500, 1_460, 1_500, 1_500]
    assert (day(state).flow_units, day(state).result_units) == (500 * UNIT, -40 * UNIT)
    limits = replace(LIMITS, day_stop_ppm=30_000, drawdown_ppm_max=100_000)
    decide(state, 1_460 * UNIT, at(DAY, 3), limits)  # 40 of 1,500 is less than 3 %
    assert state.number("day_stopped") == state.number("drawdown_stopped") == 0
    assert day(state).low_units == -40 * UNIT


def test_a_deposit_does_not_end_the_days_stop_and_a_withdrawal_does_not_hit_it() -> None:
    limits = replace(LIMITS, day_stop_ppm=30_000)
    state = account(1_000 * UNIT)
    decide(state, 1_000 * UNIT, at(DAY, 1), limits)
    flow(state, "-400", "a")
    decide(state, 600 * UNIT, at(DAY, 2), limits)
    assert state.number("day_stopped") == 0
    decide(state, 582 * UNIT, at(DAY, 3), limits)  # 18 of 600 are 3 %
    assert state.number("day_stopped") == 1
    flow(state, "9000", "b")
    decide(state, 9_582 * UNIT, at(DAY, 4), limits)
    assert state.number("day_stopped") == 1
    decide(state, 9_582 * UNIT, at(DAY + 1), limits)
    assert state.number("day_stopped") == 0


@pytest.mark.parametrize(("equity", "stopped"), [(441, 0), (440, 1), (400, 1)])
def test_a_withdrawal_in_a_draw_down_leaves_it_as_large_as_it_was(
    equity: int, stopped: int
) -> None:
    limits = replace(LIMITS, drawdown_ppm_max=120_000)
    state = account(1_000 * UNIT)
    decide(state, 1_000 * UNIT, at(DAY, 1), limits)
    decide(state, 950 * UNIT, at(DAY, 2), limits)
    flow(state, "-500")
    # 50 below the high of 500; 12 % of it are 60
    decide(state, equity * UNIT, at(DAY, 3), limits)
    assert state.number("high_units") == 500 * UNIT
    assert state.number("drawdown_stopped") == stopped


def test_a_draw_down_that_stopped_is_not_ended_by_money() -> None:
    limits = replace(LIMITS, drawdown_ppm_max=100_000)
    state = account(1_000 * UNIT)
    decide(state, 1_000 * UNIT, at(DAY, 1), limits)
    decide(state, 900 * UNIT, at(DAY, 2), limits)
    flow(state, "10000")
    decide(state, 10_900 * UNIT, at(DAY + 3, 2), limits)
    assert state.number("drawdown_stopped") == 1


def test_a_mark_that_waits_for_the_next_decision_is_not_moved_by_money() -> None:
    state = account(1_000 * UNIT)
    decide(state, 1_000 * UNIT, at(DAY, 1))
    fold(state, "mark_reset", {"by": "ann", "why": "seen"})
    flow(state, "500")
    assert state.number("high_units") == 0
    decide(state, 1_500 * UNIT, at(DAY, 2))
    assert state.number("high_units") == 1_500 * UNIT


def test_before_the_first_decision_money_moves_cash_and_capital_alone() -> None:
    state = account(1_000 * UNIT)
    flow(state, "250")
    assert (state.cash_units, state.number("capital_units")) == (1_250 * UNIT, 1_250 * UNIT)
    assert (state.number("equity_units"), state.number("high_units")) == (0, 0)


def test_coins_that_come_without_a_fill_are_the_owners() -> None:
    state = account()
    before = dump(state)
    for kind, asset in (("reward", "BTC"), ("fee_coin", "BNB"), ("deposit", "ETH")):
        flow(state, "3", kind, asset=asset, units=0, kind=kind)
    assert dump(state) == before


# kind, amount, units, asset: what contradicts itself
WRONG = [
    ("deposit", "1e31", 0, "BTC"),
    ("reward", "0", 0, "BTC"),
    ("withdrawal", "0", 0, "BTC"),
    ("deposit", "-1", -UNIT, "USDT"),
    ("withdrawal", "1", UNIT, "USDT"),
    ("reward", "-1", -UNIT, "USDT"),
    ("deposit", "0", 0, "USDT"),
    ("gift", "1", UNIT, "USDT"),
    ("gift", "-1", -UNIT, "USDT"),
    ("withdrawal", "0.5", UNIT // 2, "USDT"),
    ("deposit", "1", UNIT + 1, "USDT"),
    ("deposit", "1", UNIT, "BTC"),
    ("deposit", "NaN", 0, "USDT"),
    ("deposit", "Infinity", 0, "USDT"),
    ("deposit", "ten", 0, "USDT"),
    ("deposit", "0.000000001", 0, "USDT"),
    ("withdrawal", "-1000.00000001", -1_000 * UNIT - 1, "USDT"),
]


@pytest.mark.parametrize(("kind", "amount", "units", "asset"), WRONG)
def test_money_that_cannot_be_is_refused_and_moves_nothing(
    kind: str, amount: str, units: int, asset: str
) -> None:
    state = account(1_000 * UNIT)
    before = dump(state)
    payload = {"kind": kind, "amount": amount, "units": units, "asset": asset, "flow_id": "f"}
    with pytest.raises(FoldError, match="flow f"):
        fold(state, "flow", {**payload, "by": "ann", "why": "", "at_ms": 1})
    assert dump(state) == before


def test_an_amount_of_thirty_digits_is_an_amount() -> None:
    state = account()
    flow(state, "1e30", asset="DOGE", units=0, kind="reward")
    assert state.cash_units == state.number("capital_units")


def test_money_taken_beyond_the_high_leaves_a_mark_that_is_set_anew() -> None:
    state = account(2_000 * UNIT)
    decide(state, 1_000 * UNIT, at(DAY, 1))
    flow(state, "-1500")
    assert state.number("high_units") == 0
    assert (state.number("day_units"), state.number("equity_units")) == (-500 * UNIT, -500 * UNIT)
    decide(state, 500 * UNIT, at(DAY, 2))
    assert state.number("high_units") == 500 * UNIT


def test_everything_may_be_taken_to_the_last_unit() -> None:
    state = account(1_000 * UNIT)
    flow(state, "-1000", kind="correction")
    assert state.cash_units == 0


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("flow"), st.integers(-300, 300).filter(bool)),
            st.tuples(st.just("decide"), st.integers(500, 1_500)),
            st.tuples(st.just("trade"), st.integers(1, 50)),
        ),
        max_size=40,
    )
)
def test_a_state_with_days_and_flows_is_the_same_from_its_rows(
    steps: list[tuple[str, int]],
) -> None:
    state, close_ms = account(10_000 * UNIT), at(DAY, 20)
    for number, (what, size) in enumerate(steps):
        close_ms += HOUR_MS
        client_id = f"{number:032d}"
        if what == "flow":
            flow(state, str(size), client_id, kind="correction")
        elif what == "decide":
            decide(state, size * UNIT, close_ms, results={"one": size})
        else:
            sent(state, order_row(client_id, symbol=ETH, qty_lots=size))
            bought = {"symbol": ETH, "qty_lots": size, "cost_units": size * 10_000_000}
            fold(state, "fill", fill_row(client_id, client_id, **bought))
        if number % 5 == 4:
            state = copy(state)
    assert dump(copy(state)) == dump(state)
    books = sum(book.cash_units for book in state.books.values())
    assert state.cash_units - state.number("capital_units") == books
