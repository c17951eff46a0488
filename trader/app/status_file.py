"""status.json: what another user or program can read without touching the journal.

Lives here: the small file that every cycle leaves beside the journal, by atomic rename. Must not
live here: reading it back (see `status`), or anything that is not in the journal too.
"""

from __future__ import annotations

import json
import os
from decimal import Decimal
from typing import Any

from trader.app.book_rows import book_briefs
from trader.app.context import PassSetup
from trader.app.day_rows import account_marks, findings, today_row
from trader.core.scale import text, to_decimal
from trader.core.state import State
from trader.core.steps import steps_of
from trader.domain.order import Side
from trader.errors import ExitCode, JournalError
from trader.journal.journal import Journal


def write_status(
    setup: PassSetup, journal: Journal, cycle: int, bar_ms: int, code: ExitCode, notes: list[str]
) -> None:
    """Write the file; raises JournalError when the disk refuses."""
    head = journal.head
    status: dict[str, Any] = {
        "version": 1,
        "account": setup.parameters.account,
        "mode": setup.parameters.mode,
        "cycle": cycle,
        "bar_ms": bar_ms,
        "at_ms": setup.clock.now_ms(),
        "next_due_ms": bar_ms + 2 * setup.parameters.step_ms,
        "exit_code": int(code),
        "notes": notes,
        "policy": setup.policy_sha,
        "head": {"seq": head.seq, "hash": head.hash},
        "latch": setup.latch_level(),
        **account_status(journal.state),
        "strategies": book_briefs(
            journal.state,
            {spec.name: (spec.enabled, spec.shadow) for spec in setup.parameters.strategies},
        ),
    }
    path = setup.status_path
    scratch = path.with_name(path.name + ".new")
    try:
        scratch.write_text(json.dumps(status, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        os.replace(scratch, path)  # noqa: PTH105 - the atomic rename is the point
    except OSError as error:
        raise JournalError(
            f"cannot write {path}: {error.strerror}", "make room or give write access"
        ) from error


def account_status(state: State) -> dict[str, Any]:
    """Cash, positions, live orders and halt level, decimals as text."""
    cash_unit_digits = state.number("cash_digits")
    return {
        "quote": state.word("quote"),
        "halt_level": state.word("halt_level"),
        "halt_why": state.word("halt_why"),
        "halt_by": state.word("halt_by"),
        "day": today_row(state),
        **account_marks(state),
        "findings": findings(state),
        "alarms": state.word("alarms").splitlines(),
        "asked": [row for _, row in sorted(state.asked.items()) if int(row["done_ms"]) < 0],
        "cash": _cash(state.cash_units, cash_unit_digits),
        "capital": _cash(state.number("capital_units"), cash_unit_digits),
        "positions": [
            _position(state, symbol)
            for symbol, position in sorted(state.positions.items())
            if position.qty_units > 0 or position.realised_units
        ],
        "orders": [
            {
                "client_id": order.client_id,
                "strategy": order.strategy,
                "symbol": order.symbol,
                "side": str(order.side),
                "state": str(order.state),
                "price": text(state.spec(order.symbol).price(order.price_ticks)),
                "qty": text(state.spec(order.symbol).qty(order.qty_lots)),
                "filled": text(state.spec(order.symbol).qty(order.filled_lots)),
                "adds_risk": order.side is Side.BUY,
            }
            for order in state.orders.values()
            if order.working
        ],
    }


def _position(state: State, symbol: str) -> dict[str, Any]:
    position = state.positions[symbol]
    spec = state.spec(symbol)
    digits = state.number("cash_digits")
    return {
        "symbol": symbol,
        "strategy": position.strategy,
        "qty": text(to_decimal(position.qty_units, spec.base_unit)),
        "cost": _cash(position.cost_units, digits),
        "entry": text(spec.price(position.entry_ticks)),
        "stop": text(spec.price(position.stop_ticks)),
        "target": text(spec.price(position.target_ticks)),
        "trail": text(spec.price(position.trail_ticks)),
        "trail_from": text(spec.price(position.arm_ticks)),
        "break_even": text(spec.price(position.even_ticks)),
        "steps": [
            {
                "at": text(spec.price(ticks)),
                "share": text(Decimal(ppm).scaleb(-6)),
                "reached": number < position.scaled,
            }
            for number, (ticks, ppm) in enumerate(steps_of(position.steps))
        ],
        "hold_ms": position.hold_ms,
        "opened_ms": position.opened_ms,
        "realised": _cash(position.realised_units, digits),
        "fees": _cash(position.fees_units, digits),
    }


def _cash(units: int, digits: int) -> str:
    return text(to_decimal(units, Decimal(1).scaleb(-digits)))
