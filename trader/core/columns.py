"""Columns: what each strategy thinks of an instrument on every decision bar, as sparse runs.

Lives here: `PairColumns`, one for a strategy and an instrument, which a back-test asks instead of
forming an opinion at every decision, and `build_columns`, which makes them. Every answer is the one
of `signals.form_opinion` at that decision, field by field; what is rare (holes, rows that are not
ready, code that failed) is asked from it. Must not live here: what a value means (`signals`,
`frames`, `rules`), how own rows are evaluated (`own_signals`), decisions.

Memory is one number for each run and a few for each signal, never a column of the whole series.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from math import nan

from trader.core.frames import SeriesKey, last_open_ms
from trader.core.mean_sides import TickSpans
from trader.core.own_reader import OwnReader, OwnSignals
from trader.core.own_signals import NUMBER_NAMES, WORK_ROWS, own_signals
from trader.core.parameters import Parameters, StrategyCode, StrategySpec
from trader.core.series import Series
from trader.core.signals import Opinion
from trader.core.spans import Spans, add_run, covered, found_in, minus, no_spans
from trader.domain.timeframe import timeframe_name

Pair = tuple[str, str]
# What is asked: parameters, and the code of each of their strategies.
Job = tuple[Parameters, Mapping[str, StrategyCode]]
NO_SIGNAL, STALE = "NO_SIGNAL", "DATA_STALE"


class PairColumns:
    """One strategy on one instrument; rows are those of the instrument's decision series.

    Attributes:
        enters, leaves: int32, flat pairs [start, stop) of rows, increasing and disjoint: where
            there is a living entry signal (whether it was used is not known here), where the exit
            level holds. Where not `plain`, a run of `enters` belongs to one signal.
        plain: the strategy speaks on every decision bar and a signal lives for that bar only: its
            own row is the row itself.
        offsets: int32, by run of `enters`: index into the numbers of the run's first row. With
            run k and `plain`, the index of a row is `offsets[k] + row - enters[2 * k]`; else it is
            `offsets[k]` for the whole run.
        signals: int32, by the same index: the signal's row in the strategy's own series; None
            where `plain`.
        stop, target, trail, arm, even, strength: float64 by the same index, see `Opinion`; None
            where the strategy has none (`stop` is then that of `trail`, strength 1.0).
        steps: of a scale-out, one column for each step.
        problems: (start, stop, code), increasing: rows with neither a living signal nor plain
            silence, and what is said there.
        absent_code: what is said at a decision bar of others on which this instrument has no bar;
            "" where that depends on the bar (then ask `code_at`).
    """

    __slots__ = (
        "_odd", "_reader", "_step_ms", "absent_code", "arm", "code", "enters", "even",
        "leaves", "offsets", "own", "plain", "problems", "series", "signals", "spec", "steps",
        "stop", "strength", "symbol", "target", "trail",
    )  # fmt: skip

    def __init__(
        self, reader: OwnReader, parameters: Parameters, series: Series | None, made: OwnSignals
    ) -> None:
        """`series`: the decision bars; None when there are none at all."""
        spec = reader.spec
        self.spec: StrategySpec = spec
        self.code: StrategyCode = reader.code
        self.symbol = reader.symbol
        self.series = series
        self.own = reader.series
        self.plain = spec.timeframe_ms == parameters.step_ms and spec.ttl_bars == 1
        self._reader = reader
        self._step_ms = parameters.step_ms
        self.steps = tuple(made.steps)
        for name in NUMBER_NAMES:
            setattr(self, name, made.numbers.get(name))
        self.absent_code = made.failed or (STALE if self._follows() else "")
        self._place(made)

    def _follows(self) -> bool:
        """Whether an absent decision bar is an absent bar of the strategy's own too."""
        return self.own is None or self.own is self.series

    def _place(self, made: OwnSignals) -> None:
        """The runs of own rows as runs of decision rows."""
        self.offsets, self.signals = made.offsets, made.signals
        if made.failed or self.own is None or self.series is None or self.own is self.series:
            self.enters, self.leaves = made.enters, made.leaves
            self.problems, self._odd = made.problems, made.odd
            if made.failed:
                count = 0 if self.series is None else len(self.series)
                self.problems = [(0, count, made.failed)]
            return
        place = _Placing(self.own, self.series, self.spec.timeframe_ms)
        self.leaves = place.spans(made.leaves)
        self._odd = place.spans(made.odd)
        self.problems = place.problems(made.problems)
        self.enters, self.offsets = place.enters(made)
        if made.signals is None:
            rows = (range(made.enters[i], made.enters[i + 1]) for i in _starts(made.enters))
            self.signals = array("i", chain.from_iterable(rows))

    # --- one row ---------------------------------------------------------------------------------

    def run_of(self, row: int) -> int:
        """Index of the run of `enters` that holds a row; -1 when none does."""
        return found_in(self.enters, row)

    def number_of(self, row: int) -> int:
        """Index into the numbers of the living signal at a row; -1 when there is none."""
        run = found_in(self.enters, row)
        if run < 0:
            return -1
        return self.offsets[run] + (row - self.enters[2 * run] if self.plain else 0)

    def own_row(self, row: int) -> int:
        """Row of the strategy's own series of the newest living signal; -1 when there is none."""
        index = self.number_of(row)
        if index < 0:
            return -1
        return row if self.signals is None else self.signals[index]

    def leaves_at(self, row: int) -> bool:
        """Whether the exit level holds at a row."""
        return found_in(self.leaves, row) >= 0

    def opinion(self, row: int) -> Opinion:
        """What `form_opinion` says at a row's decision, field by field."""
        assert self.series is not None
        bar_ms = self.series.open_ms[row]
        if self.own is None or found_in(self._odd, row) >= 0 or self._problem(row):
            return self.opinion_at(bar_ms)
        newest_ms = last_open_ms(bar_ms + self._step_ms, self.spec.timeframe_ms)
        newest = row if self.own is self.series else bisect_left(self.own.open_ms, newest_ms)
        close, leaves = self.own.close[newest], found_in(self.leaves, row) >= 0
        index = self.number_of(row)
        if index < 0:
            stop = self._reader.number("stop", newest)
            return Opinion("", newest_ms, close, -1, leaves, stop, 1.0)
        signal = row if self.signals is None else self.signals[index]
        return Opinion(
            "",
            newest_ms,
            close,
            self.own.open_ms[signal],
            leaves,
            _at(self.stop, index, nan),
            _at(self.strength, index, 1.0),
            _at(self.target, index, nan),
            _at(self.trail, index, nan),
            "",
            _at(self.arm, index, nan),
            _at(self.even, index, nan),
            tuple(step[index] for step in self.steps),
        )

    def opinion_at(self, bar_ms: int) -> Opinion:
        """What `form_opinion` says at a decision bar, whether or not this instrument has it."""
        return self._reader.opinion_at(bar_ms + self._step_ms)

    def code_at(self, bar_ms: int) -> str:
        """What is said at a decision bar that has no row here; "" with a living signal."""
        if self.absent_code:
            return self.absent_code
        said = self.opinion_at(bar_ms)
        return said.problem.split(" ", 1)[0] or ("" if said.enter_ms >= 0 else NO_SIGNAL)

    # --- many rows -------------------------------------------------------------------------------

    def quiet(self, start: int, stop: int) -> Counter[str]:
        """Rows of [start, stop) without a living signal, by what is said there."""
        counts: Counter[str] = Counter()
        rows = self.problems
        at = bisect_right(rows, start, key=_stop_of)
        troubled = 0
        while at < len(rows) and rows[at][0] < stop:
            count = min(rows[at][1], stop) - max(rows[at][0], start)
            counts[rows[at][2]] += count
            troubled += count
            at += 1
        silent = stop - start - troubled - covered(self.enters, start, stop)
        if silent > 0:
            counts[NO_SIGNAL] += silent
        return counts

    def _problem(self, row: int) -> str:
        """The code said at a row that has a problem; "" where there is none."""
        at = bisect_right(self.problems, row, key=_stop_of)
        if at < len(self.problems) and self.problems[at][0] <= row:
            return self.problems[at][2]
        return ""


