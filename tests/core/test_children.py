"""Children and their parent: what is left of a leg, at the bound and one lot past it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.children import child_problem, rest_lots, taken_lots
from trader.core.state import Order

from .made import order_row


def attempt(number: int, state: str, qty: int = 100, filled: int = 0, told: int = -1) -> Order:
    """One attempt of a leg: `told` is what the venue's own record says was filled."""
    row: dict[str, Any] = order_row(f"{number}" * 32, attempt=number, qty_lots=qty)
    return Order({**row, "state": state, "filled_lots": filled, "venue_lots": told})


pytestmark = pytest.mark.control(12)

TAKEN = [
    # state, filled, told -> what counts of 100 lots
    ("open", 0, -1, 100),  # all of it may still fill
    ("open", 40, 40, 100),
    ("unknown", 0, -1, 100),
    ("sending", 0, -1, 100),
    ("canceled", 40, 40, 40),
    ("canceled", 0, 0, 0),
    ("expired", 40, 40, 40),
    ("canceled", 41, 40, 41),  # a late fill that the cancel's answer did not count
    ("canceled", 40, 60, 100),  # fills told and not booked yet: it may be more
    ("rejected", 0, -1, 0),
    ("not_sent", 0, -1, 0),
    ("absent", 0, -1, 0),
    ("abandoned", 0, -1, 0),
    ("filled", 100, 100, 100),
]


@pytest.mark.parametrize(("state", "filled", "told", "taken"), TAKEN)
def test_what_an_attempt_takes_of_its_leg(state: str, filled: int, told: int, taken: int) -> None:
    assert taken_lots(attempt(0, state, 100, filled, told)) == taken


def test_what_is_left_of_the_parent_is_the_bound_and_one_lot_past_it_is_refused() -> None:
    before = [attempt(0, "canceled", 100, 40, 40), attempt(1, "canceled", 60, 25, 25)]
    assert rest_lots(before) == 35
    assert child_problem(before, 35) == ""
    assert child_problem(before, 36) == "CHILD_QTY limit=35 measured=36 unit=lots"
    assert child_problem(before, 0) == "CHILD_QTY limit=35 measured=0 unit=lots"


def test_an_attempt_that_may_still_fill_leaves_nothing_for_another() -> None:
    before = [attempt(0, "open", 100, 40, 40)]
    assert child_problem(before, 1) == "CHILD_QTY limit=0 measured=1 unit=lots"
    # ... unless it is the one that is to be ended before the next is sent.
    assert rest_lots(before, before[0].client_id) == 60


def test_a_counter_that_was_set_back_is_caught_by_what_the_venue_told() -> None:
    # Knight's moved counter: the books say that nothing was filled, the venue's record says 40.
    moved = attempt(0, "canceled", 100, 0, 40)
    assert child_problem([moved], 100) == "CHILD_QTY limit=0 measured=100 unit=lots"


@pytest.mark.parametrize("numbers", [(1,), (0, 2), (0, 0), ()])
def test_a_leg_whose_attempts_are_not_all_there_asks_for_nothing(numbers: tuple[int, ...]) -> None:
    attempts = [attempt(number, "canceled", 100, 0, 0) for number in numbers]
    assert child_problem(attempts, 1) == "CHILD_QTY limit=0 measured=1 unit=lots"


@given(
    parent=st.integers(1, 10_000),
    parts=st.lists(st.tuples(st.integers(0, 10_000), st.booleans()), max_size=6),
)
def test_however_attempts_end_together_they_never_ask_for_more_than_the_first(
    parent: int, parts: list[tuple[int, bool]]
) -> None:
    attempts: list[Order] = []
    rest, filled = parent, 0
    for number, (part, lagging) in enumerate(parts):
        if rest <= 0:
            break
        got = min(part, rest)
        told = got + 1 if lagging else got
        attempts.append(attempt(number, "canceled", rest, got, min(told, rest)))
        filled += got
        rest = rest_lots(attempts)
        assert filled + max(rest, 0) <= parent
    assert filled <= parent
