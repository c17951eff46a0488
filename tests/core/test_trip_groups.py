"""Passes over round trips say what a plain reading of the rows says."""

from __future__ import annotations

import random
from array import array
from fractions import Fraction
from math import floor

import pytest

from trader.core.trip_groups import (
    SUM_COLUMNS,
    most_held,
    shares_of,
    sum_by,
    time_held,
    weightiest,
)
from trader.core.trips import TRIP_COLUMNS

LARGE = 4_000_000_000_000_000_000


def table(rows: list[dict[str, int]]) -> array[int]:
    """Rows with these cells, 0 elsewhere."""
    return array("q", [row.get(name, 0) for row in rows for name in TRIP_COLUMNS])


def made(seed: int, count: int) -> list[dict[str, int]]:
    dice = random.Random(seed)
    rows: list[dict[str, int]] = []
    for _ in range(count):
        opened = dice.randrange(1_000)
        rows.append(
            {
                "strategy": dice.randrange(3),
                "symbol": dice.randrange(4),
                "opened_ms": opened,
                "closed_ms": opened + dice.randrange(80),
                "cost_units": dice.choice([0, 1, 7, 10**9, LARGE]),
                "fee_units": dice.choice([0, 3, LARGE]),
                "result_units": dice.choice([-LARGE, -5, -1, 0, 1, 5, 10**12, LARGE]),
                "exit_reason": dice.randrange(-1, 2),
            }
        )
    return rows


def summed(sums: array[int], place: int) -> dict[str, int]:
    at = (place + 1) * len(SUM_COLUMNS)
    row: dict[str, int] = dict(zip(SUM_COLUMNS, sums[at : at + len(SUM_COLUMNS)], strict=True))
    parts = ("result", "cost", "fee", "held")
    whole = {name: (row[f"{name}_upper"] << 31) + row[f"{name}_lower"] for name in parts}
    return whole | {name: row[name] for name in ("count", "wins", "best", "worst")}


@pytest.mark.parametrize("column", ["strategy", "symbol", "exit_reason"])
def test_sums_are_those_of_each_name_however_large(column: str) -> None:
    rows = made(1, 400)
    found = array("q", bytes(8 * len(SUM_COLUMNS) * 5))
    sum_by(table(rows), TRIP_COLUMNS.index(column), found)
    for place in range(-1, 4):
        own = [row for row in rows if row[column] == place]
        results = [row["result_units"] for row in own]
        assert summed(found, place) == {
            "result": sum(results),
            "cost": sum(row["cost_units"] for row in own),
            "fee": sum(row["fee_units"] for row in own),
            "held": sum(row["closed_ms"] - row["opened_ms"] for row in own),
            "count": len(own),
            "wins": sum(result > 0 for result in results),
            "best": max(results, default=0),
            "worst": min(results, default=0),
        }


def test_shares_are_rounded_down_and_cut_off_far_away() -> None:
    rows = made(2, 400)
    found = array("q", bytes(8 * len(rows)))
    count = shares_of(table(rows), found)
    exact = [
        floor(Fraction(row["result_units"] * 1_000_000, row["cost_units"]))
        for row in rows
        if row["cost_units"]
    ]
    assert found[:count].tolist() == [max(-(2**62), min(2**62, share)) for share in exact]


@pytest.mark.parametrize("most", [1, 5, 500])
def test_the_weightiest_come_first_and_of_equals_the_one_that_opened_first(most: int) -> None:
    rows = made(3, 300)
    out = array("q", bytes(8 * (most + 1)))
    count = weightiest(table(rows), 2, most, out)
    own = [number for number, row in enumerate(rows) if row["symbol"] == 2]
    own.sort(key=lambda at: (-abs(rows[at]["result_units"]), rows[at]["opened_ms"]))
    assert out[:count].tolist() == own[:most]


def test_time_is_held_once_however_many_positions_there_are() -> None:
    rows = made(4, 30)
    opened = array("q", sorted([row["opened_ms"] for row in rows] + [1_050]))
    closed = array("q", sorted(row["closed_ms"] for row in rows))
    spans = [(row["opened_ms"], row["closed_ms"]) for row in rows] + [(1_050, 9_999)]
    for first in range(0, 1_100, 37):
        for last in (first, first + 1, first + 50, first + 700):
            plain = sum(any(a <= at < b for a, b in spans) for at in range(first, last))
            begun = sum(at <= first for at in opened)
            ended = sum(at <= first for at in closed)
            assert time_held(opened, closed, first, last, begun, ended) == plain


@pytest.mark.parametrize("blocks", [1, 3, 10])
def test_a_stretch_tells_the_most_that_were_held_in_it(blocks: int) -> None:
    rows = made(5, 12)
    opened = array("q", sorted([row["opened_ms"] for row in rows] + [900]))
    closed = array("q", sorted(row["closed_ms"] for row in rows))
    spans = [(row["opened_ms"], row["closed_ms"]) for row in rows] + [(900, 9_999)]
    out = array("q", bytes(8 * blocks))
    most_held(opened, closed, 0, 1_200, out)
    plain = [0] * blocks
    for at in range(1_200):
        block = at * blocks // 1_200
        plain[block] = max(plain[block], sum(a <= at < b for a, b in spans))
    assert out.tolist() == plain


def test_without_a_round_trip_nothing_is_held() -> None:
    none, out = array("q"), array("q", [0])
    most_held(none, none, 0, 10, out)
    assert out.tolist() == [0]
    assert time_held(none, none, 0, 10, 0, 0) == 0
    assert shares_of(none, out) == weightiest(none, 0, 0, out) == 0