def _stop_of(problem: tuple[int, int, str]) -> int:
    return problem[1]


def _at(column: array[float] | None, index: int, absent: float) -> float:
    return absent if column is None else column[index]


def _starts(runs: Sequence[int]) -> range:
    """Where each run begins."""
    return range(0, len(runs), 2)


class _Placing:
    """Own rows as decision rows: those whose newest own bar they are."""

    def __init__(self, own: Series, series: Series, own_ms: int) -> None:
        self.own, self.opens, self.own_ms = own.open_ms, series.open_ms, own_ms
        self.shift_ms = own_ms - series.step_ms

    def rows(self, start: int, stop: int) -> list[int]:
        """Flat runs of decision rows of own rows [start, stop)."""
        found: list[int] = []
        own = self.own
        while start < stop:
            end = self._unbroken(start, stop)
            first = bisect_left(self.opens, own[start] + self.shift_ms)
            last = bisect_left(self.opens, own[end - 1] + self.own_ms + self.shift_ms)
            if first < last:
                found += (first, last)
            start = end
        return found

    def _unbroken(self, start: int, stop: int) -> int:
        """Where the first absent bar of own rows [start, stop) is."""
        own = self.own
        if own[stop - 1] - own[start] == (stop - 1 - start) * self.own_ms:
            return stop
        end = start + 1
        while own[end] - own[end - 1] == self.own_ms:
            end += 1
        return end

    def spans(self, runs: Spans) -> Spans:
        """Runs of own rows as runs of decision rows."""
        placed = no_spans()
        for i in _starts(runs):
            rows = self.rows(runs[i], runs[i + 1])
            for j in _starts(rows):
                add_run(placed, rows[j], rows[j + 1])
        return placed

    def enters(self, made: OwnSignals) -> tuple[Spans, array[int]]:
        """Runs of decision rows of one signal each, and the indices of their signals."""
        placed, offsets = no_spans(), no_spans()
        for run, i in enumerate(_starts(made.enters)):
            start, stop, offset = made.enters[i], made.enters[i + 1], made.offsets[run]
            each = made.signals is None
            for row in range(start, stop) if each else (start,):
                rows = self.rows(row, row + 1 if each else stop)
                placed.extend(rows)
                offsets.extend([offset + (row - start)] * (len(rows) // 2))
        return placed, offsets

    def problems(self, given: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
        """Problems of own rows and, between them, of own bars that are absent."""
        told: list[tuple[int, int, str]] = []
        for start, stop, code in given:
            rows = self.rows(start, stop)
            told += [(rows[i], rows[i + 1], code) for i in _starts(rows)]
        present = array("i", self.rows(0, len(self.own)))
        absent = minus(array("i", (0, len(self.opens)) if len(self.opens) else ()), present)
        told += [(absent[i], absent[i + 1], STALE) for i in _starts(absent)]
        return sorted(told)


# --- making them ---------------------------------------------------------------------------------


def build_columns(
    parameters: Parameters,
    strategies: Mapping[str, StrategyCode],
    series: Mapping[SeriesKey, Series],
    pairs: Iterable[Pair],
    work_rows: int = WORK_ROWS,
    want: tuple[int, int] | None = None,
) -> dict[Pair, PairColumns]:
    """The columns of each (strategy, symbol).

    `series` holds whole histories by (symbol, timeframe). `work_rows`: about how many rows are
    computed in one go; it changes no value. `want`: decision bars that open in [first, stop) ms
    are asked for, of others nothing is known; None for all.
    """
    return build_many([(parameters, strategies)], series, pairs, work_rows, want)[0]


def build_many(
    jobs: Sequence[Job],
    series: Mapping[SeriesKey, Series],
    pairs: Iterable[Pair],
    work_rows: int = WORK_ROWS,
    want: tuple[int, int] | None = None,
    ticks: TickSpans | None = None,
) -> list[dict[Pair, PairColumns]]:
    """The same for several jobs, such as the trials of a sweep; what they share is computed once.

    Memory grows with the signals of all jobs: whoever has thousands asks for some tens at a time.
    `ticks`: what is known of prices from call to call.
    """
    asked = list(pairs)
    told = told_signals(jobs, series, asked, work_rows, want, ticks)
    return [columns_from(job, series, said) for job, said in zip(jobs, told, strict=True)]


def told_signals(
    jobs: Sequence[Job],
    series: Mapping[SeriesKey, Series],
    pairs: Iterable[Pair],
    work_rows: int = WORK_ROWS,
    want: tuple[int, int] | None = None,
    ticks: TickSpans | None = None,
) -> list[dict[Pair, OwnSignals]]:
    """What `build_many` makes its columns from: plain numbers, which another process can send."""
    asked, known = list(pairs), TickSpans() if ticks is None else ticks
    groups: dict[tuple[str, str, int], list[tuple[int, Pair, OwnReader]]] = {}
    for number, job in enumerate(jobs):
        for pair in asked:
            reader = _reader(job, series, pair)
            key = (pair[1], reader.spec.timeframe, reader.anchor_bars)
            groups.setdefault(key, []).append((number, pair, reader))
    made: list[dict[Pair, OwnSignals]] = [{} for _ in jobs]
    for group in groups.values():
        found = own_signals([reader for _, _, reader in group], known, work_rows, want)
        for (number, pair, _), signals in zip(group, found, strict=True):
            made[number][pair] = signals
    return [{pair: one[pair] for pair in asked} for one in made]


def columns_from(
    job: Job, series: Mapping[SeriesKey, Series], told: Mapping[Pair, OwnSignals]
) -> dict[Pair, PairColumns]:
    """Columns of what was told of a job."""
    step_name = timeframe_name(job[0].step_ms)
    return {
        pair: PairColumns(
            _reader(job, series, pair), job[0], series.get((pair[1], step_name)), signals
        )
        for pair, signals in told.items()
    }


def _reader(job: Job, series: Mapping[SeriesKey, Series], pair: Pair) -> OwnReader:
    parameters, strategies = job
    spec = next(spec for spec in parameters.strategies if spec.name == pair[0])
    missing_ppm_max = parameters.limits.missing_ppm_max
    code = strategies[spec.name]
    return OwnReader(spec, code, series, pair[1], parameters.anchor_bars, missing_ppm_max)
