"""Entries of the indicator table that smooth, measure or bound one series or the bar's range.

Lives here: signatures and words of averages, dispersion, extremes and ranges. Must not live here:
loops (averages.py, dispersion.py, extremes.py, ranges.py) and what an entry is (indicator.py).
"""

from __future__ import annotations

from trader.core import averages, dispersion, extremes, ranges
from trader.core.indicator import PERIOD_MAX, Indicator, Number, Numbers

HLC = ("high", "low", "close")
BANDS = ("upper", "middle", "lower")
HISTORY = 2  # a history of n values is kept in 2 n places, so that a window is one piece


def period(name: str = "n", default: int | None = None, least: int = 1) -> Number:
    """A count of rows."""
    return Number(name, whole=True, default=default, least=least, most=PERIOD_MAX)


def factor(name: str, default: float, least: float = 0.0, most: float = 1_000.0) -> Number:
    """A multiple."""
    return Number(name, whole=False, default=default, least=least, most=most)


def rows(numbers: Numbers, at: int = 0) -> int:
    """A number that counts rows."""
    return int(numbers[at])


def full(numbers: Numbers) -> tuple[int, ...]:
    """First number where n rows are there."""
    return (rows(numbers) - 1,)


def full_settled(numbers: Numbers) -> int:
    """Exactly the n rows that it reads."""
    return rows(numbers) - 1


def after(numbers: Numbers) -> tuple[int, ...]:
    """First number where n rows lie before."""
    return (rows(numbers),)


def after_settled(numbers: Numbers) -> int:
    """Exactly the n rows before it and its own."""
    return rows(numbers)


def fade(n: int) -> int:
    """Rows in which weights of 2 / (n + 1) leave e**-10: ln((n + 1) / (n - 1)) >= 2 / n."""
    return 5 * n if n > 1 else 0


def wilder(n: int) -> int:
    """Rows in which weights of 1 / n leave e**-10: -ln(1 - 1 / n) >= 1 / n."""
    return 10 * n if n > 1 else 0


def root(n: int) -> int:
    """Whole part of the square root."""
    value = 1
    while (value + 1) * (value + 1) <= n:
        value += 1
    return value


def _hull(numbers: Numbers) -> int:
    return rows(numbers) - 1 + root(rows(numbers)) - 1


def _stoch_first(numbers: Numbers) -> int:
    return sum(int(value) - 1 for value in numbers)


def _keltner_first(numbers: Numbers) -> int:
    return max(rows(numbers) - 1, rows(numbers, 1))


def _keltner_settled(numbers: Numbers) -> int:
    n, span = rows(numbers), rows(numbers, 1)
    return _keltner_first(numbers) + max(fade(n), wilder(span))


def _ichimoku_firsts(numbers: Numbers) -> tuple[int, ...]:
    conversion, base, span = (int(value) - 1 for value in numbers)
    return (conversion, base, max(conversion, base) + base + 1, span + base + 1)


AVERAGES = (
    Indicator(
        "sma", ("source",), (period(),), (), ("source",), "finite", full, full_settled,
        averages.sma_rows,
        formula="(x[0] + ... + x[n-1]) / n",
        source="simple moving average",
        flat="the value itself",
        talib="SMA: its running sum drifts by rounding; here the sum is exact",
    ),
    Indicator(
        "ema", ("source",), (period(),), (), ("source",), "fading", full,
        lambda n: rows(n) - 1 + fade(rows(n)),
        averages.ema_rows,
        formula="v + (x - v) * 2 / (n + 1); seed: mean of the first n rows",
        source="exponential moving average",
        flat="the value itself",
        talib="EMA",
    ),
    Indicator(
        "wma", ("source",), (period(),), (), ("source",), "finite", full, full_settled,
        averages.wma_rows,
        formula="(n x[0] + (n-1) x[1] + ... + 1 x[n-1]) / (n (n + 1) / 2)",
        source="linearly weighted moving average",
        flat="the value itself",
        talib="WMA",
    ),
    Indicator(
        "rma", ("source",), (period(),), (), ("source",), "fading", full,
        lambda n: rows(n) - 1 + wilder(rows(n)),
        averages.rma_rows,
        formula="v + (x - v) / n; seed: mean of the first n rows",
        source="Wilder, New Concepts in Technical Trading Systems, 1978",
        flat="the value itself",
        talib="RMA",
    ),
    Indicator(
        "hma", ("source",), (period(),), (), ("source",), "finite",
        lambda n: (_hull(n),), _hull,
        averages.hma_rows,
        formula="wma(2 wma(x, n // 2) - wma(x, n), r), r: whole part of the square root of n",
        source="Hull, 2005",
        flat="the value itself",
        talib="HMA",
        history=lambda n: HISTORY * root(rows(n)),
    ),
)  # fmt: skip

