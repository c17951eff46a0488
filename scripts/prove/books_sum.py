#!/usr/bin/env python3
"""Claim: strategies that compete for the same instruments never own one twice, and books sum up.

Four strategies, each on every instrument, whole cycles over real ccxt against the local exchange on
hourly bars of early 2018: real ones where they lie beside the checkout, made ones for the rest.
Some answers to orders are lost, so that outcomes are unknown. After each cycle the fills and orders
of the journal alone say who owns what (counted here again, in Decimal, by none of the core's
rules): at most one strategy per instrument, no purchase into another's position, and the books,
holdings and positions of the program are the same to the last unit; every fifty cycles so are the
exchange's own.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Any

import rehearsal
from harness import Verdict, parser_of, prove, say

from trader import wiring
from trader.app.cycle import run_cycle
from trader.journal.journal import Journal

HOUR_MS = 3_600_000
START_MS = int(datetime(2018, 1, 3, tzinfo=UTC).timestamp() * 1000)
WARM_BARS = 60
SETTLE_MS = 5_000
BTC_HOURS = "binance_btcusdt_1h_2017-08_2024-04.csv.gz"
ETH_MINUTES = "bitfinex_ethusd_1m_2018.csv.gz"
SYMBOLS = ("BTC/USDT", "ETH/USDT", "LTC/USDT", "XRP/USDT")
HEADER = ["timestamp_ms", "open", "high", "low", "close", "volume"]
LIMITS = "  position: 25%\n  positions_max: 4\n  pyramiding: true\n  slippage: 50bps\n"
HUNTER = '''"""A strategy for proofs: enters and leaves by the hour, stop, target and trail."""

PARAMETERS = {"period": 7, "offset": 0, "stay": 4, "stop": 0.01, "target": 0.02, "trail": 0.015}


def warmup(p):
    return 1


def signals(bars, p):
    turn = [(at // 3_600_000 + p["offset"]) % p["period"] for at in bars.open_ms]
    return {
        "enter": [int(t == 0 or t == 1) for t in turn],
        "exit": [int(t == p["stay"]) for t in turn],
        "stop": [p["stop"] * close for close in bars.close],
        "target": [p["target"] * close for close in bars.close],
        "trail": [p["trail"] * close for close in bars.close],
    }
'''
STRATEGY = """{name}:
  file: hunter.py
  timeframe: 1h
  priority: {priority}
  max_hold: {hold}h
  pyramiding: {adds}
  size:
    equity_share: 11%
  parameters:
    period: {period}
    offset: {offset}
    stay: {stay}
