"""The exchange's books: balances, orders, trades.

Here: the records, the moves of money between free, locked, strangers and the fee account, and their
JSON form. Every asset is conserved: deposits = accounts + fees + strangers, at all times. Not here:
who trades when (engine.py) and where the books are kept (state.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from decimal import Decimal
from typing import Any, TypeVar

from trader.exchange.money import ZERO, plain
from trader.records import dataclass, field

OPEN_STATUSES = ("NEW", "PARTIALLY_FILLED")
_Record = TypeVar("_Record", "Order", "Trade")


@dataclass(slots=True)
class Order:
    """One order. Prices in quote, quantities in base; `locked` in the asset that it reserves."""

    symbol: str
    order_id: int
    client_id: str
    account: str
    side: str
    type: str
    tif: str
    price: Decimal
    qty: Decimal
    quote_qty: Decimal
    created_ms: int
    updated_ms: int
    status: str = "NEW"
    executed: Decimal = ZERO
    cost: Decimal = ZERO
    locked: Decimal = ZERO
    by_hand: bool = False

    @property
    def is_open(self) -> bool:
        """Whether the order still rests in the book."""
        return self.status in OPEN_STATUSES

    @property
    def left(self) -> Decimal:
        """Quantity not executed."""
        return self.qty - self.executed


@dataclass(frozen=True, slots=True)
class Trade:
    """One execution of an order. `fee` in units of `fee_asset`; ids count up per symbol."""

    symbol: str
    trade_id: int
    order_id: int
    account: str
    price: Decimal
    qty: Decimal
    quote_qty: Decimal
    fee: Decimal
    fee_asset: str
    at_ms: int
    is_buyer: bool
    is_maker: bool


class Shortage(Exception):
    """The account has less free than the move needs."""


@dataclass
class Balance:
    """What an account holds of one asset."""

    free: Decimal = ZERO
    locked: Decimal = ZERO


@dataclass
class Books:
    """All accounts. Changes since the last `drain` are remembered so that they can be kept."""

    accounts: dict[str, dict[str, Balance]] = field(default_factory=dict[str, dict[str, Balance]])
    orders: dict[tuple[str, int], Order] = field(default_factory=dict[tuple[str, int], Order])
    trades: list[Trade] = field(default_factory=list[Trade])
    # What fees were taken, what strangers got (negative: gave) and what came in from outside.
    fees: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    strangers: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    deposits: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    counters: dict[str, int] = field(default_factory=dict[str, int])

    def __post_init__(self) -> None:
        """Indexes: open orders by symbol, orders by client id, trades by account and symbol."""
        self.open: dict[str, dict[int, Order]] = {}
        # Orders that are over but whose reserve is not given back yet.
        self.lingering: dict[tuple[str, int], Order] = {}
        self.by_client_id: dict[tuple[str, str, str], list[Order]] = {}
        self.by_symbol: dict[tuple[str, str], list[Order]] = {}
        self.trades_of: dict[tuple[str, str], list[Trade]] = {}
        self._dirty_orders: dict[tuple[str, int], Order] = {}
        self._dirty_accounts: set[str] = set()
        self._kept_trades = 0

    def balance(self, account: str, asset: str) -> Balance:
        """The account's balance of an asset, made on first use."""
        return self.accounts.setdefault(account, {}).setdefault(asset, Balance())

    def free_of(self, account: str, asset: str) -> Decimal:
        """Free amount, without making an entry."""
        held = self.accounts.get(account, {}).get(asset)
        return held.free if held else ZERO

    def deposit(self, account: str, asset: str, amount: Decimal) -> None:
        """Money from outside (negative: a withdrawal); raises Shortage below zero."""
        self._add_free(account, asset, amount)
        _add(self.deposits, asset, amount)

    def lock(self, order: Order, asset: str, amount: Decimal) -> None:
        """Reserve for an order; raises Shortage."""
        self._add_free(order.account, asset, -amount)
        self.balance(order.account, asset).locked += amount
        order.locked += amount

    def unlock(self, order: Order, asset: str, amount: Decimal) -> None:
        """Give back what an order reserved."""
        self.spend_locked(order, asset, amount)
        self._add_free(order.account, asset, amount)

    def spend_locked(self, order: Order, asset: str, amount: Decimal) -> None:
        """Take reserved money away from the account; the caller books where it goes."""
        assert amount <= order.locked, (order, amount)
        self.balance(order.account, asset).locked -= amount
        order.locked -= amount
        self._dirty_accounts.add(order.account)

    def give(self, account: str, asset: str, amount: Decimal) -> None:
        """Strangers pay the account."""
        self._add_free(account, asset, amount)
        _add(self.strangers, asset, -amount)

    def to_strangers(self, asset: str, amount: Decimal) -> None:
        """What was spent from a lock goes to the strangers on the other side."""
        _add(self.strangers, asset, amount)

    def charge_fee(self, account: str, asset: str, amount: Decimal) -> None:
        """Take a fee from the account's free balance."""
        self._add_free(account, asset, -amount)
        _add(self.fees, asset, amount)

    def add_order(self, order: Order) -> None:
        """A new order enters the books."""
        self.orders[order.symbol, order.order_id] = order
        self._index_order(order)
        self.touch(order)

    def touch(self, order: Order) -> None:
        """The order changed: keep it, and keep the index of open orders true."""
        self._dirty_orders[order.symbol, order.order_id] = order
        resting = self.open.setdefault(order.symbol, {})
        if order.is_open:
            resting[order.order_id] = order
        else:
            resting.pop(order.order_id, None)
        if order.locked and not order.is_open:
            self.lingering[order.symbol, order.order_id] = order
        else:
            self.lingering.pop((order.symbol, order.order_id), None)

    def add_trade(self, trade: Trade) -> None:
        """A new execution enters the books."""
        self.trades.append(trade)
        self.trades_of.setdefault((trade.account, trade.symbol), []).append(trade)

    def count_up(self, counter: str, start: int, step: int = 1) -> int:
        """The counter's next value; the first one is `start`."""
        value = self.counters[counter] = self.counters.get(counter, start - step) + step
        return value

    def with_client_id(self, account: str, symbol: str, client_id: str) -> list[Order]:
        """Orders that carry the id, oldest first."""
        return self.by_client_id.get((account, symbol, client_id), [])

    def drain(self) -> dict[str, Any] | None:
        """What changed since the last call, as JSON; None if nothing did."""
        new_trades = self.trades[self._kept_trades :]
        if not (self._dirty_orders or self._dirty_accounts or new_trades):
            return None
        record = self._as_json(self._dirty_orders.values(), new_trades, self._dirty_accounts)
        self._dirty_orders, self._dirty_accounts = {}, set()
        self._kept_trades = len(self.trades)
        return record

    def as_json(self) -> dict[str, Any]:
        """The whole books."""
        return self._as_json(self.orders.values(), self.trades, self.accounts)

    def load(self, record: dict[str, Any]) -> None:
        """Apply a record of `as_json` or `drain`."""
        for raw in record["orders"]:
            order = _from_row(Order, raw)
            known = self.orders.get((order.symbol, order.order_id))
            if known is None:
                self.orders[order.symbol, order.order_id] = order
                self._index_order(order)
            else:
                for part in fields(Order):
                    setattr(known, part.name, getattr(order, part.name))
            self.touch(known or order)
        for raw in record["trades"]:
            self.add_trade(_from_row(Trade, raw))
        for account, assets in record["accounts"].items():
            self.accounts[account] = {
                asset: Balance(Decimal(free), Decimal(locked))
                for asset, (free, locked) in assets.items()
            }
        for name in ("fees", "strangers", "deposits"):
            target: dict[str, Decimal] = getattr(self, name)
            target.update({asset: Decimal(amount) for asset, amount in record[name].items()})
        self.counters.update(record["counters"])
        self._dirty_orders, self._dirty_accounts = {}, set()
        self._kept_trades = len(self.trades)

    def fee_from_lock(self, order: Order, asset: str, amount: Decimal) -> None:
        """Take a fee from what the order reserved for it."""
        self.spend_locked(order, asset, amount)
        _add(self.fees, asset, amount)

    def _as_json(
        self, orders: Iterable[Order], trades: Iterable[Trade], accounts: Iterable[str]
    ) -> dict[str, Any]:
        return {
            "accounts": {
                name: {
                    asset: [plain(held.free), plain(held.locked)]
                    for asset, held in sorted(self.accounts[name].items())
                }
                for name in sorted(accounts)
            },
            "orders": [_row(order) for order in orders],
            "trades": [_row(trade) for trade in trades],
            "fees": {asset: plain(amount) for asset, amount in sorted(self.fees.items())},
            "strangers": {asset: plain(x) for asset, x in sorted(self.strangers.items())},
            "deposits": {asset: plain(x) for asset, x in sorted(self.deposits.items())},
            "counters": dict(sorted(self.counters.items())),
        }

    def _index_order(self, order: Order) -> None:
        key = (order.account, order.symbol, order.client_id)
        self.by_client_id.setdefault(key, []).append(order)
        self.by_symbol.setdefault((order.account, order.symbol), []).append(order)

    def _add_free(self, account: str, asset: str, amount: Decimal) -> None:
        held = self.balance(account, asset)
        if held.free + amount < ZERO:
            raise Shortage(f"{account} has {held.free} {asset} free, needs {-amount}")
        held.free += amount
        self._dirty_accounts.add(account)


def _add(totals: dict[str, Decimal], asset: str, amount: Decimal) -> None:
    totals[asset] = totals.get(asset, ZERO) + amount


def _row(record: Order | Trade) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for part in fields(record):
        value = getattr(record, part.name)
        row[part.name] = plain(value) if isinstance(value, Decimal) else value
    return row


def _from_row(kind: type[_Record], row: dict[str, Any]) -> _Record:
    values = dict(row)
    for part in fields(kind):
        if part.type in (Decimal, "Decimal"):
            values[part.name] = Decimal(values[part.name])
    return kind(**values)
