"""Books as rows: what a person is shown of each strategy, worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.core.made import BTC, ETH, UNIT, account, hold, order_row, sent
from trader.app.book_rows import book_briefs, book_rows, flags_of, state_word
from trader.app.status import read_status
from trader.core.books import Book
from trader.core.fold import fold
from trader.core.state import State
from trader.journal.journal import Journal

from .test_status import write_books

FLAGS = {"one": (True, False), "two": (True, True), "idle": (False, False)}


def trading() -> State:
    """`one` holds 100 lots of BTC for 10 USDT; `two` sold its ETH with a loss of 2."""
    state = account()
    hold(state)
    hold(state, ETH, name="two")
    sent(state, order_row("s" * 32, strategy="two", symbol=ETH, side="sell", signal_ms=0))
    sold = {"client_id": "s" * 32, "symbol": ETH, "trade_id": "9", "side": "sell", "maker": 0}
    sums = {"price_ticks": 8_000, "qty_lots": 100, "cost_units": 8 * UNIT, "at_ms": 1}
    fees = {"fee_cash_units": UNIT // 10, "fee_base_units": 0, "fee_asset": "", "fee": ""}
    fold(state, "fill", {**sold, **sums, **fees})
    told = {"one": UNIT, "two": -2 * UNIT}
    fold(state, "plan", {"bar_ms": 1, "legs": [], "results": told, "off": [["two", "WHY x=1"]]})
    return state


def test_a_row_for_every_strategy_of_policy_and_books() -> None:
    rows = {row["strategy"]: row for row in book_rows(trading(), FLAGS, {BTC: 9_500})}
    assert list(rows) == ["idle", "one", "two"]
    one = rows["one"]
    assert (one["state"], one["positions"], one["fills"]) == ("on", [BTC], 1)
    assert (one["cash_flow"], one["open_result"], one["result"]) == ("-10", "-0.5", "-0.5")
    # Its highest result was 1: 1.5 below it now, deeper than any plan has told.
    assert (one["drawdown"], one["drawdown_max"]) == ("1.5", "1.5")
    two = rows["two"]
    assert (two["state"], two["off_why"], two["positions"]) == ("failed", "WHY x=1", [])
    assert (two["realised_result"], two["result"], two["fees"]) == ("-2.1", "-2.1", "0.1")
    assert (two["drawdown"], two["drawdown_max"]) == ("2.1", "2.1")
    assert rows["idle"]["state"] == "off"
    assert rows["idle"]["result"] == "0"


def test_what_has_no_price_counts_at_what_was_paid() -> None:
    (row,) = [r for r in book_rows(trading(), {}, {}) if r["strategy"] == "one"]
    assert (row["state"], row["open_result"], row["result"]) == ("gone", "0", "0")


def test_briefs_are_as_the_newest_plan_told_them() -> None:
    rows = {row["strategy"]: row for row in book_briefs(trading(), FLAGS)}
    assert [rows[name]["result"] for name in ("idle", "one", "two")] == ["0", "1", "-2"]
    assert rows["two"]["drawdown_max"] == "2"
    assert rows["one"]["positions"] == [BTC]


@pytest.mark.parametrize(
    ("flags", "why", "word"),
    [
        ((True, False), "", "on"),
        ((True, True), "", "shadow"),
        ((False, True), "", "off"),
        (None, "", "gone"),
        (None, "x", "failed"),
    ],
)
def test_one_word_says_what_a_strategy_may_do(
    flags: tuple[bool, bool] | None, why: str, word: str
) -> None:
    book = Book({"strategy": "one", "off_why": why})
    assert state_word(flags, book) == word


def test_one_word_says_that_a_strategy_was_stopped_or_only_watches() -> None:
    stopped = Book({"strategy": "one", "stopped": 1, "shadow_why": "x"})
    watching = Book({"strategy": "one", "shadow_why": "x"})
    assert state_word((True, False), stopped) == "stopped"
    assert state_word((True, False), watching) == "shadow"
    assert state_word((False, False), stopped) == "off"


def test_flags_come_from_the_policy_that_the_journal_keeps(tmp_path: Path) -> None:
    folder = tmp_path / "demo-paper"
    write_books(folder)
    (row,) = read_status(folder).row["strategies"]
    # Half a coin bought for 50 with a fee of 0.05, now worth 52.
    assert (row["strategy"], row["state"], row["open_result"]) == ("hand", "gone", "1.95")
    form = {"strategies": {"hand": {"enabled": True, "shadow": True}, "other": {}}}
    with Journal.open(folder / "journal.db") as journal, journal.transaction() as tx:
        sha = tx.put_blob("policy", json.dumps(form).encode(), 6)
        tx.append("policy", {"sha": sha, "source_sha": "", "strategies": {}}, 6)
    found = {row["strategy"]: row["state"] for row in read_status(folder).row["strategies"]}
    assert found == {"hand": "shadow", "other": "on"}
    assert flags_of({}) == {}
