"""The cycle: one pass from policy to journal, the same for paper, testnet and live.

Lives here: the order of things. Reads come first and write nothing; then reconcile; then one plan
per decision bar, or the plan that the journal already holds for it; then execution. Must not live
here: decisions (core), the lock and the clock (wiring).
"""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from trader.app.candidates import cash_digits
from trader.app.context import PassSetup
from trader.app.decide import decide
from trader.app.execute import Executor
from trader.app.market import read_market
from trader.app.ports import Venue
from trader.app.reconcile import (
    ReconcileReport,
    VenueSide,
    read_more_fills,
    read_venue,
    reconcile,
)
from trader.app.status_file import write_status
from trader.app.strategy_verdicts import CHEAT_HINT
from trader.core.asked import exits_done
from trader.core.breaker import READS, reads_close
from trader.core.canonical import canonical
from trader.core.membership import is_universe_row
from trader.core.plan import Plan, plan_payload
from trader.core.scale import ScaleError, text, to_units_rounded
from trader.core.snapshot import halt_rank, snapshot_payload
from trader.core.step import stale_intents
from trader.core.universe import named_symbols
from trader.domain.order import OrderState
from trader.domain.timeframe import last_closed_open_ms
from trader.errors import ExitCode, UsageError, VenueUnavailable, worst
from trader.journal.journal import Journal
from trader.records import dataclass

DATA_CODES = ("DATA_", "QUOTE_")
# What a venue adapter calls a refusal that only a human can mend.
KEY_CODES = frozenset({"auth", "no_right", "clock"})


@dataclass(frozen=True, slots=True)
class CycleReport:
    """What a cycle did.

    Attributes:
        cycle: its number; bar_ms: the decision bar. plan: None when an earlier run's was resumed
            or nothing could be planned (`note` says why).
        reconciled: what reconcile found. findings: contradictions met while executing.
        code: how the process should end.
    """

    cycle: int
    bar_ms: int
    plan: Plan | None
    note: str
    reconciled: ReconcileReport
    findings: tuple[str, ...]
    code: ExitCode


def run_cycle(setup: PassSetup, venue: Venue, journal: Journal) -> CycleReport:
    """One pass. Raises TraderError when it cannot go on; the journal then holds what was done."""
    refuse_cheats(setup, journal)
    try:
        cycle, bar_ms, reconciled, decided, note = decide_cycle(setup, venue, journal)
    except VenueUnavailable as error:
        note_fault(setup, journal, error)
        raise
    executor = Executor(setup, venue, journal, len(reconciled.mismatches))
    planned = journal.state.number("last_bar_ms") == bar_ms
    if planned:
        executor.run()
    code = _code(setup, journal, decided, reconciled, executor.findings)
    summary = {"note": note, "findings": executor.findings, "bar_ms": bar_ms}
    alarms = journal.state.word("alarms").splitlines()
    payload = {
        "cycle": cycle,
        "code": int(code),
        "summary": {**summary, "alarms": alarms} if alarms else summary,
    }
    done, now_ms = exits_done(journal.state), setup.clock.now_ms()
    with journal.transaction() as tx:
        for asked in done:
            tx.append("exit_done", {"symbol": asked, "at_ms": now_ms}, now_ms)
        tx.append("cycle_end", payload, now_ms)
    report = CycleReport(cycle, bar_ms, decided, note, reconciled, tuple(executor.findings), code)
    write_status(
        setup, journal, report.cycle, bar_ms, code, [*reconciled.mismatches, *report.findings]
    )
    return report


