"""Projections: what the tables hold is what the entries make, no more and no less."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from made_journal import made_journal

from trader.core.fold import FoldError
from trader.core.state import Order
from trader.errors import JournalError
from trader.journal import Journal
from trader.journal.folding import load_state
from trader.journal.rebuild import fold_all, rebuild, repair
from trader.journal.schema import LIVE_ORDERS, ORDERS, STATE_TABLES, TABLES
from trader.journal.verify import verify

from .test_transactions import plain


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize("seed", range(6))
def test_the_state_loaded_cold_is_the_state_folded_from_all_entries(path: Path, seed: int) -> None:
    with made_journal(path, 12, seed) as maker:
        warm = plain(maker.journal.state)
        with closing(sqlite3.connect(path)) as connection:
            cold = plain(load_state(connection))
            fresh, folded = fold_all(connection, path)
            fresh.close()
    for other in (cold, plain(folded)):
        # Tables are read in key order; a dict of single values has no order of meaning.
        assert other == warm
    assert rebuild(path) == []


def test_columns_are_those_of_the_cores_rows(made: Path) -> None:
    with Journal.open(made, read_only=True) as journal:
        state = journal.state
        for name, key in (("positions", "BTC/USDT"), ("instruments", "BTC/USDT")):
            row = state.row(name, key)
            assert row is not None
            assert sorted(row) == sorted(STATE_TABLES[name].names)
        order = next(iter(journal.orders()))
    assert sorted(order) == sorted(ORDERS.names[:-2])
    assert sorted(Order(order).row()) == sorted(order)


def test_a_person_can_read_the_tables(made: Path) -> None:
    with closing(sqlite3.connect(made)) as connection:
        types = connection.execute(
            "SELECT DISTINCT typeof(symbol), typeof(qty_lots), typeof(state) FROM orders"
        ).fetchall()
    assert types == [("text", "integer", "text")]


def test_live_orders_are_found_without_reading_all_orders(made: Path) -> None:
    query = f"EXPLAIN QUERY PLAN SELECT * FROM orders WHERE {LIVE_ORDERS}"
    with closing(sqlite3.connect(made)) as connection:
        steps = " ".join(row[3] for row in connection.execute(query))
    assert "orders_live" in steps


def test_any_row_of_an_order_can_be_asked_for(made: Path) -> None:
    with Journal.open(made, read_only=True) as journal:
        every = journal.orders()
        first = every[0]
        assert journal.order_row(str(first["client_id"])) == first
        assert journal.order_row("unknown") is None
        known = next(order for order in every if order["venue_id"])
        found = journal.order_row_by_venue_id(str(known["symbol"]), str(known["venue_id"]))
        assert found == known
        assert journal.order_row_by_venue_id("BTC/USDT", "") is None
        assert journal.order_row_by_venue_id("BTC/USDT", "none") is None
        assert len(journal.orders(int(every[-1]["bar_ms"]))) < len(every)


def test_an_order_is_planned_once_even_when_the_state_has_forgotten_it(made: Path) -> None:
    with Journal.open(made) as journal:
        first = journal.orders()[0]
        assert first["client_id"] not in journal.state.orders
        planned = {key: first[key] for key in list(first)}
        newest = journal.state.number("last_bar_ms")
        plan = {"bar_ms": newest + 1, "legs": [planned], "refused": [], "trail": ""}
        with pytest.raises(FoldError, match="exists already"):
            journal.append("plan", plan, 1)
        with pytest.raises(FoldError, match="exists already"):
            journal.append("order_planned", planned, 1)


def test_a_recalled_order_takes_its_late_fill(made: Path) -> None:
    with Journal.open(made) as journal:
        symbol = "BTC/USDT"
        lost = next(
            order
            for order in journal.orders()
            if order["state"] == "absent" and order["client_id"] not in journal.state.orders
        )
        symbol, client_id = str(lost["symbol"]), str(lost["client_id"])
        fill = {
            "client_id": client_id,
            "symbol": symbol,
            "trade_id": "late",
            "side": lost["side"],
            "price_ticks": 100_000,
            "qty_lots": 1,
            "cost_units": 10**7,
            "fee_cash_units": 0,
            "fee_base_units": 0,
            "fee_asset": "",
            "fee": "",
            "maker": True,
            "at_ms": 5,
        }
        with journal.transaction() as tx:
            tx.append("order_recalled", lost, 5)
            tx.append("fill", fill, 5)
        assert journal.state.orders[client_id].filled_lots == 1
        assert list(journal.state.orders)[-1] == client_id
        warm = plain(journal.state)
        with pytest.raises(FoldError, match="booked already"):
            journal.append("fill", fill, 5)
        assert journal.knows_fill(symbol, "late")
        assert not journal.knows_fill(symbol, "early")
        assert journal.fills(symbol)[-1]["trade_id"] == "late"
        assert len(journal.fills()) > len(journal.fills(symbol))
        assert journal.last_fill_ms(symbol) > 5
        assert journal.last_fill_ms("NEW/USDT") == 0
    with Journal.open(made) as journal:
        assert plain(journal.state) == warm
    assert rebuild(made) == []


def test_a_cycle_number_is_used_once(made: Path) -> None:
    with Journal.open(made) as journal:
        last = journal.last_cycle()
        assert last is not None
        start = {"cycle": last.cycle, "now_ms": 1, "bar_ms": 1, "policy": ""}
        with pytest.raises(FoldError, match="does not come after"):
            journal.append("cycle_start", {**start, "code": "", "lock": ""}, 1)


def test_cycles_and_plans_can_be_asked_for(made: Path) -> None:
    with Journal.open(made) as journal:
        last = journal.last_cycle()
        assert last is not None
        assert last.ended
        assert last == journal.cycle(last.cycle)
        assert journal.cycle(999) is None
        assert [row.cycle for row in journal.cycles(2, 4)] == [2, 3, 4]
        assert len(journal.cycles()) == last.cycle
        plan = journal.plan_of(last.bar_ms)
        assert plan is not None
        assert plan["bar_ms"] == last.bar_ms
        assert journal.plan_seq(last.bar_ms) == last.plan_seq
        assert journal.plan_of(1) is None
        start = {"cycle": last.cycle + 1, "now_ms": 1, "bar_ms": 1, "policy": ""}
        journal.append("cycle_start", {**start, "code": "", "lock": ""}, 1)
        newest = journal.last_cycle()
        assert newest is not None
        assert not newest.ended


DAMAGE = [
    ("UPDATE meta SET value = value + 1 WHERE key = 'cash_units'", "meta cash_units: value is"),
    ("UPDATE meta SET value = CAST(value AS TEXT) WHERE key = 'cycles'", "meta cycles: value is"),
    ("UPDATE positions SET qty_units = qty_units + 1 WHERE symbol = 'BTC/USDT'", "qty_units is"),
    ("DELETE FROM consumed WHERE key = 'cross|BTC/USDT'", "the row is missing"),
    ("INSERT INTO plans VALUES (5, 5)", "plans 5: no entry makes this row"),
    ("UPDATE bars SET volume = volume || '0' WHERE version = 2", "volume is"),
    ("UPDATE orders SET reason = 'a reason that nobody gave, and a very long one at that'", "..."),
]


@pytest.mark.parametrize(("statement", "words"), DAMAGE)
def test_a_changed_row_is_named_and_repaired(made: Path, statement: str, words: str) -> None:
    change(made, statement)
    differences = rebuild(made)
    assert differences
    assert any(words in str(difference) for difference in differences)
    assert repair(made) == differences
    assert rebuild(made) == []
    assert verify(made) == []


def test_repair_gives_up_by_name_when_a_content_is_lost(made: Path) -> None:
    change(made, "DELETE FROM blobs")
    for attempt in (rebuild, repair):
        with pytest.raises(JournalError, match=r"content of blob .* is missing"):
            attempt(made)


def test_every_projection_is_rebuilt(made: Path) -> None:
    with closing(sqlite3.connect(made)) as connection:
        fresh, _ = fold_all(connection, made)
        with closing(fresh):
            for name in TABLES:
                count = f"SELECT count(*) FROM {name}"
                rows = connection.execute(count).fetchone()
                assert fresh.execute(count).fetchone() == rows
                assert rows[0] > 0
