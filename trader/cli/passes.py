"""`trader cycle` and `trader paper`: one pass.

Lives here: the order lock, journal, venue, pass; and the words about it. Must not live here:
decisions (core), the order of things inside a pass (`app.cycle`). The imports at the top are what a
cold cycle pays for: nothing that only another command needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from trader.app.cycle import CycleReport, run_cycle
from trader.app.status_file import account_status
from trader.cli.given import account_setup, setup_options
from trader.cli.output import print_json, print_lines, say, say_error
from trader.cli.times import minute, utc
from trader.core.scale import text
from trader.core.state import Order, State
from trader.errors import ExitCode
from trader.journal.journal import Journal
from trader.ops.lock import hold
from trader.records import dataclass
from trader.wiring import (
    Setup,
    deadline,
    open_journal,
    open_venue,
    stop_on_signals,
)

if TYPE_CHECKING:
    from trader.app.units import Units
    from trader.core.gates import Answer

PAPER = {"TRADER__APP__MODE": "paper"}


@dataclass(frozen=True, slots=True)
class Pass:
    """A finished pass: its report, and the account's state right after it."""

    report: CycleReport
    lines: tuple[str, ...]
    row: dict[str, Any]
    state: State


def cycle_command(
    *,
    config: Sequence[str],
    state_dir: str,
    as_json: bool,
    verbose: int,
    now: str,
    dry_run: bool,
    overrides: dict[str, str] | None = None,
) -> int:
    """One pass: policy, lock, reconcile, snapshot, plan, journal, submit; then exit."""
    options = setup_options(config, state_dir, now, overrides)
    if dry_run:
        from trader.cli.dry_runs import dry_run_on_a_copy

        return dry_run_on_a_copy(options, as_json=as_json)
    setup = account_setup(options)
    with stop_on_signals(setup.stop):
        done = one_pass(setup)
    show_pass(setup, done, as_json=as_json, verbose=verbose)
    return int(ExitCode.INTERRUPTED if setup.stop() else done.report.code)


def one_pass(setup: Setup) -> Pass:
    """Take the lock, open journal and venue, run the pass."""
    with hold(setup.places.lock), open_journal(setup, create=True) as journal:
        venue = open_venue(setup)
        abort: Callable[[], None] = getattr(venue, "abort", _nothing)
        close: Callable[[], None] = getattr(venue, "close", _nothing)
        try:
            with deadline(setup.settings.deadline_ms / 1000, abort):
                report = run_cycle(setup.run, venue, journal)
        finally:
            close()
        return Pass(
            report,
            tuple(pass_lines(report, journal)),
            pass_row(report, journal.state),
            journal.state,
        )


def _nothing() -> None:
    """What a venue without connections has to do at its end."""


def show_pass(setup: Setup, done: Pass, *, as_json: bool, verbose: int) -> None:
    """What a pass did, on stdout; with -v also every answer, with -vv every gate, on stderr."""
    mode = setup.run.parameters.mode
    if as_json:
        print_json(done.row)
    else:
        print_lines(mode, done.lines)
    for told in setup.run.refused:
        say_error(f"{told}; what is held is looked after without it")
    for line in trail_lines(done, verbose):
        say(mode, line)


def trail_lines(done: Pass, verbose: int) -> list[str]:
    """Every answer of a pass; from the second -v on, what each gate compared."""
    decided = done.report.plan
    if not verbose or decided is None:
        return []
    lines: list[str] = []
    for row in decided.trail:
        lines.append(f"{row.strategy or 'no strategy'} {row.symbol}: {row.answer}")
        if verbose > 1 and row.gates:
            from trader.app.units import Units

            units = Units(done.state)
            lines += [f"  {_gate_text(gate, row.symbol, units)}" for gate in row.gates]
    return lines


