"""A plain reading of the workloads' rule in floats: how often it must have filled, and what for.

Lives here: closes crossing, stops, slots and next opens of one account, written down once more and
without anything of the program, so that its fills can be counted against it. Averages are compared
as whole numbers (sums of ticks), so that ties are ties. Must not live here: bars' files, and how
fast anything is.

The rule, bar by bar. What was decided at the close before is filled at this open. Then, at the
close: whoever holds leaves when the bar's low reached the stop or the fast average has just crossed
below the slow one; then, in order, whoever does not hold and has just crossed above enters for a
share of the equity, while fewer than so many hold or are about to. Who leaves keeps the slot until
the sale has filled, one bar later: entries in between are refused, which is where a reference that
frees the slot at once has more fills.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rule:
    """Cash at the start, fee and share as fractions; `stop`: distance below the close."""

    cash: float
    fee: float
    share: float
    positions_max: int
    stop: float
    worst: float
    fast: int = 20
    slow: int = 50


@dataclass(slots=True)
class Outcome:
    """What came of it. `highest`: the most the account was worth at a close."""

    fills: int = 0
    refused: int = 0
    stopped: int = 0
    equity: float = 0.0
    highest: float = 0.0


@dataclass(slots=True)
class _Held:
    units: float = 0.0
    stop: float = 0.0
    leaving: bool = False
    entering: float = 0.0


@dataclass(slots=True)
class _Account:
    cash: float
    held: list[_Held] = field(default_factory=list[_Held])


def crossings(closes: Sequence[int], fast: int, slow: int) -> bytearray:
    """By bar: 1 where the fast average has just crossed above the slow one, 2 below, else 0."""
    told = bytearray(len(closes))
    sum_fast = sum_slow = before = 0
    for i, close in enumerate(closes):
        sum_fast += close - (closes[i - fast] if i >= fast else 0)
        sum_slow += close - (closes[i - slow] if i >= slow else 0)
        if i < slow - 1:
            continue
        gap = sum_fast * slow - sum_slow * fast
        if i >= slow:
            told[i] = 1 if gap > 0 >= before else 2 if gap < 0 <= before else 0
        before = gap
    return told


def count(
    opens: Sequence[Sequence[int]],
    lows: Sequence[Sequence[int]],
    closes: Sequence[Sequence[int]],
    tick: float,
    rule: Rule,
) -> Outcome:
    """Run the rule over instruments whose bars are of the same times; prices in ticks."""
    marks = [crossings(column, rule.fast, rule.slow) for column in closes]
    account = _Account(rule.cash, [_Held() for _ in closes])
    told = Outcome()
    rows = len(closes[0])
    busy = False
    wanted = _rows_with_marks(marks, rows)
    for row in range(rows):
        if busy:
            _fill(account, [column[row] * tick for column in opens], rule, told)
            busy = False
        if row not in wanted and not any(held.units for held in account.held):
            continue
        prices = [column[row] * tick for column in closes]
        equity = account.cash + sum(
            held.units * price for held, price in zip(account.held, prices, strict=True)
        )
        told.highest = max(told.highest, equity)
        busy = _leave(account, marks, row, [column[row] * tick for column in lows], told)
        if row in wanted:
            busy = _enter(account, marks, row, prices, (equity, rule), told) or busy
    last = [column[-1] * tick for column in closes]
    told.equity = account.cash + sum(h.units * p for h, p in zip(account.held, last, strict=True))
    return told


def _rows_with_marks(marks: Sequence[bytearray], rows: int) -> set[int]:
    return {row for row in range(rows) if any(mark[row] == 1 for mark in marks)}


def _fill(account: _Account, prices: Sequence[float], rule: Rule, told: Outcome) -> None:
    """What was decided at the close before, at these opens."""
    for held, price in zip(account.held, prices, strict=True):
        if held.leaving:
            account.cash += held.units * price * (1.0 - rule.fee)
            held.units, held.leaving = 0.0, False
            told.fills += 1
        elif held.entering:
            account.cash -= held.entering * price * (1.0 + rule.fee)
            held.units, held.entering = held.entering, 0.0
            told.fills += 1


def _leave(
    account: _Account, marks: Sequence[bytearray], row: int, lows: Sequence[float], told: Outcome
) -> bool:
    some = False
    for held, mark, low in zip(account.held, marks, lows, strict=True):
        if held.units and (low <= held.stop or mark[row] == 2):
            told.stopped += low <= held.stop
            held.leaving = some = True
    return some


def _enter(
    account: _Account,
    marks: Sequence[bytearray],
    row: int,
    prices: Sequence[float],
    terms: tuple[float, Rule],
    told: Outcome,
) -> bool:
    """In order, while there is a slot."""
    equity, rule = terms
    some = False
    taken = sum(1 for held in account.held if held.units)
    for held, mark, price in zip(account.held, marks, prices, strict=True):
        if mark[row] != 1 or held.units:
            continue
        if taken >= rule.positions_max:
            told.refused += 1
            continue
        held.entering = equity * rule.share / (price * (1.0 + rule.worst) * (1.0 + rule.fee))
        held.stop = price * (1.0 - rule.stop)
        taken += 1
        some = True
    return some
