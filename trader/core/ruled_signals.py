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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from trader.core.history import Grid, History, is_mean
from trader.core.indicator import SLOTS
from trader.core.own_reader import DataScan, OwnReader, Scan
from trader.core.rules import Bound, Column, Node, bound_of, fill, new_column
from trader.core.run_kernels import flag_runs, picked_floats, picked_ticks, row_list
from trader.core.series import Series
from trader.core.sides import runs_on, side_rows, span_fits, tick_limit
from trader.core.spans import Spans, add_runs, no_spans
from trader.core.strategy import NEAR, PRICES, Window

FAR_MS = 2**60
# Prices up to here below and above 1 are far from where floats lose digits.
TICK_LEAST, TICK_MOST = 1e-100, 1e100
ROWS_IN_GO = 1 << 18
# Which sides an operator wants, see `sides.runs_on`.
WANTED = {"gt": 4, "lt": 4, "ge": 6, "le": 6, "eq": 2, "ne": 5}
CROSSED = {"crosses_above": 4, "crosses_below": 1}
SWAPPED = {4: 1, 6: 3, 2: 2, 5: 5, 1: 4}
POINTWISE = frozenset({"column", "number", "unary", "binary", "mean"})
Mean = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A condition on two means of prices: (column, rows) of each, which sides it wants, and
    whether only the row at which a side begins."""

    one: Mean
    other: Mean
    wanted: int
    crossing: bool


def leaf_of(bound: Bound, index: int) -> Leaf | None:
    """The condition that a node is, when it is one on two means of prices."""
    node = bound.nodes[index]
    wanted = WANTED.get(node.op, CROSSED.get(node.op, 0))
    if not wanted or node.place:
        return None
    one, other = (_mean_of(bound, bound.nodes[i]) for i in node.args)
    if one is None or other is None:
        return None
    crossing = node.op in CROSSED
    if other < one:
        return Leaf(other, one, SWAPPED[wanted], crossing)
    return Leaf(one, other, wanted, crossing)


def _mean_of(bound: Bound, node: Node) -> Mean | None:
    if node.form == "column" and node.columns[0] in PRICES:
        return node.columns[0], 1
    if is_mean(node):
        below = bound.nodes[node.args[0]]
        if below.form == "column" and below.columns[0] in PRICES:
            return below.columns[0], int(node.numbers[0])
    return None


def scan_rules(
    reader: OwnReader, names: Iterable[str], work_rows: int, want: tuple[int, int] | None
) -> Scan:
    """Everything that rules say; `names`: numbers that the strategy may have."""
    rules = _Rules(reader, names, work_rows)
    start, stop = reader.asked(want)
    rules.run(start, stop)
    data = DataScan(reader, rules.bound.frames)
    data.run(start, stop)
    rules.scan.data, rules.scan.slow = data.problems, data.slow
    return rules.scan


class _Rules:
    """One scan in progress."""

    def __init__(self, reader: OwnReader, names: Iterable[str], work_rows: int) -> None:
        assert reader.series is not None
        spec = reader.spec
        program = reader.code.program
        self.reader = reader
        self.series = reader.series
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
        self.scan = Scan()
        self.enters = no_spans()
        self._runs = array("i")

    def run(self, start: int, stop: int) -> None:
        """Rows [start, stop), whole blocks."""
        pairs: dict[tuple[Mean, Mean], list[str]] = {}
        for name, leaf in self.leaves.items():
            pairs.setdefault((leaf.one, leaf.other), []).append(name)
        for names in pairs.values():
            _Sided(self, names).run(start, stop)
        numbers = [name for name in self.numbers if name not in self.picked]
        dense = [name for name in self.conditions if name not in self.leaves]
        if "enter" in dense:
            self.history([*dense, *numbers]).tell(start, stop, self._take_all)
        else:
            if dense:
                self.history(dense).tell(start, stop, self.take)
            self._list_rows()
            if numbers:
                for name in numbers:
                    column = array("d", bytes(8 * len(self.scan.rows)))
                    self.scan.values[name] = column
                self.history(numbers).tell(start, stop, self._pick)
        self._pick_pointwise()

    def history(self, names: Iterable[str]) -> History:
        """Columns of some outputs."""
        frames = self.reader.frames_at(FAR_MS)
        return History(self.bound, frames, self.reader.symbol, names, None, self.work_rows)

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

    def _list_rows(self) -> None:
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

    def _pick_pointwise(self) -> None:
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
    count = sum(runs[1::2]) - sum(runs[::2])
    rows = array("i", bytes(4 * count))
    row_list(runs, rows)
    return rows


class _Sided:
    """The conditions on one pair of means."""

    def __init__(self, rules: _Rules, names: list[str]) -> None:
        leaf = rules.leaves[names[0]]
        series = rules.series
        self.rules, self.names = rules, names
        self.one, self.n = getattr(series, leaf.one[0]), leaf.one[1]
        self.other, self.m = getattr(series, leaf.other[0]), leaf.other[1]
        self.same = leaf.one[0] == leaf.other[0]
        self.crossing = any(rules.leaves[name].crossing for name in names)
        # A cross also looks at the row before.
        self.needs = max(self.n, self.m) - (0 if self.crossing else 1)
        self.fraction = series.tick.as_integer_ratio()
        fits = TICK_LEAST < float(series.tick) < TICK_MOST and self.fraction[1] < 1 << 53
        self.limit = tick_limit(self.n, self.m, self.fraction[0]) if fits else 0
        self.history = rules.history(names)
        self.work = memoryview(array("d", bytes(16 * max(self.n, self.m))))
        self.state = array("d", bytes(8 * SLOTS))

    def run(self, start: int, stop: int) -> None:
        """Rows [start, stop), whole blocks."""
        anchor_bars, warmup = self.rules.reader.anchor_bars, self.rules.bound.frames[0].warmup
        blocks = max(1, self.rules.work_rows // anchor_bars)
        grid = Grid(self.rules.series, anchor_bars, warmup)
        room = blocks * anchor_bars + 2
        rows, sides = array("i", bytes(4 * room)), array("b", bytes(room))
        runs = array("i", bytes(8 * room))
        for at, end, ready in grid.parts(start, stop, self.needs, blocks):
            first = grid.first(at)
            if not ready or not self._fits(first, end):
                self.history.tell(at, end, self.rules.take)
                continue
            begin = at if self.crossing else at + 1
            count = side_rows(
                self.one, self.n, self.other, self.m, begin, end, int(self.same),
                *self.fraction, rows, sides, self.work, self.state,
            )  # fmt: skip
            for name in self.names:
                leaf = self.rules.leaves[name]
                told = runs_on(rows, sides, count, at, end, leaf.wanted, int(leaf.crossing), runs)
                add_runs(self.rules.spans_of(name)[0], runs, told)

    def _fits(self, first: int, stop: int) -> bool:
        """Whether the prices that means of these rows read are such that sides can be told."""
        if self.limit < 1:
            return False
        factor = int(NEAR * NEAR)
        if not span_fits(self.one, first, stop, self.limit, factor):
            return False
        return self.same or bool(span_fits(self.other, first, stop, self.limit, factor))
