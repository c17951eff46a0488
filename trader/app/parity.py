"""Parity: a journal's decisions made again by the back-test, stepped and running free.

Lives here: the walk through the journal beside a simulation that decides the same bars, and the
verdict. *Stepped*: each planned bar is decided by the back-test on the account as the journal had
it before, with what only a live pass knows taken from the snapshot entry: the decision must be
equal. *Free*: the simulation goes on by itself from the first decision; where it and the journal
part, the cause is proved from entries, or it is unexplained. Journals are only read. Must not live
here: what a cause needs as proof (`parity_free` and the modules below it).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from trader.app.acts import Allowed
from trader.app.parity_answers import Remembering
from trader.app.parity_bars import Bars
from trader.app.parity_causes import Difference, count_causes, roots_of
from trader.app.parity_decisions import live_parts, stepped_payload
from trader.app.parity_free import FreeRun
from trader.app.trail import (
    SHAPE_ERRORS,
    Act,
    Decision,
    Step,
    Undecidable,
    first_difference,
    walk,
)
from trader.core.canonical import canonical
from trader.core.model import Model
from trader.core.step import action_row, facts_of, step
from trader.errors import ExitCode, ProofFailed
from trader.journal.codec import Entry
from trader.journal.journal import Journal
from trader.records import dataclass, field, replace

Progress = Callable[[int, int], None]
DEFAULT_SPREAD_PPM = 200


@dataclass(frozen=True, slots=True)
class ParityOptions:
    """What is compared: decision bars that open in [from_ms, until_ms), None: open end;
    `spread_ppm`: the model's distance between bid and ask."""

    from_ms: int | None = None
    until_ms: int | None = None
    spread_ppm: int = DEFAULT_SPREAD_PPM


@dataclass(slots=True)
class ParityReport:
    """What was compared, and what stands against it.

    Attributes:
        first_ms, last_ms: first and last decision bar compared, -1 for none.
        plans, steps: decisions of the journal made again on its own account. acts: sends, attempts
            and cancels held against them. stepped: those that differ, in words. live: how many
            decisions took each live part from their snapshot.
        bars, orders: decision bars and orders of the free run that were compared. differences: of
            the free run, in the order found.
        undecidable: decisions whose inputs cannot be put together. archived: what lies in sealed
            segments that are not there.
    """

    first_ms: int = -1
    last_ms: int = -1
    plans: int = 0
    steps: int = 0
    acts: int = 0
    stepped: list[str] = field(default_factory=list[str])
    live: Counter[str] = field(default_factory=Counter[str])
    bars: int = 0
    orders: int = 0
    differences: list[Difference] = field(default_factory=list[Difference])
    undecidable: list[str] = field(default_factory=list[str])
    archived: list[str] = field(default_factory=list[str])

    @property
    def unexplained(self) -> list[Difference]:
        """Differences without a proved cause."""
        return [found for found in self.differences if not found.explained]

    @property
    def proven(self) -> bool:
        """Something was compared, and nothing is unexplained, undecidable or archived."""
        against = (self.stepped, self.unexplained, self.undecidable, self.archived)
        return self.plans > 0 and not any(against)

    @property
    def exit_code(self) -> ExitCode:
        """OK only when `proven`."""
        return ExitCode.OK if self.proven else ExitCode.PROOF_FAILED

    def roots(self) -> dict[str, int]:
        """How many differences have each cause at the beginning of their chain."""
        counts: Counter[str] = Counter()
        for causes in roots_of(self.differences).values():
            counts.update(str(cause) for cause in causes)
        return dict(sorted(counts.items()))

    def row(self) -> dict[str, Any]:
        """As JSON-able data."""
        return {
            "proven": self.proven,
            "first_ms": self.first_ms,
            "last_ms": self.last_ms,
            "stepped": {
                "plans": self.plans,
                "steps": self.steps,
                "acts": self.acts,
                "live": dict(sorted(self.live.items())),
                "differences": self.stepped,
            },
            "free": {
                "bars": self.bars,
                "orders": self.orders,
                "differing": dict(sorted(Counter(d.what for d in self.differences).items())),
                "causes": count_causes(self.differences),
                "roots": self.roots(),
                "unexplained": len(self.unexplained),
                "differences": [found.row() for found in self.differences],
            },
            "undecidable": self.undecidable,
            "archived": self.archived,
        }