DISPERSION = (
    Indicator(
        "stdev", ("source",), (period(),), (), ("distance",), "finite", full, full_settled,
        dispersion.stdev_rows,
        formula="square root of the variance",
        source="population standard deviation (divided by n)",
        flat="0",
        talib="STDDEV (nbdev 1): it subtracts squares and loses digits; two passes here do not",
    ),
    Indicator(
        "variance", ("source",), (period(),), (), ("ratio",), "finite", full, full_settled,
        dispersion.variance_rows,
        formula="mean of (x - mean)^2 over n rows",
        source="population variance (divided by n)",
        flat="0",
        talib="VAR: as for stdev",
    ),
    Indicator(
        "zscore", ("source",), (period("n", 20),), (), ("ratio",), "finite", full, full_settled,
        dispersion.zscore_rows,
        formula="(x - mean) / stdev over n rows",
        source="standard score, population deviation",
        flat="0 (the value is its own mean)",
    ),
    Indicator(
        "bbands", ("source",), (period("n", 20), factor("k", 2.0)), BANDS, ("source",) * 3,
        "finite", lambda n: (rows(n) - 1,) * 3, full_settled,
        dispersion.bbands_rows,
        formula="middle = mean of n rows; upper, lower = middle +- k * stdev",
        source="Bollinger, Bollinger on Bollinger Bands, 2001",
        flat="all three are the value itself",
        talib="BBANDS with nbdevup = nbdevdn = k and matype SMA",
    ),
    Indicator(
        "percentrank", ("source",), (period("n", 100),), (), ("bounded",), "finite", after,
        after_settled,
        dispersion.percentrank_rows,
        formula="100 * (how many of the n rows before are below x) / n",
        source="share of earlier values strictly below",
        flat="0 (nothing is below)",
        talib="PERCENTRANK",
    ),
    Indicator(
        "linreg", ("source",), (period("n", 14, 2),), (), ("source",), "finite", full,
        full_settled,
        dispersion.linreg_rows,
        formula="value at the newest row of the least-squares line through n rows",
        source="least squares",
        flat="the value itself",
        talib="LINEARREG",
    ),
    Indicator(
        "slope", ("source",), (period("n", 14, 2),), (), ("distance",), "finite", full,
        full_settled,
        dispersion.slope_rows,
        formula="slope per row of the least-squares line through n rows",
        source="least squares",
        flat="0",
        talib="LINEARREG_SLOPE",
    ),
    Indicator(
        "correlation", ("source", "source"), (period("n", 30, 2),), (), ("ratio",), "finite",
        full, full_settled,
        dispersion.correlation_rows,
        formula="covariance / (stdev * stdev) of two series over n rows, within -1 .. 1",
        source="Pearson",
        flat="0 (either series is flat)",
        talib="CORREL: it subtracts squares and can leave -1 .. 1 by rounding",
    ),
)  # fmt: skip

