"""Orders of two sides: each fate has the cause that its entries prove, and no other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trader.app.parity_causes import Cause
from trader.app.parity_orders import Around, Gathered, OrderFacts, compare_order

ID = "a" * 32
ROW: dict[str, Any] = {
    "client_id": ID,
    "strategy": "cross",
    "symbol": "BTC/USDT",
    "side": "buy",
    "tif": "ioc",
    "bar_ms": 60_000,
    "leg": 0,
    "attempt": 0,
    "price_ticks": 1_000,
    "qty_lots": 50,
    "stop_ticks": 900,
    "target_ticks": 0,
    "trail_ticks": 0,
    "hold_ms": 0,
    "signal_ms": 60_000,
    "reason": "entry_signal",
}
QUIET = Around(
    next_bar=True, decided=False, told=False, earlier=False, apart=False, changed=0, requoted=0
)
Told = list[tuple[str, dict[str, Any]]]


def sent() -> Told:
    """It left."""
    return [("order_sent", {})]


def outcome(name: str, code: str = "") -> Told:
    """It left and was answered."""
    return [*sent(), ("order_outcome", {"outcome": name, "code": code})]


def seen(state: str) -> Told:
    """It was accepted and then shown in that state."""
    return [*outcome("accepted"), ("order_seen", {"state": state})]


def fill(price: int, lots: int, fee: int = 5, coin: str = "") -> Told:
    """One execution."""
    row = {"price_ticks": price, "qty_lots": lots, "fee_cash_units": 0 if coin else fee}
    row |= {"fee_base_units": 0, "fee_asset": coin, "fee": str(fee) if coin else ""}
    return [("fill", row)]


def facts(told: Told, first_seq: int = 0) -> OrderFacts:
    """What one side told; entries are numbered from `first_seq` + 1 on, not at all for 0."""
    gathered = Gathered()
    for number, (kind, payload) in enumerate(told, start=1):
        gathered.note(kind, {"client_id": ID, **payload}, first_seq + number if first_seq else 0)
    return gathered.take().get(ID, OrderFacts())


FREE: Told = [*seen("filled"), *fill(990, 50)]


@pytest.mark.parametrize(
    ("told", "cause", "proof"),
    [
        ([*seen("filled"), *fill(991, 50)], Cause.QUOTE, "entry 104 (fill)"),
        ([*seen("filled"), *fill(989, 20), *fill(990, 30)], Cause.QUOTE, "entry 105 (fill)"),
        ([*seen("filled"), *fill(990, 50, fee=6)], Cause.FEE, "entry 104 (fill)"),
        ([*seen("filled"), *fill(990, 50, coin="BNB")], Cause.FEE, "entry 104 (fill)"),
        (seen("expired"), Cause.EXPIRED, "entry 103 (order_seen): expired, 0 of 50"),
        (
            [*seen("expired"), *fill(990, 20)],
            Cause.PARTIAL_FILL,
            "entry 103 (order_seen): expired, 20 of 50",
        ),
        (seen("filled"), Cause.LATE_FILL, "entry 102 (order_outcome): not ended yet"),
        (outcome("accepted"), Cause.LATE_FILL, "entry 102 (order_outcome): not ended yet"),
        (outcome("rejected", "balance"), Cause.REJECTED, "entry 102 (order_outcome): balance"),
        (outcome("not_sent", "connect"), Cause.NOT_SENT, "entry 102 (order_outcome): connect"),
        (outcome("not_sent", "LATCHED"), Cause.HALT, "entry 102 (order_outcome): LATCHED"),
        (outcome("unknown", "timeout"), Cause.UNKNOWN_OUTCOME, "entry 102 (order_outcome)"),
        (sent(), Cause.UNKNOWN_OUTCOME, "sent, and no answer was written down"),
        (
            [*outcome("unknown"), ("order_seen", {"state": "filled"}), *fill(990, 50)],
            Cause.UNKNOWN_OUTCOME,
            "entry 102 (order_outcome)",
        ),
        ([], Cause.NOT_SENT, "no order_sent entry"),
        ([("order_abandoned", {"why": "older_bar"})], Cause.NOT_SENT, "older_bar"),
        ([("order_abandoned", {"why": "halt_no_entries"})], Cause.HALT, "halt_no_entries"),
        ([("order_abandoned", {"why": "books_mismatch"})], Cause.MISMATCH, "books_mismatch"),
        ([("order_abandoned", {"why": "MESSAGES window=1"})], Cause.ABANDONED, "MESSAGES"),
        (
            [*seen("canceled"), ("cancel_sent", {"why": "trader_stop", "by": "ann"})],
            Cause.CANCEL_ASKED,
            "entry 104 (cancel_sent)",
        ),
    ],
)
def test_a_fate_of_its_own_is_told_with_its_cause(told: Told, cause: Cause, proof: str) -> None:
    parted = compare_order((ROW, ROW), facts(told, 100), facts(FREE), QUIET)
    assert parted is not None
    assert parted.causes == (cause,)
    assert proof in parted.proof


def test_the_same_fate_is_no_difference() -> None:
    for told in (FREE, seen("expired"), outcome("rejected")):
        assert compare_order((ROW, ROW), facts(told, 100), facts(told), QUIET) is None
    # Fills of one price are one fill of the model.
    parts = [*seen("filled"), *fill(990, 20, fee=2), *fill(990, 30, fee=3)]
    assert compare_order((ROW, ROW), facts(parts, 100), facts(FREE), QUIET) is None


def test_a_fill_that_only_the_venue_gives_needs_a_bar_that_the_model_could_not_use() -> None:
    told = facts([*seen("filled"), *fill(990, 50)], 100)
    missing = replace(QUIET, next_bar=False)
    for around, cause in ((missing, Cause.MODEL_NO_BAR), (QUIET, Cause.QUOTE)):
        parted = compare_order((ROW, ROW), told, facts(seen("expired")), around)
        assert parted is not None
        assert parted.causes == (cause,)


@pytest.mark.parametrize(("side", "price"), [("buy", 1_001), ("sell", 999)])
def test_a_fill_beyond_its_limit_is_never_explained(side: str, price: int) -> None:
    row = {**ROW, "side": side}
    told = facts([*seen("filled"), *fill(price, 50)], 100)
    for rows in ((row, row), (row, None)):
        parted = compare_order(rows, told, facts(FREE), QUIET)
        assert parted is not None
        assert parted.causes == (Cause.UNEXPLAINED,)


@pytest.mark.parametrize("rows", [(ROW, None), (None, ROW), (ROW, {**ROW, "qty_lots": 49})])
def test_another_order_needs_a_decision_that_differs(rows: Any) -> None:
    around = replace(QUIET, decided=True, apart=True)
    fates = facts(FREE, 100), facts([*seen("filled"), *fill(990, 49)])
    parted = compare_order(rows, *fates, around)
    assert parted is not None
    assert parted.causes == (Cause.FOLLOWS,)
    parted = compare_order(rows, *fates, QUIET)
    assert parted is not None
    assert Cause.UNEXPLAINED in parted.causes


def test_what_happened_to_another_order_is_told_beside_the_decision() -> None:
    around = replace(QUIET, decided=True, apart=True)
    rows = (ROW, {**ROW, "qty_lots": 49})
    free = facts([*seen("filled"), *fill(990, 49)])
    parted = compare_order(rows, facts(outcome("unknown"), 100), free, around)
    assert parted is not None
    assert parted.causes == (Cause.UNKNOWN_OUTCOME, Cause.FOLLOWS)


@pytest.mark.parametrize(
    ("known", "cause"),
    [
        ({"changed": 7}, Cause.POLICY_CHANGE),
        ({"requoted": 7}, Cause.QUOTE),
        ({"apart": True}, Cause.FOLLOWS),
        ({"earlier": True}, Cause.FOLLOWS),
        ({"told": True}, Cause.FOLLOWS),
        ({}, Cause.UNEXPLAINED),
    ],
)
def test_a_later_attempt_differs_by_what_it_was_priced_from(
    known: dict[str, Any], cause: Cause
) -> None:
    around = replace(QUIET, **known)
    mine = facts([("order_planned", {**ROW, "attempt": 1}), *FREE], 100)
    parted = compare_order(({**ROW, "attempt": 1}, None), mine, None, around)
    assert parted is not None
    assert parted.causes == (cause,)


def test_what_was_told_of_before_follows_and_the_next_attempt_has_a_fate_of_its_own() -> None:
    mine, free = facts(outcome("rejected", "filter"), 100), facts(FREE)
    parted = compare_order((ROW, ROW), mine, free, replace(QUIET, told=True))
    assert parted is not None
    assert parted.causes == (Cause.FOLLOWS,)
    parted = compare_order((ROW, ROW), mine, free, replace(QUIET, earlier=True))
    assert parted is not None
    assert parted.causes == (Cause.REJECTED,)


def test_what_rests_is_the_venue_s_queue_unless_it_never_came_to_rest() -> None:
    row = {**ROW, "tif": "gtc", "order_type": "post_only"}
    rested = facts([*seen("open"), *fill(1_000, 20)], 100)
    parted = compare_order((row, row), rested, facts(seen("open")), QUIET)
    assert parted is not None
    assert parted.causes == (Cause.RESTING,)
    refused = facts(outcome("rejected", "would_take"), 100)
    parted = compare_order((row, row), refused, facts(seen("open")), QUIET)
    assert parted is not None
    assert parted.causes == (Cause.REJECTED,)
    parted = compare_order((row, row), None, facts(seen("open")), QUIET)
    assert parted is not None
    assert parted.causes == (Cause.NOT_SENT,)


def test_facts_of_an_order_that_nobody_planned_are_not_explained() -> None:
    parted = compare_order((None, None), facts(FREE, 100), None, QUIET)
    assert parted is not None
    assert parted.causes == (Cause.UNEXPLAINED,)
