"""The words of rules, and what words of other bots and charts are called here.

Lives here: names that rules know by themselves, and the table of foreign words (freqtrade and
qtpylib, Pine Script, TA-Lib, jesse, MetaStock) with what to write instead; docs/rules.md shows it.
Must not live here: indicators (see `core.indicator_table`), and what a call means.
"""

from __future__ import annotations

from collections.abc import Iterable

from trader.policy.fields import close_to

# Columns of a bar -> their kind (see `rules_types`).
COLUMNS: dict[str, str] = {
    "open": "price",
    "high": "price",
    "low": "price",
    "close": "price",
    "volume": "volume",
    "hl2": "price",
    "hlc3": "price",
    "ohlc4": "price",
}

# Functions that are no indicators -> how they are written.
FUNCTIONS: dict[str, str] = {
    "crosses_above": "crosses_above(ema(close, 20), ema(close, 50))",
    "crosses_below": "crosses_below(close, sma(close, 200))",
    "rising": "rising(sma(close, 50), 3)",
    "falling": "falling(volume, 3)",
    "any": "any(rsi(14) < 30, 5)",
    "all": "all(close > sma(close, 50), 5)",
    "min": "min(open, close)",
    "max": "max(open, close)",
    "abs": "abs(close - open)",
    "on": 'on("1h", rsi(14))',
}

# Word of another tool, in lower case -> what is written here.
FOREIGN: dict[str, str] = {
    "crossed_above": "crosses_above(a, b)",
    "crossed_below": "crosses_below(a, b)",
    "crossed": "crosses_above(a, b) or crosses_below(a, b)",
    "crossover": "crosses_above(a, b)",
    "crossunder": "crosses_below(a, b)",
    "cross": "crosses_above(a, b) or crosses_below(a, b)",
    "shift": "close[1] for the bar before",
    "ref": "close[1] for the bar before",
    "iloc": "close[1] for the bar before",
    "history": "close[1] for the bar before",
    "rolling": "sma(close, 20), highest(high, 20), stdev(close, 20)",
    "rolling_mean": "sma(close, 20)",
    "mean": "sma(close, 20)",
    "ewm": "ema(close, 20)",
    "std": "stdev(close, 20)",
    "stddev": "stdev(close, 20)",
    "var": "variance(close, 20)",
    "pct_change": "close / close[1] - 1",
    "change": "close - close[1]",
    "diff": "close - close[1]",
    "mom": "momentum(close, 10)",
    "rocp": "roc(close, 10), in percent",
    "willr": "williams_r(14)",
    "wpr": "williams_r(14)",
    "bb": "bbands(close, 20, 2).upper",
    "bollinger": "bbands(close, 20, 2).upper",
    "bollinger_bands": "bbands(close, 20, 2).upper",
    "bollingerbands": "bbands(close, 20, 2).upper",
    "kc": "keltner(20, 10, 2).upper",
    "keltner_channel": "keltner(20, 10, 2).upper",
    "dc": "donchian(20).upper",
    "sar": "psar(session=\"1d\")",
    "parabolic_sar": "psar(session=\"1d\")",
    "trange": "true_range()",
    "tr": "true_range()",
    "stochf": "stoch(14, 3, 3).k",
    "slowk": "stoch(14, 3, 3).k",
    "slowd": "stoch(14, 3, 3).d",
    "macdsignal": "macd(12, 26, 9).signal",
    "macdhist": "macd(12, 26, 9).hist",
    "macd_signal": "macd(12, 26, 9).signal",
    "macd_hist": "macd(12, 26, 9).hist",
    "dmi": "plus_di(14), minus_di(14), adx(14)",
    "smma": "rma(close, 14)",
    "wilders": "rma(close, 14)",
    "hullma": "hma(close, 20)",
    "hhv": "highest(high, 20)",
    "llv": "lowest(low, 20)",
    "max_value": "highest(high, 20)",
    "min_value": "lowest(low, 20)",
    "correl": "correlation",
    "linearreg": "linreg(close, 14)",
    "linearreg_slope": "slope(close, 14)",
    "percentile_rank": "percentrank(close, 100)",
    "percent_rank": "percentrank(close, 100)",
    "typical_price": "hlc3",
    "typprice": "hlc3",
    "medprice": "hl2",
    "avgprice": "ohlc4",
    "ohlcv": "open, high, low, close, volume",
    "vol": "volume",
    "price": "close",
    "last": "close",
    "barssince": "any(condition, 5): whether it held on one of the last 5 bars",
    "valuewhen": "a value at a fixed bar back, such as close[3]",
    "security": "on(\"1h\", close)",
    "informative": "on(\"1h\", close)",
    "merge_informative_pair": "on(\"1h\", close)",
    "get_candles": "on(\"1h\", close)",
    "nz": "nothing: a value that is not ready makes the condition not ready",
    "na": "nothing: a value that is not ready makes the condition not ready",
    "isnan": "nothing: a value that is not ready makes the condition not ready",
    "dropna": "nothing: a value that is not ready makes the condition not ready",
    "fillna": "nothing: a value that is not ready makes the condition not ready",
    "iff": "(condition and a > b) or (not condition and a > c)",
    "where": "(condition and a > b) or (not condition and a > c)",
    "input": "the name of a parameter of the strategy",
    "sum": "n * sma(x, n)",
    "average": "sma(close, 20)",
    "ma": "sma(close, 20) or ema(close, 20)",
    "true": "the condition itself",
    "false": "not condition",
    "populate_entry_trend": "the key `enter` of the strategy, with its condition alone",
    "populate_buy_trend": "the key `enter` of the strategy, with its condition alone",
    "enter_long": "the key `enter` of the strategy, with its condition alone",
    "should_long": "the key `enter` of the strategy, with its condition alone",
    "populate_exit_trend": "the key `exit` of the strategy, with its condition alone",
    "populate_sell_trend": "the key `exit` of the strategy, with its condition alone",
    "exit_long": "the key `exit` of the strategy, with its condition alone",
    "should_short": "nothing: only long positions are held",
    "enter_short": "nothing: only long positions are held",
}  # fmt: skip

# What stands before a dot in other tools: the word behind it is what counts.
FOREIGN_HOMES = frozenset(
    {
        "bt", "candles", "data", "dataframe", "df", "indicators", "math", "np", "numpy", "pandas",
        "pandas_ta", "pd", "pta", "qtpylib", "request", "self", "str", "strategy", "ta", "ta_lib",
        "talib", "tulipy",
    }
)  # fmt: skip


def hint_for(word: str, known: Iterable[str]) -> str:
    """What a word that rules do not know probably means here, or ""."""
    low = word.lower()
    if low in FOREIGN:
        return f"write {FOREIGN[low]}"
    names = list(known)
    if low in names:
        return f"write {low}"
    return close_to(word, names)
