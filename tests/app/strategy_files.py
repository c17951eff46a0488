"""Strategy files and bars for tests of their processes and checks."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from decimal import Decimal

from trader.app.strategy_wire import Bars
from trader.core.series import Series, build_series

HOUR_MS = 3_600_000
FILE = '''"""A strategy for tests."""

import {imports}

PARAMETERS = {{"n": 4, "share": 0.5}}
{top}


def warmup(p):
    return {warmup}


def signals(bars, p):
    n, c = len(bars), bars.close
    enter, leave, stop = [0] * n, [0] * n, [1.0] * n
    {body}
    return {{"enter": enter, "exit": leave, "stop": stop}}
'''


def strategy(
    body: str = "", *, imports: str = "math", top: str = "", warmup: str = "p['n']"
) -> str:
    """A file whose `signals` does `body` (one indent) before it returns quiet columns."""
    return FILE.format(imports=imports, top=top, warmup=warmup, body=body)


def bars(rows: int = 50) -> Bars:
    """Hours of a price that goes up and down."""
    closes = [100.0 + (row * 7) % 11 for row in range(rows)]
    times = array("q", [row * HOUR_MS for row in range(rows)])
    prices = [array("d", [close + add for close in closes]) for add in (0.0, 1.0, -1.0, 0.5)]
    return Bars([times, *prices, array("d", [3.0] * rows)])


def closes_series(closes: Sequence[int]) -> Series:
    """Hours that stand at these whole prices."""
    rows = [
        (row * HOUR_MS, close * 100, close * 100, close * 100, close * 100, 5.0)
        for row, close in enumerate(closes)
    ]
    return build_series("BTC/USDT", HOUR_MS, Decimal("0.01"), rows)
