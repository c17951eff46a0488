"""Own signals: one strategy over the whole of its own series, as runs of rows.

Lives here: which own bars have a living entry signal, an exit level or a problem when they are the
newest, and the numbers of each signal. Values are those of their anchor blocks; rows that hang on
something rare are asked from `form_opinion`. Must not live here: decision bars (`columns`), what a
value means (`signals`, `frames`).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, isfinite, nan
from typing import Any

from trader.core.frames import Frames, SeriesKey, anchor_ms
from trader.core.parameters import Columns, StrategyCode, StrategySpec
from trader.core.series import Series
from trader.core.signals import (
    STEP_COLUMN,
    Opinion,
    Reading,
    block_problem,
    data_problem,
    form_opinion,
    number_at,
)
from trader.core.spans import Spans, add_run, joined, minus, no_spans
from trader.core.strategy import USER_CODE_ERRORS

# Rows computed in one go where that is exact: their columns stay in the processor's caches.
WORK_ROWS = 32_768
NOT_READY = "SIGNAL_NOT_READY"
# Columns of strategies.yaml and what they are called in `Opinion`, the suffix left out.
NUMBERS = {
    "stop": "stop", "target": "target", "trail": "trail", "trail_from": "arm",
    "break_even": "even", "strength": "strength",
}  # fmt: skip
NUMBER_NAMES = tuple(NUMBERS.values())
Problem = tuple[int, int, str]


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
    """A strategy and an instrument over whole histories: what `form_opinion` says, and values of
    one anchor block at a time."""

    def __init__(
        self,
        spec: StrategySpec,
        code: StrategyCode,
        series_of: Mapping[SeriesKey, Series],
        symbol: str,
        anchor_bars: int,
    ) -> None:
        """`series_of`: whole histories by (symbol, timeframe)."""
        self.spec = spec
        self.code = code
        self.series_of = series_of
        self.symbol = symbol
        self.anchor_bars = anchor_bars
        self.series = series_of.get((symbol, spec.timeframe))
        self._at: tuple[int, Columns, int] | None = None

    def opinion_at(self, close_ms: int, missing_ppm_max: int) -> Opinion:
        """The opinion at the decision that closes then."""
        frames = Frames(self.series_of, close_ms, self.anchor_bars)
        return form_opinion(self.spec, self.code, frames, self.symbol, missing_ppm_max)

    def columns(self, stop: int) -> Columns:
        """Columns of the anchor block whose last row is `stop - 1`; they end on that row."""
        assert self.series is not None
        newest_ms = self.series.open_ms[stop - 1]
        frames = Frames(self.series_of, newest_ms + self.spec.timeframe_ms, self.anchor_bars)
        reading = Reading(self.spec, self.code, frames, self.symbol)
        return reading.columns(newest_ms)[0]

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


def own_signals(
    reader: OwnReader,
    missing_ppm_max: int,
    work_rows: int = WORK_ROWS,
    want: tuple[int, int] | None = None,
) -> OwnSignals:
    """Everything that a strategy says over its own series. See `columns.build_columns`."""
    failed = failure(reader)
    if reader.series is None or not len(reader.series) or failed:
        return OwnSignals(failed or "DATA_STALE", signals=no_spans())
    scan = _Scan(reader, missing_ppm_max)
    start, stop = scan.asked(want)
    while start < stop:
        start = scan.block(start)
    return scan.finish()


def failure(reader: OwnReader) -> str:
    """The code of a strategy that fails before any bar is looked at; "" when it does not."""
    try:
        frames = Frames(reader.series_of, 0, reader.anchor_bars)
        Reading(reader.spec, reader.code, frames, reader.symbol)
    except USER_CODE_ERRORS:
        return "STRATEGY_FAILED"
    return ""


class _Scan:
    """One reading of the whole series, anchor block after anchor block."""

    def __init__(self, reader: OwnReader, missing_ppm_max: int) -> None:
        assert reader.series is not None
        self.reader = reader
        self.spec = reader.spec
        self.opens = reader.series.open_ms
        self.limit = missing_ppm_max
        self.made = OwnSignals()
        self.ruled: Mapping[str, int] = {}
        if reader.code.program:
            self.ruled = reader.code.program["outputs"]
        self.rows = array("i")  # of entry signals
        self.values: dict[str, array[float]] = {}
        self.names: set[str] | None = None
        self.slow: list[tuple[int, int]] = []

    def asked(self, want: tuple[int, int] | None) -> tuple[int, int]:
        """Own rows that matter to decision bars that open within `want`."""
        if want is None:
            return 0, len(self.opens)
        reach_ms = (self.spec.ttl_bars + 1) * self.spec.timeframe_ms
        first = bisect_left(self.opens, want[0] - reach_ms)
        start = self.reader.block_of(first)[0] if first < len(self.opens) else first
        return start, bisect_left(self.opens, want[1])

    def block(self, start: int) -> int:
        """Look at the anchor block that begins at a row; its end."""
        _, stop = self.reader.block_of(start)
        newest_ms = self.opens[stop - 1]
        frames = Frames(self.reader.series_of, newest_ms + self.spec.timeframe_ms, self.anchor())
        reading = Reading(self.spec, self.reader.code, frames, self.reader.symbol)
        held = len(self.rows)
        try:
            columns, _ = reading.columns(newest_ms)
            self._rows(reading, columns, start, stop)
        except USER_CODE_ERRORS:
            self._forget(held)
            self._slow_after(start, stop)
            self.slow.append((start, stop))
            return stop
        if self.spec.ttl_bars > 1 and self._is_broken(start):
            self._slow_after(start, stop)
        return stop

    def anchor(self) -> int:
        """Bars of an anchor block."""
        return self.reader.anchor_bars

    def _rows(self, reading: Reading, columns: Columns, start: int, stop: int) -> None:
        names = {name for name in columns if name in NUMBERS or name.startswith(STEP_COLUMN)}
        self.names = names if self.names is None else self.names
        if names != self.names:
            raise KeyError("other columns than before")
        enter = _said(columns, "enter", stop - start, ruled="enter" in self.ruled)
        leave = _said(columns, "exit", stop - start, ruled="exit" in self.ruled)
        problems = self._data_problems(reading, start, stop)
        made = self.made
        leaves = no_spans()
        for row in range(start, stop):
            at = row - start
            data = problems[at] if problems else ""
            if data:
                self._problem(row, data)
            else:
                if enter[at] < 0:
                    self._problem(row, NOT_READY)
                elif leave[at] < 0:
                    add_run(made.odd, row, row + 1)
                if leave[at] > 0:
                    add_run(leaves, row, row + 1)
            if enter[at] > 0:
                self._signal(columns, row, stop)
        for i in range(0, len(leaves), 2):
            add_run(made.leaves, leaves[i], leaves[i + 1])

    def _signal(self, columns: Columns, row: int, stop: int) -> None:
        self.rows.append(row)
        names = [*NUMBERS, *(f"{STEP_COLUMN}{i + 1}" for i in range(len(self.spec.scale_ppm)))]
        for name in names:
            if name in columns or name.startswith(STEP_COLUMN):
                column = self.values.setdefault(name, array("d"))
                while len(column) < len(self.rows) - 1:
                    column.append(inf)
                column.append(number_at(columns, name, stop - 1 - row))

    def _problem(self, row: int, code: str) -> None:
        problems = self.made.problems
        if problems and problems[-1][1:] == (row, code):
            problems[-1] = (problems[-1][0], row + 1, code)
        else:
            problems.append((row, row + 1, code))

    def _forget(self, held: int) -> None:
        """Drop what a block that failed half-way had said."""
        del self.rows[held:]
        for column in self.values.values():
            del column[held:]

    def _data_problems(self, reading: Reading, start: int, stop: int) -> list[str]:
        """By row, the code of what is wrong with its bars; [] when nothing is."""
        found: list[str] = []
        if self._is_whole(reading, start, stop):
            return found
        for row in range(start, stop):
            close_ms = self.opens[row] + self.spec.timeframe_ms
            frames = Frames(self.reader.series_of, close_ms, self.anchor())
            problem = ""
            for frame in reading.frames:
                problem = problem or data_problem(
                    frames, self.reader.symbol, frame, self.spec.timeframe_ms, self.limit
                )
            found.append(problem.split(" ", 1)[0])
        return found if any(found) else []

    def _is_whole(self, reading: Reading, start: int, stop: int) -> bool:
        """Whether no bar of the windows of these rows is absent."""
        step_ms = self.spec.timeframe_ms
        first_ms = anchor_ms(self.opens[start], step_ms, self.anchor())
        for frame in reading.frames:
            if frame.step_ms != step_ms:
                return False
            first = start - (self.opens[start] - first_ms) // step_ms - frame.warmup
            if first < 0 or self.opens[first] != first_ms - frame.warmup * step_ms:
                return False
            if self.opens[stop - 1] - self.opens[first] != (stop - 1 - first) * step_ms:
                return False
        return True

    def _is_broken(self, start: int) -> bool:
        """Whether later blocks do not see this block's signals."""
        step_ms = self.spec.timeframe_ms
        last_ms = anchor_ms(self.opens[start], step_ms, self.anchor()) + step_ms * (
            self.anchor() - 1
        )
        frames = Frames(self.reader.series_of, last_ms + step_ms, self.anchor())
        whole = Reading(self.spec, self.reader.code, frames, self.reader.symbol)
        return block_problem(whole, last_ms, self.limit)

    def _slow_after(self, start: int, stop: int) -> None:
        """Rows of later blocks that a signal of this block could reach are asked one by one."""
        if self.spec.ttl_bars > 1:
            step_ms = self.spec.timeframe_ms
            end_ms = anchor_ms(self.opens[start], step_ms, self.anchor()) + step_ms * self.anchor()
            last = bisect_left(self.opens, end_ms + (self.spec.ttl_bars - 1) * step_ms)
            if last > stop:
                self.slow.append((stop, last))

    # --- putting it together ---------------------------------------------------------------------

    def finish(self) -> OwnSignals:
        """The runs."""
        made = self.made
        good = self._good()
        lives = self._lives()
        troubled = joined((start, stop) for start, stop, _ in made.problems)
        slow = joined(self.slow)
        segments: list[tuple[int, int, int]] = []  # start, stop, index of the signal
        for index, (start, stop) in enumerate(lives):
            left = minus(minus(array("i", (start, stop)), troubled), slow)
            for i in range(0, len(left), 2):
                if good[index]:
                    segments.append((left[i], left[i + 1], index))
                else:
                    made.problems.append((left[i], left[i + 1], NOT_READY))
        kept: list[Opinion] = []
        if len(slow):
            self._ask(slow, segments, kept)
        segments.sort()
        self._place(segments, kept)
        made.problems.sort()
        return made

    def _good(self) -> list[bool]:
        """Whether each signal's numbers are such that it can be followed."""
        values, count = self.values, len(self.rows)
        for column in values.values():
            while len(column) < count:
                column.append(inf)
        if "stop" not in values and "trail" in values:
            values["stop"] = values["trail"]
        checked = [values[name] for name in values if name != "strength"]
        strength = values.get("strength")
        if "stop" not in values:
            return [False] * count
        return [
            all(isfinite(column[i]) and column[i] > 0.0 for column in checked)
            and (strength is None or 0.0 <= strength[i] < inf)
            for i in range(count)
        ]

    def _lives(self) -> list[tuple[int, int]]:
        """The rows at which each signal is the newest that lives."""
        rows, lives = self.rows, list[tuple[int, int]]()
        span_ms = (self.spec.ttl_bars - 1) * self.spec.timeframe_ms
        for index, row in enumerate(rows):
            stop = row + 1
            if span_ms:
                stop = bisect_left(self.opens, self.opens[row] + span_ms + 1)
                stop = min(stop, rows[index + 1]) if index + 1 < len(rows) else stop
            lives.append((row, stop))
        return lives

    def _ask(self, slow: Spans, segments: list[tuple[int, int, int]], kept: list[Opinion]) -> None:
        """Rows that hang on something rare, one opinion each."""
        made, step_ms = self.made, self.spec.timeframe_ms
        made.leaves = minus(made.leaves, slow)
        leaves = [(made.leaves[i], made.leaves[i + 1]) for i in range(0, len(made.leaves), 2)]
        made.problems = _without(made.problems, slow)
        asked: list[tuple[int, int]] = []
        for i in range(0, len(slow), 2):
            for row in range(slow[i], slow[i + 1]):
                said = self.reader.opinion_at(self.opens[row] + step_ms, self.limit)
                asked.append((row, row + 1))
                if said.exit_now:
                    leaves.append((row, row + 1))
                if said.problem:
                    made.problems.append((row, row + 1, said.problem.split(" ", 1)[0]))
                elif said.enter_ms >= 0:
                    segments.append((row, row + 1, len(self.rows) + len(kept)))
                    kept.append(said)
        made.leaves = joined(leaves)
        odd = [(made.odd[i], made.odd[i + 1]) for i in range(0, len(made.odd), 2)]
        made.odd = joined([*odd, *asked])

    def _place(self, segments: list[tuple[int, int, int]], kept: list[Opinion]) -> None:
        """Runs, offsets and numbers of the signals that live somewhere, in the order of rows."""
        made, plain = self.made, self.spec.ttl_bars == 1
        signals = array("i")
        picked: list[int] = []
        for start, stop, index in segments:
            signal = index - len(self.rows)
            row = self.rows[index] if signal < 0 else bisect_left(self.opens, kept[signal].enter_ms)
            if plain and len(made.enters) and made.enters[-1] == start:
                made.enters[-1] = stop
            else:
                made.offsets.append(len(picked))
                made.enters.extend((start, stop))
            signals.append(row)
            picked.append(index)
        made.signals = None if plain else signals
        for name, told in NUMBERS.items():
            column = self.values.get(name)
            asked = [getattr(said, _FIELDS[told]) for said in kept]
            if column is not None or (kept and name in (self.names or ())):
                made.numbers[told] = self._pick(column, picked, asked)
        for i in range(len(self.spec.scale_ppm)):
            asked = [said.step_distances[i] for said in kept]
            column = self.values.get(f"{STEP_COLUMN}{i + 1}")
            made.steps.append(self._pick(column, picked, asked))

    def _pick(
        self, column: array[float] | None, picked: list[int], asked: list[float]
    ) -> array[float]:
        count = len(self.rows)
        own = column if column is not None else array("d", [nan]) * count
        return array("d", [own[i] if i < count else asked[i - count] for i in picked])


_FIELDS = {
    name: "strength" if name == "strength" else f"{name}_distance" for name in NUMBERS.values()
}


def _said(columns: Columns, name: str, rows: int, *, ruled: bool) -> list[int]:
    """The last rows of a condition: 1 it holds, 0 it does not, -1 rules are not ready."""
    column: Any = columns.get(name)
    if column is None:
        return [0] * rows
    tail = [column[i] for i in range(len(column) - rows, len(column))]
    return [1 if value > 0 else (-1 if ruled and value == -1 else 0) for value in tail]


def _without(problems: list[Problem], less: Spans) -> list[Problem]:
    """Problems at other rows than these."""
    left: list[Problem] = []
    for start, stop, code in problems:
        runs = minus(array("i", (start, stop)), less)
        left += [(runs[i], runs[i + 1], code) for i in range(0, len(runs), 2)]
    return left
