"""Entries of the indicator table that compare, follow or weigh: oscillators, trends, volume flow.

Lives here: their signatures and words. Must not live here: loops (oscillators.py, trends.py,
volume_flow.py) and what an entry is (indicator.py).
"""

from __future__ import annotations

from trader.core import oscillators, trends, volume_flow
from trader.core.catalogue_prices import (
    HISTORY,
    HLC,
    after,
    after_settled,
    factor,
    fade,
    full,
    full_settled,
    period,
    rows,
    wilder,
)
from trader.core.indicator import Indicator, Numbers

HLCV = (*HLC, "volume")


def _macd_first(numbers: Numbers) -> int:
    return rows(numbers, 1) - 1 + rows(numbers, 2) - 1


def _macd_settled(numbers: Numbers) -> int:
    return _macd_first(numbers) + fade(rows(numbers, 1)) + fade(rows(numbers, 2))


def _fast_below_slow(numbers: Numbers) -> str:
    if numbers[0] < numbers[1]:
        return ""
    return f"fast must be below slow, not {numbers[0]} and {numbers[1]}"


def _step_below_most(numbers: Numbers) -> str:
    if numbers[0] <= numbers[1]:
        return ""
    return f"step must not be above most, not {numbers[0]} and {numbers[1]}"


OSCILLATORS = (
    Indicator(
        "rsi", ("source",), (period("n", 14),), (), ("bounded",), "fading", after,
        lambda n: rows(n) + wilder(rows(n)),
        oscillators.rsi_rows,
        formula="100 * gain / (gain + loss); both v + (change - v) / n, seed: mean of n changes",
        source="Wilder, 1978",
        flat="50 (neither gain nor loss)",
        talib="RSI: flat input gives 0, here 50: an end of the scale reads as a signal",
    ),
    Indicator(
        "cci", HLC, (period("n", 14, 2),), (), ("ratio",), "finite", full, full_settled,
        oscillators.cci_rows,
        formula="(t - mean) / (0.015 * mean of |t - mean|) over n rows of t = (h + l + c) / 3",
        source="Lambert, 1980",
        flat="0",
        talib="CCI",
        history=lambda n: HISTORY * rows(n),
    ),
    Indicator(
        "mfi", HLCV, (period("n", 14),), (), ("bounded",), "finite", after, after_settled,
        oscillators.mfi_rows,
        formula="100 * p / (p + m): sums over n rows of t * volume where t = (h + l + c) / 3 rose "
        "(p) or fell (m)",
        source="Quong and Soudack, 1989",
        flat="50 (neither rise nor fall, or no volume)",
        talib="MFI: where p + m is 0 it says 0, here 50",
        history=lambda n: HISTORY * rows(n),
    ),
    Indicator(
        "roc", ("source",), (period("n", 10),), (), ("percent",), "finite", after, after_settled,
        oscillators.roc_rows,
        formula="100 * (x / x[n] - 1)",
        source="rate of change",
        flat="0",
        talib="ROC: from a value of 0 it says 0, here there is no number",
    ),
    Indicator(
        "momentum", ("source",), (period("n", 10),), (), ("distance",), "finite", after,
        after_settled,
        oscillators.momentum_rows,
        formula="x - x[n]",
        source="difference to n rows before",
        flat="0",
        talib="MOM",
    ),
    Indicator(
        "macd", ("source",), (period("fast", 12), period("slow", 26, 2), period("signal", 9)),
        ("line", "signal", "hist"), ("distance",) * 3, "fading",
        lambda n: (_macd_first(n),) * 3, _macd_settled,
        oscillators.macd_rows,
        formula="line = ema(x, fast) - ema(x, slow), both seeded on row slow - 1; signal = "
        "ema(line, signal); hist = line - signal",
        source="Appel, 1979",
        flat="all three 0",
        talib="MACD: all lines start where the signal does; fast above slow is swapped there, "
        "refused here",
        relation=_fast_below_slow,
    ),
    Indicator(
        "ppo", ("source",), (period("fast", 12), period("slow", 26, 2)), (), ("percent",),
        "fading", lambda n: (rows(n, 1) - 1,), lambda n: rows(n, 1) - 1 + fade(rows(n, 1)),
        oscillators.ppo_rows,
        formula="100 * (ema(x, fast) - ema(x, slow)) / ema(x, slow)",
        source="Appel",
        flat="0",
        talib="PPO with matype EMA; from a slow average of 0 it says 0, here there is no number",
        relation=_fast_below_slow,
    ),
)  # fmt: skip

