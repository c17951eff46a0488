"""Days and waits: what each day of the account and of each strategy came to, and since when a
strategy has been out of an instrument, as records.

Lives here: the rows, in core integers, and how days are found in their ring. Only `fold` changes
them. Must not live here: when a day begins (`calendar`), and what is allowed (`gates`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trader.core.books import Row

if TYPE_CHECKING:
    from trader.core.state import State

# Days are kept in a ring of so many per name; the policy looks back no further than one less.
DAY_SLOTS = 400
ACCOUNT = ""


class DayRow:
    """One local day of the account (name "") or of a strategy.

    `day`: its local number (see `calendar.day_of`). `start_units`, `end_units`: equity of the
    account, or result of the strategy's book, where the day began and at its newest decision;
    `flow_units` money that came or went meanwhile without a fill, part of the difference.
    `low_units`: the lowest that end - start - flow was, 0 or less. `realised_units`, `fees_units`
    (cash) and `fills` of the fills booked, `trades` entries sent while it was the newest day.
    """

    __slots__ = (
        "day",
        "end_units",
        "fees_units",
        "fills",
        "flow_units",
        "key",
        "low_units",
        "name",
        "realised_units",
        "start_units",
        "trades",
    )

    def __init__(self, row: Row) -> None:
        """From a canonical row (see `row`)."""
        self.key = str(row["key"])
        self.name = self.key.rpartition("|")[0]
        self.day = int(row.get("day", -1))
        self.start_units = int(row.get("start_units", 0))
        self.end_units = int(row.get("end_units", 0))
        self.flow_units = int(row.get("flow_units", 0))
        self.low_units = int(row.get("low_units", 0))
        self.realised_units = int(row.get("realised_units", 0))
        self.fees_units = int(row.get("fees_units", 0))
        self.fills = int(row.get("fills", 0))
        self.trades = int(row.get("trades", 0))

    def row(self) -> Row:
        """Canonical row: projection table `days`, key `name|slot`."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "name"}

    @property
    def result_units(self) -> int:
        """What the day came to: its change of value without the money that came or went."""
        return self.end_units - self.start_units - self.flow_units

    def reach(self, end_units: int) -> None:
        """Take the value at a decision."""
        self.end_units = end_units
        self.low_units = min(self.low_units, self.result_units)


class Cooldown:
    """When a strategy last left an instrument, by a stop, and when an entry of it last ended
    without a fill; UTC ms of the fact, -1 for never."""

    __slots__ = ("exit_ms", "key", "stop_ms", "unfilled_ms")

    def __init__(self, row: Row) -> None:
        """From a canonical row (see `row`)."""
        self.key = str(row["key"])
        self.exit_ms = int(row.get("exit_ms", -1))
        self.stop_ms = int(row.get("stop_ms", -1))
        self.unfilled_ms = int(row.get("unfilled_ms", -1))

    def row(self) -> Row:
        """Canonical row: projection table `cooldowns`, key `strategy|symbol`."""
        return {name: getattr(self, name) for name in self.__slots__}


def day_key(name: str, day: int) -> str:
    """The key of a day's place in its ring."""
    return f"{name}|{day % DAY_SLOTS}"


def day_row(state: State, name: str, day: int) -> DayRow | None:
    """One day of the account ("") or of a strategy; None when nothing is known of it."""
    found = state.days.get(day_key(name, day))
    return found if found is not None and found.day == day else None


def days_of(state: State, name: str, first_day: int, last_day: int) -> list[DayRow]:
    """The known days of a name within [first_day, last_day], oldest first; those that passed
    without any decision (a strategy's: without any change) are not among them."""
    first = max(first_day, last_day - DAY_SLOTS + 1)
    found = (day_row(state, name, day) for day in range(first, last_day + 1))
    return [row for row in found if row is not None]


def note_equity(state: State, day_before: int) -> None:
    """Keep the equity of a decision in its day, once its marks are in the state.

    `day_before`: the day of the decision before. A new day begins where that one ends.
    """
    day = state.number("day")
    if day < 0:
        return
    row = day_row(state, ACCOUNT, day)
    if row is None:
        start = state.number("day_units")
        last = day_row(state, ACCOUNT, day_before)
        if last is not None:
            _reach(state, last, start)
        row = begin_day(state, ACCOUNT, day, start)
    _reach(state, row, state.number("equity_units"))


def note_result(state: State, name: str, day: int, before_units: int, after_units: int) -> None:
    """Keep in `day` that a decision changed the result of a strategy's book."""
    if day >= 0:
        row = day_row(state, name, day) or begin_day(state, name, day, before_units)
        _reach(state, row, after_units)


def _reach(state: State, row: DayRow, units: int) -> None:
    if row.end_units != units:
        row.reach(units)
        state.dirty.add(("days", row.key))


def note_fill(state: State, strategy: str, realised_units: int, fee_units: int) -> None:
    """Count a fill in the newest day of the account and of its strategy."""
    if state.number("day") < 0:
        return
    for name in (ACCOUNT, strategy):
        row = known_day(state, name)
        row.realised_units += realised_units
        row.fees_units += fee_units
        row.fills += 1
        state.dirty.add(("days", row.key))


def note_trade(state: State, strategy: str) -> None:
    """Count an entry sent in the newest day of the account and of its strategy."""
    if state.number("day") < 0:
        return
    for name in (ACCOUNT, strategy):
        row = known_day(state, name)
        row.trades += 1
        state.dirty.add(("days", row.key))


def known_day(state: State, name: str) -> DayRow:
    """The newest day of a name, begun from what is known of it where nothing happened yet."""
    day = state.number("day")
    row = day_row(state, name, day)
    if row is not None:
        return row
    if name == ACCOUNT:
        return begin_day(state, name, day, state.number("day_units"))
    book = state.books.get(name)
    return begin_day(state, name, day, book.result_units if book else 0)


def begin_day(state: State, name: str, day: int, start_units: int) -> DayRow:
    """A new day in its place of the ring; what was there is older than the ring is long."""
    key = day_key(name, day)
    row = DayRow({"key": key, "day": day, "start_units": start_units, "end_units": start_units})
    state.days[key] = row
    state.dirty.add(("days", key))
    return row
