"""Whole histories: a program's outputs on every bar of a series, equal to what each decision saw.

Lives here: `History`, which a back-test asks once instead of asking every decision: the same
anchored values, part after part, in scratch columns that are made once and lent to whoever reads
them; and `evaluate_history`, which keeps them. Must not live here: what a value means (`frames`),
what a node computes (`rules`), decisions.

Where every node below is exact, a value does not depend on where its rows start as long as its
warm-up lies before it, so many anchor blocks are computed in one go and only those whose warm-up
has holes are computed from their own start. Exact to the bit are indicators that read their
window anew for each row; and a mean, whose kernel carries the exact sum along, where its input is
near: 2**20 between the largest and the smallest value, at most 2**14 rows in a window and 2**18 in
one go stay below the 2**53 units of the smallest that the second float of the sum can hold.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from trader.core.frames import Block, Frames, anchor_ms
from trader.core.rule_kernels import near_rows
from trader.core.rules import Bound, Column, fill, new_column, new_state
from trader.core.series import Series
from trader.core.strategy import NEAR, Window
from trader.core.tiles import Tiles, is_faded, is_mean

# Rows computed in one go: their columns stay in the processor's caches (8,192 rows took 16 %
# longer for a cross of two means, 65,536 no less).
ROWS_AT_ONCE = 32_768
# Rows told at a time where each block is computed by itself.
ROWS_TOLD = 8_192
# Anchor blocks after which blocks of other timeframes are forgotten: memory stays flat.
BLOCKS_KEPT = 256
REREAD = frozenset(
    {
        "wma", "stdev", "variance", "percentrank", "linreg", "slope", "correlation", "highest",
        "lowest", "donchian", "aroon", "williams_r", "true_range",
    }
)  # fmt: skip
# What is told of rows [at, stop): columns by output, whose first row is `first`.
Sink = Callable[[Mapping[str, Column], int, int, int], None]


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
    if outs is None:
        outs = {
            name: new_column(bound.nodes[index], len(series))
            for name, index in bound.outputs.items()
        }
    views = {name: memoryview(out) for name, out in outs.items()}

    def put(columns: Mapping[str, Column], first: int, at: int, stop: int) -> None:
        for name, view in views.items():
            view[at:stop] = memoryview(columns[name])[at - first : stop - first]

    whole = Window(series) if bars is None else bars
    History(bound, frames, symbol, bound.outputs, whole).all(put)
    return outs


class Grid:
    """The anchor blocks of a series, and which rows have enough rows before them."""

    def __init__(self, series: Series, anchor_bars: int, warmup: int) -> None:
        """`warmup`: rows before an anchor block that its evaluation reads."""
        self.opens = series.open_ms
        self.step_ms = series.step_ms
        self.anchor_bars = anchor_bars
        self.warmup = warmup
        self.block_ms = anchor_bars * self.step_ms

    def start_ms(self, row: int) -> int:
        """Start of the anchor block that holds a row."""
        return anchor_ms(self.opens[row], self.step_ms, self.anchor_bars)

    def index(self, open_ms: int, guess: int) -> int:
        """Index of the first bar at or after a time; where no bar is absent the guess is right."""
        opens = self.opens
        if 0 <= guess < len(opens) and opens[guess] == open_ms:
            return guess
        return bisect_left(opens, open_ms)

    def first(self, at: int) -> int:
        """First row that the evaluation of the block that begins at row `at` reads."""
        return self.index(self.start_ms(at) - self.warmup * self.step_ms, at - self.warmup)

    def end(self, at: int, blocks: int = 1) -> int:
        """Where the block that begins at row `at` ends, or so many blocks."""
        return self.index(
            self.start_ms(at) + blocks * self.block_ms, at + blocks * self.anchor_bars
        )

    def is_unbroken(self, start: int, stop: int) -> bool:
        """Whether no bar is absent between two rows of [start, stop)."""
        opens = self.opens
        return start >= stop or opens[stop - 1] - opens[start] == (stop - 1 - start) * self.step_ms

    def parts(
        self, start: int, stop: int, needs: int, blocks: int
    ) -> Iterator[tuple[int, int, bool]]:
        """(at, stop, ready) of rows [start, stop), which are whole blocks: where `ready`, at most
        so many blocks, each of which has `needs` rows before it; else one block."""
        at = start
        while at < stop:
            end = min(stop, self.end(at, blocks))
            first = self.first(at)
            whole = self.opens[first] == self.start_ms(at) - self.warmup * self.step_ms
            if whole and self.warmup >= needs and self.is_unbroken(first, end):
                yield at, end, True
                at = end
                continue
            while at < end:
                after = min(end, self.end(at))
                if at - self.first(at) < needs:
                    yield at, after, False
                    at = after
                    continue
                begun = at
                while at < end and at - self.first(at) >= needs:
                    at = min(end, self.end(at))
                yield begun, at, True


class _Scratch:
    """Columns for the nodes of one timeframe, filled over and over from row 0."""

    def __init__(self, bound: Bound, order: Iterable[int], rows: int) -> None:
        self.nodes = [(i, bound.nodes[i]) for i in order]
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
        for source in {node.args[0] for node in nodes.values() if is_mean(node)}:
            node = nodes[source]
            if node.form == "column":
                near = bars.is_near(node.columns[0])
            else:
                near = bool(near_rows(self.columns[source], 0, len(bars), NEAR))
            if not near:
                return False
        return True


class History:
    """Some outputs of a program on an instrument, told to a sink part by part, in any range."""

    def __init__(
        self,
        bound: Bound,
        frames: Frames,
        symbol: str,
        names: Iterable[str],
        bars: Window | None = None,
        work_rows: int = ROWS_AT_ONCE,
    ) -> None:
        """`names`: the outputs that are wanted. `work_rows`: about how many rows are computed in
        one go; it changes no value."""
        self.bound = bound
        self.symbol = symbol
        self.outputs = {name: bound.outputs[name] for name in names}
        self.frame = bound.frames[0]
        self.series = frames.series[symbol, self.frame.timeframe]
        self.bars = bars
        self.grid = Grid(self.series, frames.anchor_bars, self.frame.warmup)
        self._frames = frames
        self._told = 0
        below = {i for index in self.outputs.values() for i in bound.below(index)}
        self.order = [i for i in self.frame.order if i in below]
        nodes = [bound.nodes[i] for i in self.order]
        self.needs = max((node.warmup for node in nodes), default=0)
        self.alone = not any(node.form == "on" for node in nodes)
        self.exact = self.alone and all(
            node.indicator is None or node.indicator.name in REREAD or is_mean(node)
            for node in nodes
        )
        self.blocks = max(1, work_rows // frames.anchor_bars) if self.exact else 1
        self.tiled = self.alone and all(
            node.indicator is None or node.indicator.name in REREAD or is_faded(bound, node)
            for node in nodes
        )
        self.together = max(1, min(work_rows, ROWS_TOLD) // frames.anchor_bars)
        self._scratches: dict[int, _Scratch] = {}
        self._kept: dict[str, tuple[Any, int]] = {}
        self._tiles: Tiles | None = None

    def all(self, sink: Sink) -> None:
        """Every row of the series."""
        self.tell(0, len(self.series), sink)

    def tell(self, start: int, stop: int, sink: Sink) -> None:
        """Rows [start, stop), which are whole anchor blocks but for the ends of the series."""
        if not self.exact:
            self._apart(start, stop, sink)
            return
        for at, end, ready in self.grid.parts(start, stop, self.needs, self.blocks):
            if ready:
                self.go(at, end, sink)
            else:
                self._apart(at, end, sink)

    def go(self, at: int, stop: int, sink: Sink) -> None:
        """Rows [at, stop) of several anchor blocks in one go, where that is exact."""
        first = self.grid.first(at)
        bars = Window(self.series, first, stop, self.bars)
        scratch = self._scratch(self.blocks)
        scratch.run(bars)
        if scratch.is_near(bars):
            columns = {name: scratch.columns[index] for name, index in self.outputs.items()}
            sink(columns, first, at, stop)
        else:
            self._apart(at, stop, sink)

    def _apart(self, start: int, stop: int, sink: Sink) -> None:
        """Rows [start, stop), each anchor block from its own start; told many blocks at a time."""
        at = start
        while at < stop:
            end = min(stop, self.grid.end(at, self.together))
            if self.tiled and self.grid.is_unbroken(at, end):
                # The first block has no warm-up of its own, and the last may not be whole.
                told = self._tile(at, end, sink)
                end = told if told > at else min(end, self.grid.end(at))
                if told == at:
                    self._blocks(at, end, sink)
            elif self.alone:
                self._blocks(at, end, sink)
            else:
                end = min(stop, self.grid.end(at))
                self._block_of_frames(at, end, sink)
            at = end

    def _blocks(self, at: int, stop: int, sink: Sink) -> None:
        """Rows [at, stop) of some blocks of a program that looks at no other timeframe."""
        grid, scratch = self.grid, self._scratch(1)
        whole = Window(self.series, grid.first(at), stop, self.bars)
        views = self._views()
        row = at
        while row < stop:
            after, first = min(stop, grid.end(row)), grid.first(row)
            scratch.run(Window(self.series, first, after, whole))
            for view, index in views.values():
                part = memoryview(scratch.columns[index])[row - first : after - first]
                view[row - at : after - at] = part
            row = after
        sink({name: view for name, (view, _) in views.items()}, at, at, stop)

    def _tile(self, at: int, stop: int, sink: Sink) -> int:
        """Rows [at, ...) of the whole blocks among these, when no bar is absent; where they end."""
        grid, own = self.grid, self.grid.anchor_bars
        count, first = (stop - at) // own, grid.first(at)
        if not count or at - first != grid.warmup or not grid.is_unbroken(first, stop):
            return at
        if self._tiles is None:
            self._tiles = Tiles(self.bound, self.order, grid.warmup, own, self.together)
        tiles, end = self._tiles, at + count * own
        if not tiles.fits or grid.opens[at] != grid.start_ms(at):
            return at
        if not tiles.run(Window(self.series, first, end, self.bars), count):
            return at
        views = self._views()
        for view, index in views.values():
            column = memoryview(tiles.columns[index])
            for block in range(count):
                begin = block * tiles.width + tiles.depth
                view[block * own : (block + 1) * own] = column[begin : begin + own]
        sink({name: view for name, (view, _) in views.items()}, at, at, end)
        return end

    def _views(self) -> dict[str, tuple[Any, int]]:
        """Where rows of several blocks are put together, and the node of each output."""
        if not self._kept:
            rows = self.together * self.grid.anchor_bars
            for name, index in self.outputs.items():
                column = new_column(self.bound.nodes[index], rows)
                self._kept[name] = (memoryview(column), index)
        return self._kept

    def _block_of_frames(self, at: int, stop: int, sink: Sink) -> None:
        """Rows [at, stop) of one block of a program that looks at other timeframes."""
        first = self.grid.first(at)
        self._told += 1
        if self._told % BLOCKS_KEPT == 0:
            old = self._frames
            self._frames = Frames(old.series, old.close_ms, old.anchor_bars)
        key = (self.symbol, self.frame.timeframe)
        start_ms = self.grid.start_ms(at) - self.grid.warmup * self.grid.step_ms
        block = Block(self._frames, key, self.series, (first, at, stop), start_ms)
        columns = {name: block.column(self.bound, index) for name, index in self.outputs.items()}
        sink(columns, first, at, stop)

    def _scratch(self, blocks: int) -> _Scratch:
        found = self._scratches.get(blocks)
        if found is None:
            rows = blocks * self.grid.anchor_bars + self.frame.warmup
            found = self._scratches[blocks] = _Scratch(self.bound, self.order, rows)
        return found
