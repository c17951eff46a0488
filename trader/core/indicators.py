# cython: boundscheck=False, wraparound=False
"""Indicators: causal functions over columns of numbers, for strategy files.

Lives here: one function per indicator, its words, and how any sequence of numbers becomes the
float64 column that kernels read. Input: lists, arrays, memoryviews or numpy arrays of one length,
oldest row first. Output: array of float64 of that length, NaN where there is no number: before the
first valid row, where an input is NaN or infinite (the count then begins anew), and where the
result would overflow. A value reads only its own row and rows before it; compiled and interpreted
form are equal to the last bit. Warm-up: rows before a row that settle its value, wherever the
series starts (fading: the averages it is made of keep no more than e**-10 of another start).
ValueError: a number out of bounds, columns of different lengths, a value that is no number. Must
not live here: loops (averages.py and its siblings), signatures (catalogue_*.py), integer prices.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, NamedTuple

from trader.core.indicator_table import INDICATORS
from trader.domain.timeframe import TIMEFRAMES_MS

Column = Sequence[float]
Times = Sequence[int]


class Bands(NamedTuple):
    """An upper, a middle and a lower line."""

    upper: array[float]
    middle: array[float]
    lower: array[float]


class Macd(NamedTuple):
    """Distance of two averages, its own average, and the distance of these two."""

    line: array[float]
    signal: array[float]
    hist: array[float]


class Stoch(NamedTuple):
    """Place within the range, smoothed once (k) and twice (d)."""

    k: array[float]
    d: array[float]


class Aroon(NamedTuple):
    """How new the lowest low and the highest high are."""

    down: array[float]
    up: array[float]


class Trend(NamedTuple):
    """A line, and the direction of the trend: 1 up, -1 down."""

    line: array[float]
    direction: array[float]


class Candles(NamedTuple):
    """Averaged candles."""

    open: array[float]
    high: array[float]
    low: array[float]
    close: array[float]


class Ichimoku(NamedTuple):
    """Middles of three windows; the spans as a chart draws them at the row."""

    conversion: array[float]
    base: array[float]
    span_a: array[float]
    span_b: array[float]


def column_of(values: Any, code: str = "d") -> Any:
    """A contiguous buffer of float64 (code "d") or int64 ("q"), the values' own where it is one.

    Raises ValueError when a value is no number, or there is more than one dimension.
    """
    formats = ("d",) if code == "d" else ("q", "l")
    number = float if code == "d" else int
    try:
        view = memoryview(values)
    except TypeError:
        view = None
    if view is not None and view.ndim != 1:
        raise ValueError(f"a column has one dimension, not {view.ndim}")
    if view is not None and view.format in formats and view.itemsize == 8 and view.c_contiguous:
        return view
    try:
        return array(code, [number(value) for value in values])
    except (TypeError, OverflowError) as error:
        raise ValueError(f"not a column of numbers: {error}") from None


def _columns(values: Sequence[Any]) -> list[Any]:
    columns = [column_of(column) for column in values]
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        raise ValueError(f"columns of different lengths: {', '.join(map(str, lengths))}")
    return columns


def _run(name: str, columns: Sequence[Any], numbers: Sequence[float]) -> tuple[array[float], ...]:
    entry = INDICATORS[name]
    if why := entry.problem(numbers):
        raise ValueError(f"{name}: {why}")
    return entry.values(_columns(columns), numbers)


def _run_session(
    name: str, open_ms: Times, columns: Sequence[Any], numbers: Sequence[float], session: str
) -> tuple[array[float], ...]:
    entry = INDICATORS[name]
    if session not in TIMEFRAMES_MS:
        raise ValueError(f"{name}: session must be one of {', '.join(TIMEFRAMES_MS)}: {session!r}")
    if why := entry.problem(numbers):
        raise ValueError(f"{name}: {why}")
    times, others = column_of(open_ms, "q"), _columns(columns)
    if len(times) != len(others[0]):
        raise ValueError(f"columns of different lengths: {len(times)}, {len(others[0])}")
    return entry.values((times, *others), (*numbers, TIMEFRAMES_MS[session]))


def sma(x: Column, n: int) -> array[float]:
    """Simple moving average: mean of n rows, its sum exact. Finite memory, warm-up and first valid
    index n - 1; flat input gives itself. TA-Lib: SMA, whose sum drifts by rounding."""
    return _run("sma", (x,), (n,))[0]


def ema(x: Column, n: int) -> array[float]:
    """Exponential moving average: v + (x - v) * 2 / (n + 1), seeded with the mean of the first n
    rows (TA-Lib: EMA). Fading memory, warm-up 6 n - 1, half-life about 0.35 n; first valid index
    n - 1; flat input gives itself."""
    return _run("ema", (x,), (n,))[0]


def wma(x: Column, n: int) -> array[float]:
    """Linearly weighted average, the newest row n times, the oldest once (TA-Lib: WMA). Finite
    memory, warm-up and first valid index n - 1; flat input gives itself."""
    return _run("wma", (x,), (n,))[0]


def rma(x: Column, n: int) -> array[float]:
    """Wilder's average (1978): v + (x - v) / n, seeded with the mean of the first n rows (TA-Lib:
    RMA). Fading memory, warm-up 11 n - 1; first valid index n - 1; flat input gives itself."""
    return _run("rma", (x,), (n,))[0]


def hma(x: Column, n: int) -> array[float]:
    """Hull's average (2005): wma(2 wma(x, n // 2) - wma(x, n), r) with r the whole part of the
    root of n (TA-Lib: HMA). Finite memory, warm-up and first valid index n + r - 2; flat input
    gives itself."""
    return _run("hma", (x,), (n,))[0]


def rsi(x: Column, n: int = 14) -> array[float]:
    """Relative strength index (Wilder 1978), 0..100: 100 * gain / (gain + loss), both averaged as
    `rma` does. Fading memory, warm-up 11 n; first valid index n; flat input gives 50 (TA-Lib's
    RSI: 0)."""
    return _run("rsi", (x,), (n,))[0]


def stoch(
    high: Column, low: Column, close: Column, n: int = 5, smooth: int = 3, signal: int = 3
) -> Stoch:
    """Stochastic (Lane 1984), 0..100: k = sma of 100 (close - lowest) / (highest - lowest) of n
    rows, d = sma(k, signal). Finite memory, warm-up and first valid index n + smooth + signal - 3;
    flat input gives 50 (TA-Lib's STOCH: 0)."""
    return Stoch(*_run("stoch", (high, low, close), (n, smooth, signal)))


def cci(high: Column, low: Column, close: Column, n: int = 14) -> array[float]:
    """Commodity channel index (Lambert 1980): (t - mean) / (0.015 * mean distance) over n rows of
    t = (high + low + close) / 3 (TA-Lib: CCI). Finite memory, warm-up and first valid index n - 1;
    flat input gives 0."""
    return _run("cci", (high, low, close), (n,))[0]


def mfi(high: Column, low: Column, close: Column, volume: Column, n: int = 14) -> array[float]:
    """Money flow index (Quong and Soudack 1989), 0..100: share of price * volume of n rows that
    came with a higher typical price. Finite memory, warm-up and first valid index n; flat input
    gives 50 (TA-Lib's MFI: 0)."""
    return _run("mfi", (high, low, close, volume), (n,))[0]


def williams_r(high: Column, low: Column, close: Column, n: int = 14) -> array[float]:
    """Williams' %R (1973), -100..0: -100 (highest - close) / (highest - lowest) of n rows. Finite
    memory, warm-up and first valid index n - 1; flat input gives -50 (TA-Lib's WILLR: 0)."""
    return _run("williams_r", (high, low, close), (n,))[0]


def roc(x: Column, n: int = 10) -> array[float]:
    """Rate of change, percent: 100 * (x / x[n rows before] - 1). Finite memory, warm-up and first
    valid index n; flat input gives 0; from 0 there is no number (TA-Lib's ROC: 0)."""
    return _run("roc", (x,), (n,))[0]


def momentum(x: Column, n: int = 10) -> array[float]:
    """Difference to n rows before (TA-Lib: MOM). Finite memory, warm-up and first valid index n;
    flat input gives 0."""
    return _run("momentum", (x,), (n,))[0]


def macd(x: Column, fast: int = 12, slow: int = 26, signal: int = 9) -> Macd:
    """Convergence and divergence (Appel 1979): line = ema(fast) - ema(slow), both seeded on row
    slow - 1; signal = ema of the line; hist = line - signal (TA-Lib: MACD). Fading memory, warm-up
    6 slow + 6 signal - 2; first valid index slow + signal - 2; flat input gives 0."""
    return Macd(*_run("macd", (x,), (fast, slow, signal)))


def ppo(x: Column, fast: int = 12, slow: int = 26) -> array[float]:
    """Percentage price oscillator (Appel): 100 (ema(fast) - ema(slow)) / ema(slow) (TA-Lib: PPO
    of EMAs). Fading memory, warm-up 6 slow - 1; first valid index slow - 1; flat input gives 0."""
    return _run("ppo", (x,), (fast, slow))[0]


def true_range(high: Column, low: Column, close: Column) -> array[float]:
    """The bar's range, widened to the close before (Wilder 1978; TA-Lib: TRANGE). Finite memory,
    warm-up and first valid index 1; flat input gives 0."""
    return _run("true_range", (high, low, close), ())[0]


def atr(high: Column, low: Column, close: Column, n: int = 14) -> array[float]:
    """Average true range (Wilder 1978; TA-Lib: ATR): v + (range - v) / n, seeded with the mean of
    the first n ranges. Fading memory, warm-up 11 n; first valid index n; flat input gives 0."""
    return _run("atr", (high, low, close), (n,))[0]


def natr(high: Column, low: Column, close: Column, n: int = 14) -> array[float]:
    """Average true range in percent of the close (TA-Lib: NATR, but for n = 1). Fading memory,
    warm-up 11 n; first valid index n; flat input gives 0."""
    return _run("natr", (high, low, close), (n,))[0]


def bbands(x: Column, n: int = 20, k: float = 2.0) -> Bands:
    """Bollinger's bands: mean of n rows and k population deviations around it (TA-Lib: BBANDS).
    Finite memory, warm-up and first valid index n - 1; flat input gives itself thrice."""
    return Bands(*_run("bbands", (x,), (n, k)))


def keltner(
    high: Column, low: Column, close: Column, n: int = 20, atr: int = 10, k: float = 2.0
) -> Bands:
    """Keltner's bands: ema of (high + low + close) / 3 and k average true ranges around it, both
    seeded to begin on one row (TA-Lib: KC). Fading memory, first valid index f = max(n - 1, atr),
    warm-up f + max(5 n, 10 atr); flat input gives the price thrice."""
    return Bands(*_run("keltner", (high, low, close), (n, atr, k)))


def donchian(high: Column, low: Column, n: int = 20) -> Bands:
    """Highest high, lowest low of n rows, and their middle (TA-Lib: DONCHIAN). Finite memory,
    warm-up and first valid index n - 1; flat input gives the price thrice."""
    return Bands(*_run("donchian", (high, low), (n,)))


def adx(high: Column, low: Column, close: Column, n: int = 14) -> array[float]:
    """Average directional index (Wilder 1978; TA-Lib: ADX), 0..100: average of 100 |+di - -di| /
    (+di + -di). Fading memory, warm-up 22 n - 1; first valid index 2 n - 1; flat input gives 0."""
    return _run("adx", (high, low, close), (n,))[0]


def plus_di(high: Column, low: Column, close: Column, n: int = 14) -> array[float]:
    """Share of the range that was a rise of the high, percent (Wilder 1978; TA-Lib: PLUS_DI, but
    for n = 1). Fading memory, warm-up 11 n; first valid index n; flat input gives 0."""
    return _run("plus_di", (high, low, close), (n,))[0]


def minus_di(high: Column, low: Column, close: Column, n: int = 14) -> array[float]:
    """Share of the range that was a fall of the low, percent (Wilder 1978; TA-Lib: MINUS_DI, but
    for n = 1). Fading memory, warm-up 11 n; first valid index n; flat input gives 0."""
    return _run("minus_di", (high, low, close), (n,))[0]


def aroon(high: Column, low: Column, n: int = 14) -> Aroon:
    """Aroon (Chande 1995; TA-Lib: AROON), 0..100: 100 (n - rows since the extreme) / n within
    n + 1 rows, the newest of equals. Finite memory, warm-up and first valid index n; flat input
    gives 100 twice."""
    return Aroon(*_run("aroon", (high, low), (n,)))


def psar(
    open_ms: Times, high: Column, low: Column, step: float = 0.02, most: float = 0.2, *,
    session: str,
) -> array[float]:  # fmt: skip
    """Parabolic stop and reverse (Wilder 1978; TA-Lib: SAR), begun anew on each session's first
    row, which has no number. Session memory; no number before a session's start is seen; flat
    input gives the price."""
    return _run_session("psar", open_ms, (high, low), (step, most), session)[0]


def supertrend(
    open_ms: Times, high: Column, low: Column, close: Column, n: int = 10, k: float = 3.0, *,
    session: str,
) -> Trend:  # fmt: skip
    """Bands of k average true ranges that only move towards the price (Seban 2008; TA-Lib:
    SUPERTREND), begun anew on each session's first row; first number n rows later. Session memory;
    no number before a session's start is seen; flat input gives the price, direction 1."""
    return Trend(*_run_session("supertrend", open_ms, (high, low, close), (n, k), session))


def obv(open_ms: Times, close: Column, volume: Column, *, session: str) -> array[float]:
    """On-balance volume (Granville 1963; TA-Lib: OBV), begun anew on each session's first row,
    which counts its volume. Session memory; no number before a session's start is seen; flat input
    gives the first row's volume."""
    return _run_session("obv", open_ms, (close, volume), (), session)[0]


def vwap(high: Column, low: Column, close: Column, volume: Column, n: int = 20) -> array[float]:
    """Average of (high + low + close) / 3 by volume over n rows; no number where nothing was
    traded. Finite memory, warm-up and first valid index n - 1; flat input gives the price."""
    return _run("vwap", (high, low, close, volume), (n,))[0]


def session_vwap(
    open_ms: Times, high: Column, low: Column, close: Column, volume: Column, *, session: str
) -> array[float]:
    """Average of (high + low + close) / 3 by volume since the session's start (TA-Lib: VWAP, begun
    anew). Session memory; no number before a session's start is seen, nor before anything was
    traded (TA-Lib: 0); flat input gives the price."""
    return _run_session("session_vwap", open_ms, (high, low, close, volume), (), session)[0]


def cmf(high: Column, low: Column, close: Column, volume: Column, n: int = 20) -> array[float]:
    """Chaikin's money flow, -1..1: volume weighted with where the close lies in the bar, over n
    rows (TA-Lib: CMF). Finite memory, warm-up and first valid index n - 1; flat input gives 0."""
    return _run("cmf", (high, low, close, volume), (n,))[0]


def highest(x: Column, n: int) -> array[float]:
    """Highest of n rows (TA-Lib: MAX). Finite memory, warm-up and first valid index n - 1; flat
    input gives itself."""
    return _run("highest", (x,), (n,))[0]


def lowest(x: Column, n: int) -> array[float]:
    """Lowest of n rows (TA-Lib: MIN). Finite memory, warm-up and first valid index n - 1; flat
    input gives itself."""
    return _run("lowest", (x,), (n,))[0]


def stdev(x: Column, n: int) -> array[float]:
    """Population standard deviation of n rows, in two passes (TA-Lib: STDDEV). Finite memory,
    warm-up and first valid index n - 1; flat input gives 0."""
    return _run("stdev", (x,), (n,))[0]


def variance(x: Column, n: int) -> array[float]:
    """Population variance of n rows, in two passes (TA-Lib: VAR). Finite memory, warm-up and first
    valid index n - 1; flat input gives 0."""
    return _run("variance", (x,), (n,))[0]


def zscore(x: Column, n: int = 20) -> array[float]:
    """Distance from the mean of n rows in population deviations. Finite memory, warm-up and first
    valid index n - 1; flat input gives 0."""
    return _run("zscore", (x,), (n,))[0]


def percentrank(x: Column, n: int = 100) -> array[float]:
    """How many of the n rows before are strictly below, percent (TA-Lib: PERCENTRANK). Finite
    memory, warm-up and first valid index n; flat input gives 0."""
    return _run("percentrank", (x,), (n,))[0]


def linreg(x: Column, n: int = 14) -> array[float]:
    """Newest value of the least-squares line through n rows (TA-Lib: LINEARREG). Finite memory,
    warm-up and first valid index n - 1; flat input gives itself."""
    return _run("linreg", (x,), (n,))[0]


def slope(x: Column, n: int = 14) -> array[float]:
    """Slope per row of the least-squares line through n rows (TA-Lib: LINEARREG_SLOPE). Finite
    memory, warm-up and first valid index n - 1; flat input gives 0."""
    return _run("slope", (x,), (n,))[0]


def correlation(x: Column, y: Column, n: int = 30) -> array[float]:
    """Pearson's correlation of two columns over n rows, -1..1 (TA-Lib: CORREL). Finite memory,
    warm-up and first valid index n - 1; flat input gives 0."""
    return _run("correlation", (x, y), (n,))[0]


def heikin_ashi(opened: Column, high: Column, low: Column, close: Column) -> Candles:
    """Averaged candles: close = mean of the four prices, open = middle of the last averaged open
    and close (TA-Lib: HA). Fading memory, warm-up 15; first valid index 0; flat input gives the
    price four times."""
    return Candles(*_run("heikin_ashi", (opened, high, low, close), ()))


def ichimoku(
    high: Column, low: Column, conversion: int = 9, base: int = 26, span: int = 52
) -> Ichimoku:
    """Ichimoku (Hosoda 1969): (highest + lowest) / 2 of `conversion`, `base` and `span` rows; the
    spans are those of `base` rows before, as a chart draws them at this row. No lagging line: it
    would read rows to come. Finite memory; first valid indices conversion - 1, base - 1, and the
    spans `base` rows after what they are made of; warm-up the last of these; flat input gives the
    price four times."""
    return Ichimoku(*_run("ichimoku", (high, low), (conversion, base, span)))


def crosses_above(a: Column, b: Column) -> array[int]:
    """1 where a > b and one row before a <= b; 0 elsewhere and where a value is NaN. Finite
    memory, warm-up 1; flat input gives 0."""
    left, right = _columns((a, b))
    out = array("b", [0]) * len(left)
    mark_crosses(left, right, out)
    return out


def crosses_below(a: Column, b: Column) -> array[int]:
    """1 where a < b and one row before a >= b; 0 elsewhere and where a value is NaN. Finite
    memory, warm-up 1; flat input gives 0."""
    return crosses_above(b, a)


def mark_crosses(a: Column, b: Column, out: array[int]) -> None:
    """1 into out[i] where a crosses above b."""
    rows = len(out)
    below = 0
    for i in range(rows):
        out[i] = below if a[i] > b[i] else 0
        below = 1 if a[i] <= b[i] else 0
