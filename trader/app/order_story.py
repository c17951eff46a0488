"""What became of each order of a plan: sent, answered, filled, priced again.

Lives here: the entries of one plan's orders, read from the plan to the journal's end and told in
words. Must not live here: why an order was wanted (`explain`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trader.app.units import Units, time_text
from trader.journal.codec import Entry, Payload
from trader.journal.journal import Journal
from trader.records import dataclass, field

_KINDS = (
    "order_planned",
    "order_sent",
    "cancel_sent",
    "order_outcome",
    "order_seen",
    "order_abandoned",
    "fill",
    "quote",
)


@dataclass(slots=True)
class OrderStory:
    """One attempt of one leg.

    Attributes:
        what: side, quantity, limit. events: (time, words), oldest first. now: how it stands in the
            books today.
    """

    client_id: str
    symbol: str
    what: str
    why: str
    events: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    now: str = ""

    @property
    def lines(self) -> list[str]:
        """As plain text."""
        return [
            f"order {self.client_id}: {self.what} ({self.why})",
            *(f"  {time} {words}" for time, words in self.events),
            f"  {self.now}",
        ]

    def row(self) -> dict[str, Any]:
        """As JSON-able data."""
        return {
            "client_id": self.client_id,
            "symbol": self.symbol,
            "what": self.what,
            "why": self.why,
            "events": [{"at": time, "what": words} for time, words in self.events],
            "now": self.now,
        }


def order_stories(journal: Journal, plan_seq: int, plan: Payload, units: Units) -> list[OrderStory]:
    """The orders of a plan, their later attempts, and what a human asked to leave after it, in the
    order they were planned."""
    bar_ms = int(plan["bar_ms"])
    stories: dict[str, OrderStory] = {}
    for leg in plan["legs"]:
        stories[str(leg["client_id"])] = _begun(leg, units)
    for entry in journal.entries(plan_seq + 1, _KINDS):
        row = entry.payload
        if entry.kind == "order_planned" and int(row["bar_ms"]) == bar_ms:
            story = stories[str(row["client_id"])] = _begun(row, units)
            words = "what was left, priced again" if int(row["attempt"]) else "it was asked for"
            story.events.append((time_text(entry.at_ms), f"planned: {words}"))
        elif entry.kind == "quote":
            _quote(entry, stories, units)
        elif str(row.get("client_id", "")) in stories:
            story = stories[str(row["client_id"])]
            words = _WORDS[entry.kind](row, units)
            story.events.append((time_text(int(row["at_ms"])), words))
    for story in stories.values():
        story.now = _standing(journal, story, units)
    return list(stories.values())


def _begun(row: Payload, units: Units) -> OrderStory:
    symbol = str(row["symbol"])
    qty, limit = (
        units.qty(symbol, int(row["qty_lots"])),
        units.price(symbol, int(row["price_ticks"])),
    )
    attempt = int(row["attempt"]) + 1
    kind = "" if row.get("order_type", "limit") == "limit" else f"{row['order_type']}, "
    what = f"{row['side']} {qty} at {limit} or better, {kind}{row['tif']}, attempt {attempt}"
    return OrderStory(str(row["client_id"]), symbol, what, str(row["reason"]))


def _quote(entry: Entry, stories: dict[str, OrderStory], units: Units) -> None:
    """A fresh quote belongs to the newest attempt on its instrument, unless that has not left."""
    symbol, row = str(entry.payload["symbol"]), entry.payload["quote"]
    here = [story for story in stories.values() if story.symbol == symbol]
    if not here:
        return
    if row:
        bid, ask = units.price(symbol, int(row[0])), units.price(symbol, int(row[1]))
        words = f"a fresh quote was read: bid {bid}, ask {ask}"
    else:
        words = "a fresh quote was asked for, and there was none"
    here[-1].events.append((time_text(entry.at_ms), words))


def _sent(_row: Payload, _units: Units) -> str:
    return "sent"


def _cancelled(row: Payload, _units: Units) -> str:
    return f"a cancel was asked for: {row['why']}"


def _outcome(row: Payload, _units: Units) -> str:
    said = " ".join(part for part in (str(row["code"]), str(row["text"])) if part)
    outcome = str(row["outcome"])
    if outcome == "accepted":
        return f"accepted by the venue, its id {row['venue_id'] or 'not told'}"
    if outcome == "rejected":
        return f"rejected by the venue: {said}"
    if outcome == "not_sent":
        return f"not sent: {said}"
    return f"outcome unknown: {said}"


def _seen(row: Payload, _units: Units) -> str:
    if row["state"] == "absent":
        return "the venue knows no such order, and its time is over: it never arrived"
    return f"the venue shows it {row['state']}"


def _abandoned(row: Payload, _units: Units) -> str:
    return f"abandoned before it left: {row['why']}"


def _filled(row: Payload, units: Units) -> str:
    symbol = str(row["symbol"])
    fees: list[str] = []
    if int(row["fee_cash_units"]):
        fees.append(units.cash(int(row["fee_cash_units"])))
    if int(row["fee_base_units"]):
        fees.append(units.coins(symbol, int(row["fee_base_units"])))
    if row["fee_asset"]:
        fees.append(f"{row['fee']} {row['fee_asset']}")
    qty, price = (
        units.qty(symbol, int(row["qty_lots"])),
        units.price(symbol, int(row["price_ticks"])),
    )
    value, side = units.cash(int(row["cost_units"])), "maker" if row["maker"] else "taker"
    fee = " and ".join(fees) or "none told"
    return f"filled {qty} at {price}, value {value}, fee {fee}, {side}"


_WORDS: dict[str, Callable[[Payload, Units], str]] = {
    "order_sent": _sent,
    "cancel_sent": _cancelled,
    "order_outcome": _outcome,
    "order_seen": _seen,
    "order_abandoned": _abandoned,
    "fill": _filled,
}


def _standing(journal: Journal, story: OrderStory, units: Units) -> str:
    row = journal.order_row(story.client_id)
    if row is None:
        return "it is not in the books of this file"
    filled = units.qty(story.symbol, int(row["filled_lots"]))
    wanted = units.qty(story.symbol, int(row["qty_lots"]))
    return f"in the books today: {row['state']}, filled {filled} of {wanted}"
