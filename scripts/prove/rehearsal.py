"""A rehearsal: the local exchange as a process of its own, and one account that trades on it.

Lives here: what the proofs that run whole cycles share: starting the exchange, a configuration for
a test account, passes in this process, and comparing journal and exchange books. Must not live
here: what any one proof claims.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from trader import wiring
from trader.domain.order import OrderState
from trader.exchange.client import AdminClient
from trader.journal.journal import Journal
from trader.ops.clock import TravelClock

ROOT = Path(__file__).resolve().parents[2]
REAL_DATA = ROOT.parent / "shared" / "data" / "real"
KEY, SECRET = "rehearsal-key", "rehearsal-secret"
MINUTE_MS = 60_000
# States of an order that the exchange must know about, exactly once.
ARRIVED = frozenset({OrderState.OPEN, OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED})

FLIPPER = '''"""A strategy for proofs: enters on every fourth minute, leaves two minutes later."""

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


@dataclass(frozen=True)
class Exchange:
    """A served exchange."""

    port: int
    process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def admin(self) -> AdminClient:
        """Its admin plane."""
        return AdminClient(self.port, "rehearsal-admin")


@contextmanager
def exchange(bars: Sequence[str], *options: str) -> Generator[Exchange]:
    """The local exchange in a process of its own until the block ends."""
    command = [sys.executable, "-c", "import sys; from trader.exchange.server import run; "]
    command[-1] += "sys.exit(run(sys.argv[1:]))"
    arguments = [part for bar in bars for part in ("--bars", bar)]
    secrets = ["--key", KEY, "--secret", SECRET, "--admin-token", "rehearsal-admin"]
    process = subprocess.Popen(
        [*command, *arguments, *secrets, *options],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the local exchange did not start")
        yield Exchange(int(json.loads(line)["port"]), process)
    finally:
        process.terminate()
        process.wait()


def environment(url: str, **overrides: str) -> dict[str, str]:
    """Variables of a testnet account at a local exchange; names like `APP__TIMEFRAME`."""
    return {
        "EXCHANGE_ADMIN_TOKEN": "rehearsal-admin",
        "TRADER_TESTNET_KEY": KEY,
        "TRADER_TESTNET_SECRET": SECRET,
        "TRADER__APP__MODE": "testnet",
        "TRADER__APP__EXCHANGE__BASE_URL": url,
        "TRADER__APP__CYCLE__SETTLE_MS": "0",
        **{f"TRADER__{name}": value for name, value in overrides.items()},
    }


# What a proof that trades every few minutes must not be held up by.
WIDE = """\
  exposure_max: 100%
  loss_max: 100%
  day_stop: 100%
  drawdown_max: 100%
  trades_per_hour_max: 1000
  trades_per_day_max: 1000
  collar_window: 100000%
  order_value_max: 1000000000
  spread_max: 100%
  volume_share: 100000%
  repaint_max: 1000%
  clock_skew_max: 1m
  var: {limit: 100%}
  rolling_loss: 100%
  strategy_drawdown: 1000%
  trim_from: 0
"""
SECTIONS = """\
cooldowns: {exit: 0s, exit_bars: 0, stop: 0s, unfilled: 0s}
messages: {per_second: 1000, per_minute: 10000, per_day: 1000000, reserve: 0%}
breaker: {faults: 0}
"""


def write_config(
    folder: Path, strategies: str, instruments: Sequence[str], limits: str, timeframe: str
) -> None:
    """Five files for a rehearsal account below `folder/config`."""
    config = folder / "config"
    (config / "strategies").mkdir(parents=True)
    (config / "strategies" / "flipper.py").write_text(FLIPPER)
    for name in ("ma_cross.py", "mean_reversion.py"):
        text = (ROOT / "config" / "strategies" / name).read_text()
        (config / "strategies" / name).write_text(text)
    pairs = ", ".join(instruments)
    (config / "app.yaml").write_text(f"account: rehearsal\ntimeframe: {timeframe}\n")
    (config / "policy.yaml").write_text(f"limits:\n{WIDE}{limits}{SECTIONS}")
    (config / "universe.yaml").write_text(f"tiers: {{core: {{pairs: [{pairs}]}}}}\n")
    (config / "signals.yaml").write_text("defaults:\n  ttl_bars: 1\n")
    (config / "strategies.yaml").write_text(strategies)


class HandClock:
    """A clock that is put forward by hand and runs on in between, like the exchange's."""

    def __init__(self) -> None:
        self._clock = TravelClock(0)

    def now_ms(self) -> int:
        """UTC epoch milliseconds."""
        return self._clock.now_ms()

    def jump(self, now_ms: int) -> None:
        """Show this time from now on."""
        self._clock = TravelClock(now_ms)


