"""Facts about the account that are no order and no fill, and the marks that projections rely on."""

from __future__ import annotations

from typing import Any

import pytest

from trader.core.canonical import canonical
from trader.core.fold import FoldError, fold
from trader.core.state import MINUTE_SLOTS, PROJECTIONS, SENT_SLOTS, STAMP_SLOTS, State
from trader.domain.order import IllegalTransition

from .account_course import Course
from .made import BAR_MS, BTC, ETH, account, fill_row, order_row, sent
from .test_fold import copy, dump

MINUTE_MS = 60_000
ID = "a" * 32


def rows(state: State) -> dict[tuple[str, str], str]:
    """Every row of every projection, as text."""
    return {
        (table, key): canonical(state.row(table, key))
        for table in PROJECTIONS
        for key in getattr(state, table)
    }


@pytest.mark.parametrize("seed", range(6))
def test_every_row_that_a_fact_changes_is_marked_for_the_projections(seed: int) -> None:
    course = Course(seed)
    state, facts = course.state, course.opening()
    for _ in range(120):
        for kind, payload in facts:
            before = rows(state)
            state.dirty.clear()
            try:
                fold(state, kind, payload)
            except (FoldError, IllegalTransition):
                assert rows(state) == before
                continue
            after = rows(state)
            changed = {place for place, row in after.items() if before.get(place) != row}
            assert changed <= state.dirty
            assert before.keys() - after.keys() <= {
                ("orders", key) for table, key in before if table == "orders"
            }
        facts = course.step()
    assert dump(copy(state)) == dump(state)


# --- what humans tell --------------------------------------------------------------------------


def test_an_approval_keeps_the_hashes_and_who_gave_it() -> None:
    state = account()
    hashes = {"code": "c1", "policy": "p1", "lock": "l1"}
    fold(state, "approval", {**hashes, "by": "ann", "why": "seen", "at_ms": 1})
    kept = {name: state.word(f"approved_{name}") for name in ("code", "policy", "lock", "by")}
    assert kept == {**hashes, "by": "ann"}


def test_an_exit_is_asked_for_until_it_is_done() -> None:
    state = account()
    asked = {"symbol": BTC, "by": "ann", "why": "enough", "at_ms": 5}
    for done_ms in (0, 9):
        fold(state, "exit_asked", asked)
        assert state.row("asked", BTC) == {**asked, "done_ms": -1}
        fold(state, "exit_done", {"symbol": BTC, "at_ms": done_ms})
        assert state.row("asked", BTC) == {**asked, "done_ms": done_ms}
        for symbol in (BTC, ETH):
            with pytest.raises(FoldError, match=f"nobody asks to leave {symbol}"):
                fold(state, "exit_done", {"symbol": symbol, "at_ms": 10})


# --- the venue ---------------------------------------------------------------------------------


def venue(state: State) -> tuple[int, int, str, int]:
    names = ("venue_faults", "venue_fault_ms", "venue_try_ms")
    faults, fault_ms, try_ms = (state.number(name) for name in names)
    return faults, fault_ms, state.word("venue_fault_why"), try_ms


def test_faults_in_a_row_are_counted_until_the_venue_works() -> None:
    state = account()
    assert venue(state) == (0, -1, "", -1)
    for number in (1, 2, 3):
        fold(state, "venue_fault", {"at_ms": number, "why": f"w{number}"})
        assert venue(state) == (number, number, f"w{number}", -1)
    fold(state, "venue_ok", {"at_ms": 9})
    assert venue(state) == (0, 3, "w3", -1)
    state.dirty.clear()
    fold(state, "venue_ok", {"at_ms": 10})
    assert not state.dirty


OUTCOMES = [("unknown", 3), ("accepted", 0), ("rejected", 2), ("not_sent", 3)]


@pytest.mark.parametrize(("outcome", "faults"), OUTCOMES)
def test_what_came_of_an_order_is_news_of_the_venue(outcome: str, faults: int) -> None:
    state = account()
    for at_ms in (1, 2):
        fold(state, "venue_fault", {"at_ms": at_ms, "why": "x"})
    fold(state, "order_planned", order_row(ID))
    fold(state, "order_sent", {"client_id": ID, "at_ms": BAR_MS})
    assert venue(state) == (2, 2, "x", BAR_MS)  # an entry tries
    told = {"client_id": ID, "at_ms": BAR_MS + 1, "outcome": outcome, "code": "LATE", "text": ""}
    fold(state, "order_outcome", told)
    lost = outcome in {"unknown", "not_sent"}
    assert venue(state) == (faults, BAR_MS + 1 if lost else 2, "LATE" if lost else "x", BAR_MS)


def test_an_entry_sent_to_a_venue_that_works_tries_nothing() -> None:
    state = account()
    sent(state, order_row(ID))
    assert venue(state)[3] == -1


# --- messages and entries ----------------------------------------------------------------------


def send(state: State, number: int, at_ms: int, **changed: Any) -> None:
    client_id = f"{number:032d}"
    fold(state, "order_planned", order_row(client_id, **changed))
    fold(state, "order_sent", {"client_id": client_id, "at_ms": at_ms})