"""
# name, priority, longest hold, adds, period, offset, stay
HUNTERS = (
    ("ada", 20, 9, "false", 7, 0, 5),
    ("bob", 10, 4, "false", 11, 3, 8),
    ("cyd", 20, 30, "true", 5, 1, 4),
    ("dot", 30, 6, "false", 3, 2, 2),
)
MINE = ("cash", "fees", "realised")
WORKING = """SELECT symbol, strategy FROM orders WHERE venue_lots > filled_lots
OR state IN ('planned', 'sending', 'unknown', 'open')"""
NEW_FILLS = """SELECT fills.*, orders.strategy FROM fills JOIN orders USING (client_id)
WHERE fills.seq > ? ORDER BY fills.seq"""


@dataclass
class Ledger:
    """The books counted again, from fills and orders alone, in Decimal.

    Attributes:
        held, cost: coins and what was paid for them, by (strategy, symbol).
        sums: by strategy, its cash flow, fees and realised result; fills: how many.
        owner: by symbol, who held enough to sell after the newest fill. passed: changes of it.
    """

    unit: Decimal
    seq: int = 0
    held: dict[tuple[str, str], Decimal] = field(default_factory=dict[tuple[str, str], Decimal])
    cost: dict[tuple[str, str], Decimal] = field(default_factory=dict[tuple[str, str], Decimal])
    sums: dict[str, dict[str, Decimal]] = field(default_factory=dict[str, dict[str, Decimal]])
    fills: Counter[str] = field(default_factory=Counter[str])
    owner: dict[str, str] = field(default_factory=dict[str, str])
    passed: int = 0
    problems: list[str] = field(default_factory=list[str])

    def read(self, journal: Journal) -> None:
        """Take the fills that are new."""
        names = [row[1] for row in journal.rows("PRAGMA table_info(fills)")]
        for values in journal.rows(NEW_FILLS, (self.seq,)):
            row = dict(zip([*names, "strategy"], values, strict=True))
            self.seq = max(self.seq, int(row["seq"]))
            self._take(journal, row)

    def _take(self, journal: Journal, row: dict[str, Any]) -> None:
        symbol, name = str(row["symbol"]), str(row["strategy"])
        scale, key = journal.state.spec(symbol), (name, symbol)
        coins = int(row["qty_lots"]) * scale.lot
        coin_fee = int(row["fee_base_units"]) * scale.base_unit
        value, fee = int(row["cost_units"]) * self.unit, int(row["fee_cash_units"]) * self.unit
        for kept in (self.held, self.cost):
            kept.setdefault(key, Decimal(0))
        sums = self.sums.setdefault(name, dict.fromkeys(MINE, Decimal(0)))
        self.fills[name] += 1
        sums["fees"] += fee
        if row["side"] == "buy":
            others = self.holders(journal, symbol) - {name}
            if others:
                self.problems.append(f"{name} bought {symbol} that {sorted(others)} owned")
            sums["cash"] -= value + fee
            self.held[key] += coins - coin_fee
            self.cost[key] += value + fee
            if self.owner.get(symbol, name) != name:
                self.passed += 1
            self.owner[symbol] = name
            return
        gone = coins + coin_fee
        if gone > self.held[key]:
            self.problems.append(f"{name} sold {gone} {symbol} of its {self.held[key]}")
            return
        part = self.cost[key] * gone / self.held[key]
        part = (part / self.unit).to_integral_value(ROUND_CEILING) * self.unit
        sums["cash"] += value - fee
        sums["realised"] += value - fee - part
        self.held[key] -= gone
        self.cost[key] -= part

    def holders(self, journal: Journal, symbol: str) -> set[str]:
        """Strategies that hold enough of an instrument to sell it."""
        rules = journal.state.instruments[symbol]
        lot, least = Decimal(str(rules["lot"])), Decimal(str(rules["qty_min"]))
        return {
            name
            for (name, held), coins in self.held.items()
            if held == symbol and coins // lot * lot >= max(lot, least)
        }

    def compare(self, journal: Journal) -> list[str]:
        """Everything in which the program's books differ from these."""
        problems = [*self.problems, *self._owners(journal)]
        self.problems.clear()
        for name, sums in self.sums.items():
            cash, fees, realised, fills = journal.rows(
                "SELECT cash_units, fees_units, realised_units, fills FROM books "
                "WHERE strategy = ?",
                (name,),
            )[0]
            theirs = [cash * self.unit, fees * self.unit, realised * self.unit]
            if theirs != list(sums.values()) or fills != self.fills[name]:
                problems.append(f"book of {name} is {theirs}, by its fills {sums}")
        return [*problems, *self._sums(journal)]

    def _owners(self, journal: Journal) -> Iterator[str]:
        orders = journal.rows(WORKING)
        kept = dict(journal.rows("SELECT symbol, strategy FROM positions"))
        for symbol in SYMBOLS:
            holders = self.holders(journal, symbol)
            found = holders | {name for of, name in orders if of == symbol}
            if len(found) > 1:
                yield f"{symbol} is owned by {sorted(found)}"
            if kept.get(symbol, "") != "".join(holders):
                yield f"{symbol} is {kept.get(symbol)}'s, by its fills {sorted(holders)}'s"

    def _sums(self, journal: Journal) -> Iterator[str]:
        state = journal.state
        flow = sum((sums["cash"] for sums in self.sums.values()), Decimal(0))
        grown = (state.cash_units - state.number("capital_units")) * self.unit
        if flow != grown:
            yield f"books sum to {flow}, the account's cash grew by {grown}"
        for symbol, units in journal.rows("SELECT symbol, qty_units FROM positions"):
            mine = sum(coins for (_, of), coins in self.held.items() if of == symbol)
            if mine != units * state.spec(symbol).base_unit:
                yield f"{symbol}: {units} units are held, by the fills {mine}"
        for key, units in journal.rows("SELECT key, qty_units FROM holdings"):
            name, _, symbol = key.partition("|")
            mine = self.held.get((name, symbol), Decimal(0))
            if mine != units * state.spec(symbol).base_unit:
                yield f"{key}: {units} units are held, by its fills {mine}"


