"""The journal walked again: every decision with what it saw, rebuilt from the entries alone.

Lives here: one pass over the entries through the one `fold`, which hands out each decision with
the state before it and the snapshot put together anew: policy and strategies from blobs, bars as
known at that entry, quotes and troubles from the payload. Nothing that was decided is used. Must
not live here: deciding (core), comparing (`replay`), telling (`explain`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any, cast

from trader.app.inputs import decision_inputs
from trader.core.canonical import canonical
from trader.core.fold import FoldError, fold
from trader.core.parameters import Parameters, StrategyCode
from trader.core.series import Series
from trader.core.snapshot import (
    Running,
    SeriesKey,
    Snapshot,
    quote_of,
    snapshot_payload,
    window_row,
)
from trader.core.state import State
from trader.domain.order import IllegalTransition
from trader.errors import JournalError, TraderError
from trader.journal.codec import Entry, Payload
from trader.journal.folding import order_row
from trader.journal.journal import Journal
from trader.journal.schema import ORDERS, STATE_TABLES
from trader.records import dataclass, replace

# What a payload of a shape that this code does not know may provoke.
SHAPE_ERRORS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
ACTS = frozenset({"order_planned", "order_sent", "order_abandoned", "cancel_sent"})


@dataclass(frozen=True, slots=True)
class Cycle:
    """The cycle that an entry belongs to: number, time, decision bar, hash of its code."""

    number: int = 0
    now_ms: int = 0
    bar_ms: int = -1
    code: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """A `plan` entry: `snapshot.state` is the account just before it (live: use it at once)."""

    cycle: Cycle
    seq: int
    snapshot: Snapshot
    stored: Payload

    @property
    def state(self) -> State:
        """The account before the plan; the walk changes it when it goes on."""
        return self.snapshot.state


@dataclass(frozen=True, slots=True)
class Step:
    """A `step` entry, with the account and the parameters that it was taken under."""

    cycle: Cycle
    seq: int
    state: State
    parameters: Parameters
    stored: Payload


@dataclass(frozen=True, slots=True)
class Act:
    """Something that only a decision may cause: an attempt, a send, a cancel, an abandoned
    intent."""

    cycle: Cycle
    seq: int
    state: State
    kind: str
    stored: Payload


@dataclass(frozen=True, slots=True)
class Undecidable:
    """A decision whose inputs cannot be put together again, and why."""

    cycle: Cycle
    seq: int
    why: str


Event = Decision | Step | Act | Undecidable


def walk(journal: Journal, wanted: Callable[[int], bool]) -> Iterator[Event]:
    """Events of the wanted cycles, in order. Raises JournalError at an entry that cannot follow
    from those before it."""
    return _Walk(journal, wanted).events()


class _InputsMissing(Exception):
    """What a decision was made from is not all there, or not what it was."""


class _Walk:
    """One pass; holds one state, one set of inputs per policy, one snapshot at a time."""

    def __init__(self, journal: Journal, wanted: Callable[[int], bool]) -> None:
        self.journal = journal
        self.wanted = wanted
        self.state = State()
        self.cycle = Cycle()
        self.strategies: dict[str, str] = {}
        self._inputs: dict[str, tuple[Parameters, dict[str, StrategyCode]]] = {}
        self._snapshot: Snapshot | Undecidable | None = None

    def events(self) -> Iterator[Event]:
        for entry in self.journal.entries():
            self._note(entry)
            if self.wanted(self.cycle.number):
                yield from self._event(entry)
            self._fold(entry)

    def _note(self, entry: Entry) -> None:
        if entry.kind == "cycle_start":
            row = entry.payload
            self.cycle = Cycle(
                int(row["cycle"]), int(row["now_ms"]), int(row["bar_ms"]), str(row["code"])
            )
        elif entry.kind == "policy":
            self.strategies = {str(k): str(v) for k, v in entry.payload["strategies"].items()}

    def _fold(self, entry: Entry) -> None:
        try:
            if entry.kind == "segment":
                self._carry_over(entry.payload)  # what a sealed file left to this one
            else:
                fold(self.state, entry.kind, entry.payload)
        except (FoldError, IllegalTransition, *SHAPE_ERRORS) as error:
            raise JournalError(
                f"entry {entry.seq} ({entry.kind}) does not follow from those before: {error}",
                "run `trader audit verify`",
            ) from error
        self.state.dirty.clear()

    def _carry_over(self, checkpoint: Payload) -> None:
        """The state that a new file starts with, from the checkpoint's own rows."""
        self.state = State()
        for table, rows in checkpoint["rows"].items():
            if table == ORDERS.name:
                for row in rows:
                    self.state.load_row(table, order_row(row))
            elif table in STATE_TABLES:
                names = STATE_TABLES[table].names
                for row in rows:
                    self.state.load_row(table, dict(zip(names, row, strict=True)))
        named = self.state.word("strategies")
        self.strategies = dict(pair.split("=", 1) for pair in named.split(",") if pair)

    def _event(self, entry: Entry) -> Iterator[Event]:
        if entry.kind == "snapshot":
            self._snapshot = self._rebuilt(entry)
            if isinstance(self._snapshot, Undecidable):
                yield self._snapshot
        elif entry.kind == "plan":
            seen, self._snapshot = self._snapshot, None
            if seen is None:
                yield Undecidable(self.cycle, entry.seq, "the plan has no snapshot before it")
            elif isinstance(seen, Snapshot):
                yield Decision(self.cycle, entry.seq, seen, entry.payload)
        elif entry.kind == "step":
            try:
                parameters, _ = self._inputs_of(self.state.word("policy"))
            except _InputsMissing as error:
                yield Undecidable(self.cycle, entry.seq, str(error))
                return
            yield Step(self.cycle, entry.seq, self.state, parameters, entry.payload)
        elif entry.kind in ACTS:
            yield Act(self.cycle, entry.seq, self.state, entry.kind, entry.payload)

    # --- inputs ------------------------------------------------------------------------------

    def _inputs_of(self, policy_sha: str) -> tuple[Parameters, dict[str, StrategyCode]]:
        """Parameters and strategy code of a policy, with the sources in force now."""
        key = f"{policy_sha} {sorted(self.strategies.items())}"
        if key not in self._inputs:
            form = json.loads(self._blob(policy_sha, "policy"))
            texts = {
                name: self._blob(sha, f"strategy {name}") for name, sha in self.strategies.items()
            }
            try:
                parameters, sources = decision_inputs(form, texts, tolerant=True)
            except (TraderError, *SHAPE_ERRORS) as error:
                raise _InputsMissing(f"policy {policy_sha[:12]} cannot be used: {error}") from error
            self._inputs = {key: (parameters, {source.name: source.code for source in sources})}
        return self._inputs[key]

    def _blob(self, sha: str, what: str) -> str:
        try:
            body = self.journal.get_blob(sha)
        except KeyError:
            raise _InputsMissing(f"the {what} with hash {sha[:12]} is not in the journal") from None
        if hashlib.sha256(body).hexdigest() != sha:
            raise _InputsMissing(f"the {what} with hash {sha[:12]} is altered")
        return body.decode()

    def _rebuilt(self, entry: Entry) -> Snapshot | Undecidable:
        try:
            return self._snapshot_of(entry)
        except _InputsMissing as error:
            return Undecidable(self.cycle, entry.seq, str(error))
        except (TraderError, *SHAPE_ERRORS) as error:
            why = f"the snapshot cannot be read: {type(error).__name__}: {error}"
            return Undecidable(self.cycle, entry.seq, why)

    def _snapshot_of(self, entry: Entry) -> Snapshot:
        row = entry.payload
        parameters, codes = self._inputs_of(str(row["policy"]))
        series: dict[SeriesKey, Series] = {}
        for name, window in row["windows"].items():
            symbol, _, timeframe = name.rpartition("|")
            series[symbol, timeframe] = self._bars(symbol, timeframe, window, entry.seq)
        snapshot = Snapshot(
            int(row["bar_ms"]),
            int(row["now_ms"]),
            self.state,
            parameters,
            codes,
            series,
            {symbol: quote_of(values) for symbol, values in row["quotes"].items()},
            {symbol: tuple(told) for symbol, told in row["troubles"].items()},
            str(row["latch"]),
            {str(name): str(why) for name, why in row.get("strategy_troubles", {}).items()},
            Running(str(row["policy"]), self.cycle.code, str(row["lock"])),
            int(row.get("skew_ms", 0)),
            {str(name): int(ppm) for name, ppm in row.get("repaints", {}).items()},
        )
        # The windows were compared when their bars were read: hashing them costs most of a walk.
        bare = replace(snapshot, series={})
        again = canonical(snapshot_payload(bare))
        told: Payload = {**row, "windows": {}}
        if again != canonical(told):
            path, stored, rebuilt = first_difference(told, json.loads(again))
            raise _InputsMissing(f"rebuilt, {path} is {rebuilt}, the snapshot says {stored}")
        return snapshot

    def _bars(self, symbol: str, timeframe: str, window: list[Any], seq: int) -> Series:
        """The bars of a window as the journal knew them then; their hash must be the window's."""
        first_ms, last_ms, count, _ = window
        to_ms = last_ms + 1 if count else first_ms
        tick = self.state.spec(symbol).tick
        series = self.journal.bars_window(symbol, timeframe, first_ms, to_ms, seq, tick)
        found = window_row(series)
        if found != list(window):
            gone = "; older ones lie in a sealed segment" if self.journal.origin.seq else ""
            raise _InputsMissing(
                f"bars {symbol} {timeframe} are {found}, the decision saw {list(window)}{gone}"
            )
        return series


