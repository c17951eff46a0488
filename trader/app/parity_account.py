"""Two accounts row by row: which rows of a free run have parted from the journal's, and since when.

Lives here: the comparison of two states, and which earlier differences each parted row is put down
to. What is compared leaves out when something was done to the second: a pass runs seconds after the
close. Must not live here: why two decisions differ (`parity_decisions`).

The argument: a state is folded from facts. Where two states were equal and got equal facts they
stay equal; so a row that parts now either got another fact (a difference that was just listed), or
was made from rows that had parted before. A row for which neither holds is not explained.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from trader.core.state import State

RowKey = tuple[str, str]
Account = dict[RowKey, Any]
FOLLOWS_MAX = 4

# Counts of passes and requests, names of people, and times: nothing a back-test has.
_META_LEFT_OUT = frozenset(
    {
        "cycles",
        "halt_by",
        "halt_why",
        "message_count",
        "venue_fault_ms",
        "venue_fault_why",
        "venue_try_ms",
    }
)
_ORDER_LEFT_OUT = frozenset({"outcome_code", "sent_ms", "updated_ms", "venue_id", "venue_lots"})


def account_of(state: State) -> Account:
    """Every row that is compared, by table and key."""
    rows: Account = {
        ("meta", key): value for key, value in state.meta.items() if key not in _META_LEFT_OUT
    }
    for client_id, order in state.orders.items():
        kept = {k: v for k, v in order.row().items() if k not in _ORDER_LEFT_OUT}
        rows["orders", client_id] = kept
    for symbol, position in state.positions.items():
        rows["positions", symbol] = {k: v for k, v in position.row().items() if k != "opened_ms"}
    for key, row in state.asked.items():
        rows["asked", key] = int(row["done_ms"]) >= 0
    for key, told in state.sent.items():
        rows["sent", key] = told.partition(" ")[2]
    for key in state.cooldowns:
        rows["cooldowns", key] = True
    records: Mapping[str, Mapping[str, Any]] = {
        "books": state.books,
        "holdings": state.holdings,
        "days": state.days,
    }
    for table, held in records.items():
        rows.update(((table, key), record.row()) for key, record in held.items())
    plain: Mapping[str, Mapping[str, Any]] = {
        "consumed": state.consumed,
        "instruments": state.instruments,
        "members": state.members,
        "other_fees": state.other_fees,
    }
    for table, texts in plain.items():
        rows.update(((table, key), value) for key, value in texts.items())
    return rows


def symbols_in(key: RowKey, account: Account) -> str:
    """The instrument that a row is about, "" for one about the account or a strategy."""
    table, name = key
    if table == "orders":
        row = account.get(key)
        return str(row["symbol"]) if row else ""
    if table in {"positions", "instruments"}:
        return name
    return name.partition("|")[2] if table in {"holdings", "consumed", "cooldowns"} else ""


class Apart:
    """Rows that have parted, each with the numbers of the differences that it is put down to."""

    def __init__(self) -> None:
        """Nothing has."""
        self.rows: dict[RowKey, tuple[int, ...]] = {}
        self._symbols: dict[RowKey, str] = {}

    def __bool__(self) -> bool:
        """Whether some row has."""
        return bool(self.rows)

    def update(
        self, journal: Account, free: Account, fresh: Mapping[str, Collection[int]]
    ) -> list[RowKey]:
        """Compare; `fresh`: numbers of the differences found since the last time, by instrument
        ("" for those about none). Returns the rows that parted and are put down to nothing."""
        new: list[RowKey] = []
        for key in journal.keys() | free.keys():
            if journal.get(key) == free.get(key):
                self.rows.pop(key, None)
            elif key not in self.rows:
                new.append(key)
                self._symbols[key] = symbols_in(key, journal) or symbols_in(key, free)
        before = dict(self.rows)
        lost: list[RowKey] = []
        for key in sorted(new):
            numbers = self._reason(self._symbols[key], fresh, before)
            if numbers:
                self.rows[key] = numbers
            else:
                lost.append(key)
        return lost

    def excuse(self, keys: Iterable[RowKey], number: int) -> None:
        """These rows parted for no known reason: that was told once, as this difference."""
        for key in keys:
            self.rows[key] = (number,)

    def _reason(
        self,
        symbol: str,
        fresh: Mapping[str, Collection[int]],
        before: Mapping[RowKey, tuple[int, ...]],
    ) -> tuple[int, ...]:
        """The nearest first: just found of the same instrument, just found, parted before."""
        if symbol and fresh.get(symbol):
            return _few(fresh[symbol])
        if any(fresh.values()):
            return _few(number for numbers in fresh.values() for number in numbers)
        same = [row for key, row in before.items() if symbol and self._symbols[key] == symbol]
        return _few(number for row in same or before.values() for number in row)

    def behind(self, symbols: Collection[str]) -> tuple[int, ...]:
        """What a difference that came of parted rows is put down to: those of its instruments,
        else those of the account."""
        own = [row for key, row in self.rows.items() if self._symbols[key] in symbols]
        account = [row for key, row in self.rows.items() if not self._symbols[key]]
        chosen = own or account or list(self.rows.values())
        return _few(number for row in chosen for number in row)


def _few(numbers: Iterable[int]) -> tuple[int, ...]:
    """The newest, in order: a chain is followed from there."""
    return tuple(sorted(set(numbers))[-FOLLOWS_MAX:])
