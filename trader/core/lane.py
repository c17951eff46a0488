# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The lane: decision bars on which only plain things happen, in typed numbers.

Lives here: the walk over the grid of decision bars: equity and its marks, and whether a bar is
quiet, plain or none of the lane's business. The lane decides nothing of its own: what it cannot say
for certain it leaves to the reference (`simulate`), which does that bar from the same state. Must
not live here: what becomes of plain entries and exits (`lane_entries`, `lane_books`), and the way
to and from a `State` (`lane_state`).

A bar is the reference's when something is due (members, regime, quality), a coin that is held has
no bar, a strategy fell too far, a sum may be above the cap at which positions are trimmed, or an
order would not be filled as a whole at the next open.
"""

from __future__ import annotations

from array import array

from trader.core.days import DAY_SLOTS
from trader.core.lane_books import LaneBooks
from trader.core.lane_entries import LaneEntries, leaves_at
from trader.core.lane_rows import Coin, Pair
from trader.core.lane_sums import loss_of
from trader.core.money import AMOUNT_MAX, PPM

# Comparisons that only have to be certain one way leave this much room for the float's rounding.
SURE = 0.999_999
MILLION, MOST, DAYS = float(PPM), AMOUNT_MAX, DAY_SLOTS
# A row that no series has.
NEVER_ROW = 1 << 60


class Lane:
    """A walk in progress.

    Attributes:
        grid: int64[n], open of each decision bar. curve: int64, equity at its close, at the bar's
            number & mask; its array is `equity`.
        aligned: 1 when every coin has a bar at each bar of the grid. plain: whether anything may
            happen at the bar in hand.
        wish: one byte for each: whether some pair has a living signal there.
        due_ms: the first close at which the reference has to say something; tiers_ms: at which the
            members of tiers that ask nothing are told anew, every refresh_ms; refreshed_ms: when
            they were last, and refreshes: how often.
        holds, exposed: how many positions were looked after and kept, and how many bars ended with
            a position. lane_bars: how many bars it did. until: first bar whose close is at or after
            until_ms, see `_closes_from`.
    """

    __slots__ = (
        "aligned", "books", "coins", "curve", "due_ms", "entries", "equity",
        "exposed", "grid", "holds", "lane_bars", "mask", "plain", "ready", "refresh_ms",
        "refreshed_ms", "refreshes", "step_ms", "tiers_ms", "until", "until_ms",
        "wish",
    )  # fmt: skip

    def __init__(
        self,
        books: LaneBooks,
        entries: LaneEntries,
        grid: memoryview,
        step_ms: int,
        equity: array[int] | memoryview,
    ) -> None:
        """Nothing is known of the account yet (see `lane_state`). `equity`: as long as `grid`, or
        of a power of two places: then the newest bars take those of the oldest."""
        self.books = books
        self.entries = entries
        self.coins: list[Coin] = books.coins
        self.grid = grid
        self.step_ms = step_ms
        self.aligned = 1
        self.equity = equity
        self.mask = -1 if len(equity) >= len(grid) else len(equity) - 1
        self.curve = memoryview(equity)
        self.wish = memoryview(bytearray(len(grid)))
        self.due_ms = self.tiers_ms = 0
        self.plain = False
        self.refresh_ms = 1
        self.refreshed_ms = -1
        self.refreshes = 0
        self.ready = self.until = 0
        self.until_ms = -1
        self.holds = self.exposed = self.lane_bars = 0

    def mark_wishes(self, pairs: list[Pair]) -> None:
        """Note at which bars of the grid any pair has a living signal."""
        for pair in pairs:
            note_wishes(pair, pair.coin, self.grid, self.wish)

    def run(self, at: int, stop: int) -> int:
        """Do bars [at, stop) of the grid; the first that is the reference's, else `stop`."""
        books = self.books
        t = at
        while t < stop:
            close_ms = self.grid[t] + self.step_ms
            if close_ms >= self.due_ms or self.ready == 0:
                break
            if self.aligned == 0 and find_rows(self.coins, self.grid[t]):
                break
            if self.aligned and self.wish[t] == 0:
                reached = self._glide(t, stop) if books.held_count else self._rest(t, stop)
                if reached > t:
                    t = reached
                    continue
            total = books.cash_units
            if books.held_count == 0 and self.wish[t] == 0 and books.is_still(total, close_ms):
                books.close_ms = close_ms
            else:
                total = self._weigh(t, close_ms)
                if total < 0 or self._unsure(total, close_ms):
                    break
                if not self.plain:
                    books.mark(close_ms, total)
                    self.holds += books.owned_count
                elif not self._decide(t, close_ms, total):
                    break
            if close_ms >= self.tiers_ms:
                self._refresh(close_ms)
            self.curve[t & self.mask] = total
            books.last_bar_ms = self.grid[t]
            self.exposed += books.owned_count > 0
            t += 1
        self.lane_bars += t - at
        return t

    def _rest(self, t: int, stop: int) -> int:
        """Pass over bars on which nothing is held and nothing is wanted; the first that is not
        such a bar."""
        books = self.books
        total = books.cash_units
        if not books.is_still(total, self.grid[t] + self.step_ms):
            return t
        first = t
        stop = min(stop, self._closes_from(min(self.due_ms, books.day_ends_ms), t))
        while t < stop and self.wish[t] == 0:
            self.curve[t & self.mask] = total
            t += 1
        if t > first:
            books.last_bar_ms = self.grid[t - 1]
            books.close_ms = books.last_bar_ms + self.step_ms
            self._pass_refreshes(first, t)
        return t

    def _glide(self, t: int, stop: int) -> int:
        """Pass over bars on which one position is kept and nothing else happens; the first that is
        not such a bar. What `mark` does at each of them, in local numbers.

        The day has begun, in the account's row and in the strategy's, and there is one strategy:
        its result is the equity and something that stays.
        """
        books = self.books
        first = t
        stop = self._glides_until(t, stop)
        if stop <= t:
            return t
        if books.held_count > 1:
            return self._glide_many(t, stop)
        coin = books.held[0]
        offset, target = coin.offset, coin.target_ticks
        cash, per_tick, strand = books.cash_units, coin.per_tick, coin.strand
        gap = strand.cash_units - cash
        stop_ticks, bid_stop_ticks, most = coin.stop_ticks, coin.bid_stop_ticks, coin.price_max
        high, floor = books.high_units, books.floor_units()
        # Of the strategy: its high, how far below it its result was, and the least of the bars.
        top, deepest, least = strand.high_units - gap, strand.drawdown_units, books.equity_units
        total = books.equity_units
        falls, mask = books.fall_ppm >= 0, self.mask
        while t < stop and self.wish[t] == 0:
            row = t + offset
            close = coin.close[row]
            if close >= most or close <= bid_stop_ticks:
                break
            if coin.low[row] <= stop_ticks or (target > 0 and coin.high[row] >= target):
                break
            made = cash + per_tick * close
            if made <= floor or (falls and top - made > deepest):
                break
            deepest = max(deepest, top - made)
            top = max(top, made)
            if made > high:
                books.high_units = high = made
                books.fall_fresh = 0
                floor = books.floor_units()
            least = min(least, made)
            self.curve[t & mask] = total = made
            t += 1
        if t > first:
            self._land(first, t, least, total)
            strand.high_units, strand.drawdown_units = top + gap, deepest
        return t

    def _glide_many(self, t: int, stop: int) -> int:
        """As `_glide`, where several positions are kept."""
        books, first = self.books, t
        coin = books.held[0]
        strand = coin.strand
        gap = strand.cash_units - books.cash_units
        high, floor = books.high_units, books.floor_units()
        top, deepest, least = strand.high_units - gap, strand.drawdown_units, books.equity_units
        total = books.equity_units
        falls = books.fall_ppm >= 0
        while t < stop and self.wish[t] == 0:
            made = self._worth(t)
            if made <= floor or (falls and top - made > deepest):
                break
            deepest = max(deepest, top - made)
            top = max(top, made)
            if made > high:
                books.high_units = high = made
                books.fall_fresh = 0
                floor = books.floor_units()
            least = min(least, made)
            self.curve[t & self.mask] = total = made
            t += 1
        if t > first:
            self._land(first, t, least, total)
            strand.high_units, strand.drawdown_units = top + gap, deepest
        return t

    def _worth(self, t: int) -> int:
        """Equity at a bar at which nothing of what is held has to be looked at; -1 where that is
        not certain."""
        books = self.books
        total = books.cash_units
        for i in range(books.held_count):
            coin = books.held[i]
            row = t + coin.offset
            close = coin.close[row]
            if close >= coin.price_max or close <= coin.bid_stop_ticks:
                return -1
            if coin.low[row] <= coin.stop_ticks:
                return -1
            if coin.target_ticks > 0 and coin.high[row] >= coin.target_ticks:
                return -1
            total += coin.per_tick * close
            if total >= MOST:
                return -1
        return total

    def _glides_until(self, t: int, stop: int) -> int:
        """The first bar from t on at whose close something else than a price is to be looked at,
        at most `stop`; t itself where not only the value of what is held changes."""
        books = self.books
        if len(books.strands) > 1:
            return t
        strand = books.strands[0]
        own_day = strand.days[books.day % DAYS]
        if own_day.day != books.day:
            return t
        until_ms = min(self.due_ms, books.day_ends_ms)
        for i in range(books.held_count):
            coin = books.held[i]
            if not books.is_gliding(coin):
                return t
            if coin.hold_ms > 0:
                until_ms = min(until_ms, coin.began_ms + coin.hold_ms)
            leave_row = coin.leave_row
            if leave_row <= t + coin.offset:
                leave_row = next_leave(books.pairs[coin.holder], t + coin.offset)
                coin.leave_row = leave_row
            stop = min(stop, leave_row - coin.offset)
        return min(stop, self._closes_from(until_ms, t))

    def _closes_from(self, until_ms: int, t: int) -> int:
        """The first bar of those from t on whose close is at or after a time."""
        if until_ms != self.until_ms:
            self.until_ms = until_ms
            self.until = self._first_at(until_ms - self.step_ms, t, len(self.grid))
        return self.until

    def _land(self, first: int, stop: int, least: int, total: int) -> None:
        """The account after bars [first, stop), on which what is held was kept: the least that it
        was worth, and what it is at the last."""
        books = self.books
        self._pass_refreshes(first, stop)
        books.last_bar_ms = self.grid[stop - 1]
        books.close_ms, books.equity_units = books.last_bar_ms + self.step_ms, total
        books.marked = 1
        for i in range(books.held_count):
            coin = books.held[i]
            coin.mark_ticks = coin.close[stop - 1 + coin.offset]
            coin.value_units = coin.per_tick * coin.mark_ticks
        self.holds += (stop - first) * books.held_count
        self.exposed += stop - first
        strand = books.strands[0]
        gap = strand.cash_units - books.cash_units
        strand.result_units = strand.result_now = total + gap
        today, own_day = books.days[books.day % DAYS], strand.days[books.day % DAYS]
        today.reach_all(least, total)
        own_day.reach_all(least + gap, total + gap)

    def _weigh(self, t: int, close_ms: int) -> int:
        """Equity at a bar, and whether anything may happen at it (`plain`); -1: the reference has
        to say."""
        books = self.books
        for i in range(len(books.strands)):
            strand = books.strands[i]
            strand.result_now = strand.cash_units
        total = books.cash_units
        plain = self.wish[t] != 0
        for i in range(books.held_count):
            coin = books.held[i]
            row = t + coin.offset if self.aligned else coin.row
            if row < 0:
                return -1
            coin.row = row
            price = coin.close[row]
            value = coin.value_at(price)
            coin.mark_ticks = price
            coin.value_units = value
            total += value
            if total >= MOST:
                return -1
            strand = coin.strand
            strand.result_now += value
            if coin.owned and must_look(coin, books.pairs[coin.holder], row, close_ms):
                plain = True
        self.plain = plain
        return total

    def _decide(self, t: int, close_ms: int, total: int) -> bool:
        """What a bar asks for, carried out; False: it is the reference's, and nothing was."""
        books, entries = self.books, self.entries
        wished = self.wish[t]
        if self.aligned and wished:
            self._place(t)
        books.foresee(close_ms, total)
        if not entries.decide(self.grid[t], close_ms, total, wished):
            return False
        books.mark(close_ms, total)
        self.holds += entries.holds
        if entries.changed():
            entries.commit(close_ms)
            if books.undeclared:
                self.ready = 0
        return True

    def _refresh(self, close_ms: int) -> None:
        """Members that depend on nothing stay, and are told anew."""
        self.refreshed_ms = close_ms
        self.refreshes += 1
        self.tiers_ms = (close_ms // self.refresh_ms + 1) * self.refresh_ms

    def _pass_refreshes(self, first: int, stop: int) -> None:
        """What bars [first, stop), which were passed over, say of the members."""
        last_ms = self.grid[stop - 1] + self.step_ms
        while self.tiers_ms <= last_ms:
            first = self._first_at(self.tiers_ms - self.step_ms, first, stop)
            self._refresh(self.grid[first] + self.step_ms)

    def _first_at(self, open_ms: int, low: int, high: int) -> int:
        """As `first_at`; it is tried first where it is when no bar is missing."""
        guess = low + (open_ms - self.grid[low]) // self.step_ms
        if low < guess < high and self.grid[guess] == open_ms:
            return guess
        return first_at(self.grid, open_ms, low, high)

    def _place(self, t: int) -> None:
        """Rows of all coins at a bar of an aligned grid."""
        for i in range(len(self.coins)):
            coin = self.coins[i]
            coin.row = t + coin.offset

    def _unsure(self, total: int, close_ms: int) -> bool:
        """Whether the reference has to say what this equity means."""
        books = self.books
        if books.asks_quality and books.has_to_judge(close_ms):
            return True
        if books.trim_ppm > 0 and books.owned_count > 0 and self._may_trim(total):
            return True
        return books.fall_ppm >= 0 and books.may_have_fallen(total)

    def _may_trim(self, total: int) -> bool:
        """Whether exposure or loss may be far enough above its cap to be trimmed."""
        books = self.books
        exposure = 0.0
        loss = 0.0
        for i in range(books.held_count):
            coin = books.held[i]
            exposure += coin.value_units
            loss += loss_of(coin)
        room = SURE * total / MILLION * (MILLION + books.trim_ppm) / MILLION
        return exposure >= room * books.exposure_ppm or loss >= room * books.loss_ppm


def must_look(coin: Coin, pair: Pair, row: int, close_ms: int) -> bool:
    """Whether a position may be left, or its stop moved, at a bar: nothing may be missed here."""
    if coin.complex:
        return True
    stop = coin.stop_ticks
    if stop > 0 and (coin.low[row] <= stop or coin.close[row] <= coin.bid_stop_ticks):
        return True
    if 0 < coin.target_ticks <= coin.high[row]:
        return True
    if coin.trail_ticks > 0 and coin.high[row] > coin.peak_ticks:
        return True
    if 0 < coin.hold_ms <= close_ms - coin.began_ms:
        return True
    if row < coin.leave_row:
        return False
    coin.leave_row = next_leave(pair, row)
    return coin.leave_row == row


def next_leave(pair: Pair, row: int) -> int:
    """The first row from one on at which the pair's exit level holds."""
    if leaves_at(pair, row):
        return row
    return pair.leaves[pair.leave_at] if pair.leave_at < len(pair.leaves) else NEVER_ROW


def find_rows(coins: list[Coin], bar_ms: int) -> bool:
    """The row of each coin at a bar; bars are asked in order. Whether one without a row may be
    spoken of all the same."""
    absent = False
    for i in range(len(coins)):
        coin = coins[i]
        row = coin.next_row
        while row < coin.rows and coin.open_ms[row] < bar_ms:
            row += 1
        coin.next_row = row
        if row < coin.rows and coin.open_ms[row] == bar_ms:
            coin.row = row
        else:
            coin.row = -1
            absent = absent or coin.asks_absent == 1
    return absent


def note_wishes(pair: Pair, coin: Coin, grid: memoryview, wish: memoryview) -> None:
    """Mark the bars of the grid that lie in the runs of a pair."""
    bars = len(grid)
    t = 0
    for at in range(0, len(pair.enters), 2):
        for row in range(pair.enters[at], pair.enters[at + 1]):
            open_ms = coin.open_ms[row]
            t = row - coin.offset if coin.offset >= 0 else first_at(grid, open_ms, t, bars)
            if 0 <= t < bars and grid[t] == open_ms:
                wish[t] = 1


def first_at(grid: memoryview, open_ms: int, low: int, high: int) -> int:
    """Index of the first of bars [low, high) that is at or after a time; `high` for none."""
    while low < high:
        middle = (low + high) // 2
        if grid[middle] < open_ms:
            low = middle + 1
        else:
            high = middle
    return low