def decide_cycle(
    setup: PassSetup, venue: Venue, journal: Journal
) -> tuple[int, int, ReconcileReport, Plan | None, str]:
    """Everything up to the committed plan: (cycle, bar_ms, reconcile report, plan, note)."""
    side = read_venue(setup, venue, journal)
    now_ms = setup.clock.now_ms()
    bar_ms = last_closed_open_ms(now_ms, setup.parameters.step_ms)
    if not journal.state.word("account"):
        open_books(setup, journal, side)
    refuse_other_books(setup, journal)
    cycle = journal.state.number("cycles") + 1
    _start(setup, journal, cycle, now_ms, bar_ms)
    reconciled = reconcile(setup, journal, side, partial(read_more_fills, setup, venue, journal))
    newest = journal.state.number("last_bar_ms")
    if newest == bar_ms:
        return cycle, bar_ms, reconciled, None, "resumed"
    if newest > bar_ms:
        # The clock stepped back: what was decided for later bars stays decided.
        return cycle, bar_ms, reconciled, None, f"clock_behind planned_ms={newest}"
    if setup.stopping():
        return cycle, bar_ms, reconciled, None, "stopping"
    _abandon_stale(setup, journal, bar_ms)
    decided = _plan(setup, venue, journal, bar_ms, reconciled)
    return cycle, bar_ms, reconciled, decided, "planned"


def note_fault(setup: PassSetup, journal: Journal, error: VenueUnavailable) -> None:
    """Write down that the venue could not be read: the only entry of a pass that fails before it
    has begun. Books that were never opened, and a policy without a breaker, ask for none."""
    if setup.parameters.limits.breaker.faults_max and journal.state.word("account"):
        now_ms = setup.clock.now_ms()
        fault = {"at_ms": now_ms, "why": f"{READS}: {error.what}"}
        journal.append("venue_fault", fault, now_ms)


def _note_answered(setup: PassSetup, journal: Journal) -> None:
    """A pass whose reads were answered ends a row of failed ones."""
    if reads_close(journal.state, setup.parameters.limits.breaker):
        now_ms = setup.clock.now_ms()
        journal.append("venue_ok", {"at_ms": now_ms}, now_ms)


def refuse_cheats(setup: PassSetup, journal: Journal) -> None:
    """Raises UsageError for a strategy file that a check refuses, but not while something is held
    or on its way: then the pass goes on without that strategy (and ends with that exit code)."""
    state = journal.state
    held = any(position.qty_units > 0 for position in state.positions.values())
    if setup.refused and not held and not any(order.working for order in state.orders.values()):
        raise UsageError("; ".join(setup.refused), CHEAT_HINT)


def open_books(setup: PassSetup, journal: Journal, side: VenueSide) -> None:
    """The first entry: whose books these are, their scale and their capital.

    Raises UsageError when the capital is more than the account holds.
    """
    parameters = setup.parameters
    named = named_symbols(parameters)
    listed = [side.instruments[s] for s in named if s in side.instruments]
    cash_max = Decimal(parameters.cash_max)
    try:
        digits = cash_digits(listed, side.candidates, cash_max)
    except ScaleError as error:
        raise UsageError(
            f"the universe does not fit one cash unit: {error}",
            "lower app.cash_max, or take the instrument out of universe.yaml",
        ) from error
    balance = side.balances.get(parameters.quote)
    held = balance.total if balance else Decimal(0)
    capital = Decimal(parameters.capital) if parameters.capital else held
    if capital > held or capital <= 0:
        raise UsageError(
            f"app.capital is {text(capital)} {parameters.quote}, the account holds {text(held)}",
            "lower app.capital or fund the account",
        )
    if capital > cash_max:
        raise UsageError(
            f"the account's {text(capital)} {parameters.quote} exceed "
            f"app.cash_max {text(cash_max)}",
            "set app.capital to a slice, or raise app.cash_max",
        )
    unit = Decimal(1).scaleb(-digits)
    payload = {
        "account": parameters.account,
        "mode": parameters.mode,
        "prefix": parameters.prefix,
        "quote": parameters.quote,
        "cash_digits": digits,
        "capital": text(capital),
        "capital_units": to_units_rounded(capital, unit, "capital", up=False),
    }
    with journal.transaction() as tx:
        tx.append("genesis", payload, setup.clock.now_ms())


