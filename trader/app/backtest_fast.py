"""The back-test by the fast engine: the same result, from what the lane counted and wrote down.

Lives here: walking the grid with `core.fast`, and the counts that the reference takes from the
trail of every bar. Must not live here: what a run gives (`backtest`), decisions.
"""

from __future__ import annotations

from array import array
from collections import Counter
from operator import attrgetter

from trader.app.backtest import BacktestResult, BacktestRun, Progress, decided
from trader.app.backtest_inputs import BacktestInputs
from trader.app.large_column import large_column
from trader.app.statistics import Curve, CurveSums
from trader.core.account_view import AccountView
from trader.core.columns import PairColumns
from trader.core.fast import Columns, FastSimulation
from trader.core.lane_books import LaneBooks
from trader.core.lane_entries import LaneEntries
from trader.core.lane_gates import CODES
from trader.core.lane_rows import Pair
from trader.core.membership import is_universe_row
from trader.core.regime import ROW_NAME as REGIME
from trader.core.scale import to_units
from trader.errors import DataError
from trader.records import replace

# Decision bars that the lane does in one go (a power of two: a curve that is not kept has a place
# for so many), and fewest between two words about progress.
BARS_AT_ONCE, BARS_OF_PROGRESS = 65_536, 256


def _stretch(rows: int) -> array[int]:
    """Room for a curve that is not kept."""
    del rows
    return array("q", bytes(8 * BARS_AT_ONCE))


class FastRun(BacktestRun):
    """A run in progress, by the fast engine."""

    def __init__(
        self,
        inputs: BacktestInputs,
        columns: Columns | None = None,
        like: BacktestResult | None = None,
        *,
        keeps_curve: bool = True,
    ) -> None:
        """See `run_backtest`."""
        super().__init__(inputs)
        self._keeps_curve = keeps_curve
        self._sums: CurveSums | None = None
        self._given = columns
        self._like = like
        # What the candidates of the tiers were answered when members were told last.
        self._told: Counter[str] = Counter()
        self._refreshes = 0

    def run(self, progress: Progress | None) -> BacktestResult:
        """Do every bar of the asked range."""
        inputs = self.inputs
        simulation = FastSimulation(
            inputs.parameters,
            inputs.strategies,
            inputs.series,
            self.state,
            inputs.model,
            self.record,
        )
        room = large_column if self._keeps_curve else _stretch
        like = self._like
        said = like.columns if self._given is None and like is not None else self._given
        simulation.begin(inputs.start_ms, inputs.end_ms, said, room)
        self.simulation = simulation
        grid = simulation.grid
        total, at, told = len(grid), 0, 0
        if not total:
            raise DataError("no bar lies in the asked time range", "see --timerange")
        self.opens_ms = memoryview(grid)
        if not self._keeps_curve:
            self._sums = CurveSums(self._times())
        while at < total:
            stop = min(total, at - at % BARS_AT_ONCE + BARS_AT_ONCE)
            reached = simulation.run_lane(at, stop)
            self._count_lane(at, reached)
            if reached < stop or reached == total:
                simulation.settle(self._take)
            else:
                simulation.tell(self._take)
            if reached < stop:
                self._slow(reached)
                reached += 1
            at = reached
            if self._sums is not None and at == stop < total:
                self._sums.show(simulation.lane.equity, 0, BARS_AT_ONCE)
            if progress is not None and (at - told >= BARS_OF_PROGRESS or at == total):
                progress(at, total)
                told = at
        result = self._finished(total)
        # It holds this run by its facts: without it here, both are gone when the run is.
        del self.simulation
        return result

    def _times(self) -> Curve:
        """The curve without its values."""
        inputs = self.inputs
        start_units = to_units(inputs.cash, inputs.cash_unit, "starting balance")
        return Curve(self.opens_ms[0], start_units, self.curve_ms(), array("q"), inputs.cash_unit)

    def _finished(self, total: int) -> BacktestResult:
        simulation, lane, sums = self.simulation, self.simulation.lane, self._sums
        self.curve_units = lane.equity if sums is None else lane.equity[: total - sums.bars]
        self.exposed += lane.exposed
        self.answered("HOLD", lane.holds)
        self.answered("SIGNAL_USED", lane.entries.used)
        last_ms = simulation.grid[total - 1]
        self._see_all(simulation.grid[0], last_ms)
        if simulation.finish(last_ms):
            self.curve_units[-1] = AccountView(self.state, self.closes).equity_units()
        if sums is not None:
            sums.show(self.curve_units, 0, len(self.curve_units))
        return replace(self.result(), columns=simulation.columns, sums=sums)

    def _slow(self, at: int) -> None:
        """One bar by the reference."""
        simulation = self.simulation
        bar_ms = simulation.grid[at]
        simulation.meet(bar_ms)
        self._see_held(bar_ms)
        lane = simulation.lane
        lane.curve[at & lane.mask] = AccountView(self.state, self.closes).equity_units()
        plan = decided(simulation, bar_ms)
        self.count(plan)
        told = [row for row in plan.trail if is_universe_row(row) and row.strategy != REGIME]
        if told:
            self._told = Counter(row.answer.partition(" ")[0] for row in told)
        simulation.after_slow()
        self.exposed += self.trips.any_open

    def _take(self, entries: LaneEntries, books: LaneBooks) -> None:
        """What the lane wrote down."""
        self.sent += len(entries.legs)
        self.trips.take_lane(entries.legs, books)

    def _see_held(self, bar_ms: int) -> None:
        """The newest closes of what is held."""
        for symbol, position in self.state.positions.items():
            series = self.columns.get(symbol)
            if position.qty_units > 0 and series is not None:
                index = series.index_of(bar_ms + 1) - 1
                if index >= 0 and series.open_ms[index] >= self.simulation.grid[0]:
                    self.closes[symbol] = series.close[index]

    def _see_all(self, first_ms: int, last_ms: int) -> None:
        """First and last closes of the range, and how many bars there were."""
        for symbol, series in self.columns.items():
            first, stop = series.index_of(first_ms), series.index_of(last_ms + 1)
            if first < stop:
                self.first_closes[symbol] = series.close[first]
                self.closes[symbol] = series.close[stop - 1]
                self.bars[symbol] = stop - first

    def _count_lane(self, at: int, stop: int) -> None:
        """Answers of the trail that lane bars [at, stop) would have had."""
        if at == stop:
            return
        simulation = self.simulation
        lane, grid = simulation.lane, simulation.grid
        for code, count in self._told.items():
            self.universe[code] += count * (lane.refreshes - self._refreshes)
        self._refreshes = lane.refreshes
        gates: Counter[int] = Counter(map(attrgetter("gate"), lane.entries.refusals))
        for gate, count in gates.items():
            self.answered(CODES[gate], count)
        for pair in lane.entries.order:
            self._count_pair(pair, pair.columns, (grid[at], grid[stop - 1]), stop - at)
        self.answered("STRATEGY_OFF", simulation.beside.off_pairs * (stop - at))

    def _count_pair(
        self, pair: Pair, columns: PairColumns, span_ms: tuple[int, int], bars: int
    ) -> None:
        """Bars without a living signal, and those that the instrument does not have."""
        first, stop = pair.coin.first_at(span_ms[0]), pair.coin.first_at(span_ms[1] + 1)
        for code, count in columns.quiet(first, stop).items():
            self.answered(code, count)
        self.answered(columns.absent_code, bars - (stop - first))
