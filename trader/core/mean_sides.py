"""Mean sides: conditions on two means of prices over many rows, told by whole ticks.

Lives here: which rules are such conditions, how their rows are gone through part by part, and what
is known of the prices of each stretch of rows, shared by every pair of means that reads them. Rows
of which ticks cannot tell are left to columns (`history`). Must not live here: the loops (`sides`).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from typing import Any

from trader.core.history import Grid, History, Sink
from trader.core.indicator import SLOTS
from trader.core.rules import Bound, Node
from trader.core.series import Series
from trader.core.sides import runs_on, side_rows, tick_limit, tick_spans
from trader.core.spans import Spans, add_runs
from trader.core.strategy import NEAR, PRICES
from trader.core.tiles import is_mean
from trader.records import dataclass

# Prices up to here below and above 1 are far from where floats lose digits.
TICK_LEAST, TICK_MOST = 1e-100, 1e100
# Rows whose smallest and largest price are kept together.
TILE_ROWS = 4_096
# Which sides an operator wants, see `sides.runs_on`.
WANTED = {"gt": 4, "lt": 4, "ge": 6, "le": 6, "eq": 2, "ne": 5}
CROSSED = {"crosses_above": 4, "crosses_below": 1}
SWAPPED = {4: 1, 6: 3, 2: 2, 5: 5, 1: 4}
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


class TickSpans:
    """The smallest and the largest price of each stretch of rows of some columns, each looked at
    once."""

    def __init__(self) -> None:
        """Nothing is looked at until it is asked for."""
        self._known: dict[tuple[int, str], tuple[Series, Any, Any]] = {}

    def fit(self, series: Series, column: str, start: int, stop: int, limit: int) -> bool:
        """Whether prices of rows [start, stop), and of those that share a stretch with them, are
        above 0, at most `limit` ticks, and near each other."""
        _, least, most = self._tiles(series, column)
        first, last = start // TILE_ROWS, (stop - 1) // TILE_ROWS + 1
        ticks = getattr(series, column)
        for tile in range(first, last):
            if most[tile] == 0:
                tick_spans(ticks, tile, TILE_ROWS, least, most)
        low, high = min(least[first:last]), max(most[first:last])
        return 0 < low <= high <= limit and high <= low * int(NEAR * NEAR)

    def _tiles(self, series: Series, column: str) -> tuple[Series, Any, Any]:
        found = self._known.get((id(series), column))
        if found is None:
            count = -(-len(series) // TILE_ROWS)
            # The series is kept with what is known of it: its id is not another's then.
            found = (series, array("q", bytes(8 * count)), array("q", bytes(8 * count)))
            self._known[id(series), column] = found
        return found


class MeanSides:
    """The conditions on one pair of means, on one instrument."""

    def __init__(
        self,
        series: Series,
        leaves: Mapping[str, Leaf],
        history: History,
        ticks: TickSpans,
        work_rows: int,
    ) -> None:
        """`leaves`: conditions on the same two means, by name. `history`: the same conditions as
        columns."""
        leaf = next(iter(leaves.values()))
        self.series, self.leaves, self.history, self.ticks = series, leaves, history, ticks
        self.names = (leaf.one[0], leaf.other[0])
        self.one, self.n = getattr(series, leaf.one[0]), leaf.one[1]
        self.other, self.m = getattr(series, leaf.other[0]), leaf.other[1]
        self.crossing = any(leaf.crossing for leaf in leaves.values())
        # A cross also looks at the row before.
        self.needs = max(self.n, self.m) - (0 if self.crossing else 1)
        self.fraction = series.tick.as_integer_ratio()
        fits = TICK_LEAST < float(series.tick) < TICK_MOST and self.fraction[1] < 1 << 53
        self.limit = tick_limit(self.n, self.m, self.fraction[0]) if fits else 0
        self.blocks = max(1, work_rows // history.grid.anchor_bars)
        self.work = memoryview(array("d", [0.0]) * (2 * max(self.n, self.m)))
        self.state = array("d", bytes(8 * SLOTS))

    def run(self, start: int, stop: int, spans_of: Callable[[str], Spans], take: Sink) -> None:
        """Rows [start, stop), whole blocks: `spans_of` a condition gets the rows where it holds,
        `take` the columns of rows of which ticks cannot tell."""
        grid: Grid = self.history.grid
        room = self.blocks * grid.anchor_bars + 2
        rows, sides = array("i", bytes(4 * room)), array("b", bytes(room))
        runs = array("i", bytes(8 * room))
        same = int(self.names[0] == self.names[1])
        for at, end, ready in grid.parts(start, stop, self.needs, self.blocks):
            if not ready or not self._fits(grid.first(at), end):
                self.history.tell(at, end, take)
                continue
            begin = at if self.crossing else at + 1
            count = side_rows(
                self.one, self.n, self.other, self.m, begin, end, same, *self.fraction,
                rows, sides, self.work, self.state,
            )  # fmt: skip
            for name, leaf in self.leaves.items():
                told = runs_on(rows, sides, count, at, end, leaf.wanted, int(leaf.crossing), runs)
                add_runs(spans_of(name), runs, told)

    def _fits(self, first: int, stop: int) -> bool:
        """Whether the prices that means of these rows read are such that sides can be told."""
        return self.limit > 0 and all(
            self.ticks.fit(self.series, name, first, stop, self.limit) for name in set(self.names)
        )
