# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The lane's records: instruments, strategies, their pairs, and what the lane wrote down.

Lives here: typed rows that mirror the part of `State` which plain bars change, and a tape of whole
numbers that grows. They are filled from a `State` and put back into one by `lane_state`. Must not
live here: what a bar does (`lane`, `lane_entries`), and conversions.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from trader.core.days import DAY_SLOTS
from trader.core.money import PPM
from trader.core.scale import Spec, value_of_base_down

if TYPE_CHECKING:
    from trader.core.gate_view import GateView

NO_ROW = -1
# A window of no rows at all: greater than any row.
NEVER_ROW = 1 << 60


class Coin:
    """One instrument: its decision bars, and the position that is held of it.

    Attributes:
        spec: in core integers. open_ms ... close: int64[n], the decision series; rows: n.
        row: of the decision bar in hand, NO_ROW when the instrument has none; next_row: of the
            newest bar at or after it. offset: row of the grid's first bar, where every bar of the
            grid is a bar of this series and the other way round; NO_ROW: rows are looked for.
        mark_ticks: newest close. value_units: of what is held, at that.
        per_tick: cash units that the coins held gain with a tick, exact below price_max.
        owned: 1 when it is a position: somebody's, and enough of it to be sold.
        leave_row: no row before it has an exit level of the holder, as far as is known.
        began_ms: when the bar opened in which the position was opened. peak_ticks: the highest
            price since then. bid_stop_ticks: the highest close whose bid is at or below the stop.
        net_stop_units: what a sale at the stop brings, fee and slippage taken off.
        leg_sell_ticks: price of the sale that the plan in hand has approved, 0 for none; leg_buys:
            entries that it has approved. tier_index, base_index: of its tier, -1 for none, and of
            its coin. known: 1 once it was traded; touched: 1 when it differs from the state's rows.
        asks_absent: 1 when a strategy may speak of it at a bar that it does not have.
        fills_idle: 1 when a bar without volume fills takers.
        complex: 1 when the reference looks after the position.
        The rest: as in `state.Position`.
    """

    __slots__ = (
        "asks_absent", "base_index", "began_ms", "bid_stop_ticks", "bought_lots",
        "bought_units", "close", "complex", "cost_units", "entry_ticks", "fees_units",
        "fills_idle", "high", "hold_ms", "holder", "index", "known", "leave_row", "leg_buys",
        "leg_sell_ticks", "low", "mark_ticks", "net_stop_units", "next_row", "offset",
        "open", "open_ms", "opened_ms", "owned", "peak_ticks", "per_tick", "price_max",
        "qty_units", "realised_units", "result_units", "row", "rows", "scaled", "spec",
        "stop_ticks", "strand", "symbol", "target_ticks", "tier_index", "touched",
        "trail_ticks", "trailed", "value_units", "volume",
    )  # fmt: skip

    def __init__(self, index: int, spec: Spec, columns: Sequence[memoryview]) -> None:
        """With nothing held. `columns`: open_ms, open, high, low, close, volume of its bars."""
        self.index = index
        self.spec = spec
        self.symbol = spec.symbol
        self.open_ms, self.open, self.high, self.low, self.close, self.volume = columns
        self.rows = len(self.open_ms)
        self.row = self.offset = NO_ROW
        self.next_row = self.leave_row = 0
        self.mark_ticks = self.value_units = 0
        self.known = self.touched = self.asks_absent = self.fills_idle = 0
        self.base_index = index
        self.tier_index = -1
        self.leg_sell_ticks = self.leg_buys = 0
        self.realised_units = self.fees_units = 0
        self.strand = NOBODY
        self.clear()

    def clear(self) -> None:
        """Nothing is held."""
        self.holder = -1
        self.owned = self.complex = 0
        self.qty_units = self.cost_units = self.per_tick = self.value_units = 0
        self.price_max = 0
        self.forget()

    def forget(self) -> None:
        """Nobody owns what may be left of it."""
        self.owned = 0
        self.bought_lots = self.bought_units = self.entry_ticks = 0
        self.stop_ticks = self.target_ticks = self.trail_ticks = self.trailed = 0
        self.hold_ms = self.opened_ms = self.result_units = self.scaled = 0
        self.began_ms = self.peak_ticks = self.bid_stop_ticks = self.net_stop_units = 0

    def first_at(self, open_ms: int) -> int:
        """Row of the first bar at or after a time; `rows` when there is none."""
        low = 0
        high = self.rows
        while low < high:
            middle = (low + high) // 2
            if self.open_ms[middle] < open_ms:
                low = middle + 1
            else:
                high = middle
        return low

    def weigh(self) -> None:
        """Find how the value of what is held follows from a price."""
        spec = self.spec
        whole = self.qty_units // spec.base_per_lot
        exact = whole * spec.base_per_lot == self.qty_units and spec.notional_den == 1
        self.per_tick, self.price_max = -1, 0
        if exact and 0 < whole < LARGE // spec.notional_num:
            self.per_tick = whole * spec.notional_num
            self.price_max = LARGE // self.per_tick

    def value_at(self, price_ticks: int) -> int:
        """Cash units that the coins held are worth at a price, rounded down."""
        if price_ticks < self.price_max:
            return self.per_tick * price_ticks
        return value_of_base_down(self.spec, price_ticks, self.qty_units)


