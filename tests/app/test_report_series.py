"""What a report draws, worked by hand."""

from __future__ import annotations

from array import array
from decimal import Decimal

import pytest

from trader.app.report_axes import Axis, count_ticks, time_ticks, value_axis, value_ticks
from trader.app.report_rows import amounts_of
from trader.app.report_series import Held, distribution, equity_points, monthly, position_points
from trader.app.round_trips import RoundTrip
from trader.app.statistics import Curve
from trader.core.curve import Closes
from trader.core.scale import text, to_decimal
from trader.core.trips import TRIP_COLUMNS
from trader.domain.timeframe import DAY_MS

JAN, FEB, MAR = 1_704_067_200_000, 1_706_745_600_000, 1_709_251_200_000  # 2024


def curve() -> Curve:
    """1000 at the start of January; closes at the ends of January, of 10 February, of February."""
    closes = Closes(array("q", [FEB, FEB + 10 * DAY_MS, MAR]), 0)
    return Curve(JAN, 100_000, closes, array("q", [110_000, 88_000, 99_000]), Decimal("0.01"))


def trip(opened_ms: int, closed_ms: int, result: int, cost: int = 10_000) -> RoundTrip:
    found = RoundTrip("s", "BTC/USDT", opened_ms, closed_ms)
    found.result_units, found.cost_units = result, cost
    return found


def rows_of(trips: list[RoundTrip]) -> array[int]:
    """The table of those that are closed; each name is at place 0."""
    rows = array("q")
    for trip in (trip for trip in trips if trip.closed):
        cells = [getattr(trip, name) for name in TRIP_COLUMNS]
        rows.extend(0 if isinstance(cell, str) else cell for cell in cells)
    return rows


def held(trips: list[RoundTrip]) -> Held:
    return Held.of(rows_of(trips), [trip for trip in trips if not trip.closed])


def test_months_follow_one_another_and_know_their_exposure() -> None:
    trips = [trip(JAN, JAN + DAY_MS, 5), trip(FEB - DAY_MS, FEB + DAY_MS, 7), trip(FEB, -1, 0)]
    first, second = monthly(curve(), held(trips))
    assert (first["month"], first["result"], first["return"]) == ("2024-01", "100", "0.100000")
    assert (first["round_trips"], first["exposure"]) == (1, f"{2 / 31:.6f}")
    assert (second["equity"], second["return"]) == ("990", "-0.100000")
    assert (second["round_trips"], second["exposure"]) == (1, "1.000000")


def test_points_of_equity_say_how_far_it_is_below_its_high() -> None:
    found = equity_points(curve())
    assert found["bars"] == 3
    assert [row[1:] for row in found["points"]] == [
        ["1100", "0.000000"], ["880", "0.200000"], ["990", "0.100000"],
    ]  # fmt: skip


def test_positions_are_counted_while_they_overlap() -> None:
    trips = [trip(JAN, FEB, 1), trip(JAN + DAY_MS, JAN + 2 * DAY_MS, 1), trip(FEB, -1, 1)]
    found = position_points(held(trips), curve())
    assert found["most"] == 2
    assert [count for _, count in found["points"]] == [2, 1, 1]


def test_results_fall_into_bins_from_their_lower_end() -> None:
    shares = [-200, -101, -100, 0, 1, 99, 300]
    found = distribution(rows_of([trip(JAN, FEB, result) for result in shares]))
    assert found["step"] == "0.002500"
    counts = {row["from"]: row["round_trips"] for row in found["bins"] if row["round_trips"]}
    assert counts == {
        "-0.020000": 1, "-0.012500": 1, "-0.010000": 1, "0.000000": 2, "0.007500": 1,
        "0.030000": 1,
    }  # fmt: skip
    assert distribution(array("q")) == {"step": None, "bins": []}


@pytest.mark.parametrize("unit", ["0.00000001", "0.5", "1", "10", "0.025"])
@pytest.mark.parametrize("units", [0, 1, -1, 10, -250, 123_456_789_012_345_678])
def test_amounts_read_as_the_core_writes_them(unit: str, units: int) -> None:
    wanted = text(to_decimal(units, Decimal(unit)))
    assert amounts_of(Decimal(unit))(units) == wanted


def test_ticks_are_round_and_lie_where_they_say() -> None:
    axis = value_axis([9_800.0, 10_950.0])
    assert [said for _, said in value_ticks(axis)] == ["10,000", "10,250", "10,500", "10,750"]
    assert all(0 <= at <= 4000 for at, _ in value_ticks(axis))
    assert [said for _, said in count_ticks(Axis(0.0, 1.08, down=True))] == ["0", "1"]
    assert [said for _, said in time_ticks(JAN, MAR)] == ["Jan 2024", "Feb 2024", "Mar 2024"]