def load(folder: Path, env: Mapping[str, str], clock: HandClock) -> wiring.Setup:
    """The setup of the account in `folder`, on a clock of the proof's."""
    setup = wiring.load_setup(wiring.SetupOptions(env=dict(env), cwd=folder))
    return dataclasses.replace(setup, clock=clock, run=dataclasses.replace(setup.run, clock=clock))


def move(served: Exchange, clock: HandClock, now_ms: int) -> None:
    """Put both clocks to the same time; the exchange's runs on with wall time."""
    served.admin.set_clock(now_ms, rate="1")
    clock.jump(now_ms)


def compare_books(journal: Journal, books: Mapping[str, Any]) -> list[str]:
    """Every difference between the journal and the exchange's own books, to the last unit."""
    state = journal.state
    account = books["accounts"]["main"]
    unit = Decimal(1).scaleb(-state.number("cash_digits"))
    problems: list[str] = []

    def held(asset: str) -> Decimal:
        free, locked = account.get(asset, ["0", "0"])
        return Decimal(free) + Decimal(locked)

    if state.cash_units * unit != held(state.word("quote")):
        problems.append(f"cash {state.cash_units * unit} here, {held(state.word('quote'))} there")
    for symbol, position in state.positions.items():
        spec = state.spec(symbol)
        mine = position.qty_units * spec.base_unit
        if mine != held(spec.base):
            problems.append(f"{spec.base} {mine} here, {held(spec.base)} there")
    return problems + _compare_orders(journal, books) + _compare_fills(journal, books)


def _compare_orders(journal: Journal, books: Mapping[str, Any]) -> list[str]:
    there = Counter(str(order["client_id"]) for order in books["orders"])
    problems = [f"order {key} is {n} times there" for key, n in there.items() if n != 1]
    for row in journal.orders():
        client_id, order_state = str(row["client_id"]), OrderState(row["state"])
        if row["state"] in {"sending", "unknown", "planned", "open"}:
            problems.append(f"order {client_id} is still {order_state}")
        if (order_state in ARRIVED) != (client_id in there):
            problems.append(f"order {client_id} is {order_state} here, {there[client_id]}x there")
    known = {str(row["client_id"]) for row in journal.orders()}
    problems += [f"order {key} is not known here" for key in there if key not in known]
    return problems


def _compare_fills(journal: Journal, books: Mapping[str, Any]) -> list[str]:
    # Trade ids count per instrument, as on Binance.
    here = {
        (
            str(row["symbol"]).replace("/", ""),
            str(row["trade_id"]),
            str(row["side"]),
            _qty(journal, row),
        )
        for row in journal.fills()
    }
    there = {
        (
            str(trade["symbol"]),
            str(trade["trade_id"]),
            "buy" if trade["is_buyer"] else "sell",
            Decimal(trade["qty"]),
        )
        for trade in books["trades"]
    }
    problems = [f"fill {row} is not there" for row in sorted(here - there)]
    return problems + [f"fill {row} is not here" for row in sorted(there - here)]


def _qty(journal: Journal, row: Mapping[str, Any]) -> Decimal:
    return journal.state.spec(str(row["symbol"])).qty(int(row["qty_lots"]))
