"""Whole cycles on the paper venue: the real policy, strategies, journal and core; the market's data
is made up here (it stands for an exchange's public interface).

Prices walk at random by seed; each look at a quote moves it, so that some orders miss.
"""

from __future__ import annotations

import random
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from trader.app.context import PassSetup
from trader.app.cycle import CycleReport, run_cycle
from trader.app.ports import RawBar
from trader.domain.instrument import Instrument
from trader.domain.market import Quote
from trader.domain.timeframe import TIMEFRAMES_MS
from trader.journal.codec import Entry
from trader.journal.journal import Journal
from trader.venues.paper_venue import PaperVenue
from trader.wiring import SetupOptions, load_setup

from .kill_world import FakeClock, instrument

CONFIG = Path(__file__).parents[2] / "config"
START_MS = 1_700_006_400_000  # midnight UTC, 2023-11-15
MINUTE_MS = 60_000
SYMBOLS = ("BTC/USDT", "ETH/USDT")
D = Decimal
CENT = D("0.01")

STRATEGIES = """
cross:
  file: ma_cross.py
  instruments: universe
  timeframe: 1m
  size: {equity_share: 5%}
  parameters: {fast: 3, slow: 8, atr: 5, stop_atr: 1.0}
revert:
  file: mean_reversion.py
  instruments: [ETH/USDT]
  timeframe: 5m
  size: {equity_share: 4%}
"""


POLICY = """
limits:
  position: 10%
  exposure_max: 100%
  loss_max: 100%
  day_stop: 100%
  drawdown_max: 100%
  trades_per_hour_max: 1000
  trades_per_day_max: 1000
  collar_window: 100000%
  volume_share: 100000%
  var: {limit: 100%}
  rolling_loss: 100%
  strategy_drawdown: 1000%
cooldowns: {exit: 0s, exit_bars: 0, stop: 0s, unfilled: 0s}
"""


def write_config(folder: Path) -> Path:
    """The repository's policy with strategies and limits that let it trade often."""
    config = folder / "config"
    shutil.copytree(CONFIG, config)
    (config / "strategies.yaml").write_text(STRATEGIES)
    (config / "policy.yaml").write_text(POLICY)
    (config / "universe.yaml").write_text("tiers: {core: {pairs: [BTC/USDT, ETH/USDT]}}\n")
    return config


