"""Explain: one decision in words, with every number in the units of a human."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from trader.app.explain import EQUAL, Story, explain
from trader.app.units import Units, detail_text, percent_text, seconds_text, time_text
from trader.core.gates import GATES
from trader.domain.order import Side
from trader.errors import UsageError
from trader.journal.codec import Entry
from trader.journal.journal import Journal
from trader.journal.segments import close_segment

from .trail_world import START_MS, TrailWorld, copy_journal, make_world


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> TrailWorld:
    """An hour of cycles in which only one position may be held."""
    world = make_world(tmp_path_factory.mktemp("limited"))
    world.reload(TRADER__POLICY__LIMITS__POSITIONS_MAX="1")
    world.run(60)
    return world


def told(world: TrailWorld, cycle: int, path: Path | None = None) -> Story:
    """The story of one cycle."""
    with Journal.open(path or world.journal_path, read_only=True) as journal:
        return explain(journal, cycle)


def cycle_of_order(world: TrailWorld, **wanted: Any) -> tuple[int, dict[str, Any]]:
    """The cycle that planned the first order with these values, and the order."""
    with Journal.open(world.journal_path, read_only=True) as journal:
        for row in journal.orders():
            if all(row[name] == value for name, value in wanted.items()):
                (cycle,) = [c.cycle for c in journal.cycles() if c.bar_ms == row["bar_ms"]]
                return cycle, dict(row)
    raise AssertionError(f"no order with {wanted}")


def test_an_entry_is_told_from_what_was_seen_to_its_fill(limited: TrailWorld) -> None:
    cycle, order = cycle_of_order(limited, side="buy", state="filled")
    story = told(limited, cycle)
    text = "\n".join(story.lines)
    symbol, base = order["symbol"], order["symbol"].split("/")[0]
    price = f"{order['price_ticks'] / 100:.2f}".rstrip("0").rstrip(".")
    qty = f"{order['qty_lots'] / 10_000:.4f}".rstrip("0").rstrip(".")
    assert story.verdict == EQUAL
    assert f"{order['strategy']} on {symbol}: approved" in text
    assert f"price {price} USDT, qty {qty} {base}" in text
    assert f"order {order['client_id']}: buy {qty} {base} at {price} USDT or better, ioc" in text
    assert "gate CASH: passed, limit 10000 USDT, measured " in text
    assert " sent" in text
    assert "accepted by the venue, its id " in text
    assert f"  in the books today: filled, filled {qty} {base} of {qty} {base}" in story.lines
    assert "the cycle ended with exit code 0, OK (planned)" in story.lines


def test_every_gate_that_was_asked_is_told_in_order(limited: TrailWorld) -> None:
    for side, asked in (("buy", GATES), ("sell", [gate for gate in GATES if gate.for_exits])):
        cycle, order = cycle_of_order(limited, side=side, attempt=0)
        decisions = told(limited, cycle).decisions
        (row,) = [
            row
            for row in decisions
            if row["answer"] == "approved"
            and row["symbol"] == order["symbol"]
            and row["asked"]["side"] == str(Side(side))
        ]
        assert [gate["gate"] for gate in row["gates"]] == [gate.code for gate in asked]
        assert all(gate["ok"] for gate in row["gates"])


def test_an_exit_of_two_attempts_is_told_with_the_quote_between(lived: TrailWorld) -> None:
    cycle, order = cycle_of_order(lived, side="sell", attempt=1)
    story = told(lived, cycle)
    first, second = [o for o in story.orders if o.symbol == order["symbol"]]
    assert "attempt 1" in first.what
    assert "attempt 2" in second.what
    assert second.client_id == order["client_id"]
    words = [said for _, said in first.events]
    assert any(said == "the venue shows it expired" for said in words)
    assert words[-1].startswith("a fresh quote was read: bid ")
    assert second.events[0][1] == "planned: what was left, priced again"
    assert any(said.startswith("filled ") for _, said in second.events)


def test_a_refusal_names_the_gate_its_limit_and_what_was_measured(limited: TrailWorld) -> None:
    with Journal.open(limited.journal_path, read_only=True) as journal:
        refused = [
            entry.payload["bar_ms"]
            for entry in journal.entries(kinds=["plan"])
            if any(row[3] == "POSITIONS_MAX" for row in entry.payload["refused"])
        ]
        (cycle, *_) = [c.cycle for c in journal.cycles() if c.bar_ms in refused]
    text = "\n".join(told(limited, cycle).lines)
    assert ": POSITIONS_MAX - as many positions as allowed are open or being opened" in text
    assert "  gate POSITIONS_MAX: REFUSED, limit 1, measured 2" in text
    assert "because: POSITIONS_MAX" not in text


def test_a_quiet_strategy_says_what_it_saw(limited: TrailWorld) -> None:
    title = "cross on BTC/USDT: NO_SIGNAL - the strategy asks for nothing"
    stories = (told(limited, cycle) for cycle in range(1, 10))
    lines = next(story.lines for story in stories if title in story.lines)
    seen = lines[lines.index(title) + 1]
    assert seen.startswith("  seen: bar 2023-11-1")
    assert "Z, close " in seen
    assert "enter bar none, exit signal " in seen


def test_the_header_names_cycle_time_bar_policy_and_code(limited: TrailWorld) -> None:
    about = told(limited, 2).about
    assert about["cycle"] == 2
    assert about["bar"] == "2023-11-15 00:00Z"
    assert about["bar_ms"] == START_MS
    assert (about["account"], about["mode"]) == ("demo", "paper")
    assert about["policy"] == limited.setup.policy_sha[:12]
    assert about["code"] == limited.setup.code_sha[:12]


def test_the_data_form_holds_the_same_and_is_json(limited: TrailWorld) -> None:
    cycle, order = cycle_of_order(limited, side="buy", state="filled")
    row = told(limited, cycle).row()
    assert json.loads(json.dumps(row)) == row
    assert row["orders"][0]["client_id"] == order["client_id"]
    assert row["verdict"] == EQUAL
    assert row["market"][0]["symbol"] == "BTC/USDT"
    # Amounts are text: no float has a place in money.
    assert all(isinstance(value, str) for value in row["books"].values())


def test_missing_market_data_is_told_with_times(fresh: TrailWorld) -> None:
    fresh.run(2)
    fresh.market.fetch_bars = lambda *_: []  # type: ignore[method-assign] # the venue has no bars
    fresh.run(1)
    text = "\n".join(told(fresh, 3).lines)
    assert "cross on BTC/USDT: DATA_STALE - the newest closed bar" in text
    assert "because: DATA_STALE wanted=2023-11-15 00:01Z newest=2023-11-15 00:00Z" in text


def test_a_second_run_in_the_same_minute_says_whose_plan_it_resumed(fresh: TrailWorld) -> None:
    fresh.run(1, again=True)
    story = told(fresh, 2)
    assert story.decisions == []
    assert "the plan of this bar was made by cycle 1" in story.verdict
    assert "(resumed)" in story.end


def test_a_cycle_that_was_killed_is_told_as_far_as_it_came(
    fresh: TrailWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(BaseException):
        pass

    def die(_: Any) -> Any:
        raise Died

    monkeypatch.setattr(fresh.venue, "submit", die)
    with pytest.raises(Died):
        fresh.run(60)
    with Journal.open(fresh.journal_path, read_only=True) as journal:
        last = journal.last_cycle()
    assert last is not None
    story = told(fresh, last.cycle)
    assert "did not end" in story.end
    assert [said for _, said in story.orders[0].events] == ["sent"]
    assert story.orders[0].now.startswith("in the books today: sending, filled 0 ")


def test_a_decision_that_is_not_what_was_stored_says_so(
    limited: TrailWorld, tmp_path: Path
) -> None:
    cycle, _ = cycle_of_order(limited, side="buy", state="filled")
    with Journal.open(limited.journal_path, read_only=True) as journal:
        found = journal.cycle(cycle)
    assert found is not None

    def change(entry: Entry) -> list[tuple[str, dict[str, Any]]]:
        row = deepcopy(entry.payload)
        if entry.seq == found.plan_seq:
            row["legs"][0]["price_ticks"] += 1
        return [(entry.kind, row)]

    copy_journal(limited.journal_path, tmp_path / "journal.db", change)
    story = told(limited, cycle, tmp_path / "journal.db")
    assert "DIFFERENT, legs[0].price_ticks was" in story.verdict
    assert story.decisions


def test_inputs_that_are_gone_are_named_instead_of_a_story(
    limited: TrailWorld, tmp_path: Path
) -> None:
    def change(entry: Entry) -> list[tuple[str, dict[str, Any]]]:
        row = deepcopy(entry.payload)
        if entry.kind == "bars":
            row["rows"][-1][1] += 1
        return [(entry.kind, row)]

    copy_journal(limited.journal_path, tmp_path / "journal.db", change)
    story = told(limited, 9, tmp_path / "journal.db")
    assert "CANNOT be derived again: bars BTC/USDT" in story.verdict
    assert story.decisions == []


def test_a_cycle_that_is_not_there_is_a_usage_error(fresh: TrailWorld) -> None:
    fresh.run(2)
    with pytest.raises(UsageError, match=r"there is no cycle 9.*it holds cycles up to 2"):
        told(fresh, 9)
    close_segment(fresh.journal_path, fresh.clock.now_ms())
    with pytest.raises(UsageError, match="archived in a sealed segment"):
        told(fresh, 1)


def test_numbers_become_words_exactly(limited: TrailWorld) -> None:
    with Journal.open(limited.journal_path, read_only=True) as journal:
        units = Units(journal.state)
    symbol = "BTC/USDT"
    assert units.cash(1_234_567_890) == "12.3456789 USDT"
    assert units.price(symbol, 10_001) == "100.01 USDT"
    assert units.price(symbol, 0) == "none"
    assert units.qty(symbol, 15) == "0.0015 BTC"
    assert units.coins(symbol, 150_000) == "0.0015 BTC"
    assert units.price("NEW/USDT", 7) == "7 ticks"
    assert units.qty("NEW/USDT", 7) == "7 lots"
    assert units.coins("NEW/USDT", 7) == "7 units"
    assert percent_text(1_000) == "0.1 %"
    assert percent_text(250_000) == "25 %"
    assert seconds_text(1_500) == "1.5 s"
    assert seconds_text(-20) == "-0.02 s"
    assert time_text(START_MS) == "2023-11-15 00:00Z"
    assert time_text(START_MS + 5_250) == "2023-11-15 00:00:05.250Z"
    assert time_text(-1) == "none"
    assert detail_text("DATA_GAPPY limit_ppm=100000 missing_ppm=152541") == (
        "DATA_GAPPY limit=10 % missing=15.2541 %"
    )
