"""A world for whole cycles: the local exchange over loopback, the real venue, one account.

The bars are written by the test; both clocks are put by hand. Nothing of the program is replaced.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from trader import wiring
from trader.app.cycle import CycleReport, run_cycle
from trader.exchange.server import ExchangeConfig, RunningExchange
from trader.journal.journal import Journal
from trader.ops.clock import TravelClock

MINUTE_MS = 60_000
START_MS = 1_700_006_400_000  # midnight UTC, 2023-11-15: minute 0 of the files
RULES = {"tick": "0.01", "lot": "0.001", "min_notional": "5"}
LIMITS = {
    "slippage": "10bps",
    "exit_slippage": "300bps",
    "collar": "50%",
    "bar_jump_max": "90%",
    "exposure_max": "100%",
    "loss_max": "100%",
    "day_stop": "100%",
    "drawdown_max": "100%",
    "trades_per_hour_max": "1000",
    "trades_per_day_max": "1000",
    "collar_window": "100000%",
    "order_value_max": "1000000000",
    "spread_max": "100%",
    "volume_share": "100000%",
    "repaint_max": "1000%",
    "clock_skew_max": "1m",
    "var": "{limit: 100%}",
    "rolling_loss": "100%",
    "strategy_drawdown": "1000%",
    "trim_from": "0",
}
# A world trades every few minutes: nothing cools down, no message is too many, and a venue that
# fails is tried again at once.
SECTIONS = """\
cooldowns: {exit: 0s, exit_bars: 0, stop: 0s, unfilled: 0s}
messages: {per_second: 1000, per_minute: 10000, per_day: 1000000, reserve: 0%}
breaker: {faults: 0}
"""
# Enters in minutes that divide by four, leaves two minutes later.
FLIPPER = '''"""A strategy for tests."""

PARAMETERS = {"period": 4, "stop": 50.0}


def warmup(p):
    return 1


def signals(bars, p):
    turn = [(at // 60_000) % p["period"] for at in bars.open_ms]
    return {
        "enter": [int(t == 0) for t in turn],
        "exit": [int(t == 2) for t in turn],
        "stop": [p["stop"]] * len(turn),
    }
'''


class HandClock:
    """A clock that is put by hand and runs on in between, as the exchange's does."""

    def __init__(self) -> None:
        self._clock = TravelClock(0)

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def put(self, now_ms: int) -> None:
        self._clock = TravelClock(now_ms)


def write_bars(
    folder: Path,
    symbol: str = "BTCUSDT",
    *,
    minutes: int = 60,
    closes: dict[int, str] | None = None,
    holes: Sequence[int] = (),
) -> str:
    """Minute bars that stand at 100 but for `closes` (whole bars at that price); FILE=SYMBOL."""
    lines = ["timestamp_ms,open,high,low,close,volume"]
    for minute in range(minutes):
        if minute not in holes:
            price = (closes or {}).get(minute, "100")
            row = [price] * 4
            lines.append(",".join([str(START_MS + minute * MINUTE_MS), *row, "600"]))
    path = folder / f"{symbol}.csv"
    path.write_text("\n".join([*lines, ""]))
    return f"{path}={symbol}"


def exchange_config(*bars: str, **options: Any) -> ExchangeConfig:
    """An exchange that stands at minute 8 and runs with wall time."""
    names = [bar.rpartition("=")[2] for bar in bars]
    usual: dict[str, Any] = {
        "now_ms": START_MS + 8 * MINUTE_MS,
        "rate": "1",
        "instruments": dict.fromkeys(names, RULES),
        "fsync": False,
        **options,
    }
    return ExchangeConfig(bars=bars, **usual)


def write_config(
    folder: Path,
    instruments: Sequence[str],
    *,
    share: str = "20%",
    app: str = "",
    signals: str = "defaults:\n  ttl_bars: 1\n",
    **limits: str,
) -> None:
    """Five files for a test account below `folder/config`."""
    config = folder / "config"
    (config / "strategies").mkdir(parents=True, exist_ok=True)
    (config / "strategies" / "flipper.py").write_text(FLIPPER)
    pairs = ", ".join(instruments)
    count = len(instruments)
    wide = {**LIMITS, "position": f"{100 // count}%", "positions_max": str(count), **limits}
    rules = "".join(f"  {name}: {value}\n" for name, value in wide.items())
    strategies = (
        f"flipper:\n  file: flipper.py\n  timeframe: 1m\n  size:\n    equity_share: {share}\n"
    )
    files = {
        "app": f"account: tests\ntimeframe: 1m\n{app}",
        "policy": f"limits:\n{rules}{SECTIONS}",
        "universe": f"tiers: {{core: {{pairs: [{pairs}]}}}}\n",
        "signals": signals,
        "strategies": strategies,
    }
    for name, text in files.items():
        (config / f"{name}.yaml").write_text(text)


