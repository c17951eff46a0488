"""Ruled signals: a strategy of rules over the whole of its own series.

Lives here: how each output is best told over many rows: conditions on two means of prices by whole
ticks (`sides`), numbers that hang on one bar only where there is a signal, everything else as
columns of a few thousand rows (`history`). All of it is equal to the anchored values, and nothing
is kept for a row at which nothing is said. Must not live here: how long a signal lives
(`own_signals`), what a node computes (`rules`).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from trader.core.history import History
from trader.core.mean_sides import Leaf, Mean, MeanSides, TickSpans, leaf_of
from trader.core.own_reader import DataScan, OwnReader, Scan
from trader.core.rules import Column, bound_of, fill, new_column
from trader.core.run_kernels import flag_runs, picked_floats, picked_ticks, row_list, run_offsets
from trader.core.series import Series
from trader.core.shared_history import Request, tell_together
from trader.core.spans import Spans, add_runs, no_spans
from trader.core.strategy import Window

FAR_MS = 1 << 60
# Rows of a window up to which means are sure to be exact (see `history`).
ROWS_IN_GO = 1 << 18
POINTWISE = frozenset({"column", "number", "unary", "binary", "mean"})


def scan_rules(
    readers: Sequence[OwnReader],
    names_of: Callable[[OwnReader], Iterable[str]],
    ticks: TickSpans,
    work_rows: int,
    want: tuple[int, int] | None,
) -> list[Scan]:
    """Everything that rules say, of each reader: strategies, or one with other numbers, on bars of
    one timeframe of one instrument. `names_of`: columns of numbers that a strategy may have."""
    rules = [_Rules(reader, names_of(reader), ticks, work_rows) for reader in readers]
    spans = [reader.asked(want) for reader in readers]
    for one, (start, stop) in zip(rules, spans, strict=True):
        one.tell_sides(start, stop)
    frames = readers[0].frames_at(FAR_MS)
    asked = [one.asked_first(span) for one, span in zip(rules, spans, strict=True)]
    tell_together([one for one in asked if one.names], frames, work_rows)
    for one in rules:
        one.list_rows()
    asked = [one.asked_then(span) for one, span in zip(rules, spans, strict=True)]
    tell_together([one for one in asked if one.names], frames, work_rows)
    for one, (start, stop) in zip(rules, spans, strict=True):
        one.pick_pointwise()
        data = DataScan(one.reader, one.bound.frames)
        data.run(start, stop)
        one.scan.data, one.scan.slow = data.problems, data.slow
    return [one.scan for one in rules]


class _Rules:
    """One strategy's scan in progress."""

    def __init__(
        self, reader: OwnReader, names: Iterable[str], ticks: TickSpans, work_rows: int
    ) -> None:
        assert reader.series is not None
        spec = reader.spec
        program = reader.code.program
        self.reader = reader
        self.series = reader.series
        self.ticks = ticks
        self.work_rows = work_rows
        self.bound = bound_of(program, spec.numbers, spec.timeframe, spec.timeframe_ms)
        outputs = self.bound.outputs
        self.numbers = [name for name in names if name in outputs]
        self.conditions = [name for name in ("enter", "exit") if name in outputs]
        self.leaves: dict[str, Leaf] = {}
        if reader.anchor_bars + self.bound.frames[0].warmup <= ROWS_IN_GO:
            found = ((name, leaf_of(self.bound, outputs[name])) for name in self.conditions)
            self.leaves = {name: leaf for name, leaf in found if leaf is not None}
        self.picked = [name for name in self.numbers if self._is_pointwise(outputs[name])]
        self.dense = [name for name in self.conditions if name not in self.leaves]
        self.read = [name for name in self.numbers if name not in self.picked]
        self.scan = Scan()
        self.enters = no_spans()
        self._runs = array("i")

    def tell_sides(self, start: int, stop: int) -> None:
        """Conditions on means: rows [start, stop), whole blocks."""
        pairs: dict[tuple[Mean, Mean], dict[str, Leaf]] = {}
        for name, leaf in self.leaves.items():
            pairs.setdefault((leaf.one, leaf.other), {})[name] = leaf
        frames = self.reader.frames_at(FAR_MS)
        for leaves in pairs.values():
            args = (self.bound, frames, self.reader.symbol, list(leaves), None, self.work_rows)
            sides = MeanSides(self.series, leaves, History(*args), self.ticks, self.work_rows)
            sides.run(start, stop, lambda name: self.spans_of(name)[0], self.take)

    def asked_first(self, span: tuple[int, int]) -> Request:
        """The conditions that are read from columns, and the numbers beside `enter`."""
        if "enter" in self.dense:
            names = [*self.dense, *self.read]
            return Request(self.bound, self.reader.symbol, names, span, self._take_all)
        return Request(self.bound, self.reader.symbol, self.dense, span, self.take)

    def asked_then(self, span: tuple[int, int]) -> Request:
        """The numbers at rows that are known by now."""
        names = [] if "enter" in self.dense else self.read
        for name in names:
            self.scan.values[name] = array("d", bytes(8 * len(self.scan.rows)))
        return Request(self.bound, self.reader.symbol, names, span, self._pick)

    # --- taking over what is told ----------------------------------------------------------------

    def take(self, columns: Mapping[str, Column], first: int, at: int, stop: int) -> None:
        """Runs of the conditions among these columns."""
        if len(self._runs) < stop - at + 2:
            self._runs = array("i", bytes(4 * (stop - at + 2)))
        runs = self._runs
        for name, column in columns.items():
            if name not in self.conditions:
                continue
            yes, unknown = self.spans_of(name)
            add_runs(yes, runs, flag_runs(column, first, at, stop, 1, runs))
            add_runs(unknown, runs, flag_runs(column, first, at, stop, -1, runs))

    def spans_of(self, name: str) -> tuple[Spans, Spans]:
        """Where a condition holds, and where it is not ready."""
        if name == "enter":
            return self.enters, self.scan.unknown_enter
        return self.scan.leaves, self.scan.unknown_exit

    def _take_all(self, columns: Mapping[str, Column], first: int, at: int, stop: int) -> None:
        """Conditions, `enter` among them, and the numbers at its rows."""
        self.take(columns, first, at, stop)
        count = flag_runs(columns["enter"], first, at, stop, 1, self._runs)
        rows = _rows_of(self._runs[:count])
        self.scan.rows.extend(rows)
        for name, column in columns.items():
            if name not in self.conditions:
                made = array("d", bytes(8 * len(rows)))
                picked_floats(column, first, rows, 0, len(rows), made)
                self.scan.values.setdefault(name, array("d")).extend(made)

    def list_rows(self) -> None:
        """The rows of signals, when their runs are known."""
        if "enter" not in self.dense:
            self.scan.rows = _rows_of(self.enters)

    def _pick(self, columns: Mapping[str, Column], first: int, at: int, stop: int) -> None:
        """Numbers at the rows of signals, which are known."""
        rows = self.scan.rows
        low, high = bisect_left(rows, at), bisect_left(rows, stop)
        if low < high:
            for name, column in columns.items():
                picked_floats(column, first, rows, low, high, self.scan.values[name])

    # --- numbers that hang on one bar ------------------------------------------------------------

    def _is_pointwise(self, index: int) -> bool:
        nodes = (self.bound.nodes[i] for i in self.bound.below(index))
        return all(node.form in POINTWISE and not node.place for node in nodes)

    def pick_pointwise(self) -> None:
        """Numbers that hang on the bar of their signal only."""
        if not self.picked:
            return
        rows, whole = self.scan.rows, self.series
        nodes = self.bound.nodes
        order = sorted({i for n in self.picked for i in self.bound.below(self.bound.outputs[n])})
        wanted = {name for i in order for name in nodes[i].columns}
        columns: dict[str, Any] = {}
        for name in ("open", "high", "low", "close"):
            columns[name] = array("q", bytes(8 * len(rows) * (name in wanted)))
            if name in wanted:
                picked_ticks(getattr(whole, name), rows, columns[name])
        volume = array("d", bytes(8 * len(rows) * ("volume" in wanted)))
        if "volume" in wanted:
            picked_floats(whole.volume, 0, rows, 0, len(rows), volume)
        bars = Window(
            Series(whole.symbol, whole.step_ms, whole.tick, array("q"), **columns, volume=volume),
            0,
            len(rows),
        )
        made: dict[int, Any] = {}
        for i in order:
            node = nodes[i]
            if node.form == "column":
                made[i] = getattr(bars, node.columns[0])
                continue
            made[i] = new_column(node, len(rows))
            fill(node, bars, [made[j] for j in node.args], (made[i],), 0, len(rows), None)
        for name in self.picked:
            self.scan.values[name] = array("d", made[self.bound.outputs[name]])


def _rows_of(runs: Spans) -> Spans:
    """Every row of the runs."""
    offsets = array("i", bytes(2 * len(runs)))
    rows = array("i", bytes(4 * run_offsets(runs, offsets)))
    row_list(runs, rows)
    return rows
