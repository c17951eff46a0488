"""Orders of a journal beside those of a free run: what became of each, and why not the same.

Lives here: the facts of one order gathered from entries or from a simulation, their comparison, and
the cause that the journal's own entries prove. Must not live here: why an order was wanted
(`parity_decisions`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from trader.app.parity_causes import Cause
from trader.core.state import Order, Row
from trader.domain.order import Side, TimeInForce
from trader.records import dataclass, field

KINDS = frozenset(
    {
        "order_planned",
        "order_recalled",
        "order_sent",
        "cancel_sent",
        "order_outcome",
        "order_seen",
        "order_abandoned",
        "fill",
    }
)
_ENDED = frozenset({"expired", "canceled"})
Fill = tuple[int, int, int, int, str, str]


@dataclass(slots=True)
class OrderFacts:
    """What one side told of an order between two decisions.

    Attributes:
        planned, sent: whether it was. outcome, code: answer to its sending. seen: newest state that
            the venue told. abandoned: why it never left. asked_by: who asked for its cancel.
        lots: filled. fills: (price, lots, cash fee, base fee, fee coin, fee), as booked.
        seqs: entries that told it, by kind; 0 in a simulation.
    """

    planned: bool = False
    sent: bool = False
    outcome: str = ""
    code: str = ""
    seen: str = ""
    abandoned: str = ""
    cancelled: str = ""
    asked_by: str = ""
    lots: int = 0
    fills: list[Fill] = field(default_factory=list[Fill])
    seqs: dict[str, int] = field(default_factory=dict[str, int])

    def told(self) -> tuple[object, ...]:
        """What is compared of an order's way, without its fills."""
        ended = self.seen if self.seen in _ENDED and not self.lots else ""
        refused = self.outcome if self.outcome != "accepted" else ""
        return (self.planned, self.sent, refused, ended, bool(self.abandoned), bool(self.cancelled))

    def bought(self) -> tuple[tuple[int, int], ...]:
        """What traded at which price: (price, lots), the fills of one price as one."""
        by_price: dict[int, int] = {}
        for price, lots, *_ in self.fills:
            by_price[price] = by_price.get(price, 0) + lots
        return tuple(sorted(by_price.items()))

    def prices(self) -> tuple[int, ...]:
        """Every price at which something traded."""
        return tuple(price for price, _ in self.bought())

    def fees(self) -> tuple[int, int, str]:
        """(cash, base, coins of a third kind) that the fills cost."""
        third = ",".join(f"{fill[5]} {fill[4]}" for fill in self.fills if fill[4])
        return sum(f[2] for f in self.fills), sum(f[3] for f in self.fills), third

    def words(self) -> str:
        """In short."""
        parts = [f"outcome={self.outcome} {self.code}".strip()] if self.outcome else []
        parts += [f"{self.lots} lots at {','.join(str(p) for p, _ in self.bought())}"][: self.lots]
        parts += [self.seen] if self.seen and not self.lots else []
        parts += [f"abandoned {self.abandoned}"] if self.abandoned else []
        parts += [f"cancelled {self.cancelled}"] if self.cancelled else []
        if not parts:
            parts = ["sent"] if self.sent else ["planned"] if self.planned else ["nothing"]
        return ", ".join(parts)


class Gathered:
    """Orders of one side: every row that was ever planned, and the facts since the last look."""

    def __init__(self) -> None:
        """None yet."""
        self.rows: dict[str, Row] = {}
        self.facts: dict[str, OrderFacts] = {}

    def plan(self, payload: Mapping[str, Any]) -> None:
        """The legs of a plan."""
        for leg in payload["legs"]:
            self.rows[str(leg["client_id"])] = dict(leg)
            self.facts.setdefault(str(leg["client_id"]), OrderFacts())

    def note(self, kind: str, payload: Mapping[str, Any], seq: int = 0) -> None:
        """One fact about an order."""
        client_id = str(payload["client_id"])
        facts = self.facts.setdefault(client_id, OrderFacts())
        facts.seqs[kind] = seq
        if kind == "order_planned":
            self.rows[client_id] = dict(payload)
            facts.planned = True
        elif kind == "order_sent":
            facts.sent = True
        elif kind == "order_outcome":
            facts.outcome, facts.code = str(payload["outcome"]), str(payload["code"])
        elif kind == "order_seen":
            facts.seen = str(payload["state"])
        elif kind == "order_abandoned":
            facts.abandoned = str(payload["why"])
        elif kind == "cancel_sent":
            facts.cancelled = str(payload["why"])
            facts.asked_by = str(payload.get("by", ""))
        elif kind == "fill":
            names = ("price_ticks", "qty_lots", "fee_cash_units", "fee_base_units")
            price, lots, cash, base = (int(payload[name]) for name in names)
            facts.lots += lots
            facts.fills.append((price, lots, cash, base, payload["fee_asset"], payload["fee"]))

    def take(self) -> dict[str, OrderFacts]:
        """The facts since the last time."""
        facts, self.facts = self.facts, {}
        return facts


