"""TA-Lib's functions under the names of the indicator table, and where the two are meant to differ.

Lives here: `TALIB`, name -> call of columns (numpy float64) and numbers; for what is reset at each
session, of one session's rows. `DIFFERENCES`: small columns and what each side says of their last
row. Must not live here: what agreement is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import talib

Columns = dict[str, Any]
SMA, EMA = 0, 1


def _hlc(c: Columns) -> tuple[Any, Any, Any]:
    return c["high"], c["low"], c["close"]


def _hlcv(c: Columns) -> tuple[Any, Any, Any, Any]:
    return c["high"], c["low"], c["close"], c["volume"]


TALIB: dict[str, Callable[..., Any]] = {
    "sma": lambda c, n: talib.SMA(c["x"], n),
    "ema": lambda c, n: talib.EMA(c["x"], n),
    "wma": lambda c, n: talib.WMA(c["x"], n),
    "rma": lambda c, n: talib.RMA(c["x"], n),
    "hma": lambda c, n: talib.HMA(c["x"], n),
    "rsi": lambda c, n: talib.RSI(c["x"], n),
    "cci": lambda c, n: talib.CCI(*_hlc(c), n),
    "mfi": lambda c, n: talib.MFI(*_hlcv(c), n),
    "roc": lambda c, n: talib.ROC(c["x"], n),
    "momentum": lambda c, n: talib.MOM(c["x"], n),
    "macd": lambda c, fast, slow, signal: talib.MACD(c["x"], fast, slow, signal),
    "ppo": lambda c, fast, slow: talib.PPO(c["x"], fast, slow, EMA),
    "true_range": lambda c: talib.TRANGE(*_hlc(c)),
    "atr": lambda c, n: talib.ATR(*_hlc(c), n),
    "natr": lambda c, n: talib.NATR(*_hlc(c), n),
    "keltner": lambda c, n, atr, k: talib.KC(*_hlc(c), n, atr, k),
    "adx": lambda c, n: talib.ADX(*_hlc(c), n),
    "plus_di": lambda c, n: talib.PLUS_DI(*_hlc(c), n),
    "minus_di": lambda c, n: talib.MINUS_DI(*_hlc(c), n),
    "psar": lambda c, step, most: talib.SAR(c["high"], c["low"], step, most),
    "supertrend": lambda c, n, k: talib.SUPERTREND(*_hlc(c), n, k),
    "heikin_ashi": lambda c: talib.HA(c["open"], *_hlc(c)),
    "highest": lambda c, n: talib.MAX(c["x"], n),
    "lowest": lambda c, n: talib.MIN(c["x"], n),
    "donchian": lambda c, n: talib.DONCHIAN(c["high"], c["low"], n),
    "aroon": lambda c, n: talib.AROON(c["high"], c["low"], n),
    "stoch": lambda c, n, smooth, signal: talib.STOCH(*_hlc(c), n, smooth, SMA, signal, SMA),
    "williams_r": lambda c, n: talib.WILLR(*_hlc(c), n),
    "stdev": lambda c, n: talib.STDDEV(c["x"], n),
    "variance": lambda c, n: talib.VAR(c["x"], n),
    "bbands": lambda c, n, k: talib.BBANDS(c["x"], n, k, k, SMA),
    "percentrank": lambda c, n: talib.PERCENTRANK(c["x"], n),
    "linreg": lambda c, n: talib.LINEARREG(c["x"], n),
    "slope": lambda c, n: talib.LINEARREG_SLOPE(c["x"], n),
    "correlation": lambda c, n: talib.CORREL(c["x"], c["y"], n),
    "obv": lambda c: talib.OBV(c["close"], c["volume"]),
    "session_vwap": lambda c: talib.VWAP(*_hlcv(c)),
    "cmf": lambda c, n: talib.CMF(*_hlcv(c), n),
}
# The smallest period that TA-Lib takes, where it is above ours.
LEAST = dict.fromkeys(
    (
        "rsi", "mfi", "natr", "highest", "lowest", "donchian", "aroon", "williams_r", "bbands",
        "percentrank", "plus_di", "minus_di", "supertrend", "keltner", "cmf", "hma", "macd", "ppo",
        "stdev", "cci", "adx",
    ),
    2,
)  # fmt: skip


def lines_of(name: str, columns: Columns, numbers: tuple[float, ...]) -> list[Any]:
    """TA-Lib's lines as float64; a direction has no number where its line has none."""
    told = TALIB[name](columns, *numbers)
    lines = [np.asarray(line, dtype=float) for line in (told if type(told) is tuple else (told,))]
    if name == "supertrend":
        lines[1] = np.where(np.isnan(lines[0]), np.nan, lines[1])
    return lines


def flat(**changed: list[float]) -> Columns:
    """Six bars that never move, at 7, with volume 1, and what is changed in them."""
    base = {name: [7.0] * 6 for name in ("open", "high", "low", "close")} | {"volume": [1.0] * 6}
    columns = {name: np.array(changed.get(name, values)) for name, values in base.items()}
    return columns | {"x": columns["close"], "y": columns["volume"]}


NONE = float("nan")
# Name, numbers, columns, what TA-Lib says of the last row, what the table says.
DIFFERENCES: tuple[tuple[str, tuple[float, ...], Columns, float, float], ...] = (
    ("rsi", (3,), flat(), 0.0, 50.0),
    ("stoch", (3, 1, 1), flat(), 0.0, 50.0),
    ("williams_r", (3,), flat(), 0.0, -50.0),
    ("mfi", (3,), flat(), 0.0, 50.0),
    ("roc", (1,), flat(close=[7.0, 7.0, 7.0, 7.0, 0.0, 7.0]), 0.0, NONE),
    ("ppo", (2, 3), flat(close=[0.0] * 6), 0.0, NONE),
    ("natr", (1,), flat(high=[8.0] * 6), 1.0, 100.0 / 7.0),
    ("natr", (2,), flat(high=[8.0] * 6, close=[7.0, 7.0, 7.0, 7.0, 7.0, 0.0]), 0.0, NONE),
    ("plus_di", (1,), flat(high=[9.0, 9.0, 9.0, 9.0, 9.0, 11.0]), 0.5, 50.0),
    ("minus_di", (1,), flat(low=[5.0, 5.0, 5.0, 5.0, 5.0, 3.0]), 0.5, 50.0),
    ("session_vwap", (), flat(volume=[0.0] * 6), 0.0, NONE),
)
