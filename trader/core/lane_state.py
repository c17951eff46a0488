"""The way between a `State` and the lane's typed numbers, and what the lane wrote down as facts.

Lives here: `LaneState`, which takes from a state what plain bars change and puts it back, and says
whether the account is plain at all. Rows are equal to those that `fold` makes. Must not live here:
what a bar does (`lane`).
"""

from __future__ import annotations

from trader.core.access import Access
from trader.core.bookkeeping import is_open
from trader.core.books import Book, Holding, holding_key
from trader.core.days import ACCOUNT, DAY_SLOTS, Cooldown
from trader.core.lane import Lane
from trader.core.lane_books import LaneBooks
from trader.core.lane_entries import LaneEntries
from trader.core.lane_orders import filled, leg_row, newest_legs
from trader.core.lane_rings import load_day, store_days, store_messages, store_sent
from trader.core.lane_rows import NOBODY, Coin, LaneDay, Leg, Pair
from trader.core.parameters import Parameters
from trader.core.state import MINUTE_SLOTS, SENT_SLOTS, STAMP_SLOTS, Order, Position, State
from trader.core.universe import (
    asks_bars,
    kept_members,
    members_now,
    members_text,
    refreshed_ms,
    symbols_of,
)
from trader.domain.order import OrderState
from trader.domain.timeframe import bar_open_ms

NEVER_DUE = 1 << 62
POSITION_FIELDS = (
    "cost_units", "bought_lots", "bought_units", "entry_ticks", "stop_ticks", "target_ticks",
    "trail_ticks", "trailed", "hold_ms", "opened_ms", "realised_units", "result_units",
    "fees_units", "scaled", "qty_units",
)  # fmt: skip
BOOK_FIELDS = (
    "cash_units", "fees_units", "fills", "realised_units", "result_units", "high_units",
    "drawdown_units", "wins", "losses", "won_ppm", "lost_ppm", "entries_filled", "attended",
    "first_day", "quality_day", "stopped",
)  # fmt: skip
MARK_FIELDS = (
    "close_ms", "day", "day_ends_ms", "day_stopped", "day_units", "day_whole", "drawdown_stopped",
    "equity_units", "high_units", "cash_units", "last_bar_ms", "sent_count",
)  # fmt: skip


