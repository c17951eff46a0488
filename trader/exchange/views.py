"""What a client is shown, which a venue's moods may keep behind the truth.

Here: `Moods` (standing faults that last until they are changed: lags, freezes, races) and `Views`,
through which a dialect reads orders, trades, balances and the time of its candles. Not here: faults
of single answers (faults.py), and the truth itself (books.py), which the admin plane always shows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal, InvalidOperation
from typing import Any

from trader.exchange.books import Balance, Books, Order, Trade
from trader.exchange.money import ZERO, plain
from trader.records import dataclass, field, replace

_Held = dict[str, dict[str, tuple[Decimal, Decimal]]]


@dataclass(frozen=True, slots=True)
class Moods:
    """All off by default; times are of the exchange's clock.

    orders_lag_ms: a new order is found by no read until then. trades_lag_ms: likewise executions.
    balance_lag_ms: balances are shown as they were then. unlock_lag_ms: what a cancel frees stays
    locked for so long, in truth. candles_frozen_ms: candles stand still there (0: they do not).
    fill_on_cancel: the fraction of what is left that fills while a cancel is under way.
    """

    orders_lag_ms: int = 0
    trades_lag_ms: int = 0
    balance_lag_ms: int = 0
    unlock_lag_ms: int = 0
    candles_frozen_ms: int = 0
    fill_on_cancel: Decimal = ZERO

    def changed(self, given: Mapping[str, Any]) -> Moods:
        """The moods with some of them changed; raises ValueError naming what is wrong."""
        unknown = set(given) - {part.name for part in fields(self)}
        if unknown:
            raise ValueError(f"no such mood: {', '.join(sorted(unknown))}")
        try:
            values: dict[str, Any] = {
                name: Decimal(str(value)) if name == "fill_on_cancel" else int(value)
                for name, value in given.items()
            }
        except InvalidOperation as error:
            raise ValueError("fill_on_cancel must be a number") from error
        moods = replace(self, **values)
        if not ZERO <= moods.fill_on_cancel <= 1 or any(value < 0 for value in values.values()):
            raise ValueError("a mood is not negative, and fill_on_cancel at most 1")
        return moods

    def as_json(self) -> dict[str, Any]:
        """Every mood by name."""
        shown = {part.name: getattr(self, part.name) for part in fields(self)}
        return {**shown, "fill_on_cancel": plain(self.fill_on_cancel)}


@dataclass
class Views:
    """Reads for dialects. `remember` must be called after every change while balances lag."""

    books: Books
    moods: Moods = field(default_factory=Moods)

    def __post_init__(self) -> None:
        """Balances as they were, oldest first, while they lag."""
        self._past: deque[tuple[int, _Held]] = deque()

    def orders(self, account: str, symbol: str, now_ms: int) -> list[Order]:
        """Every order that a client may find, oldest first."""
        found = self.books.by_symbol.get((account, symbol), [])
        if not self.moods.orders_lag_ms:
            return found
        return [order for order in found if self.finds(order, now_ms)]

    def finds(self, order: Order, now_ms: int) -> bool:
        """Whether reads find the order by now."""
        return order.created_ms + self.moods.orders_lag_ms <= now_ms

    def resting(self, account: str, symbol: str, now_ms: int) -> list[Order]:
        """Open orders, oldest first."""
        resting = self.books.open.get(symbol, {}).values()
        return [x for x in resting if x.account == account and self.finds(x, now_ms)]

    def trades(self, account: str, symbol: str, now_ms: int) -> list[Trade]:
        """Executions, oldest first."""
        found = self.books.trades_of.get((account, symbol), [])
        if not self.moods.trades_lag_ms:
            return found
        return [x for x in found if x.at_ms + self.moods.trades_lag_ms <= now_ms]

    def balances(self, account: str, now_ms: int) -> dict[str, Balance]:
        """Balances of the account by asset."""
        then_ms = now_ms - self.moods.balance_lag_ms
        if not self.moods.balance_lag_ms or not self._past:
            return self.books.accounts.get(account, {})
        while len(self._past) > 1 and self._past[1][0] <= then_ms:
            self._past.popleft()
        held = self._past[0][1].get(account, {})
        return {asset: Balance(free, locked) for asset, (free, locked) in held.items()}

    def candles_ms(self, now_ms: int) -> int:
        """The time whose candles are shown."""
        return min(now_ms, self.moods.candles_frozen_ms or now_ms)

    def remember(self, now_ms: int) -> None:
        """Keep the balances of now, if they lag."""
        if not self.moods.balance_lag_ms:
            self._past.clear()
            return
        held: _Held = {
            name: {asset: (x.free, x.locked) for asset, x in assets.items()}
            for name, assets in self.books.accounts.items()
        }
        if not self._past or self._past[-1][1] != held:
            self._past.append((now_ms, held))
