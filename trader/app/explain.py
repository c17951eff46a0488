"""Explain: the story of one decision, in words and as data.

Lives here: what a cycle saw, what each strategy asked for, what every gate said, and what came of
it. The trail is derived again from the journal (only its hash was stored), so that the story cannot
differ from the decision without saying so. Must not live here: putting the inputs together
(`trail`), numbers in words (`units`), what became of the orders (`order_story`).
"""

from __future__ import annotations

import json
from typing import Any

from trader.app.decide import decide_again
from trader.app.order_story import OrderStory, order_stories
from trader.app.trail import SHAPE_ERRORS, Decision, Undecidable, first_difference, walk
from trader.app.units import NONE, Units, detail_text, seconds_text, time_text
from trader.core.account_view import AccountView
from trader.core.canonical import canonical
from trader.core.desk import TrailRow, newest_closes
from trader.core.gates import Answer
from trader.core.plan import plan_payload
from trader.core.reasons import ORDERS, QUIET, REFUSALS, UNIVERSE
from trader.core.series import Series
from trader.core.snapshot import Snapshot
from trader.errors import ExitCode, ProofFailed, UsageError
from trader.journal.journal import Journal
from trader.journal.reads import CycleRow
from trader.records import dataclass, field

Rows = list[dict[str, Any]]
MEANINGS = {**REFUSALS, **QUIET, **UNIVERSE}
EQUAL = "decided again from the journal: equal, byte for byte"


@dataclass(slots=True)
class Story:
    """One cycle told: every number is text in human units.

    Attributes:
        about: cycle, times, account, policy, code. books: the account before the decision.
        verdict: whether the decision was derived again and equals what was stored.
        findings: what reconcile and halts left. market: per instrument, quote and bars.
        decisions: per strategy and instrument. orders: with what became of them.
        end: how the cycle ended.
    """

    about: dict[str, str | int]
    books: dict[str, str] = field(default_factory=dict[str, str])
    verdict: str = ""
    findings: list[str] = field(default_factory=list[str])
    market: Rows = field(default_factory=list[dict[str, Any]])
    decisions: Rows = field(default_factory=list[dict[str, Any]])
    orders: list[OrderStory] = field(default_factory=list[OrderStory])
    end: str = ""

    @property
    def lines(self) -> list[str]:
        """As plain text."""
        about = self.about
        lines = [
            f"cycle {about['cycle']} of account {about['account']} ({about['mode']})",
            f"run at {about['time']}, decision bar {about['bar']}",
            f"policy {about['policy']}, code {about['code']}",
        ]
        if self.books:
            told = ", ".join(f"{key} {value}" for key, value in self.books.items())
            lines.append(f"the account before: {told}")
        lines += self.findings
        lines += [_market_line(row) for row in self.market]
        for row in self.decisions:
            lines += _decision_lines(row)
        for order in self.orders:
            lines += order.lines
        return [*lines, self.end, self.verdict]

    def row(self) -> dict[str, Any]:
        """As JSON-able data."""
        return {
            **self.about,
            "books": self.books,
            "verdict": self.verdict,
            "findings": self.findings,
            "market": self.market,
            "decisions": self.decisions,
            "orders": [order.row() for order in self.orders],
            "end": self.end,
        }


def explain(journal: Journal, cycle: int) -> Story:
    """Tell one cycle. Raises UsageError when this file does not hold it, JournalError when the
    entries do not follow from each other."""
    found = journal.cycle(cycle)
    if found is None or found.start_seq <= journal.origin.seq:
        raise _not_here(journal, cycle)
    story = Story(_about(journal, found))
    units = Units(journal.state)
    if found.plan_seq:
        for event in walk(journal, lambda number: number == cycle):
            if isinstance(event, Undecidable) and not story.verdict:
                story.verdict = f"this decision CANNOT be derived again: {event.why}"
            elif isinstance(event, Decision):
                units = Units(event.state)
                _tell_decision(story, event, units)
    else:
        story.verdict = _whose_plan(journal, found)
    _tell_entries(story, journal, found)
    plan_seq = found.plan_seq or journal.plan_seq(found.bar_ms)
    planned = journal.plan_of(found.bar_ms)
    if planned is not None:
        story.orders = order_stories(journal, plan_seq, planned, units)
    return story


def _not_here(journal: Journal, cycle: int) -> UsageError:
    last = journal.last_cycle()
    if journal.origin.seq and last is not None and 0 < cycle <= last.cycle:
        return UsageError(
            f"cycle {cycle}: its inputs are archived in a sealed segment",
            "look at that segment's file instead",
        )
    known = "no cycle yet" if last is None else f"cycles up to {last.cycle}"
    return UsageError(f"there is no cycle {cycle} in {journal.path}", f"it holds {known}")


def _about(journal: Journal, found: CycleRow) -> dict[str, str | int]:
    start = journal.entry(found.start_seq)
    row = start.payload if start else {}
    return {
        "cycle": found.cycle,
        "account": journal.state.word("account"),
        "mode": journal.state.word("mode"),
        "time": time_text(found.now_ms),
        "bar": time_text(found.bar_ms),
        "bar_ms": found.bar_ms,
        "policy": str(row.get("policy", ""))[:12],
        "code": str(row.get("code", ""))[:12],
    }


def _whose_plan(journal: Journal, found: CycleRow) -> str:
    seq = journal.plan_seq(found.bar_ms)
    if not seq:
        return "this cycle decided nothing"
    makers = [row.cycle for row in journal.cycles(to_cycle=found.cycle) if row.plan_seq == seq]
    by = f"cycle {makers[0]}" if makers else "an earlier cycle"
    return f"this cycle decided nothing anew: the plan of this bar was made by {by}"


