"""The order's state machine: every (state, event) pair against a table written by hand."""

from __future__ import annotations

from itertools import product

import pytest

from trader.domain.order import (
    TRANSITIONS,
    UNRESOLVED,
    WORKING,
    IllegalTransition,
    OrderEvent,
    OrderState,
    next_state,
)

# Rows: state; columns: event; "-" is a pair that cannot happen. Written from the meaning of the
# states, not from the code.
EXPECTED = """
           send    accept fill_part fill_all cancel   expire  reject   lose    fail_connect find_absent abandon
planned    sending -      -         -        -        -       -        -       -            -           abandoned
sending    -       open   open      filled   canceled expired rejected unknown not_sent     absent      -
unknown    -       open   open      filled   canceled expired rejected unknown -            absent      -
open       -       open   open      filled   canceled expired rejected -       -            -           -
filled     -       -      filled    filled   -        -       -        -       -            -           -
canceled   -       -      canceled  filled   -        -       -        -       -            -           -
expired    -       -      expired   filled   -        -       -        -       -            -           -
rejected   -       -      -         -        -        -       -        -       -            -           -
not_sent   -       -      -         -        -        -       -        -       -            -           -
absent     -       open   open      filled   canceled expired -        -       -            -           -
abandoned  -       -      -         -        -        -       -        -       -            -           -
"""  # noqa: E501 - a table is read as a table


def expectations() -> dict[tuple[str, str], str]:
    """(state, event) -> state after, or "-"."""
    header, *rows = EXPECTED.strip("\n").splitlines()
    events = header.split()
    table: dict[tuple[str, str], str] = {}
    for row in rows:
        state, *after = row.split()
        assert len(after) == len(events)
        table.update({(state, event): end for event, end in zip(events, after, strict=True)})
    return table


def test_the_table_of_expectations_names_every_pair() -> None:
    pairs = {(str(s), str(e)) for s, e in product(OrderState, OrderEvent)}
    assert set(expectations()) == pairs
    assert len(pairs) == 11 * 11


@pytest.mark.parametrize(("state", "event"), list(product(OrderState, OrderEvent)))
def test_every_pair_of_state_and_event(state: OrderState, event: OrderEvent) -> None:
    expected = expectations()[str(state), str(event)]
    if expected == "-":
        with pytest.raises(IllegalTransition, match=f"{state} cannot {event}"):
            next_state(state, event)
    else:
        assert next_state(state, event) is OrderState(expected)


def test_only_a_planned_order_can_be_sent_and_no_event_leads_back_to_planned() -> None:
    sendable = [state for state, row in TRANSITIONS.items() if OrderEvent.SEND in row]
    assert sendable == [OrderState.PLANNED]
    reached = {after for row in TRANSITIONS.values() for after in row.values()}
    assert OrderState.PLANNED not in reached


def test_nothing_returns_to_doubt_once_the_venue_has_told_the_end() -> None:
    told = set(OrderState) - {OrderState.PLANNED} - UNRESOLVED
    for state in told:
        assert not set(TRANSITIONS[state].values()) & UNRESOLVED


def test_working_states_are_those_that_may_still_change_the_account() -> None:
    assert {OrderState.SENDING, OrderState.UNKNOWN, OrderState.OPEN} == WORKING
    assert UNRESOLVED < WORKING
