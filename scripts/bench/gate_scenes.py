"""What the benchmark of gates looks at: a large account at one decision, and a quiet back-test.

Lives here: made bars, a policy through the real reader, and the account. Must not live here:
measuring.
"""

from __future__ import annotations

import random
import tempfile
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from trader.bars.resample import resample
from trader.core.fold import fold
from trader.core.parameters import Parameters, StrategyCode
from trader.core.series import Series
from trader.core.simulate import Model, Simulation
from trader.core.snapshot import CoreQuote, Snapshot
from trader.core.state import State, instrument_row
from trader.domain.instrument import Instrument
from trader.policy.checking import check_policy
from trader.policy.parameters import build_parameters
from trader.policy.sources import find_sources

INSTRUMENTS, STRATEGIES = 50, 5
MINUTE_MS, DAY_MS = 60_000, 86_400_000
START_MS = 1_700_006_400_000  # a midnight (UTC)
WIDE = {"exposure_max": "100%", "loss_max": "90%", "trades_per_hour_max": "1000",
        "trades_per_day_max": "1000", "day_stop": "95%", "drawdown_max": "99%",
        "order_value_max": "1000000000", "volume_share": "100%", "rolling_loss": "99%",
        "strategy_drawdown": "99%", "unattended_max": "1000000", "collar_window": "50%",
        "asset_max": "100%", "pending_max": "100%"}  # fmt: skip
MANY = {**WIDE, "position": "1%", "positions_max": "100"}
FEW = {**WIDE, "position": "20%", "positions_max": "5", "slippage": "1%", "exit_slippage": "2%"}
FEES = (Decimal("0.001"), Decimal("0.001"))


@dataclass(frozen=True)
class Told:
    """What came of a back-test."""

    fills: int
    refused: int


def parameters_of(symbols: list[str], strategies: str, limits: Mapping[str, str]) -> Parameters:
    """A policy through the real reader."""
    with tempfile.TemporaryDirectory(prefix="trader-bench-") as name:
        folder = Path(name)
        lines = "".join(f"  {key}: {value}\n" for key, value in limits.items())
        cooled = "cooldowns: {exit: 0s, exit_bars: 0, stop: 0s, unfilled: 0s}\n"
        sections = "messages: {per_second: 1000, per_minute: 10000, per_day: 1000000}\n"
        pairs = ", ".join(symbols)
        texts = {
            "app": "timeframe: 1m\ncycle: {anchor_bars: 64}\n",
            "policy": f"limits:\n{lines}{cooled}{sections}",
            "universe": f"tiers: {{core: {{pairs: [{pairs}]}}}}\n",
            "signals": "{}\n",
            "strategies": strategies,
        }
        for file, text in texts.items():
            (folder / f"{file}.yaml").write_text(text, encoding="utf-8")
        form = check_policy(find_sources([name], cwd=folder, env={}), {}).form
    return build_parameters(form, {})


def bars_of(symbol: str, count: int, seed: int, step_ms: int = MINUTE_MS) -> Series:
    """A walk of prices around 100 with enough volume for everything."""
    rng = random.Random(f"{symbol} {seed}")
    price, closes = 10_000, array("q")
    for _ in range(count):
        price = max(5_000, price + rng.randrange(-10, 11))
        closes.append(price)
    highs = array("q", [value + rng.randrange(5) for value in closes])
    lows = array("q", [value - rng.randrange(5) for value in closes])
    opens = array("q", range(START_MS, START_MS + count * step_ms, step_ms))
    volume = array("d", [1e6 + rng.random() for _ in closes])
    return Series(symbol, step_ms, Decimal("0.01"), opens, closes, highs, lows, closes, volume)


def account_of(symbols: list[str], units: int) -> State:
    """An account with its instruments and so much cash."""
    state = State()
    fold(
        state,
        "genesis",
        {"account": "a", "mode": "paper", "prefix": "abcdef", "quote": "USDT", "cash_digits": 8,
         "capital": "", "capital_units": units},
    )  # fmt: skip
    for symbol in symbols:
        base, quote = symbol.split("/")
        rules = (Decimal("0.01"), Decimal("0.001"), Decimal("0.002"), Decimal(9000), Decimal(5))
        listed = Instrument(symbol, base, quote, *rules, *FEES, active=True)
        fold(state, "instrument", instrument_row(listed))
    return state


def always(enter: int) -> Callable[[Any, Any], dict[str, Any]]:
    """A strategy file's function: the same on every bar, with a stop at 5 % of 100."""

    def signals(bars: Any, _numbers: Any) -> dict[str, Any]:
        rows = len(bars)
        return {"enter": [enter] * rows, "exit": [0] * rows, "stop": [5.0] * rows}

    return signals


