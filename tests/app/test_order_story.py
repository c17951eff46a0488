"""What became of an order, told in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from trader.app.order_story import order_stories
from trader.app.units import Units
from trader.journal.journal import Journal

from .kill_world import NOW_MS, OWN_ID, FakeClock, MemoryVenue, World

FILL = {
    "client_id": OWN_ID, "symbol": "BTC/USDT", "trade_id": "t1", "side": "buy",
    "price_ticks": 9_990, "qty_lots": 2_500, "cost_units": 2_497_500_000,
    "fee_cash_units": 2_497_500, "fee_base_units": 0, "fee_asset": "", "fee": "", "maker": 1,
    "at_ms": NOW_MS + 5,
}  # fmt: skip
SEEN = {"client_id": OWN_ID, "at_ms": NOW_MS + 5, "venue_lots": 0, "venue_id": "", "source": "x"}


def outcome(name: str, code: str, text: str) -> dict[str, Any]:
    """Payload of an order_outcome."""
    return {
        "client_id": OWN_ID, "at_ms": NOW_MS + 5, "outcome": name, "code": code, "text": text,
        "venue_id": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("begun", "kind", "payload", "words"),
    [
        (
            "sending", "order_outcome", outcome("rejected", "no_right", "key may not trade"),
            "rejected by the venue: no_right key may not trade",
        ),
        (
            "sending", "order_outcome", outcome("unknown", "timeout", ""),
            "outcome unknown: timeout",
        ),
        (
            "sending", "order_outcome", outcome("not_sent", "refused", "no connection"),
            "not sent: refused no connection",
        ),
        (
            "unknown", "order_seen", SEEN | {"state": "absent"},
            "the venue knows no such order, and its time is over: it never arrived",
        ),
        ("accepted", "order_seen", SEEN | {"state": "canceled"}, "the venue shows it canceled"),
        (
            "accepted", "fill", FILL,
            "filled 0.25 BTC at 99.9 USDT, value 24.975 USDT, fee 0.024975 USDT, maker",
        ),
        (
            "accepted", "fill",
            FILL | {"fee_cash_units": 0, "fee_base_units": 25_000, "maker": 0},
            "filled 0.25 BTC at 99.9 USDT, value 24.975 USDT, fee 0.00025 BTC, taker",
        ),
        (
            "accepted", "fill",
            FILL | {"fee_cash_units": 0, "fee_asset": "BNB", "fee": "0.0001"},
            "filled 0.25 BTC at 99.9 USDT, value 24.975 USDT, fee 0.0001 BNB, maker",
        ),
        (
            "accepted", "fill", FILL | {"fee_cash_units": 0},
            "filled 0.25 BTC at 99.9 USDT, value 24.975 USDT, fee none told, maker",
        ),
        (
            "accepted", "quote", {"symbol": "BTC/USDT", "quote": []},
            "a fresh quote was asked for, and there was none",
        ),
        (
            "accepted", "quote", {"symbol": "BTC/USDT", "quote": [9_990, 10_010, -1, -1, NOW_MS]},
            "a fresh quote was read: bid 99.9 USDT, ask 100.1 USDT",
        ),
    ],
)  # fmt: skip
def test_each_entry_of_an_order_has_its_words(
    tmp_path: Path, begun: str, kind: str, payload: dict[str, Any], words: str
) -> None:
    clock = FakeClock()
    world = World(tmp_path, clock, MemoryVenue(clock))
    world.write_books("BTC/USDT", begun)
    with Journal.open(world.journal_path) as journal:
        journal.append(kind, payload, NOW_MS + 5)
        planned = journal.plan_of(NOW_MS - 60_000)
        assert planned is not None
        seq = journal.plan_seq(NOW_MS - 60_000)
        (story,) = order_stories(journal, seq, planned, Units(journal.state))
    assert story.events[-1][1] == words
    assert story.what == "buy 1 BTC at 100 USDT or better, gtc, attempt 1"
    assert story.now.startswith("in the books today: ")


def test_an_intent_that_never_left_says_why(tmp_path: Path) -> None:
    clock = FakeClock()
    world = World(tmp_path, clock, MemoryVenue(clock))
    world.write_books("BTC/USDT")
    late = {
        "client_id": "abcdef" + "2" * 26, "strategy": "cross", "symbol": "BTC/USDT",
        "side": "buy", "tif": "ioc", "bar_ms": NOW_MS, "leg": 0, "attempt": 0,
        "price_ticks": 10_000, "qty_lots": 1, "stop_ticks": 0, "target_ticks": 0,
        "trail_ticks": 0, "hold_ms": 0, "signal_ms": 0, "reason": "x",
    }  # fmt: skip
    with Journal.open(world.journal_path) as journal:
        plan = {"bar_ms": NOW_MS, "legs": [late], "refused": [], "trail": ""}
        seq = journal.append("plan", plan, NOW_MS)
        gone = {"client_id": late["client_id"], "at_ms": NOW_MS + 9, "why": "older_bar"}
        journal.append("order_abandoned", gone, NOW_MS + 9)
        # What happened to the order of another plan is not told here.
        journal.append("quote", {"symbol": "ETH/USDT", "quote": []}, NOW_MS + 9)
        (story,) = order_stories(journal, seq, plan, Units(journal.state))
    assert [said for _, said in story.events] == ["abandoned before it left: older_bar"]
    assert story.now == "in the books today: abandoned, filled 0 BTC of 0.0001 BTC"
    assert story.row()["events"] == [
        {"at": "2023-11-14 22:13:20.009Z", "what": "abandoned before it left: older_bar"}
    ]
