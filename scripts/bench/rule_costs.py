"""What rules cost: a cross over a whole history beside one pass of C, and the signals of a cycle.

Lives here: the rules, instruments and strategies that are measured, and how: in time of the
processor, so that what else runs on the machine counts little. The C pass finds a few crosses more:
its running sums drift, and equal averages then seem to cross. Must not live here: tables and bounds
(`signals`), columns and the C pass (`c_pass`).
"""

from __future__ import annotations

import random
import statistics
import time
from array import array
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from trader.bars.resample import resample
from trader.core.columns import Job, build_many
from trader.core.frames import Frames
from trader.core.history import evaluate_history
from trader.core.limits import Limits
from trader.core.parameters import Parameters, StrategyCode, StrategySpec
from trader.core.rules import bound_of
from trader.core.series import Series
from trader.core.signals import form_opinion, wanted_windows
from trader.core.state import State
from trader.core.strategy import Window
from trader.policy.rules_compile import compile_rules

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
START_MS = 1_700_006_400_000
TICK = Decimal("0.01")
ANCHOR_BARS = 256
INSTRUMENTS = 50
MISSING_PPM = 100_000
# Five strategies as users write them; they share averages, ranges and volumes.
STRATEGIES: dict[str, dict[str, str]] = {
    "trend": {
        "enter": "crosses_above(ema(close, 20), ema(close, 50)) and rsi(14) < 70"
        " and volume > 1.5 * sma(volume, 20)",
        "exit": "ema(close, 20) < ema(close, 50)",
        "stop": "3 * atr(14)",
    },
    "reversion": {
        "enter": "zscore(close, 20) < -2 and rsi(14) < 35 and close > sma(close, 50)",
        "exit": "zscore(close, 20) > 0",
        "stop": "2 * atr(14)",
    },
    "breakout": {
        "enter": "close > highest(high, 20)[1] and volume > 1.5 * sma(volume, 20) and adx(14) > 20",
        "exit": "close < lowest(low, 10)[1]",
        "stop": "2 * atr(14)",
        "trail": "3 * atr(14)",
    },
    "momentum": {
        "enter": "crosses_above(macd(12, 26, 9).line, macd(12, 26, 9).signal) and roc(10) > 0"
        " and close > ema(close, 50)",
        "exit": "macd(12, 26, 9).line < macd(12, 26, 9).signal",
        "stop": "2 * atr(14)",
        "target": "4 * atr(14)",
    },
    "hourly": {
        "enter": 'close > on("1h", ema(close, 20)) and crosses_above(close, bbands(20, 2).lower)',
        "exit": "close > bbands(20, 2).upper",
        "stop": "bbands(20, 2).upper - bbands(20, 2).lower",
    },
}
LIMITS = Limits(1_000, 5_000, 30_000, 250_000, 3, "10", 10_000, MISSING_PPM, 200_000)


def program_of(texts: Mapping[str, str]) -> dict[str, Any]:
    """The program of rules that are right."""
    result = compile_rules(texts, parameters={}, triggers={}, own_timeframe="1m")
    if result.problems:
        raise ValueError(f"a rule of the benchmark is refused: {result.problems[0]}")
    return result.program


def series_of(columns: Mapping[str, Any], symbol: str = "BTC/USDT") -> Series:
    """Bars of prices with two decimals."""
    ticks = [
        array("q", [round(price * 100) for price in columns[name]])
        for name in ("open", "high", "low", "close")
    ]
    opens = array("q", [START_MS + at_ms for at_ms in columns["open_ms"]])
    volume = array("d", columns["volume"])
    return Series(symbol, MINUTE_MS, TICK, opens, ticks[0], ticks[1], ticks[2], ticks[3], volume)


def timed(work: Callable[[], Any]) -> float:
    """Seconds of the processor that one call takes."""
    started = time.process_time()
    work()
    return time.process_time() - started


def history_costs(
    columns: Mapping[str, Any], c_work: Callable[[], bytes], rounds: int
) -> dict[str, Any]:
    """Time of both crosses of two averages on every bar, in C passes; medians, taken in turns."""
    series = series_of(columns)
    window = Window(series)
    frames = {("BTC/USDT", "1m"): series}
    works: dict[str, Callable[[], Any]] = {"c": c_work}
    marks: dict[str, Any] = {}
    for name in ("sma", "ema"):
        pair = f"({name}(close, 20), {name}(close, 50))"
        program = program_of({"enter": f"crosses_above{pair}", "exit": f"crosses_below{pair}"})
        bound = bound_of(program, {}, "1m", MINUTE_MS)

        def evaluate(bound: Any = bound, name: str = name) -> None:
            one = Frames(frames, 2**60, ANCHOR_BARS)
            marks[name] = evaluate_history(bound, one, "BTC/USDT", window, marks.get(name))

        works[name] = evaluate
    works["floats"] = lambda: Window(series).close
    for work in works.values():
        work()
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(timed(work))
    middle = {name: statistics.median(values) for name, values in times.items()}
    return {
        "c_ms": round(middle["c"] * 1000, 2),
        "sma_cross_ratio": round(middle["sma"] / middle["c"], 2),
        "ema_cross_ratio": round(middle["ema"] / middle["c"], 2),
        "ticks_to_floats_ratio": round(middle["floats"] / middle["c"], 2),
        "crosses": sum(1 for mark in marks["sma"]["enter"] if mark > 0),
        "crosses_c": c_work().count(b"\x01"),
    }


