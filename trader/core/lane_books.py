# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The lane's books: marks of the account, days, and what a whole fill means.

Lives here: the typed mirror of what `marks`, `days`, `account_facts`, `bookkeeping` and `waits` do
with the facts of a plain bar. `fold` stays the one definition; that both agree to the last unit is
what `scripts/prove/fast_equals_reference.py` holds. Must not live here: what may be traded.
"""

from __future__ import annotations

from array import array

from trader.core.calendar import day_of, day_start_ms
from trader.core.days import DAY_SLOTS
from trader.core.lane_messages import LaneMessages
from trader.core.lane_rows import Coin, LaneDay, Leg, Pair, Strand, new_days
from trader.core.limits import Day
from trader.core.money import PPM, limit_units, mul_div_down, mul_div_up, price_down, product
from trader.core.scale import fee_up, value_of_base_down
from trader.core.state import SENT_SLOTS
from trader.core.totals import DAY_MS, HOUR_MS

TIMES_MAX = 1_000
# Numbers of other modules, as C numbers where this one is compiled.
SLOTS = DAY_SLOTS
AN_HOUR, A_DAY = HOUR_MS, DAY_MS
MILLION = PPM
SENT = SENT_SLOTS
SURE = 0.999_999


class LaneBooks:
    """The account in typed numbers; names as in `State.meta`, `Position` and `Book`.

    Attributes:
        days: of the account. day_at: number of the day that was asked for last, which begins at
            day_begins_ms; the next one at day_after_ms.
        day_floor, fall_floor: equity at and below which the day's stop and the draw-down are hit;
            fall_fresh: 1 while the latter is that of `high_units`.
        fall_ppm: of `strategy_drawdown`, -1 when it is not asked. asks_quality: 1 when strategies
            are judged by their days. exits_elsewhere: 1 when the reference looks after every exit.
        sent_*: ring of entries sent; sent_day, sent_hour: number of the oldest one that counts;
            sent_new: how many since it was loaded.
        seen_*: marks of the bar in hand, see `foresee`.
        marked: 1 when nothing was filled since the newest marks.
        held: coins of which something is, in the order of their names; owned_count: those that are
            positions; leftovers: those that are dust; undeclared: 1 when some is not declared yet.
        used_units: what all that is held cost.
    """

    __slots__ = (
        "asks_quality", "bid_ppm", "capital_units", "cash_units", "close_ms", "coins",

        "day", "day_after_ms", "day_at", "day_begins_ms", "day_ends_ms",
        "day_floor", "day_limit",
        "day_loss_ppm", "day_rule", "day_stopped", "day_units", "day_whole", "days",
        "drawdown_ppm", "drawdown_stopped", "equity_units", "exits_elsewhere",
        "exposure_ppm", "fall_floor", "fall_fresh", "fall_ppm", "fills", "held",
        "held_count", "high_units", "last_bar_ms", "leftovers", "loss_ppm", "marked", "messages",
        "owned_count",
        "pairs", "seen_day", "seen_day_limit", "seen_day_stopped", "seen_day_units",
        "seen_fall_limit", "seen_fallen", "seen_high", "sent_at", "sent_by", "sent_count",
        "sent_day", "sent_hour", "sent_new", "slippage_ppm", "step_ms",
        "strands", "trim_ppm", "undeclared", "used_units",
    )  # fmt: skip

    def __init__(
        self, coins: list[Coin], strands: list[Strand], pairs: list[Pair], day: Day, step_ms: int
    ) -> None:
        """Nothing is known of the account yet (see `lane_state`)."""
        self.coins = coins
        self.held: list[Coin] = []
        self.held_count = 0
        self.strands = strands
        self.pairs = pairs
        self.day_rule = day
        self.step_ms = step_ms
        self.days = new_days()
        self.bid_ppm = PPM
        self.slippage_ppm = 0
        self.asks_quality = self.trim_ppm = self.exits_elsewhere = 0
        self.fall_ppm = -1
        self.day_loss_ppm = self.drawdown_ppm = self.exposure_ppm = self.loss_ppm = PPM
        self.cash_units: int = 0
        self.capital_units = self.close_ms = self.equity_units = self.high_units = 0
        self.day = self.day_ends_ms = self.day_at = -1
        self.day_begins_ms = self.day_after_ms = 0
        self.day_units = self.day_whole = self.day_stopped = self.drawdown_stopped = 0
        self.day_floor = self.day_limit = self.fall_floor = self.fall_fresh = 0
        self.last_bar_ms = -1
        self.leftovers = self.owned_count = self.undeclared = self.fills = self.used_units = 0
        self.seen_day = self.seen_day_limit = self.seen_day_stopped = self.seen_day_units = 0
        self.seen_fall_limit = self.seen_fallen = self.seen_high = 0
        self.messages = LaneMessages()
        self.sent_count = 0
        self.sent_day = self.sent_hour = self.marked = 0
        self.sent_new = 0
        self.sent_at = memoryview(array("q", [-1]) * SENT_SLOTS)
        self.sent_by = memoryview(array("q", [-1]) * SENT_SLOTS)

    # --- marks and days ----------------------------------------------------------------------

    def foresee(self, close_ms: int, equity: int) -> None:
        """The marks that the bar in hand will have, for its gates; nothing is changed by it."""
        units, stopped, limit = self.day_units, self.day_stopped, self.day_limit
        self.seen_day = self.day
        if close_ms >= self.day_ends_ms:
            number = self._day_at(close_ms)
            if number > self.day:
                whole = self.day_begins_ms == close_ms
                units = self.equity_units if self.day >= 0 and not whole else equity
                stopped = 0
                self.seen_day = number
            limit = limit_units(units, self.day_loss_ppm)
        self.seen_day_units = units
        self.seen_day_limit = limit
        self.seen_day_stopped = 1 if stopped or units - equity >= limit else 0
        self.seen_high = max(self.high_units, equity)
        self.seen_fall_limit = limit_units(self.seen_high, self.drawdown_ppm)
        fallen = self.seen_high - equity >= self.seen_fall_limit
        self.seen_fallen = 1 if self.drawdown_stopped or fallen else 0

    def mark(self, close_ms: int, equity: int) -> None:
        """Take the equity of a decision, and the results of all strategies at it."""
        day_before = self.day
        if close_ms >= self.day_ends_ms:
            self._begin_day(close_ms, equity)
        self.close_ms = close_ms
        if equity > self.high_units:
            self.high_units = equity
            self.fall_fresh = 0
        elif equity < self.high_units and self.drawdown_stopped == 0:
            self.floor_units()
            if equity <= self.fall_floor:
                self.drawdown_stopped = 1
        if equity <= self.day_floor:
            self.day_stopped = 1
        self.equity_units = equity
        self.marked = 1
        today = self.days[self.day % SLOTS]
        today.reach(equity)
        self._tell_results(day_before)

    def _begin_day(self, close_ms: int, equity: int) -> None:
        """As `marks._begin_day` and `days.note_equity` do."""
        before = self.day
        number = self._day_at(close_ms)
        if number > before:
            self.day_whole = int(self.day_begins_ms == close_ms)
            carried = before >= 0 and self.day_whole == 0
            self.day_units = self.equity_units if carried else equity
            self.day_stopped = 0
            self.day = number
        self.day_ends_ms = self.day_after_ms
        if number != self.day:
            self.day_ends_ms = day_start_ms(self.day + 1, self.day_rule)
        self.set_day_floor()
        today = self.days[self.day % SLOTS]
        if today.day == self.day:
            return
        if before >= 0:
            last = self.days[before % SLOTS]
            if last.day == before:
                last.reach(self.day_units)
        today.begin(self.day, self.day_units)

    def _day_at(self, close_ms: int) -> int:
        """Number of the day at a time, which is not before the one asked for last. When it begins
        and the next does are kept: day after day is one question of the calendar, not four."""
        if not self.day_begins_ms <= close_ms < self.day_after_ms:
            if close_ms >= self.day_after_ms and self.day_at >= 0:
                self.day_begins_ms = self.day_after_ms
                self.day_at += 1
                self.day_after_ms = day_start_ms(self.day_at + 1, self.day_rule)
            if not self.day_begins_ms <= close_ms < self.day_after_ms:
                self.day_at = day_of(close_ms, self.day_rule)
                self.day_begins_ms = day_start_ms(self.day_at, self.day_rule)
                self.day_after_ms = day_start_ms(self.day_at + 1, self.day_rule)
        return self.day_at

    def is_still(self, equity: int, close_ms: int) -> bool:
        """Whether a bar without positions changes nothing but the time."""
        known = self.marked == 1 and equity == self.equity_units and equity >= 0
        return known and close_ms < self.day_ends_ms and self.asks_quality == 0

    def is_gliding(self, coin: Coin) -> bool:
        """Whether nothing but the value of one position changes from bar to bar."""
        plain = coin.owned and not coin.complex and coin.trail_ticks == 0 and coin.price_max > 0
        quiet = self.asks_quality == 0 and self.trim_ppm == 0
        return bool(plain and quiet and self.leftovers == 0)

    def floor_units(self) -> int:
        """The highest equity at and below which a stop of the account is hit; 0 when both hold."""
        floor = 0
        if self.day_stopped == 0:
            floor = max(0, self.day_floor)
        if self.drawdown_stopped == 0:
            if self.fall_fresh == 0:
                self.fall_floor = self.high_units - limit_units(self.high_units, self.drawdown_ppm)
                self.fall_fresh = 1
            floor = max(floor, self.fall_floor)
        return floor

    def set_day_floor(self) -> None:
        """The equity at and below which the day's stop is hit."""
        self.day_limit = limit_units(self.day_units, self.day_loss_ppm)
        self.day_floor = self.day_units - self.day_limit

    def _tell_results(self, day_before: int) -> None:
        """As `bookkeeping.note_plan` does with the results that a plan tells."""
        for i in range(len(self.strands)):
            strand = self.strands[i]
            if strand.has_book == 0:
                continue
            result = strand.result_now
            if result == strand.result_units:
                continue
            day = self.day
            if day != day_before and day_before >= 0 and self.day_whole:
                day = day_before
            there = strand.days[day % SLOTS]
            if there.day != day:
                there.begin(day, strand.result_units)
            there.reach(result)
            strand.result_units = result
            strand.high_units = max(strand.high_units, result)
            fallen = strand.high_units - result
            strand.drawdown_units = max(strand.drawdown_units, fallen)

    def has_to_judge(self, close_ms: int) -> bool:
        """Whether the quality of a strategy is measured at this decision: at the first of a day,
        and the first after its first fill."""
        if close_ms >= self.day_ends_ms:
            return True
        for i in range(len(self.strands)):
            strand = self.strands[i]
            if strand.has_book and strand.quality_day != self.day:
                return True
        return False

    def may_have_fallen(self, equity: int) -> bool:
        """Whether the book of a strategy may have fallen to its limit."""
        for i in range(len(self.strands)):
            strand = self.strands[i]
            if strand.has_book == 0 or strand.stopped:
                continue
            result = strand.result_now
            budget = SURE * equity * strand.budget_exposure_ppm / MILLION
            fallen = strand.high_units - result
            if fallen > 0 and fallen >= budget * self.fall_ppm / MILLION - 1.0:
                return True
        return False

    # --- entries sent -----------------------------------------------------------

    def forget_sent(self, now_ms: int) -> None:
        """Move on to the entries that were sent within the last hour, and the last day."""
        least = self.sent_count - SENT
        at = max(self.sent_day, least)
        for lost in range(self.sent_day, at):
            self._less_sent(lost)
        while at < self.sent_count and self.sent_at[at % SENT] <= now_ms - A_DAY:
            self._less_sent(at)
            at += 1
        self.sent_day = at
        at = max(self.sent_hour, least)
        while at < self.sent_count and self.sent_at[at % SENT] <= now_ms - AN_HOUR:
            at += 1
        self.sent_hour = at

    def forget_oldest_sent(self) -> None:
        """The ring is full: the oldest entry of the last day is counted no more."""
        self._less_sent(self.sent_day)
        self.sent_day += 1

    def _less_sent(self, at: int) -> None:
        """One entry of the last day less."""
        by = self.sent_by[at % SENT]
        if by >= 0:
            strand = self.strands[by]
            strand.sent_day -= 1

    def note_entry_sent(self, strand: Strand, at_ms: int) -> None:
        """As `account_facts.note_sent` does with an entry."""
        if self.sent_count - self.sent_day >= SENT:
            self.forget_oldest_sent()
        slot = self.sent_count % SENT
        self.sent_at[slot] = at_ms
        self.sent_by[slot] = strand.index
        self.sent_count += 1
        self.sent_new += 1
        strand.sent_day += 1
        today = known_day(self.days, self.day, self.day_units)
        today.trades += 1
        today = known_day(strand.days, self.day, strand.result_units)
        today.trades += 1

    # --- fills -------------------------------------------------------------------------------

    def note_fill(self, strand: Strand, realised: int, fee: int) -> None:
        """As `days.note_fill` does, and the counts of the book."""
        strand.has_book = 1
        if strand.first_day < 0:
            strand.first_day = self.day
        strand.fees_units += fee
        strand.fills += 1
        today = known_day(self.days, self.day, self.day_units)
        today.realised_units += realised
        today.fees_units += fee
        today.fills += 1
        today = known_day(strand.days, self.day, strand.result_units)
        today.realised_units += realised
        today.fees_units += fee
        today.fills += 1

    def buy(self, pair: Pair, leg: Leg, at_ms: int) -> None:
        """A whole entry was filled."""
        coin = pair.coin
        strand = pair.strand
        spec = coin.spec
        lots, value, fee = leg.qty_lots, leg.value_units, leg.fee_units
        coins = lots * spec.base_per_lot - leg.base_fee_units
        was, was_owned = coin.qty_units, coin.owned
        strand.cash_units -= value + fee
        strand.entries_filled += 1
        if coin.owned == 0:
            coin.holder = pair.index
            coin.strand = strand
            coin.opened_ms = at_ms
            coin.began_ms = at_ms
            coin.bought_lots = coin.bought_units = coin.trailed = coin.result_units = 0
            coin.scaled = 0
            coin.peak_ticks = coin.leave_row = 0
            coin.stop_ticks = leg.stop_ticks
            coin.target_ticks, coin.trail_ticks = leg.target_ticks, leg.trail_ticks
            coin.hold_ms = pair.hold_ms
        coin.qty_units += coins
        coin.cost_units += value + fee
        self.used_units += value + fee
        coin.stop_ticks = max(coin.stop_ticks, leg.stop_ticks)
        if coin.target_ticks == 0:
            coin.target_ticks = leg.target_ticks
        if coin.trail_ticks == 0:
            coin.trail_ticks = leg.trail_ticks
        if coin.hold_ms == 0:
            coin.hold_ms = pair.hold_ms
        coin.bought_lots += lots
        coin.bought_units += value
        coin.entry_ticks = mul_div_up(
            coin.bought_units, spec.notional_den, spec.notional_num * coin.bought_lots
        )
        coin.owned = 1
        self.note_fill(strand, 0, fee)
        coin.fees_units += fee
        coin.known = coin.touched = pair.touched = 1
        coin.weigh()
        self.guard(coin)
        self.keep(coin, was, was_owned)
        self.cash_units -= value + fee
        self.marked = 0
        pair.consumed_ms = max(pair.consumed_ms, leg.signal_ms)

    def sell(self, pair: Pair, leg: Leg, at_ms: int, close_ms: int) -> None:
        """A whole exit was filled."""
        coin = pair.coin
        strand = pair.strand
        spec = coin.spec
        value, fee = leg.value_units, leg.fee_units
        gone = leg.qty_lots * spec.base_per_lot
        was, was_owned = coin.qty_units, coin.owned
        cost = mul_div_up(coin.cost_units, gone, coin.qty_units)
        cost = min(cost, coin.cost_units)
        coin.qty_units -= gone
        coin.cost_units -= cost
        self.used_units -= cost
        result = value - fee - cost
        coin.result_units += result
        coin.realised_units += result
        strand.realised_units += result
        strand.cash_units += value - fee
        closed = coin.qty_units // spec.base_per_lot < spec.qty_lots_min
        stopped = leg.is_stop == 1
        if closed or stopped:
            since = min(at_ms, close_ms)
            pair.has_wait = 1
            if closed and since > pair.exit_ms:
                pair.exit_ms = since
            if stopped and since > pair.stop_ms:
                pair.stop_ms = since
        if closed:
            settle(strand, coin.result_units, coin.bought_units)
            coin.forget()
        self.note_fill(strand, result, fee)
        coin.fees_units += fee
        coin.touched = pair.touched = 1
        leg.result_units, leg.closed = result, int(closed)
        coin.weigh()
        if coin.qty_units == 0:
            coin.holder = -1
        elif closed:
            self.undeclared = 1
        if not closed:
            self.guard(coin)
        self.keep(coin, was, was_owned)
        self.cash_units += value - fee
        self.marked = 0

    def hold(self) -> None:
        """Find the coins of which something is held."""
        self.held = [coin for coin in self.coins if coin.qty_units > 0]
        self.used_units = 0
        for coin in self.coins:
            self.used_units += coin.cost_units
        self.owned_count = 0
        for coin in self.held:
            self.owned_count += coin.owned
        self.held_count = len(self.held)
        self.leftovers = self.held_count - self.owned_count

    def keep(self, coin: Coin, was: int, was_owned: int) -> None:
        """A coin after its fill, of which so many units were held before: among those that are
        held, or not."""
        if was > 0 >= coin.qty_units:
            at = 0
            while self._index(at) != coin.index:
                at += 1
            del self.held[at]
            self.held_count -= 1
        elif coin.qty_units > 0 >= was:
            at = self.held_count
            while at > 0 and self._index(at - 1) > coin.index:
                at -= 1
            self.held.insert(at, coin)
            self.held_count += 1
        self.owned_count += coin.owned - was_owned
        self.leftovers = self.held_count - self.owned_count

    def _index(self, at: int) -> int:
        coin = self.held[at]
        return coin.index

    def guard(self, coin: Coin) -> None:
        """What follows from where the stop of a position is now."""
        stop = coin.stop_ticks
        coin.bid_stop_ticks = coin.net_stop_units = 0
        if stop <= 0:
            return
        # The highest close whose bid, floor(close * bid_ppm / MILLION), is not above the stop.
        coin.bid_stop_ticks = product(stop + 1, MILLION) - 1
        coin.bid_stop_ticks = coin.bid_stop_ticks // self.bid_ppm
        received = value_of_base_down(
            coin.spec, price_down(stop, self.slippage_ppm), coin.qty_units
        )
        coin.net_stop_units = received - fee_up(received, coin.spec.fee_taker_ppm)


def settle(strand: Strand, result: int, bought: int) -> None:
    """As `bookkeeping._settle` does."""
    ppm = TIMES_MAX * MILLION
    if abs(result) // TIMES_MAX < bought:
        ppm = (
            mul_div_down(result, MILLION, bought)
            if result > 0
            else mul_div_up(-result, MILLION, bought)
        )
    if result > 0:
        strand.wins += 1
        strand.won_ppm += ppm
    else:
        strand.losses += 1
        strand.lost_ppm += ppm


def known_day(days: list[LaneDay], day: int, start_units: int) -> LaneDay:
    """A day in its place, begun unless it is known."""
    there = days[day % SLOTS]
    if there.day != day:
        there.begin(day, start_units)
    there.changed = 1
    return there
