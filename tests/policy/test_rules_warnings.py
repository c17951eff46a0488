"""Rules that are accepted with a warning: mixed units, equality of floats, foregone comparisons."""

from __future__ import annotations

import pytest

from trader.core.indicator_table import INDICATORS
from trader.policy.rules_compile import compile_rules
from trader.policy.rules_types import BOUNDS

WARNED: list[tuple[str, str, int]] = [
    ("close > rsi(14)", "RULE_UNITS", 1),
    ("open > close and volume > close", "RULE_UNITS", 18),
    ("close > atr(14)", "RULE_UNITS", 1),
    ("close > roc(10)", "RULE_UNITS", 1),
    ("close + rsi(14) > 3", "RULE_UNITS", 1),
    ("close + volume > 3", "RULE_UNITS", 1),
    ("atr(14) - close > 3", "RULE_UNITS", 1),
    ("roc(10) > rsi(14)", "RULE_UNITS", 1),
    ("close / open > rsi(14)", "RULE_UNITS", 1),
    ("close > volume / volume[1]", "RULE_UNITS", 1),
    ("crosses_above(close, rsi(14))", "RULE_UNITS", 1),
    ("max(close, rsi(14)) > 3", "RULE_UNITS", 1),
    ("macd(12, 26, 9).line > close", "RULE_UNITS", 1),
    ("sma(rsi(14), 5) > sma(close, 5)", "RULE_UNITS", 1),
    ("on('4h', rsi(14)) > close[1]", "RULE_UNITS", 1),
    ("stdev(close, 20) > highest(volume, 5)", "RULE_UNITS", 1),
    ("momentum(volume, 5) > atr(14)", "RULE_UNITS", 1),
    ("rsi(14) < 0.3", "RULE_UNITS", 1),
    ("0.7 < stoch(14, 3, 3).k", "RULE_UNITS", 1),
    ("close == open", "RULE_EQUALITY", 1),
    ("close != sma(close, 20)", "RULE_EQUALITY", 1),
    ("rsi(14) == 50", "RULE_EQUALITY", 1),
    ("rsi(14) > 120", "RULE_NEVER", 1),
    ("120 < rsi(14)", "RULE_NEVER", 1),
    ("rsi(14) > 100", "RULE_NEVER", 1),
    ("rsi(14) < 0", "RULE_NEVER", 1),
    ("rsi(14) == 101", "RULE_NEVER", 1),
    ("williams_r(14) > 1", "RULE_NEVER", 1),
    ("cmf(20) >= 2", "RULE_NEVER", 1),
    ("rsi(14)[3] > 120", "RULE_NEVER", 1),
    ("50 < rsi(14) < 30", "RULE_NEVER", 1),
    ("rsi(14) < 30 and rsi(14) > 70", "RULE_NEVER", 1),
    ("close > 10 and (open > 1 and (volume > 5 and 10 >= close))", "RULE_NEVER", 1),
    ("open > 1 or (rsi(14) < 30 and close > 2 and 30 < rsi(14))", "RULE_NEVER", 14),
    ("rsi(14) < 20 and (rsi(14) < 30 and rsi(14) >= 30)", "RULE_NEVER", 19),
    ("close < 30 and close <= 30 and close >= 30", "RULE_NEVER", 1),
    ("close <= 30 and close < 40 and close > 20 and close > 35", "RULE_NEVER", 1),
    ("close > close", "RULE_NEVER", 1),
    ("close > highest(high, 20)", "RULE_NEVER", 1),
    ("lowest(low, 5) > close", "RULE_NEVER", 1),
    ("rsi(14) > highest(rsi(14), 9)", "RULE_NEVER", 1),
    ("donchian(20).lower > low", "RULE_NEVER", 1),
    ("crosses_above(close, highest(close, 20))", "RULE_NEVER", 1),
    ("crosses_below(low, donchian(9).lower)", "RULE_NEVER", 1),
    ("on('4h', close > highest(high, 20))", "RULE_NEVER", 10),
    ("crosses_above(close, close)", "RULE_NEVER", 1),
    ("rsi(14) >= 0", "RULE_ALWAYS", 1),
    ("rsi(14) > -1", "RULE_ALWAYS", 1),
    ("0 <= adx(14) < 20", "RULE_ALWAYS", 1),
    ("rsi(14) != 101", "RULE_ALWAYS", 1),
    ("sma(close, 5) >= sma(close, 5)", "RULE_ALWAYS", 1),
]

