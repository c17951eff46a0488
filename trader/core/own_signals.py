"""Own signals: one strategy over the whole of its own series, as runs of rows.

Lives here: which own bars have a living entry signal, an exit level or a problem when they are the
newest, and the numbers of each signal. Values are those of their anchor blocks; rows that hang on
something rare are asked from `form_opinion`. Must not live here: decision bars (`columns`), what a
value means (`signals`, `frames`), how rules are told over many rows (`ruled_signals`).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from itertools import compress
from math import inf, nan
from typing import Any

from trader.core.mean_sides import TickSpans
from trader.core.own_reader import DataScan, OwnReader, OwnSignals, Problem, Scan
from trader.core.parameters import Columns
from trader.core.ruled_signals import scan_rules
from trader.core.run_kernels import bad_places, drop_in, row_runs, run_offsets
from trader.core.signals import STEP_COLUMN, Opinion, number_at
from trader.core.spans import Spans, add_run, joined, minus, no_spans
from trader.core.strategy import USER_CODE_ERRORS, CodeLost

# About how many rows are computed in one go: their columns stay in the processor's caches.
WORK_ROWS = 32_768
NOT_READY, FAILED = "SIGNAL_NOT_READY", "STRATEGY_FAILED"
# Columns of strategies.yaml and what they are called in `PairColumns`.
NUMBERS = {
    "stop": "stop", "target": "target", "trail": "trail", "trail_from": "arm",
    "break_even": "even", "strength": "strength",
}  # fmt: skip
NUMBER_NAMES = tuple(NUMBERS.values())
# Attributes of an opinion.
FIELDS = {name: name if name == "strength" else f"{name}_distance" for name in NUMBER_NAMES}
# A distance lies between these; a strength between -LEAST and inf (0 counts).
LEAST = 5e-324


def own_signals(
    readers: Sequence[OwnReader],
    ticks: TickSpans,
    work_rows: int = WORK_ROWS,
    want: tuple[int, int] | None = None,
) -> list[OwnSignals]:
    """Everything that strategies say over their own series, all on one timeframe of one
    instrument. See `columns.build_many`."""
    made: list[OwnSignals | None] = []
    ruled: list[int] = []
    for at, reader in enumerate(readers):
        failed = reader.failure()
        if reader.series is None or not len(reader.series) or failed:
            made.append(OwnSignals(failed or "DATA_STALE", signals=no_spans()))
        elif reader.code.program and not reader.spec.source:
            ruled.append(at)
            made.append(None)
        else:
            made.append(_Lives(reader, _FileScan(reader).run(want)).finish())
    if ruled:
        asked = [readers[at] for at in ruled]
        for at, scan in zip(
            ruled, scan_rules(asked, number_columns, ticks, work_rows, want), strict=True
        ):
            made[at] = _Lives(readers[at], scan).finish()
    return [one for one in made if one is not None]


def number_columns(reader: OwnReader) -> list[str]:
    """Columns of numbers that the strategy may have."""
    return [*NUMBERS, *step_columns(reader)]


def step_columns(reader: OwnReader) -> list[str]:
    """Columns of the scale-out's steps, in order."""
    return [f"{STEP_COLUMN}{number + 1}" for number in range(len(reader.spec.scale_ppm))]


class _FileScan:
    """A strategy's file, anchor block after anchor block."""

    def __init__(self, reader: OwnReader) -> None:
        assert reader.series is not None
        self.reader = reader
        self.opens = reader.series.open_ms
        self.scan = Scan()
        self.names: set[str] | None = None
        program = reader.code.program
        self.ruled: Any = program["outputs"] if program else ()

    def run(self, want: tuple[int, int] | None) -> Scan:
        """The whole series, or what is wanted."""
        reader, scan = self.reader, self.scan
        at, stop = reader.asked(want)
        data = DataScan(reader, reader.reading(0).frames)
        data.run(at, stop)
        while at < stop:
            _, end = reader.block_of(at)
            held = len(scan.rows)
            try:
                self._rows(reader.columns(end), at, end)
            except CodeLost:
                self._forget(held)
                scan.lost.extend((at, stop))
                break
            except USER_CODE_ERRORS:
                # Which of its rows fail is known only one by one.
                self._forget(held)
                scan.slow += [(at, end), *reader.slow_after(at, end)]
            at = end
        scan.data = data.problems
        scan.slow = [(a, min(b, at)) for a, b in (*scan.slow, *data.slow) if a < at]
        return scan

    def _rows(self, columns: Columns, start: int, stop: int) -> None:
        numbers = [name for name in number_columns(self.reader) if name in columns]
        self.names = set(numbers) if self.names is None else self.names
        if set(numbers) != self.names:
            raise KeyError("other columns than before")
        enter = _said(columns, "enter", stop - start, ruled="enter" in self.ruled)
        leave = _said(columns, "exit", stop - start, ruled="exit" in self.ruled)
        scan = self.scan
        for at, said in enumerate(enter):
            if said > 0:
                scan.rows.append(start + at)
                for name in numbers:
                    value = number_at(columns, name, stop - 1 - start - at)
                    scan.values.setdefault(name, array("d")).append(value)
            elif said < 0:
                add_run(scan.unknown_enter, start + at, start + at + 1)
        for at, said in enumerate(leave):
            if said:
                add_run(scan.leaves if said > 0 else scan.unknown_exit, start + at, start + at + 1)

    def _forget(self, held: int) -> None:
        """Drop what a block that failed half-way had said."""
        del self.scan.rows[held:]
        for column in self.scan.values.values():
            del column[held:]