@dataclass(frozen=True, slots=True)
class Parted:
    """An order whose way differs: `what` is `order` or `fill`."""

    what: str
    where: str
    causes: tuple[Cause, ...]
    proof: str


@dataclass(frozen=True, slots=True)
class Around:
    """What else is known of the moment.

    Attributes:
        next_bar: whether the bar that the model fills at is in the journal, and has volume.
        decided: whether the decisions of the order's bar differ. told: whether this order was told
            of as different before. earlier: whether another attempt of its leg was.
        apart: whether the two accounts have parted. changed: seq of a `policy` entry since the
            decision, 0 for none. requoted: seq of a `quote` entry of the instrument since then.
    """

    next_bar: bool
    decided: bool
    told: bool
    earlier: bool
    apart: bool
    changed: int
    requoted: int


def compare_order(
    rows: tuple[Row | None, Row | None],
    journal: OrderFacts | None,
    free: OrderFacts | None,
    around: Around,
) -> Parted | None:
    """How an order's way differs; None when it does not. `rows`: as (journal, free) planned it.

    One that was asked for otherwise is told with the cause of that, and with what else happened to
    it, where both sides have it.
    """
    mine, theirs = journal or OrderFacts(), free or OrderFacts()
    row = rows[0] or rows[1]
    if row is None:
        return Parted("order", "client_id", (Cause.UNEXPLAINED,), "nobody planned it")
    beyond = _beyond_limit(row, mine)
    if beyond and rows[0] is not None:
        return Parted("fill", "price_ticks", (Cause.UNEXPLAINED,), beyond)
    asked = None if rows[0] == rows[1] else _other_order(rows, mine, theirs, around)
    fate: Parted | None = None
    if rows[0] is not None and rows[1] is not None:
        left = (_left(rows[0], mine), _left(rows[1], theirs))
        fate = _other_fate(Order(rows[0]), mine, theirs, left, around)
    if asked is None or fate is None:
        return asked or fate
    causes = tuple(dict.fromkeys((*fate.causes, *asked.causes)))
    return Parted(asked.what, asked.where, causes, f"{asked.proof}; {fate.proof}")


def _left(row: Row, facts: OrderFacts) -> int:
    """Lots asked for that did not trade."""
    return int(row["qty_lots"]) - facts.lots


def _beyond_limit(row: Row, facts: OrderFacts) -> str:
    """A fill that its limit forbids: no venue does that."""
    limit, buys = int(row["price_ticks"]), str(row["side"]) == Side.BUY
    bad = [price for price, _ in facts.bought() if (price > limit if buys else price < limit)]
    return f"filled at {bad[0]}, its limit is {limit}" if bad else ""


def _other_order(
    rows: tuple[Row | None, Row | None], journal: OrderFacts, free: OrderFacts, around: Around
) -> Parted:
    """Another order, or one that only one side has."""
    mine, theirs = rows
    row = mine or theirs
    assert row is not None
    where = "planned" if mine is None or theirs is None else _first_key(mine, theirs)
    attempt = int(row["attempt"]) > 0 or journal.planned or free.planned
    if around.decided or around.told or around.earlier:
        of = "its decision" if around.decided else "an earlier attempt"
        return Parted("order", where, (Cause.FOLLOWS,), f"{of} differs")
    if attempt and around.changed:
        return Parted("order", where, (Cause.POLICY_CHANGE,), f"entry {around.changed} (policy)")
    if attempt and around.requoted:
        return Parted("order", where, (Cause.QUOTE,), f"entry {around.requoted} (quote)")
    if attempt and around.apart:
        return Parted("order", where, (Cause.FOLLOWS,), "the accounts had parted")
    return Parted("order", where, (Cause.UNEXPLAINED,), "no decision differs")