def large_account() -> Snapshot:
    """Five strategies that want everything, on fifty instruments of which half are held."""
    symbols = [f"C{number:02}/USDT" for number in range(INSTRUMENTS)]
    rules = "".join(
        f"s{number}:\n  enter: close > 0\n  stop: 5%\n  timeframe: 1m\n"
        f"  size: {{method: equity_share, equity_share: 1%}}\n"
        for number in range(STRATEGIES)
    )
    parameters = parameters_of(symbols, rules, MANY)
    state = account_of(symbols, 10**7 * 10**8)
    closing = 40 * DAY_MS + START_MS
    whole = {symbol: bars_of(symbol, 200, 1) for symbol in symbols}
    shift = closing - whole[symbols[0]].open_ms[-1] - MINUTE_MS
    series: dict[tuple[str, str], Series] = {}
    for symbol, made in whole.items():
        opens = array("q", [at_ms + shift for at_ms in made.open_ms])
        moved = (opens, made.open, made.high, made.low, made.close, made.volume)
        series[symbol, "1m"] = Series(symbol, MINUTE_MS, made.tick, *moved)
        series[symbol, "1d"] = bars_of(symbol, 40, 2, DAY_MS)
    for number, symbol in enumerate(symbols[: INSTRUMENTS // 2]):
        hold(state, symbol, number, series[symbol, "1m"].close[-1])
    quotes = {
        symbol: CoreQuote(close - 1, close + 1, -1, -1, closing)
        for symbol in symbols
        for close in [series[symbol, "1m"].close[-1]]
    }
    codes = {
        spec.name: StrategyCode(lambda _: 0, always(1), spec.program)
        for spec in parameters.strategies
    }
    return Snapshot(
        closing - MINUTE_MS, closing, state, parameters, codes, series, quotes, latch="running"
    )


def hold(state: State, symbol: str, number: int, price_ticks: int) -> None:
    """A position of ten coins with a stop below it, bought long ago, of one strategy or another."""
    spec, at_ms = state.spec(symbol), START_MS
    client_id, strategy = f"{number:032x}", f"s{number % STRATEGIES}"
    row = {
        "client_id": client_id, "strategy": strategy, "symbol": symbol, "side": "buy",
        "tif": "ioc", "bar_ms": at_ms, "leg": 0, "attempt": 0, "price_ticks": price_ticks,
        "qty_lots": 10_000, "stop_ticks": price_ticks // 2, "target_ticks": 0, "trail_ticks": 0,
        "hold_ms": 0, "signal_ms": at_ms, "reason": "entry_signal",
    }  # fmt: skip
    fold(state, "order_planned", row)
    fold(state, "order_sent", {"client_id": client_id, "at_ms": at_ms})
    accepted = {"client_id": client_id, "at_ms": at_ms, "venue_id": "", "outcome": "accepted"}
    fold(state, "order_outcome", {**accepted, "code": "", "text": ""})
    cost = price_ticks * 10_000 * spec.notional_num // spec.notional_den
    fill = {
        "client_id": client_id, "symbol": symbol, "trade_id": client_id, "side": "buy",
        "price_ticks": price_ticks, "qty_lots": 10_000, "cost_units": cost, "fee_cash_units": 0,
        "fee_base_units": 0, "fee_asset": "", "fee": "", "maker": 0, "at_ms": at_ms,
    }  # fmt: skip
    fold(state, "fill", fill)


def back_test(bars: int) -> Callable[[], Told]:
    """A run of the reference back-test on one instrument, on which no gate says no."""
    symbol = "C00/USDT"
    rules = (
        "cross:\n  enter: crosses_above(sma(close, 5), sma(close, 20))\n"
        "  exit: sma(close, 5) <= sma(close, 20)\n  stop: 20%\n  timeframe: 1m\n"
        "  size: {method: equity_share, equity_share: 10%}\n"
    )
    parameters = parameters_of([symbol], rules, FEW)
    minutes = bars_of(symbol, bars, 3)
    series = {(symbol, "1m"): minutes, (symbol, "1d"): resample(minutes, DAY_MS)}
    codes = {
        spec.name: StrategyCode(lambda _: 0, always(0), spec.program)
        for spec in parameters.strategies
    }

    def run() -> Told:
        counts = {"fill": 0, "refused": 0}

        def record(kind: str, payload: Mapping[str, Any]) -> None:
            counts["fill"] += kind == "fill"
            counts["refused"] += len(payload["refused"]) if kind == "plan" else 0

        state = account_of([symbol], 10_000 * 10**8)
        simulation = Simulation(parameters, codes, series, state, Model(), record)
        simulation.run(START_MS, START_MS + bars * MINUTE_MS)
        return Told(counts["fill"], counts["refused"])

    return run
