# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The lane's entries and exits: what a plain bar asks for, and that it is filled as a whole.

Lives here: exits by stop, target, trail, longest hold and exit signal, and taker entries with their
sizes, shown to the gates themselves (`gates.GATES`). A doubt of any kind gives the bar back to the
reference. Must not live here: marks and booking (`lane_books`), where the numbers of a `State` come
from (`lane_state`).
"""

from __future__ import annotations

from math import isnan, nan

from trader.core.gate_view import GateView
from trader.core.ladder import exit_price_ticks, least_lots
from trader.core.lane_books import LaneBooks
from trader.core.lane_gates import first_no
from trader.core.lane_rows import Coin, Leg, Pair, Ratchet, Refusal, new_leg
from trader.core.lane_rules import LaneRules
from trader.core.lane_sums import LaneSums, lots_for
from trader.core.money import AMOUNT_MAX, PPM, price_down, price_up, share_down, share_up
from trader.core.scale import fee_up, notional_down, notional_up
from trader.core.signals import Opinion
from trader.core.sizing import distance_ticks, stop_ticks_below, strength_ppm

# Places in `lane_rows.REASONS`.
STOP, TRAIL, EVEN, TARGET, HOLD, EXIT, ENTRY = range(7)
# What the gates said.
APPROVED, REFUSED = range(2)
MILLION, LIMIT, NONE = PPM, AMOUNT_MAX, nan


class LaneEntries:
    """What one bar asks for, and the tapes of all that was asked.

    Attributes:
        legs, refusals, ratchets: in the order in which they were decided.
        order: pairs in the order in which they are considered.
        said_*: of the signal in hand, see `signals.Opinion`.
        holds: positions that the bar in hand keeps. used: signals that had been acted on.
    """

    __slots__ = (
        "_legs", "_ratchets", "_refusals", "_used", "books", "holds", "legs",
        "order", "ratchets", "refusals", "rules", "said_ms", "said_stop",
        "said_strength", "said_target", "said_trail", "sums", "used",
    )  # fmt: skip

    def __init__(self, books: LaneBooks, rules: LaneRules) -> None:
        """`rules`: what limits and model say."""
        self.books = books
        self.rules = rules
        self.order: list[Pair] = []
        self.sums = LaneSums(books, rules)
        self.legs: list[Leg] = []
        self.refusals: list[Refusal] = []
        self.ratchets: list[Ratchet] = []
        self.holds = self.used = self.said_ms = 0
        self.said_stop = self.said_target = self.said_trail = NONE
        self.said_strength = 1.0
        self._legs = self._refusals = self._ratchets = self._used = 0

    def clear(self) -> None:
        """Everything that was written down has been taken."""
        self.legs.clear()
        self.refusals.clear()
        self.ratchets.clear()

    def decide(self, bar_ms: int, close_ms: int, equity: int, wished: int) -> bool:
        """Ask for what the bar wants; False: the bar is the reference's, and nothing was asked.
        `wished`: 1 when a pair has a living signal at it."""
        self._legs, self._refusals = len(self.legs), len(self.refusals)
        self._ratchets, self._used = len(self.ratchets), self.used
        self.holds = 0
        try:
            sure = self._decide(bar_ms, close_ms, equity, wished)
        except OverflowError:
            sure = False
        if not sure:
            self._forget_legs()
            del self.legs[self._legs :]
            del self.refusals[self._refusals :]
            del self.ratchets[self._ratchets :]
            self.used = self._used
        return sure

    def _decide(self, bar_ms: int, close_ms: int, equity: int, wished: int) -> bool:
        books = self.books
        self.sums.begin(equity)
        for i in range(books.held_count):
            coin = books.held[i]
            if coin.owned and not self._look_after(coin, bar_ms, close_ms):
                return False
        if not wished:
            return True
        for i in range(len(self.order)):
            pair = self.order[i]
            coin = pair.coin
            asks = coin.row >= 0 and enters_at(pair, coin.row)
            if asks and not self._consider(pair, bar_ms, close_ms, equity):
                return False
        return True

    def _forget_legs(self) -> None:
        """The legs of the bar in hand count no more for others."""
        for i in range(self._legs, len(self.legs)):
            leg = self.legs[i]
            pair = self.books.pairs[leg.pair]
            coin, strand = pair.coin, pair.strand
            coin.leg_sell_ticks = coin.leg_buys = strand.leg_buys = 0

    # --- exits -------------------------------------------------------------------------------

    def _look_after(self, coin: Coin, bar_ms: int, close_ms: int) -> bool:
        """As `exits.look_after`: leave it as a whole, ratchet its stop, or keep it."""
        if coin.complex:
            return False
        row = coin.row
        close = coin.close[row]
        bid = max(1, share_down(close, self.rules.bid_ppm))
        moved = 0
        if coin.trail_ticks > 0:
            coin.peak_ticks = max(coin.peak_ticks, coin.high[row])
            moved = max(0, coin.peak_ticks - coin.trail_ticks)
        if moved > coin.stop_ticks:
            self.ratchets.append(Ratchet(bar_ms, coin.index, moved))
        reason = self._reason(coin, bid, moved, close_ms)
        if reason < 0:
            self.holds += 1
            return True
        return self._leave(coin, bid, reason, bar_ms, close_ms)

    def _reason(self, coin: Coin, bid: int, moved: int, close_ms: int) -> int:
        """As `exits.exit_reason`; -1 when it is kept."""
        row = coin.row
        stop = coin.stop_ticks
        if stop > 0 and (coin.low[row] <= stop or bid <= stop):
            return TRAIL if coin.trailed == 1 else EVEN if coin.trailed else STOP
        if moved > 0 and (coin.close[row] <= moved or bid <= moved):
            return TRAIL
        if 0 < coin.target_ticks <= max(coin.high[row], bid):
            return TARGET
        if 0 < coin.hold_ms <= close_ms - coin.began_ms:
            return HOLD
        pair = self.books.pairs[coin.holder]
        return EXIT if leaves_at(pair, row) else -1

    def _leave(self, coin: Coin, bid: int, reason: int, bar_ms: int, close_ms: int) -> bool:
        """The first rung of its ladder, filled as a whole; False where that is not certain."""
        spec, rules = coin.spec, self.rules
        lots = min(coin.qty_units // spec.base_per_lot, spec.qty_lots_max)
        if lots < least_lots(spec, bid):
            return False
        price = exit_price_ticks(spec, bid, rules.rung_ppm, lots)
        if not price >= price_down(bid, rules.rung_ppm) > 0:
            return False
        if notional_down(spec, price, lots) < spec.notional_units_min:
            return False
        at = coin.row + 1
        if not fills_at(coin, at, close_ms):
            return False
        touch = max(1, share_down(coin.open[at], rules.bid_ppm))
        if touch < price:
            return False
        value = notional_down(spec, touch, lots)
        coin.leg_sell_ticks = price
        self.sums.planned += 1
        leg = self._new_leg(self.books.pairs[coin.holder], bar_ms, price, lots)
        leg.reason = reason
        leg.is_stop = 1 if reason <= EVEN else 0
        leg.fill_ticks = touch
        leg.value_units = value
        leg.fee_units = fee_up(value, spec.fee_taker_ppm)
        return True

    def _new_leg(self, pair: Pair, bar_ms: int, price: int, lots: int) -> Leg:
        leg = new_leg(pair.index, len(self.legs) - self._legs, bar_ms, price, lots)
        self.legs.append(leg)
        return leg

    # --- entries -----------------------------------------------------------------------------

    def _listen(self, pair: Pair, bar_ms: int) -> bool:
        """What the living signal at the row says; False where the reference has to ask."""
        coin = pair.coin
        row = coin.row
        if not pair.quick:
            return self._listen_slowly(pair)
        run = pair.enter_at // 2
        index = pair.offsets[run]
        if pair.plain:
            index += row - pair.enters[pair.enter_at]
        self.said_ms = coin.open_ms[pair.signals[index]] if len(pair.signals) else bar_ms
        self.said_stop = pair.stops[index] if len(pair.stops) else NONE
        self.said_target = pair.targets[index] if len(pair.targets) else NONE
        self.said_trail = pair.trails[index] if len(pair.trails) else NONE
        self.said_strength = pair.strengths[index] if len(pair.strengths) else 1.0
        return True

    def _listen_slowly(self, pair: Pair) -> bool:
        coin = pair.coin
        said: Opinion = pair.columns.opinion(coin.row)
        if said.problem or said.close_ticks != coin.close[coin.row] or said.step_distances:
            return False
        self.said_ms = said.enter_ms
        self.said_stop, self.said_strength = said.stop_distance, said.strength
        self.said_target, self.said_trail = said.target_distance, said.trail_distance
        return isnan(said.arm_distance) and isnan(said.even_distance)

    def _consider(self, pair: Pair, bar_ms: int, close_ms: int, equity: int) -> bool:
        """As `entries.consider`: size it and ask the gates; False where more than that happens."""
        coin = pair.coin
        # Coins that another strategy left are not this one's to sell.
        foreign = coin.qty_units > 0 and coin.holder != pair.index and coin.owned == 0
        if not pair.usable or foreign:
            return False
        spec, row, rules = coin.spec, coin.row, self.rules
        if not self._listen(pair, bar_ms):
            return False
        if self.said_ms <= pair.consumed_ms:
            self.used += 1
            return True
        close = coin.close[row]
        worst = price_up(close, rules.slippage_ppm)
        ask = share_up(close, rules.ask_ppm)
        price = min(worst, price_up(ask, rules.slippage_ppm)) if ask > 0 else worst
        distance = self.said_trail if is_none(self.said_stop) else self.said_stop
        stop = 0 if is_none(distance) else stop_ticks_below(spec, close, distance)
        if stop >= min(close, price) or equity <= 0:
            return False
        units = self.sums.units_for(pair, equity, strength_ppm(self.said_strength))
        cap = share_down(equity, pair.cap_ppm)
        lots = lots_for(spec, pair.at_risk, units, cap, worst, stop, rules.slippage_ppm)
        if lots <= 0 or notional_down(spec, worst, lots) < pair.least_units:
            return False
        target = distance_ticks(spec, self.said_target)
        target = close + target if target else 0
        trail = distance_ticks(spec, self.said_trail)
        view = pair.view
        assert view is not None, "a pair that is usable has a view"
        view.price_ticks, view.qty_lots, view.worst_ticks = price, lots, worst
        view.bid_ticks, view.ask_ticks = max(1, share_down(close, rules.bid_ppm)), ask
        self.sums.fill(view, pair, stop, close_ms)
        answered = self._ask(view, pair, bar_ms)
        if answered != APPROVED:
            return answered == REFUSED
        if not has_room(coin, lots, view.cost_units):
            return False
        self.sums.count(pair)
        leg = self._new_leg(pair, bar_ms, price, lots)
        leg.is_buy = 1
        leg.reason = ENTRY
        leg.stop_ticks = stop
        leg.target_ticks = target
        leg.trail_ticks = trail
        leg.signal_ms = self.said_ms
        return self._fills_whole(pair, leg, close_ms)

    def _ask(self, view: GateView, pair: Pair, bar_ms: int) -> int:
        index = first_no(pair, view)
        if index < 0:
            return APPROVED
        refusal = Refusal(bar_ms, pair.index, index, pair.said_limit, pair.said_measured)
        refusal.words = self.rules.words(index, view)
        self.refusals.append(refusal)
        return REFUSED

    def _fills_whole(self, pair: Pair, leg: Leg, close_ms: int) -> bool:
        """The fill of the entry that was just written, at the next open."""
        coin = pair.coin
        spec, rules = coin.spec, self.rules
        at = coin.row + 1
        if not fills_at(coin, at, close_ms):
            return False
        touch = share_up(coin.open[at], rules.ask_ppm)
        if not 0 < touch <= leg.price_ticks:
            return False
        coins = leg.qty_lots * spec.base_per_lot
        leg.fill_ticks = touch
        leg.value_units = notional_up(spec, touch, leg.qty_lots)
        if rules.fee_in_base:
            leg.base_fee_units = share_up(coins, spec.fee_taker_ppm)
        else:
            leg.fee_units = fee_up(leg.value_units, spec.fee_taker_ppm)
        after = coin.qty_units + coins - leg.base_fee_units
        return after // spec.base_per_lot >= spec.qty_lots_min

    # --- what follows ------------------------------------------------------------------------

    def changed(self) -> bool:
        """Whether the bar in hand asked for anything."""
        return len(self.legs) > self._legs or len(self.ratchets) > self._ratchets

    def commit(self, close_ms: int) -> None:
        """Carry out what `decide` asked for: stops that moved, then sales, then entries."""
        books = self.books
        self._forget_legs()
        for i in range(self._ratchets, len(self.ratchets)):
            moved = self.ratchets[i]
            coin = books.coins[moved.coin]
            coin.stop_ticks = moved.ticks
            coin.trailed = 1
            books.guard(coin)
        for i in range(self._legs, len(self.legs)):
            leg = self.legs[i]
            pair = books.pairs[leg.pair]
            books.messages.note(close_ms)
            books.fills += 1
            if leg.is_buy:
                books.note_entry_sent(pair.strand, close_ms)
                books.buy(pair, leg, close_ms)
            else:
                books.sell(pair, leg, close_ms, close_ms)


def fills_at(coin: Coin, row: int, open_ms: int) -> bool:
    """Whether a taker is filled at the open of a row, which has to open at a time."""
    if row >= coin.rows or coin.open_ms[row] != open_ms:
        return False
    return coin.volume[row] > 0.0 or coin.fills_idle == 1


def has_room(coin: Coin, lots: int, cost_units: int) -> bool:
    """As `AccountView.check_room`: whether the books hold an entry beside what they hold."""
    spec = coin.spec
    paid = max(coin.cost_units, coin.bought_units) + cost_units
    if coin.qty_units + lots * spec.base_per_lot >= LIMIT or paid >= LIMIT:
        return False
    return coin.bought_lots + lots <= (LIMIT - 1) // spec.notional_num


def is_none(distance: float) -> bool:
    """Whether a distance is not there; only a NaN differs from itself."""
    return distance != distance  # noqa: PLR0124 - see above


def enters_at(pair: Pair, row: int) -> bool:
    """Whether the pair has a living signal at a row; rows are asked in order."""
    at = pair.enter_at
    end = len(pair.enters)
    while at < end and pair.enters[at + 1] <= row:
        at += 2
    pair.enter_at = at
    return at < end and pair.enters[at] <= row


def leaves_at(pair: Pair, row: int) -> bool:
    """Whether the pair's exit level holds at a row; rows are asked in order."""
    at = pair.leave_at
    end = len(pair.leaves)
    while at < end and pair.leaves[at + 1] <= row:
        at += 2
    pair.leave_at = at
    return at < end and pair.leaves[at] <= row
