"""The workloads of the back-test's benchmark: bars, policy, and one process that runs them.

Lives here: A (one instrument), B (twenty on one account) and C (a sweep over A), as a policy for
the real reader and as bars, made with the standard library where no folder holds them; and `main`,
one measured process, whose last line is JSON. Must not live here: rounds, peers and tables.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from decimal import Decimal
from math import exp, sqrt
from pathlib import Path
from typing import Any

STARTED = time.perf_counter()
FAST, SLOW = 20, 50
FIRST_MS, MINUTE_MS = 1_672_531_200_000, 60_000
A_ROWS, B_ROWS, B_COUNT = 1_000_000, 500_000, 20
YEARLY = 0.60 / sqrt(525_600)
# By workload: cash, fee in bps, decimals of prices and of quantities.
CASH = {"A": "1000000000", "B": "1000000"}
FEE_BPS = {"A": "1", "B": "10"}
DIGITS = {"A": (2, 5), "B": (4, 4)}
CASH_DIGITS = 8
STOP = {"A": "99%", "B": "5%"}
SHARE = {"A": "100%", "B": "5%"}
POSITIONS = {"A": 1, "B": 5}
# Every gate is asked, and none of them says no but POSITIONS_MAX on B. What would be measured
# against a limit that cannot bind (a share of the volume, value at risk, correlation) is not.
# The slippage cap is four times the widest step from a close to the next open.
LIMITS: dict[str, str] = {
    "slippage": "20bps", "exit_slippage": "20bps", "exit_attempts": "1", "collar": "50%",
    "collar_window": "99999%", "collar_window_bars": "2",
    "order_notional_min": "0", "order_value_max": "10000000000", "spread_max": "99%",
    "volume_share": "100000%", "volume_bars": "1", "missing_bars_max": "90%",
    "bar_jump_max": "1000%",
    "exposure_max": "100%", "asset_max": "100%", "pending_max": "100%", "loss_max": "100%",
    "day_stop": "100%", "rolling_loss": "100%", "drawdown_max": "100%",
    "strategy_drawdown": "100000%", "trades_per_hour_max": "1000", "trades_per_day_max": "1000",
    "unattended_max": "1000000", "trim_from": "0", "correlated": "{exposure_max: 100%}",
    "var": "{limit: 100%}",
}  # fmt: skip


def symbols_of(work: str) -> list[str]:
    """Instruments of a workload, in order."""
    return ["A/USDT"] if work != "B" else [f"B{number:02}/USDT" for number in range(B_COUNT)]


def write_policy(folder: Path, work: str, *, sweep: bool = False) -> None:
    """The policy's files and the instruments' rules (`rules.json`)."""
    folder.mkdir(parents=True, exist_ok=True)
    symbols, pairs = symbols_of(work), ", ".join(symbols_of(work))
    slots = POSITIONS[work]
    limits = {**LIMITS, "positions_max": str(slots), "position": f"{100 // slots}%"}
    lines = "".join(f"  {key}: {value}\n" for key, value in limits.items())
    cross = "crosses_{}(sma(close, fast), sma(close, slow))"
    vary = '  sweep: {ranges: {fast: "5:50:5", slow: "60:240:20"}}\n' if sweep else ""
    texts = {
        "app": f"timeframe: 1m\ncash_max: {2 * int(CASH[work])}\n",
        "policy": f"limits:\n{lines}"
        "cooldowns: {exit: 0s, exit_bars: 0, stop: 0s, unfilled: 0s}\n"
        "messages: {per_second: 1000, per_minute: 10000, per_day: 1000000}\n",
        "universe": f"tiers: {{core: {{pairs: [{pairs}]}}}}\n",
        "signals": "{}\n",
        "strategies": f"cross:\n  timeframe: 1m\n  enter: {cross.format('above')}\n"
        f"  exit: {cross.format('below')}\n  stop: {STOP[work]}\n"
        f"  size: {{method: equity_share, equity_share: {SHARE[work]}}}\n"
        f"  budget: {{exposure: 100%, loss: 100%}}\n"
        f"  parameters: {{fast: {FAST}, slow: {SLOW}}}\n{vary}",
    }
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    price, lot = (str(Decimal(1).scaleb(-digits)) for digits in DIGITS[work])
    fee = str(Decimal(FEE_BPS[work]).scaleb(-4))
    rows = [
        {
            "symbol": symbol, "base": symbol.partition("/")[0], "quote": "USDT", "tick": price,
            "lot": lot, "qty_min": lot, "qty_max": "0", "notional_min": "0", "fee_taker": fee,
            "fee_maker": fee, "active": 1,
        }
        for symbol in symbols
    ]  # fmt: skip
    (folder / "rules.json").write_text(json.dumps(rows), encoding="utf-8")


def write_bars(path: Path, seed: int, rows: int, price: float, digits: int) -> None:
    """A walk whose returns have fat tails (Student-t with three degrees of freedom, 60 % a year),
    the next open a little off the last close."""
    rng = random.Random(seed)
    gauss = rng.gauss
    closed = price
    with path.open("w", encoding="ascii") as out:
        out.write("timestamp,open,high,low,close,volume\n")
        for row in range(rows):
            opened = round(closed * (1.0 + 0.1 * YEARLY * gauss(0.0, 1.0)), digits)
            square = (gauss(0.0, 1.0) ** 2 + gauss(0.0, 1.0) ** 2 + gauss(0.0, 1.0) ** 2) / 3.0
            closed = round(opened * exp(YEARLY * gauss(0.0, 1.0) / sqrt(3.0 * square)), digits)
            reach = 0.5 * YEARLY * abs(gauss(0.0, 1.0))
            high = round(max(opened, closed) * (1.0 + reach), digits)
            low = round(min(opened, closed) * (1.0 - reach), digits)
            at_ms = FIRST_MS + row * MINUTE_MS
            volume = exp(2.0 + gauss(0.0, 1.0))
            out.write(f"{at_ms},{opened},{high},{low},{closed},{volume:.4f}\n")


def bars_of(data: Path, work: str) -> dict[str, Path]:
    """By symbol, its file in the folder."""
    return {symbol: data / f"{symbol.partition('/')[0]}.csv" for symbol in symbols_of(work)}


def make_data(data: Path, seed: int, a_rows: int, b_rows: int) -> None:
    """Files of both workloads, where they are not there yet."""
    data.mkdir(parents=True, exist_ok=True)
    write_bars(data / "A.csv", seed, a_rows, 30_000.0, DIGITS["A"][0])
    for number in range(B_COUNT):
        price = round(50 * 1.4**number, 2)
        write_bars(data / f"B{number:02}.csv", seed + 1_000 + number, b_rows, price, DIGITS["B"][0])


# --- one measured process ------------------------------------------------------------------------


def checked_policy(folder: Path) -> Any:
    """The policy of a folder, checked anew."""
    from trader.policy.checking import check_policy
    from trader.policy.sources import find_sources

    return check_policy(find_sources([str(folder)], cwd=folder, env={}), {})


def loaded(folder: Path, data: Path, work: str, cache: Path) -> tuple[Any, dict[str, float]]:
    """Inputs of a run, and the seconds that each step to them took."""
    from trader.app.backtest_inputs import BacktestOptions, build_inputs
    from trader.app.backtest_model import ModelOptions
    from trader.app.bar_store import open_bars
    from trader.app.inputs import decision_inputs
    from trader.cli.instrument_rules import read_rules

    marks = [time.perf_counter()]
    parameters, sources = decision_inputs(checked_policy(folder).form, {})
    marks.append(time.perf_counter())
    tick = Decimal(1).scaleb(-DIGITS[work][0])
    files = {
        symbol: open_bars(path, symbol, tick, None, cache)
        for symbol, path in bars_of(data, work).items()
    }
    marks.append(time.perf_counter())
    options = BacktestOptions(
        cash=Decimal(CASH[work]), model=ModelOptions(spread_ppm=0, zero_volume_fills=True)
    )
    codes = {source.name: source.code for source in sources}
    inputs = build_inputs(parameters, codes, files, options, read_rules(str(folder / "rules.json")))
    marks.append(time.perf_counter())
    names = ("policy", "load", "inputs")
    return inputs, {name: marks[i + 1] - marks[i] for i, name in enumerate(names)}


@contextmanager
def watched(module: Any, name: str, times: dict[str, float], key: str) -> Generator[None]:
    """Seconds spent in one function of a module, while the block lasts."""
    real: Callable[..., Any] | None = getattr(module, name, None)

    def timed(*args: Any, **named: Any) -> Any:
        assert real is not None
        began = time.perf_counter()
        try:
            return real(*args, **named)
        finally:
            times[key] = times.get(key, 0.0) + time.perf_counter() - began

    if real is not None:
        setattr(module, name, timed)
    try:
        yield
    finally:
        if real is not None:
            setattr(module, name, real)


def engine_rounds(inputs: Any, engine: str, rounds: int) -> tuple[Any, list[float], dict[str, Any]]:
    """The engine so often (signals, simulation, statistics); its result, seconds, and where the
    last round spent them."""
    from trader.app import backtest

    result, seconds = None, list[float]()
    parts: dict[str, Any] = {}
    for _ in range(rounds):
        parts.clear()
        with watched(backtest, "build_statistics", parts, "statistics"):
            began = time.perf_counter()
            result = backtest.run_backtest(inputs, engine=engine)
            assert result.statistics  # worked out when they are asked for: they count
            seconds.append(time.perf_counter() - began)
    return result, seconds, parts


def signal_seconds(inputs: Any) -> float:
    """How long the columns of all signals take alone."""
    from trader.core.columns import build_columns

    specs = inputs.parameters.strategies
    pairs = [(spec.name, symbol) for spec in specs for symbol in spec.symbols]
    began = time.perf_counter()
    build_columns(inputs.parameters, inputs.strategies, inputs.series, pairs)
    return time.perf_counter() - began


def write_fills(path: Path, result: Any, work: str) -> None:
    """Every fill as the oracle writes it."""
    import backtest_oracle

    from trader.core.trips import FILL_COLUMNS

    names, symbols = result.fills.names, symbols_of(work)
    first = [FILL_COLUMNS.index(name) for name in ("at_ms", "symbol", "side")]
    rest = [FILL_COLUMNS.index(n) for n in ("qty_lots", "price_ticks", "value_units", "fee_units")]
    rows = [
        (fill[first[0]], symbols.index(names[fill[first[1]]]), *(fill[i] for i in first[2:] + rest))
        for fill in result.fills
    ]
    backtest_oracle.write_fills(path, rows)


def main() -> int:
    """One process: load, run, tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", choices=("A", "B"))
    parser.add_argument("--folder", type=Path, required=True, help="of the policy")
    parser.add_argument("--data", type=Path, required=True, help="folder of the bars")
    parser.add_argument("--cache", type=Path, required=True, help="folder of the column cache")
    parser.add_argument("--engine", default="fast")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fills", type=Path, help="a file for every fill")
    given = parser.parse_args()
    inputs, parts = loaded(given.folder, given.data, given.work, given.cache)
    result, seconds, within = engine_rounds(inputs, given.engine, given.rounds)
    if given.fills:
        write_fills(given.fills, result, given.work)
    engine_s = statistics.median(seconds)
    bars = sum(result.bars.values())
    signals_s = signal_seconds(inputs)
    trips = (*result.closed, *(left.trip for left in result.open))
    final = result.curve_units[-1] * inputs.cash_unit
    told = {
        "work": given.work,
        "bars": bars,
        "engine_s": round(engine_s, 6),
        "first_s": round(seconds[0], 6),
        "Mbars_s": round(bars / engine_s / 1e6, 3),
        "fills": sum(trip.fills for trip in trips),
        "equity": str(final),
        "refusals": dict(result.refusals),
        "parts": {
            **{name: round(value, 4) for name, value in parts.items()},
            "signals": round(signals_s, 4),
            "statistics": round(within.get("statistics", 0.0), 4),
            "lane": round(engine_s - signals_s - within.get("statistics", 0.0), 4),
        },
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "process_s": round(time.perf_counter() - STARTED, 3),
    }
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