def parity(
    journals: Sequence[Journal],
    options: ParityOptions | None = None,
    progress: Progress | None = None,
) -> ParityReport:
    """Compare; `journals`: the files of one account that are at hand, oldest segment first.

    Raises JournalError when the entries do not follow from each other, ProofFailed when a strategy
    that answered then cannot be asked now.
    """
    return _Parity(journals, options or ParityOptions(), progress).run()


@contextmanager
def journals_at_hand(path: Path) -> Generator[list[Journal]]:
    """The journal at `path` and, before it, those of its sealed segments that lie beside it,
    oldest first, all open to be read. Raises JournalError."""
    with ExitStack() as opened:
        found = [opened.enter_context(Journal.open(path, read_only=True))]
        while sealed := _sealed_before(found[0]):
            found.insert(0, opened.enter_context(Journal.open(sealed, read_only=True)))
        yield found


def _sealed_before(journal: Journal) -> Path | None:
    """The file that a journal goes on from, where it is still there."""
    checkpoint = journal.entry(journal.origin.seq + 1) if journal.origin.seq else None
    if checkpoint is None:
        return None
    sealed = journal.path.with_name(str(checkpoint.payload["file"]))
    return sealed if sealed.exists() else None


class _Parity:
    """One comparison; lives for one walk over all files."""

    def __init__(
        self, journals: Sequence[Journal], options: ParityOptions, progress: Progress | None
    ) -> None:
        self.journals = journals
        self.options = options
        self.progress = progress
        self.report = ParityReport()
        self.known = Bars()
        self.strategies = Remembering()
        self.allowed = Allowed()
        final = Bars()
        self.model = _read_all(journals, final, options.spread_ppm)
        self.free = FreeRun(self.model, self.known, final)

    def run(self) -> ParityReport:
        self._look_for_archived()
        total = sum(1 for _ in _all_entries(self.journals, ("plan",)))
        ended = False
        for journal in self.journals:
            read = journal.origin.seq
            for event in walk(journal, lambda _: True):
                ended = ended or (isinstance(event, Decision) and self._is_late(event))
                if ended:
                    break
                self.allowed.enter(event.cycle.number)
                if isinstance(event, Act):
                    self._act(event)
                    continue
                self._read(journal, read + 1, event.seq)
                read = event.seq
                self._event(event)
                if self.progress is not None and self.report.plans % 64 == 0:
                    self.progress(self.report.plans, total)
            if not ended:
                self._read(journal, read + 1, None)
        self.free.end()
        self.report.differences = self.free.differences
        self.report.bars, self.report.orders = self.free.bars, self.free.orders
        return self.report

    def _is_late(self, event: Decision) -> bool:
        until_ms = self.options.until_ms
        return until_ms is not None and event.snapshot.bar_ms >= until_ms

    def _read(self, journal: Journal, first: int, last: int | None) -> None:
        """The entries up to an event, that of the event itself included: bars become known, the
        rest is what the journal did while the free run did its own."""
        for entry in journal.entries(first, to_seq=last):
            if entry.kind == "bars":
                self.known.take(entry.payload, entry.seq)
            elif entry.kind == "segment":
                _carried_bars(self.known, entry)
            elif entry.seq != last or entry.kind != "plan":
                self.free.note(entry)

    def _event(self, event: Decision | Step | Undecidable) -> None:
        if isinstance(event, Undecidable):
            said = f"cycle {event.cycle.number}, entry {event.seq}: {event.why}"
            self.report.undecidable.append(said)
        elif isinstance(event, Step):
            if self.free.started:
                self._step(event)
        elif self.options.from_ms is None or event.snapshot.bar_ms >= self.options.from_ms:
            self._decision(event)

    def _decision(self, event: Decision) -> None:
        codes = self.strategies.of(event.snapshot.strategies)
        event = replace(event, snapshot=replace(event.snapshot, strategies=codes))
        report, bar_ms = self.report, event.snapshot.bar_ms
        self.free.begin(event, carried=self._is_carried())
        report.first_ms = bar_ms if report.first_ms < 0 else report.first_ms
        report.last_ms = bar_ms
        report.plans += 1
        report.live.update(live_parts(event.snapshot))
        try:
            derived = stepped_payload(event, self.known, self.model)
        except SHAPE_ERRORS as error:
            derived = {"failed": f"{type(error).__name__}: {error}"}
        stored = canonical(event.stored)
        equal = canonical(derived) == stored
        if not equal:
            self._stepped_differs(event, event.stored, derived, "plan")
        self.free.decide(event, stepped=equal)

    def _step(self, event: Step) -> None:
        """What was carried out must follow from what was decided, too."""
        self.report.steps += 1
        stored = event.stored
        try:
            actions = step(event.state, event.parameters, facts_of(stored["facts"]))
            rows = [action_row(action) for action in actions]
            derived: dict[str, Any] = {**stored, "actions": rows}
        except SHAPE_ERRORS as error:
            rows, derived = [], {"failed": f"{type(error).__name__}: {error}"}
        for row in rows:
            self.allowed.allow(row)
        if canonical(stored) != canonical(derived):
            self._stepped_differs(event, stored, derived, "step")

    def _act(self, event: Act) -> None:
        """Nothing was sent, attempted or cancelled that no step asked for."""
        if not self.free.started:
            return
        self.report.acts += 1
        if not self.allowed.is_asked(event):
            self.report.stepped.append(
                f"cycle {event.cycle.number}, entry {event.seq} ({event.kind}): no decision asked "
                f"for it (order {event.stored['client_id']})"
            )

    def _stepped_differs(
        self, event: Decision | Step, stored: dict[str, Any], derived: dict[str, Any], kind: str
    ) -> None:
        path, was, now = first_difference(stored, json.loads(canonical(derived)))
        self.report.stepped.append(
            f"cycle {event.cycle.number}, entry {event.seq} ({kind}): {path} is {was} in the "
            f"journal, {now} in the back-test on the same account"
        )

    def _is_carried(self) -> bool:
        """Whether the free run starts from an account that is taken over, not from the genesis."""
        return bool(self.report.archived) or self.options.from_ms is not None

    def _look_for_archived(self) -> None:
        if not self.journals:
            raise ProofFailed("there is no journal to compare", "name one with --journal")
        origin = self.journals[0].origin
        if origin.seq:
            entry = self.journals[0].entry(origin.seq + 1)
            number = entry.payload["number"] if entry is not None else "?"
            said = f"entries 1 to {origin.seq}: inputs archived in segment {number}"
            self.report.archived.append(said)