class World:
    """One account that trades at one exchange; every cycle opens venue and journal anew."""

    def __init__(self, folder: Path, served: RunningExchange, **env: str) -> None:
        self.folder = folder
        self.served = served
        self.admin = served.admin
        self.clock = HandClock()
        self.env = env
        self.minute = 0
        self.latch = "running"
        self.stopping = False
        self.at(8)

    def at(self, minute: int, second: int = 5) -> None:
        """Both clocks to so many seconds after the close of the bar that opened at `minute`."""
        self.minute = minute
        now_ms = START_MS + (minute + 1) * MINUTE_MS + second * 1_000
        self.admin.set_clock(now_ms, rate="1")
        self.clock.put(now_ms)

    def setup(self, **env: str) -> wiring.Setup:
        """Everything of the policy as it stands, on the clock of this world."""
        given = {
            "TRADER_TESTNET_KEY": "local-key",
            "TRADER_TESTNET_SECRET": "local-secret",
            "TRADER__APP__MODE": "testnet",
            "TRADER__APP__EXCHANGE__BASE_URL": self.served.base_url,
            "TRADER__APP__CYCLE__SETTLE_MS": "0",
            "TRADER__APP__CYCLE__ANCHOR_BARS": "4",
            **{f"TRADER__{name}": value for name, value in {**self.env, **env}.items()},
        }
        setup = wiring.load_setup(wiring.SetupOptions(env=given, cwd=self.folder))
        run = dataclasses.replace(
            setup.run,
            clock=self.clock,
            latch_level=lambda: self.latch,
            stopping=lambda: self.stopping,
        )
        return dataclasses.replace(setup, clock=self.clock, run=run)

    def cycle(self, minute: int | None = None, **env: str) -> CycleReport:
        """One cycle, after the bar of `minute` when it is given."""
        if minute is not None:
            self.at(minute)
        setup = self.setup(**env)
        venue = wiring.open_venue(setup)
        try:
            with wiring.open_journal(setup, create=True) as journal:
                return run_cycle(setup.run, venue, journal)
        finally:
            close = getattr(venue, "close", None)
            if close is not None:
                close()

    def journal(self) -> Journal:
        """The journal, for reading."""
        return wiring.open_journal(self.setup(), read_only=True)

    def kinds(self) -> Counter[str]:
        """How many entries of each kind the journal holds."""
        with self.journal() as journal:
            return Counter(entry.kind for entry in journal.entries())

    def payloads(self, kind: str) -> list[dict[str, Any]]:
        """Payloads of every entry of a kind, oldest first."""
        with self.journal() as journal:
            return [dict(e.payload) for e in journal.entries() if e.kind == kind]

    def orders(self) -> list[dict[str, Any]]:
        """Every order of the journal as a row, oldest first."""
        with self.journal() as journal:
            return [dict(row) for row in journal.orders()]

    def states(self) -> list[str]:
        return [str(row["state"]) for row in self.orders()]

    def held(self, symbol: str = "BTC/USDT") -> Decimal:
        """Coins of the instrument that the journal holds."""
        with self.journal() as journal:
            position = journal.state.positions.get(symbol)
            if position is None:
                return Decimal(0)
            return position.qty_units * journal.state.spec(symbol).base_unit

    def posts(self) -> list[str]:
        """Client ids of the orders that reached the exchange, in order."""
        return [
            row.get("client_id", "")
            for row in self.admin.requests()["log"]
            if row["method"] == "POST" and row["path"] == "/api/v3/order"
        ]

    def differences(self, never_arrived: Collection[str] = ()) -> list[str]:
        """Where journal and exchange disagree, to the last unit; empty when the books are equal.

        Every order of the journal must be there exactly once, but for those in these states.
        """
        books = self.admin.books()
        account = books["accounts"]["main"]
        found: list[str] = []
        with self.journal() as journal:
            state = journal.state
            pairs = {
                (
                    state.word("quote"),
                    Decimal(state.cash_units).scaleb(-state.number("cash_digits")),
                )
            }
            for symbol, position in state.positions.items():
                spec = state.spec(symbol)
                pairs.add((spec.base, position.qty_units * spec.base_unit))
            for asset, mine in sorted(pairs):
                free, locked = account.get(asset, ["0", "0"])
                if mine != Decimal(free) + Decimal(locked):
                    found.append(f"{asset}: {mine} here, {free} + {locked} there")
            here = sorted((str(row["trade_id"]), str(row["side"])) for row in journal.fills())
            rows = journal.orders()
        mine_ids = {str(r["client_id"]) for r in rows if r["state"] not in never_arrived}
        there = Counter(str(order["client_id"]) for order in books["orders"])
        found += [f"{key}: {there[key]} times there" for key in mine_ids if there[key] != 1]
        traded = sorted(
            (str(t["trade_id"]), "buy" if t["is_buyer"] else "sell") for t in books["trades"]
        )
        if here != traded:
            found.append(f"fills {here} here, {traded} there")
        return found
