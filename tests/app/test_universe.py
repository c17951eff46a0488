"""The universe in whole cycles: candidates of patterns listed, read, chosen, traded, replayed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.core.made import parameters as made_parameters
from trader.app import candidates
from trader.app.backtest import open_books
from trader.app.backtest_inputs import BacktestOptions, build_inputs
from trader.app.candidates import Candidates, bounded, cash_digits, read_candidates
from trader.app.explain import explain
from trader.app.replay import replay
from trader.app.universe_view import view_of_bars, view_of_journal
from trader.bars.load import load_bars
from trader.build import code_hash
from trader.core.parameters import Parameters, TierSpec, UniverseSpec
from trader.core.scale import cash_digits_for
from trader.core.simulate import Simulation
from trader.core.state import State
from trader.errors import UsageError, VenueUnavailable
from trader.exchange.server import serve_in_thread
from trader.journal.verify import has_errors, verify

from .kill_world import FakeClock, MemoryVenue, instrument
from .world import MINUTE_MS, START_MS, World, exchange_config, write_bars, write_config

KLINES = "/api/v3/klines"
# Prices; every minute trades 600 coins, so that the dearer one trades more value.
PRICES = {"BTC/USDT": "100", "ETH/USDT": "110", "SOL/USDT": "120", "XUP/USDT": "200"}
UNIVERSE = """
timeframe: 1m
refresh: 5m
deny: [".*UP/USDT"]
tiers:
  core:
    pairs: [BTC/USDT]
  rotational:
    pairs: [".*/USDT"]
    take: 1
    keep: 2
"""
STRATEGIES = """
flipper:
  file: flipper.py
  timeframe: 1m
  tier: rotational
  size: {equity_share: 20%}
"""


def write_files(folder: Path, prices: Mapping[str, str] = PRICES) -> list[str]:
    """Bars and the five files; the bars' FILE=SYMBOL."""
    write_config(folder, list(prices))
    (folder / "config" / "universe.yaml").write_text(UNIVERSE)
    (folder / "config" / "strategies.yaml").write_text(STRATEGIES)
    return [
        write_bars(folder, name.replace("/", ""), closes=dict.fromkeys(range(60), price))
        for name, price in prices.items()
    ]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Four instruments at the exchange; the policy names one of them."""
    with ExitStack() as stack:
        config = exchange_config(*write_files(tmp_path))
        yield World(tmp_path, stack.enter_context(serve_in_thread(config)))


def answers(report: Any) -> dict[str, str]:
    """By candidate of the rotational tier, the answer."""
    rows = report.plan.trail
    return {row.symbol: row.answer for row in rows if row.strategy == "universe:rotational"}


def test_a_pattern_finds_its_candidates_and_the_strategy_trades_who_is_chosen(world: World) -> None:
    chose = world.cycle(7)
    assert answers(chose) == {
        "ETH/USDT": "UNIVERSE_RANK limit=1 measured=2", "SOL/USDT": "MEMBER rank=1",
    }  # fmt: skip
    assert world.states() == []
    world.cycle(8)
    assert [(row["symbol"], row["side"]) for row in world.orders()] == [("SOL/USDT", "buy")]
    with world.journal() as journal:
        # What is denied by pattern is not even listed; what is named always is.
        assert sorted(journal.state.instruments) == ["BTC/USDT", "ETH/USDT", "SOL/USDT"]
        assert journal.state.members["rotational"].endswith(" SOL/USDT")


def test_candidates_are_read_once_a_refresh_and_members_every_minute(world: World) -> None:
    world.cycle(5)
    kept = {p["symbol"] for p in world.payloads("bars")}
    assert kept == {"ETH/USDT", "SOL/USDT"}
    entries = len(world.payloads("bars"))
    world.cycle(6)
    later = [p["symbol"] for p in world.payloads("bars")][entries:]
    assert later == ["SOL/USDT"]


def test_a_candidate_that_cannot_be_read_is_out_and_tried_again(world: World) -> None:
    world.admin.faults([{"path": KLINES, "contains": "symbol=SOLUSDT", "action": "html_502"}])
    first = answers(world.cycle(6))
    assert first["SOL/USDT"].startswith("UNIVERSE_DATA why=DATA_STALE read=")
    assert first["ETH/USDT"] == "MEMBER rank=1"
    world.admin.clear_faults()
    again = answers(world.cycle(7))
    # ETH is second now, and was in: it stays.
    assert again == {"ETH/USDT": "MEMBER rank=2", "SOL/USDT": "MEMBER rank=1"}


def test_a_second_look_asks_only_for_the_bars_that_are_missing(tmp_path: Path) -> None:
    bars = write_files(tmp_path, {**PRICES, "LTC/USDT": "90"})
    slower = UNIVERSE.replace("timeframe: 1m", "timeframe: 5m")
    (tmp_path / "config" / "universe.yaml").write_text(slower)
    with serve_in_thread(exchange_config(*bars)) as served:
        world = World(tmp_path, served)
        world.admin.faults([{"path": KLINES, "contains": "symbol=SOLUSDT", "action": "html_502"}])
        world.cycle(6)
        world.admin.clear_faults()
        world.admin.clear_requests()
        later = world.cycle(7)
        assert answers(later)["LTC/USDT"] == "UNIVERSE_RANK limit=1 measured=3"
        asked = [str(row) for row in world.admin.requests()["log"] if "klines" in str(row)]
        assert any("SOLUSDT" in row for row in asked), asked
        assert not any("LTCUSDT" in row for row in asked), asked


def test_members_and_regime_are_derived_again_from_the_journal(world: World) -> None:
    for minute in range(7, 13):
        world.cycle(minute)
    with world.journal() as journal:
        report = replay(journal, code_hash())
        lines = explain(journal, 1).lines
        path = journal.path
    # The projections, members among them, are what the entries fold to.
    assert not has_errors(verify(path))
    assert report.proven, report.row()
    assert report.plans == 6
    assert any("universe:rotational on SOL/USDT: MEMBER" in line for line in lines)
    assert any("UNIVERSE_RANK - others rank higher" in line for line in lines)


def fitted(world: World) -> Any:
    """The back-test's inputs of the same policy and bar files."""
    run = world.setup().run
    files = {
        name: load_bars(world.folder / f"{name.replace('/', '')}.csv", symbol=name)
        for name in PRICES
    }
    return build_inputs(run.parameters, run.codes, files, BacktestOptions(cash=Decimal(10_000)))


