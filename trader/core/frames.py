"""Frames: the rows that one decision evaluates, and what was computed over them, shared.

Lives here: anchored blocks of one instrument and timeframe, the values of a program's nodes over
them (each computed once, whichever strategy asks), and how a higher timeframe is seen from the rows
of another. Must not live here: the meaning of a node (`rules`), opinions (`signals`).

What a value means: for a bar, its anchor block is the bar grid rounded down to `anchor_bars`; the
value is computed from the rows [start of that block - warm-up, the bar]. Rows of an earlier block,
and bars of a higher timeframe, take theirs from their own block, so that a value never depends on
who asks for it, when, or with how much history at hand.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Mapping
from math import nan
from typing import Any

from trader.core.rule_kernels import newest_closed_rows
from trader.core.rules import Bound, Column, Frame, Node, fill, new_column, new_state
from trader.core.series import Series
from trader.core.strategy import Window
from trader.domain.timeframe import grid_origin_ms

SeriesKey = tuple[str, str]
Rows = tuple[int, int, int]


def last_open_ms(close_ms: int, step_ms: int) -> int:
    """Open time of a strategy's newest bar closed at `close_ms`."""
    origin = grid_origin_ms(step_ms)
    return (close_ms - origin) // step_ms * step_ms + origin - step_ms


def anchor_ms(open_ms: int, step_ms: int, anchor_bars: int) -> int:
    """Start of the anchor block that holds the bar opening at `open_ms`."""
    block = step_ms * anchor_bars
    origin = grid_origin_ms(step_ms)
    return (open_ms - origin) // block * block + origin


class Block:
    """Rows of one instrument and timeframe from one start on, and node values over them.

    Attributes:
        bars: the rows [first, stop) of the series; own: index of the first row of the anchor block
            (before it lies the warm-up).
    """

    __slots__ = (
        "_frames", "_key", "_values", "bars", "first", "own", "start_ms", "step_ms", "stop",
    )  # fmt: skip

    def __init__(
        self, frames: Frames, key: SeriesKey, series: Series, rows: Rows, start_ms: int
    ) -> None:
        """`rows`: (first, start of the anchor block, stop), indices into the series. `start_ms`:
        from when on rows are read, whether or not there is a bar."""
        self.start_ms = start_ms
        self.first, own, self.stop = rows
        self.own = own - self.first
        self.step_ms = series.step_ms
        self.bars = Window(series, self.first, self.stop)
        self._frames = frames
        self._key = key
        self._values: dict[str, Column] = {}

    def __len__(self) -> int:
        """Rows, warm-up included."""
        return self.stop - self.first

    def column(self, bound: Bound, index: int) -> Column:
        """Values of one node of a program, which lies in the frame that this block is of."""
        node = bound.nodes[index]
        found = self._values.get(node.key)
        if found is None:
            self._fill_all(bound, bound.frames[node.place].order)
            found = self._values[node.key]
        return found

    def _fill_all(self, bound: Bound, order: tuple[int, ...]) -> None:
        """Every node of the frame, arguments first."""
        values = self._values
        rows = len(self)
        for index in order:
            node = bound.nodes[index]
            key = node.key
            if key in values:
                continue
            form = node.form
            if form == "binary":
                one, other = node.below
                out = values[key] = new_column(node, rows)
                node.kernel(values[one], values[other], out, 0, rows)
            elif form == "column":
                values[key] = getattr(self.bars, node.columns[0])
            elif form == "number":
                values[key] = self._frames.number(node, rows)
            elif form == "on":
                values[key] = self._seen(bound, node)
            else:
                keys = node.lines or (key,)
                outs = [new_column(node, rows) for _ in keys]
                args = [values[one] for one in node.below]
                fill(node, self.bars, args, outs, 0, rows, new_state(node))
                values.update(zip(keys, outs, strict=True))

    def _seen(self, bound: Bound, node: Node) -> Column:
        """A node of another timeframe as each row sees it: its newest bar that had closed, of the
        anchor block in which the first row looks for one, or later (so far back a decision has
        bars at hand)."""
        rows = len(self)
        out = array("b", [-1]) * rows if node.flags else array("d", [nan]) * rows
        frame = bound.frames[bound.nodes[node.args[0]].place]
        other = self._frames.series.get((self._key[0], frame.timeframe))
        if other is None or not rows:
            return out
        # Bars whose close is at or before a row's: the first and the last that any row sees.
        shift = self.step_ms - other.step_ms
        low = max(0, bisect_left(other.open_ms, self.bars.open_ms[0] + shift + 1) - 1)
        oldest_ms = last_open_ms(self.start_ms + self.step_ms, frame.step_ms)
        oldest_ms = anchor_ms(oldest_ms, frame.step_ms, self._frames.anchor_bars)
        low = max(low, bisect_left(other.open_ms, oldest_ms))
        high = bisect_left(other.open_ms, self.bars.open_ms[-1] + shift + 1)
        index = array("q", bytes(8 * rows))
        opens = memoryview(other.open_ms)[low:high]
        newest_closed_rows(self.bars.open_ms, shift, opens, low, index)
        while low < high:
            block = self._frames.block(self._key[0], frame, other.open_ms[low])
            assert block is not None
            values = block.column(bound, node.args[0])
            begin = block.first + block.own
            node.kernel(values, block.first, begin, min(block.stop, high), index, out)
            low = block.stop
        return out


