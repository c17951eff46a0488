"""The back-test: the reference simulation over bar files, and the result of it.

Lives here: opening the books, walking the decision bars, marking equity, and collecting what
happened. The decisions are `core.simulate`'s, which are the live ones. Must not live here: reading
files (see `bars`), what takes part (see `backtest_inputs`), formulas (see `statistics`), layout.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from trader.app.backtest_inputs import BacktestInputs
from trader.app.round_trips import ClosedTrips, Fills, RoundTrip, RoundTrips
from trader.app.statistics import Curve, CurveSums, Results, Statistics, build_statistics
from trader.app.strategy_process import StrategyLost
from trader.core.account_view import AccountView
from trader.core.columns import PairColumns
from trader.core.curve import Closes
from trader.core.fold import fold
from trader.core.membership import is_universe_row
from trader.core.plan import Plan
from trader.core.reasons import REFUSALS
from trader.core.scale import Spec, to_units, value_of_base_down
from trader.core.series import Series
from trader.core.simulate import Simulation
from trader.core.state import State, instrument_row
from trader.domain.timeframe import timeframe_name
from trader.errors import DataError
from trader.records import dataclass

Progress = Callable[[int, int], None]
FAST, REFERENCE = "fast", "reference"


@dataclass(frozen=True, slots=True)
class OpenPosition:
    """A position that the data's end left open; `value_units` at the last close."""

    trip: RoundTrip
    qty_units: int
    value_units: int


@dataclass(frozen=True)
class BacktestResult:
    """What happened; amounts in cash units of the inputs' scale.

    Attributes:
        curve_ms, curve_units: close of every decision bar, equity then; of a run that keeps no
            curve the newest of it only, and `sums`, what statistics need of all of it.
        closed: closed round trips, oldest first. open: positions left.
        refusals, quiet: how often each code was an answer. universe: the same of candidates of the
            tiers, and of the regime by its name. unfilled: orders that filled nothing.
        sent: orders sent. turnover_units: value of all fills.
        market: by symbol, (first close, last close) of the decided range, ticks.
        exposed_bars: decision bars that ended with a position.
        state: the account at the end. fills: every execution, as whole numbers.
        columns: what strategies said, where the fast engine worked that out.
    """

    inputs: BacktestInputs
    curve_ms: Closes
    curve_units: array[int] | memoryview
    closed: ClosedTrips
    open: tuple[OpenPosition, ...]
    refusals: Mapping[str, int]
    quiet: Mapping[str, int]
    universe: Mapping[str, int]
    sent: int
    unfilled: int
    turnover_units: int
    market: Mapping[str, tuple[int, int]]
    bars: Mapping[str, int]
    exposed_bars: int
    state: State
    fills: Fills
    columns: Mapping[tuple[str, str], PairColumns] | None = None
    sums: CurveSums | None = None

    def spec(self, symbol: str) -> Spec:
        """An instrument in the run's integers."""
        return self.state.spec(symbol)

    @property
    def curve(self) -> Curve:
        """The equity as statistics read it."""
        inputs = self.inputs
        start = to_units(inputs.cash, inputs.cash_unit, "starting balance")
        first_ms = self.curve_ms[0] - inputs.parameters.step_ms
        return Curve(first_ms, start, self.curve_ms, self.curve_units, inputs.cash_unit)

    @cached_property
    def statistics(self) -> Statistics:
        """The metric block; worked out when it is first asked for."""
        return build_statistics(
            self.curve,
            Results(*self.closed.results()),
            exposed_bars=self.exposed_bars,
            turnover_units=self.turnover_units,
            market_changes=[last / first - 1.0 for _, (first, last) in sorted(self.market.items())],
            sums=self.sums,
        )


def run_backtest(
    inputs: BacktestInputs,
    progress: Progress | None = None,
    engine: str = FAST,
    columns: Mapping[tuple[str, str], PairColumns] | None = None,
    like: BacktestResult | None = None,
    *,
    keeps_curve: bool = True,
) -> BacktestResult:
    """Run it. `progress(done, total)` is called now and then, in decision bars. `engine`: FAST or
    REFERENCE; both say the same. `columns`: what strategies say, where somebody (a sweep) has
    worked that out for these very inputs. `like`: a run of the same strategies over the same bars
    at other costs, whose columns are these, too. `keeps_curve`: see `BacktestResult`; the reference
    always does.

    Raises DataError when no bar lies in the asked range, and when the account outgrows the core's
    integers.
    """
    try:
        if engine == REFERENCE:
            return BacktestRun(inputs).run(progress)
        from trader.app.backtest_fast import FastRun

        return FastRun(inputs, columns, like, keeps_curve=keeps_curve).run(progress)
    except OverflowError as error:
        raise DataError(
            "the account grows to more than whole numbers hold",
            "start with less (--starting-balance), or end before prices rise so far (--timerange)",
        ) from error


