"""Running sums over everything at risk: positions, entries in flight, and legs of the plan in hand.

Lives here: what gates of the account, of tiers, of strategies and of coins compare, added up once a
decision and moved on by each leg that is approved, so that an entry costs no walk over the account.
Amounts are cash units. Must not live here: whether a sum is allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from trader.core.account_view import AccountView
from trader.core.approval import Proposal
from trader.core.risk import held_loss_units, loss_units
from trader.core.scale import value_of_base_down
from trader.core.sizing import entry_cost_units
from trader.core.state import State
from trader.domain.order import Side

HOUR_MS = 3_600_000
DAY_MS = 86_400_000


class Sum:
    """Exposure (value with fee of what is bought, value at its mark of what is held), loss if every
    stop is hit, and the instruments, of one group."""

    __slots__ = ("exposure_units", "loss_units", "symbols")

    def __init__(self) -> None:
        """Of nothing."""
        self.exposure_units = 0
        self.loss_units = 0
        self.symbols: set[str] = set()

    def add(self, symbol: str, exposure_units: int, loss_units: int, *, dust: bool = False) -> None:
        """Count one thing at risk more; dust is worth something and no position."""
        self.exposure_units += exposure_units
        self.loss_units += loss_units
        if not dust:
            self.symbols.add(symbol)

    def positions_with(self, symbol: str) -> int:
        """How many instruments there are with this one."""
        return len(self.symbols) + (0 if symbol in self.symbols else 1)


NOTHING = Sum()


class Totals:
    """The sums of one decision.

    Attributes:
        all: of the account. pending_units: the part that is ordered and whose end is not known.
        strategies, tiers, symbols, coins: by name, see `of`.
        trades_hour, trades_day: entries sent after that long ago, and legs of this plan.
        own_trades_day: the latter by strategy.
    """

    __slots__ = (
        "_asked",
        "_slippage_ppm",
        "_state",
        "_tier_of",
        "all",
        "coins",
        "own_trades_day",
        "pending_units",
        "strategies",
        "symbols",
        "tiers",
        "trades_day",
        "trades_hour",
    )

    def __init__(
        self, view: AccountView, tier_of: Callable[[str], str], slippage_ppm: int, now_ms: int
    ) -> None:
        """Everything that `view` knows of. Raises AmountOverflow when a value does not fit."""
        self._state = view.state
        self._tier_of = tier_of
        self._slippage_ppm = slippage_ppm
        self._asked: tuple[tuple[str, int, int, int], tuple[int, int]] | None = None
        self.all = Sum()
        self.pending_units = 0
        self.strategies: dict[str, Sum] = {}
        self.tiers: dict[str, Sum] = {}
        self.symbols: dict[str, Sum] = {}
        self.coins: dict[str, Sum] = {}
        self.trades_hour = self.trades_day = 0
        self.own_trades_day: dict[str, int] = {}
        for at_ms, strategy in view.state.sent_entries():
            if at_ms > now_ms - DAY_MS:
                self._count_trade(strategy, hour=at_ms > now_ms - HOUR_MS)
        for strategy, symbol, exposure, loss in held_at_risk(view, slippage_ppm):
            self._count(strategy, symbol, exposure, loss)
        for strategy, symbol, value in dust_at_risk(view):
            self._count(strategy, symbol, value, value, dust=True)
        for strategy, symbol, cost, loss in ordered_at_risk(view, slippage_ppm):
            self._count(strategy, symbol, cost, loss)
            self.pending_units += cost
        for leg in view.legs:
            self.add(leg)

    def add(self, leg: Proposal) -> None:
        """Count an approved leg from now on; a sell frees nothing until it is filled."""
        if leg.side is not Side.BUY:
            return
        cost, loss = self.entry(leg.symbol, leg.price_ticks, leg.qty_lots, leg.stop_ticks)
        self._count(leg.strategy, leg.symbol, cost, loss)
        self.pending_units += cost
        self._count_trade(leg.strategy, hour=True)

    def entry(
        self, symbol: str, price_ticks: int, qty_lots: int, stop_ticks: int
    ) -> tuple[int, int]:
        """(cost at its limit with fee, loss if it fills there and its stop is hit) of an entry.

        Every group of gates asks for that of the entry in hand: the newest answer is kept.
        """
        asked = (symbol, price_ticks, qty_lots, stop_ticks)
        if self._asked is None or self._asked[0] != asked:
            spec = self._state.spec(symbol)
            cost = entry_cost_units(spec, price_ticks, qty_lots)
            loss = loss_units(spec, price_ticks, qty_lots, stop_ticks, self._slippage_ppm)
            self._asked = (asked, (cost, loss))
        return self._asked[1]

    def of_strategy(self, name: str) -> Sum:
        """Of one strategy."""
        return self.strategies.get(name, NOTHING)

    def of_tier(self, name: str) -> Sum:
        """Of one tier of the universe; an instrument counts where `tier_of` puts it."""
        return self.tiers.get(name, NOTHING)

    def exposure_of(self, symbols: Iterable[str]) -> int:
        """Of some instruments together."""
        return sum(self.symbols[symbol].exposure_units for symbol in symbols)

    def of_coin(self, coin: str) -> Sum:
        """Of one base coin."""
        return self.coins.get(coin, NOTHING)

    def _count(
        self, strategy: str, symbol: str, exposure: int, loss: int, *, dust: bool = False
    ) -> None:
        self.all.add(symbol, exposure, loss, dust=dust)
        coin = self._state.spec(symbol).base
        for group, name in (
            (self.strategies, strategy),
            (self.tiers, self._tier_of(symbol)),
            (self.symbols, symbol),
            (self.coins, coin),
        ):
            found = group.get(name)
            if found is None:
                found = group[name] = Sum()
            found.add(symbol, exposure, loss, dust=dust)

    def _count_trade(self, strategy: str, *, hour: bool) -> None:
        self.trades_day += 1
        self.trades_hour += 1 if hour else 0
        self.own_trades_day[strategy] = self.own_trades_day.get(strategy, 0) + 1


def held_at_risk(view: AccountView, slippage_ppm: int) -> Iterator[tuple[str, str, int, int]]:
    """(strategy, symbol, value at its mark, loss if its stop is hit) of each open position."""
    state: State = view.state
    for symbol in view.open_symbols():
        position = state.positions[symbol]
        spec, units = state.spec(symbol), position.own_units
        value = value_of_base_down(spec, view.mark_ticks(symbol), units)
        loss = held_loss_units(spec, value, units, position.stop_ticks, slippage_ppm)
        yield position.strategy, symbol, value, loss


def ordered_at_risk(view: AccountView, slippage_ppm: int) -> Iterator[tuple[str, str, int, int]]:
    """(strategy, symbol, cost, loss if its stop is hit) of what may still fill of each entry."""
    for order in view.orders:
        if order.side is Side.BUY:
            spec, price = view.state.spec(order.symbol), order.price_ticks
            rest = order.qty_lots - order.filled_lots
            loss = loss_units(spec, price, rest, order.stop_ticks, slippage_ppm)
            yield order.strategy, order.symbol, entry_cost_units(spec, price, rest), loss


def dust_at_risk(view: AccountView) -> Iterator[tuple[str, str, int]]:
    """(strategy, symbol, value at its mark) of coins that are too few to be sold: no stop saves
    them, and where lots are large they are worth something."""
    state: State = view.state
    opened = set(view.open_symbols())
    for holding in state.holdings.values():
        symbol = holding.symbol
        if holding.qty_units <= 0:
            continue
        if symbol in opened and state.positions[symbol].strategy == holding.strategy:
            continue
        value = value_of_base_down(state.spec(symbol), view.mark_ticks(symbol), holding.qty_units)
        yield holding.strategy, symbol, value