def columns_costs(
    columns: Mapping[str, Any], c_work: Callable[[], bytes], rounds: int
) -> dict[str, Any]:
    """What a back-test's columns take, from ticks to runs and stops: of either cross, and of each
    trial of a sweep over its lengths; medians of the processor's time, in C passes, in turns."""
    series = {("BTC/USDT", "1m"): series_of(columns)}
    pair = ("cross", "BTC/USDT")
    texts = {
        "enter": "crosses_above({0}(close, {1}), {0}(close, {2}))",
        "exit": "crosses_below({0}(close, {1}), {0}(close, {2}))",
        "stop": "0.05 * close",
    }

    def job(name: str, fast: int, slow: int) -> Job:
        rules = {key: text.format(name, fast, slow) for key, text in texts.items()}
        spec = _spec("cross", ("BTC/USDT",), rules)
        policy = Parameters(
            "a", "paper", "abcdef", "USDT", MINUTE_MS, ANCHOR_BARS, "", "1000000", LIMITS, (spec,)
        )
        return policy, {"cross": StrategyCode(lambda _: 0, lambda _b, _n: {}, spec.program)}

    one = {name: [job(name, 20, 50)] for name in ("sma", "ema")}
    trials = [job("sma", fast, slow) for fast in (5, 20, 35, 50) for slow in (60, 120, 180, 240)]
    works: dict[str, Callable[[], Any]] = {
        "c": c_work,
        "trials": lambda: build_many(trials, series, [pair]),
    }
    works |= {name: partial(build_many, jobs, series, [pair]) for name, jobs in one.items()}
    for work in works.values():
        work()
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(timed(work))
    middle = {name: statistics.median(values) for name, values in times.items()}
    made = works["sma"]()[0][pair]
    return {
        "sma_ms": round(middle["sma"] * 1000, 2),
        "sma_ratio": round(middle["sma"] / middle["c"], 2),
        "ema_ratio": round(middle["ema"] / middle["c"], 2),
        "trial_ratio": round(middle["trials"] / len(trials) / middle["c"], 2),
        "signals": len(made.stop or ()),
    }


def market(seed: int) -> dict[tuple[str, str], Series]:
    """Minutes and hours of every instrument, as far back as the strategies look."""
    rng = random.Random(seed)
    found: dict[tuple[str, str], Series] = {}
    hours = (ANCHOR_BARS + 128) * 60
    for number in range(INSTRUMENTS):
        symbol = f"C{number:02}/USDT"
        price, closes = 10_000, array("q")
        for _ in range(hours):
            price = max(100, price + rng.randrange(-20, 21))
            closes.append(price)
        highs = array("q", [value + rng.randrange(15) for value in closes])
        lows = array("q", [value - rng.randrange(15) for value in closes])
        opens = array("q", range(START_MS, START_MS + hours * MINUTE_MS, MINUTE_MS))
        volume = array("d", [rng.random() * 10 for _ in closes])
        minutes = Series(symbol, MINUTE_MS, TICK, opens, closes, highs, lows, closes, volume)
        found[symbol, "1m"] = minutes
        found[symbol, "1h"] = resample(minutes, HOUR_MS)
    return found


def cycle_costs(seed: int, rounds: int) -> dict[str, Any]:
    """What one decision spends in signals: its windows, and an opinion of every strategy on every
    instrument; medians over decisions at different places of the anchor block."""
    whole = market(seed)
    symbols = tuple(sorted({symbol for symbol, _ in whole}))
    specs = tuple(_spec(name, symbols, texts) for name, texts in STRATEGIES.items())
    codes = {
        spec.name: StrategyCode(lambda _: 0, lambda _b, _n: {}, spec.program) for spec in specs
    }
    parameters = Parameters(
        "a", "paper", "abcdef", "USDT", MINUTE_MS, ANCHOR_BARS, "", "1000000", LIMITS, specs
    )
    end_ms = max(series.open_ms[-1] for series in whole.values() if series.step_ms == MINUTE_MS)
    windows_s: list[float] = []
    opinions_s: list[float] = []
    problems, entries = 0, 0
    for turn in range(rounds + 1):
        close_ms = end_ms + MINUTE_MS - (rounds - turn) * (ANCHOR_BARS // 8) * MINUTE_MS
        started = time.process_time()
        wanted = wanted_windows(parameters, codes, State(), close_ms)
        windows_s.append(time.process_time() - started)
        held = {key: _cut(whole[key], *span) for key, span in wanted.items()}
        started = time.process_time()
        frames = Frames(held, close_ms, ANCHOR_BARS)
        said = [
            form_opinion(spec, codes[spec.name], frames, symbol, MISSING_PPM)
            for spec in specs
            for symbol in symbols
        ]
        opinions_s.append(time.process_time() - started)
        problems += sum(1 for opinion in said if opinion.problem)
        entries += sum(1 for opinion in said if opinion.enter_ms >= 0)
    # The first turn binds the rules, which a cold cycle does once.
    return {
        "instruments": len(symbols),
        "strategies": len(specs),
        "bind_ms": round((windows_s[0] - statistics.median(windows_s[1:])) * 1000, 2),
        "windows_ms": round(statistics.median(windows_s[1:]) * 1000, 2),
        "opinions_ms": round(statistics.median(opinions_s[1:]) * 1000, 2),
        "first_ms": round((windows_s[0] + opinions_s[0]) * 1000, 2),
        "problems": problems,
        "entries": entries,
    }


def _cut(series: Series, first_ms: int, last_ms: int) -> Series:
    return series.slice(series.index_of(first_ms), series.index_of(last_ms + 1))


def _spec(name: str, symbols: tuple[str, ...], texts: Mapping[str, str]) -> StrategySpec:
    spec = StrategySpec(name, "", "", symbols, "1m", MINUTE_MS, {}, 1, enabled=True)
    return replace(spec, program=program_of(texts))