def refuse_other_books(setup: PassSetup, journal: Journal) -> None:
    """Raises UsageError when the journal belongs to another account, mode or currency."""
    for key in ("account", "mode", "quote"):
        mine, theirs = getattr(setup.parameters, key), journal.state.word(key)
        if mine != theirs:
            raise UsageError(
                f"the journal {journal.path} is of {key} {theirs}, the policy says {mine}",
                "use another state directory, or put the policy back",
            )


def _start(setup: PassSetup, journal: Journal, cycle: int, now_ms: int, bar_ms: int) -> None:
    # A strategy of rules alone has no file: its program is part of the policy.
    files = [source for source in setup.strategies if source.sha]
    names = {source.name: source.sha for source in files}
    joined = ",".join(f"{name}={sha}" for name, sha in sorted(names.items()))
    state = journal.state
    with journal.transaction() as tx:
        if (state.word("policy"), state.word("strategies")) != (setup.policy_sha, joined):
            tx.put_blob("policy", canonical(setup.form).encode(), now_ms)
            for source in files:
                tx.put_blob("strategy", source.text.encode(), now_ms)
            payload = {
                "sha": setup.policy_sha,
                "source_sha": setup.source_sha,
                "strategies": names,
            }
            tx.append("policy", payload, now_ms)
        start = {
            "cycle": cycle,
            "now_ms": now_ms,
            "bar_ms": bar_ms,
            "policy": setup.policy_sha,
            "code": setup.code_sha,
            "lock": setup.lock_sha,
        }
        tx.append("cycle_start", start, now_ms)


def _abandon_stale(setup: PassSetup, journal: Journal, bar_ms: int) -> None:
    intents = stale_intents(journal.state, bar_ms)
    if not intents:
        return
    at_ms = setup.clock.now_ms()
    with journal.transaction() as tx:
        for intent in intents:
            payload = {"client_id": intent.client_id, "at_ms": at_ms, "why": intent.why}
            tx.append("order_abandoned", payload, at_ms)


def _plan(
    setup: PassSetup, venue: Venue, journal: Journal, bar_ms: int, reconciled: ReconcileReport
) -> Plan:
    seen = read_market(setup, venue, journal, bar_ms, reconciled)
    _note_answered(setup, journal)
    snapshot, decided = decide(seen)
    with journal.transaction() as tx:
        tx.append("snapshot", snapshot_payload(snapshot), snapshot.now_ms)
        tx.append("plan", plan_payload(decided), snapshot.now_ms)
    return decided


def _code(
    setup: PassSetup,
    journal: Journal,
    decided: Plan | None,
    reconciled: ReconcileReport,
    findings: list[str],
) -> ExitCode:
    orders = journal.state.orders.values()
    newest = journal.state.number("last_bar_ms")
    codes: list[ExitCode] = []
    if setup.refused:
        codes.append(ExitCode.USAGE)
    if reconciled.mismatches or findings:
        codes.append(ExitCode.MISMATCH)
    if any(order.unresolved or order.venue_lots > order.filled_lots for order in orders):
        codes.append(ExitCode.UNKNOWN_OUTCOME)
    rejected = (o for o in orders if o.state is OrderState.REJECTED and o.bar_ms == newest)
    if any(order.outcome_code in KEY_CODES for order in rejected):
        codes.append(ExitCode.VENUE_REFUSED)
    if decided is not None and _decided_blind(decided):
        codes.append(ExitCode.DATA)
    if halt_rank(journal.state, setup.latch_level()) > 0:
        codes.append(ExitCode.HALTED)
    return worst(codes)


def _decided_blind(decided: Plan) -> bool:
    """Whether no strategy could decide for want of data; who is a member is no decision."""
    asked = [row.answer for row in decided.trail if not is_universe_row(row)]
    return bool(asked) and all(answer.startswith(DATA_CODES) for answer in asked)