@dataclass
class MadeMarket:
    """Public data: bars by a seeded walk, quotes that move a little with each look."""

    clock: FakeClock
    seed: int = 5
    name: str = "made"
    repainted_ms: int = -1  # open time of a minute whose volume the venue changed afterwards
    _closes: dict[str, list[Decimal]] = field(default_factory=dict[str, list[Decimal]])
    _dice: dict[str, random.Random] = field(default_factory=dict[str, random.Random])
    _random: random.Random = field(default_factory=lambda: random.Random(1))
    _lock: Any = field(default_factory=threading.Lock)

    def _close(self, symbol: str, index: int) -> Decimal:
        """Close of the minute bar `index` minutes after 2,000 minutes before START_MS."""
        with self._lock:
            walk = self._closes.setdefault(symbol, [D(100)])
            dice = self._dice.setdefault(symbol, random.Random(f"{self.seed} {symbol}"))
            while len(walk) <= index:
                walk.append(max(D(20), walk[-1] + D(dice.randint(-30, 30)) * CENT))
            return walk[index]

    def _minute(self, symbol: str, open_ms: int) -> tuple[Decimal, ...]:
        index = (open_ms - START_MS) // MINUTE_MS + 2_000
        before, close = self._close(symbol, max(0, index - 1)), self._close(symbol, index)
        return before, max(before, close) + CENT, min(before, close) - CENT, close

    def fetch_instruments(self) -> dict[str, Instrument]:
        """Two instruments."""
        return {symbol: instrument(symbol) for symbol in SYMBOLS}

    def instruments_for(self, symbols: Sequence[str]) -> dict[str, Instrument]:
        """Of these, the known ones."""
        return {symbol: instrument(symbol) for symbol in symbols if symbol in SYMBOLS}

    def active_symbols(self) -> list[str]:
        """Both."""
        return sorted(SYMBOLS)

    def fetch_venue_ms(self) -> int:
        """The clock."""
        return self.clock.now_ms()

    def fetch_bars(
        self, symbol: str, timeframe: str, since_ms: int, limit: int
    ) -> Sequence[RawBar]:
        """Bars made of minutes, the open one last."""
        step_ms = TIMEFRAMES_MS[timeframe]
        first_ms = max(-(-since_ms // step_ms) * step_ms, START_MS - 1_990 * MINUTE_MS)
        found: list[RawBar] = []
        for open_ms in range(first_ms, self.clock.now_ms(), step_ms):
            if len(found) == limit:
                break
            minutes = [
                self._minute(symbol, at) for at in range(open_ms, open_ms + step_ms, MINUTE_MS)
            ]
            found.append(
                RawBar(
                    open_ms,
                    str(minutes[0][0]),
                    str(max(row[1] for row in minutes)),
                    str(min(row[2] for row in minutes)),
                    str(minutes[-1][3]),
                    "99" if self.repainted_ms in range(open_ms, open_ms + step_ms) else "12.5",
                )
            )
        return found

    def fetch_quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:
        """Around the newest close, up to 0.15 beside it."""
        now_ms = self.clock.now_ms()
        open_ms = now_ms // MINUTE_MS * MINUTE_MS - MINUTE_MS
        quotes: dict[str, Quote] = {}
        for symbol in symbols:
            middle = self._minute(symbol, open_ms)[3] + D(self._random.randint(-15, 15)) * CENT
            quotes[symbol] = Quote(symbol, now_ms, middle - CENT, middle + CENT, D(50), D(50))
        return quotes


@dataclass
class TrailWorld:
    """An account in paper mode, minute after minute."""

    folder: Path
    clock: FakeClock
    market: MadeMarket
    setup: PassSetup
    venue: PaperVenue

    @property
    def journal_path(self) -> Path:
        """The journal."""
        return self.folder / "journal.db"

    def reload(self, **env: str) -> None:
        """Take the policy again as it stands in the config folder, with overrides."""
        self.setup = load_pass(self.folder, self.clock, env)

    def run(self, cycles: int, *, again: bool = False) -> list[CycleReport]:
        """So many minutes with one cycle each (`again`: a second one in the same minute)."""
        reports: list[CycleReport] = []
        with Journal.open(self.journal_path, create=True) as journal:
            for _ in range(cycles):
                reports.append(run_cycle(self.setup, self.venue, journal))
                if again:
                    reports.append(run_cycle(self.setup, self.venue, journal))
                self.next_minute()
        return reports

    def next_minute(self) -> None:
        """Second 5 of the next minute."""
        self.clock.at_ms = self.clock.at_ms // MINUTE_MS * MINUTE_MS + 65_000


def load_pass(folder: Path, clock: FakeClock, env: dict[str, str]) -> PassSetup:
    """The pass as wiring builds it, on this clock."""
    overrides = {"TRADER__APP__CYCLE__ANCHOR_BARS": "16", **env}
    options = SetupOptions((str(folder / "config"),), str(folder), "", None, overrides, folder)
    return replace(
        load_setup(options).run, clock=clock, sleep=clock.sleep, status_path=folder / "status.json"
    )


def make_world(folder: Path) -> TrailWorld:
    """A fresh account with 10,000 USDT."""
    clock = FakeClock(START_MS + 5_000, tick_ms=3)
    market = MadeMarket(clock)
    write_config(folder)
    setup = load_pass(folder, clock, {})
    venue = PaperVenue(market, folder / "paper.json", clock.now_ms, {"USDT": "10000"})
    return TrailWorld(folder, clock, market, setup, venue)


def copy_journal(
    source: Path, target: Path, change: Callable[[Entry], list[tuple[str, dict[str, Any]]]]
) -> None:
    """A journal whose entries are what `change` makes of each: a whole chain, another history."""
    with (
        Journal.open(source, read_only=True) as old,
        Journal.open(target, create=True) as new,
        new.transaction() as tx,
    ):
        for entry in old.entries():
            if entry.kind == "blob":
                body = old.get_blob(entry.payload["sha"])
                tx.put_blob(entry.payload["kind"], body, entry.at_ms)
                continue
            for kind, payload in change(entry):
                tx.append(kind, payload, entry.at_ms)
