"""Reading the journal: entries, orders, bars, blobs, cycles.

Lives here: `Reader`, every question that a cycle, `status` and `audit` ask of one connection. Must
not live here: writing, opening, judging.
"""

from __future__ import annotations

import sqlite3
import zlib
from array import array
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Any

from trader.core.money import PPM
from trader.core.scale import ScaleError, text, to_decimal, to_units
from trader.core.series import BarRow, Series, build_series
from trader.core.state import Row
from trader.domain.timeframe import TIMEFRAMES_MS
from trader.errors import DataError
from trader.journal.codec import Entry, Payload, decode, upcast
from trader.journal.failures import guarded
from trader.journal.folding import NO_SEQ, order_row
from trader.journal.head import Head
from trader.records import dataclass

BarPayload = Sequence[int | str]

_HEAD = "SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1"
_ORIGIN = "SELECT seq, hash FROM origin"
_ENTRIES = "SELECT seq, at_ms, kind, version, payload, prev_hash, hash FROM entries"


@dataclass(frozen=True, slots=True)
class KnownBar:
    """The newest version of a bar: prices in ticks of `tick`, volume as the venue's text."""

    open: int
    high: int
    low: int
    close: int
    volume: str
    tick: str

    def same(self, row: BarPayload, tick: Decimal) -> bool:
        """Whether a payload row [open_ms, open, high, low, close, volume] tells the same bar."""
        mine, told = Decimal(self.tick), [int(value) for value in row[1:5]]
        prices = (self.open, self.high, self.low, self.close)
        if Decimal(self.volume) != Decimal(str(row[5])):
            return False
        if mine == tick:
            return list(prices) == told
        return all(
            to_decimal(known, mine) == to_decimal(new, tick)
            for known, new in zip(prices, told, strict=True)
        )

    def changed_ppm(self, row: BarPayload, tick: Decimal) -> int:
        """The largest change of a price in a payload row, millionths of this one, rounded up."""
        worst = 0
        for known, told in zip((self.open, self.high, self.low, self.close), row[1:5], strict=True):
            mine = to_decimal(known, Decimal(self.tick))
            ratio = abs(to_decimal(int(told), tick) - mine) / mine * PPM
            worst = max(worst, int(ratio.to_integral_value(ROUND_CEILING)))
        return worst


@dataclass(frozen=True, slots=True)
class CycleRow:
    """One cycle in the books: seqs of its entries (0: no plan, not ended), code (-1: not ended)."""

    cycle: int
    now_ms: int
    bar_ms: int
    start_seq: int
    plan_seq: int
    end_seq: int
    code: int

    @property
    def ended(self) -> bool:
        """Whether its `cycle_end` was written."""
        return self.end_seq != NO_SEQ


def head_of(connection: sqlite3.Connection) -> Head:
    """The newest entry of a database, or where its chain starts when it has none."""
    row = connection.execute(_HEAD).fetchone() or connection.execute(_ORIGIN).fetchone()
    return Head(*row)


def entry_of(row: tuple[Any, ...]) -> Entry:
    """A row of `entries` decoded, its payload in today's version."""
    seq, at_ms, kind, version, payload, prev_hash, hash_ = row
    decoded = upcast(kind, version, decode(payload))
    return Entry(seq, at_ms, kind, version, decoded, prev_hash, hash_)


