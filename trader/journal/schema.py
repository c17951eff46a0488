"""The schema: tables, triggers and named migrations.

Lives here: what tables exist, generated from the core's own rows, and the list of migrations, each
applied together with its record in one transaction. A migration that was ever released is never
edited: a new one follows it. Must not live here: reading or writing rows.

Every table but `entries` is WITHOUT ROWID, so that no key stands in the file twice: a flipped bit
has nowhere to hide. Tables are STRICT: a value has the type that its column says.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from trader.core.books import Book, Holding
from trader.core.days import Cooldown, DayRow
from trader.core.state import Order, Position, Row
from trader.journal.codec import NO_HASH
from trader.records import dataclass

APPLICATION_ID = 0x54524A4C  # "TRJL"
PAGE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Table:
    """One projection.

    Attributes:
        columns: (name, type) in the file's order. key: names of the primary key.
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in the file's order."""
        return tuple(name for name, _ in self.columns)

    def create(self) -> str:
        """Its CREATE TABLE statement."""
        columns = ", ".join(f"{name} {type_} NOT NULL" for name, type_ in self.columns)
        key = ", ".join(self.key)
        return f"CREATE TABLE {self.name} ({columns}, PRIMARY KEY ({key})) STRICT, WITHOUT ROWID"

    def insert(self) -> str:
        """The statement that adds a row, parameters in the file's order."""
        marks = ", ".join("?" for _ in self.columns)
        names = ", ".join(self.names)
        return f"INSERT INTO {self.name} ({names}) VALUES ({marks})"  # noqa: S608 - names are ours

    def upsert(self) -> str:
        """The statement that makes a row be as given, parameters in the file's order."""
        key = ", ".join(self.key)
        sets = ", ".join(f"{name} = excluded.{name}" for name in self.names if name not in self.key)
        return f"{self.insert()} ON CONFLICT ({key}) DO UPDATE SET {sets}"


def _typed(row: Row, key: str) -> tuple[tuple[str, str], ...]:
    """Columns for a row of the core, the key first."""
    names = [key, *(name for name in row if name != key)]
    return tuple((name, "INTEGER" if isinstance(row[name], int) else "TEXT") for name in names)


def _columns(ints: str, texts: str, order: str) -> tuple[tuple[str, str], ...]:
    types = dict.fromkeys(ints.split(), "INTEGER") | dict.fromkeys(texts.split(), "TEXT")
    return tuple((name, types[name]) for name in order.split())


_ORDER_INTS = (
    "bar_ms leg attempt price_ticks qty_lots stop_ticks target_ticks trail_ticks hold_ms signal_ms"
)
_ORDER_TEXTS = "client_id strategy symbol reason"
_BLANK_ORDER: Row = (
    dict.fromkeys(_ORDER_TEXTS.split(), "")
    | dict.fromkeys(_ORDER_INTS.split(), 0)
    | {"side": "buy", "tif": "gtc"}
)
_INSTRUMENT_TEXTS = "symbol base quote tick lot qty_min qty_max notional_min fee_taker fee_maker"

# `placed_seq`: the entry that put the order into the state (its place among the others);
# `touched_seq`: the entry that changed it last.
ORDERS = Table(
    "orders",
    (
        *_typed(Order(_BLANK_ORDER).row(), "client_id"),
        ("placed_seq", "INTEGER"),
        ("touched_seq", "INTEGER"),
    ),
    ("client_id",),
)
POSITIONS = Table("positions", _typed(Position({"symbol": ""}).row(), "symbol"), ("symbol",))
INSTRUMENTS = Table(
    "instruments",
    _columns("active", _INSTRUMENT_TEXTS, f"{_INSTRUMENT_TEXTS} active"),
    ("symbol",),
)
META = Table("meta", (("key", "TEXT"), ("value", "ANY")), ("key",))
OTHER_FEES = Table("other_fees", (("key", "TEXT"), ("value", "TEXT")), ("key",))
BOOKS = Table("books", _typed(Book({"strategy": ""}).row(), "strategy"), ("strategy",))
HOLDINGS = Table("holdings", _typed(Holding({"key": ""}).row(), "key"), ("key",))
MEMBERS = Table("members", (("key", "TEXT"), ("value", "TEXT")), ("key",))
SENT = Table("sent", (("key", "TEXT"), ("value", "TEXT")), ("key",))
MESSAGES = Table("messages", (("key", "TEXT"), ("value", "TEXT")), ("key",))
DAYS = Table("days", _typed(DayRow({"key": "|0"}).row(), "key"), ("key",))
COOLDOWNS = Table("cooldowns", _typed(Cooldown({"key": ""}).row(), "key"), ("key",))
ASKED = Table(
    "asked",
    _columns("at_ms done_ms", "symbol by why", "symbol by why at_ms done_ms"),
    ("symbol",),
)
CONSUMED = Table("consumed", (("key", "TEXT"), ("value", "INTEGER")), ("key",))
FILLS = Table(
    "fills",
    _columns(
        "price_ticks qty_lots cost_units fee_cash_units fee_base_units maker at_ms seq",
        "symbol trade_id client_id side fee_asset fee",
        "symbol trade_id client_id side price_ticks qty_lots cost_units fee_cash_units "
        "fee_base_units fee_asset fee maker at_ms seq",
    ),
    ("symbol", "trade_id"),
)
FLOWS = Table(
    "flows",
    _columns(
        "at_ms units seq",
        "flow_id kind asset amount by why",
        "flow_id at_ms kind asset amount units by why seq",
    ),
    ("flow_id",),
)
BARS = Table(
    "bars",
    _columns(
        "open_ms version open high low close seq",
        "symbol timeframe volume tick",
        "symbol timeframe open_ms version open high low close volume tick seq",
    ),
    ("symbol", "timeframe", "open_ms", "version"),
)
BLOBS = Table(
    "blobs",
    (*_columns("size seq", "sha kind stored", "sha kind size stored seq"), ("body", "BLOB")),
    ("sha",),
)
CYCLES = Table(
    "cycles",
    _columns(
        "cycle now_ms bar_ms start_seq plan_seq end_seq code",
        "",
        "cycle now_ms bar_ms start_seq plan_seq end_seq code",
    ),
    ("cycle",),
)
PLANS = Table("plans", _columns("bar_ms seq", "", "bar_ms seq"), ("bar_ms",))

