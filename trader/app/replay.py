"""Replay: decide stored cycles again and compare the bytes.

Lives here: the comparison of what the journal says was decided with what the same functions decide
from the same inputs, plan by plan and step by step; and that nothing was sent, attempted or
abandoned that no decision asked for. Must not live here: putting the inputs together (`trail`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from trader.app.acts import Allowed
from trader.app.decide import decide_again
from trader.app.trail import (
    SHAPE_ERRORS,
    Act,
    Cycle,
    Decision,
    Step,
    Undecidable,
    first_difference,
    walk,
)
from trader.core.canonical import canonical
from trader.core.plan import plan_payload
from trader.core.step import action_row, facts_of, step
from trader.errors import ExitCode, ProofFailed
from trader.journal.journal import Journal
from trader.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Difference:
    """A stored decision that is not what is decided again.

    Attributes:
        kind: of the entry (`plan`, `step`, `order_sent` ...). path: first differing value.
        other_code: the cycle was decided by code with another hash than the running one.
    """

    cycle: int
    seq: int
    kind: str
    path: str
    stored: str
    derived: str
    other_code: bool

    def __str__(self) -> str:
        """One line."""
        by = ", decided by other code" if self.other_code else ""
        return (
            f"cycle {self.cycle}, entry {self.seq} ({self.kind}{by}): {self.path} is stored as "
            f"{self.stored}, decided again as {self.derived}"
        )


@dataclass(slots=True)
class ReplayReport:
    """What was compared.

    Attributes:
        cycles: with at least one decision compared. plans, steps, acts: compared entries.
        other_code: numbers of cycles that were decided by other code; compared like all.
        undecidable: decisions whose inputs cannot be put together, in words.
        archived: what lies in sealed segments and was not looked at, in words.
        missing: cycles that were asked for and have no decision in this file.
    """

    cycles: int = 0
    plans: int = 0
    steps: int = 0
    acts: int = 0
    other_code: list[int] = field(default_factory=list[int])
    differences: list[Difference] = field(default_factory=list[Difference])
    undecidable: list[str] = field(default_factory=list[str])
    archived: list[str] = field(default_factory=list[str])
    missing: list[int] = field(default_factory=list[int])

    @property
    def proven(self) -> bool:
        """Something was decided again, and all of it is equal."""
        return self.plans + self.steps > 0 and not (
            self.differences or self.undecidable or self.missing
        )

    @property
    def exit_code(self) -> ExitCode:
        """OK only when `proven`."""
        return ExitCode.OK if self.proven else ExitCode.PROOF_FAILED

    def row(self) -> dict[str, Any]:
        """As JSON-able data."""
        names = ("cycle", "seq", "kind", "path", "stored", "derived", "other_code")
        return {
            "proven": self.proven,
            "cycles": self.cycles,
            "plans": self.plans,
            "steps": self.steps,
            "acts": self.acts,
            "other_code": self.other_code,
            "differences": [{n: getattr(d, n) for n in names} for d in self.differences],
            "undecidable": self.undecidable,
            "archived": self.archived,
            "missing": self.missing,
        }


def replay(journal: Journal, code_sha: str, cycles: Collection[int] | None = None) -> ReplayReport:
    """Decide again: these cycles, or all. `code_sha`: hash of the running code.

    Raises JournalError when the entries themselves do not follow from each other.
    """
    return _Replay(journal, code_sha, cycles).run()


def replay_iter(journal: Journal, cycles: Collection[int] | None = None) -> Iterator[Decision]:
    """Every decision with its snapshot (its `state` is the account before it) and stored payload.

    Whoever iterates may decide with other functions on the same input. The state belongs to the
    walk: use it before taking the next one, and do not change it. Raises ProofFailed for a decision
    whose inputs cannot be put together, JournalError as `replay`.
    """
    chosen = None if cycles is None else frozenset(cycles)
    for event in walk(journal, lambda number: chosen is None or number in chosen):
        if isinstance(event, Undecidable):
            raise ProofFailed(_words(event), "run `trader audit verify`")
        if isinstance(event, Decision):
            yield event


class _Replay:
    """One comparison; lives for one walk."""

    def __init__(self, journal: Journal, code_sha: str, cycles: Collection[int] | None) -> None:
        self.journal = journal
        self.code_sha = code_sha
        self.chosen = None if cycles is None else frozenset(cycles)
        self.report = ReplayReport()
        self._seen: set[int] = set()
        self._allowed = Allowed()

    def run(self) -> ReplayReport:
        for event in walk(self.journal, self._wanted):
            self._allowed.enter(event.cycle.number)
            if isinstance(event, Decision):
                self._plan(event)
            elif isinstance(event, Step):
                self._step(event)
            elif isinstance(event, Act):
                self._act(event)
            else:
                self.report.undecidable.append(_words(event))
        self.report.cycles = len(self._seen)
        self._look_for_absent()
        return self.report

    def _wanted(self, number: int) -> bool:
        return self.chosen is None or number in self.chosen

    def _plan(self, event: Decision) -> None:
        self._count(event.cycle)
        self.report.plans += 1
        try:
            derived = plan_payload(decide_again(event.snapshot))
        except (ProofFailed, *SHAPE_ERRORS) as error:
            derived = _failure(error)
        self._compare(event.cycle, event.seq, "plan", event.stored, derived)

    def _step(self, event: Step) -> None:
        self._count(event.cycle)
        self.report.steps += 1
        stored = event.stored
        try:
            actions = step(event.state, event.parameters, facts_of(stored["facts"]))
            rows = [action_row(action) for action in actions]
            derived: dict[str, Any] = {
                "bar_ms": event.state.number("last_bar_ms"),
                "facts": stored["facts"],
                "actions": rows,
            }
        except SHAPE_ERRORS as error:
            rows, derived = [], _failure(error)
        for row in rows:
            self._allowed.allow(row)
        self._compare(event.cycle, event.seq, "step", stored, derived)

    def _act(self, event: Act) -> None:
        """What was done must have been decided."""
        self.report.acts += 1
        if self._allowed.is_asked(event):
            return
        self.report.differences.append(
            Difference(
                event.cycle.number,
                event.seq,
                event.kind,
                "client_id",
                str(event.stored["client_id"]),
                "nothing: no decision asked for it",
                self._is_other(event.cycle),
            )
        )

    def _compare(
        self, cycle: Cycle, seq: int, kind: str, stored: dict[str, Any], derived: dict[str, Any]
    ) -> None:
        text = canonical(derived)
        if canonical(stored) == text:
            return
        path, was, now = first_difference(stored, json.loads(text))
        self.report.differences.append(
            Difference(cycle.number, seq, kind, path, was, now, self._is_other(cycle))
        )

    def _is_other(self, cycle: Cycle) -> bool:
        return cycle.code != self.code_sha

    def _count(self, cycle: Cycle) -> None:
        if cycle.number in self._seen:
            return
        self._seen.add(cycle.number)
        if self._is_other(cycle):
            self.report.other_code.append(cycle.number)

    def _look_for_absent(self) -> None:
        """Name what was not compared: sealed away, or never decided."""
        origin = self.journal.origin
        if origin.seq:
            said = f"entries 1 to {origin.seq}: inputs archived in sealed segments"
            self.report.archived.append(said)
        if self.chosen is not None:
            self.report.missing = sorted(self.chosen - self._seen)


def _failure(error: Exception) -> dict[str, Any]:
    return {"failed": f"{type(error).__name__}: {error}"}


def _words(event: Undecidable) -> str:
    return f"cycle {event.cycle.number}, entry {event.seq}: {event.why}"
