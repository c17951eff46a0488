"""What the lane wrote down, as the facts that the reference would have told.

Lives here: legs, orders and fills of its tapes as canonical payloads, bar after bar. Must not live
here: the tapes (`lane_entries`), and who is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trader.core.gates import GATES
from trader.core.identity import client_order_id
from trader.core.lane_books import LaneBooks
from trader.core.lane_entries import LaneEntries
from trader.core.lane_gates import CODES
from trader.core.lane_rows import REASONS, Leg, Refusal
from trader.core.parameters import Parameters
from trader.domain.order import OrderState, Side, TimeInForce

Payload = dict[str, Any]
Fact = tuple[str, Payload]
GATE_OF = {gate.code: gate for gate in GATES}


def newest_legs(legs: list[Leg], bar_ms: int) -> list[Leg]:
    """Of some legs in order, those of the newest bar, if that is `bar_ms`."""
    first = len(legs)
    while first and legs[first - 1].bar_ms == bar_ms:
        first -= 1
    return legs[first:]


def leg_row(leg: Leg, books: LaneBooks, parameters: Parameters) -> Payload:
    """One leg as `Approved.row` gives it."""
    pair = books.pairs[leg.pair]
    strategy, symbol = pair.strand.name, pair.coin.symbol
    client_id = client_order_id(
        parameters.prefix, parameters.account, strategy, symbol,
        bar_ms=leg.bar_ms, leg=leg.number, attempt=0,
    )  # fmt: skip
    return {
        "client_id": client_id,
        "strategy": strategy,
        "symbol": symbol,
        "side": str(Side.BUY if leg.is_buy else Side.SELL),
        "tif": str(TimeInForce.IOC),
        "bar_ms": leg.bar_ms,
        "leg": leg.number,
        "attempt": 0,
        "price_ticks": leg.price_ticks,
        "qty_lots": leg.qty_lots,
        "stop_ticks": leg.stop_ticks,
        "signal_ms": leg.signal_ms,
        "reason": REASONS[leg.reason],
        "target_ticks": leg.target_ticks,
        "trail_ticks": leg.trail_ticks,
        "hold_ms": pair.hold_ms if leg.is_buy else 0,
        "arm_ticks": 0,
        "even_ticks": 0,
        "steps": "",
        "order_type": "limit",
        "trigger_ticks": 0,
        "until_ms": 0,
    }


def filled(row: Payload, leg: Leg, books: LaneBooks) -> Payload:
    """The order of a leg once it was sent and filled as a whole."""
    at_ms = int(row["bar_ms"]) + books.step_ms
    return {
        **row,
        "state": str(OrderState.FILLED),
        "filled_lots": row["qty_lots"],
        "filled_units": leg.value_units,
        "venue_lots": row["qty_lots"],
        "sent_ms": at_ms,
        "updated_ms": at_ms,
    }


class LaneFacts:
    """What a lane wrote down since it was last cleared."""

    def __init__(self, entries: LaneEntries, books: LaneBooks, parameters: Parameters) -> None:
        """Of one lane."""
        self.entries = entries
        self.books = books
        self.parameters = parameters

    def __iter__(self) -> Iterator[Fact]:
        """Every fact on the tapes, in the order in which the reference tells them."""
        entries = self.entries
        tapes = (entries.legs, entries.refusals, entries.ratchets)
        at = [0, 0, 0]
        number = self.books.fills - len(entries.legs)
        while True:
            bars = [tapes[k][at[k]].bar_ms for k in range(3) if at[k] < len(tapes[k])]
            if not bars:
                return
            bar_ms = min(bars)
            here: list[range] = []
            for k in range(3):
                first = at[k]
                while at[k] < len(tapes[k]) and tapes[k][at[k]].bar_ms == bar_ms:
                    at[k] += 1
                here.append(range(first, at[k]))
            yield from self._bar(bar_ms, here, number)
            number += len(here[0])

    def _bar(self, bar_ms: int, here: list[range], number: int) -> Iterator[Fact]:
        entries, books = self.entries, self.books
        legs = [entries.legs[i] for i in here[0]]
        rows = [leg_row(leg, books, self.parameters) for leg in legs]
        plan: Payload = {"bar_ms": bar_ms, "legs": rows}
        plan["refused"] = [self._refused(entries.refusals[i]) for i in here[1]]
        moved = [entries.ratchets[i] for i in here[2]]
        if moved:
            plan["stops"] = {books.coins[one.coin].symbol: one.ticks for one in moved}
        yield "plan", plan
        at_ms = bar_ms + books.step_ms
        for count, (leg, row) in enumerate(zip(legs, rows, strict=True), 1):
            client = {"client_id": row["client_id"], "at_ms": at_ms}
            yield "order_sent", client
            said = {"outcome": "accepted", "code": "", "text": ""}
            yield "order_outcome", {**client, "venue_id": "", **said}
            seen = {"state": "filled", "venue_lots": leg.qty_lots, "source": "model"}
            yield "order_seen", {**client, "venue_id": "", **seen}
            yield "fill", _fill(leg, row, str(number + count), at_ms)

    def _refused(self, refusal: Refusal) -> list[str]:
        pair, gate = self.books.pairs[refusal.pair], GATE_OF[CODES[refusal.gate]]
        detail = f"limit={refusal.limit} measured={refusal.measured} unit={gate.unit}"
        detail = f"{refusal.words} {detail}" if refusal.words else detail
        return [pair.strand.name, pair.coin.symbol, str(Side.BUY), gate.code, detail]


def _fill(leg: Leg, row: Payload, trade_id: str, at_ms: int) -> Payload:
    return {
        "client_id": row["client_id"],
        "symbol": row["symbol"],
        "trade_id": trade_id,
        "side": row["side"],
        "price_ticks": leg.fill_ticks,
        "qty_lots": leg.qty_lots,
        "cost_units": leg.value_units,
        "fee_cash_units": leg.fee_units,
        "fee_base_units": leg.base_fee_units,
        "fee_asset": "",
        "fee": "",
        "maker": 0,
        "at_ms": at_ms,
    }