def test_messages_are_counted_by_minute_and_the_newest_by_time() -> None:
    state = account()
    minute = BAR_MS // MINUTE_MS
    for number, after_ms in enumerate((0, 59_999, 60_000)):
        send(state, number, BAR_MS + after_ms, side="sell" if number else "buy")
    slots = {name: value for name, value in state.messages.items() if name[0] != "s"}
    assert slots == {
        str(minute % MINUTE_SLOTS): f"{minute} 2",
        str((minute + 1) % MINUTE_SLOTS): f"{minute + 1} 1",
    }
    stamps = {name: value for name, value in state.messages.items() if name[0] == "s"}
    assert stamps == {
        "s0": str(BAR_MS),
        "s1": str(BAR_MS + 59_999),
        "s2": str(BAR_MS + 60_000),
    }
    assert (state.number("message_count"), state.number("sent_count")) == (3, 1)
    send(state, 9, BAR_MS + MINUTE_SLOTS * MINUTE_MS)  # the same minute of the next day
    assert state.messages[str(minute % MINUTE_SLOTS)] == f"{minute + MINUTE_SLOTS} 1"


def test_a_cancel_is_a_message_too_and_names_why() -> None:
    state = account()
    sent(state, order_row(ID))
    told = {"client_id": ID, "at_ms": BAR_MS + 7, "why": "older"}
    fold(state, "cancel_sent", told)
    assert (state.number("message_count"), state.orders[ID].ending) == (2, "older")
    assert state.messages["s1"] == str(BAR_MS + 7)


def test_the_rings_hold_the_newest_and_no_more() -> None:
    state = account()
    for number in range(SENT_SLOTS + 2):
        send(state, number, BAR_MS + number * MINUTE_MS)
    assert state.number("sent_count") == state.number("message_count") == SENT_SLOTS + 2
    times = sorted(at_ms for at_ms, _ in state.sent_entries())
    assert times == [BAR_MS + number * MINUTE_MS for number in range(2, SENT_SLOTS + 2)]
    stamps = sorted(int(value) for name, value in state.messages.items() if name[0] == "s")
    newest = range(SENT_SLOTS + 2 - STAMP_SLOTS, SENT_SLOTS + 2)
    assert stamps == [BAR_MS + number * MINUTE_MS for number in newest]


def test_an_entry_that_is_moved_is_one_entry_and_two_messages() -> None:
    state = account()
    send(state, 1, BAR_MS)
    send(state, 2, BAR_MS + 1, attempt=1)
    assert (state.number("sent_count"), state.number("message_count")) == (1, 2)


# --- results of settled positions --------------------------------------------------------------


def closed(*parts: tuple[int, int], fee: int = 0) -> tuple[int, int, int, int]:
    """100 lots bought for 10 USDT and sold in parts (lots, cash units): what the book settled."""
    state = account()
    sent(state, order_row(ID))
    fold(state, "fill", fill_row(ID, "0", fee_cash_units=fee))
    for number, (lots, units) in enumerate(parts):
        client_id = f"{number:032d}"
        sent(state, order_row(client_id, side="sell", qty_lots=lots, signal_ms=0))
        sale = {"side": "sell", "qty_lots": lots, "cost_units": units}
        fold(state, "fill", fill_row(client_id, f"s{number}", **sale))
    book = state.books["one"]
    return book.wins, book.losses, book.won_ppm, book.lost_ppm


U = 10**9  # 10 USDT in cash units, what the position was bought for
# sales in (lots, cash units), the fee of buying; wins, losses, and their sums in millionths
SETTLED = [
    ("10 % won", [(100, U + U // 10)], 0, (1, 0, 100_000, 0)),
    ("10 % lost", [(100, U - U // 10)], 0, (0, 1, 0, 100_000)),
    ("as it was bought: no win", [(100, U)], 0, (0, 1, 0, 0)),
    ("one unit more is a win of nothing much", [(100, U + 1)], 0, (1, 0, 0, 0)),
    ("a loss is rounded up", [(100, U - 1)], 0, (0, 1, 0, 1)),
    ("a win down: 1,999 of 10**9", [(100, U + 1_999)], 0, (1, 0, 1, 0)),
    ("the fee of buying is part of the result", [(100, U)], U // 100, (0, 1, 0, 10_000)),
    ("+30 % and -10 %", [(50, 65 * U // 100), (50, 45 * U // 100)], 0, (1, 0, 100_000, 0)),
    ("what is still held has settled nothing", [(50, U)], 0, (0, 0, 0, 0)),
    ("all but what cannot be sold", [(99, 99 * U // 50)], 0, (1, 0, 990_000, 0)),
    ("1,000 times what was paid", [(100, 1_001 * U)], 0, (1, 0, 10**9, 0)),
    ("more counts as that", [(100, 4_000 * U)], 0, (1, 0, 10**9, 0)),
    ("nearly that", [(100, 1_000 * U)], 0, (1, 0, 999_000_000, 0)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "fee", "expected"), [row[1:] for row in SETTLED], ids=[row[0] for row in SETTLED]
)
def test_a_position_settles_when_it_is_closed(
    parts: list[tuple[int, int]], fee: int, expected: tuple[int, int, int, int]
) -> None:
    assert closed(*parts, fee=fee) == expected


def test_results_of_positions_sum_up_and_each_counts_from_its_own_opening() -> None:
    state = account()
    for number, units in enumerate((U + U // 10, U - U // 5, U + U // 4)):
        for side in ("buy", "sell"):
            client_id = f"{side}{number}".ljust(32, "0")
            extra = {"side": side, "signal_ms": int(side == "buy")}
            sent(state, order_row(client_id, **extra))
            cost = U if side == "buy" else units
            fold(state, "fill", fill_row(client_id, client_id, side=side, cost_units=cost))
    book = state.books["one"]
    assert (book.wins, book.losses) == (2, 1)
    assert (book.won_ppm, book.lost_ppm) == (350_000, 200_000)
    assert state.positions[BTC].result_units == 0
    assert (book.entries_filled, book.fills) == (3, 6)
