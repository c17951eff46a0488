"""Facts about the account that are no order and no fill, and what an order's way tells of them.

Lives here: the parts of `fold` for money that came or went without a fill, what a named human
approved or asked for, the venue's faults, and the messages sent to it. Must not live here: orders
and their states (`fold`), coins (`bookkeeping`).

    flow          {flow_id, at_ms, kind, asset, amount, units, by, why}: amount is decimal text and
                  signed, units the same in cash units, 0 for another asset than the cash
    approval      {code, policy, lock, by, why, at_ms}: hashes that entries may leave under
    venue_fault   {at_ms, why}: a request that the venue did not serve as it must
    venue_ok      {at_ms}: one that it did, after faults
    exit_asked    {symbol, by, why, at_ms}: a named human wants out of it, of everything with `*`
    exit_done     {symbol, at_ms}: nothing that can be sold is left of what was asked
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from trader.core.breaker import is_fault
from trader.core.days import ACCOUNT, day_row, note_trade
from trader.core.state import MINUTE_SLOTS, SENT_SLOTS, STAMP_SLOTS, FoldError, Order, State
from trader.domain.order import Side

Payload = dict[str, Any]
MINUTE_MS = 60_000
DIGITS_MAX = 30
# By kind of flow: whether it may bring, and may take.
FLOWS = {
    "deposit": (True, False),
    "withdrawal": (False, True),
    "reward": (True, False),
    "fee_coin": (True, True),
    "correction": (True, True),
}


def set_meta(state: State, key: str, value: int | str) -> None:
    """Keep a single fact."""
    state.meta[key] = value
    state.dirty.add(("meta", key))


def flow(state: State, payload: Payload) -> None:
    """Money that came or went without a fill: no result, so whatever results are measured from
    moves with it. Coins that come this way are the owner's: they enter no position."""
    units = flow_units(state, payload)
    if state.cash_units + units < 0:
        raise FoldError(f"flow {payload['flow_id']} takes more than the cash there is")
    if units == 0:
        return
    moved = ["cash_units", "capital_units"]
    if state.number("day") >= 0:
        moved += ["equity_units", "day_units"]
        row = day_row(state, ACCOUNT, state.number("day"))
        if row is not None:
            row.end_units += units
            row.flow_units += units
            state.dirty.add(("days", row.key))
    if state.number("high_units") > 0:
        moved.append("high_units")  # not below 0, which would mean "not measured yet"
    for name in moved:
        after = state.number(name) + units
        set_meta(state, name, max(0, after) if name == "high_units" else after)


def flow_units(state: State, payload: Payload) -> int:
    """The cash units of a flow; raises FoldError when its words contradict each other."""
    name, kind = str(payload["flow_id"]), str(payload["kind"])
    try:
        amount = Decimal(str(payload["amount"]))
    except InvalidOperation as error:
        raise FoldError(f"flow {name}: {payload['amount']!r} is no amount") from error
    comes, goes = FLOWS.get(kind, (False, False))
    if not amount.is_finite() or abs(amount.adjusted()) > DIGITS_MAX:
        raise FoldError(f"flow {name}: {payload['amount']!r} is no amount")
    if not ((amount > 0 and comes) or (amount < 0 and goes)):
        raise FoldError(f"flow {name}: a {kind} of {payload['amount']} cannot be")
    units = int(payload["units"])
    is_cash = str(payload["asset"]) == state.word("quote")
    exact = amount.scaleb(state.number("cash_digits")) if is_cash else Decimal(0)
    if exact != units:
        raise FoldError(f"flow {name}: {payload['amount']} are not {units} cash units")
    return units


def approval(state: State, payload: Payload) -> None:
    """A named human approved code, policy and lock."""
    for name in ("code", "policy", "lock", "by"):
        set_meta(state, f"approved_{name}", str(payload[name]))


def venue_fault(state: State, payload: Payload) -> None:
    """The venue failed once more."""
    set_meta(state, "venue_faults", state.number("venue_faults") + 1)
    set_meta(state, "venue_fault_ms", int(payload["at_ms"]))
    set_meta(state, "venue_fault_why", str(payload["why"]))


def venue_ok(state: State, _payload: Payload) -> None:
    """The venue works."""
    if state.number("venue_faults"):
        set_meta(state, "venue_faults", 0)


def exit_asked(state: State, payload: Payload) -> None:
    """A named human wants out."""
    words = {name: str(payload[name]) for name in ("symbol", "by", "why")}
    state.asked[words["symbol"]] = {**words, "at_ms": int(payload["at_ms"]), "done_ms": -1}
    state.dirty.add(("asked", words["symbol"]))


def exit_done(state: State, payload: Payload) -> None:
    """Nothing sellable is left of what a named human wanted out of."""
    row = state.asked.get(str(payload["symbol"]))
    if row is None or int(row["done_ms"]) >= 0:
        raise FoldError(f"nobody asks to leave {payload['symbol']}")
    row["done_ms"] = int(payload["at_ms"])
    state.dirty.add(("asked", str(row["symbol"])))


def note_sent(state: State, order: Order) -> None:
    """An order was sent: one message, and one trade when it is an entry."""
    count_message(state, order.sent_ms)
    if order.side is not Side.BUY or order.attempt > 0:  # one that was moved is still one entry
        return
    slot = str(state.number("sent_count") % SENT_SLOTS)
    state.sent[slot] = f"{order.sent_ms} {order.strategy}"
    state.dirty.add(("sent", slot))
    set_meta(state, "sent_count", state.number("sent_count") + 1)
    note_trade(state, order.strategy)
    if state.number("venue_faults"):
        set_meta(state, "venue_try_ms", order.sent_ms)


def note_outcome(state: State, payload: Payload) -> None:
    """What came of a send is news of the venue too (see `breaker`)."""
    if is_fault(str(payload["outcome"]), str(payload["code"])):
        venue_fault(state, {"at_ms": payload["at_ms"], "why": payload["code"]})
    elif payload["outcome"] == "accepted":
        venue_ok(state, payload)


def count_message(state: State, at_ms: int) -> None:
    """Count a request in its minute, and keep its time."""
    minute = at_ms // MINUTE_MS
    slot = str(minute % MINUTE_SLOTS)
    at, _, count = state.messages.get(slot, "").partition(" ")
    state.messages[slot] = f"{minute} {int(count) + 1 if at == str(minute) else 1}"
    total = state.number("message_count")
    stamp = f"s{total % STAMP_SLOTS}"
    state.messages[stamp] = str(at_ms)
    set_meta(state, "message_count", total + 1)
    state.dirty |= {("messages", slot), ("messages", stamp)}


FACTS: dict[str, Callable[[State, Payload], None]] = {
    "flow": flow,
    "approval": approval,
    "venue_fault": venue_fault,
    "venue_ok": venue_ok,
    "exit_asked": exit_asked,
    "exit_done": exit_done,
}