def _said(columns: Columns, name: str, rows: int, *, ruled: bool) -> list[int]:
    """The last rows of a condition: 1 it holds, 0 it does not, -1 rules are not ready."""
    column: Any = columns.get(name)
    if column is None:
        return [0] * rows
    tail = [column[i] for i in range(len(column) - rows, len(column))]
    return [1 if value > 0 else (-1 if ruled and value == -1 else 0) for value in tail]


class _Lives:
    """What was scanned, put together: which signal is alive when."""

    def __init__(self, reader: OwnReader, scan: Scan) -> None:
        assert reader.series is not None
        self.reader = reader
        self.spec = reader.spec
        self.opens = reader.series.open_ms
        self.scan = scan
        self.made = OwnSignals()
        self.slow = joined(scan.slow)

    def finish(self) -> OwnSignals:
        """The runs."""
        made, scan = self.made, self.scan
        troubled = joined((start, stop) for start, stop, _ in scan.data)
        unknown = minus(scan.unknown_enter, troubled)
        made.leaves = minus(scan.leaves, troubled)
        lost = minus(scan.lost, troubled)
        made.odd = joined(
            [*_pairs(minus(minus(scan.unknown_exit, troubled), unknown)), *_pairs(lost)]
        )
        made.problems = [*scan.data, *_problems(unknown), *_problems(lost, FAILED)]
        silent = joined([*_pairs(troubled), *_pairs(unknown), *_pairs(lost)])
        bad, bads = self._bad()
        if self.spec.ttl_bars == 1 and not len(self.slow):
            self._at_once(bad, bads, silent)
        else:
            self._one_by_one(bad, silent)
        made.problems.sort()
        return made

    def _bad(self) -> tuple[array[int], int]:
        """Whether each signal's numbers are such that nothing can be done with it; above 0 when
        any is."""
        values, count = self.scan.values, len(self.scan.rows)
        bad = array("b", bytes(count))
        if "stop" not in values and "trail" in values:
            values["stop"] = values["trail"]
        if "stop" not in values:
            return array("b", [1]) * count, count
        found = 0
        for name, column in values.items():
            found += bad_places(column, -LEAST if name == "strength" else 0.0, inf, bad)
        return bad, found

    def _at_once(self, bad: array[int], bads: int, silent: Spans) -> None:
        """Signals that live for their own bar only."""
        rows, values, made = self.scan.rows, self.scan.values, self.made
        drop = array("b", bytes(len(rows)))
        silenced = drop_in(rows, silent, drop)
        if bads:
            failed = compress(rows, [b and not d for b, d in zip(bad, drop, strict=True)])
            made.problems += _problems(_runs(array("i", failed)))
        if silenced or bads:
            keep = [not (b or d) for b, d in zip(bad, drop, strict=True)]
            rows = array("i", compress(rows, keep))
            values = {n: array("d", compress(column, keep)) for n, column in values.items()}
        made.enters = _runs(rows)
        made.offsets = array("i", bytes(2 * len(made.enters)))
        run_offsets(made.enters, made.offsets)
        made.numbers = {told: values[name] for name, told in NUMBERS.items() if name in values}
        made.steps = [_steps(values, name, len(rows)) for name in step_columns(self.reader)]

    # --- signals that live on, and rows that are asked one by one --------------------------------

    def _one_by_one(self, bad: array[int], silent: Spans) -> None:
        made = self.made
        segments: list[tuple[int, int, int]] = []  # start, stop, index of the signal
        away = joined([*_pairs(silent), *_pairs(self.slow)])
        for index, life in enumerate(self._lives()):
            for start, stop in _pairs(minus(array("i", life), away)):
                if bad[index]:
                    made.problems.append((start, stop, NOT_READY))
                else:
                    segments.append((start, stop, index))
        kept: list[Opinion] = []
        if len(self.slow):
            self._ask(segments, kept)
        segments.sort()
        self._place(segments, kept)

    def _lives(self) -> list[tuple[int, int]]:
        """The rows at which each signal is the newest that lives."""
        rows, lives = self.scan.rows, list[tuple[int, int]]()
        span_ms = (self.spec.ttl_bars - 1) * self.spec.timeframe_ms
        for index, row in enumerate(rows):
            stop = row + 1
            if span_ms:
                stop = bisect_left(self.opens, self.opens[row] + span_ms + 1, row)
                stop = min(stop, rows[index + 1]) if index + 1 < len(rows) else stop
            lives.append((row, stop))
        return lives

    def _ask(self, segments: list[tuple[int, int, int]], kept: list[Opinion]) -> None:
        """Rows that hang on something rare, one opinion each."""
        made, slow, step_ms = self.made, self.slow, self.spec.timeframe_ms
        leaves = _pairs(minus(made.leaves, slow))
        made.problems = _without(made.problems, slow)
        for start, stop in _pairs(slow):
            for row in range(start, stop):
                said = self.reader.opinion_at(self.opens[row] + step_ms)
                if said.exit_now:
                    leaves.append((row, row + 1))
                if said.problem:
                    made.problems.append((row, row + 1, said.problem.split(" ", 1)[0]))
                elif said.enter_ms >= 0:
                    segments.append((row, row + 1, len(self.scan.rows) + len(kept)))
                    kept.append(said)
        made.leaves = joined(leaves)
        made.odd = joined([*_pairs(made.odd), *_pairs(slow)])

    def _place(self, segments: list[tuple[int, int, int]], kept: list[Opinion]) -> None:
        """Runs, offsets and numbers of the signals that live somewhere, in the order of rows."""
        made, plain, rows = self.made, self.spec.ttl_bars == 1, self.scan.rows
        signals = array("i")
        picked: list[int] = []
        for start, stop, index in segments:
            asked = index - len(rows)
            row = rows[index] if asked < 0 else bisect_left(self.opens, kept[asked].enter_ms)
            if plain and len(made.enters) and made.enters[-1] == start:
                made.enters[-1] = stop
            else:
                made.offsets.append(len(picked))
                made.enters.extend((start, stop))
            signals.append(row)
            picked.append(index)
        made.signals = None if plain else signals
        for name, told in NUMBERS.items():
            said = [getattr(opinion, FIELDS[told]) for opinion in kept]
            absent = 1.0 if name == "strength" else nan
            if name in self.scan.values or any(value != absent for value in said):
                made.numbers[told] = self._pick(name, picked, said, absent)
        for i, name in enumerate(step_columns(self.reader)):
            said = [opinion.step_distances[i] for opinion in kept]
            made.steps.append(self._pick(name, picked, said, nan))

    def _pick(self, name: str, picked: list[int], said: list[float], absent: float) -> array[float]:
        count = len(self.scan.rows)
        own = self.scan.values.get(name)
        if own is None:
            own = array("d", [absent]) * count
        return array("d", [own[i] if i < count else said[i - count] for i in picked])


def _steps(values: dict[str, array[float]], name: str, count: int) -> array[float]:
    found = values.get(name)
    return array("d", [nan]) * count if found is None else found


def _pairs(runs: Spans) -> list[tuple[int, int]]:
    return [(runs[i], runs[i + 1]) for i in range(0, len(runs), 2)]


def _problems(runs: Spans, code: str = NOT_READY) -> list[Problem]:
    return [(start, stop, code) for start, stop in _pairs(runs)]


def _runs(rows: array[int]) -> Spans:
    """Rows as flat runs."""
    told = array("i", bytes(8 * len(rows)))
    count = row_runs(rows, told)
    del told[count:]
    return told


def _without(problems: list[Problem], less: Spans) -> list[Problem]:
    """Problems at other rows than these."""
    left: list[Problem] = []
    for start, stop, code in problems:
        left += [(a, b, code) for a, b in _pairs(minus(array("i", (start, stop)), less))]
    return left
