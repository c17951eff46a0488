"""What the back-test's figures are held against, each in a process of its own.

Lives here: `pass` (one C pass over a workload's closes, where no C reference is at hand) and `rule`
(fills by `backtest_oracle`); the last line is JSON. Must not live here: our engine.
"""

from __future__ import annotations

import json
import sys
from array import array
from decimal import Decimal
from pathlib import Path
from typing import Any

import backtest_oracle
import backtest_work
from c_pass import best_of, c_pass

from trader.app.bar_store import open_bars


def main() -> int:
    """`pass WORK DATA` or `rule WORK DATA CACHE`."""
    what, work, data = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    cache = Path(sys.argv[4]) if len(sys.argv) > 4 else None
    tick = Decimal(1).scaleb(-backtest_work.DIGITS[work][0])
    files = backtest_work.bars_of(data, work)
    series = [open_bars(path, symbol, tick, None, cache).series for symbol, path in files.items()]
    print(json.dumps(passed(series) if what == "pass" else ruled(series, work)))
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


def ruled(series: list[Any], work: str) -> dict[str, Any]:
    """Fills and equity as the rule has them."""
    rule = backtest_oracle.Rule(
        cash=float(backtest_work.CASH[work]),
        fee=float(backtest_work.FEE_BPS[work]) / 1e4,
        share=_share(backtest_work.SHARE[work]),
        positions_max=backtest_work.POSITIONS[work],
        stop=_share(backtest_work.STOP[work]),
        worst=0.002,
        fast=backtest_work.FAST,
        slow=backtest_work.SLOW,
    )
    columns = [[list(getattr(one, name)) for one in series] for name in ("open", "low", "close")]
    found = backtest_oracle.count(columns[0], columns[1], columns[2], float(series[0].tick), rule)
    return {
        "fills": found.fills,
        "refused": found.refused,
        "stopped": found.stopped,
        "equity": round(found.equity, 2),
    }


def _share(text: str) -> float:
    return float(text.removesuffix("%")) / 100.0


if __name__ == "__main__":
    sys.exit(main())