QUIET = [
    "close > 100",
    "close > highest(high, 20)[1]",
    "close >= highest(close, 20)",
    "close < highest(high, 20)",
    "high > highest(close, 20)",
    "close > on('4h', highest(high, 20))",
    "crosses_above(close, donchian(20).lower)",
    "close > 1.02 * open",
    "(high + low) / 2 > close",
    "high - low > 2 * atr(14)",
    "high - low > 0.02 * close",
    "high - low > share * close",
    "close > open + 2 * atr(14)",
    "close < sma(close, 20) - k * stdev(close, 20)",
    "(close - open) / close > 0.01",
    "close / close[1] - 1 > 0.01",
    "volume > 1.5 * sma(volume, 20)",
    "volume * close > 1000000",
    "rsi(14) > sma(rsi(14), 5)",
    "rsi(14) - rsi(14)[1] > 5",
    "rsi(14) > 1",
    "rsi(14) > limit",
    "100 * natr(14) / 100 > 3",
    "30 < rsi(14) < 50",
    "rsi(14) >= 30 and rsi(14) <= 30",
    "rsi(14) > 30 or rsi(14) < 20",
    "rsi(14) > 30 and not rsi(14) > 20",
    "rsi(14) > 70 and rsi(14)[1] < 30",
    "rsi(14) > 70 and rsi(14) < limit",
    "zscore(close, 20) < -2",
    "supertrend(10, 3, session='1d').direction == 1",
    "fast == 5 or close > open",
    "close > vwap(20) and close > keltner(20).lower and close > ichimoku().span_a",
    "crosses_above(30, rsi(14))",
    "macd(12, 26, 9).line > macd(12, 26, 9).signal",
    "atr(14) / close > 0.01",
    "min(open, close) > lowest(low, 5)",
    "plus_di(14) > minus_di(14)",
    "correlation(close, volume, 30) > 0.5",
    "volume > sma(volume, 20) + 2 * stdev(volume, 20)",
    "momentum(rsi(14), 3) > sma(rsi(14), 3)",
    "macd(volume, 12, 26, 9).hist > 0.1 * volume",
    "slope(close / open, 5) > close / open",
]
PARAMETERS = {"fast": 5, "share": "0.05", "k": 2, "limit": 70}


def warnings_of(text: str, output: str = "enter") -> list[tuple[str, int]]:
    result = compile_rules({output: text}, parameters=PARAMETERS, triggers={}, own_timeframe="1h")
    assert not result.problems, str(result.problems[0])
    assert result.program
    return [(warning.code.name, warning.column) for warning in result.warnings]


@pytest.mark.parametrize(("text", "code", "column"), WARNED)
def test_a_doubtful_rule_is_accepted_with_one_warning(text: str, code: str, column: int) -> None:
    assert warnings_of(text) == [(code, column)]


@pytest.mark.parametrize("text", QUIET)
def test_a_rule_whose_units_go_together_is_accepted_in_silence(text: str) -> None:
    assert warnings_of(text) == []


@pytest.mark.parametrize("output", ["stop", "target", "trail"])
@pytest.mark.parametrize(
    "text", ["ema(close, 20)", "close - 2", "natr(14)", "rsi(14)", "volume", "atr(14) / close"]
)
def test_a_distance_that_is_no_distance_is_warned_of(output: str, text: str) -> None:
    assert warnings_of(text, output) == [("RULE_UNITS", 1)]


@pytest.mark.parametrize(
    "text",
    [
        "2 * atr(14)",
        "0.05 * close",
        "share * close",
        "close - lowest(low, 10)",
        "max(2 * atr(14), 0.01 * close)",
        "close / 50",
        "highest(high, 20) - low",
        "k * stdev(close, 20)",
    ],
)
def test_a_distance_from_the_price_is_accepted_in_silence(text: str) -> None:
    assert warnings_of(text, "stop") == []


def test_a_foregone_comparison_says_where_the_oscillator_runs() -> None:
    result = compile_rules(
        {"enter": "williams_r(14) > 20"}, parameters={}, triggers={}, own_timeframe="1h"
    )
    assert result.warnings[0].message == "can never be true: it runs from -100 to 0"


def lines_of(kind: str) -> set[str]:
    return {
        f"{name}.{output}" if output else name
        for name, entry in INDICATORS.items()
        for output, own in zip(entry.outputs or ("",), entry.kinds, strict=True)
        if own == kind
    }


def test_every_bounded_indicator_has_its_bounds_and_every_bound_its_indicator() -> None:
    every = {line for kind in ("bounded", "ratio") for line in lines_of(kind)}
    assert lines_of("bounded")
    assert lines_of("bounded") <= set(BOUNDS) <= every