class Reader:
    """Questions to an open journal; raises JournalError when the file cannot answer."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        """Over a connection that somebody else opens and closes."""
        self.path = path
        self._connection = connection

    @contextmanager
    def _asking(self) -> Generator[sqlite3.Connection]:
        with guarded(self.path, "reading"):
            yield self._connection

    def _rows(self, query: str, parameters: Iterable[object] = ()) -> list[tuple[Any, ...]]:
        with self._asking() as connection:
            return connection.execute(query, tuple(parameters)).fetchall()

    def rows(self, query: str, parameters: Iterable[object] = ()) -> list[list[Any]]:
        """Rows of a query as plain lists; for the journal's own commands."""
        return [list(row) for row in self._rows(query, parameters)]

    def stored_blobs(self) -> dict[str, bytes]:
        """Every blob as the table keeps it (compressed), by sha."""
        return dict(self._rows("SELECT sha, body FROM blobs"))

    @property
    def head(self) -> Head:
        """The newest entry; before the first one, where the chain starts."""
        with self._asking() as connection:
            return head_of(connection)

    def holds(self, head: Head) -> bool:
        """Whether an entry of this chain is that head, as far as this file reaches back."""
        origin = self.origin
        if head.seq <= origin.seq:
            return head.seq < origin.seq or head.hash == origin.hash
        rows = self._rows("SELECT hash FROM entries WHERE seq = ?", (head.seq,))
        return bool(rows) and rows[0][0] == head.hash

    @property
    def origin(self) -> Head:
        """Where this file's chain starts: seq 0, or the head of the newest sealed segment."""
        return Head(*self._rows(_ORIGIN)[0])

    def entries(
        self,
        from_seq: int = 1,
        kinds: Iterable[str] | None = None,
        to_seq: int | None = None,
    ) -> Iterator[Entry]:
        """Decoded entries of this file, oldest first, both ends included."""
        wanted = None if kinds is None else frozenset(kinds)
        query = f"{_ENTRIES} WHERE seq >= ? AND seq <= ? ORDER BY seq"
        last = 2**62 if to_seq is None else to_seq
        with self._asking() as connection:
            for row in connection.execute(query, (from_seq, last)):
                if wanted is None or row[2] in wanted:
                    yield entry_of(row)

    def entry(self, seq: int) -> Entry | None:
        """One entry; None when this file does not hold it."""
        return next(self.entries(seq, to_seq=seq), None)

    def order_row(self, client_id: str) -> Row | None:
        """The canonical row of any order, settled or not: payload of `order_recalled`."""
        rows = self._rows("SELECT * FROM orders WHERE client_id = ?", (client_id,))
        return order_row(rows[0]) if rows else None

    def order_row_by_venue_id(self, symbol: str, venue_id: str) -> Row | None:
        """The canonical row of the order that a venue knows by its own id."""
        query = "SELECT * FROM orders WHERE symbol = ? AND venue_id = ?"
        rows = self._rows(query, (symbol, venue_id)) if venue_id else []
        return order_row(rows[0]) if rows else None

    def orders(self, from_bar_ms: int = 0) -> list[Row]:
        """Canonical rows of every order planned for a bar at or after `from_bar_ms`, in order."""
        query = "SELECT * FROM orders WHERE bar_ms >= ? ORDER BY placed_seq, leg, attempt"
        return [order_row(row) for row in self._rows(query, (from_bar_ms,))]

    def knows_fill(self, symbol: str, trade_id: str) -> bool:
        """Whether a fill is booked already."""
        query = "SELECT 1 FROM fills WHERE symbol = ? AND trade_id = ?"
        return bool(self._rows(query, (symbol, trade_id)))

    def fills(self, symbol: str | None = None, from_ms: int = 0) -> list[Row]:
        """Booked fills at or after a time, in the order of booking; of one instrument, or all."""
        query = "SELECT * FROM fills WHERE at_ms >= ? AND (? IS NULL OR symbol = ?) ORDER BY seq"
        return self._named(query, (from_ms, symbol, symbol))

    def knows_flow(self, flow_id: str) -> bool:
        """Whether money that came or went under this id is booked already."""
        return bool(self._rows("SELECT 1 FROM flows WHERE flow_id = ?", (flow_id,)))

    def flows(self) -> list[Row]:
        """Money that came or went without a fill, in the order of booking."""
        return self._named("SELECT * FROM flows ORDER BY seq", ())

    def last_fill_ms(self, symbol: str) -> int:
        """Time of the newest booked fill of an instrument; 0 when there is none."""
        query = "SELECT coalesce(max(at_ms), 0) FROM fills WHERE symbol = ?"
        return int(self._rows(query, (symbol,))[0][0])

    def _named(self, query: str, parameters: Iterable[object]) -> list[Row]:
        with self._asking() as connection:
            cursor = connection.execute(query, tuple(parameters))
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def known_bars(
        self, symbol: str, timeframe: str, from_ms: int, to_ms: int, at_seq: int | None = None
    ) -> dict[int, KnownBar]:
        """Newest versions by `open_ms` in [from_ms, to_ms), as entry `at_seq` left them."""
        rows = self._bar_rows(symbol, timeframe, from_ms, to_ms, at_seq)
        return {open_ms: KnownBar(*row[1:]) for open_ms, row in rows.items()}

    def _bar_rows(
        self, symbol: str, timeframe: str, from_ms: int, to_ms: int, at_seq: int | None
    ) -> dict[int, tuple[Any, ...]]:
        """(open_ms, open, high, low, close, volume, tick) of the newest versions, oldest first."""
        query = (
            "SELECT open_ms, open, high, low, close, volume, tick FROM bars WHERE symbol = ? "
            "AND timeframe = ? AND open_ms >= ? AND open_ms < ? AND seq <= ? "
            "ORDER BY open_ms, version"
        )
        last = 2**62 if at_seq is None else at_seq
        rows = self._rows(query, (symbol, timeframe, from_ms, to_ms, last))
        return {row[0]: row for row in rows}

    def new_bars(
        self, symbol: str, timeframe: str, tick: Decimal, rows: Sequence[BarPayload]
    ) -> list[BarPayload]:
        """Those payload rows (`tick` is theirs) that are not known yet, or changed since."""
        if not rows:
            return []
        times = [int(row[0]) for row in rows]
        known = self.known_bars(symbol, timeframe, min(times), max(times) + 1)
        return [
            row
            for open_ms, row in zip(times, rows, strict=True)
            if open_ms not in known or not known[open_ms].same(row, tick)
        ]

    def repainted_ppm(
        self, symbol: str, timeframe: str, tick: Decimal, rows: Sequence[BarPayload]
    ) -> int:
        """The largest change of a price of those payload rows from what is known of the same bars,
        millionths of the known price, rounded up; 0 when none is known."""
        if not rows:
            return 0
        times = [int(row[0]) for row in rows]
        known = self.known_bars(symbol, timeframe, min(times), max(times) + 1)
        both = [(known[ms], row) for ms, row in zip(times, rows, strict=True) if ms in known]
        return max((bar.changed_ppm(row, tick) for bar, row in both), default=0)

    def last_bar_ms(self, symbol: str, timeframe: str) -> int:
        """Open time of the newest bar that is known; -1 when there is none."""
        query = "SELECT coalesce(max(open_ms), -1) FROM bars WHERE symbol = ? AND timeframe = ?"
        return int(self._rows(query, (symbol, timeframe))[0][0])

    def first_bar_ms(self, symbol: str, timeframe: str) -> int:
        """Open time of the oldest bar that is known; -1 when there is none."""
        query = "SELECT coalesce(min(open_ms), -1) FROM bars WHERE symbol = ? AND timeframe = ?"
        return int(self._rows(query, (symbol, timeframe))[0][0])

    def bars_window(
        self,
        symbol: str,
        timeframe: str,
        from_ms: int,
        to_ms: int,
        at_seq: int | None = None,
        tick: Decimal | None = None,
    ) -> Series:
        """Bars opening in [from_ms, to_ms) as entry `at_seq` left them (default: as known now).

        Prices are in `tick` (default: the newest bar's; 1 when there is none). Raises DataError
        when a bar that was told in another tick is not a whole number of this one.
        """
        known = self._bar_rows(symbol, timeframe, from_ms, to_ms, at_seq)
        if tick is None:
            tick = Decimal(known[max(known)][6]) if known else Decimal(1)
        step_ms = TIMEFRAMES_MS[timeframe]
        shown = text(tick)
        if known and all(row[6] == shown for row in known.values()):
            # A cycle reads thousands of bars, nearly always told in the tick that is asked for.
            *ints, volume, _ = zip(*known.values(), strict=True)
            times, *prices = (array("q", column) for column in ints)
            open_, high, low, close = prices
            volumes = array("d", map(float, volume))
            return Series(symbol, step_ms, tick, times, open_, high, low, close, volumes)
        rows = [
            _in_tick(symbol, open_ms, KnownBar(*row[1:]), tick) for open_ms, row in known.items()
        ]
        return build_series(symbol, step_ms, tick, rows)

    def get_blob(self, sha: str) -> bytes:
        """The content with this sha256; KeyError when the journal does not hold it."""
        rows = self._rows("SELECT body FROM blobs WHERE sha = ?", (sha,))
        if not rows:
            raise KeyError(sha)
        return zlib.decompress(rows[0][0])

    def has_blob(self, sha: str) -> bool:
        """Whether a content is kept."""
        return bool(self._rows("SELECT 1 FROM blobs WHERE sha = ?", (sha,)))

    def plan_seq(self, bar_ms: int) -> int:
        """The entry that planned a decision bar; 0 when none did."""
        rows = self._rows("SELECT seq FROM plans WHERE bar_ms = ?", (bar_ms,))
        return int(rows[0][0]) if rows else NO_SEQ

    def plan_of(self, bar_ms: int) -> Payload | None:
        """Payload of the plan of a decision bar; None when there is none (or it is archived).

        The newest plan before a segment was closed travels with the checkpoint.
        """
        seq = self.plan_seq(bar_ms)
        if seq == NO_SEQ:
            return None
        entry = self.entry(seq)
        if entry is not None:
            return entry.payload
        checkpoint = self.entry(self.origin.seq + 1)
        carried: Payload = checkpoint.payload["plan"] if checkpoint else {}
        return carried if carried.get("bar_ms") == bar_ms else None

    def cycle(self, number: int) -> CycleRow | None:
        """One cycle by its number."""
        rows = self._rows("SELECT * FROM cycles WHERE cycle = ?", (number,))
        return CycleRow(*rows[0]) if rows else None

    def last_cycle(self) -> CycleRow | None:
        """The newest cycle; None before the first."""
        rows = self._rows("SELECT * FROM cycles ORDER BY cycle DESC LIMIT 1")
        return CycleRow(*rows[0]) if rows else None

    def cycles(self, from_cycle: int = 1, to_cycle: int | None = None) -> list[CycleRow]:
        """Cycles by number, both ends included."""
        query = "SELECT * FROM cycles WHERE cycle >= ? AND cycle <= ? ORDER BY cycle"
        last = 2**62 if to_cycle is None else to_cycle
        return [CycleRow(*row) for row in self._rows(query, (from_cycle, last))]


def _in_tick(symbol: str, open_ms: int, bar: KnownBar, tick: Decimal) -> BarRow:
    told = Decimal(bar.tick)
    what = f"{symbol} bar {open_ms}, told in ticks of {told}"

    def price(ticks: int) -> int:
        return ticks if told == tick else to_units(to_decimal(ticks, told), tick, what)

    try:
        prices = (price(bar.open), price(bar.high), price(bar.low), price(bar.close))
    except ScaleError as error:
        raise DataError(str(error), "the tick became coarser: start from newer bars") from error
    return (open_ms, *prices, float(bar.volume))
