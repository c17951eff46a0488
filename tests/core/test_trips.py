"""Rows of executions and round trips, and what they come to, against plain definitions."""

from __future__ import annotations

from array import array
from itertools import product
from random import Random

import pytest

from trader.core.trips import (
    BLOCK,
    FILL_COLUMNS,
    TRIP_COLUMNS,
    Execution,
    Trips,
    shares_of,
    sum_results,
)

LARGE = 2**62 - 1


def execution(at_ms: int, side: int, lots: int, *, symbol: int = 0, fee: int = 0) -> Execution:
    one = Execution()
    one.at_ms, one.side, one.qty_lots, one.symbol, one.price_ticks = at_ms, side, lots, symbol, 10
    one.strategy, one.reason, one.value_units = 7, 8 + side, lots * 10
    one.fee_units = one.fee_cash_units = fee
    return one


def as_rows(cells: array[int], names: tuple[str, ...]) -> list[dict[str, int]]:
    width = len(names)
    rows = (cells[at : at + width] for at in range(0, len(cells), width))
    return [dict(zip(names, row, strict=True)) for row in rows]


def test_a_position_bought_and_sold_in_two_parts_is_one_row() -> None:
    trips = Trips()
    trips.take(execution(1, 0, 4, fee=2), 0, -1)
    trips.take(execution(2, 1, 1, fee=1), 5, -1)
    assert (trips.open, trips.closed.count) == (1, 0)
    trips.take(execution(3, 1, 3, fee=1), -9, 3)
    (row,) = as_rows(trips.closed.told(), TRIP_COLUMNS)
    assert row == {
        "strategy": 7, "symbol": 0, "opened_ms": 1, "closed_ms": 3, "bought_lots": 4,
        "sold_lots": 4, "first_ticks": 10, "last_ticks": 10, "cost_units": 42,
        "proceeds_units": 38, "fee_units": 4, "result_units": -4, "fills": 3, "exit_reason": 9,
    }  # fmt: skip
    assert (trips.open, trips.turnover_units) == (0, 80)
    fills = as_rows(trips.fills.told(), FILL_COLUMNS)
    assert [(fill["at_ms"], fill["side"], fill["fee_units"]) for fill in fills] == [
        (1, 0, 2), (2, 1, 1), (3, 1, 1),
    ]  # fmt: skip


def test_rows_grow_without_losing_any_and_each_symbol_has_its_own_trip() -> None:
    trips, times = Trips(), BLOCK + 1
    for at_ms, symbol in product(range(times), (0, 5)):
        trips.take(execution(2 * at_ms, 0, symbol + 1, symbol=symbol), 0, -1)
        trips.take(execution(2 * at_ms + 1, 1, symbol + 1, symbol=symbol), at_ms, 2 * at_ms + 1)
    rows = as_rows(trips.closed.told(), TRIP_COLUMNS)
    told = [(row["symbol"], row["opened_ms"], row["bought_lots"]) for row in rows]
    assert told == [(s, 2 * at_ms, s + 1) for at_ms, s in product(range(times), (0, 5))]
    assert list(trips.closed.column(TRIP_COLUMNS.index("result_units"))[::2]) == list(range(times))
    assert (trips.fills.count, trips.open) == (4 * times, 0)


def test_what_a_trip_that_is_over_had_left_is_sold_as_part_of_it() -> None:
    trips = Trips()
    for symbol in (0, 1):
        trips.take(execution(1, 0, 4, symbol=symbol), 0, -1)
        trips.close(symbol, 2, 9)
    trips.take(execution(3, 1, 3, symbol=0), -5, -1)
    trips.take(execution(4, 1, 1, symbol=0), -6, 4)
    first, second = as_rows(trips.closed.told(), TRIP_COLUMNS)
    assert (first["sold_lots"], first["result_units"], first["closed_ms"]) == (4, -11, 4)
    assert (second["sold_lots"], second["closed_ms"], trips.open) == (0, 2, 0)


def test_the_value_of_all_executions_may_be_beyond_64_bits() -> None:
    trips, one = Trips(), execution(1, 0, 1)
    one.value_units = LARGE
    for _ in range(9):
        trips.take(one, 0, -1)
    assert trips.turnover_units == 9 * LARGE


@pytest.mark.parametrize("seed", range(5))
def test_gains_and_losses_are_summed_apart(seed: int) -> None:
    chance = Random(seed)
    results = array("q", [chance.randint(-LARGE, LARGE) for _ in range(seed * 10)] + [0])
    out = array("q", bytes(40))
    sum_results(memoryview(results), memoryview(out))
    gains = [result for result in results if result > 0]
    assert (out[0] << 31) + out[1] == sum(gains)
    assert (out[2] << 31) + out[3] == sum(gains) - sum(results)
    assert out[4] == len(gains)


def test_shares_are_of_what_cost_anything() -> None:
    results, costs = array("q", [3, -4, 5]), array("q", [4, 0, LARGE])
    shares = array("d", bytes(24))
    assert shares_of(memoryview(results), memoryview(costs), shares) == 2
    assert list(shares[:2]) == [0.75, 5 / LARGE]
