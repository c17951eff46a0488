"""Own reader: one strategy and instrument over whole histories, and what a scan of them finds.

Lives here: the containers between a scan (`ruled_signals`, `own_signals`) and `columns`, where data
problems lie, and opinions and values asked one by one. Must not live here: what a value means
(`signals`, `frames`), decision bars (`columns`).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from math import nan

from trader.core.frames import Frames, SeriesKey, anchor_ms, last_open_ms
from trader.core.history import Grid
from trader.core.parameters import Columns, StrategyCode, StrategySpec
from trader.core.rules import Frame
from trader.core.run_kernels import flag_runs, missing_rows
from trader.core.series import Series
from trader.core.signals import (
    Opinion,
    Reading,
    block_problem,
    data_problem,
    form_opinion,
    number_at,
)
from trader.core.spans import Spans, no_spans
from trader.core.strategy import USER_CODE_ERRORS
from trader.records import dataclass, field

Problem = tuple[int, int, str]
DATA_CODES = ("", "DATA_GAPPY", "DATA_SHORT")
# Anchor blocks that are looked at together for bars that are absent.
BLOCKS_AT_ONCE = 64


@dataclass(slots=True)
class Scan:
    """What a scan of own rows found, before lives of signals are looked at.

    Attributes:
        rows: int32, rows with an entry signal. values: by column of strategies.yaml, one number
            for each of them.
        leaves: where the exit level holds. unknown_enter, unknown_exit: where rules are not ready.
        data: problems of the bars. slow: rows whose opinion must be asked for. lost: rows from
            where on the strategy's code gave no answer; whoever decides there asks it again.
    """

    rows: array[int] = field(default_factory=no_spans)
    values: dict[str, array[float]] = field(default_factory=dict[str, "array[float]"])
    leaves: Spans = field(default_factory=no_spans)
    unknown_enter: Spans = field(default_factory=no_spans)
    unknown_exit: Spans = field(default_factory=no_spans)
    data: list[Problem] = field(default_factory=list[Problem])
    slow: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    lost: Spans = field(default_factory=no_spans)


@dataclass(slots=True)
class OwnSignals:
    """Runs of own rows.

    Attributes:
        failed: the code said at every row, when the strategy cannot be evaluated at all.
        enters: rows with a living signal. offsets: by run, index of its first number. signals: by
            that index, the signal's row, then one for each run; None: each row is its own signal.
        leaves: rows at which the exit level holds. problems: (start, stop, code).
        odd: rows whose opinion must be asked for.
        numbers: by name of `NUMBER_NAMES`, one for each index. steps: of a scale-out.
    """

    failed: str = ""
    enters: Spans = field(default_factory=no_spans)
    offsets: array[int] = field(default_factory=no_spans)
    signals: array[int] | None = None
    leaves: Spans = field(default_factory=no_spans)
    problems: list[Problem] = field(default_factory=list[Problem])
    odd: Spans = field(default_factory=no_spans)
    numbers: dict[str, array[float]] = field(default_factory=dict[str, "array[float]"])
    steps: list[array[float]] = field(default_factory=list["array[float]"])


class OwnReader:
    """A strategy and an instrument over whole histories."""

    def __init__(
        self,
        spec: StrategySpec,
        code: StrategyCode,
        series_of: Mapping[SeriesKey, Series],
        symbol: str,
        anchor_bars: int,
        missing_ppm_max: int,
    ) -> None:
        """`series_of`: whole histories by (symbol, timeframe)."""
        self.spec = spec
        self.code = code
        self.series_of = series_of
        self.symbol = symbol
        self.anchor_bars = anchor_bars
        self.limit = missing_ppm_max
        self.series = series_of.get((symbol, spec.timeframe))
        self._at: tuple[int, Columns, int] | None = None

    def frames_at(self, close_ms: int) -> Frames:
        """The rows that the decision closing then evaluates."""
        return Frames(self.series_of, close_ms, self.anchor_bars)

    def reading(self, close_ms: int) -> Reading:
        """The strategy's columns at that decision."""
        return Reading(self.spec, self.code, self.frames_at(close_ms), self.symbol)

    def failure(self) -> str:
        """The code of a strategy that fails before any bar is looked at; "" when it does not."""
        try:
            self.reading(0)
        except USER_CODE_ERRORS:
            return "STRATEGY_FAILED"
        return ""

    def opinion_at(self, close_ms: int) -> Opinion:
        """The opinion at the decision that closes then."""
        return form_opinion(self.spec, self.code, self.frames_at(close_ms), self.symbol, self.limit)

    def columns(self, stop: int) -> Columns:
        """Columns of the anchor block whose last row is `stop - 1`; they end on that row."""
        assert self.series is not None
        newest_ms = self.series.open_ms[stop - 1]
        return self.reading(newest_ms + self.spec.timeframe_ms).columns(newest_ms)[0]

    def number(self, name: str, row: int) -> float:
        """A column's value at an own row, nan where it has none; the last block asked is kept."""
        if self.code.program and not self.spec.source:
            outputs: Mapping[str, int] = self.code.program["outputs"]
            if name not in outputs:
                return nan
        if self._at is None or not self._at[0] <= row < self._at[2]:
            start, stop = self.block_of(row)
            self._at = (start, self.columns(stop), stop)
        _, columns, stop = self._at
        return number_at(columns, name, stop - 1 - row)

    def block_of(self, row: int) -> tuple[int, int]:
        """Own rows [start, stop) of the anchor block that holds a row."""
        assert self.series is not None
        opens, step_ms = self.series.open_ms, self.spec.timeframe_ms
        start_ms = anchor_ms(opens[row], step_ms, self.anchor_bars)
        stop_ms = start_ms + self.anchor_bars * step_ms
        return bisect_left(opens, start_ms), bisect_left(opens, stop_ms)

    def asked(self, want: tuple[int, int] | None) -> tuple[int, int]:
        """Own rows, whole anchor blocks, that matter to decision bars that open within `want`."""
        assert self.series is not None
        opens = self.series.open_ms
        if want is None:
            return 0, len(opens)
        reach_ms = (self.spec.ttl_bars + 1) * self.spec.timeframe_ms
        first, last = bisect_left(opens, want[0] - reach_ms), bisect_left(opens, want[1])
        if first >= last:
            return 0, 0
        return self.block_of(first)[0], self.block_of(last - 1)[1]

    def is_broken(self, start: int) -> bool:
        """Whether later blocks do not see the signals of the block that begins at a row."""
        assert self.series is not None
        step_ms = self.spec.timeframe_ms
        first_ms = anchor_ms(self.series.open_ms[start], step_ms, self.anchor_bars)
        last_ms = first_ms + (self.anchor_bars - 1) * step_ms
        return block_problem(self.reading(last_ms + step_ms), last_ms, self.limit)

    def slow_after(self, start: int, stop: int) -> list[tuple[int, int]]:
        """Rows behind the block [start, stop) that a signal of it could reach."""
        assert self.series is not None
        opens, step_ms = self.series.open_ms, self.spec.timeframe_ms
        end_ms = anchor_ms(opens[start], step_ms, self.anchor_bars) + self.anchor_bars * step_ms
        last = bisect_left(opens, end_ms + (self.spec.ttl_bars - 1) * step_ms)
        return [(stop, last)] if last > stop else []