def hours_of(path: Path, hours: int) -> list[list[str]]:
    """Hourly rows from START_MS on; minutes are put together as the hours they make."""
    rows: list[list[str]] = []
    with gzip.open(path, "rt", newline="") as stream:
        for at, open_, high, low, close, volume in list_after_header(stream):
            hour = at // HOUR_MS * HOUR_MS
            if hour < START_MS:
                continue
            if hour >= START_MS + hours * HOUR_MS:
                break
            if rows and rows[-1][0] == str(hour):
                last = rows[-1]
                highest, lowest = max(Decimal(last[2]), high), min(Decimal(last[3]), low)
                traded = Decimal(last[5]) + volume
                rows[-1] = [last[0], last[1], *map(str, (highest, lowest, close, traded))]
            else:
                rows.append([str(hour), *map(str, (open_, high, low, close, volume))])
    return rows


def list_after_header(stream: Any) -> Iterator[tuple[Any, ...]]:
    """(timestamp_ms, open, high, low, close, volume) of a CSV with a header of these names."""
    for row in csv.DictReader(stream):
        at = row.get("timestamp_ms") or row["timestamp"]
        yield (int(at), *(Decimal(row[name]) for name in HEADER[1:]))


def made_hours(price: int, seed: str, hours: int) -> list[list[str]]:
    """A walk in hundredths: seeded, integers only."""
    chance = random.Random(seed)
    rows: list[list[str]] = []
    for number in range(hours):
        open_, path = price, [price]
        for _ in range(6):
            price = max(100, price + chance.randrange(-price // 120, price // 120 + 1))
            path.append(price)
        shown = (f"{x // 100}.{x % 100:02d}" for x in (open_, max(path), min(path), price))
        rows.append([str(START_MS + number * HOUR_MS), *shown, "5000"])
    return rows


def write_data(folder: Path, seed: int, hours: int) -> tuple[list[str], list[str]]:
    """FILE=SYMBOL for the exchange, and where each instrument's bars come from."""
    real = {SYMBOLS[0]: BTC_HOURS, SYMBOLS[1]: ETH_MINUTES}
    start = {SYMBOLS[0]: 1_500_000, SYMBOLS[1]: 80_000, SYMBOLS[2]: 25_000, SYMBOLS[3]: 20_000}
    specs: list[str] = []
    told: list[str] = []
    for symbol in SYMBOLS:
        path = rehearsal.REAL_DATA / real.get(symbol, "none")
        if path.is_file():
            rows = hours_of(path, hours)
            told.append(f"{symbol} real ({real[symbol]})")
        else:
            rows = made_hours(start[symbol], f"{seed} {symbol}", hours)
            told.append(f"{symbol} made")
        name = symbol.replace("/", "")
        place = folder / f"{name}.csv"
        with place.open("w", newline="") as stream:
            csv.writer(stream).writerows([HEADER, *rows])
        specs.append(f"{place}={name}")
    return specs, told


def write_account(folder: Path) -> None:
    """The five files, and the one strategy file that all four share."""
    names = ("name", "priority", "hold", "adds", "period", "offset", "stay")
    text = "".join(STRATEGY.format(**dict(zip(names, row, strict=True))) for row in HUNTERS)
    rehearsal.write_config(folder, text, SYMBOLS, LIMITS, "1h")
    (folder / "config" / "strategies" / "hunter.py").write_text(HUNTER)


@dataclass
class Course:
    """What happened on the way."""

    cycles: int = 0
    codes: Counter[int] = field(default_factory=Counter[int])
    problems: list[str] = field(default_factory=list[str])
    passed: int = 0


def run_cycles(
    folder: Path, served: rehearsal.Exchange, cycles: int, chance: random.Random
) -> Course:
    """Cycle after cycle, each looked at when it has ended."""
    clock = rehearsal.HandClock()
    setup = rehearsal.load(folder, rehearsal.environment(served.url), clock)
    venue = wiring.open_venue(setup)
    course = Course()
    ledger: Ledger | None = None
    for number in range(cycles):
        now_ms = START_MS + (WARM_BARS + number) * HOUR_MS + SETTLE_MS
        rehearsal.move(served, clock, now_ms)
        if chance.randrange(9) == 0:
            lost = chance.choice(("drop_after", "drop_before"))
            fault = {"method": "POST", "path": "/api/v3/order", "action": lost, "times": 1}
            served.admin.faults([fault])
        with wiring.open_journal(setup, create=True) as journal:
            code = int(run_cycle(setup.run, venue, journal).code)
            digits = journal.state.number("cash_digits")
            ledger = ledger or Ledger(Decimal(1).scaleb(-digits))
            ledger.read(journal)
            found = ledger.compare(journal)
            if number % 50 == 49 and code == 0:
                found += rehearsal.compare_books(journal, served.admin.books())
        course.cycles += 1
        course.codes[code] += 1
        course.passed = ledger.passed
        course.problems += [f"cycle {number + 1}: {problem}" for problem in found]
        if code not in {0, 6}:
            course.problems.append(f"cycle {number + 1} ended with {code}")
        if number % 100 == 99:
            say(f"{number + 1} cycles, {sum(ledger.fills.values())} fills")
    return course


def figures_of(folder: Path, url: str) -> dict[str, Any]:
    """What the run was made of: proof that there was something to compete for."""
    setup = rehearsal.load(folder, rehearsal.environment(url), rehearsal.HandClock())
    with wiring.open_journal(setup, read_only=True) as journal:
        refused: Counter[str] = Counter()
        ratchets = 0
        for entry in journal.entries(kinds=("plan",)):
            refused.update(row[3] for row in entry.payload["refused"])
            ratchets += len(entry.payload.get("stops", {}))
        sold = "SELECT reason, count(*) FROM orders WHERE side = 'sell' AND filled_lots > 0"
        return {
            "fills": dict(journal.rows("SELECT strategy, fills FROM books ORDER BY 1")),
            "exits": dict(journal.rows(f"{sold} GROUP BY reason ORDER BY 1")),
            "owned_by_other": refused["OWNED_BY_OTHER"],
            "ratchets": ratchets,
            "dust": sum(
                0 < h.qty_units < journal.state.spec(h.symbol).base_per_lot
                for h in journal.state.holdings.values()
            ),
        }


def judged(figures: dict[str, Any], fee_mode: str) -> Sequence[str]:
    """What is missing for the claim to mean anything."""
    wanted = ["owned_by_other", "ownership_passed", "ratchets"]
    wanted += ["dust"] if fee_mode == "received" else []
    lacking = [name for name in wanted if not figures[name]]
    lacking += [] if len(figures["fills"]) == len(HUNTERS) else ["fills of every strategy"]
    lacking += [] if len(figures["exits"]) > 3 else ["exits of four kinds"]
    return lacking


def one_account(folder: Path, seed: int, cycles: int, fee_mode: str) -> dict[str, Any]:
    """One account from its first cycle on; `fee_mode`: what a purchase pays its fee in."""
    folder.mkdir()
    specs, told = write_data(folder, seed, WARM_BARS + cycles + 5)
    say(f"fees {fee_mode}; bars: {', '.join(told)}")
    write_account(folder)
    options = ["--seed", str(seed), "--now", str(START_MS), "--no-fsync", "--fee-mode", fee_mode]
    with rehearsal.exchange(specs, *options) as served:
        course = run_cycles(folder, served, cycles, random.Random(f"{seed} {fee_mode}"))
        figures = figures_of(folder, served.url)
    figures["ownership_passed"] = course.passed
    lacking = judged(figures, fee_mode)
    for problem in [*course.problems[:20], *(f"nothing of: {name}" for name in lacking)]:
        say(f"PROBLEM {problem}")
    figures |= {"bars": told, "codes": {str(k): n for k, n in sorted(course.codes.items())}}
    figures["problems"] = len(course.problems) + len(lacking)
    return {**figures, "cycles": course.cycles}


def run(arguments: argparse.Namespace) -> Verdict:
    """The whole proof: fees of purchases taken in the coin, and in cash."""
    cycles = {"received": 50, "quote": 20} if arguments.quick else {"received": 850, "quote": 150}
    with tempfile.TemporaryDirectory() as scratch:
        found = {
            fee_mode: one_account(Path(scratch) / fee_mode, arguments.seed, count, fee_mode)
            for fee_mode, count in cycles.items()
        }
    done = {fee_mode: figures["cycles"] for fee_mode, figures in found.items()}
    problems = sum(figures["problems"] for figures in found.values())
    return Verdict(done == cycles and not problems, sum(done.values()), found)


if __name__ == "__main__":
    sys.exit(prove("books_sum", run, parser_of("books_sum", __doc__)))
