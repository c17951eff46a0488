"""The fast back-test: the lane where nothing but plain things happen, the reference elsewhere.

Lives here: `FastSimulation`, which gives the facts, the state and the equity that `simulate` gives,
bar for bar. Must not live here: decisions, fills, books.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from typing import TypeAlias

from trader.core.columns import PairColumns, build_columns
from trader.core.lane import Lane
from trader.core.lane_books import LaneBooks
from trader.core.lane_entries import LaneEntries
from trader.core.lane_grid import same_grid, union_of
from trader.core.lane_orders import LaneFacts
from trader.core.lane_rows import Coin, Pair, Strand
from trader.core.lane_rules import LaneRules, asks_fall
from trader.core.lane_state import LaneState
from trader.core.lane_views import entry_view_of
from trader.core.model import Model
from trader.core.parameters import Parameters, StrategyCode
from trader.core.plan import Plan
from trader.core.quality import is_asked
from trader.core.series import Series
from trader.core.signals import Opinion
from trader.core.simulate import Record, Simulation
from trader.core.snapshot import SeriesKey, Snapshot, Told
from trader.core.state import State
from trader.core.universe import tier_of
from trader.domain.timeframe import timeframe_name

Columns = Mapping[tuple[str, str], PairColumns]
Numbers: TypeAlias = "array[int] | memoryview"
Taker = Callable[[LaneEntries, LaneBooks], None]


class FastSimulation(Simulation):
    """A back-test in progress.

    `columns`: what each strategy says of each of its instruments. Bars of the grid are done in
    order, by `run_lane` and `run_slow`, after `begin`. `lane_bars`, `slow_bars`: how many either
    did.
    """

    def __init__(
        self,
        parameters: Parameters,
        strategies: Mapping[str, StrategyCode],
        series: Mapping[SeriesKey, Series],
        state: State,
        model: Model,
        record: Record,
    ) -> None:
        """`state` has seen its genesis and instruments."""
        super().__init__(parameters, strategies, series, state, model, record)
        self.columns: Columns = {}
        self.slow_bars = 0
        self._told: list[Told] = []
        self.lane = _empty_lane(parameters, model, state)
        self.beside = LaneState(state, parameters, self.lane)

    def run(self, start_ms: int, end_ms: int) -> int:
        """Decide every bar with data that opens in [start_ms, end_ms); returns how many."""
        self.begin(start_ms, end_ms)
        at, stop = 0, len(self.grid)
        while at < stop:
            at = self.run_lane(at, stop)
            self.settle()
            if at < stop:
                self.run_slow(at)
                at += 1
        return stop

    def begin(
        self,
        start_ms: int,
        end_ms: int,
        columns: Columns | None = None,
        room: Callable[[int], Numbers] | None = None,
    ) -> None:
        """Get ready for the bars that open in [start_ms, end_ms). `columns`: what each strategy
        says of each of its instruments, where somebody has worked that out. `room`: makes the
        column that equity is written into, int64 zeros, so many."""
        self.columns = self._make_columns(start_ms, end_ms) if columns is None else columns
        self.lane = self._build((start_ms, end_ms), room or _zeros)
        self.beside = LaneState(self.state, self.parameters, self.lane)
        self.beside.load()

    def _make_columns(self, start_ms: int, end_ms: int) -> Columns:
        return build_columns(
            self.parameters,
            self.strategies,
            self.series,
            pairs_of(self.parameters, self.series),
            want=(start_ms, end_ms),
        )

    @property
    def lane_bars(self) -> int:
        """Bars that the lane did."""
        return self.lane.lane_bars

    @property
    def grid(self) -> memoryview:
        """int64[n]: open of every decision bar."""
        return self.lane.grid

    def run_lane(self, at: int, stop: int) -> int:
        """Do bars [at, ...) of the grid that are plain; the first that is not, or `stop`."""
        lane = self.lane
        if not lane.ready or not self.is_idle():
            return at
        reached = lane.run(at, stop)
        if reached > at:
            self._met_ms = max(self._met_ms, lane.grid[reached - 1])
        return reached

    def run_slow(self, at: int) -> Plan:
        """Let the reference do one bar of the grid; the lane's bars must be settled."""
        decided = self.decide_and_execute(self.lane.grid[at])
        self.after_slow()
        return decided

    def after_slow(self) -> None:
        """The reference has done a bar: take up what came of it."""
        self.slow_bars += 1
        self._told.clear()  # a decision's parts hold each other: this run is not to stay with them
        self.beside.load()
        self.lane.books.fills = self._fills

    def settle(self, take: Taker | None = None) -> None:
        """Put what the lane did into the state, and tell what it wrote down: to `take`, or as
        facts."""
        self.beside.store()
        self.tell(take)

    def tell(self, take: Taker | None = None) -> None:
        """Tell what the lane wrote down since it was last told; the state stays behind."""
        entries, books = self.lane.entries, self.lane.books
        if take is not None:
            take(entries, books)
        else:
            for kind, payload in LaneFacts(entries, books, self.parameters):
                self._record(kind, payload)
        self._fills = books.fills
        self.beside.remember()
        entries.clear()

    def snapshot(self, bar_ms: int) -> Snapshot:
        """What the decision sees; opinions are those of the columns."""
        seen = super().snapshot(bar_ms)
        seen.told.append(self._opinion)
        self._told = seen.told
        return seen

    def _opinion(self, strategy: str, symbol: str, close_ms: int) -> Opinion | None:
        found = self.columns.get((strategy, symbol))
        # What a strategy does not follow any more is read only as far back as what is held needs.
        if found is None or (strategy, symbol) not in self.beside.followed:
            return None
        bar_ms = close_ms - self.parameters.step_ms
        series = found.series
        row = 0 if series is None else series.index_of(bar_ms)
        if series is None or row >= len(series) or series.open_ms[row] != bar_ms:
            return found.opinion_at(bar_ms)
        return found.opinion(row)

    # --- building ----------------------------------------------------------------------------

    def _build(self, span_ms: tuple[int, int], room: Callable[[int], Numbers]) -> Lane:
        parameters = self.parameters
        step_name = timeframe_name(parameters.step_ms)
        decided = {
            symbol: series
            for (symbol, timeframe), series in sorted(self.series.items())
            if timeframe == step_name
        }
        coins = [self._coin(i, symbol, decided[symbol]) for i, symbol in enumerate(decided)]
        grid, aligned = _grid(coins, span_ms)
        bases = {coin.spec.base: coin.index for coin in reversed(coins)}
        for coin in coins:
            coin.base_index = bases[coin.spec.base]
        strands = [Strand(i, spec.name) for i, spec in enumerate(parameters.strategies)]
        rules = LaneRules(parameters, self.model, self.state.number("cash_digits"))
        pairs = self._pairs(strands, {coin.symbol: coin for coin in coins}, rules)
        books = LaneBooks(coins, strands, pairs, parameters.limits.day, parameters.step_ms)
        self._set_rules(books, rules)
        equity = room(len(grid))
        lane = Lane(books, LaneEntries(books, rules), grid, parameters.step_ms, equity)
        lane.aligned = int(aligned)
        lane.mark_wishes(pairs)
        return lane

    def _coin(self, index: int, symbol: str, series: Series) -> Coin:
        names = ("open_ms", "open", "high", "low", "close", "volume")
        columns = [memoryview(getattr(series, name)) for name in names]
        coin = Coin(index, self.state.spec(symbol), columns)
        coin.fills_idle = int(self.model.zero_volume_fills or self.market.is_silent(symbol))
        return coin

    def _pairs(
        self, strands: list[Strand], coins: Mapping[str, Coin], rules: LaneRules
    ) -> list[Pair]:
        parameters, pairs = self.parameters, list[Pair]()
        digits = self.state.number("cash_digits")
        for strand, spec in zip(strands, parameters.strategies, strict=True):
            strand.timeframe_ms = spec.timeframe_ms
            strand.budget_exposure_ppm = spec.budget_exposure_ppm
            strand.budget_loss_ppm = spec.budget_loss_ppm
            for (name, symbol), columns in self.columns.items():
                if name != spec.name or symbol not in coins:
                    continue
                pair = Pair(len(pairs), strand, coins[symbol])
                pair.columns = columns
                pair.fails = [one for one in columns.problems if one[2] == "STRATEGY_FAILED"]
                pair.enters, pair.leaves = memoryview(columns.enters), memoryview(columns.leaves)
                _listen_to(pair, columns)
                if self.model.is_plain and columns.arm is None and columns.even is None:
                    pair.view = entry_view_of(pair, spec, parameters, rules, digits)
                pair.coin.tier_index = pair.tier_index
                if not columns.absent_code:
                    pair.coin.asks_absent = 1
                pairs.append(pair)
        return pairs

    def _set_rules(self, books: LaneBooks, rules: LaneRules) -> None:
        limits = self.parameters.limits
        books.bid_ppm, books.slippage_ppm = rules.bid_ppm, rules.slippage_ppm
        books.asks_quality = int(is_asked(limits.quality))
        books.trim_ppm = limits.trim_from_ppm
        books.fall_ppm = rules.fall_ppm if asks_fall(rules.fall_ppm) else -1
        books.day_loss_ppm, books.drawdown_ppm = limits.day_stop_ppm, limits.drawdown_ppm_max
        books.exposure_ppm, books.loss_ppm = limits.exposure_ppm_max, limits.loss_ppm_max
        books.exits_elsewhere = int(not self.model.is_plain)