def _other_fate(
    order: Order, journal: OrderFacts, free: OrderFacts, left: tuple[int, int], around: Around
) -> Parted | None:
    """Another fate of an order that both sides have; None when it is the same."""
    if journal.told() == free.told() and left[0] == left[1]:
        return _other_price(journal, free)
    what = "fill" if journal.lots or free.lots else "order"
    if around.told or journal.asked_by:
        cause = Cause.FOLLOWS if around.told else Cause.CANCEL_ASKED
        proof = "it was told of before" if around.told else _entry(journal, "cancel_sent")
        return Parted(what, "facts", (cause,), proof)
    never = journal.abandoned or (free.sent and not journal.sent)
    if order.tif is TimeInForce.GTC and not never:
        return _at_rest(what, journal, free)
    for found in (_never_left(journal), _not_taken(journal), _filled_less(order, journal, left)):
        if found is not None:
            where, cause, proof = found
            return Parted(what, where, (cause,), proof)
    cause, proof = Cause.UNEXPLAINED, "no entry tells why"
    if left[0] < left[1] and not around.next_bar:
        cause, proof = Cause.MODEL_NO_BAR, "the journal has no such bar with volume"
    elif journal.lots and left[0] <= left[1]:
        cause, proof = Cause.QUOTE, _entry(journal, "fill")
    return Parted(what, "lots", (cause,), proof)


def _other_price(journal: OrderFacts, free: OrderFacts) -> Parted | None:
    """The same fate; another price or fee. Fees of another quantity are no difference of theirs."""
    proof = _entry(journal, "fill")
    if journal.prices() != free.prices():
        return Parted("fill", "price_ticks", (Cause.QUOTE,), proof)
    if journal.bought() != free.bought() or journal.fees() == free.fees():
        return None
    return Parted("fill", "fee", (Cause.FEE,), f"{proof} tells the venue's fee")


def _at_rest(what: str, journal: OrderFacts, free: OrderFacts) -> Parted:
    """An order that rests: its fate is the venue's queue there, a bar's rule here."""
    told = {kind: seq for kind, seq in journal.seqs.items() if seq}
    refused = journal.outcome not in {"", "accepted"}
    if refused and free.outcome != journal.outcome:
        found = _not_taken(journal)
        if found is not None:
            return Parted(what, found[0], (found[1],), found[2])
    where = "lots" if journal.lots != free.lots else "facts"
    said = f"entry {max(told.values())}" if told else "no entry since the decision before"
    return Parted(what, where, (Cause.RESTING,), f"it rests (GTC): {said}")


Found = tuple[str, Cause, str]


def _never_left(journal: OrderFacts) -> Found | None:
    if journal.abandoned:
        why = journal.abandoned
        proof = f"{_entry(journal, 'order_abandoned')}: {why}"
        if why.startswith("halt_"):
            return "sent", Cause.HALT, proof
        if why == "books_mismatch":
            return "sent", Cause.MISMATCH, proof
        return "sent", Cause.NOT_SENT if why == "older_bar" else Cause.ABANDONED, proof
    if not journal.sent:
        return "sent", Cause.NOT_SENT, "no order_sent entry of it until the next decision"
    return None


def _not_taken(journal: OrderFacts) -> Found | None:
    proof = f"{_entry(journal, 'order_outcome')}: {journal.code}".rstrip(": ")
    causes = {"rejected": Cause.REJECTED, "not_sent": Cause.NOT_SENT}
    if journal.outcome == "not_sent" and journal.code == "LATCHED":
        return "outcome", Cause.HALT, proof
    if journal.outcome in causes:
        return "outcome", causes[journal.outcome], proof
    if journal.outcome == "unknown":
        return "outcome", Cause.UNKNOWN_OUTCOME, proof
    if not journal.outcome:
        return "outcome", Cause.UNKNOWN_OUTCOME, "sent, and no answer was written down"
    return None


def _filled_less(order: Order, journal: OrderFacts, left: tuple[int, int]) -> Found | None:
    if left[0] <= left[1]:
        return None
    ended = journal.seen in _ENDED
    if not ended:
        return "lots", Cause.LATE_FILL, f"{_entry(journal, 'order_outcome')}: not ended yet"
    proof = f"{_entry(journal, 'order_seen')}: {journal.seen}, {journal.lots} of {order.qty_lots}"
    return "lots", Cause.PARTIAL_FILL if journal.lots else Cause.EXPIRED, proof


def _entry(facts: OrderFacts, kind: str) -> str:
    seq = facts.seqs.get(kind, 0)
    return f"entry {seq} ({kind})" if seq else f"no {kind} entry"


def _first_key(one: Row, other: Row) -> str:
    keys: Collection[str] = sorted({*one, *other})
    return next((key for key in keys if one.get(key) != other.get(key)), "")