# A product below this fits.
LARGE = 1 << 61


class Strand:
    """One strategy: the numbers of its book (see `books.Book`), and of its part in a decision."""

    __slots__ = (
        "attended", "budget_exposure_ppm", "budget_loss_ppm", "budget_positions_max",
        "budget_trades_day_max", "cash_units", "days", "drawdown_units", "entries_filled",
        "fees_units", "fills", "first_day", "has_book", "high_units", "index", "leg_buys",
        "losses", "lost_ppm", "name", "quality_day", "realised_units", "result_now",
        "result_units", "sent_day", "stopped", "timeframe_ms", "wins", "won_ppm",
    )  # fmt: skip

    def __init__(self, index: int, name: str) -> None:
        """With an empty book."""
        self.index = index
        self.name = name
        self.days = new_days()
        self.has_book = self.leg_buys = self.sent_day = 0
        self.timeframe_ms = 0
        self.budget_exposure_ppm = self.budget_loss_ppm = 0
        self.budget_positions_max = self.budget_trades_day_max = 0
        self.result_now = self.stopped = 0
        self.cash_units: int = 0
        self.fees_units = self.fills = self.realised_units = 0
        self.result_units = self.high_units = self.drawdown_units = 0
        self.wins = self.losses = self.won_ppm = self.lost_ppm = 0
        self.entries_filled = self.attended = 0
        self.first_day = self.quality_day = -1


class LaneDay:
    """One day of the account or of a strategy, as `days.DayRow`; `day` -1: none is known in this
    place. `changed`: 1 when it differs from the state's row."""

    __slots__ = (
        "changed", "day", "end_units", "fees_units", "fills", "flow_units", "low_units",
        "realised_units", "start_units", "trades",
    )  # fmt: skip

    def __init__(self) -> None:
        """None is known."""
        self.day = -1
        self.begin(-1, 0)
        self.changed = 0

    def begin(self, day: int, start_units: int) -> None:
        """A new day in this place."""
        self.day = day
        self.start_units = self.end_units = start_units
        self.flow_units = self.low_units = self.realised_units = self.fees_units = 0
        self.fills = self.trades = 0
        self.changed = 1

    def reach_all(self, least_units: int, end_units: int) -> None:
        """Take the values at many decisions: the least of them, and the last."""
        result = least_units - self.start_units - self.flow_units
        self.low_units = min(self.low_units, result)
        self.end_units = end_units
        self.changed = 1

    def reach(self, end_units: int) -> None:
        """Take the value at a decision."""
        if self.end_units == end_units:
            return
        self.end_units = end_units
        result = end_units - self.start_units - self.flow_units
        self.low_units = min(self.low_units, result)
        self.changed = 1


def new_days() -> list[LaneDay]:
    """A ring of days, see `days.DAY_SLOTS`."""
    return [LaneDay() for _ in range(DAY_SLOTS)]


