"""The paper venue's own books: balances, orders and fills in one JSON file.

Lives here: what a simulated venue knows, apart from the account's journal, so that reconcile
compares two books. Written whole beside the old file, fsynced and renamed into place before an
answer is given; a lock file lets a kill and a cycle work on it at once. Must not live here: what
fills.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from trader.core.scale import text
from trader.errors import TraderError, VenueRefused
from trader.records import dataclass, field

# Ended orders and their fills are kept so many deep; open ones always.
HISTORY_MAX = 500
_VERSION = 1


class Shortage(Exception):
    """More than what is free."""


@dataclass
class PaperOrder:
    """An order in the paper venue; amounts as decimal text.

    `row` is the order as approved; `state` is the domain's word; `locked` the amount of
    `locked_asset` still held back; `seen_ms` the time up to which bars were walked.
    """

    order_id: int
    row: dict[str, Any]
    state: str
    qty: str
    price: str
    filled: str
    locked_asset: str
    locked: str
    placed_ms: int
    changed_ms: int
    seen_ms: int

    @property
    def client_id(self) -> str:
        """The client's id of it."""
        return str(self.row["client_id"])

    @property
    def symbol(self) -> str:
        """Its instrument."""
        return str(self.row["symbol"])


@dataclass
class PaperBooks:
    """Everything the paper venue knows.

    Attributes:
        balances: asset -> [free, locked]. orders: by number, oldest first. fills: oldest first,
        rows with decimals as text. next_order, next_trade: numbers never used again.
    """

    balances: dict[str, list[Decimal]] = field(default_factory=dict[str, list[Decimal]])
    orders: dict[int, PaperOrder] = field(default_factory=dict[int, PaperOrder])
    fills: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    next_order: int = 1
    next_trade: int = 1

    def free(self, asset: str) -> Decimal:
        """What can be used."""
        return self.balances.get(asset, [Decimal(0)])[0]

    def change(self, asset: str, amount: Decimal) -> None:
        """Add to (or take from) what is free; raises Shortage below zero."""
        held = self.balances.setdefault(asset, [Decimal(0), Decimal(0)])
        if held[0] + amount < 0:
            raise Shortage(asset)
        held[0] += amount

    def lock(self, order: PaperOrder, asset: str, amount: Decimal) -> None:
        """Hold back for an order; raises Shortage."""
        self.change(asset, -amount)
        self.balances[asset][1] += amount
        order.locked_asset, order.locked = asset, text(amount)

    def unlock(self, order: PaperOrder, amount: Decimal | None = None) -> None:
        """Give back `amount` of what is held for an order, or all of it."""
        part = Decimal(order.locked) if amount is None else amount
        held = self.balances[order.locked_asset]
        held[1] -= part
        held[0] += part
        order.locked = text(Decimal(order.locked) - part)

    def by_client_id(self, symbol: str, client_id: str) -> PaperOrder | None:
        """The newest order with this id."""
        for order in reversed(self.orders.values()):
            if order.client_id == client_id and order.symbol == symbol:
                return order
        return None

    def open_orders(self, symbol: str) -> list[PaperOrder]:
        """Orders of an instrument that may still fill, oldest first."""
        return [o for o in self.orders.values() if o.symbol == symbol and o.state == "open"]

    def prune(self) -> None:
        """Forget the oldest ended orders and fills beyond HISTORY_MAX."""
        ended = [number for number, order in self.orders.items() if order.state != "open"]
        for number in ended[: max(0, len(ended) - HISTORY_MAX)]:
            del self.orders[number]
        self.fills = self.fills[-HISTORY_MAX:]


class BooksFile:
    """The file of the books and its lock."""

    def __init__(
        self, path: Path, start: Mapping[str, str], first_number: Callable[[], int]
    ) -> None:
        """`start`: balances of a book that does not exist yet, decimal text by asset.

        `first_number`: where a new book starts to count orders and fills; must grow, so that the
        numbers of an earlier book are not used again.
        """
        self._path = path
        self._first_number = first_number
        self._start = dict(start)
        self._held: PaperBooks | None = None
        self._stamp: tuple[int, int, int] | None = None

    @contextmanager
    def view(self) -> Generator[PaperBooks]:
        """The books, locked, to be read only. Raises VenueRefused when they are unreadable."""
        with self._lock():
            yield self._load()

    @contextmanager
    def edit(self) -> Generator[PaperBooks]:
        """The books, locked; on disk when the block ends, unchanged when it raises.

        Raises VenueRefused when the file is not readable as books or cannot be written.
        """
        with self._lock():
            books = self._load()
            self._held = None
            yield books
            books.prune()
            self._save(books)
            self._held = books

    def reset(self) -> None:
        """Begin again with the starting balances; numbers of orders and fills go on."""
        with self._lock():
            self._held = None
            self._save(self._fresh())

    def _fresh(self) -> PaperBooks:
        first = self._first_number()
        start = {asset: [Decimal(x), Decimal(0)] for asset, x in self._start.items()}
        return PaperBooks(start, next_order=first, next_trade=first)

    @contextmanager
    def _lock(self) -> Generator[None]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _refused(self._path, error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _load(self) -> PaperBooks:
        stamp = self._stamp_now()
        if self._held is not None and stamp == self._stamp:
            return self._held
        self._stamp = stamp
        self._held = self._fresh() if stamp is None else _read(self._path)
        return self._held

    def _save(self, books: PaperBooks) -> None:
        content = _dump(books)
        fresh = self._path.with_name(f"{self._path.name}.new")
        try:
            with fresh.open("w", encoding="ascii") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            fresh.replace(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise _refused(self._path, error) from error
        self._stamp = self._stamp_now()

    def _stamp_now(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _refused(self._path, error) from error
        return found.st_ino, found.st_mtime_ns, found.st_size


def _refused(path: Path, error: object) -> TraderError:
    return VenueRefused(
        f"paper books {path}: {error}", "repair the file or begin again: trader paper reset"
    )


def _dump(books: PaperBooks) -> str:
    shown = {
        "version": _VERSION,
        "balances": {asset: [text(x) for x in pair] for asset, pair in books.balances.items()},
        "orders": [vars(order) for order in books.orders.values()],
        "fills": books.fills,
        "next_order": books.next_order,
        "next_trade": books.next_trade,
    }
    return json.dumps(shown, sort_keys=True, indent=0)


def _read(path: Path) -> PaperBooks:
    try:
        held = cast("dict[str, Any]", json.loads(path.read_bytes()))
        if held["version"] != _VERSION:
            raise _refused(path, f"version {held['version']}, this program reads {_VERSION}")
        orders = [PaperOrder(**row) for row in held["orders"]]
        balances = {
            str(asset): [Decimal(free), Decimal(locked)]
            for asset, (free, locked) in held["balances"].items()
        }
        return PaperBooks(
            balances,
            {order.order_id: order for order in orders},
            list(held["fills"]),
            int(held["next_order"]),
            int(held["next_trade"]),
        )
    except (OSError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError) as error:
        raise _refused(path, f"not readable as books ({type(error).__name__}: {error})") from error