STATE_TABLES = {
    table.name: table
    for table in (
        META,
        ORDERS,
        POSITIONS,
        INSTRUMENTS,
        OTHER_FEES,
        CONSUMED,
        MEMBERS,
        SENT,
        MESSAGES,
        BOOKS,
        HOLDINGS,
        DAYS,
        COOLDOWNS,
        ASKED,
    )
}
LOG_TABLES = {table.name: table for table in (FILLS, FLOWS, BARS, BLOBS, CYCLES, PLANS)}
TABLES = STATE_TABLES | LOG_TABLES

# What may still change, as the index and every reader of it must spell it.
LIVE_ORDERS = "state IN ('planned', 'sending', 'unknown', 'open') OR venue_lots > filled_lots"

_ENTRIES = (
    """CREATE TABLE entries (seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, kind TEXT NOT NULL,
    version INTEGER NOT NULL, payload TEXT NOT NULL, prev_hash TEXT NOT NULL, hash TEXT NOT NULL)
    STRICT""",
    # Where this file's chain starts: (0, zeros), or the head of the segment before it.
    """CREATE TABLE origin (seq INTEGER NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (seq))
    STRICT, WITHOUT ROWID""",
    """CREATE TRIGGER entries_keep_update BEFORE UPDATE ON entries
    BEGIN SELECT RAISE(ABORT, 'entries are append-only: no UPDATE'); END""",
    """CREATE TRIGGER entries_keep_delete BEFORE DELETE ON entries
    BEGIN SELECT RAISE(ABORT, 'entries are append-only: no DELETE'); END""",
    """CREATE TRIGGER entries_chain BEFORE INSERT ON entries
    WHEN NEW.seq IS NOT 1 + coalesce((SELECT max(seq) FROM entries), (SELECT seq FROM origin))
    OR NEW.prev_hash IS NOT coalesce((SELECT hash FROM entries ORDER BY seq DESC LIMIT 1),
        (SELECT hash FROM origin))
    BEGIN SELECT RAISE(ABORT, 'entries are append-only: not the next of the chain'); END""",
    """CREATE TRIGGER origin_keep_update BEFORE UPDATE ON origin
    BEGIN SELECT RAISE(ABORT, 'the origin is fixed: no UPDATE'); END""",
    """CREATE TRIGGER origin_keep_delete BEFORE DELETE ON origin
    BEGIN SELECT RAISE(ABORT, 'the origin is fixed: no DELETE'); END""",
    """CREATE TRIGGER origin_keep_insert BEFORE INSERT ON origin
    WHEN EXISTS (SELECT 1 FROM origin)
    BEGIN SELECT RAISE(ABORT, 'the origin is fixed: no INSERT'); END""",
)
_PROJECTIONS = (
    *(table.create() for table in TABLES.values()),
    f"CREATE INDEX orders_live ON orders (touched_seq) WHERE {LIVE_ORDERS}",
    "CREATE INDEX orders_touched ON orders (touched_seq)",
    "CREATE INDEX orders_venue ON orders (symbol, venue_id)",
)


def _run(*statements: str) -> Callable[[sqlite3.Connection], None]:
    def apply(connection: sqlite3.Connection) -> None:
        for statement in statements:
            connection.execute(statement)

    return apply


MIGRATIONS: tuple[tuple[str, Callable[[sqlite3.Connection], None]], ...] = (
    ("0001_entries", _run(*_ENTRIES)),
    ("0002_projections", _run(*_PROJECTIONS)),
)
_RECORD = "CREATE TABLE migrations (name TEXT NOT NULL, PRIMARY KEY (name)) STRICT, WITHOUT ROWID"


def applied(connection: sqlite3.Connection) -> set[str]:
    """Names of the migrations that were applied; empty for a file without any table."""
    if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0:
        return set()
    return {name for (name,) in connection.execute("SELECT name FROM migrations")}


def migrate(connection: sqlite3.Connection, origin: tuple[int, str] = (0, NO_HASH)) -> None:
    """Apply what is missing, each migration and its record in one transaction.

    A new file's chain starts after `origin` (seq, hash).
    """
    for name, apply in MIGRATIONS:
        connection.execute("BEGIN IMMEDIATE")
        done = applied(connection)
        if name not in done:
            if not done:
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(_RECORD)
            apply(connection)
            if not done:
                connection.execute("INSERT INTO origin (seq, hash) VALUES (?, ?)", origin)
            connection.execute("INSERT INTO migrations (name) VALUES (?)", (name,))
        connection.execute("COMMIT")