class Frames:
    """Every block of one decision. `series` holds the bars at hand; rows that close after
    `close_ms` are not looked at."""

    def __init__(self, series: Mapping[SeriesKey, Series], close_ms: int, anchor_bars: int) -> None:
        """Nothing is computed until it is asked for."""
        self.series = series
        self.close_ms = close_ms
        self.anchor_bars = anchor_bars
        self._blocks: dict[tuple[str, str, Rows, int], Block] = {}
        self._numbers: dict[tuple[str, int], Column] = {}

    def number(self, node: Node, rows: int) -> Column:
        """A column of one number, shared by every block of as many rows."""
        found = self._numbers.get((node.key, rows))
        if found is None:
            found = self._numbers[node.key, rows] = new_column(node, rows)
            fill(node, None, (), (found,), 0, rows, None)
        return found

    def rows(self, symbol: str, frame: Frame, open_ms: int) -> Rows | None:
        """(first, start of the anchor block, stop) of the block that holds a bar, as indices into
        the series; None without a series."""
        series = self.series.get((symbol, frame.timeframe))
        if series is None:
            return None
        step_ms = frame.step_ms
        anchor = anchor_ms(open_ms, step_ms, self.anchor_bars)
        end = min(anchor + self.anchor_bars * step_ms, self.close_ms - step_ms + 1)
        opens = series.open_ms
        own = bisect_left(opens, anchor)
        first = bisect_left(opens, anchor - frame.warmup * step_ms, 0, own)
        return first, own, max(own, bisect_left(opens, end, own))

    def block(self, symbol: str, frame: Frame, open_ms: int) -> Block | None:
        """The block that holds a bar, with a frame's warm-up before it; None without a series."""
        rows = self.rows(symbol, frame, open_ms)
        if rows is None:
            return None
        start_ms = anchor_ms(open_ms, frame.step_ms, self.anchor_bars)
        start_ms -= frame.warmup * frame.step_ms
        key = (symbol, frame.timeframe, rows, start_ms)
        found = self._blocks.get(key)
        if found is None:
            series_key = (symbol, frame.timeframe)
            found = Block(self, series_key, self.series[series_key], rows, start_ms)
            self._blocks[key] = found
        return found


def spans(
    bound: Bound, anchor_bars: int, newest_ms: int, oldest_ms: int
) -> dict[str, tuple[int, int]]:
    """By timeframe: first and last open time of the bars that values of [oldest, newest] read.

    The strategy's own rows reach back to the warm-up before the anchor of the oldest; bars of
    another timeframe to the warm-up before the anchor of the first one that those rows see.
    """
    own = bound.frames[0]
    start = anchor_ms(oldest_ms, own.step_ms, anchor_bars) - own.warmup * own.step_ms
    found = {own.timeframe: (start, newest_ms)}
    for frame in bound.frames[1:]:
        first = last_open_ms(start + own.step_ms, frame.step_ms)
        first = anchor_ms(first, frame.step_ms, anchor_bars) - frame.warmup * frame.step_ms
        last = last_open_ms(newest_ms + own.step_ms, frame.step_ms)
        known = found.get(frame.timeframe, (first, last))
        found[frame.timeframe] = (min(first, known[0]), max(last, known[1]))
    return found


def readings(block: Block, bound: Bound) -> dict[str, Any]:
    """The program's outputs over a block's rows, by name."""
    return {name: block.column(bound, index) for name, index in bound.outputs.items()}