def _listen_to(pair: Pair, columns: PairColumns) -> None:
    """Give a pair what its signals say as columns, where every row's answer is in them."""
    if columns.own is not columns.series:
        return
    pair.quick, pair.plain = 1, int(columns.plain)
    pair.offsets = memoryview(columns.offsets)
    if columns.signals is not None:
        pair.signals = memoryview(columns.signals)
    for name in ("stop", "target", "trail"):
        column = getattr(columns, name)
        if column is not None:
            setattr(pair, f"{name}s", memoryview(column))
    if columns.strength is not None:
        pair.strengths = memoryview(columns.strength)


def _empty_lane(parameters: Parameters, model: Model, state: State) -> Lane:
    rules = LaneRules(parameters, model, state.number("cash_digits"))
    books = LaneBooks([], [], [], parameters.limits.day, parameters.step_ms)
    nothing = memoryview(array("q"))
    return Lane(books, LaneEntries(books, rules), nothing, parameters.step_ms, array("q"))


def _zeros(rows: int) -> Numbers:
    return array("q", [0]) * rows


def pairs_of(parameters: Parameters, series: Mapping[SeriesKey, Series]) -> list[tuple[str, str]]:
    """Every (strategy, instrument) that a back-test may ask about: those that a strategy names, and
    all instruments of the tier that it follows."""
    step_name = timeframe_name(parameters.step_ms)
    symbols = sorted(symbol for symbol, timeframe in series if timeframe == step_name)
    found: list[tuple[str, str]] = []
    for spec in parameters.strategies:
        for symbol in symbols if spec.tier else spec.symbols:
            follows = not spec.tier or tier_of(parameters.universe, symbol) == spec.tier
            if follows and symbol in symbols:
                found.append((spec.name, symbol))
    return found


def _grid(coins: list[Coin], span_ms: tuple[int, int]) -> tuple[memoryview, bool]:
    """Opens of the decision bars, and whether every coin has a bar at each of them."""
    if not coins:
        return memoryview(array("q")), True
    told = coins[0].open_ms
    alike = [same_grid(told, coin.open_ms) for coin in coins[1:]]
    for coin, is_alike in zip(coins[1:], alike, strict=True):
        if is_alike:
            coin.open_ms = told  # one column in the processor's cache, not one for each
    spans = [(coin.first_at(span_ms[0]), coin.first_at(span_ms[1])) for coin in coins]
    views = [coin.open_ms[a:b] for coin, (a, b) in zip(coins, spans, strict=True)]
    if all(alike) or all(same_grid(views[0], view) for view in views[1:]):
        for coin, (first, _) in zip(coins, spans, strict=True):
            coin.offset = first
        return views[0], True
    grid = views[0]
    for view in views[1:]:
        grid = union_of(grid, view)
    return grid, False
