"""What people and the venue's operators do in a world, between two decisions.

Lives here: halts and resumes, changed policies and rules, flows of money, exits that are asked for,
approvals. Must not live here: the decisions themselves (`worlds_course`).
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import worlds_made

from trader.core.bookkeeping import needs_human
from trader.core.breaker import reads_close
from trader.core.fold import in_flight_on
from trader.core.state import instrument_row

if TYPE_CHECKING:
    from worlds_course import Course

WORDS = {"why": "a human", "by": "worlds"}


def act(course: Course) -> None:
    """Whatever happens this time."""
    rng = course.rng
    if rng.random() < 0.15:
        course.world.parameters = worlds_made.change_policy(course.world)
        course.tally.told["policy changes"] += 1
    _halts(course)
    if rng.random() < 0.08:
        _rules_change(course)
    if rng.random() < 0.06:
        _flow(course)
    if rng.random() < 0.04:
        _exit(course)
    if rng.random() < 0.3:
        _approve(course)
    if rng.random() < 0.2:
        _resume_strategies(course)
    if rng.random() < 0.05:
        _venue(course)


def _halts(course: Course) -> None:
    """Halts come seldom, and somebody soon ends them."""
    rng, told = course.rng, course.tally.told
    if course.state.word("halt_level") != "running":
        if rng.random() < 0.5:
            course.fact("resume", dict(WORDS))
            told["resume"] += 1
    elif rng.random() < 0.02:
        level = rng.choice(("no_entries", "reduce_only", "frozen"))
        course.fact("halt", {"level": level, **WORDS})
        told["halt"] += 1
    if course.latch != "running":
        course.latch = rng.choice((course.latch, "running"))
    elif rng.random() < 0.02:
        course.latch = rng.choice(("no_entries", "reduce_only", "frozen"))
        told["latch"] += 1
    if rng.random() < 0.03 or (course.state.number("drawdown_stopped") and rng.random() < 0.3):
        course.fact("mark_reset", dict(WORDS))
        course.oracle.marks.reset()
        told["mark reset"] += 1


def _rules_change(course: Course) -> None:
    """The venue changes its rules of an instrument."""
    rng, rules = course.rng, course.world.rules
    symbol = rng.choice(list(course.world.prices))
    if in_flight_on(course.state, symbol):
        return
    active = rng.random() < 0.8
    least = rng.choice((rules[symbol].notional_min, Decimal(0), Decimal(20)))
    changed = replace(rules[symbol], active=active, notional_min=least)
    course.fact("instrument", instrument_row(changed))
    rules[symbol] = changed


def _flow(course: Course) -> None:
    """Money comes or goes without a fill."""
    rng, ledger = course.rng, course.ledger
    amount = (course.world.capital * rng.choice((1, 7, 40)) / 100).quantize(Decimal("0.01"))
    spent = sum((o.rest * o.price * 2 for o in ledger.buys()), Decimal(0))
    kind = rng.choice(("deposit", "withdrawal", "reward"))
    if kind == "withdrawal":
        if ledger.cash - spent < amount:
            return
        amount = -amount
    units = int(amount / ledger.unit)
    name = f"flow{len(course.facts)}"
    course.fact(
        "flow",
        {
            "flow_id": name, "at_ms": course.bar_ms, "kind": kind, "asset": "USDT",
            "amount": str(amount), "units": units, **WORDS,
        },
    )  # fmt: skip
    ledger.cash += amount
    ledger.capital += amount
    ledger.flows += amount
    course.venue.truth.cash += amount
    course.oracle.marks.flow(amount)
    course.tally.told[kind] += 1


def _exit(course: Course) -> None:
    symbol = course.rng.choice(("*", *course.world.prices))
    course.fact("exit_asked", {"symbol": symbol, "at_ms": course.bar_ms, **WORDS})
    course.tally.told["exits asked"] += 1


def _approve(course: Course) -> None:
    hashes = {"code": "code", "policy": "policy", "lock": "lock"}
    course.fact("approval", {**hashes, "at_ms": course.bar_ms, **WORDS})
    course.ledger.approved = hashes


def _resume_strategies(course: Course) -> None:
    for name, book in sorted(course.state.books.items()):
        if needs_human(book) and course.rng.random() < 0.5:
            course.fact("strategy_resumed", {"strategy": name, **WORDS})
            course.oracle.marks.resume(name)
            course.ledger.attended[name] = course.ledger.filled_entries.get(name, 0)
            course.tally.told["strategies resumed"] += 1


def _venue(course: Course) -> None:
    """A pass could not read; or it could."""
    at_ms = course.bar_ms
    if reads_close(course.state, course.world.parameters.limits.breaker):
        course.fact("venue_ok", {"at_ms": at_ms})
        course.ledger.faults = 0
    else:
        course.fact("venue_fault", {"at_ms": at_ms, "why": "reads: nothing came"})
        course.ledger.faults += 1
        course.ledger.fault_ms = at_ms