def test_a_back_test_chooses_the_members_that_the_cycles_chose(world: World) -> None:
    for minute in range(7, 13):
        world.cycle(minute)
    cycles = [dict(plan.get("members", {})) for plan in world.payloads("plan")]
    assert sum(map(bool, cycles)) == 2  # the first, and that of the refresh at minute 10
    inputs = fitted(world)
    chosen: list[dict[str, str]] = []

    def record(kind: str, payload: Mapping[str, Any]) -> None:
        if kind == "plan":
            chosen.append(dict(payload.get("members", {})))

    alone = replace(inputs.parameters, strategies=())
    run = Simulation(alone, {}, inputs.series, open_books(inputs), inputs.model, record)
    for minute in range(7, 13):
        run.decide_and_execute(START_MS + minute * MINUTE_MS)
    assert chosen == cycles


def test_what_is_shown_is_what_was_decided_in_the_journal_and_over_the_bars(world: World) -> None:
    for minute in (7, 8, 9):
        world.cycle(minute)
    with world.journal() as journal:
        shown = view_of_journal(journal, None)
        assert view_of_journal(journal, START_MS + 9 * MINUTE_MS)["at_ms"] < shown["at_ms"]
        with pytest.raises(UsageError, match="holds no decision at or before 2023"):
            view_of_journal(journal, START_MS)
    core, rotational = shown["tiers"]
    assert core["members"] == ["BTC/USDT"]
    assert (rotational["members"], rotational["open"]) == (["SOL/USDT"], True)
    assert rotational["chosen"] == "2023-11-15 00:10Z"
    first, second = rotational["candidates"]
    assert (first["symbol"], first["member"], first["seen"]["rank"]) == ("SOL/USDT", True, 1)
    # Ten minutes of 600 coins at 120.
    assert first["seen"]["quote_volume"] == "720000.0"
    assert (second["answer"], second["detail"]) == ("UNIVERSE_RANK", "limit=1 measured=2")
    assert shown["regime"] is None
    over_bars = view_of_bars(fitted(world), START_MS + 8 * MINUTE_MS)
    again = over_bars["tiers"][1]
    assert again["members"] == ["SOL/USDT"]
    assert {row["symbol"]: row["answer"] for row in again["candidates"]} == {
        "ETH/USDT": "UNIVERSE_RANK", "SOL/USDT": "MEMBER", "XUP/USDT": "UNIVERSE_DENIED",
    }  # fmt: skip


# --- patterns ------------------------------------------------------------------------------------


def rules(*pairs: str) -> Parameters:
    tiers = (TierSpec("core", pairs),)
    return replace(made_parameters(), universe=UniverseSpec(tiers=tiers))


def test_a_pattern_that_stands_for_too_many_is_refused_by_name_and_the_others_are_not(
    monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    monkeypatch.setattr(candidates, "CANDIDATES_MAX", 2)
    listed = ["AA/USDT", "AB/USDT", "BA/USDT", "BB/BTC"]
    found = bounded(rules("A.*/USDT", ".*/USDT"), ["A.*/USDT", ".*/USDT"], listed)
    assert found == (
        ["AA/USDT", "AB/USDT"], {".*/USDT": "UNIVERSE_MANY limit=2 measured=3"},
    )  # fmt: skip
    monkeypatch.setattr(candidates, "CANDIDATES_MAX", 1)
    report = world.cycle(8)
    assert answers(report) == {".*/USDT": "UNIVERSE_MANY limit=1 measured=2"}


def test_a_listing_that_cannot_be_read_excludes_only_what_patterns_stand_for() -> None:
    def unwell(name: str, _what: Any) -> None:
        raise VenueUnavailable(f"{name}: no answer")

    venue = MemoryVenue(FakeClock(), fault=unwell)
    found = read_candidates(rules("BTC/USDT", ".*/USDT"), venue, State(), 60_000)
    assert found.troubles == {".*/USDT": "UNIVERSE_UNLISTED read=VENUE_DOWN"}
    assert not found.instruments
    assert read_candidates(rules("BTC/USDT"), venue, State(), 60_000) == Candidates()


def test_an_instrument_that_the_books_cannot_hold_does_not_shrink_the_cash_unit() -> None:
    fine = replace(instrument("FINE/USDT"), tick=Decimal("1E-9"), lot=Decimal("1E-8"))
    usual = instrument("BTC/USDT")
    both = Candidates({"FINE/USDT": fine}, read=True)
    assert cash_digits([usual], both, Decimal(10**8)) == cash_digits_for([usual], Decimal(10**8))
    finer = replace(usual, tick=Decimal("0.00001"), lot=Decimal("0.0001"))
    some = Candidates({"BTC/USDT": finer}, read=True)
    assert cash_digits([usual], some, Decimal(10**6)) == 9