TRENDS = (
    Indicator(
        "adx", HLC, (period("n", 14, 2),), (), ("bounded",), "fading",
        lambda n: (2 * rows(n) - 1,), lambda n: 2 * rows(n) - 1 + 2 * wilder(rows(n)),
        trends.adx_rows,
        formula="v + (dx - v) / n, dx = 100 |plus_di - minus_di| / (plus_di + minus_di); seed: "
        "mean of the first n dx",
        source="Wilder, 1978",
        flat="0",
        talib="ADX",
    ),
    Indicator(
        "plus_di", HLC, (period("n", 14),), (), ("bounded",), "fading", after,
        lambda n: rows(n) + wilder(rows(n)),
        trends.plus_di_rows,
        formula="100 * s(+dm) / s(true_range); s: sum of n - 1 rows, then s - s / n + value; +dm: "
        "rise of the high where it is above 0 and above the fall of the low",
        source="Wilder, 1978",
        flat="0",
        talib="PLUS_DI: for n = 1 it gives a share, here percent as for every n",
    ),
    Indicator(
        "minus_di", HLC, (period("n", 14),), (), ("bounded",), "fading", after,
        lambda n: rows(n) + wilder(rows(n)),
        trends.minus_di_rows,
        formula="100 * s(-dm) / s(true_range), as plus_di; -dm: fall of the low where it is above "
        "0 and above the rise of the high",
        source="Wilder, 1978",
        flat="0",
        talib="MINUS_DI: for n = 1 it gives a share, here percent as for every n",
    ),
    Indicator(
        "psar", ("open_ms", "high", "low"),
        (factor("step", 0.02, 0.0, 1.0), factor("most", 0.2, 0.0, 1.0)), (), ("price",),
        "session", lambda _: (1,), lambda _: 0,
        trends.psar_rows,
        formula="s + f (e - s); e: extreme of the trend, f: `step` more at each new extreme, at "
        "most `most`; kept outside the last two bars; turns when touched",
        source="Wilder, 1978; reset at each session's start",
        flat="turns on every bar, at the price",
        talib="SAR, begun anew on each session's first row; a step above most is lowered there, "
        "refused here",
        relation=_step_below_most,
    ),
    Indicator(
        "supertrend", ("open_ms", *HLC), (period("n", 10), factor("k", 3.0)),
        ("line", "direction"), ("price", "count"), "session",
        lambda n: (rows(n),) * 2, lambda _: 0,
        trends.supertrend_rows,
        formula="bands (high + low) / 2 +- k * atr that only move towards the price until a close "
        "crosses them; line: the lower one while direction is 1, the upper one while -1",
        source="Seban, 2008; reset at each session's start, average true range included",
        flat="the price, direction 1",
        talib="SUPERTREND, begun anew on each session's first row",
    ),
    Indicator(
        "heikin_ashi", ("open", *HLC), (), ("open", "high", "low", "close"), ("price",) * 4,
        "fading", lambda _: (0,) * 4, lambda _: 15,
        trends.heikin_ashi_rows,
        formula="close = (o + h + l + c) / 4; open = mean of the last open and close, first "
        "(o + c) / 2; high, low: the outermost of the bar's and these two",
        source="heikin-ashi candles",
        flat="all four are the price",
        talib="HA",
    ),
)  # fmt: skip

VOLUME_FLOW = (
    Indicator(
        "obv", ("open_ms", "close", "volume"), (), (), ("volume",), "session", lambda _: (0,),
        lambda _: 0,
        volume_flow.obv_rows,
        formula="running sum: + volume after a higher close, - volume after a lower one; the "
        "session's first row counts its volume",
        source="Granville, 1963; reset at each session's start",
        flat="the volume of the session's first row",
        talib="OBV, begun anew on each session's first row",
    ),
    Indicator(
        "vwap", HLCV, (period("n", 20),), (), ("price",), "finite", full, full_settled,
        volume_flow.vwap_rows,
        formula="sum of t * volume / sum of volume over n rows, t = (h + l + c) / 3; no number "
        "where nothing was traded",
        source="volume-weighted average price, rolling",
        flat="the price",
        history=lambda n: HISTORY * rows(n),
    ),
    Indicator(
        "session_vwap", ("open_ms", *HLCV), (), (), ("price",), "session", lambda _: (0,),
        lambda _: 0,
        volume_flow.session_vwap_rows,
        formula="sum of t * volume / sum of volume since the session's start, t = (h + l + c) / 3; "
        "no number until something was traded",
        source="volume-weighted average price of the session",
        flat="the price",
        talib="VWAP, begun anew on each session's first row; before anything was traded it says 0, "
        "here there is no number",
    ),
    Indicator(
        "cmf", HLCV, (period("n", 20),), (), ("ratio",), "finite", full, full_settled,
        volume_flow.cmf_rows,
        formula="sum of m * volume / sum of volume over n rows, m = ((c - l) - (h - c)) / (h - l), "
        "0 for a bar without range",
        source="Chaikin",
        flat="0 (also without volume)",
        talib="CMF",
        history=lambda n: HISTORY * rows(n),
    ),
)  # fmt: skip
