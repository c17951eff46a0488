"""What the back-test's figures are held against, each in a process of its own.

Lives here: `pass` (one C pass over a workload's closes, where no C reference is at hand), `rule`
(fills by `backtest_oracle`) and `slots` (how often other rules for slots fill); the last line is
JSON. Must not live here: our engine.
"""

from __future__ import annotations

import json
import sys
from array import array
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import backtest_free_slots
import backtest_oracle
import backtest_work
from c_pass import best_of, c_pass

from trader.app.bar_store import open_bars


def main() -> int:
    """`pass WORK DATA`, `rule WORK DATA CACHE FILLS` or `slots WORK DATA CACHE`."""
    what, work, data = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    cache = Path(sys.argv[4]) if len(sys.argv) > 4 else None
    tick = Decimal(1).scaleb(-backtest_work.DIGITS[work][0])
    files = backtest_work.bars_of(data, work)
    series = [open_bars(path, symbol, tick, None, cache).series for symbol, path in files.items()]
    if what == "pass":
        told = passed(series)
    elif what == "rule":
        told = ruled(series, work, Path(sys.argv[5]))
    else:
        told = freed(series, work)
    print(json.dumps(told))
    return 0


def passed(series: list[Any]) -> dict[str, Any]:
    """Seconds of a pass over all closes."""
    bars, engine_s = 0, 0.0
    for one in series:
        closes = array("d", one.close)
        work = c_pass(closes)
        if work is None:
            return {}
        engine_s += best_of(5, work)
        bars += len(closes)
    return {"bars": bars, "engine_s": engine_s, "Mbars_s": round(bars / engine_s / 1e6, 2)}


def ruled(series: list[Any], work: str, fills: Path) -> dict[str, Any]:
    """Equity as the rule has it; its fills are written to a file."""
    bars, rule = bars_of(series), rule_of(work)
    found = backtest_oracle.run(bars, marks_of(bars, rule), rule)
    backtest_oracle.write_fills(fills, found.fills)
    return {
        "fills": len(found.fills),
        "refused": found.refused,
        "stopped": found.stopped,
        "capped": found.capped + found.poor,
        "equity": str(Decimal(found.equity_units).scaleb(-backtest_work.CASH_DIGITS)),
    }


def freed(series: list[Any], work: str) -> dict[str, Any]:
    """How often the same rule fills whose slots are free at once, and how often the comparison's
    own does."""
    bars, rule = bars_of(series), rule_of(work)
    ours = backtest_oracle.run(bars, marks_of(bars, rule), replace(rule, frees_at_once=True))
    opens, lows, closes = (
        [[ticks / bars.tick_den for ticks in column] for column in columns]
        for columns in (bars.opens, bars.lows, bars.closes)
    )
    drifting = backtest_free_slots.drifting_crossings
    marks = [drifting(column, rule.fast, rule.slow) for column in closes]
    terms = backtest_free_slots.Terms(
        cash=float(backtest_work.CASH[work]),
        fee=rule.fee_ppm / 1e6,
        share=rule.share_ppm / 1e6,
        positions_max=rule.positions_max,
        stop=rule.stop_ppm / 1e6,
        fast=rule.fast,
        slow=rule.slow,
    )
    found = backtest_free_slots.count(opens, lows, closes, marks, terms)
    return {"fills": len(ours.fills), "comparison_fills": found.fills, "equity": found.equity}


def bars_of(series: list[Any]) -> backtest_oracle.Bars:
    """Columns as lists, which plain Python reads fastest."""
    opens, lows, closes = (
        [list(getattr(one, name)) for one in series] for name in ("open", "low", "close")
    )
    tick_den = series[0].tick.as_integer_ratio()[1]
    return backtest_oracle.Bars(list(series[0].open_ms), opens, lows, closes, tick_den)


def rule_of(work: str) -> backtest_oracle.Rule:
    """The workload's numbers as whole ones."""
    digits = backtest_work.CASH_DIGITS
    return backtest_oracle.Rule(
        cash_units=int(backtest_work.CASH[work]) * 10**digits,
        cell_units=10 ** (digits - sum(backtest_work.DIGITS[work])),
        fee_ppm=int(backtest_work.FEE_BPS[work]) * 100,
        share_ppm=_ppm(backtest_work.SHARE[work]),
        positions_max=backtest_work.POSITIONS[work],
        stop_ppm=_ppm(backtest_work.STOP[work]),
        worst_ppm=int(backtest_work.LIMITS["slippage"].removesuffix("bps")) * 100,
        fast=backtest_work.FAST,
        slow=backtest_work.SLOW,
    )


def marks_of(bars: backtest_oracle.Bars, rule: backtest_oracle.Rule) -> list[bytearray]:
    """Crossings by instrument."""
    crossings = backtest_oracle.crossings
    return [crossings(column, bars.tick_den, rule.fast, rule.slow) for column in bars.closes]


def _ppm(text: str) -> int:
    return int(text.removesuffix("%")) * 10_000


if __name__ == "__main__":
    sys.exit(main())