# --- where bars are absent -----------------------------------------------------------------------


class DataScan:
    """Looks for rows whose windows lack too many bars."""

    def __init__(self, reader: OwnReader, frames: Sequence[Frame]) -> None:
        """`frames`: the windows, in the order in which they are looked at."""
        assert reader.series is not None
        self.reader = reader
        self.series = reader.series
        self.frames = frames
        step_ms = reader.spec.timeframe_ms
        self.own = [frame for frame in frames if frame.step_ms == step_ms]
        self.others = [frame for frame in frames if frame.step_ms != step_ms]
        most = max((frame.warmup for frame in self.own), default=0)
        self.grid = Grid(self.series, reader.anchor_bars, most)
        self.problems: list[Problem] = []
        self.slow: list[tuple[int, int]] = []

    def run(self, start: int, stop: int) -> None:
        """Rows [start, stop), whole blocks."""
        at = start
        while at < stop and not self._is_whole(at, stop):
            end = min(stop, self.grid.end(at, BLOCKS_AT_ONCE))
            if self._is_whole(at, end):
                at = end
                continue
            while at < end:
                after = min(end, self.grid.end(at))
                if not self._is_whole(at, after):
                    self._block(at, after)
                at = after

    def _is_whole(self, at: int, stop: int) -> bool:
        """Whether no window of rows [at, stop) lacks a bar."""
        grid = self.grid
        first = grid.first(at)
        if grid.opens[first] != grid.start_ms(at) - grid.warmup * grid.step_ms:
            return False
        if not grid.is_unbroken(first, stop):
            return False
        return all(self._other_is_whole(frame, at, stop) for frame in self.others)

    def _other_is_whole(self, frame: Frame, at: int, stop: int) -> bool:
        series = self.reader.series_of.get((self.reader.symbol, frame.timeframe))
        if series is None or not len(series):
            return False
        own_ms, opens = self.grid.step_ms, self.grid.opens
        newest = last_open_ms(opens[at] + own_ms, frame.step_ms)
        last = last_open_ms(opens[stop - 1] + own_ms, frame.step_ms)
        first = anchor_ms(newest, frame.step_ms, self.reader.anchor_bars)
        first -= frame.warmup * frame.step_ms
        begin, end = series.index_of(first), series.index_of(last)
        if end == len(series) or series.open_ms[begin] != first or series.open_ms[end] != last:
            return False
        return last - first == (end - begin) * frame.step_ms

    def _block(self, at: int, stop: int) -> None:
        """Rows of one anchor block whose windows lack bars."""
        reader = self.reader
        if reader.spec.ttl_bars > 1 and reader.is_broken(at):
            self.slow += reader.slow_after(at, stop)
        if all(self._other_is_whole(frame, at, stop) for frame in self.others):
            self._own(at, stop)
            return
        opens, own_ms = self.series.open_ms, reader.spec.timeframe_ms
        for row in range(at, stop):
            frames = reader.frames_at(opens[row] + own_ms)
            for frame in self.frames:
                said = data_problem(frames, reader.symbol, frame, own_ms, reader.limit)
                if said:
                    self._note(row, row + 1, said.split(" ", 1)[0])
                    break

    def _own(self, at: int, stop: int) -> None:
        said = array("b", bytes(stop - at))
        flags = array("b", bytes(stop - at))
        found = 0
        for frame in self.own:
            start_ms = self.grid.start_ms(at) - frame.warmup * frame.step_ms
            first = bisect_left(self.grid.opens, start_ms)
            given = (start_ms, frame.step_ms, self.reader.limit, int(frame.exact))
            count = missing_rows(self.grid.opens, first, at, stop, *given, flags)
            if count:
                # The window that is looked at first speaks first.
                said = array("b", [a or b for a, b in zip(said, flags, strict=True)])
            found += count
        if not found:
            return
        runs = array("i", bytes(4 * (stop - at + 2)))
        told: list[Problem] = []
        for value in (1, 2):
            count = flag_runs(said, at, at, stop, value, runs)
            code = DATA_CODES[value]
            told += [(runs[i], runs[i + 1], code) for i in range(0, count, 2)]
        for start, end, code in sorted(told):
            self._note(start, end, code)

    def _note(self, start: int, stop: int, code: str) -> None:
        problems = self.problems
        if problems and problems[-1][1:] == (start, code):
            problems[-1] = (problems[-1][0], stop, code)
        else:
            problems.append((start, stop, code))
