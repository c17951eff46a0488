"""Round trips of positions that are sold in parts, or of which dust is left."""

from __future__ import annotations

from tests.core.exit_tables import Row
from tests.core.made import BTC, fill_row
from tests.core.test_exit_tables import bought, carry_out, decide
from trader.app.round_trips import RoundTrips
from trader.core.fold import fold
from trader.core.plan import plan_payload
from trader.core.state import State


def watched(**row: int) -> tuple[State, RoundTrips]:
    state = bought(60, **row)
    trips = RoundTrips(state)
    trips.observe_fill(fill_row(qty_lots=60, cost_units=600_000_000))
    return state, trips


def test_what_was_declared_dust_is_over_and_its_later_sale_belongs_to_it() -> None:
    state, trips = watched(stop_ticks=8_400)
    rows = [Row((8_200, 8_200, 8_200)), Row((8_400, 8_400, 8_400))]
    decided = decide(state, rows, 0)
    carry_out(state, decided)
    trips.observe_plan(plan_payload(decided))
    (trip,) = trips.closed
    assert (trip.exit_reason, trip.sold_lots, trip.result_units, trips.open) == ("dust", 0, 0, {})
    decided = decide(state, rows, 1)
    (leg,) = plan_payload(decided)["legs"]
    fold(state, "plan", plan_payload(decided))
    fold(state, "order_sent", {"client_id": leg["client_id"], "at_ms": decided.bar_ms})
    sale = {"side": "sell", "qty_lots": 60, "price_ticks": 8_400, "cost_units": 504_000_000}
    fill = fill_row(leg["client_id"], "2", **sale)
    fold(state, "fill", fill)
    trips.observe_fill(fill)
    (trip,) = trips.closed
    # Bought for 6 and sold for 5.04.
    assert (trip.sold_lots, trip.result_units, trips.open) == (60, -96_000_000, {})
    assert state.positions[BTC].realised_units == -96_000_000


def test_a_plan_without_dust_closes_nothing() -> None:
    _, trips = watched(stop_ticks=8_400)
    trips.observe_plan({"bar_ms": 1})
    trips.observe_plan({"bar_ms": 1, "dust": {f"two|{BTC}": 5, "one|ETH/USDT": 5}})
    assert list(trips.open) == [BTC]