def first_difference(stored: object, derived: object, path: str = "") -> tuple[str, str, str]:
    """(path, stored, derived) of the first value that differs, in canonical order; all "" when
    the two are equal. Both are plain JSON: dicts, lists, ints and texts."""
    kind = type(stored)
    if kind is type(derived):
        if kind is dict:
            return _first_in_maps(cast("Payload", stored), cast("Payload", derived), path)
        if kind is list:
            return _first_in_lists(cast("list[Any]", stored), cast("list[Any]", derived), path)
        if stored == derived:
            return "", "", ""
    return path or ".", _short(stored), _short(derived)


def _first_in_maps(stored: Payload, derived: Payload, path: str) -> tuple[str, str, str]:
    for key in sorted({*stored, *derived}):
        place = f"{path}.{key}" if path else key
        if key not in stored or key not in derived:
            return place, _short(stored.get(key, "absent")), _short(derived.get(key, "absent"))
        found = first_difference(stored[key], derived[key], place)
        if found[0]:
            return found
    return "", "", ""


def _first_in_lists(stored: list[Any], derived: list[Any], path: str) -> tuple[str, str, str]:
    for index, (one, other) in enumerate(zip(stored, derived, strict=False)):
        found = first_difference(one, other, f"{path}[{index}]")
        if found[0]:
            return found
    if len(stored) == len(derived):
        return "", "", ""
    return f"{path}.length", str(len(stored)), str(len(derived))


def _short(value: object) -> str:
    text = canonical(value) if not isinstance(value, str) else value
    return text if len(text) <= 120 else f"{text[:100]}... ({len(text)} characters)"
