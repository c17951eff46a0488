# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The lane's sums: what the gates of one entry compare, from typed numbers.

Lives here: the same numbers as `entries.entry_view` and the `*_sums` modules give, filled into
views that were made with everything that does not change (`lane_views`). Must not live here: the
gates, and what is asked for.
"""

from __future__ import annotations

from array import array
from math import isfinite

from trader.core.calendar import OPEN, openings
from trader.core.days import DAY_SLOTS
from trader.core.gate_view import GateView
from trader.core.kelly import kelly_ppm
from trader.core.lane_books import LaneBooks
from trader.core.lane_rows import Coin, Pair
from trader.core.lane_rules import LaneRules
from trader.core.limits import NEVER
from trader.core.money import AMOUNT_MAX, PPM, AmountOverflow, limit_units, share_down
from trader.core.risk import loss_of_cost, lots_at_risk
from trader.core.risk_curve import aggressive_ppm
from trader.core.scale import Spec, notional_down, notional_up
from trader.core.sizing import entry_cost_units, entry_lots, float_down
from trader.core.time_sums import fill_windows

# How a pair's size is found (`sizes.METHODS`), as far as the lane knows it.
FIXED, SHARE, AGGRESSIVE, KELLY = range(4)
OPENINGS = (OPEN, OPEN)
# Numbers of other modules, as C numbers where this one is compiled.
MILLION, MOST, SLOTS, UNASKED = PPM, AMOUNT_MAX, DAY_SLOTS, NEVER
TOO_MUCH = float(AMOUNT_MAX)
C_FIXED, C_AGGRESSIVE, C_KELLY = FIXED, AGGRESSIVE, KELLY


class LaneSums:
    """The sums of one decision, legs of its plan included; see `totals.Totals`.

    `all_*`, by strategy `own_*` ... are worked out from the coins that are held when the first
    entry asks, and moved on by each leg. `cost`, `loss`: of the entry in hand.
    """

    __slots__ = (
        "all_exposure", "all_loss", "books", "cost", "counted", "equity", "leg_cost",
        "leg_loss", "leg_pair", "legs", "loss", "opening", "pending", "planned", "rolling_limit",
        "rolling_loss", "rules",
    )  # fmt: skip

    def __init__(self, books: LaneBooks, rules: LaneRules) -> None:
        """Nothing is summed yet."""
        self.books = books
        self.rules = rules
        room = bytes(8 * (len(books.pairs) + 1))  # each pair is asked once
        self.leg_pair = memoryview(array("q", room))
        self.leg_cost = memoryview(array("q", room))
        self.leg_loss = memoryview(array("q", room))
        self.counted = self.equity = self.legs = self.planned = self.cost = self.loss = 0
        self.all_exposure = self.all_loss = self.pending = 0
        self.rolling_limit = self.rolling_loss = 0
        self.opening = OPENINGS

    def begin(self, equity: int) -> None:
        """A new decision."""
        self.equity = equity
        self.counted = self.legs = self.planned = self.pending = 0

    def _count_held(self, close_ms: int) -> None:
        """Once a decision: what is held, and what the last days came to."""
        books = self.books
        self.counted = 1
        self.all_exposure = self.all_loss = 0
        for i in range(books.held_count):
            coin = books.held[i]
            self.all_exposure += coin.value_units
            self.all_loss += loss_of(coin)
        books.forget_sent(close_ms)
        self._roll()
        if self.rules.timed:
            self.opening = openings(self.rules.calendar, close_ms)

    def _roll(self) -> None:
        """As `standings.Standings._roll`."""
        rules, books = self.rules, self.books
        self.rolling_limit, self.rolling_loss = MOST, 0
        if rules.rolling_ppm >= MILLION:
            return
        if not 1 <= rules.rolling_days < SLOTS:
            self.rolling_limit = -1
            return
        base, flows, found = books.seen_day_units, 0, 0
        for number in range(books.seen_day - rules.rolling_days + 1, books.seen_day + 1):
            if number < 0:
                continue
            day = books.days[number % SLOTS]
            if day.day == number:
                if found == 0:
                    base = day.start_units
                found = 1
                flows += day.flow_units
        base += flows
        self.rolling_limit = limit_units(base, rules.rolling_ppm)
        self.rolling_loss = base - self.equity

    # --- sizes -------------------------------------------------------------------------------

    def units_for(self, pair: Pair, equity: int, strength: int) -> int:
        """What the pair's method asks for, cash units, before the cap (see `sizes`)."""
        units = pair.fixed_units
        if pair.method != C_FIXED:
            ppm = pair.share_ppm
            if pair.method == C_AGGRESSIVE:
                ppm = aggressive_ppm(equity, pair.fixed_units)
            elif pair.method == C_KELLY:
                strand, size = pair.strand, pair.columns.spec.size
                ppm = kelly_ppm(
                    strand.wins, strand.losses, strand.won_ppm, strand.lost_ppm,
                    size.fraction_ppm, size.trades_min,
                )  # fmt: skip
                ppm = min(ppm, size.risk_ppm_max)
            units = share_down(equity, ppm)
        return share_down(units, share_down(strength, pair.regime_ppm))

    # --- what the gates are shown --------------------------------------------------------------

    def fill(self, view: GateView, pair: Pair, stop: int, close_ms: int) -> None:
        """Everything about an entry that differs from the one before; its prices are in `view`."""
        if self.counted == 0:
            self._count_held(close_ms)
        coin, books, rules = pair.coin, self.books, self.rules
        spec, row = coin.spec, coin.row
        price, lots, equity = view.price_ticks, view.qty_lots, self.equity
        cost = self.cost = entry_cost_units(spec, price, lots)
        loss = self.loss = loss_of_cost(spec, cost, lots, stop, rules.slippage_ppm)
        view.cash_units = books.cash_units - self.pending
        view.close_ticks = coin.close[row]
        view.before_ticks = 0
        if row > 0:
            if coin.open_ms[row] - coin.open_ms[row - 1] != books.step_ms:
                raise AmountOverflow("how far back a decision sees would matter")
            view.before_ticks = coin.close[row - 1]
        view.may_add = 1 if pair.may_add and coin.leg_sell_ticks == 0 else 0
        view.working_entries = coin.leg_buys
        owner = self._owner(coin)
        view.owner_other = 1 if 0 <= owner != pair.strand.index else 0
        view.owner = books.strands[owner].name if owner >= 0 else ""
        view.held_lots = coin.qty_units // spec.base_per_lot if coin.owned else 0
        view.positions = self._busy(coin)
        view.cost_units = cost
        view.notional_units = notional_down(spec, price, lots)
        view.exposure_units = coin.value_units if coin.qty_units > 0 else 0
        view.position_cap_units = share_down(equity, rules.position_ppm)
        self._fill_account(view, pair, cost, loss)
        self._fill_order(view, pair)
        self._fill_risk(view, coin, cost, close_ms)
        self._fill_times(view, pair, close_ms)
        book, strand = view.book, pair.strand
        book.rolling_limit_units, book.rolling_loss_units = self.rolling_limit, self.rolling_loss
        self._fill_fall(view, pair)
        book.unattended = strand.entries_filled - strand.attended + strand.leg_buys + 1

    def _owner(self, coin: Coin) -> int:
        """Index of the strategy that owns an instrument, or has a leg on it; -1 for none."""
        if coin.owned:
            pair = self.books.pairs[coin.holder]
            return pair.strand.index
        for i in range(self.legs):
            pair = self.books.pairs[self.leg_pair[i]]
            if pair.coin.index == coin.index:
                return pair.strand.index
        return -1

    def _busy(self, coin: Coin) -> int:
        """Instruments other than this one that are held or being bought."""
        count = 0
        for i in range(self.books.held_count):
            other = self.books.held[i]
            if other.owned and other.index != coin.index:
                count += 1
        for i in range(self.legs):
            pair = self.books.pairs[self.leg_pair[i]]
            if pair.coin.owned == 0 and pair.coin.index != coin.index:
                count += 1
        return count

    def _fill_account(self, view: GateView, pair: Pair, cost: int, loss: int) -> None:
        sums, tier, books, strand = view.sums, view.tier, self.books, pair.strand
        own_exposure, own_loss, own_positions = cost, loss, 1
        tier_exposure, tier_positions = cost, 1
        here = pair.coin.index
        for i in range(books.held_count):
            coin = books.held[i]
            counts = 1 if coin.owned and coin.index != here else 0
            other = books.pairs[coin.holder]
            if other.strand.index == strand.index:
                own_exposure += coin.value_units
                own_loss += loss_of(coin)
                own_positions += counts
            if coin.tier_index == pair.tier_index:
                tier_exposure += coin.value_units
                tier_positions += counts
        for i in range(self.legs):
            other = books.pairs[self.leg_pair[i]]
            counts = 1 if other.coin.index != here and other.coin.owned == 0 else 0
            if other.strand.index == strand.index:
                own_exposure += self.leg_cost[i]
                own_loss += self.leg_loss[i]
                own_positions += counts
            if other.coin.tier_index == pair.tier_index:
                tier_exposure += self.leg_cost[i]
                tier_positions += counts
        equity = self.equity
        sums.all_exposure_units = self.all_exposure + cost
        sums.own_exposure_units = own_exposure
        sums.all_loss_units = self.all_loss + loss
        sums.own_loss_units = own_loss
        sums.own_positions = own_positions
        sums.all_exposure_units_max = share_down(equity, self.rules.exposure_ppm)
        sums.own_exposure_units_max = share_down(equity, strand.budget_exposure_ppm)
        sums.all_loss_units_max = share_down(equity, self.rules.loss_ppm)
        sums.own_loss_units_max = share_down(equity, strand.budget_loss_ppm)
        sums.trades_hour = books.sent_count - books.sent_hour + self.legs + 1
        sums.trades_day = books.sent_count - books.sent_day + self.legs + 1
        sums.own_trades_day = strand.sent_day + strand.leg_buys + 1
        sums.day_stopped = books.seen_day_stopped
        sums.day_loss_units = books.seen_day_units - equity
        sums.day_limit_units = books.seen_day_limit
        sums.drawdown_stopped = books.seen_fallen
        sums.drawdown_units = books.seen_high - equity
        sums.drawdown_limit_units = books.seen_fall_limit
        if pair.tier_index >= 0:
            tier.positions, tier.exposure_units = tier_positions, tier_exposure
            tier.exposure_units_max = share_down(equity, pair.tier_ppm)

    def _fill_order(self, view: GateView, pair: Pair) -> None:
        order, coin, rules = view.order, pair.coin, self.rules
        order.price_ticks, order.qty_lots = view.price_ticks, view.qty_lots
        order.bid_ticks, order.ask_ticks = view.bid_ticks, view.ask_ticks
        order.own_sell_ticks = coin.leg_sell_ticks or MOST
        order.value_units = notional_up(coin.spec, view.price_ticks, view.qty_lots)
        if rules.window_asked:
            order.window_ticks = self._close_then(coin)
        if rules.volume_asked:
            order.volume_lots_max = self._share_of_volume(pair)

    def _close_then(self, coin: Coin) -> int:
        """As `order_sums.OrderDesk._close_then`, where that bar is there or the series began later;
        else how far back a decision sees would matter."""
        bars, row = self.rules.collar_window_bars, coin.row
        then = coin.open_ms[row] - bars * self.books.step_ms
        at = row - bars
        if at < 0 or coin.open_ms[at] != then:
            at = coin.first_at(then + 1) - 1
        if at < 0:
            return 0
        if coin.open_ms[at] != then:
            raise AmountOverflow("the bar so far back is absent")
        return coin.close[at]

    def _share_of_volume(self, pair: Pair) -> int:
        """As `order_sums.OrderDesk._share_of_volume`."""
        coin, rules = pair.coin, self.rules
        first_ms = coin.open_ms[coin.row] - (rules.volume_bars - 1) * self.books.step_ms
        first = max(0, coin.row - rules.volume_bars + 1)
        if coin.open_ms[first] != first_ms:
            first = coin.first_at(first_ms)
        total = 0.0
        for index in range(first, coin.row + 1):
            total += coin.volume[index]
        lots = total / rules.volume_bars * rules.volume_ppm / MILLION / pair.lot_float
        if not isfinite(lots) or lots < 0.0:
            return -1
        return float_down(lots) if lots < TOO_MUCH else MOST - 1

    def _fill_risk(self, view: GateView, coin: Coin, cost: int, close_ms: int) -> None:
        risk, rules, books, equity = view.risk, self.rules, self.books, self.equity
        asset = cost
        for i in range(books.held_count):
            other = books.held[i]
            if other.base_index == coin.base_index:
                asset += other.value_units
        for i in range(self.legs):
            pair = books.pairs[self.leg_pair[i]]
            if pair.coin.base_index == coin.base_index:
                asset += self.leg_cost[i]
        risk.asset_units = asset
        risk.asset_units_max = share_down(equity, rules.asset_ppm)
        risk.pending_units = self.pending + cost
        risk.pending_units_max = share_down(equity, rules.pending_ppm)
        risk.used_units = books.used_units + self.pending + cost
        risk.capital_units = equity if rules.whole else min(books.capital_units, equity)
        risk.var_units_max = share_down(equity, rules.var_ppm)
        risk.correlated_units_max = share_down(equity, rules.correlated_ppm)
        if rules.asks_messages:
            self._fill_messages(view, close_ms)
        # Neither can be more than everything at risk; what that leaves open is the reference's.
        exposed = self.all_exposure + self.pending + cost
        if rules.asks_var and exposed > risk.var_units_max:
            raise AmountOverflow("value at risk has to be measured")
        if rules.asks_correlated and exposed > risk.correlated_units_max:
            raise AmountOverflow("correlation has to be measured")

    def _fill_messages(self, view: GateView, now_ms: int) -> None:
        """As `messages.room` finds it."""
        rules, risk, messages = self.rules, view.risk, self.books.messages
        risk.messages, risk.messages_max, risk.messages_window = 1, UNASKED, "none"
        least = UNASKED
        if rules.second_limit < UNASKED:
            counted = messages.after(now_ms - 1_000)
            least = rules.second_limit - counted
            risk.messages, risk.messages_max = counted, rules.second_limit
            risk.messages_window = "second"
        if rules.minute_limit < UNASKED:
            counted = messages.after(now_ms - 60_000)
            if rules.minute_limit - counted < least:
                least = rules.minute_limit - counted
                risk.messages, risk.messages_max = counted, rules.minute_limit
                risk.messages_window = "minute"
        # A window that cannot refuse need not be counted: least room is where there is too little.
        most = rules.day_limit - self.planned - 1
        if rules.day_limit < UNASKED and messages.most() > most:
            counted = messages.in_day(now_ms)
            if rules.day_limit - counted < least:
                risk.messages, risk.messages_max = counted, rules.day_limit
                risk.messages_window = "day"
        risk.messages += self.planned + 1

    def _fill_times(self, view: GateView, pair: Pair, close_ms: int) -> None:
        """Waits as `waits.out_until` finds them."""
        times, rules, strand = view.times, self.rules, pair.strand
        times.close_ms = times.now_ms = close_ms
        if pair.has_wait:
            until, name = 0, ""
            length = max(rules.exit_ms, rules.exit_bars * strand.timeframe_ms)
            if pair.exit_ms >= 0 and length > 0 and pair.exit_ms + length > until:
                until, name = pair.exit_ms + length, "exit"
            length = rules.stop_ms
            if pair.stop_ms >= 0 and length > 0 and pair.stop_ms + length > until:
                until, name = pair.stop_ms + length, "stop"
            length = rules.unfilled_ms
            if pair.unfilled_ms >= 0 and length > 0 and pair.unfilled_ms + length > until:
                until, name = pair.unfilled_ms + length, "unfilled"
            times.cooldown_ms, times.cooldown_name = until, name
        if rules.timed:
            fill_windows(times, self.opening, close_ms)

    def _fill_fall(self, view: GateView, pair: Pair) -> None:
        """As `standings.Standings.drawdown`."""
        book, strand = view.book, pair.strand
        result = strand.result_now
        high = max(strand.high_units, result)
        book.fallen_units = high - result
        book.fallen_limit_units = MOST
        book.stopped = strand.stopped
        if self.rules.fall_ppm < UNASKED:
            budget = share_down(self.equity, strand.budget_exposure_ppm)
            book.fallen_limit_units = limit_units(budget, self.rules.fall_ppm)

    # --- legs --------------------------------------------------------------------------------

    def count(self, pair: Pair) -> None:
        """The entry in hand was approved."""
        self.leg_pair[self.legs] = pair.index
        self.leg_cost[self.legs] = self.cost
        self.leg_loss[self.legs] = self.loss
        self.all_exposure += self.cost
        self.all_loss += self.loss
        self.pending += self.cost
        self.legs += 1
        self.planned += 1
        coin, strand = pair.coin, pair.strand
        coin.leg_buys += 1
        strand.leg_buys += 1


def loss_of(coin: Coin) -> int:
    """As `risk.held_loss_units`; all that it is worth where no stop saves it."""
    if coin.owned == 0 or coin.stop_ticks <= 0:
        return coin.value_units
    return max(0, coin.value_units - coin.net_stop_units)


def lots_for(
    spec: Spec, at_risk: int, units: int, cap: int, worst: int, stop: int, slippage_ppm: int
) -> int:
    """Lots of an entry, as `sizes.size_entry` finds them."""
    if not at_risk:
        return entry_lots(spec, worst, units, cap)
    lots = entry_lots(spec, worst, cap, cap)
    return min(lots, lots_at_risk(spec, worst, stop, slippage_ppm, units, lots + 1))