def _tell_entries(story: Story, journal: Journal, found: CycleRow) -> None:
    """What reconcile found, halts, and how it ended."""
    following = journal.cycle(found.cycle + 1)
    to_seq = found.end_seq or (following.start_seq - 1 if following else None)
    kinds = ("mismatch", "halt", "resume", "cycle_end")
    story.end = "the cycle did not end: it was killed, or it is still running"
    for entry in journal.entries(found.start_seq, kinds, to_seq):
        row = entry.payload
        if entry.kind == "mismatch":
            story.findings += [f"reconcile found: {finding}" for finding in row["findings"]]
        elif entry.kind == "cycle_end":
            code = ExitCode(int(row["code"]))
            note = str(row["summary"].get("note", ""))
            said = f" ({note})" if note else ""
            story.end = f"the cycle ended with exit code {int(code)}, {code.name}{said}"
        else:
            story.findings.append(f"{entry.kind} to {row['level']} by {row['by']}: {row['why']}")


# --- the decision --------------------------------------------------------------------------------


def _tell_decision(story: Story, event: Decision, units: Units) -> None:
    snapshot = event.snapshot
    view = AccountView(snapshot.state, newest_closes(snapshot))
    story.books = {
        "cash": units.cash(snapshot.state.cash_units),
        "equity": units.cash(view.equity_units()),
        "halt level": snapshot.state.word("halt_level"),
        "latch": snapshot.latch,
    }
    story.market = _market(snapshot, units)
    try:
        decided = decide_again(snapshot)
    except (ProofFailed, *SHAPE_ERRORS) as error:
        story.verdict = f"this decision CANNOT be derived again: {type(error).__name__}: {error}"
        return
    story.decisions = [_told(row, units) for row in decided.trail]
    again = canonical(plan_payload(decided))
    story.verdict = EQUAL
    if again != canonical(event.stored):
        path, stored, derived = first_difference(event.stored, json.loads(again))
        story.verdict = (
            f"decided again from the journal: DIFFERENT, {path} was {stored}, is now {derived}; "
            "what is told here is what the running code decides"
        )


def _market(snapshot: Snapshot, units: Units) -> Rows:
    rows: Rows = []
    symbols = {symbol for symbol, _ in snapshot.series} | set(snapshot.quotes)
    for symbol in sorted(symbols | set(snapshot.troubles) - {"*"}):
        quote = snapshot.quotes.get(symbol)
        row: dict[str, Any] = {"symbol": symbol, "bid": NONE, "ask": NONE, "age": NONE}
        if quote is not None:
            row |= {
                "bid": units.price(symbol, quote.bid_ticks),
                "ask": units.price(symbol, quote.ask_ticks),
                "age": seconds_text(snapshot.now_ms - quote.at_ms),
            }
        row["bars"] = [
            _bars_told(symbol, timeframe, series, units)
            for (name, timeframe), series in sorted(snapshot.series.items())
            if name == symbol
        ]
        row["troubles"] = [detail_text(said) for said in snapshot.troubles.get(symbol, ())]
        rows.append(row)
    return rows


def _bars_told(symbol: str, timeframe: str, series: Series, units: Units) -> str:
    last = NONE
    if len(series):
        close = units.price(symbol, series.close[-1])
        last = f"last {time_text(series.open_ms[-1])} closed at {close}"
    return f"{len(series)} bars of {timeframe}, {last}"


def _told(row: TrailRow, units: Units) -> dict[str, Any]:
    code, _, _ = row.answer.partition(" ")
    asked = dict(units.told(row.symbol, key, value) for key, value in row.asked.items())
    if "reason" in asked:
        asked["reason"] = f"{asked['reason']} ({ORDERS.get(asked['reason'], '')})"
    return {
        "strategy": row.strategy or NONE,
        "symbol": row.symbol,
        "seen": dict(
            units.told(row.symbol, key, value)
            for key, value in row.seen.items()
            if row.asked.get(key) != value
        ),
        "asked": asked,
        "gates": [_gate(answer, row.symbol, units) for answer in row.gates],
        "answer": code,
        "detail": detail_text(row.answer),
        "meaning": MEANINGS.get(code, "every gate let it through"),
    }


def _gate(answer: Answer, symbol: str, units: Units) -> dict[str, Any]:
    fits = answer.limit >= 0 or answer.measured >= 0 or answer.ok
    return {
        "gate": answer.code,
        "ok": answer.ok,
        "limit": units.measure(symbol, answer.limit, answer.unit) if fits else "does not fit",
        "measured": units.measure(symbol, answer.measured, answer.unit) if fits else "does not fit",
    }


def _market_line(row: dict[str, Any]) -> str:
    parts = [f"bid {row['bid']}, ask {row['ask']}, read {row['age']} before", *row["bars"]]
    parts += [f"TROUBLE {said}" for said in row["troubles"]]
    return f"seen {row['symbol']}: {'; '.join(parts)}"


def _decision_lines(row: dict[str, Any]) -> list[str]:
    lines = [f"{row['strategy']} on {row['symbol']}: {row['answer']} - {row['meaning']}"]
    if row["detail"] != row["answer"]:
        lines.append(f"  because: {row['detail']}")
    for name in ("seen", "asked"):
        if row[name]:
            told = ", ".join(f"{key} {value}" for key, value in row[name].items())
            lines.append(f"  {name}: {told}")
    lines += [
        f"  gate {gate['gate']}: {'passed' if gate['ok'] else 'REFUSED'}, limit {gate['limit']}, "
        f"measured {gate['measured']}"
        for gate in row["gates"]
    ]
    return lines