class BacktestRun:
    """A run in progress, by the reference."""

    def __init__(self, inputs: BacktestInputs) -> None:
        self.inputs = inputs
        self.state = open_books(inputs)
        names = (spec.name for spec in inputs.parameters.strategies)
        self.trips = RoundTrips(self.state, [*names, *sorted(self.state.instruments)])
        self.refusals: Counter[str] = Counter()
        self.quiet: Counter[str] = Counter()
        self.universe: Counter[str] = Counter()
        self.sent = self.unfilled = self.exposed = 0
        self.opens_ms: array[int] | memoryview = array("q")
        self.curve_units: array[int] | memoryview = array("q")
        self.closes: dict[str, int] = {}
        self.first_closes: dict[str, int] = {}
        self.bars: Counter[str] = Counter()
        self._step_name = timeframe_name(inputs.parameters.step_ms)
        self.columns = {
            symbol: series
            for (symbol, timeframe), series in sorted(inputs.series.items())
            if timeframe == self._step_name
        }
        self._next: dict[str, int] = {}

    def run(self, progress: Progress | None) -> BacktestResult:
        """Do every bar of the asked range."""
        inputs = self.inputs
        simulation = Simulation(
            inputs.parameters,
            inputs.strategies,
            inputs.series,
            self.state,
            inputs.model,
            self.record,
        )
        wanted = simulation.decision_bars(inputs.start_ms, inputs.end_ms)
        if not wanted:
            raise DataError("no bar lies in the asked time range", "see --timerange")
        self.opens_ms, self.curve_units = array("q", wanted), array("q", [0]) * len(wanted)
        for done, bar_ms in enumerate(wanted):
            simulation.meet(bar_ms)  # what rested met the bar before it closed
            self.curve_units[done] = self._mark(bar_ms)
            self.count(decided(simulation, bar_ms))
            self.exposed += self.trips.any_open
            if progress is not None and done % 256 == 0:
                progress(done, len(wanted))
        if simulation.finish(wanted[-1]):
            self.curve_units[-1] = AccountView(self.state, self.closes).equity_units()
        return self.result()

    def record(self, kind: str, payload: Mapping[str, Any]) -> None:
        """Take a fact that has just been folded."""
        if kind == "fill":
            self.trips.observe_fill(payload)
        elif kind == "plan":
            self.trips.observe_plan(payload)
        elif kind == "order_sent":
            self.sent += 1
        elif kind == "order_seen" and not payload["venue_lots"]:
            self.unfilled += 1

    def count(self, decided: Plan) -> None:
        """Count the answers of one plan's trail."""
        for row in decided.trail:
            code = row.answer.partition(" ")[0]
            if is_universe_row(row):
                told = row.answer.partition(" risk_ppm=")[0] if code == "REGIME_TOLD" else code
                self.universe[told] += 1
            else:
                self.answered(code, 1)

    def answered(self, code: str, count: int) -> None:
        """Count what was said of a strategy and an instrument at so many bars."""
        if code != "approved" and count:
            (self.refusals if code in REFUSALS else self.quiet)[code] += count

    def _mark(self, bar_ms: int) -> int:
        """Equity at the bar's close, before what is decided there is carried out."""
        for symbol, series in self.columns.items():
            index = self._next.get(symbol)
            if index is None:
                index = series.index_of(bar_ms)
            if index < len(series) and series.open_ms[index] == bar_ms:
                self._see(symbol, series, index)
                index += 1
            self._next[symbol] = index
        return AccountView(self.state, self.closes).equity_units()

    def _see(self, symbol: str, series: Series, index: int) -> None:
        self.closes[symbol] = series.close[index]
        self.first_closes.setdefault(symbol, series.close[index])
        self.bars[symbol] += 1

    def result(self) -> BacktestResult:
        """What came of it."""
        inputs = self.inputs
        return BacktestResult(
            inputs,
            self.curve_ms(),
            self.curve_units,
            self.trips.closed,
            tuple(self._left(trip) for _, trip in sorted(self.trips.open.items())),
            dict(sorted(self.refusals.items())),
            dict(sorted(self.quiet.items())),
            dict(sorted(self.universe.items())),
            self.sent,
            self.unfilled,
            self.trips.turnover_units,
            {symbol: (self.first_closes[symbol], self.closes[symbol]) for symbol in self.closes},
            dict(self.bars),
            self.exposed,
            self.state,
            self.trips.fills,
        )

    def curve_ms(self) -> Closes:
        """Closes of the decision bars."""
        return Closes(self.opens_ms, self.inputs.parameters.step_ms)

    def _left(self, trip: RoundTrip) -> OpenPosition:
        position = self.state.positions[trip.symbol]
        spec = self.state.spec(trip.symbol)
        value = value_of_base_down(spec, self.closes[trip.symbol], position.qty_units)
        return OpenPosition(trip, position.qty_units, value)


def decided(simulation: Simulation, bar_ms: int) -> Plan:
    """The plan of one bar, carried out; a strategy that is lost on the way is off from then on."""
    while True:
        try:
            return simulation.decide_and_execute(bar_ms)
        except StrategyLost as lost:
            simulation.strategy_troubles[lost.name] = lost.trouble


def open_books(inputs: BacktestInputs) -> State:
    """An account that holds the starting balance and knows the instruments, and nothing else."""
    parameters = inputs.parameters
    state = State()
    capital = to_units(inputs.cash, inputs.cash_unit, "starting balance")
    genesis: dict[str, Any] = {
        "account": parameters.account,
        "mode": parameters.mode,
        "prefix": parameters.prefix,
        "quote": parameters.quote,
        "cash_digits": inputs.cash_digits,
        "capital_units": capital,
    }
    fold(state, "genesis", genesis)
    for instrument in inputs.instruments:
        fold(state, "instrument", instrument_row(instrument))
    return state
