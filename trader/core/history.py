"""Whole histories: a program's outputs on every bar of a series, equal to what each decision saw.

Lives here: `evaluate_history`, which a back-test asks once instead of asking every decision: the
same anchored values, block after block, in scratch columns that are made once. Must not live here:
what a value means (`frames`), what a node computes (`rules`), decisions.

Where every node below is exact, a value does not depend on where its rows start as long as its
warm-up lies before it, so many anchor blocks are computed in one go and only those whose warm-up
has holes are computed again, from their own start. Exact to the bit are indicators that read their
window anew for each row; and a mean, whose kernel carries the exact sum along, where its input is
near: 2**20 between the largest and the smallest value, at most 2**14 rows in a window and 2**18 in
one go stay below the 2**53 units of the smallest that the second float of the sum can hold.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from trader.core.frames import Block, Frames, anchor_ms
from trader.core.rule_kernels import near_rows
from trader.core.rules import Bound, Column, Node, fill, new_column, new_state
from trader.core.series import Series
from trader.core.strategy import NEAR, Window

# Rows computed in one go: their columns stay in the processor's caches (8,192 rows took 16 %
# longer for a cross of two means, 65,536 no less).
ROWS_AT_ONCE = 32_768
REREAD = frozenset(
    {
        "wma", "stdev", "variance", "percentrank", "linreg", "slope", "correlation", "highest",
        "lowest", "donchian", "aroon", "williams_r", "true_range",
    }
)  # fmt: skip


def evaluate_history(
    bound: Bound,
    frames: Frames,
    symbol: str,
    bars: Window | None = None,
    outs: dict[str, Any] | None = None,
) -> dict[str, Column]:
    """Each output of a program on every bar of its own timeframe, as long as the series.

    `frames` holds the series of every timeframe of the program. `bars` are the rows of the
    program's own, when somebody has their prices as floats already; `outs` the columns of an
    earlier evaluation of as many bars, to be written over.
    """
    series = frames.series[symbol, bound.frames[0].timeframe]
    whole = Window(series) if bars is None else bars
    if outs is None:
        outs = {
            name: new_column(bound.nodes[index], len(series))
            for name, index in bound.outputs.items()
        }
    return _History(bound, frames, symbol, series, whole, outs).run()


class _Scratch:
    """Columns for the nodes of one timeframe, filled over and over from row 0."""

    def __init__(self, bound: Bound, rows: int) -> None:
        self.nodes = [(i, bound.nodes[i]) for i in bound.frames[0].order]
        self.columns: dict[int, Any] = {}
        self._calls: dict[int, list[Any]] = {}
        made: dict[str, Any] = {}
        for index, node in self.nodes:
            if node.form == "column":
                continue
            keys = node.lines or (node.key,)
            if node.key not in made:
                made.update((key, new_column(node, rows)) for key in keys)
                self._calls[index] = [made[key] for key in keys]
            self.columns[index] = made[node.key]

    def run(self, bars: Window) -> None:
        """Fill rows [0, len(bars)) of every column."""
        columns, rows = self.columns, len(bars)
        for index, node in self.nodes:
            if node.form == "column":
                columns[index] = getattr(bars, node.columns[0])
            elif index in self._calls:
                args = [columns[i] for i in node.args]
                fill(node, bars, args, self._calls[index], 0, rows, new_state(node))

    def is_near(self, bars: Window) -> bool:
        """Whether the inputs of means are such that their sums were exact."""
        nodes = dict(self.nodes)
        for source in {node.args[0] for node in nodes.values() if _is_mean(node)}:
            node = nodes[source]
            if node.form == "column":
                near = bars.is_near(node.columns[0])
            else:
                near = bool(near_rows(self.columns[source], 0, len(bars), NEAR))
            if not near:
                return False
        return True


def _is_mean(node: Node) -> bool:
    return node.indicator is not None and node.indicator.name == "sma"


class _History:
    """One evaluation in progress."""

    def __init__(
        self,
        bound: Bound,
        frames: Frames,
        symbol: str,
        series: Series,
        bars: Window,
        outs: dict[str, Any],
    ) -> None:
        self.bound = bound
        self.all = frames
        self.symbol = symbol
        self.series = series
        self.bars = bars
        self.outs = outs
        self.frame = bound.frames[0]
        self.block_ms = frames.anchor_bars * self.frame.step_ms
        self.warm_ms = self.frame.warmup * self.frame.step_ms
        self.needs = max((bound.nodes[i].warmup for i in self.frame.order), default=0)
        self._views = {name: memoryview(out) for name, out in outs.items()}
        self._block_scratch: _Scratch | None = None

    def run(self) -> dict[str, Column]:
        opens, at = self.series.open_ms, 0
        exact = len(self.bound.frames) == 1 and all(
            node.indicator is None or node.indicator.name in REREAD or _is_mean(node)
            for node in (self.bound.nodes[i] for i in self.frame.order)
        )
        blocks = max(1, ROWS_AT_ONCE // self.all.anchor_bars) if exact else 1
        scratch = _Scratch(self.bound, blocks * self.all.anchor_bars + self.frame.warmup)
        self._block_scratch = scratch if blocks == 1 else None
        while at < len(opens):
            start = anchor_ms(opens[at], self.frame.step_ms, self.all.anchor_bars)
            stop = self._index(start + blocks * self.block_ms, at + blocks * self.all.anchor_bars)
            if not exact:
                self._block(start, at, stop)
            else:
                self._blocks(scratch, start, at, stop)
            at = stop
        return self.outs

    def _blocks(self, scratch: _Scratch, start: int, at: int, stop: int) -> None:
        """Rows [at, stop) of several anchor blocks in one go, where that is exact."""
        opens, step_ms = self.series.open_ms, self.frame.step_ms
        first = self._index(start - self.warm_ms, at - self.frame.warmup)
        bars = Window(self.series, first, stop, self.bars)
        scratch.run(bars)
        near = scratch.is_near(bars)
        if near:
            self._keep(scratch, first, at, stop)
            is_whole = opens[first] == start - self.warm_ms
            if is_whole and opens[stop - 1] - opens[first] == (stop - 1 - first) * step_ms:
                return
        while at < stop:
            start = anchor_ms(opens[at], step_ms, self.all.anchor_bars)
            end = self._index(start + self.block_ms, at + self.all.anchor_bars)
            first = self._index(start - self.warm_ms, at - self.frame.warmup)
            if not near or at - first < self.needs:
                self._block(start, at, end)
            at = end

    def _block(self, start: int, at: int, stop: int) -> None:
        """Rows [at, stop) of one anchor block, from its own start."""
        first = self._index(start - self.warm_ms, at - self.frame.warmup)
        if len(self.bound.frames) == 1:
            if self._block_scratch is None:
                rows = self.all.anchor_bars + self.frame.warmup
                self._block_scratch = _Scratch(self.bound, rows)
            self._block_scratch.run(Window(self.series, first, stop, self.bars))
            self._keep(self._block_scratch, first, at, stop)
            return
        key = (self.symbol, self.frame.timeframe)
        block = Block(self.all, key, self.series, (first, at, stop))
        for name, index in self.bound.outputs.items():
            self._put(name, block.column(self.bound, index), first, at, stop)

    def _index(self, open_ms: int, guess: int) -> int:
        """Index of the first bar at or after a time; where no bar is absent the guess is right."""
        opens = self.series.open_ms
        if 0 <= guess < len(opens) and opens[guess] == open_ms:
            return guess
        return bisect_left(opens, open_ms)

    def _keep(self, scratch: _Scratch, first: int, at: int, stop: int) -> None:
        for name, index in self.bound.outputs.items():
            self._put(name, scratch.columns[index], first, at, stop)

    def _put(self, name: str, column: Column, first: int, at: int, stop: int) -> None:
        """Rows [at, stop) of the series from a column that starts at row `first`."""
        self._views[name][at:stop] = memoryview(column)[at - first : stop - first]
