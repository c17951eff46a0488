"""What the lane wrote down, as the facts that the reference would have told.

Lives here: legs, orders and fills of its tapes as canonical payloads, bar after bar. Must not live
here: the tapes (`lane_entries`), and who is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trader.core.gates import GATES
from trader.core.identity import client_order_id
from trader.core.lane_books import (
    BUY,
    L_BAR,
    L_BASE_FEE,
    L_FEE,
    L_FILL,
    L_LOTS,
    L_NUMBER,
    L_PAIR,
    L_PRICE,
    L_REASON,
    L_SIDE,
    L_SIGNAL,
    L_STOP,
    L_TARGET,
    L_TRAIL,
    L_VALUE,
    LEG,
    REASONS,
    LaneBooks,
)
from trader.core.lane_entries import RATCHET, REFUSAL, LaneEntries
from trader.core.parameters import Parameters
from trader.domain.order import OrderState, Side, TimeInForce

Payload = dict[str, Any]
Fact = tuple[str, Payload]
SIDES = (str(Side.BUY), str(Side.SELL))


def leg_rows(
    entries: LaneEntries, books: LaneBooks, parameters: Parameters, bar_ms: int
) -> list[Payload]:
    """Legs of the newest bar with any, if that is `bar_ms`, with the value of their fills."""
    found: list[Payload] = []
    at = entries.legs.rows - 1
    while at >= 0 and entries.legs.cells[at * LEG + L_BAR] == bar_ms:
        row = leg_row(entries.legs.cells, at * LEG, books, parameters)
        row["value_units"] = entries.legs.cells[at * LEG + L_VALUE]
        found.append(row)
        at -= 1
    return found[::-1]


def leg_row(cells: memoryview, at: int, books: LaneBooks, parameters: Parameters) -> Payload:
    """One leg as `Approved.row` gives it."""
    pair = books.pairs[cells[at + L_PAIR]]
    buy = cells[at + L_SIDE] == BUY
    strategy, symbol = pair.strand.name, pair.coin.symbol
    bar_ms, number = cells[at + L_BAR], cells[at + L_NUMBER]
    client_id = client_order_id(
        parameters.prefix, parameters.account, strategy, symbol,
        bar_ms=bar_ms, leg=number, attempt=0,
    )  # fmt: skip
    return {
        "client_id": client_id,
        "strategy": strategy,
        "symbol": symbol,
        "side": SIDES[cells[at + L_SIDE]],
        "tif": str(TimeInForce.IOC),
        "bar_ms": bar_ms,
        "leg": number,
        "attempt": 0,
        "price_ticks": cells[at + L_PRICE],
        "qty_lots": cells[at + L_LOTS],
        "stop_ticks": cells[at + L_STOP],
        "signal_ms": cells[at + L_SIGNAL],
        "reason": REASONS[cells[at + L_REASON]],
        "target_ticks": cells[at + L_TARGET],
        "trail_ticks": cells[at + L_TRAIL],
        "hold_ms": pair.hold_ms if buy else 0,
        "arm_ticks": 0,
        "even_ticks": 0,
        "steps": "",
        "order_type": "limit",
        "trigger_ticks": 0,
        "until_ms": 0,
    }


def filled(row: Payload, books: LaneBooks) -> Payload:
    """The order of a leg once it was sent and filled as a whole."""
    at_ms = int(row["bar_ms"]) + books.step_ms
    return {
        **row,
        "state": str(OrderState.FILLED),
        "filled_lots": row["qty_lots"],
        "filled_units": row["value_units"],
        "venue_lots": row["qty_lots"],
        "sent_ms": at_ms,
        "updated_ms": at_ms,
    }


class LaneFacts:
    """Reads the tapes of a lane from where it left off."""

    def __init__(self, entries: LaneEntries, books: LaneBooks, parameters: Parameters) -> None:
        """Nothing was read yet."""
        self.entries = entries
        self.books = books
        self.parameters = parameters

    def __iter__(self) -> Iterator[Fact]:
        """Every fact on the tapes, in the order in which the reference tells them."""
        entries = self.entries
        legs, refusals, ratchets = entries.legs, entries.refusals, entries.ratchets
        at = [0, 0, 0]
        ends = (legs.rows, refusals.rows, ratchets.rows)
        widths = (LEG, REFUSAL, RATCHET)
        cells = (legs.cells, refusals.cells, ratchets.cells)
        number = self.books.fills - legs.rows
        while True:
            bars = [cells[k][at[k] * widths[k]] for k in range(3) if at[k] < ends[k]]
            if not bars:
                return
            bar_ms = min(bars)
            here: list[range] = []
            for k in range(3):
                first = at[k]
                while at[k] < ends[k] and cells[k][at[k] * widths[k]] == bar_ms:
                    at[k] += 1
                here.append(range(first, at[k]))
            yield from self._bar(bar_ms, here, number)
            number += len(here[0])

    def _bar(self, bar_ms: int, here: list[range], number: int) -> Iterator[Fact]:
        entries, books = self.entries, self.books
        rows = [leg_row(entries.legs.cells, i * LEG, books, self.parameters) for i in here[0]]
        plan: Payload = {"bar_ms": bar_ms, "legs": rows}
        plan["refused"] = [self._refused(i) for i in here[1]]
        stops = {self._coin(i): entries.ratchets.cells[i * RATCHET + 2] for i in here[2]}
        if stops:
            plan["stops"] = stops
        yield "plan", plan
        at_ms = bar_ms + books.step_ms
        for count, (i, row) in enumerate(zip(here[0], rows, strict=True), 1):
            client = {"client_id": row["client_id"], "at_ms": at_ms}
            yield "order_sent", client
            said = {"outcome": "accepted", "code": "", "text": ""}
            yield "order_outcome", {**client, "venue_id": "", **said}
            seen = {"state": "filled", "venue_lots": row["qty_lots"], "source": "model"}
            yield "order_seen", {**client, "venue_id": "", **seen}
            yield "fill", self._fill(row, i * LEG, str(number + count), at_ms)

    def _coin(self, index: int) -> str:
        return self.books.coins[self.entries.ratchets.cells[index * RATCHET + 1]].symbol

    def _refused(self, index: int) -> list[str]:
        cells = self.entries.refusals.cells
        at = index * REFUSAL
        pair, gate = self.books.pairs[cells[at + 1]], GATES[cells[at + 2]]
        detail = f"limit={cells[at + 3]} measured={cells[at + 4]} unit={gate.unit}"
        words = self.entries.words.get(index, "")
        detail = f"{words} {detail}" if words else detail
        return [pair.strand.name, pair.coin.symbol, SIDES[BUY], gate.code, detail]

    def _fill(self, row: Payload, at: int, trade_id: str, at_ms: int) -> Payload:
        cells = self.entries.legs.cells
        return {
            "client_id": row["client_id"],
            "symbol": row["symbol"],
            "trade_id": trade_id,
            "side": row["side"],
            "price_ticks": cells[at + L_FILL],
            "qty_lots": row["qty_lots"],
            "cost_units": cells[at + L_VALUE],
            "fee_cash_units": cells[at + L_FEE],
            "fee_base_units": cells[at + L_BASE_FEE],
            "fee_asset": "",
            "fee": "",
            "maker": 0,
            "at_ms": at_ms,
        }