class Pair:
    """A strategy and an instrument that it may trade.

    Attributes:
        enters, leaves: runs of rows (see `columns.PairColumns`); enter_at, leave_at: the run at
            hand, as an index of its start. fails: rows at which the strategy's code fails.
        usable: 0 when its entries are not the lane's.
        quick: 1 when what its signals say is in the columns below, by the index that `offsets`
            tells (see `columns.PairColumns`); plain: 1 when a signal's row is its own row.
        consumed_ms: newest signal acted on. exit_ms, stop_ms, unfilled_ms: see `days.Cooldown`.
        cap_ppm: the most that a position may be worth. least_units: the smallest entry.
        method, at_risk, share_ppm, fixed_units: how it is sized. regime_ppm: factor of its size.
        tier_index, tier_ppm: of its tier, -1 for none, and the cap of that.
        view: what its gates are shown; asked: which of them are, said_limit, said_measured: what
            the one that refused had compared, see `lane_gates`. touched: 1 when it differs from
            the state's rows.
    """

    __slots__ = (
        "asked", "at_risk", "cap_ppm", "coin", "columns", "consumed_ms", "enter_at", "enters",
        "exit_ms", "fails", "fixed_units", "has_wait", "hold_ms", "index", "least_units",
        "leave_at", "leaves", "lot_float", "may_add", "method", "offsets", "plain", "quick",
        "regime_ppm", "said_limit", "said_measured", "share_ppm", "signals", "stop_ms",
        "stops", "strand", "strengths",
        "targets", "tier_index", "tier_ppm", "touched", "trails", "unfilled_ms", "usable",
        "view",
    )  # fmt: skip

    def __init__(self, index: int, strand: Strand, coin: Coin) -> None:
        """Without signals."""
        self.index = index
        self.strand = strand
        self.coin = coin
        self.columns: Any = None
        self.fails: list[tuple[int, int, str]] = []
        self.enters = self.leaves = memoryview(array("i"))
        self.enter_at = self.leave_at = 0
        self.usable = self.may_add = self.at_risk = self.quick = self.plain = 0
        self.offsets = self.signals = memoryview(array("i"))
        self.stops = self.targets = self.trails = self.strengths = memoryview(array("d"))
        self.consumed_ms = self.exit_ms = self.stop_ms = self.unfilled_ms = -1
        self.has_wait = self.touched = 0
        self.cap_ppm = self.least_units = self.tier_ppm = 0
        self.method = self.share_ppm = self.fixed_units = self.hold_ms = 0
        self.regime_ppm = PPM
        self.tier_index = -1
        self.lot_float = 1.0
        self.view: GateView | None = None
        self.asked = memoryview(b"")
        self.said_limit = self.said_measured = 0


class Leg:
    """One leg that the lane approved, and its fill; names as in `Order` and in the `fill` fact.

    Attributes:
        number: of the leg in its plan. reason: a place in REASONS. is_stop: 1 when the price forced
            it. result_units, closed: of a sale, what it brought, and 1 when nothing was left.
    """

    __slots__ = (
        "bar_ms", "base_fee_units", "closed", "fee_units", "fill_ticks", "is_buy",
        "is_stop", "number", "pair", "price_ticks", "qty_lots", "reason", "result_units",
        "signal_ms", "stop_ticks", "target_ticks", "trail_ticks", "value_units",
    )  # fmt: skip
    bar_ms: int
    base_fee_units: int
    closed: int
    fee_units: int
    fill_ticks: int
    is_buy: int
    is_stop: int
    number: int
    pair: int
    price_ticks: int
    qty_lots: int
    reason: int
    result_units: int
    signal_ms: int
    stop_ticks: int
    target_ticks: int
    trail_ticks: int
    value_units: int


def new_leg(pair: int, number: int, bar_ms: int, price_ticks: int, qty_lots: int) -> Leg:
    """A leg of which the rest is zero, and to be filled in."""
    leg = Leg.__new__(Leg)  # a call with arguments costs ten times what it writes
    leg.pair, leg.number, leg.bar_ms = pair, number, bar_ms
    leg.price_ticks, leg.qty_lots = price_ticks, qty_lots
    leg.is_buy = leg.is_stop = leg.reason = leg.closed = leg.signal_ms = 0
    leg.stop_ticks = leg.target_ticks = leg.trail_ticks = leg.result_units = 0
    leg.fill_ticks = leg.value_units = leg.fee_units = leg.base_fee_units = 0
    return leg


# Why a position is left or opened.
REASONS = (
    "stop_loss", "trailing_stop", "break_even", "take_profit", "max_hold", "exit_signal",
    "entry_signal",
)  # fmt: skip


class Refusal:
    """An entry that a gate refused: the index of the gate, what it compared, and its words besides.

    `words` is "" where there are none.
    """

    __slots__ = ("bar_ms", "gate", "limit", "measured", "pair", "words")

    def __init__(self, bar_ms: int, pair: int, gate: int, limit: int, measured: int) -> None:
        """As the gate answered."""
        self.bar_ms = bar_ms
        self.pair = pair
        self.gate = gate
        self.limit = limit
        self.measured = measured
        self.words = ""


class Ratchet:
    """A stop that moved up."""

    __slots__ = ("bar_ms", "coin", "ticks")

    def __init__(self, bar_ms: int, coin: int, ticks: int) -> None:
        """To where, in ticks."""
        self.bar_ms = bar_ms
        self.coin = coin
        self.ticks = ticks


# Whose coins are nobody's.
NOBODY = Strand(-1, "")