def _all_entries(journals: Iterable[Journal], kinds: Iterable[str]) -> Iterator[Entry]:
    wanted = frozenset(kinds)
    for journal in journals:
        yield from journal.entries(kinds=wanted)


def _read_all(journals: Iterable[Journal], final: Bars, spread_ppm: int) -> Model:
    """Every bar as it is known in the end, and the venue's rules that are no price: in which coin
    buys pay their fee, and whether stops rest there. Fills and steps tell them."""
    fee_in_base = stops = False
    for entry in _all_entries(journals, ("bars", "fill", "segment", "step")):
        if entry.kind == "bars":
            final.take(entry.payload, entry.seq)
        elif entry.kind == "segment":
            _carried_bars(final, entry)
        elif entry.kind == "fill":
            fee_in_base = fee_in_base or int(entry.payload["fee_base_units"]) > 0
        else:
            stops = stops or bool(entry.payload["facts"].get("stops"))
    return Model(spread_ppm=spread_ppm, fee_in_base=fee_in_base, stops=stops)


def _carried_bars(bars: Bars, entry: Entry) -> None:
    """Bars that a sealed file left to the next one; those that are known stay as they are."""
    for row in entry.payload["rows"].get("bars", ()):
        symbol, timeframe, open_ms, _, *values, tick, _ = row
        if not bars.told_by((symbol, timeframe), open_ms):
            payload = {
                "symbol": symbol,
                "timeframe": timeframe,
                "tick": tick,
                "rows": [[open_ms, *values]],
            }
            bars.take(payload, entry.seq)
