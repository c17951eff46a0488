"""A plain reading of the workloads' rule in whole numbers: every fill that there must be.

Lives here: closes crossing, stops, slots, sizes, next opens and fees of one account, written down
once more and without anything of the program, so that its fills can be held against it one by one.
Must not live here: bars' files, how fast anything is, and other rules (`backtest_free_slots`).

The rule, bar by bar. What was decided at the close before is filled at this open. Then, at the
close: whoever holds leaves when the bar's low reached the stop or the fast average has just crossed
below the slow one; then, in order, whoever does not hold and has just crossed above enters, while
fewer than so many hold or are about to. Who leaves keeps the slot until the sale has filled, one
bar later: a purchase may not count on a sale that no venue has confirmed.

The size of an entry is known at its close: as many whole lots as a share of the equity there pays
for, fee included, at the worst price that the slippage cap allows. Equity is cash and coins at
their closes. Averages are means of prices as float64, correctly rounded, as docs/indicators.md has
them. Unlike means of whole numbers are further apart than that rounding; like ones may lie on
either side of each other, because 67.9315 is no binary fraction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import fsum
from pathlib import Path

PPM = 1_000_000
Column = Sequence[int]


@dataclass(frozen=True, slots=True)
class Bars:
    """Columns by instrument, all of the same times; prices in ticks, `tick_den` ticks are 1."""

    open_ms: Column
    opens: Sequence[Column]
    lows: Sequence[Column]
    closes: Sequence[Column]
    tick_den: int


@dataclass(frozen=True, slots=True)
class Rule:
    """`cell_units`: cash units that one lot is worth at one tick. Shares are millionths; `stop_ppm`
    below the signal's close, `worst_ppm` above it for a purchase and below it for a sale.
    `frees_at_once`: a slot is free for entries at the very close that decides to leave."""

    cash_units: int
    cell_units: int
    fee_ppm: int
    share_ppm: int
    positions_max: int
    stop_ppm: int
    worst_ppm: int
    fast: int = 20
    slow: int = 50
    frees_at_once: bool = False


@dataclass(slots=True)
class Outcome:
    """What came of it. `fills`: (time, instrument, 1 for a sale, lots, ticks, value, fee) of each.
    `capped`: orders whose price the slippage cap refused, `poor`: that cash did not cover; no
    workload has any."""

    equity_units: int = 0
    refused: int = 0
    stopped: int = 0
    capped: int = 0
    poor: int = 0
    fills: list[tuple[int, ...]] = field(default_factory=list[tuple[int, ...]])


@dataclass(slots=True)
class _Account:
    cash: int
    lots: dict[int, int] = field(default_factory=dict[int, int])
    stops: dict[int, int] = field(default_factory=dict[int, int])
    # By instrument, decided at the last close: least price of a sale; (lots, most) of a purchase.
    leaving: dict[int, int] = field(default_factory=dict[int, int])
    entering: dict[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])


def write_fills(path: Path, fills: Sequence[tuple[int, ...]]) -> None:
    """A line for each, sorted, so that two files can be compared."""
    lines = (" ".join(map(str, one)) for one in sorted(fills))
    path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")


def crossings(closes: Column, tick_den: int, fast: int, slow: int) -> bytearray:
    """By bar: 1 where the fast average has just crossed above the slow one, 2 below, else 0."""
    told = bytearray(len(closes))
    sum_fast = sum_slow = 0
    before = 0.0
    for i, close in enumerate(closes):
        sum_fast += close - (closes[i - fast] if i >= fast else 0)
        sum_slow += close - (closes[i - slow] if i >= slow else 0)
        if i < slow - 1:
            continue
        gap = float(sum_fast * slow - sum_slow * fast)
        if gap == 0.0:
            windows = (closes[i + 1 - rows : i + 1] for rows in (fast, slow))
            one, other = (_mean([ticks / tick_den for ticks in window]) for window in windows)
            gap = one - other
        if i >= slow:
            told[i] = 1 if gap > 0.0 >= before else 2 if gap < 0.0 <= before else 0
        before = gap
    return told


def _mean(prices: Sequence[float]) -> float:
    """Of prices that are all the same, that price."""
    return prices[0] if min(prices) == max(prices) else fsum(prices) / len(prices)


def run(bars: Bars, marks: Sequence[bytearray], rule: Rule) -> Outcome:
    """Run the rule; `marks`: crossings by instrument."""
    account, told = _Account(rule.cash_units), Outcome()
    wanted = {row for mark in marks for row, one in enumerate(mark) if one == 1}
    for row in range(len(bars.open_ms)):
        if account.leaving or account.entering:
            _fill(account, bars, row, rule, told)
        for one, stop in account.stops.items():
            low = bars.lows[one][row]
            if low <= stop or marks[one][row] == 2:
                told.stopped += low <= stop
                account.leaving[one] = -(-bars.closes[one][row] * (PPM - rule.worst_ppm) // PPM)
        if row in wanted:
            _enter(account, bars, row, [mark[row] == 1 for mark in marks], rule, told)
    told.equity_units = _equity(account, bars, len(bars.open_ms) - 1, rule)
    return told


def _equity(account: _Account, bars: Bars, row: int, rule: Rule) -> int:
    coins = sum(lots * bars.closes[one][row] for one, lots in account.lots.items())
    return account.cash + coins * rule.cell_units


def _fee(value: int, rule: Rule) -> int:
    return -(-value * rule.fee_ppm // PPM)


def _fill(account: _Account, bars: Bars, row: int, rule: Rule, told: Outcome) -> None:
    """What was decided at the close before, at these opens: sales, then purchases."""
    at_ms = bars.open_ms[row]
    for one, least in account.leaving.items():
        price = bars.opens[one][row]
        if price < least:
            told.capped += 1
            continue
        lots = account.lots.pop(one)
        del account.stops[one]
        value = lots * price * rule.cell_units
        account.cash += value - _fee(value, rule)
        told.fills.append((at_ms, one, 1, lots, price, value, _fee(value, rule)))
    for one, (lots, most) in account.entering.items():
        price = bars.opens[one][row]
        if price > most:
            told.capped += 1
            del account.stops[one]
            continue
        value = lots * price * rule.cell_units
        account.cash -= value + _fee(value, rule)
        account.lots[one] = lots
        told.fills.append((at_ms, one, 0, lots, price, value, _fee(value, rule)))
    account.leaving.clear()
    account.entering.clear()


def _enter(
    account: _Account, bars: Bars, row: int, crossed: Sequence[bool], rule: Rule, told: Outcome
) -> None:
    """In order, while there is a slot."""
    spendable = _equity(account, bars, row, rule) * rule.share_ppm // PPM
    taken = len(account.lots) - (len(account.leaving) if rule.frees_at_once else 0)
    free = account.cash
    for one, crosses in enumerate(crossed):
        if not crosses or one in account.lots:
            continue
        if taken >= rule.positions_max:
            told.refused += 1
            continue
        close = bars.closes[one][row]
        worst = close * (PPM + rule.worst_ppm) // PPM
        lots = spendable * PPM // ((PPM + rule.fee_ppm) * worst * rule.cell_units) + 1
        while _cost(lots, worst, rule) > spendable:
            lots -= 1
        free -= _cost(lots, worst, rule)
        told.poor += free < 0
        account.entering[one] = (lots, worst)
        account.stops[one] = close - close * rule.stop_ppm // PPM
        taken += 1


def _cost(lots: int, price: int, rule: Rule) -> int:
    value = lots * price * rule.cell_units
    return value + _fee(value, rule)