def _gate_text(gate: Answer, symbol: str, units: Units) -> str:
    said = "ok" if gate.ok else "NO"
    if gate.limit < 0 and gate.measured < 0 and not gate.ok:
        return f"{gate.code} {said}: an amount does not fit"
    measured, limit = (
        units.measure(symbol, value, gate.unit) for value in (gate.measured, gate.limit)
    )
    return f"{gate.code} {said}: measured {measured}, limit {limit}"


def pass_lines(report: CycleReport, journal: Journal) -> list[str]:
    """A pass in words: one line, one more for each order, refusal and mismatch."""
    state = journal.state
    orders = [order for order in state.orders.values() if order.bar_ms == report.bar_ms]
    refused = report.plan.refused if report.plan is not None else ()
    lines = [
        (
            f"cycle {report.cycle}, bar {minute(report.bar_ms)}: {report.note}, "
            f"{_count(len(orders))}, {len(refused)} refused, exit {int(report.code)}"
        )
    ]
    lines += [_order_line(state, order) for order in orders]
    for no in refused:
        asked = no.proposal
        lines.append(f"{asked.side} {asked.symbol} ({asked.strategy}) {no.code}: {no.detail}")
    lines += [f"ALARM {told}" for told in state.word("alarms").splitlines()]
    lines += [f"MISMATCH {found}" for found in report.reconciled.mismatches]
    lines += [f"FINDING {found}" for found in report.findings]
    return lines


def pass_row(report: CycleReport, state: State) -> dict[str, Any]:
    """A pass as JSON."""
    refused = report.plan.refused if report.plan is not None else ()
    return {
        "cycle": report.cycle,
        "bar_ms": report.bar_ms,
        "note": report.note,
        "exit_code": int(report.code),
        "mode": state.word("mode"),
        "account": state.word("account"),
        "orders": [
            order_row(state, order)
            for order in state.orders.values()
            if order.bar_ms == report.bar_ms
        ],
        "refused": [
            {
                "strategy": no.proposal.strategy,
                "symbol": no.proposal.symbol,
                "side": str(no.proposal.side),
                "code": no.code,
                "detail": no.detail,
            }
            for no in refused
        ],
        "alarms": state.word("alarms").splitlines(),
        "mismatches": list(report.reconciled.mismatches),
        "findings": list(report.findings),
        "books": account_status(state),
    }


def _count(orders: int) -> str:
    return "1 order" if orders == 1 else f"{orders} orders"


def _order_line(state: State, order: Order) -> str:
    row = order_row(state, order)
    done = "" if row["state"] == "filled" else f"{row['state']}, "
    return (
        f"{row['side']} {row['qty']} {row['symbol']} at {row['price']} ({row['strategy']}, "
        f"{row['reason']}): {done}filled {row['filled']}"
        + (f", {row['outcome_code']}" if row["outcome_code"] else "")
    )


def order_row(state: State, order: Order) -> dict[str, Any]:
    """An order as JSON, amounts as text."""
    spec = state.spec(order.symbol)
    return {
        "client_id": order.client_id,
        "strategy": order.strategy,
        "symbol": order.symbol,
        "side": str(order.side),
        "reason": order.reason,
        "price": text(spec.price(order.price_ticks)),
        "qty": text(spec.qty(order.qty_lots)),
        "filled": text(spec.qty(order.filled_lots)),
        "state": str(order.state),
        "outcome_code": order.outcome_code,
        "attempt": order.attempt,
    }


# --- paper -------------------------------------------------------------------------------------


def reset_paper(setup: Setup) -> int:
    """Put the paper account's books away: nothing is deleted, the next pass starts anew."""
    folder = setup.places.folder
    mode = setup.run.parameters.mode
    if not folder.exists():
        print_lines(mode, [f"nothing to reset: {folder} does not exist"])
        return int(ExitCode.OK)
    with hold(setup.places.lock):
        stamp = utc(setup.clock.now_ms()).translate({ord(c): None for c in "-: "})
        kept = folder.parent / "archive" / f"{folder.name}-{stamp}"
        kept.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(kept)
    print_lines(mode, [f"the books of {folder.name} were moved to {kept}"])
    return int(ExitCode.OK)