EXTREMES = (
    Indicator(
        "highest", ("source",), (period(),), (), ("source",), "finite", full, full_settled,
        extremes.highest_rows,
        formula="highest of n rows",
        source="rolling maximum",
        flat="the value itself",
        talib="MAX",
        history=rows,
    ),
    Indicator(
        "lowest", ("source",), (period(),), (), ("source",), "finite", full, full_settled,
        extremes.lowest_rows,
        formula="lowest of n rows",
        source="rolling minimum",
        flat="the value itself",
        talib="MIN",
        history=rows,
    ),
    Indicator(
        "donchian", ("high", "low"), (period("n", 20),), BANDS, ("price",) * 3, "finite",
        lambda n: (rows(n) - 1,) * 3, full_settled,
        extremes.donchian_rows,
        formula="upper = highest high, lower = lowest low of n rows, middle = their mean",
        source="Donchian, 1960s",
        flat="all three are the price",
        talib="DONCHIAN",
        history=lambda n: 2 * rows(n),
    ),
    Indicator(
        "aroon", ("high", "low"), (period("n", 14),), ("down", "up"), ("bounded",) * 2, "finite",
        lambda n: (rows(n),) * 2, after_settled,
        extremes.aroon_rows,
        formula="100 * (n - rows since the lowest low / highest high of n + 1 rows) / n",
        source="Chande, 1995; of equal extremes the newest counts",
        flat="both 100 (the newest of equals)",
        talib="AROON",
        history=lambda n: 2 * (rows(n) + 1),
    ),
    Indicator(
        "stoch", HLC, (period("n", 5), period("smooth", 3), period("signal", 3)), ("k", "d"),
        ("bounded",) * 2, "finite", lambda n: (_stoch_first(n),) * 2, _stoch_first,
        extremes.stoch_rows,
        formula="k = sma(100 (close - lowest low) / (highest high - lowest low), smooth); "
        "d = sma(k, signal)",
        source="Lane, 1984",
        flat="50 (the middle of the scale)",
        talib="STOCH with SMA twice; where n rows have no range it counts 0, here 50: an end of "
        "the scale reads as a signal",
        history=lambda n: 2 * rows(n) + HISTORY * (rows(n, 1) + rows(n, 2)),
    ),
    Indicator(
        "williams_r", HLC, (period("n", 14),), (), ("bounded",), "finite", full, full_settled,
        extremes.williams_r_rows,
        formula="-100 (highest high - close) / (highest high - lowest low) of n rows",
        source="Williams, 1973",
        flat="-50 (the middle of the scale)",
        talib="WILLR: where n rows have no range it says 0, here -50",
        history=lambda n: 2 * rows(n),
    ),
    Indicator(
        "ichimoku", ("high", "low"), (period("conversion", 9), period("base", 26),
        period("span", 52)), ("conversion", "base", "span_a", "span_b"), ("price",) * 4,
        "finite", _ichimoku_firsts, lambda n: max(_ichimoku_firsts(n)),
        extremes.ichimoku_rows,
        formula="conversion, base = (highest high + lowest low) / 2 of their rows; span_a = "
        "(conversion + base) / 2 and span_b = that middle of `span` rows, both of `base` rows ago",
        source="Hosoda, 1969. The spans are what a chart draws at this row: computed `base` rows "
        "before. The lagging line is the close itself: compare close with close[26]",
        flat="all four are the price",
        history=lambda n: 2 * (rows(n) + 2 * rows(n, 1) + rows(n, 2)),
    ),
)  # fmt: skip

RANGES = (
    Indicator(
        "true_range", HLC, (), (), ("distance",), "finite", lambda _: (1,), lambda _: 1,
        ranges.true_range_rows,
        formula="max(high, close[1]) - min(low, close[1])",
        source="Wilder, 1978",
        flat="0",
        talib="TRANGE",
    ),
    Indicator(
        "atr", HLC, (period("n", 14),), (), ("distance",), "fading", after,
        lambda n: rows(n) + wilder(rows(n)),
        ranges.atr_rows,
        formula="v + (true_range - v) / n; seed: mean of the first n true ranges",
        source="Wilder, 1978",
        flat="0",
        talib="ATR",
    ),
    Indicator(
        "natr", HLC, (period("n", 14),), (), ("percent",), "fading", after,
        lambda n: rows(n) + wilder(rows(n)),
        ranges.natr_rows,
        formula="100 * atr / close",
        source="normalised average true range",
        flat="0",
        talib="NATR: for n = 1 it gives the range itself, and 0 for a close of 0 (here: no number)",
    ),
    Indicator(
        "keltner", HLC, (period("n", 20), period("atr", 10), factor("k", 2.0)), BANDS,
        ("price",) * 3, "fading", lambda n: (_keltner_first(n),) * 3, _keltner_settled,
        ranges.keltner_rows,
        formula="middle = ema((high + low + close) / 3, n); upper, lower = middle +- k * atr; both "
        "averages are seeded to begin on the same row",
        source="Keltner, 1960, in the form with the average true range",
        flat="all three are the price",
        talib="KC",
    ),
)  # fmt: skip