class LaneState:
    """One lane and the state that it is kept beside. `off_pairs`: how many would be considered if
    the code of their strategy had not failed. `followed`: (strategy, instrument) of those that
    are."""

    def __init__(self, state: State, parameters: Parameters, lane: Lane) -> None:
        """`lane` knows nothing of the account yet."""
        self.state = state
        self.parameters = parameters
        self.lane = lane
        self.books: LaneBooks = lane.books
        self.entries: LaneEntries = lane.entries
        self.specs = {spec.name: spec for spec in parameters.strategies}
        self.pair_of = {(p.strand.name, p.coin.symbol): p for p in self.books.pairs}
        self._entered = lane.lane_bars
        self.off_pairs = 0
        self.followed: set[tuple[str, str]] = set()
        self._newest: list[Leg] = []
        self._load_all_days()

    # --- from the state ----------------------------------------------------------------------

    def load(self) -> None:
        """Take what the state says now; `lane.ready` tells whether the account is plain."""
        state, books = self.state, self.books
        for name in MARK_FIELDS:
            if name != "sent_count":
                setattr(books, name, state.number(name))
        books.capital_units = state.number("capital_units")
        if books.day >= 0:
            books.set_day_floor()
        books.fall_fresh = books.marked = 0
        self._load_books()
        self._load_coins()
        self._load_pairs()
        self._load_messages()
        self._load_sent()
        self._load_days()
        self._load_access()
        books.undeclared = 0
        self._entered = self.lane.lane_bars
        self.lane.ready = int(self._is_plain())
        books.hold()

    def _is_plain(self) -> bool:
        state, limits = self.state, self.parameters.limits
        if state.word("halt_level") != "running" or state.number("venue_faults"):
            return False
        if limits.approval != "given" or state.word("approved_by"):
            return False
        if any(int(row["done_ms"]) < 0 for row in state.asked.values()):
            return False
        busy = any(o.working or o.state is OrderState.PLANNED for o in state.orders.values())
        return not busy and not self._has_odd_coins()

    def _has_odd_coins(self) -> bool:
        """Whether coins lie where a plain account has none, or dust is not declared yet."""
        state = self.state
        held: dict[str, list[Holding]] = {}
        for holding in state.holdings.values():
            if holding.qty_units > 0:
                held.setdefault(holding.symbol, []).append(holding)
        for symbol, position in state.positions.items():
            holdings = held.get(symbol, [])
            if position.qty_units == 0 and not holdings:
                continue
            if len(holdings) != 1 or holdings[0].qty_units != position.qty_units:
                return True
            if holdings[0].cost_units != position.cost_units:
                return True
            if is_open(position, state.spec(symbol)):
                if position.own_units != position.qty_units:
                    return True
                if position.strategy != holdings[0].strategy:
                    return True
            elif (
                not holdings[0].is_dust or holdings[0].qty_units >= state.spec(symbol).base_per_lot
            ):
                return True
            if (holdings[0].strategy, symbol) not in self.pair_of:
                return True
        return False

    def _load_books(self) -> None:
        for strand in self.books.strands:
            book = self.state.books.get(strand.name)
            strand.has_book = int(book is not None)
            if book is not None:
                for name in BOOK_FIELDS:
                    setattr(strand, name, getattr(book, name))

    def _load_coins(self) -> None:
        state = self.state
        holders = {
            holding.symbol: self.pair_of[holding.strategy, holding.symbol].index
            for holding in state.holdings.values()
            if holding.qty_units > 0 and (holding.strategy, holding.symbol) in self.pair_of
        }
        for coin in self.books.coins:
            coin.touched = 0
            position = state.positions.get(coin.symbol)
            coin.known = int(position is not None)
            if position is None:
                coin.clear()
                continue
            for name in POSITION_FIELDS:
                setattr(coin, name, getattr(position, name))
            coin.holder = holders.get(coin.symbol, -1)
            coin.strand = self.books.pairs[coin.holder].strand if coin.holder >= 0 else NOBODY
            coin.owned = int(is_open(position, coin.spec) and coin.holder >= 0)
            book = state.books.get(position.strategy)
            coin.complex = int(
                self.books.exits_elsewhere == 1
                or bool(position.even_ticks or position.arm_ticks or position.steps)
                or (book is not None and book.off_why != "")
            )
            coin.began_ms = bar_open_ms(position.opened_ms, self.books.step_ms)
            coin.peak_ticks = coin.leave_row = 0
            coin.weigh()
            self.books.guard(coin)
            if coin.owned:
                self._look_back(coin)

    def _look_back(self, coin: Coin) -> None:
        """The highest price since the position was opened, up to the newest decision."""
        if coin.trail_ticks <= 0:
            return
        row = coin.first_at(coin.began_ms)
        last = coin.first_at(self.books.last_bar_ms + 1)
        coin.peak_ticks = max(coin.high[row:last], default=0)

    def _load_pairs(self) -> None:
        state = self.state
        for pair in self.books.pairs:
            pair.touched = 0
            key = holding_key(pair.strand.name, pair.coin.symbol)
            pair.consumed_ms = state.consumed.get(key, -1)
            wait = state.cooldowns.get(key)
            pair.has_wait = int(wait is not None)
            pair.exit_ms = wait.exit_ms if wait else -1
            pair.stop_ms = wait.stop_ms if wait else -1
            pair.unfilled_ms = wait.unfilled_ms if wait else -1

    def _load_messages(self) -> None:
        state, messages = self.state, self.books.messages
        total, known = state.number("message_count"), messages.count
        if total - known > STAMP_SLOTS:
            known = 0
            for slot in range(MINUTE_SLOTS):
                self._load_minute(slot)
        for number in range(max(known, total - STAMP_SLOTS), total):
            at_ms = int(state.messages[f"s{number % STAMP_SLOTS}"])
            messages.stamp_at[number % STAMP_SLOTS] = at_ms
            self._load_minute(at_ms // 60_000 % MINUTE_SLOTS)
        messages.count = total
        messages.new = 0
        messages.day_first = -1
        if total:
            messages.last_minute = messages.stamp_at[(total - 1) % STAMP_SLOTS] // 60_000

    def _load_minute(self, slot: int) -> None:
        minute, _, count = self.state.messages.get(str(slot), "-1 0").partition(" ")
        messages = self.books.messages
        messages.minute_at[slot], messages.minutes[slot] = int(minute), int(count)

    def _load_sent(self) -> None:
        state, books = self.state, self.books
        index_of = {strand.name: strand.index for strand in books.strands}
        total = state.number("sent_count")
        for number in range(max(books.sent_count, total - SENT_SLOTS), total):
            at_ms, _, name = state.sent[str(number % SENT_SLOTS)].partition(" ")
            if number - books.sent_day >= SENT_SLOTS:
                books.forget_oldest_sent()
            books.sent_at[number % SENT_SLOTS] = int(at_ms)
            books.sent_by[number % SENT_SLOTS] = index_of.get(name, -1)
            if name in index_of:
                books.strands[index_of[name]].sent_day += 1
            books.sent_count = number + 1
        books.sent_count = total
        books.sent_new = 0

    def _load_all_days(self) -> None:
        for key, row in self.state.days.items():
            name, _, slot = key.rpartition("|")
            days = self._days(name)
            if days is not None:
                load_day(days[int(slot)], row)

    def _load_days(self) -> None:
        """Of days, a decision changes the newest two."""
        day = self.state.number("day")
        for name in (ACCOUNT, *(strand.name for strand in self.books.strands)):
            for number in (day - 1, day) if day > 0 else (day,):
                row = self.state.days.get(f"{name}|{number % DAY_SLOTS}")
                days = self._days(name)
                if row is not None and days is not None:
                    load_day(days[number % DAY_SLOTS], row)

    def _days(self, name: str) -> list[LaneDay] | None:
        if name == ACCOUNT:
            return self.books.days
        return next((s.days for s in self.books.strands if s.name == name), None)

    def _load_access(self) -> None:
        """Who may be traded now, in which order, and until when that holds."""
        state, parameters, universe = self.state, self.parameters, self.parameters.universe
        members = {tier.name: members_now(universe, state, tier.name) for tier in universe.tiers}
        access = Access(universe, members, state.word("regime"))
        off = {name for name, book in state.books.items() if book.off_why}
        order: list[Pair] = []
        self.off_pairs = 0
        for spec in sorted(parameters.strategies, key=lambda spec: spec.priority):
            for symbol in symbols_of(spec, parameters, state):
                pair = self.pair_of.get((spec.name, symbol))
                if pair is None:
                    continue
                if spec.name in off:
                    self.off_pairs += 1
                else:
                    order.append(pair)
        for pair in self.books.pairs:
            spec = self.specs[pair.strand.name]
            book = state.books.get(spec.name)
            watches = book is not None and bool(book.off_why or book.shadow_why)
            free = not watches and not access.answer(spec, pair.coin.symbol)
            pair.usable = int(free and pair.view is not None)
            pair.regime_ppm = access.risk_ppm
        self.entries.order = order
        self.followed = {(pair.strand.name, pair.coin.symbol) for pair in order}
        following = {pair.index for pair in order}
        for coin in self.books.coins:
            if coin.owned and coin.holder not in following:
                coin.complex = 1  # how far back a decision sees is another matter then
        self.lane.due_ms = min(self._due_ms(), self._fails_ms(order))

    def _fails_ms(self, order: list[Pair]) -> int:
        """The first close at which the code of a strategy fails."""
        next_ms, due = self.state.number("last_bar_ms") + 1, NEVER_DUE
        for pair in order:
            opens = pair.coin.open_ms
            for start, stop, code in pair.fails:
                row = max(start, pair.coin.first_at(next_ms)) if start < stop else stop
                if code and row < stop:
                    due = min(due, opens[row] + self.parameters.step_ms)
        return due

    def _due_ms(self) -> int:
        """The first close at which members or regime are told anew, and may become others."""
        state, universe, lane = self.state, self.parameters.universe, self.lane
        lane.tiers_ms, lane.refresh_ms, lane.refreshed_ms = NEVER_DUE, universe.refresh_ms, -1
        due = NEVER_DUE
        if universe.tiers:
            told = [refreshed_ms(state, tier.name) for tier in universe.tiers]
            next_ms = (min(told) // universe.refresh_ms + 1) * universe.refresh_ms
            if min(told) < 0:
                return 0
            if any(map(asks_bars, universe.tiers)) or min(told) != max(told):
                due = next_ms
            else:
                lane.tiers_ms = next_ms
        if universe.regime is not None:
            told_ms = state.number("regime_ms")
            due = 0 if told_ms < 0 else min(due, told_ms + 2 * universe.regime.timeframe_ms)
        return due

    # --- to the state ------------------------------------------------------------------------

    def remember(self) -> None:
        """Keep the legs of the newest bar: its orders are in the state until the next plan."""
        legs, last_ms = self.entries.legs, self.books.last_bar_ms
        if legs or (self._newest and self._newest[-1].bar_ms != last_ms):
            self._newest = newest_legs(legs, last_ms)

    def store(self) -> None:
        """Put everything that lane bars changed into the state."""
        state, books = self.state, self.books
        if self.lane.lane_bars == self._entered:
            return
        self._store_marks()
        state.meta["alarms"] = ""
        if self.lane.refreshed_ms >= 0:
            for tier in self.parameters.universe.tiers:
                kept = kept_members(state, tier.name)
                state.members[tier.name] = members_text(self.lane.refreshed_ms, kept)
        self._store_days()
        self._store_books()
        self._store_coins()
        self._store_pairs()
        store_sent(state.sent, books)
        store_messages(state.messages, books.messages)
        state.orders.clear()
        self.remember()
        for leg in self._newest:
            row = filled(leg_row(leg, books, self.parameters), leg, books)
            state.orders[str(row["client_id"])] = Order(row)
        self._entered = self.lane.lane_bars

    def _store_marks(self) -> None:
        for name in MARK_FIELDS:
            self.state.meta[name] = getattr(self.books, name)
        self.state.meta["message_count"] = self.books.messages.count

    def _store_days(self) -> None:
        store_days(self.state.days, ACCOUNT, self.books.days)
        for strand in self.books.strands:
            store_days(self.state.days, strand.name, strand.days)

    def _store_books(self) -> None:
        for strand in self.books.strands:
            if not strand.has_book:
                continue
            book = self.state.books.get(strand.name)
            if book is None:
                book = self.state.books[strand.name] = Book({"strategy": strand.name})
            for name in BOOK_FIELDS:
                setattr(book, name, getattr(strand, name))

    def _store_coins(self) -> None:
        for coin in self.books.coins:
            if not (coin.touched or coin.owned):
                continue
            position = self.state.positions.get(coin.symbol)
            if position is None:
                position = self.state.positions[coin.symbol] = Position({"symbol": coin.symbol})
            for name in POSITION_FIELDS:
                setattr(position, name, getattr(coin, name))
            position.own_units = coin.qty_units if coin.owned else 0
            position.strategy = self.books.pairs[coin.holder].strand.name if coin.owned else ""
            if coin.touched and not coin.complex:
                position.arm_ticks = position.even_ticks = 0
                position.steps = ""

    def _store_pairs(self) -> None:
        state = self.state
        for pair in self.books.pairs:
            if not pair.touched:
                continue
            coin = pair.coin
            key = holding_key(pair.strand.name, coin.symbol)
            holding = state.holdings.get(key)
            if holding is None:
                holding = state.holdings[key] = Holding({"key": key})
            holds = coin.holder == pair.index
            holding.qty_units = coin.qty_units if holds else 0
            holding.cost_units = coin.cost_units if holds else 0
            holding.dust_units = 0
            if pair.consumed_ms >= 0:
                state.consumed[key] = pair.consumed_ms
            if pair.has_wait:
                wait = state.cooldowns.setdefault(key, Cooldown({"key": key}))
                wait.exit_ms, wait.stop_ms = pair.exit_ms, pair.stop_ms
