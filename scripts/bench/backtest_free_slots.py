"""The comparison's own rule for many instruments, in floats: how often it fills.

Lives here: what the C reference counts (fractions of coins, sizes from the open that fills them, a
stop filled inside its bar, a slot that is free at the very open that sells), written down in
Python, so that the distance between its count and ours is explained and not guessed. Running sums
of floats drift as its do: which side of each other like averages lie on is then chance, and the
same chance. Must not live here: our rule (`backtest_oracle`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Column = Sequence[float]


@dataclass(frozen=True, slots=True)
class Terms:
    """Cash at the start; fee, share of the equity and stop as fractions."""

    cash: float
    fee: float
    share: float
    positions_max: int
    stop: float
    fast: int = 20
    slow: int = 50


@dataclass(slots=True)
class Counted:
    """What came of it."""

    fills: int = 0
    stopped: int = 0
    equity: float = 0.0


def drifting_crossings(closes: Column, fast: int, slow: int) -> bytearray:
    """By bar: 1 where the fast average has just crossed above the slow one, 2 below, else 0."""
    told = bytearray(len(closes))
    sum_fast = sum_slow = before = 0.0
    part_fast, part_slow = 1.0 / fast, 1.0 / slow
    for i, close in enumerate(closes):
        sum_fast += close
        sum_slow += close
        if i >= fast:
            sum_fast -= closes[i - fast]
        if i >= slow:
            sum_slow -= closes[i - slow]
        if i >= slow - 1:
            gap = sum_fast * part_fast - sum_slow * part_slow
            if i >= slow:
                told[i] = 1 if gap > 0.0 >= before else 2 if gap < 0.0 <= before else 0
            before = gap
    return told


def count(
    opens: Sequence[Column],
    lows: Sequence[Column],
    closes: Sequence[Column],
    marks: Sequence[bytearray],
    terms: Terms,
) -> Counted:
    """Run it over instruments whose bars are of the same times; `marks`: crossings of each."""
    told, cash = Counted(), terms.cash
    units, stops = dict[int, float](), dict[int, float]()
    rows = len(closes[0])
    wanted: dict[int, list[int]] = {}
    for one, mark in enumerate(marks):
        for row, crossed in enumerate(mark):
            if crossed == 1:
                wanted.setdefault(row + 1, []).append(one)
    for row in range(rows):
        asking = wanted.get(row, ())
        equity = _worth(cash, units, closes, row - 1) if asking else 0.0
        for one in [one for one in units if marks[one][row - 1] == 2]:
            cash += units.pop(one) * opens[one][row] * (1 - terms.fee)
            told.fills += 1
        for one in asking:
            if one in units or len(units) >= terms.positions_max:
                continue
            price = opens[one][row]
            units[one] = terms.share * equity / (price * (1 + terms.fee))
            cash -= units[one] * price * (1 + terms.fee)
            stops[one] = price * (1 - terms.stop)
            told.fills += 1
        for one in [one for one in units if lows[one][row] <= stops[one]]:
            cash += units.pop(one) * min(opens[one][row], stops[one]) * (1 - terms.fee)
            told.fills += 1
            told.stopped += 1
    told.equity = _worth(cash, units, closes, rows - 1)
    return told


def _worth(cash: float, units: dict[int, float], closes: Sequence[Column], row: int) -> float:
    return cash + sum(held * closes[one][row] for one, held in sorted(units.items()))
