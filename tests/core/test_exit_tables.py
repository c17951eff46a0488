"""The bar tables of `exit_tables` through the core: plan, fill, fold, the next bar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from trader.core.fold import fold
from trader.core.plan import Plan, plan, plan_payload
from trader.core.state import State

from .exit_tables import TABLES, Row
from .made import (
    BAR_MS,
    BTC,
    MINUTE_MS,
    account,
    fill_row,
    order_row,
    parameters,
    quote,
    says,
    sent,
    snapshot,
)
from .test_exits import series_of

LOTS = 1_000


def bought(lots: int = LOTS, fee_base_units: int = 0, **row: Any) -> State:
    """So many lots at 10,000 ticks, at the open of a table's first bar."""
    state = account()
    client_id = "a" * 32
    exits = {"stop_ticks": 0, "signal_ms": 1, "qty_lots": lots, **row}
    sent(state, order_row(client_id, **exits))
    paid: dict[str, Any] = {"qty_lots": lots, "cost_units": lots * 10_000 * 1_000}
    paid |= {"at_ms": BAR_MS, "fee_base_units": fee_base_units}
    fold(state, "fill", fill_row(client_id, **paid))
    return state


def decide(state: State, rows: Sequence[Row], at: int, **changed: Any) -> Plan:
    """The decision on row `at`; the bars before it are at hand from the one before."""
    bar_ms = BAR_MS + at * MINUTE_MS
    row, now_ms = rows[at], bar_ms + MINUTE_MS
    bid = row.bid or row.bar[2] - 1
    seen = [(10_000, 10_000, 10_000), *(row.bar for row in rows[: at + 1])][-2:]
    given: dict[str, Any] = {
        "bar_ms": bar_ms,
        "now_ms": now_ms,
        "series": {(BTC, "1m"): series_of(seen, bar_ms)},
        "quotes": {BTC: quote(bid, bid + 2, now_ms)},
        "strategies": {"one": says(enter=0)},
        **changed,
    }
    return plan(snapshot(state, parameters(), **given))


def carry_out(state: State, decided: Plan, filled: int = -1) -> None:
    """Fold the plan, and let so many lots of each of its legs fill at its limit (-1: all)."""
    payload = plan_payload(decided)
    fold(state, "plan", payload)
    for leg in payload["legs"]:
        client_id, lots, price = leg["client_id"], leg["qty_lots"], leg["price_ticks"]
        done = lots if filled < 0 else filled
        at = {"client_id": client_id, "at_ms": decided.bar_ms + MINUTE_MS}
        fold(state, "order_sent", at)
        fold(state, "order_outcome", {**at, "outcome": "accepted", "code": "", "text": ""})
        if done:
            trade: dict[str, Any] = {"side": "sell", "symbol": leg["symbol"], "at_ms": at["at_ms"]}
            trade |= {"qty_lots": done, "price_ticks": price, "cost_units": done * price * 1_000}
            fold(state, "fill", fill_row(client_id, client_id, **trade))
        if done < lots:
            ended = {"state": "expired", "venue_lots": done, "source": "order"}
            fold(state, "order_seen", {**at, **ended})


@pytest.mark.parametrize("name", TABLES)
def test_a_position_is_left_as_its_table_says(name: str) -> None:
    asked, rows = TABLES[name]
    state = bought(**asked)
    held = LOTS
    for at, row in enumerate(rows):
        decided = decide(state, rows, at)
        legs = [(leg.proposal.reason, leg.proposal.qty_lots) for leg in decided.legs]
        assert legs == ([(row.reason, row.lots)] if row.reason else []), f"bar {at}"
        assert decided.refused == ()
        assert decided.alarms == ()
        assert sum(leg.proposal.qty_lots for leg in decided.legs) <= held
        position = state.positions[BTC]
        left = max(position.stop_ticks, decided.stops.get(BTC, 0))
        assert left == row.stop, f"bar {at}"
        carry_out(state, decided, row.filled)
        held -= row.lots if row.filled < 0 else row.filled
        assert state.held_units("one", BTC) == held * 100_000, f"bar {at}"
        if held:
            assert position.stop_ticks == row.stop, f"bar {at}"
    assert rows


def test_there_are_forty_tables_and_more() -> None:
    from .test_exits import TABLES as FIRST
    from .test_simulated_exits import TABLES as SIMULATED

    assert len(TABLES) >= 30
    assert len({*TABLES, *FIRST, *SIMULATED}) >= 50
